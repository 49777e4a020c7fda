/* charset.h - octets in any character set to valid UTF-8.
 *
 * What cannot be converted becomes U+FFFD, NUL too (utf8.h). Knows aliases and mislabelled sets as mail really has them.
 */
#ifndef KITH_PROTOCOL_CHARSET_H
#define KITH_PROTOCOL_CHARSET_H

#include "protocol/buffer.h"

/* Opens every converter known here and keeps them open, so that iconv needs no
 * file after a sandbox has closed. Returns owned; NULL without memory. */
struct charset_set;
struct charset_set *charset_preload(void);
void charset_set_free(struct charset_set **set);

/* Appends bytes of `charset` (empty or unknown: UTF-8 if valid, else
 * windows-1252) as valid UTF-8. Bounded by the buffer's limit alone. */
void charset_to_utf8(struct buffer *out, struct span bytes, struct span charset);

#endif
