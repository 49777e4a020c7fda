/* nntp.c - NNTP command lines and the texts of the response codes.
 */
#include "protocol/nntp.h"

#include "protocol/utf8.h"

#define NNTP_RESPONSE_MAX 510u /* octets without CRLF (RFC 3977 3.1) */
#define NNTP_KEYWORD_LONGEST 12u

static bool
nntp_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char
nntp_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* The next word; *rest is what follows it. */
static struct span
nntp_word(struct span *rest)
{
	struct span word;
	size_t at = 0;

	while (rest->len > 0 && nntp_is_blank(rest->bytes[0]))
		*rest = span_make(rest->bytes + 1, rest->len - 1);
	while (at < rest->len && !nntp_is_blank(rest->bytes[at]))
		at++;
	word = span_make(rest->bytes, at);
	*rest = span_make(rest->bytes + at, rest->len - at);
	return word;
}

/* RFC 3977 9.8: a letter, then letters, digits, dots, dashes; 3 to 12. */
static bool
nntp_is_keyword(struct span word)
{
	if (word.len < 3 || word.len > NNTP_KEYWORD_LONGEST)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		char c = nntp_upper(word.bytes[i]);
		bool letter = c >= 'A' && c <= 'Z';

		if (!letter &&
		    (i == 0 || ((c < '0' || c > '9') && c != '.' && c != '-')))
			return false;
	}
	return true;
}

static bool
nntp_is_argument(struct span word)
{
	for (size_t i = 0; i < word.len; i++)
		if ((unsigned char)word.bytes[i] < ' ' || word.bytes[i] == 127)
			return false;
	return true;
}

static void
nntp_copy_upper(struct span word, char text[NNTP_KEYWORD_MAX])
{
	size_t len = word.len < NNTP_KEYWORD_MAX ? word.len :
						   NNTP_KEYWORD_MAX - 1;

	for (size_t i = 0; i < len; i++)
		text[i] = nntp_upper(word.bytes[i]);
	text[len] = '\0';
}

enum nntp_args_check
nntp_args_parse(struct span line, struct nntp_args *args_r)
{
	struct span rest = line, word;
	bool fine = true;

	args_r->keyword[0] = '\0';
	args_r->count = 0;
	args_r->rest = span_make(NULL, 0);
	args_r->has_long = false;
	word = nntp_word(&rest);
	if (word.len == 0)
		return NNTP_ARGS_EMPTY;
	if (!nntp_is_keyword(word))
		return NNTP_ARGS_UNKNOWN;
	nntp_copy_upper(word, args_r->keyword);
	args_r->rest = rest;
	while (args_r->rest.len > 0 && nntp_is_blank(args_r->rest.bytes[0]))
		args_r->rest = span_make(
		    args_r->rest.bytes + 1, args_r->rest.len - 1);
	while (args_r->rest.len > 0 &&
	    nntp_is_blank(args_r->rest.bytes[args_r->rest.len - 1]))
		args_r->rest.len--;
	while ((word = nntp_word(&rest)).len > 0) {
		if (args_r->count < NNTP_ARGS_MAX)
			args_r->args[args_r->count] = word;
		args_r->count++;
		args_r->has_long =
		    args_r->has_long || word.len > NNTP_ARGUMENT_MAX;
		fine = fine && nntp_is_argument(word);
	}
	return fine && utf8_valid(line) ? NNTP_ARGS_OK : NNTP_ARGS_SYNTAX;
}

bool
nntp_args_fit(const struct nntp_args *args, size_t min, size_t max)
{
	return args->count >= min && args->count <= max;
}

const char *
nntp_args_word(
    const struct nntp_args *args, size_t i, char word[NNTP_KEYWORD_MAX])
{
	word[0] = '\0';
	if (i < args->count && i < NNTP_ARGS_MAX)
		nntp_copy_upper(args->args[i], word);
	return word;
}

