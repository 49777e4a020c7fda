/* own_text.c - quotes, attributions and signatures.
 */
#include "build.h"

#include "protocol/own_text.h"

#include <stdlib.h>

#include "protocol/own_text_words.h"

#define ATTRIBUTION_LINES 3u
#define ATTRIBUTION_MAX   400u
#define HEADER_BLOCK_LOOK 6u
#define BARE_SIGNATURE    20u /* lines that may follow a "--" without blank */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct line {
	struct span text; /* trimmed */
	bool quoted;
	bool dropped;
	bool dash_dash_blank; /* exactly "-- " */
};

struct lines {
	struct line *items;
	size_t count;
};

/* ---- lines */

static bool
has(struct span text, const char *word)
{
	size_t len = strlen(word);

	return text.len >= len &&
	    memmem(text.bytes, text.len, word, len) != NULL;
}

static bool
ends_with(struct span text, const char *word)
{
	size_t len = strlen(word);

	return text.len >= len &&
	    memcmp(text.bytes + text.len - len, word, len) == 0;
}

static bool
begins_with(struct span text, const char *word)
{
	size_t len = strlen(word);

	return text.len >= len && memcmp(text.bytes, word, len) == 0;
}

static struct span
drop_start(struct span text, size_t len)
{
	return span_make(text.bytes + len, text.len - len);
}

static int
lines_split(struct lines *lines, struct span text)
{
	size_t count = 1, at = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.bytes[i] == '\n';
	lines->items = calloc(count, sizeof *lines->items);
	if (lines->items == NULL)
		return -1;
	while (at < text.len) {
		const char *end = memchr(text.bytes + at, '\n', text.len - at);
		size_t len = end == NULL ? text.len - at
					 : (size_t)(end - text.bytes) - at;
		struct line *line = &lines->items[lines->count++];
		struct span raw = span_make(text.bytes + at, len);

		line->text = span_trim(raw);
		line->quoted = raw.len > 0 && line->text.len > 0 &&
		    line->text.bytes[0] == '>' &&
		    line->text.bytes - raw.bytes < 3;
		line->dash_dash_blank = span_equal(raw, span_of("-- ")) ||
		    span_equal(raw, span_of("-- \r"));
		at += len + 1;
	}
	return 0;
}

/* The next line with text from i on; lines->count if none. */
static size_t
next_full(const struct lines *lines, size_t i)
{
	while (i < lines->count && lines->items[i].text.len == 0)
		i++;
	return i;
}

static void
drop(struct lines *lines, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < lines->count; i++)
		lines->items[i].dropped = true;
}

/* ---- quotes that are code: output of diff, prompts of an interpreter */

static bool
quote_is_code(const struct lines *lines, size_t i)
{
	const struct line *before;
	size_t at = i;

	while (at > 0 && lines->items[at - 1].text.len == 0)
		at--;
	if (at == 0)
		return false;
	before = &lines->items[at - 1];
	if (begins_with(before->text, "< ") || span_is(before->text, "---"))
		return true;
	return begins_with(lines->items[i].text, ">>> ") && !before->dropped &&
	    !before->quoted;
}

static void
drop_quotes(struct lines *lines)
{
	size_t i = 0;

	while (i < lines->count) {
		size_t end = i;

		while (end < lines->count && lines->items[end].quoted)
			end++;
		if (end == i) {
			i++;
			continue;
		}
		if (!quote_is_code(lines, i))
			drop(lines, i, end);
		i = end;
	}
}

/* ---- attributions */

static bool
ends_in_colon(struct span text, struct span *without)
{
	size_t cut = ends_with(text, ":") ? 1 : ends_with(text, "：") ? 3 : 0;

	*without = text;
	without->len -= cut;
	while (without->len > 0 &&
	    (ends_with(*without, " ") || ends_with(*without, "\xc2\xa0")))
		without->len -= ends_with(*without, " ") ? 1 : 2;
	return cut > 0;
}

/* A time of day, a year, or an address: what a mail program puts in. */
static bool
looks_stamped(struct span text)
{
	for (size_t i = 0; i + 4 < text.len; i++) {
		const char *at = text.bytes + i;

		if (at[0] == '@' && i > 0)
			return true;
		if (at[0] >= '0' && at[0] <= '9' && at[1] == ':' &&
		    at[2] >= '0' && at[2] <= '9')
			return true;
		if ((memcmp(at, "19", 2) == 0 || memcmp(at, "20", 2) == 0) &&
		    at[2] >= '0' && at[2] <= '9' && at[3] >= '0' &&
		    at[3] <= '9')
			return true;
	}
	return false;
}

