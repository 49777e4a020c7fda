/* token_text.c - base32 and the varints of a token.
 */
#include "protocol/token_text.h"

#include <errno.h>

static const char base32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

void
base32_encode(const uint8_t *bytes, size_t len, char *text_r)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8) | bytes[i];
		have += 8;
		while (have >= 5) {
			have -= 5;
			text_r[n++] = base32_digits[(bits >> have) & 31];
		}
		bits &= (1u << have) - 1;
	}
	if (have > 0)
		text_r[n++] = base32_digits[(bits << (5 - have)) & 31];
	text_r[n] = '\0';
}

static int
base32_digit(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

int
base32_decode(struct span text, uint8_t *bytes_r, size_t room)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;
	int digit;

	for (size_t i = 0; i < text.len; i++) {
		digit = base32_digit(text.bytes[i]);
		if (digit < 0)
			return -EINVAL;
		bits = (bits << 5) | (uint32_t)digit;
		have += 5;
		if (have < 8)
			continue;
		have -= 8;
		if (n >= room || n >= 0x7fffffff)
			return -EINVAL;
		bytes_r[n++] = (uint8_t)(bits >> have);
		bits &= (1u << have) - 1;
	}
	/* one text per value: no spare digit, no spare bits */
	if (have >= 5 || bits != 0)
		return -EINVAL;
	return (int)n;
}

static size_t
varint_put(uint64_t value, uint8_t *bytes_r)
{
	size_t n = 0;

	while (value >= 0x80) {
		bytes_r[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	bytes_r[n++] = (uint8_t)value;
	return n;
}

static int
varint_get(const uint8_t *bytes, size_t len, size_t *offset, uint64_t *value_r)
{
	uint64_t value = 0;
	uint8_t byte;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (*offset >= len)
			return -EINVAL;
		byte = bytes[(*offset)++];
		if (shift == 63 && byte > 1)
			return -EINVAL;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) != 0)
			continue;
		if (byte == 0 && shift > 0)
			return -EINVAL;
		*value_r = value;
		return 0;
	}
	return -EINVAL;
}

size_t
token_payload_encode(const struct token_fields *fields,
    uint8_t payload_r[TOKEN_PAYLOAD_ROOM])
{
	size_t n = 0;

	n += varint_put(fields->key, payload_r + n);
	n += varint_put(fields->day, payload_r + n);
	n += varint_put(fields->object, payload_r + n);
	n += varint_put(fields->member, payload_r + n);
	return n;
}

int
token_payload_decode(const uint8_t *payload, size_t len,
    struct token_fields *fields_r)
{
	size_t offset = 0;

	if (varint_get(payload, len, &offset, &fields_r->key) != 0 ||
	    varint_get(payload, len, &offset, &fields_r->day) != 0 ||
	    varint_get(payload, len, &offset, &fields_r->object) != 0 ||
	    varint_get(payload, len, &offset, &fields_r->member) != 0)
		return -EINVAL;
	return offset == len ? 0 : -EINVAL;
}
