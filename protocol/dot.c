/* dot.c - dot-terminated blocks.
 */
#include "protocol/dot.h"

#define DOT_END_LEN 3u /* ".\r\n" */

void
dot_receiver_init(
    struct dot_receiver *dot, struct buffer *out, uint64_t limit)
{
	memset(dot, 0, sizeof *dot);
	dot->out = out;
	dot->limit = limit;
}

void
dot_receiver_init_within(struct dot_receiver *dot, bool after_cr)
{
	dot_receiver_init(dot, NULL, 0);
	dot->state = after_cr ? DOT_CR : DOT_TEXT;
}

/* Octets that are looked at in one step. */
typedef unsigned char block __attribute__((vector_size(16)));

#define BLOCKS_COUNTED 255u /* as many as an octet can count */

static uint64_t
block_sum(block counts)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof counts; i++)
		sum += counts[i];
	return sum;
}

static bool
block_any(block octets)
{
	uint64_t halves[2];

	memcpy(halves, &octets, sizeof halves);
	return (halves[0] | halves[1]) != 0;
}

/* What octets there are. */
static void
dot_survey(struct dot_receiver *dot, struct span chunk)
{
	size_t at = 0, stop;
	block octets, nuls = { 0 }, all = { 0 };
	unsigned char rest = 0;

	while (chunk.len - at >= sizeof octets) {
		block crs = { 0 }, lfs = { 0 };

		stop = chunk.len - at > BLOCKS_COUNTED * sizeof octets
		    ? at + BLOCKS_COUNTED * sizeof octets
		    : at + (chunk.len - at) / sizeof octets * sizeof octets;
		for (; at < stop; at += sizeof octets) {
			memcpy(&octets, chunk.bytes + at, sizeof octets);
			crs -= (block)(octets == '\r');
			lfs -= (block)(octets == '\n');
			nuls |= (block)(octets == 0);
			all |= octets;
		}
		dot->crs += block_sum(crs);
		dot->lfs += block_sum(lfs);
	}
	for (size_t i = 0; i < sizeof all; i++) {
		rest |= all[i];
		dot->facts.nul |= nuls[i] != 0;
	}
	for (; at < chunk.len; at++) {
		rest |= (unsigned char)chunk.bytes[at];
		dot->crs += chunk.bytes[at] == '\r';
		dot->lfs += chunk.bytes[at] == '\n';
		dot->facts.nul |= chunk.bytes[at] == '\0';
	}
	dot->facts.eight_bit |= rest > 127;
}

/* From within a line on, over as many blocks as hold no beginning of a line with
 * a dot. Where it stops, dot_step() goes on. */
static const char *
dot_blocks(struct dot_receiver *dot, const char *from, const char *end)
{
	const char *at = from;
	block first, second, third, ends;
	bool stop = false;

	while (!stop && (size_t)(end - at) >= sizeof first + 2) {
		block lines = { 0 };

		for (unsigned i = 0; i < BLOCKS_COUNTED &&
		     (size_t)(end - at) >= sizeof first + 2;
		     i++, at += sizeof first) {
			memcpy(&first, at, sizeof first);
			memcpy(&second, at + 1, sizeof second);
			memcpy(&third, at + 2, sizeof third);
			ends = (block)((first == '\r') & (second == '\n'));
			stop = block_any(ends & (block)(third == '.'));
			if (stop)
				break;
			lines -= ends;
		}
		dot->facts.lines += block_sum(lines);
	}
	if (at == from)
		return at;
	/* a line that ends across the last block's end is counted */
	if (at[-1] == '\r' && *at == '\n')
		at++;
	dot->state = at[-1] == '\n' && at[-2] == '\r'
	    ? DOT_LINE_START
	    : DOT_TEXT;
	return at;
}

/* Within a line: runs over whole lines, or to its end or that of the chunk. */
static const char *
dot_text(struct dot_receiver *dot, const char *at, const char *end)
{
	const char *next = dot_blocks(dot, at, end), *lf;

	if (next != at)
		return next;
	lf = memchr(at, '\n', (size_t)(end - at));
	if (lf == NULL) {
		dot->state = end > at && end[-1] == '\r' ? DOT_CR : DOT_TEXT;
		return end;
	}
	if (lf > at && lf[-1] == '\r') {
		dot->facts.lines++;
		dot->state = DOT_LINE_START;
	} else {
		dot->state = DOT_TEXT;
	}
	return lf + 1;
}

/* After a held-back ".\r" or a CR at the end of a chunk. */
static const char *
dot_after_cr(struct dot_receiver *dot, const char *at)
{
	if (*at == '\n') {
		if (dot->state == DOT_CR)
			dot->facts.lines++;
		dot->state = dot->state == DOT_CR ? DOT_LINE_START : DOT_ENDED;
		return at + 1;
	}
	if (dot->state == DOT_DOT_CR)
		dot->facts.stuffed++;
	dot->state = DOT_TEXT;
	return at;
}

static const char *
dot_step(struct dot_receiver *dot, const char *at, const char *end)
{
	switch (dot->state) {
	case DOT_LINE_START:
		if (*at != '.')
			return dot_text(dot, at, end);
		dot->state = DOT_DOT;
		return at + 1;
	case DOT_TEXT:
		return dot_text(dot, at, end);
	case DOT_DOT:
		if (*at == '\r') {
			dot->state = DOT_DOT_CR;
			return at + 1;
		}
		dot->facts.stuffed++;
		return dot_text(dot, at, end);
	case DOT_CR:
	case DOT_DOT_CR:
		return dot_after_cr(dot, at);
	case DOT_ENDED:
		break;
	}
	return end;
}

