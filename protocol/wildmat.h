/* wildmat.h - patterns of RFC 3977 4: "comp.*,!comp.os.*", UTF-8, the last
 * pattern of the list that matches decides. Iterative: no pattern takes more
 * than pattern length x text length steps.
 */
#ifndef KITH_PROTOCOL_WILDMAT_H
#define KITH_PROTOCOL_WILDMAT_H

#include "protocol/span.h"

#define WILDMAT_PATTERNS_MAX 128u

/* Syntax of RFC 3977 4.1: no empty pattern, no [ ] \ , valid UTF-8. */
bool wildmat_is_valid(struct span wildmat);

/* Prepared once for many texts. */
struct wildmat;
/* 0, -EINVAL (syntax), -E2BIG (too many patterns), -ENOMEM. Keeps a copy. */
int wildmat_compile(struct span wildmat, struct wildmat **compiled_r);
void wildmat_free(struct wildmat **compiled);
bool wildmat_matches(const struct wildmat *compiled, struct span text);
/* The name if the wildmat is one name without * ? ! , (then look it up instead
 * of walking); else an empty span. Borrowed from compiled. */
struct span wildmat_literal(const struct wildmat *compiled);

#endif
