/* words_param.c - parameters of structured fields (RFC 2045 5.1, RFC 2231).
 */
#include <errno.h>
#include <stdint.h>

#include "protocol/charset.h"
#include "protocol/header.h"
#include "protocol/words.h"

#define PARAM_PIECES_MAX 100u
#define PARAM_VALUE_MAX  65536u

struct param {
	struct span name;
	struct span raw; /* as written, without the quotes, escapes kept */
	bool quoted;
};

struct param_piece {
	struct span raw;
	bool there;
	bool quoted;
	bool extended; /* name*N*: percent-encoded */
};

static size_t
skip_quoted(struct span value, size_t at)
{
	for (at++; at < value.len && value.bytes[at] != '"'; at++) {
		if (value.bytes[at] == '\\')
			at++;
	}
	return at < value.len ? at : value.len;
}

/* To the next ';' that is in no string and no comment. */
static size_t
skip_item(struct span value, size_t at)
{
	while (at < value.len && value.bytes[at] != ';') {
		if (value.bytes[at] == '"')
			at = skip_quoted(value, at) + 1;
		else if (value.bytes[at] == '(')
			at = header_skip_blank(value, at);
		else
			at++;
	}
	return at < value.len ? at : value.len;
}

/* The next parameter; *at stands on or behind a ';'. */
static bool
param_next(struct span value, size_t *at, struct param *param)
{
	size_t i = *at, start;

	for (;;) {
		while (i < value.len &&
		    (value.bytes[i] == ';' || header_skip_blank(value, i) != i))
			i = value.bytes[i] == ';' ? i + 1
						  : header_skip_blank(value, i);
		if (i >= value.len)
			return false;
		start = i;
		while (i < value.len &&
		    strchr("=; \t\r\n(", value.bytes[i]) == NULL)
			i++;
		param->name = span_make(value.bytes + start, i - start);
		i = header_skip_blank(value, i);
		if (i < value.len && value.bytes[i] == '=' &&
		    param->name.len > 0)
			break;
		i = skip_item(value,
		    i < value.len ? i + (value.bytes[i] != ';') : i);
	}
	i = header_skip_blank(value, i + 1);
	start = i;
	param->quoted = i < value.len && value.bytes[i] == '"';
	if (param->quoted) {
		i = skip_quoted(value, i);
		param->raw = span_make(value.bytes + start + 1, i - start - 1);
		*at = skip_item(value, i < value.len ? i + 1 : i);
		return true;
	}
	/* unquoted file names with blanks are common: up to the ';' */
	while (i < value.len && value.bytes[i] != ';')
		i++;
	param->raw = span_trim(span_make(value.bytes + start, i - start));
	*at = i;
	return true;
}

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF", *at;

	at = c == '\0' ? NULL : strchr(digits, c);
	return at == NULL ? -1 : (int)((at - digits) % 16);
}

static void
append_percent(struct buffer *out, struct span raw)
{
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.bytes[i] == '%' && i + 2 < raw.len &&
		    hex_digit(raw.bytes[i + 1]) >= 0 &&
		    hex_digit(raw.bytes[i + 2]) >= 0) {
			buffer_append_byte(out,
			    (char)(hex_digit(raw.bytes[i + 1]) * 16 +
				hex_digit(raw.bytes[i + 2])));
			i += 2;
		} else {
			buffer_append_byte(out, raw.bytes[i]);
		}
	}
}

static void
append_unescaped(struct buffer *out, struct span raw, bool quoted)
{
	for (size_t i = 0; i < raw.len; i++) {
		/* "C:\new" is not meant as an escape */
		if (quoted && raw.bytes[i] == '\\' && i + 1 < raw.len &&
		    strchr("\"\\", raw.bytes[i + 1]) != NULL)
			i++;
		buffer_append_byte(out, raw.bytes[i]);
	}
}

/* "charset'language'" at the start, taken off *raw. */
static struct span
take_charset(struct span *raw)
{
	struct span charset = span_make("", 0);
	const char *first, *second;

	first = raw->len == 0 ? NULL : memchr(raw->bytes, '\'', raw->len);
	if (first == NULL)
		return charset;
	charset = span_make(raw->bytes, (size_t)(first - raw->bytes));
	second = memchr(first + 1, '\'', raw->len - charset.len - 1);
	if (second == NULL)
		second = first;
	raw->len -= (size_t)(second + 1 - raw->bytes);
	raw->bytes = second + 1;
	return charset;
}

static int
pieces_join(struct buffer *out, struct param_piece *pieces)
{
	struct span charset = span_make("", 0);
	struct buffer bytes;
	int rc = 0;

	buffer_init(&bytes, PARAM_VALUE_MAX);
	if (pieces[0].extended)
		charset = take_charset(&pieces[0].raw);
	for (size_t i = 0; i < PARAM_PIECES_MAX && pieces[i].there; i++) {
		if (pieces[i].extended)
			append_percent(&bytes, pieces[i].raw);
		else
			append_unescaped(&bytes, pieces[i].raw,
			    pieces[i].quoted);
	}
	if (buffer_failed(&bytes))
		rc = -ENOENT;
	else if (pieces[0].extended)
		charset_to_utf8(out, buffer_span(&bytes), charset);
	else
		words_decode(out, buffer_span(&bytes));
	buffer_fini(&bytes);
	return rc;
}

/* What follows the name: "", "*", "*N", "*N*". False: another parameter. */
static bool
piece_index(struct span rest, size_t *index, bool *extended)
{
	size_t n = 0;

	*extended = rest.len > 0 && rest.bytes[rest.len - 1] == '*';
	if (*extended)
		rest.len--;
	*index = 0;
	if (rest.len == 0)
		return true;
	if (rest.bytes[0] != '*' || rest.len < 2 || rest.len > 3)
		return false;
	for (size_t i = 1; i < rest.len; i++) {
		if (rest.bytes[i] < '0' || rest.bytes[i] > '9')
			return false;
		n = n * 10 + (size_t)(rest.bytes[i] - '0');
	}
	*index = n;
	return true;
}

int
words_param(struct buffer *out, struct span value, const char *name)
{
	struct param_piece pieces[PARAM_PIECES_MAX] = { 0 }, plain = { 0 };
	size_t at, name_len = strlen(name), index;
	struct param param;
	bool extended;

	if (value.len == 0)
		return -ENOENT;
	if (value.len > PARAM_VALUE_MAX)
		value.len = PARAM_VALUE_MAX;
	at = skip_item(value, 0);
	while (param_next(value, &at, &param)) {
		struct param_piece *piece;

		if (!span_starts(param.name, name) ||
		    !piece_index(span_make(param.name.bytes + name_len,
				     param.name.len - name_len),
			&index, &extended))
			continue;
		piece = param.name.len == name_len ? &plain : &pieces[index];
		if (piece->there)
			continue;
		*piece = (struct param_piece){ param.raw, true, param.quoted,
			extended };
	}
	if (pieces[0].there)
		return pieces_join(out, pieces);
	if (!plain.there)
		return -ENOENT;
	pieces[0] = plain;
	memset(&pieces[1], 0, sizeof pieces - sizeof pieces[0]);
	return pieces_join(out, pieces);
}

struct span
words_main(struct span value)
{
	size_t start = header_skip_blank(value, 0), end = start;

	if (value.len == 0)
		return span_make("", 0);
	while (end < value.len && strchr(";(", value.bytes[end]) == NULL)
		end++;
	return span_trim(span_make(value.bytes + start, end - start));
}