/* The CRs and LFs that may stand where they do are those of line ends, and a CR
 * that comes last. */
static void
dot_find_bare(struct dot_receiver *dot)
{
	uint64_t ends = dot->facts.lines + (dot->state == DOT_ENDED);
	bool last = dot->state == DOT_CR || dot->state == DOT_DOT_CR;

	dot->facts.bare_cr = dot->crs > ends + last;
	dot->facts.bare_lf = dot->lfs > ends;
}

static size_t
dot_held(const struct dot_receiver *dot)
{
	if (dot->state == DOT_ENDED)
		return DOT_END_LEN;
	if (dot->state == DOT_DOT_CR)
		return 2;
	return dot->state == DOT_DOT ? 1 : 0;
}

/* Takes len octets of what was held back before and then of the chunk. */
static void
dot_keep(
    struct dot_receiver *dot, size_t carried, const char *bytes, size_t len)
{
	dot->facts.bytes += len;
	if (dot->out == NULL || dot->too_large || dot->failed)
		return;
	if (dot->limit != 0 && dot->facts.bytes > dot->limit) {
		dot->too_large = true;
		buffer_fini(dot->out);
		return;
	}
	if (carried > len)
		carried = len;
	buffer_append(dot->out, ".\r", carried);
	buffer_append(dot->out, bytes, len - carried);
	if (buffer_failed(dot->out)) {
		dot->failed = true;
		buffer_fini(dot->out);
	}
}

bool
dot_receive(struct dot_receiver *dot, struct span chunk, size_t *used_r)
{
	const char *at = chunk.bytes, *end = at + chunk.len;
	size_t carried = dot_held(dot);
	size_t used;

	*used_r = 0;
	if (dot->state == DOT_ENDED)
		return true;
	if (chunk.len == 0)
		return false;
	while (at < end && dot->state != DOT_ENDED)
		at = dot_step(dot, at, end);
	used = (size_t)(at - chunk.bytes);
	dot_survey(dot, span_make(chunk.bytes, used));
	dot_find_bare(dot);
	dot_keep(dot, carried, chunk.bytes, carried + used - dot_held(dot));
	*used_r = used;
	return dot->state == DOT_ENDED;
}

void
dot_examine(struct span wire, struct dot_facts *facts_r)
{
	struct dot_receiver dot;
	size_t used;

	dot_receiver_init(&dot, NULL, 0);
	(void)dot_receive(&dot, wire, &used);
	*facts_r = dot.facts;
}

bool
dot_has_long_line(struct span wire, size_t max)
{
	const char *at = wire.bytes, *end = at + wire.len, *stop, *lf;

	while ((size_t)(end - at) > max + 2) {
		stop = at + max + 2 + (*at == '.');
		for (lf = stop; lf > at && lf[-1] != '\n'; lf--)
			;
		if (lf == at)
			return true;
		at = lf;
	}
	return false;
}

/* The end of the CRLF line at `at`: after its CRLF, or `end`. */
static const char *
dot_line_end(const char *at, const char *end)
{
	const char *from = at, *lf;

	while (from < end &&
	    (lf = memchr(from, '\n', (size_t)(end - from))) != NULL) {
		if (lf > at && lf[-1] == '\r')
			return lf + 1;
		from = lf + 1;
	}
	return end;
}

static bool
dot_ends_in_crlf(struct span text)
{
	return text.len >= 2 && memcmp(text.bytes + text.len - 2, "\r\n", 2) == 0;
}

void
dot_stuff(struct buffer *out, struct span plain)
{
	const char *at = plain.bytes, *end = at + plain.len, *next;
	const char *run = at; /* not yet appended */

	for (; at < end; at = next) {
		next = dot_line_end(at, end);
		if (*at != '.')
			continue;
		buffer_append(out, run, (size_t)(at - run));
		buffer_append_byte(out, '.');
		run = at;
	}
	buffer_append(out, run, (size_t)(end - run));
	if (plain.len > 0 && !dot_ends_in_crlf(plain))
		buffer_append_text(out, "\r\n");
}

void
dot_unstuff(struct buffer *out, struct span wire)
{
	const char *at = wire.bytes, *end = at + wire.len, *next;
	const char *run = at;

	for (; at < end; at = next) {
		next = dot_line_end(at, end);
		if (*at != '.')
			continue;
		buffer_append(out, run, (size_t)(at - run));
		run = at + 1;
	}
	buffer_append(out, run, (size_t)(end - run));
}

void
dot_from_file(struct buffer *out, struct span file, struct dot_facts *facts)
{
	const char *at = file.bytes, *end = at + file.len, *lf;
	size_t before = out->len, len;

	while (at < end) {
		lf = memchr(at, '\n', (size_t)(end - at));
		len = (size_t)((lf == NULL ? end : lf) - at);
		if (lf != NULL && len > 0 && at[len - 1] == '\r')
			len--;
		if (*at == '.')
			buffer_append_byte(out, '.');
		buffer_append(out, at, len);
		buffer_append(out, "\r\n", 2);
		at = lf == NULL ? end : lf + 1;
	}
	if (facts != NULL && !buffer_failed(out))
		dot_examine(span_make(buffer_text(out) + before,
				out->len - before),
		    facts);
}
