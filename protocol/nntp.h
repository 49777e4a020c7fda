/* nntp.h - NNTP command lines and the texts of the response codes.
 *
 * Which commands there are is the business of daemon/news/.
 */
#ifndef KITH_PROTOCOL_NNTP_H
#define KITH_PROTOCOL_NNTP_H

#include "protocol/buffer.h"

#define NNTP_ARGS_MAX     8u /* further words are counted, not kept */
#define NNTP_KEYWORD_MAX  16u
#define NNTP_ARGUMENT_MAX 497u /* octets (RFC 3977 3.1) */

struct nntp_args {
	char keyword[NNTP_KEYWORD_MAX]; /* upper case, NUL-terminated; "" if the
					 * word is no keyword */
	size_t count; /* of arguments, may be above NNTP_ARGS_MAX */
	struct span args[NNTP_ARGS_MAX]; /* borrowed from the line */
	struct span rest; /* everything after the keyword, trimmed */
	bool has_long; /* an argument is longer than NNTP_ARGUMENT_MAX: 501,
			* unless the command may be long (RFC 4643 2.4.1) */
};

enum nntp_args_check {
	NNTP_ARGS_OK = 0,
	NNTP_ARGS_EMPTY,   /* a line of blanks: 500 */
	NNTP_ARGS_UNKNOWN, /* the first word is no keyword: 500 */
	NNTP_ARGS_SYNTAX, /* NUL, control octets, bad UTF-8: 501 */
};

/* Splits a command line (without its terminator) at blanks (RFC 3977 3.1). */
enum nntp_args_check nntp_args_parse(struct span line,
    struct nntp_args *args_r);
/* True if the number of arguments is within [min, max]. */
bool nntp_args_fit(const struct nntp_args *args, size_t min, size_t max);
/* Argument i in upper case into word (cut to its size), "" if there is none:
 * for second keywords such as LIST ACTIVE. Returns word. */
const char *nntp_args_word(const struct nntp_args *args, size_t i,
    char word[NNTP_KEYWORD_MAX]);

struct nntp_response {
	int code;
	const char *text;
};

/* The text for a code; codes without one of their own get that of their class.
 * Never NULL. */
const char *nntp_response_text(int code);
/* Appends "CODE text" CRLF. */
void nntp_respond(struct buffer *out, int code);
/* The same with a text of the caller's, or with two of them; CR, LF, NUL in it
 * become spaces and the line is cut to 510 octets. */
void nntp_respond_words(struct buffer *out, int code, const char *text);
void nntp_respond_about(struct buffer *out, int code, const char *about,
    const char *text);
void nntp_respond_vtext(struct buffer *out, int code, const char *format,
    va_list args) __attribute__((format(printf, 3, 0)));

#endif