static bool
is_attribution(struct span text, bool before_quote)
{
	struct span bare;

	if (text.len > ATTRIBUTION_MAX || !ends_in_colon(text, &bare))
		return false;
	for (size_t i = 0; i < COUNT(attributions); i++) {
		const char *start = attributions[i].start;

		if (start != NULL ? !begins_with(text, start)
				  : !(before_quote || has(text, "@")))
			continue;
		if (attributions[i].verb_last
			? !ends_with(bare, attributions[i].verb)
			: !has(bare, attributions[i].verb))
			continue;
		if (before_quote || looks_stamped(bare))
			return true;
	}
	return false;
}

/* Does an attribution begin at line i? Returns how many lines it has. */
static size_t
attribution_at(const struct lines *lines, size_t i)
{
	char joined[ATTRIBUTION_MAX + 8];
	size_t len = 0;

	for (size_t n = 0; n < ATTRIBUTION_LINES && i + n < lines->count; n++) {
		const struct line *line = &lines->items[i + n];
		size_t next;

		if (line->quoted || line->dropped || line->text.len == 0 ||
		    len + line->text.len + 1 > ATTRIBUTION_MAX)
			return 0;
		if (len > 0)
			joined[len++] = ' ';
		memcpy(joined + len, line->text.bytes, line->text.len);
		len += line->text.len;
		next = next_full(lines, i + n + 1);
		/* one line above a quote may be any name; more must begin as
		 * programs begin them */
		if (is_attribution(span_make(joined, len),
			n == 0 && next < lines->count && next - i <= 3 &&
			    lines->items[next].quoted))
			return n + 1;
		if (n == 0 && !looks_stamped(line->text) &&
		    !begins_with(line->text, "On "))
			return 0;
	}
	return 0;
}

/* ---- header blocks and splitters */

static enum label
label_of(struct span text)
{
	size_t blank;

	while (begins_with(text, "*") || begins_with(text, "|") ||
	    begins_with(text, " "))
		text = drop_start(text, 1);
	for (size_t i = 0; i < COUNT(labels); i++) {
		struct span rest;

		if (!begins_with(text, labels[i].word))
			continue;
		rest = drop_start(text, strlen(labels[i].word));
		blank = 0;
		while (begins_with(rest, "*") || begins_with(rest, " ") ||
		    begins_with(rest, "\xc2\xa0")) {
			rest =
			    drop_start(rest, rest.bytes[0] == '\xc2' ? 2 : 1);
			if (++blank > 3)
				break;
		}
		if (begins_with(rest, ":") || begins_with(rest, "："))
			return labels[i].label;
	}
	return LABEL_NONE;
}

static bool
has_any(struct span text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (has(text, words[i]))
			return true;
	}
	return false;
}

/* Three different labels close together, From or Date first. */
static bool
is_header_block(const struct lines *lines, size_t i)
{
	bool seen[LABEL_SUBJECT + 1] = { false };
	enum label first = label_of(lines->items[i].text);
	size_t kinds = 0, before;

	if (first != LABEL_FROM && first != LABEL_DATE)
		return false;
	for (size_t n = 0; n < HEADER_BLOCK_LOOK && i + n < lines->count; n++) {
		enum label label = label_of(lines->items[i + n].text);

		if (label != LABEL_NONE && !seen[label]) {
			seen[label] = true;
			kinds++;
		}
	}
	if (kinds < 3 || !seen[LABEL_FROM])
		return false;
	for (before = i; before > 0 && i - before < 3; before--) {
		if (has_any(lines->items[before - 1].text, forwards,
			COUNT(forwards)))
			return false;
	}
	return true;
}

static bool
is_splitter(struct span text)
{
	return (begins_with(text, "--") || begins_with(text, "==") ||
		   begins_with(text, "__")) &&
	    text.len < 120 && has_any(text, splitters, COUNT(splitters));
}

static bool
is_rule(struct span text)
{
	size_t len = 0;

	while (len < text.len && strchr("_-=*", text.bytes[len]) != NULL)
		len++;
	return len == text.len && len >= 10;
}

