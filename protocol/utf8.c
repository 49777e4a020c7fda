/* utf8.c - see utf8.h.
 */
#include "protocol/utf8.h"

size_t
utf8_character(struct span text)
{
	const unsigned char *at = (const unsigned char *)text.bytes;
	unsigned char low = 0x80, high = 0xbf;
	size_t need;

	if (text.len == 0)
		return 0;
	if (at[0] < 0x80)
		return at[0] == 0 ? 0 : 1;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	need = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	if (at[0] == 0xe0)
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	if (text.len < need || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++) {
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
	}
	return need;
}

/* Octets at the start that are valid. */
static size_t
utf8_good_len(struct span bytes)
{
	const unsigned char *at = (const unsigned char *)bytes.bytes;
	size_t i = 0, one;

	while (i < bytes.len) {
		/* a letter is an octet, mostly: without a call */
		if (at[i] < 0x80 && at[i] != 0) {
			i++;
			continue;
		}
		one = utf8_character(span_make(bytes.bytes + i, bytes.len - i));
		if (one == 0)
			break;
		i += one;
	}
	return i;
}

bool
utf8_valid(struct span bytes)
{
	if (!span_has_high(bytes))
		return bytes.len == 0 ||
		    memchr(bytes.bytes, '\0', bytes.len) == NULL;
	return utf8_good_len(bytes) == bytes.len;
}

void
utf8_append(struct buffer *out, struct span bytes)
{
	size_t good;

	while (bytes.len > 0 && !buffer_failed(out)) {
		good = utf8_good_len(bytes);
		buffer_append(out, bytes.bytes, good);
		if (good == bytes.len)
			break;
		buffer_append_text(out, UTF8_REPLACEMENT);
		bytes = span_make(bytes.bytes + good + 1, bytes.len - good - 1);
		/* one mark for the rest of a broken character */
		while (bytes.len > 0 &&
		    ((unsigned char)bytes.bytes[0] & 0xc0) == 0x80)
			bytes = span_make(bytes.bytes + 1, bytes.len - 1);
	}
}

struct span
utf8_cut(struct span text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max > 0 && ((unsigned char)text.bytes[max] & 0xc0) == 0x80)
		max--;
	return span_make(text.bytes, max);
}
