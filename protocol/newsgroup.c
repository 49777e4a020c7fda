/* newsgroup.c - syntax of newsgroup names and of the headers made of them.
 */
#include "protocol/newsgroup.h"

#include <errno.h>

static bool
newsgroup_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

static bool
newsgroup_is_char(char c)
{
	return newsgroup_is_alnum(c) || c == '+' || c == '-' || c == '_';
}

bool
newsgroup_is_valid(struct span name)
{
	bool dot = true;

	if (name.len > NEWSGROUP_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (name.bytes[i] == '.') {
			if (dot)
				return false;
			dot = true;
		} else if (newsgroup_is_char(name.bytes[i])) {
			dot = false;
		} else {
			return false;
		}
	}
	return !dot;
}

/* The next piece up to `mark`; *rest is what follows it. */
static struct span
newsgroup_piece(struct span *rest, char mark)
{
	const char *end = memchr(rest->bytes, mark, rest->len);
	struct span piece = *rest;

	if (end == NULL) {
		*rest = span_make(rest->bytes + rest->len, 0);
	} else {
		piece.len = (size_t)(end - rest->bytes);
		*rest = span_make(end + 1, rest->len - piece.len - 1);
	}
	return piece;
}

bool
newsgroup_is_reserved(struct span name)
{
	struct span rest = name, part;
	bool first = true;

	if (span_is(name, "poster") || span_is(name, "junk"))
		return true;
	for (; rest.len > 0; first = false) {
		part = newsgroup_piece(&rest, '.');
		if (span_is(part, "all") || span_is(part, "ctl"))
			return true;
		if (first &&
		    (span_is(part, "example") || span_is(part, "to") ||
			span_is(part, "control")))
			return true;
	}
	return false;
}

static bool
newsgroup_is_listed(struct span name, const struct span *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_equal(names[i], name))
			return true;
	return false;
}

int
newsgroup_list_parse(struct span raw, struct span *names, size_t max)
{
	const char *comma;
	struct span name;
	size_t count = 0;

	if (raw.len == 0)
		return -EINVAL;
	for (;;) {
		comma = raw.len == 0 ? NULL : memchr(raw.bytes, ',', raw.len);
		name = raw;
		if (comma != NULL)
			name.len = (size_t)(comma - raw.bytes);
		raw.bytes += name.len + (comma != NULL);
		raw.len -= name.len + (comma != NULL);
		name = span_trim(name);
		if (!newsgroup_is_valid(name))
			return -EINVAL;
		if (!newsgroup_is_listed(name, names, count)) {
			if (count == max)
				return -E2BIG;
			names[count++] = name;
		}
		if (comma == NULL)
			return (int)count;
	}
}

bool
newsgroup_is_poster(struct span raw)
{
	raw = span_trim(raw);
	return raw.len == 6 && memcmp(raw.bytes, "poster", 6) == 0;
}

static bool
path_is_char(char c)
{
	return newsgroup_is_alnum(c) || (c != '\0' && strchr("-_.:!+@", c) != NULL);
}

bool
path_is_valid(struct span raw)
{
	raw = span_trim(raw);
	for (size_t i = 0; i < raw.len; i++)
		if (!path_is_char(raw.bytes[i]) && raw.bytes[i] != ' ' &&
		    raw.bytes[i] != '\t' && raw.bytes[i] != '\r' &&
		    raw.bytes[i] != '\n')
			return false;
	return raw.len > 0 && raw.bytes[raw.len - 1] != '!' &&
	    raw.bytes[0] != '!';
}

static bool
path_is_posted_mark(struct span piece)
{
	return span_is(piece, ".POSTED") || span_starts(piece, ".POSTED.");
}

bool
path_has(struct span raw, struct span host)
{
	struct span rest = raw, piece;

	while (rest.len > 0) {
		piece = span_trim(newsgroup_piece(&rest, '!'));
		if (path_is_posted_mark(piece))
			return false;
		/* the last piece is the tail entry, no site */
		if (rest.len > 0 && piece.len == host.len && host.len > 0 &&
		    strncasecmp(piece.bytes, host.bytes, host.len) == 0)
			return true;
	}
	return false;
}

struct span
path_first(struct span raw)
{
	struct span piece = span_trim(newsgroup_piece(&raw, '!'));

	return raw.len > 0 ? piece : span_make(NULL, 0);
}

bool
path_is_posted(struct span raw)
{
	struct span rest = raw;

	while (rest.len > 0)
		if (path_is_posted_mark(
			span_trim(newsgroup_piece(&rest, '!'))))
			return true;
	return false;
}

static bool
distribution_is_name(struct span name)
{
	if (name.len == 0 || !newsgroup_is_alnum(name.bytes[0]))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!newsgroup_is_char(name.bytes[i]))
			return false;
	return true;
}

bool
distribution_is_valid(struct span raw)
{
	struct span rest = raw;

	if (raw.len == 0 || raw.bytes[raw.len - 1] == ',')
		return false;
	while (rest.len > 0)
		if (!distribution_is_name(
			span_trim(newsgroup_piece(&rest, ','))))
			return false;
	return true;
}
