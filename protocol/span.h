/* span.h - a borrowed run of bytes, not terminated.
 */
#ifndef KITH_PROTOCOL_SPAN_H
#define KITH_PROTOCOL_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct span {
	const char *bytes;
	size_t len;
};

/* For printf: "%.*s", SPAN_ARG(s). The length is cut to what int holds. */
#define SPAN_ARG(s) (int)((s).len > 0x7fffffff ? 0x7fffffff : (s).len), (s).bytes

static inline struct span
span_make(const char *bytes, size_t len)
{
	return (struct span){ bytes, len };
}

static inline struct span
span_of(const char *text)
{
	return (struct span){ text, text == NULL ? 0 : strlen(text) };
}

static inline bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

/* ASCII case folded. */
static inline bool
span_is(struct span a, const char *text)
{
	size_t len = strlen(text);

	return a.len == len && (len == 0 || strncasecmp(a.bytes, text, len) == 0);
}

static inline bool
span_starts(struct span a, const char *text)
{
	size_t len = strlen(text);

	return a.len >= len && (len == 0 || strncasecmp(a.bytes, text, len) == 0);
}

/* A text of at most room - 1 octets of it; what snprintf would make of "%.*s",
 * at a tenth of the cost. room > 0. */
static inline void
span_copy(char *out, size_t room, struct span a)
{
	size_t len = a.len < room ? a.len : room - 1;

	if (len > 0)
		memcpy(out, a.bytes, len);
	out[len] = '\0';
}

/* Space, tab, CR, LF. */
static inline bool
span_blank_at(struct span a, size_t i)
{
	return a.bytes[i] == ' ' || a.bytes[i] == '\t' || a.bytes[i] == '\r' ||
	    a.bytes[i] == '\n';
}

/* Without blanks at both ends. */
static inline struct span
span_trim(struct span a)
{
	while (a.len > 0 && span_blank_at(a, a.len - 1))
		a.len--;
	while (a.len > 0 && span_blank_at(a, 0)) {
		a.bytes++;
		a.len--;
	}
	return a;
}

/* Where the next control (below 32) is at or after `at`; its end if there is
 * none. */
static inline size_t
span_find_control(struct span a, size_t at)
{
	uint64_t word;

	for (; at + sizeof word <= a.len; at += sizeof word) {
		memcpy(&word, a.bytes + at, sizeof word);
		/* is an octet of it less than 32? */
		if (((word - UINT64_C(0x2020202020202020)) & ~word &
			UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	while (at < a.len && (unsigned char)a.bytes[at] >= 0x20)
		at++;
	return at;
}

/* True if it holds an octet above 127. */
static inline bool
span_has_high(struct span a)
{
	uint64_t word, all = 0;
	size_t i = 0;

	for (; i + sizeof word <= a.len; i += sizeof word) {
		memcpy(&word, a.bytes + i, sizeof word);
		all |= word;
	}
	for (; i < a.len; i++)
		all |= (unsigned char)a.bytes[i];
	return (all & UINT64_C(0x8080808080808080)) != 0;
}

#endif
