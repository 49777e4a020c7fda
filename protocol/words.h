/* words.h - header text that is not ASCII: encoded words (RFC 2047), raw 8-bit
 * text, and parameters with their continuations (RFC 2231).
 */
#ifndef KITH_PROTOCOL_WORDS_H
#define KITH_PROTOCOL_WORDS_H

#include "protocol/buffer.h"

/* Appends an unfolded, decoded copy of a header value: valid UTF-8 on one line
 * without control characters. Adjacent words of one charset are joined before
 * they are converted, so a character may be split over two. */
void words_decode(struct buffer *out, struct span value);

/* Appends UTF-8 text as a header value; `column` is where it starts on its line
 * (the length of "Subject: "). Plain where ASCII allows it, else encoded words
 * of at most 75 octets; folded with CRLF SP. Never emits a bare CR or LF. */
void words_encode(struct buffer *out, struct span text, size_t column);
/* The same, but safe as a display name: a quoted string or encoded words. */
void words_encode_phrase(struct buffer *out, struct span text, size_t column);

/* Appends the parameter `name` of a structured value ("text/plain; name=...")
 * as UTF-8: quoted strings, RFC 2231 (charset, language, pieces in any order),
 * encoded words where they do not belong. -ENOENT if it is not there. */
int words_param(struct buffer *out, struct span value, const char *name);
/* The value before the first ';', without comments and blanks. Borrowed. */
struct span words_main(struct span value);

#endif
