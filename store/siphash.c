/* siphash.c - SipHash-2-4 and 1-3, 128 bits (Aumasson and Bernstein, 2012).
 */
#include "store/siphash.h"

#include <endian.h>
#include <string.h>

struct siphash_input {
	const void *bytes;
	size_t len;
};

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

/* At most 8 octets, the first the lowest. */
static uint64_t
read_le(const uint8_t *p, size_t len)
{
	uint64_t x = 0;

	memcpy(&x, p, len);
	return le64toh(x);
}

static void
write_le(uint8_t *p, uint64_t x)
{
	x = htole64(x);
	memcpy(p, &x, sizeof x);
}

/* Inline, so that the state stays in registers. */
static inline void
round_once(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static inline void
take_word(struct state *s, uint64_t word, unsigned rounds)
{
	s->v3 ^= word;
	for (unsigned i = 0; i < rounds; i++)
		round_once(s);
	s->v0 ^= word;
}

static inline uint64_t
finish(struct state *s, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++)
		round_once(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* Inline too: with rounds that are constants there are no loops for them. */
static inline void
siphash(const uint8_t key[16], struct siphash_input in, uint8_t hash_r[16],
    unsigned rounds, unsigned last_rounds)
{
	uint64_t k0 = read_le(key, 8), k1 = read_le(key + 8, 8);
	struct state s = { k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
		k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u };
	const uint8_t *p = in.bytes;
	size_t left = in.len;

	s.v1 ^= 0xee; /* the variant with 128 bits of output */
	for (; left >= 8; left -= 8, p += 8)
		take_word(&s, read_le(p, 8), rounds);
	take_word(&s,
	    (uint64_t)(in.len & 0xff) << 56 |
		(left == 0 ? 0 : read_le(p, left)),
	    rounds);
	s.v2 ^= 0xee;
	write_le(hash_r, finish(&s, last_rounds));
	s.v1 ^= 0xdd;
	write_le(hash_r + 8, finish(&s, last_rounds));
}

void
store_siphash(const uint8_t key[16], const void *bytes, size_t len,
    uint8_t hash_r[16])
{
	siphash(key, (struct siphash_input){ bytes, len }, hash_r, 2, 4);
}

void
store_siphash_1_3(const uint8_t key[16], const void *bytes, size_t len,
    uint8_t hash_r[16])
{
	siphash(key, (struct siphash_input){ bytes, len }, hash_r, 1, 3);
}
