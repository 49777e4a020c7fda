/* mask.h - own address tokens in an outgoing copy, made unreadable in place.
 *
 * LOCAL+r.TOKEN@ and LOCAL-r.TOKEN@ (any one letter, TOKEN of 16 or more base32
 * characters in any case) become LOCAL+r.xxxx@, wherever they stand: in plain
 * text, across quoted-printable soft breaks and escapes, within base64 leaves.
 */
#ifndef KITH_PROTOCOL_MASK_H
#define KITH_PROTOCOL_MASK_H

#include "protocol/buffer.h"

/* Appends the message (header, empty line, body; CRLF, unstuffed) with tokens
 * masked. Only the octets of tokens change; a base64 leaf that holds one is
 * encoded anew. keep_header: the top header is copied as it is.
 * *count_r (may be NULL): tokens masked. -EBADMSG: nested too deep. */
int mail_mask_tokens(struct buffer *out, struct span message, bool keep_header,
    unsigned *count_r);
/* Masks within decoded text, in place. Returns how many. */
unsigned mail_mask_text(char *text, size_t len);

#endif