/* Ascending by code; a test says so. */
static const struct nntp_response nntp_responses[] = {
	{ 100, "help text follows" },
	{ 101, "capability list follows" },
	{ 111, "date and time" },
	{ 200, "ready, posting allowed" },
	{ 201, "ready, posting prohibited" },
	{ 203, "streaming permitted" },
	{ 205, "goodbye" },
	{ 206, "compression active" },
	{ 211, "group selected" },
	{ 215, "list follows" },
	{ 220, "article follows" },
	{ 221, "headers follow" },
	{ 222, "body follows" },
	{ 223, "article exists" },
	{ 224, "overview follows" },
	{ 225, "headers follow" },
	{ 230, "list of new articles follows" },
	{ 231, "list of new newsgroups follows" },
	{ 235, "article transferred" },
	{ 238, "send it" },
	{ 239, "article transferred" },
	{ 240, "article received" },
	{ 281, "authentication accepted" },
	{ 282, "list of newsgroups follows" },
	{ 283, "authentication accepted" },
	{ 335, "send article to be transferred" },
	{ 340, "send article to be posted" },
	{ 381, "password required" },
	{ 382, "continue with TLS negotiation" },
	{ 383, "continue with SASL exchange" },
	{ 400, "service not available" },
	{ 401, "another mode is needed" },
	{ 403, "internal fault" },
	{ 411, "no such newsgroup" },
	{ 412, "no newsgroup selected" },
	{ 420, "no current article" },
	{ 421, "no next article in this group" },
	{ 422, "no previous article in this group" },
	{ 423, "no article with that number" },
	{ 430, "no article with that message-id" },
	{ 431, "try again later" },
	{ 435, "article not wanted" },
	{ 436, "transfer failed, try again later" },
	{ 437, "transfer rejected, do not retry" },
	{ 438, "article not wanted" },
	{ 439, "transfer rejected, do not retry" },
	{ 440, "posting not permitted" },
	{ 441, "posting failed" },
	{ 480, "authentication required" },
	{ 481, "authentication failed" },
	{ 482, "authentication commands out of sequence" },
	{ 483, "encryption required" },
	{ 500, "unknown command" },
	{ 501, "syntax error" },
	{ 502, "access denied" },
	{ 503, "not supported" },
	{ 504, "bad base64" },
	{ 580, "TLS cannot be started" },
};

static const char *const nntp_classes[] = { "unknown", "information follows",
	"done", "continue", "not done", "unknown command" };

const char *
nntp_response_text(int code)
{
	size_t low = 0, high = sizeof nntp_responses / sizeof nntp_responses[0];
	size_t middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (nntp_responses[middle].code == code)
			return nntp_responses[middle].text;
		if (nntp_responses[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return nntp_classes[code >= 100 && code <= 599 ? code / 100 : 0];
}

static void
nntp_append_code(struct buffer *out, int code)
{
	const char digits[4] = { (char)('0' + code / 100 % 10),
		(char)('0' + code / 10 % 10), (char)('0' + code % 10), ' ' };

	buffer_append(out, digits, sizeof digits);
}

void
nntp_respond(struct buffer *out, int code)
{
	nntp_append_code(out, code);
	buffer_append_text(out, nntp_response_text(code));
	buffer_append(out, "\r\n", 2);
}

static void
nntp_blank(char *text, size_t len, char c)
{
	char *at = text, *end = text + len;

	while ((at = memchr(at, c, (size_t)(end - at))) != NULL)
		*at++ = ' ';
}

/* A response that begins at `from`: not too long, one line. */
static void
nntp_end_response(struct buffer *out, size_t from)
{
	if (buffer_failed(out))
		return;
	if (out->len - from > NNTP_RESPONSE_MAX) {
		out->len = from + NNTP_RESPONSE_MAX;
		/* not within a character */
		while (((unsigned char)out->bytes[out->len] & 0xc0) == 0x80)
			out->len--;
	}
	nntp_blank(out->bytes + from, out->len - from, '\r');
	nntp_blank(out->bytes + from, out->len - from, '\n');
	nntp_blank(out->bytes + from, out->len - from, '\0');
	buffer_append(out, "\r\n", 2);
}

void
nntp_respond_words(struct buffer *out, int code, const char *text)
{
	size_t from = out->len;

	nntp_append_code(out, code);
	buffer_append_text(out, text);
	nntp_end_response(out, from);
}

void
nntp_respond_about(struct buffer *out, int code, const char *about,
    const char *text)
{
	size_t from = out->len;

	nntp_append_code(out, code);
	buffer_append_text(out, about);
	buffer_append_byte(out, ' ');
	buffer_append_text(out, text);
	nntp_end_response(out, from);
}

void
nntp_respond_vtext(struct buffer *out, int code, const char *format,
    va_list args)
{
	size_t from = out->len;

	nntp_append_code(out, code);
	buffer_vprintf(out, format, args);
	nntp_end_response(out, from);
}
