/* token_text.h - the text form of tokens: lower-case base32 (RFC 4648 6, no
 * padding) over a few varints and a cut MAC. What it means is not known here.
 */
#ifndef KITH_PROTOCOL_TOKEN_TEXT_H
#define KITH_PROTOCOL_TOKEN_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/span.h"

#define BASE32_ROOM(len) (((len)*8 + 4) / 5 + 1)

/* Writes the text and a NUL; room for BASE32_ROOM(len). */
void base32_encode(const uint8_t *bytes, size_t len, char *text_r);
/* Either case. The number of bytes, or -EINVAL: a wrong character, a length or
 * left-over bits that no encoder makes, more than room. */
int base32_decode(struct span text, uint8_t *bytes_r, size_t room);

#define TOKEN_MAC_LEN      10u
#define TOKEN_PAYLOAD_ROOM 40u

struct token_fields {
	uint64_t object;
	uint64_t member;
	uint64_t day; /* days since 2020-01-01 */
	uint64_t key;
};

/* The varints (LEB128), what the MAC is computed over. Returns the length, at
 * most TOKEN_PAYLOAD_ROOM. */
size_t token_payload_encode(const struct token_fields *fields,
    uint8_t payload_r[TOKEN_PAYLOAD_ROOM]);
/* 0 or -EINVAL: cut off, over 64 bits, not the shortest form, bytes left. */
int token_payload_decode(const uint8_t *payload, size_t len,
    struct token_fields *fields_r);

#endif
