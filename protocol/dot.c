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

/* Octets that are looked at together. */
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

/* What octets there are, one by one: few. */
static void
dot_look(struct dot_receiver *dot, const char *at, const char *end)
{
	for (; at < end; at++) {
		dot->crs += *at == '\r';
		dot->lfs += *at == '\n';
		dot->facts.nul |= *at == '\0';
		dot->facts.eight_bit |= (unsigned char)*at > 127;
	}
}

/* What some blocks hold, of at most BLOCKS_COUNTED. */
struct dot_blocks {
	block crs, lfs, lines;
	block nuls, all; /* is there one, which bits are there */
};

static void
dot_add(struct dot_receiver *dot, const struct dot_blocks *seen)
{
	const block high = seen->all & 128;

	dot->crs += block_sum(seen->crs);
	dot->lfs += block_sum(seen->lfs);
	dot->facts.lines += block_sum(seen->lines);
	dot->facts.nul |= block_any(seen->nuls);
	dot->facts.eight_bit |= block_any(high);
}

/* Looks at blocks from `at` on, of which none holds the beginning of a line with
 * a dot: at most BLOCKS_COUNTED of them, with two octets behind. */
static const char *
dot_some_blocks(struct dot_receiver *dot, const char *at, const char *end)
{
	struct dot_blocks seen = { 0 };
	block first, second, third, ends;
	size_t count = (size_t)(end - at) < sizeof first + 2
	    ? 0
	    : ((size_t)(end - at) - 2) / sizeof first;

	if (count > BLOCKS_COUNTED)
		count = BLOCKS_COUNTED;
	for (; count > 0; count--, at += sizeof first) {
		memcpy(&first, at, sizeof first);
		memcpy(&second, at + 1, sizeof second);
		memcpy(&third, at + 2, sizeof third);
		ends = (block)((first == '\r') & (second == '\n'));
		if (block_any(ends & (block)(third == '.')))
			break;
		seen.lines -= ends;
		seen.crs -= (block)(first == '\r');
		seen.lfs -= (block)(first == '\n');
		seen.nuls |= (block)(first == 0);
		seen.all |= first;
	}
	dot_add(dot, &seen);
	return at;
}

/* From within a line on, or from its beginning, which is no dot. Where it stops,
 * dot_step() goes on. */
static const char *
dot_whole_blocks(struct dot_receiver *dot, const char *from, const char *end)
{
	const char *at = dot_some_blocks(dot, from, end);

	if (at == from)
		return at;
	/* a line that ends across the last block's end is counted */
	if (at[-1] == '\r' && *at == '\n') {
		dot->lfs++;
		at++;
	}
	dot->state = at[-1] == '\n' && at[-2] == '\r'
	    ? DOT_LINE_START
	    : DOT_TEXT;
	return at;
}

/* Within a line: runs to its end or to the end of the chunk. */
static const char *
dot_text(struct dot_receiver *dot, const char *at, const char *end)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at));

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
		dot->state = DOT_TEXT;
		return at;
	case DOT_CR:
	case DOT_DOT_CR:
		return dot_after_cr(dot, at);
	case DOT_ENDED:
		break;
	}
	return end;
}

static bool
dot_is_within_text(const struct dot_receiver *dot, char next)
{
	return dot->state == DOT_TEXT ||
	    (dot->state == DOT_LINE_START && next != '.');
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
	const char *at = chunk.bytes, *end = at + chunk.len, *from;
	size_t carried = dot_held(dot);
	size_t used;

	*used_r = 0;
	if (dot->state == DOT_ENDED)
		return true;
	if (chunk.len == 0)
		return false;
	while (at < end && dot->state != DOT_ENDED) {
		from = at;
		if (dot_is_within_text(dot, *at))
			at = dot_whole_blocks(dot, from, end);
		if (at == from) {
			at = dot_step(dot, from, end);
			dot_look(dot, from, at);
		}
	}
	used = (size_t)(at - chunk.bytes);
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
