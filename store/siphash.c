/* siphash.c - SipHash-2-4, 128 bits (Aumasson and Bernstein, 2012).
 */
#include "store/siphash.h"

#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t
read_le(const uint8_t *p, size_t len)
{
	uint64_t x = 0;

	for (size_t i = 0; i < len; i++)
		x |= (uint64_t)p[i] << (8 * i);
	return x;
}

static void
write_le(uint8_t *p, uint64_t x)
{
	for (size_t i = 0; i < 8; i++)
		p[i] = (uint8_t)(x >> (8 * i));
}

static void
rounds(struct state *s, unsigned count)
{
	while (count-- > 0) {
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
}

void
store_siphash(const uint8_t key[16], const void *bytes, size_t len,
    uint8_t hash_r[16])
{
	uint64_t k0 = read_le(key, 8), k1 = read_le(key + 8, 8);
	struct state s = { k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
		k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u };
	const uint8_t *p = bytes;
	size_t left = len;
	uint64_t word;

	s.v1 ^= 0xee; /* the variant with 128 bits of output */
	for (; left >= 8; left -= 8, p += 8) {
		word = read_le(p, 8);
		s.v3 ^= word;
		rounds(&s, 2);
		s.v0 ^= word;
	}
	word =
	    (uint64_t)(len & 0xff) << 56 | (left == 0 ? 0 : read_le(p, left));
	s.v3 ^= word;
	rounds(&s, 2);
	s.v0 ^= word;
	s.v2 ^= 0xee;
	rounds(&s, 4);
	write_le(hash_r, s.v0 ^ s.v1 ^ s.v2 ^ s.v3);
	s.v1 ^= 0xdd;
	rounds(&s, 4);
	write_le(hash_r + 8, s.v0 ^ s.v1 ^ s.v2 ^ s.v3);
}
