/* address.c - what an address is: validity, compared form, output.
 */
#include "build.h"

#include "protocol/address.h"

#include <errno.h>
#include <idn2.h>
#include <stdint.h>
#include <stdlib.h>

#include "protocol/utf8.h"
#include "protocol/words.h"

#define DOMAIN_MAX 253u
#define LABEL_MAX  63u

size_t
address_local_len(struct span address)
{
	const char *at;

	at = address.len == 0 ? NULL : memrchr(address.bytes, '@', address.len);
	return at == NULL ? address.len : (size_t)(at - address.bytes);
}

static bool
is_atext(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c >= 0x80 ||
	    (c != 0 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
quoted_local_is_valid(struct span local)
{
	if (local.len < 3 || local.bytes[local.len - 1] != '"')
		return false;
	for (size_t i = 1; i + 1 < local.len; i++) {
		unsigned char c = (unsigned char)local.bytes[i];

		if (c < 0x20 || c == 0x7f || c == '"')
			return false;
		if (c == '\\' &&
		    (++i + 1 >= local.len || local.bytes[i] < 0x20))
			return false;
	}
	return true;
}

/* Dots may stand anywhere: some providers gave out such addresses. */
static bool
local_is_valid(struct span local)
{
	if (local.len == 0 || local.len > ADDRESS_LOCAL_MAX ||
	    !utf8_valid(local))
		return false;
	if (local.bytes[0] == '"')
		return quoted_local_is_valid(local);
	for (size_t i = 0; i < local.len; i++) {
		if (local.bytes[i] != '.' &&
		    !is_atext((unsigned char)local.bytes[i]))
			return false;
	}
	return true;
}

static bool
literal_is_valid(struct span domain)
{
	if (domain.len < 3 || domain.bytes[domain.len - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < domain.len; i++) {
		char c = domain.bytes[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			(c >= 'A' && c <= 'Z') || c == '.' || c == ':' ||
			c == '-'))
			return false;
	}
	return true;
}

static bool
domain_is_valid(struct span domain)
{
	size_t label = 0;

	if (domain.len == 0 || domain.len > DOMAIN_MAX || !utf8_valid(domain))
		return false;
	if (domain.bytes[0] == '[')
		return literal_is_valid(domain);
	for (size_t i = 0; i < domain.len; i++) {
		unsigned char c = (unsigned char)domain.bytes[i];

		if (c == '.') {
			if (label == 0 || domain.bytes[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c >= 0x80 || c == '_' ||
			(c == '-' && label > 0)))
			return false;
		if (++label > LABEL_MAX)
			return false;
	}
	return label > 0 && domain.bytes[domain.len - 1] != '-';
}

static struct span
domain_of(struct span address)
{
	size_t at = address_local_len(address);

	if (at == address.len)
		return span_make("", 0);
	return span_make(address.bytes + at + 1, address.len - at - 1);
}

bool
address_is_valid(struct span address)
{
	size_t at = address_local_len(address);

	return address.len <= ADDRESS_MAX && at < address.len &&
	    local_is_valid(span_make(address.bytes, at)) &&
	    domain_is_valid(domain_of(address));
}

bool
address_is_plain_mailbox(struct span value)
{
	const char *open;

	value = span_trim(value);
	if (value.len == 0 || span_has_high(value))
		return false;
	open = memchr(value.bytes, '<', value.len);
	if (open != NULL) {
		for (const char *at = value.bytes; at < open; at++)
			if (*at != ' ' && *at != '.' &&
			    !is_atext((unsigned char)*at))
				return false;
		if (value.bytes[value.len - 1] != '>')
			return false;
		value = span_make(open + 1,
		    value.len - (size_t)(open + 1 - value.bytes) - 1);
	}
	return value.len > 0 && value.bytes[0] != '"' &&
	    value.bytes[value.len - 1] != ']' && address_is_valid(value);
}

/* ---- compared form */

/* Runs of letters whose small form is `add` away, or (pairs) the next one. */
struct fold_range {
	uint32_t from;
	uint32_t to;
	uint32_t add;
	bool pairs; /* capital and small alternate, the capital is even */
	bool odd;   /* ... or odd */
};

static const struct fold_range folds[] = {
	{ 0xc0, 0xd6, 32, false, false },
	{ 0xd8, 0xde, 32, false, false },
	{ 0x100, 0x12f, 1, true, false },
	{ 0x132, 0x137, 1, true, false },
	{ 0x139, 0x148, 1, true, true },
	{ 0x14a, 0x177, 1, true, false },
	{ 0x179, 0x17e, 1, true, true },
	{ 0x1a0, 0x1a5, 1, true, false },
	{ 0x1af, 0x1b0, 1, true, true },
	{ 0x1cd, 0x1dc, 1, true, true },
	{ 0x1de, 0x1ef, 1, true, false },
	{ 0x1f8, 0x21f, 1, true, false },
	{ 0x222, 0x233, 1, true, false },
	{ 0x391, 0x3a1, 32, false, false },
	{ 0x3a3, 0x3ab, 32, false, false },
	{ 0x400, 0x40f, 80, false, false },
	{ 0x410, 0x42f, 32, false, false },
	{ 0x460, 0x481, 1, true, false },
	{ 0x48a, 0x4bf, 1, true, false },
	{ 0x4d0, 0x52f, 1, true, false },
	{ 0x531, 0x556, 48, false, false },
	{ 0x1e00, 0x1e95, 1, true, false },
	{ 0x1ea0, 0x1eff, 1, true, false },
	{ 0xff21, 0xff3a, 32, false, false },
};

static uint32_t
fold_character(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++) {
		const struct fold_range *range = &folds[i];

		if (c < range->from || c > range->to)
			continue;
		if (range->pairs && (c & 1) != (range->odd ? 1u : 0u))
			return c;
		return c + range->add;
	}
	return c;
}

/* text is valid UTF-8; all folds keep the number of octets. */
static void
append_folded(struct buffer *out, struct span text)
{
	for (size_t i = 0; i < text.len;) {
		unsigned char c = (unsigned char)text.bytes[i];
		size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		uint32_t value;

		if (len == 1) {
			buffer_append_byte(out, (char)fold_character(c));
		} else if (len == 4 || i + len > text.len) {
			buffer_append(out, text.bytes + i,
			    text.len - i < len ? text.len - i : len);
		} else {
			value = c & (len == 2 ? 0x1fu : 0x0fu);
			for (size_t k = 1; k < len; k++)
				value = value << 6 |
				    ((unsigned char)text.bytes[i + k] & 0x3fu);
			value = fold_character(value);
			if (len == 3)
				buffer_append_byte(out,
				    (char)(0xe0 | (value >> 12)));
			else
				value &= 0x7ff;
			buffer_append_byte(out,
			    (char)(len == 3 ? 0x80 | ((value >> 6) & 0x3f)
					    : 0xc0 | (value >> 6)));
			buffer_append_byte(out, (char)(0x80 | (value & 0x3f)));
		}
		i += len;
	}
}

static int
append_domain(struct buffer *out, struct span domain)
{
	char name[DOMAIN_MAX + 1], *ascii = NULL;
	size_t len;

	if (domain.len > DOMAIN_MAX)
		return -EINVAL;
	if (!span_has_high(domain)) {
		append_folded(out, domain);
		return 0;
	}
	memcpy(name, domain.bytes, domain.len);
	name[domain.len] = '\0';
	if (idn2_to_ascii_8z(name, &ascii,
		IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return -EINVAL;
	len = strlen(ascii);
	append_folded(out, span_make(ascii, len));
	idn2_free(ascii);
	return len > DOMAIN_MAX ? -EINVAL : 0;
}

int
address_compare_form(struct buffer *out, struct span address)
{
	size_t at = address_local_len(address);
	struct buffer domain;
	int rc;

	if (!address_is_valid(address))
		return -EINVAL;
	buffer_init(&domain, 0);
	rc = append_domain(&domain, domain_of(address));
	if (rc == 0) {
		append_folded(out, span_make(address.bytes, at));
		buffer_append_byte(out, '@');
		buffer_append_span(out, buffer_span(&domain));
		if (buffer_failed(&domain))
			out->failed = true;
	}
	buffer_fini(&domain);
	return rc;
}

/* ---- output */

static size_t
last_line_len(const struct buffer *out, size_t start, size_t column)
{
	for (size_t i = out->len; i > start; i--) {
		if (out->bytes[i - 1] == '\n')
			return out->len - i;
	}
	return column + out->len - start;
}

void
address_format(struct buffer *out, struct span name, struct span address,
    size_t column)
{
	size_t start = out->len;

	name = span_trim(name);
	if (name.len == 0) {
		buffer_append_span(out, address);
		return;
	}
	words_encode_phrase(out, name, column);
	if (buffer_failed(out))
		return;
	if (last_line_len(out, start, column) + address.len + 3 > 76)
		buffer_append_text(out, "\r\n");
	buffer_append_text(out, " <");
	buffer_append_span(out, address);
	buffer_append_byte(out, '>');
}
