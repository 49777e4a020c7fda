/* words.c - encoded words (RFC 2047).
 */
#include "build.h"

#include "protocol/words.h"

#include <stdint.h>

#include "protocol/charset.h"
#include "protocol/mime.h"
#include "protocol/utf8.h"

#define WORDS_INPUT_MAX  65536u
#define WORD_TEXT_MAX    998u
#define WORD_CHARSET_MAX 60u
#define WORD_MAX         75u
#define LINE_MAX_WANTED  76u
#define TOKEN_MAX        900u

struct word {
	struct span charset;
	struct span text;
	bool base64;
	size_t len; /* of the whole word */
};

/* Reads an encoded word at the start of `at`. */
static bool
word_read(struct span at, struct word *word)
{
	const char *mark, *end;
	size_t room;

	if (at.len < 8 || at.bytes[0] != '=' || at.bytes[1] != '?')
		return false;
	room = at.len - 2 < WORD_CHARSET_MAX ? at.len - 2 : WORD_CHARSET_MAX;
	mark = memchr(at.bytes + 2, '?', room);
	if (mark == NULL || mark == at.bytes + 2)
		return false;
	word->charset = span_make(at.bytes + 2, (size_t)(mark - at.bytes) - 2);
	room = at.len - (size_t)(mark - at.bytes);
	if (room < 5 || mark[2] != '?' || strchr("bBqQ", mark[1]) == NULL)
		return false;
	word->base64 = mark[1] == 'b' || mark[1] == 'B';
	mark += 3;
	room -= 3;
	if (room > WORD_TEXT_MAX)
		room = WORD_TEXT_MAX;
	end = memmem(mark, room, "?=", 2);
	if (end == NULL)
		return false;
	word->text = span_make(mark, (size_t)(end - mark));
	word->len = (size_t)(end - at.bytes) + 2;
	return true;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static void
word_bytes(struct buffer *out, const struct word *word)
{
	struct span text = word->text;

	if (word->base64) {
		mime_decode(out, text, MIME_BASE64);
		return;
	}
	for (size_t i = 0; i < text.len; i++) {
		char c = text.bytes[i];

		if (c == '=' && i + 2 < text.len &&
		    hex_value(text.bytes[i + 1]) >= 0 &&
		    hex_value(text.bytes[i + 2]) >= 0) {
			c = (char)(hex_value(text.bytes[i + 1]) * 16 +
			    hex_value(text.bytes[i + 2]));
			i += 2;
		} else if (c == '_') {
			c = ' ';
		}
		buffer_append_byte(out, c);
	}
}

static bool
same_charset(struct span a, struct span b)
{
	return a.len == b.len && a.len > 0 &&
	    strncasecmp(a.bytes, b.bytes, a.len) == 0;
}

/* Words not yet converted, all of one charset. */
struct pending {
	struct span charset;
	struct buffer bytes;
};

static void
pending_flush(struct pending *pending, struct buffer *out)
{
	charset_to_utf8(out, buffer_span(&pending->bytes), pending->charset);
	buffer_clear(&pending->bytes);
	pending->charset = span_make("", 0);
}

/* One line, no controls. */
static void
append_clean(struct buffer *out, struct span text)
{
	size_t start = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.bytes[i];

		if (c >= 0x20 && c != 0x7f)
			continue;
		buffer_append(out, text.bytes + start, i - start);
		if (c != '\r' && c != '\n')
			buffer_append_byte(out, ' ');
		start = i + 1;
	}
	buffer_append(out, text.bytes + start, text.len - start);
}

static bool
is_blank(struct span text)
{
	return span_trim(text).len == 0;
}

void
words_decode(struct buffer *out, struct span value)
{
	struct pending pending = { .charset = { "", 0 } };
	struct buffer decoded;
	size_t plain = 0, at = 0;
	bool after_word = false;
	struct word word;

	value = span_trim(value);
	if (value.len == 0)
		return;
	if (value.len > WORDS_INPUT_MAX)
		value.len = WORDS_INPUT_MAX;
	if (memchr(value.bytes, '=', value.len) == NULL && utf8_valid(value)) {
		append_clean(out, value);
		return;
	}
	buffer_init(&pending.bytes, 0);
	buffer_init(&decoded, 0);
	while (at < value.len) {
		struct span text = span_make(value.bytes + plain, at - plain);

		if (value.bytes[at] != '=' ||
		    !word_read(span_make(value.bytes + at, value.len - at),
			&word)) {
			at++;
			continue;
		}
		if (!(after_word && is_blank(text))) {
			pending_flush(&pending, &decoded);
			charset_to_utf8(&decoded, text, span_make("", 0));
		} else if (!same_charset(pending.charset, word.charset)) {
			pending_flush(&pending, &decoded);
		}
		pending.charset = word.charset;
		word_bytes(&pending.bytes, &word);
		at += word.len;
		plain = at;
		after_word = true;
	}
	pending_flush(&pending, &decoded);
	charset_to_utf8(&decoded,
	    span_make(value.bytes + plain, value.len - plain),
	    span_make("", 0));
	append_clean(out, buffer_span(&decoded));
	if (buffer_failed(&decoded) || buffer_failed(&pending.bytes))
		out->failed = true;
	buffer_fini(&decoded);
	buffer_fini(&pending.bytes);
}

