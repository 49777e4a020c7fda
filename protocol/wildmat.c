/* wildmat.c - patterns of RFC 3977 4.
 */
#include "protocol/wildmat.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol/utf8.h"

struct wildmat_pattern {
	struct span text;
	bool negated;
};

struct wildmat {
	size_t count;
	struct wildmat_pattern *patterns;
	char text[]; /* what the patterns point into */
};

/* One character; of bytes that are no UTF-8, one byte. */
static size_t
wildmat_char_len(struct span text, size_t at)
{
	size_t len = utf8_character(span_make(text.bytes + at, text.len - at));

	return len == 0 ? 1 : len;
}

static bool
wildmat_pattern_fits(struct span pattern, struct span text)
{
	size_t p = 0, t = 0;
	size_t star = pattern.len, retry = 0; /* after the last '*'; none yet */
	bool starred = false;

	while (t < text.len) {
		if (p < pattern.len && pattern.bytes[p] == '*') {
			star = ++p;
			retry = t;
			starred = true;
		} else if (p < pattern.len && pattern.bytes[p] == '?') {
			p++;
			t += wildmat_char_len(text, t);
		} else if (p < pattern.len &&
		    pattern.bytes[p] == text.bytes[t]) {
			p++;
			t++;
		} else if (starred) {
			/* only the last '*' need ever give way */
			p = star;
			retry += wildmat_char_len(text, retry);
			t = retry;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.bytes[p] == '*')
		p++;
	return p == pattern.len;
}

/* The last pattern of the list; *rest is what is before it. */
static struct wildmat_pattern
wildmat_last(struct span *rest)
{
	struct wildmat_pattern pattern = { *rest, false };
	size_t at = rest->len;

	while (at > 0 && rest->bytes[at - 1] != ',')
		at--;
	pattern.text = span_make(rest->bytes + at, rest->len - at);
	rest->len = at == 0 ? 0 : at - 1;
	if (pattern.text.len > 0 && pattern.text.bytes[0] == '!') {
		pattern.negated = true;
		pattern.text.bytes++;
		pattern.text.len--;
	}
	return pattern;
}

bool
wildmat_is_valid(struct span wildmat)
{
	bool begins = true; /* a pattern begins here, after its '!' if any */

	for (size_t i = 0; i < wildmat.len; i++) {
		unsigned char c = (unsigned char)wildmat.bytes[i];

		if (c == '!') {
			if (!begins || (i > 0 && wildmat.bytes[i - 1] == '!'))
				return false;
			continue;
		}
		if (c == ',') {
			if (begins)
				return false;
			begins = true;
			continue;
		}
		if (c <= ' ' || c == 127 || c == '[' || c == ']' ||
		    c == '\\')
			return false;
		begins = false;
	}
	return !begins && utf8_valid(wildmat);
}

static size_t
wildmat_count(struct span wildmat)
{
	size_t count = 1;

	for (size_t i = 0; i < wildmat.len; i++)
		count += wildmat.bytes[i] == ',';
	return count;
}

int
wildmat_compile(struct span wildmat, struct wildmat **compiled_r)
{
	struct wildmat *compiled;
	size_t count = wildmat_count(wildmat);
	struct span rest;

	*compiled_r = NULL;
	if (!wildmat_is_valid(wildmat))
		return -EINVAL;
	if (count > WILDMAT_PATTERNS_MAX)
		return -E2BIG;
	compiled = malloc(sizeof *compiled + wildmat.len + 1);
	if (compiled == NULL)
		return -ENOMEM;
	compiled->patterns = calloc(count, sizeof *compiled->patterns);
	if (compiled->patterns == NULL) {
		free(compiled);
		return -ENOMEM;
	}
	memcpy(compiled->text, wildmat.bytes, wildmat.len);
	compiled->text[wildmat.len] = '\0';
	rest = span_make(compiled->text, wildmat.len);
	/* last first: the order in which they are tried */
	for (compiled->count = 0; rest.len > 0; compiled->count++)
		compiled->patterns[compiled->count] = wildmat_last(&rest);
	*compiled_r = compiled;
	return 0;
}

void
wildmat_free(struct wildmat **compiled)
{
	if (compiled == NULL || *compiled == NULL)
		return;
	free((*compiled)->patterns);
	free(*compiled);
	*compiled = NULL;
}

bool
wildmat_matches(const struct wildmat *compiled, struct span text)
{
	for (size_t i = 0; i < compiled->count; i++)
		if (wildmat_pattern_fits(compiled->patterns[i].text, text))
			return !compiled->patterns[i].negated;
	return false;
}

struct span
wildmat_literal(const struct wildmat *compiled)
{
	struct span text = compiled->patterns[0].text;

	if (compiled->count != 1 || compiled->patterns[0].negated ||
	    memchr(text.bytes, '*', text.len) != NULL ||
	    memchr(text.bytes, '?', text.len) != NULL)
		return span_make(NULL, 0);
	return text;
}
