/* wildmat_legacy.h - the wildmat of RFC 2980 3.3, for XPAT: * ? [a-z] [^a-z] and
 * \ before any of them. Not for newsgroups (wildmat.h).
 */
#ifndef KITH_PROTOCOL_WILDMAT_LEGACY_H
#define KITH_PROTOCOL_WILDMAT_LEGACY_H

#include "protocol/span.h"

/* True if all of text matches. Octet by octet, but ? and a set take a whole
 * character where the text is UTF-8. A set that does not end, and a \ at the
 * end, stand for themselves. Takes at most pattern length x text length
 * steps. */
bool wildmat_legacy_match(struct span pattern, struct span text);

#endif