/* ---- encoding */

static bool
plain_is_safe(struct span text)
{
	size_t token = 0;

	if (span_has_high(text) ||
	    (text.len > 1 && memmem(text.bytes, text.len, "=?", 2) != NULL))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		token = text.bytes[i] == ' ' ? 0 : token + 1;
		if (token > TOKEN_MAX)
			return false;
	}
	return true;
}

/* ASCII text, folded at blanks. */
static void
plain_write(struct buffer *out, struct span text, size_t column)
{
	size_t start = 0;

	while (start < text.len) {
		size_t end = start + 1;

		while (end < text.len && text.bytes[end] != ' ')
			end++;
		/* never a line of blanks alone: some relay would drop it */
		if (column + (end - start) > LINE_MAX_WANTED && start > 0 &&
		    text.bytes[start] == ' ' &&
		    !is_blank(span_make(text.bytes + start, end - start))) {
			buffer_append_text(out, "\r\n");
			column = 0;
		}
		buffer_append(out, text.bytes + start, end - start);
		column += end - start;
		start = end;
	}
}

/* May stand as it is in a Q word, in a phrase too (RFC 2047 5 (3)). */
static bool
q_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c != 0 && strchr("!*+-/", c) != NULL);
}

static size_t
q_len(struct span text)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.bytes[i];

		len += q_plain(c) || c == ' ' ? 1 : 3;
	}
	return len;
}

static size_t
b_len(struct span text)
{
	return (text.len + 2) / 3 * 4;
}

static void
q_write(struct buffer *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.bytes[i];

		if (c == ' ')
			buffer_append_byte(out, '_');
		else if (q_plain(c))
			buffer_append_byte(out, (char)c);
		else
			buffer_printf(out, "=%02X", (unsigned)c);
	}
}

static size_t
character_len(struct span text)
{
	size_t len = 1;

	while (
	    len < text.len && ((unsigned char)text.bytes[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/* text is valid UTF-8 on one line. */
static void
encoded_write(struct buffer *out, struct span text, size_t column)
{
	/* mostly ASCII stays readable */
	bool base64 = q_len(text) > 5 * text.len / 2;
	size_t frame = sizeof "=?UTF-8?B?" + 1;

	if (column + 24 > WORD_MAX) {
		buffer_append_text(out, "\r\n ");
		column = 1;
	}
	while (text.len > 0) {
		struct span piece = span_make(text.bytes, 0);

		while (piece.len < text.len) {
			struct span more = piece;

			more.len +=
			    character_len(span_make(text.bytes + piece.len,
				text.len - piece.len));
			if (column + frame +
				    (base64 ? b_len(more) : q_len(more)) >
				WORD_MAX &&
			    piece.len > 0)
				break;
			piece = more;
		}
		buffer_append_text(out, base64 ? "=?UTF-8?B?" : "=?UTF-8?Q?");
		if (base64)
			mime_base64_encode(out, piece, false);
		else
			q_write(out, piece);
		buffer_append_text(out, "?=");
		text = span_make(text.bytes + piece.len, text.len - piece.len);
		if (text.len > 0)
			buffer_append_text(out, "\r\n ");
		column = 1;
	}
}

/* A valid, single-line copy of what the caller gave. */
static void
clean_copy(struct buffer *clean, struct span text)
{
	struct buffer valid;

	buffer_init(&valid, 0);
	utf8_append(&valid, span_trim(text));
	append_clean(clean, buffer_span(&valid));
	buffer_fini(&valid);
}

void
words_encode(struct buffer *out, struct span text, size_t column)
{
	struct buffer clean;

	buffer_init(&clean, WORDS_INPUT_MAX);
	clean_copy(&clean, text);
	if (buffer_failed(&clean))
		out->failed = true;
	else if (plain_is_safe(buffer_span(&clean)))
		plain_write(out, buffer_span(&clean), column);
	else
		encoded_write(out, buffer_span(&clean), column);
	buffer_fini(&clean);
}

static bool
is_atom_text(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.bytes[i];

		if (c < 0x20 || c > 0x7e ||
		    (c != ' ' && strchr("()<>[]:;@\\,.\"", c) != NULL))
			return false;
	}
	return true;
}

void
words_encode_phrase(struct buffer *out, struct span text, size_t column)
{
	struct buffer clean;
	struct span name;

	buffer_init(&clean, WORDS_INPUT_MAX);
	clean_copy(&clean, text);
	name = buffer_span(&clean);
	if (buffer_failed(&clean)) {
		out->failed = true;
	} else if (!plain_is_safe(name) || name.len > 200) {
		encoded_write(out, name, column);
	} else if (is_atom_text(name)) {
		buffer_append_span(out, name);
	} else {
		buffer_append_byte(out, '"');
		for (size_t i = 0; i < name.len; i++) {
			if (name.bytes[i] == '"' || name.bytes[i] == '\\')
				buffer_append_byte(out, '\\');
			buffer_append_byte(out, name.bytes[i]);
		}
		buffer_append_byte(out, '"');
	}
	buffer_fini(&clean);
}
