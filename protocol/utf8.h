/* utf8.h - UTF-8 (RFC 3629): no surrogates, no overlong forms. NUL counts as
 * malformed everywhere, so that results can be kept as C strings.
 */
#ifndef KITH_PROTOCOL_UTF8_H
#define KITH_PROTOCOL_UTF8_H

#include "protocol/buffer.h"

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Octets of the character at the start; 0: there is none, or no whole one. */
size_t utf8_character(struct span text);
/* Is it UTF-8 through and through? */
bool utf8_valid(struct span bytes);
/* Appends bytes, each malformed piece replaced by U+FFFD. */
void utf8_append(struct buffer *out, struct span bytes);
/* The first at most max octets, not cut within a character. */
struct span utf8_cut(struct span text, size_t max);

#endif
