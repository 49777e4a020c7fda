/* references.h - the References of a follow-up (RFC 5537 3.4.4).
 */
#ifndef KITH_PROTOCOL_REFERENCES_H
#define KITH_PROTOCOL_REFERENCES_H

#include "protocol/buffer.h"

/* Appends the value "<root> ... <parent>": the ids of the parent's raw References
 * (if it has none: of its raw In-Reply-To, when that names exactly one), then
 * parent_id. Trimmed to at most 21 ids and, with the name, 998 octets: the root
 * and the newest, the last three always. Duplicates are dropped. 0 or -ENOMEM,
 * -EINVAL (parent_id is not valid). */
int references_append(struct buffer *out, struct span parent_references,
    struct span parent_in_reply_to, struct span parent_id);

#endif
