/* charset.h - octets in any character set to valid UTF-8.
 *
 * What cannot be converted becomes U+FFFD; NUL too, so that results can be kept
 * as C strings. Knows aliases and mislabelled sets as mail really has them.
 */
#ifndef KITH_PROTOCOL_CHARSET_H
#define KITH_PROTOCOL_CHARSET_H

#include "protocol/buffer.h"

/* Opens every converter known here and keeps them open, so that iconv needs no
 * file after a sandbox has closed. Returns owned; NULL without memory. */
struct charset_set;
struct charset_set *charset_preload(void);
void charset_set_free(struct charset_set **set);

/* Is it UTF-8 (RFC 3629) through and through, without NUL? */
bool utf8_valid(struct span bytes);
/* Is every octet below 128? */
bool ascii_only(struct span bytes);
/* Appends bytes, each malformed piece replaced by U+FFFD. */
void utf8_append(struct buffer *out, struct span bytes);
/* The first at most max octets, not cut within a character. */
struct span utf8_cut(struct span text, size_t max);

/* Appends bytes of `charset` (empty or unknown: UTF-8 if valid, else
 * windows-1252) as valid UTF-8. Bounded by the buffer's limit alone. */
void charset_to_utf8(struct buffer *out, struct span bytes, struct span charset);

#endif
