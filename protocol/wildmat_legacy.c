/* wildmat_legacy.c - see wildmat_legacy.h.
 */
#include "protocol/wildmat_legacy.h"

/* The character at the start of a text that is not empty; how long it is. */
static unsigned long
legacy_character(struct span text, size_t *len_r)
{
	unsigned char first = (unsigned char)text.bytes[0];
	unsigned long value;
	size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

	*len_r = 1;
	if (first < 0xc2 || first > 0xf4 || len > text.len)
		return first;
	value = first & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)text.bytes[i] & 0xc0) != 0x80)
			return first;
		value = value << 6 | ((unsigned char)text.bytes[i] & 0x3f);
	}
	*len_r = len;
	return value;
}

static struct span
legacy_after(struct span text, size_t len)
{
	return span_make(text.bytes + len, text.len - len);
}

/* Where the set at the start of pattern ends, its ']' included; 0: nowhere. A
 * ']' that comes first is a member. */
static size_t
legacy_set_length(struct span pattern)
{
	size_t at = 1;

	if (at < pattern.len && pattern.bytes[at] == '^')
		at++;
	for (at++; at < pattern.len; at++)
		if (pattern.bytes[at] == ']')
			return at + 1;
	return 0;
}

/* Is the character in the set, whose brackets are not given any more? */
static bool
legacy_set_has(struct span set, unsigned long character)
{
	bool negated = set.len > 0 && set.bytes[0] == '^', found = false;
	unsigned long low, high;
	size_t len;

	if (negated)
		set = legacy_after(set, 1);
	while (set.len > 0) {
		low = high = legacy_character(set, &len);
		set = legacy_after(set, len);
		if (set.len > 1 && set.bytes[0] == '-') {
			set = legacy_after(set, 1);
			high = legacy_character(set, &len);
			set = legacy_after(set, len);
		}
		found = found || (character >= low && character <= high);
	}
	return found != negated;
}

/* One step of the pattern that is no star, against the start of text. */
static bool
legacy_step(struct span *pattern, struct span *text)
{
	unsigned long character;
	size_t len, set;

	if (pattern->len == 0 || text->len == 0)
		return false;
	character = legacy_character(*text, &len);
	set = pattern->bytes[0] == '[' ? legacy_set_length(*pattern) : 0;
	if (set > 0) {
		if (!legacy_set_has(span_make(pattern->bytes + 1, set - 2),
			character))
			return false;
		*pattern = legacy_after(*pattern, set);
	} else if (pattern->bytes[0] == '?') {
		*pattern = legacy_after(*pattern, 1);
	} else {
		if (pattern->bytes[0] == '\\' && pattern->len > 1)
			*pattern = legacy_after(*pattern, 1);
		if (pattern->bytes[0] != text->bytes[0])
			return false;
		*pattern = legacy_after(*pattern, 1);
		len = 1;
	}
	*text = legacy_after(*text, len);
	return true;
}

bool
wildmat_legacy_match(struct span pattern, struct span text)
{
	struct span star = { NULL, 0 }, from = { NULL, 0 };

	/* only the last star has to be tried again: what stood before it has
	 * matched as early as it can */
	while (text.len > 0 || pattern.len > 0) {
		if (pattern.len > 0 && pattern.bytes[0] == '*') {
			pattern = legacy_after(pattern, 1);
			star = pattern;
			from = text;
		} else if (!legacy_step(&pattern, &text)) {
			if (star.bytes == NULL || from.len == 0)
				return false;
			from = legacy_after(from, 1);
			pattern = star;
			text = from;
		}
	}
	return true;
}