/* A quote without marks begins at `from`, its header ends before `body`. If
 * marks follow after all, only the header goes. True: the rest was dropped. */
static bool
drop_unmarked(struct lines *lines, size_t from, size_t body)
{
	size_t next = next_full(lines, body);

	if (next < lines->count && lines->items[next].quoted) {
		drop(lines, from, body);
		return false;
	}
	drop(lines, from, lines->count);
	return true;
}

static size_t
header_block_end(const struct lines *lines, size_t i)
{
	while (i < lines->count && lines->items[i].text.len > 0 &&
	    !lines->items[i].quoted)
		i++;
	return i;
}

static void
drop_attributions(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		const struct line *line = &lines->items[i];
		size_t n;

		if (line->dropped || line->quoted || line->text.len == 0)
			continue;
		n = attribution_at(lines, i);
		if (n > 0) {
			if (drop_unmarked(lines, i, i + n))
				return;
			i += n - 1;
		} else if (is_splitter(line->text)) {
			size_t head = next_full(lines, i + 1);

			if (head < lines->count &&
			    label_of(lines->items[head].text) != LABEL_NONE)
				head = header_block_end(lines, head);
			if (drop_unmarked(lines, i, head))
				return;
		} else if (is_header_block(lines, i)) {
			size_t from = i;

			if (i > 0 && is_rule(lines->items[i - 1].text))
				from--;
			if (drop_unmarked(lines, from,
				header_block_end(lines, i)))
				return;
		}
	}
}

/* ---- signatures */

/* Up to the next quote or dropped line. */
static size_t
signature_end(const struct lines *lines, size_t i)
{
	while (i < lines->count && !lines->items[i].quoted &&
	    !lines->items[i].dropped)
		i++;
	return i;
}

static void
drop_signature(struct lines *lines)
{
	bool kept = false;

	for (size_t i = 0; i < lines->count; i++) {
		struct line *line = &lines->items[i];
		size_t end;

		kept |= !line->dropped && line->text.len > 0 &&
		    !span_is(line->text, "--");
		if (line->dropped || line->quoted || !span_is(line->text, "--"))
			continue;
		end = signature_end(lines, i + 1);
		if (!line->dash_dash_blank &&
		    (end - i > BARE_SIGNATURE || !kept))
			continue;
		drop(lines, i, end);
		i = end;
	}
}

static bool
is_device_line(struct span text)
{
	if (text.len > 120)
		return false;
	for (size_t i = 0; i < COUNT(device_lines); i++) {
		if (begins_with(text, device_lines[i]))
			return true;
	}
	return false;
}

/* The last own line of each stretch, if a telephone wrote it. */
static void
drop_device_lines(struct lines *lines)
{
	bool last = true;

	for (size_t i = lines->count; i-- > 0;) {
		struct line *line = &lines->items[i];

		if (line->dropped || line->quoted)
			last = true;
		else if (line->text.len > 0) {
			if (last &&
			    (is_device_line(line->text) || is_rule(line->text)))
				line->dropped = true;
			else
				last = false;
		}
	}
}

/* ---- result */

static void
write_kept(struct buffer *out, const struct lines *lines, struct span text)
{
	size_t blank = 0;
	bool started = false;

	for (size_t i = 0; i < lines->count; i++) {
		const struct line *line = &lines->items[i];
		const char *start;

		if (line->dropped || line->text.len == 0) {
			blank++;
			continue;
		}
		if (started)
			buffer_append_text(out, blank > 0 ? "\n\n" : "\n");
		/* indentation is part of what was written */
		start = line->text.bytes;
		while (start > text.bytes &&
		    (start[-1] == ' ' || start[-1] == '\t'))
			start--;
		buffer_append(out, start,
		    (size_t)(line->text.bytes + line->text.len - start));
		started = true;
		blank = 0;
	}
}

bool
own_text_extract(struct buffer *out, struct span text)
{
	struct lines lines = { NULL, 0 };
	size_t before = out->len;
	bool empty;

	if (lines_split(&lines, text) != 0) {
		out->failed = true;
		return false;
	}
	drop_attributions(&lines);
	drop_quotes(&lines);
	drop_signature(&lines);
	drop_device_lines(&lines);
	write_kept(out, &lines, text);
	free(lines.items);
	empty = out->len == before && span_trim(text).len > 0;
	if (empty)
		buffer_append_span(out, span_trim(text));
	return empty;
}
