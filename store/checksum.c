/* checksum.c - Berkeley DB's checksum, eight octets at a time, or 64 where the
 * processor can.
 *
 * Every log record and every page has one, and Berkeley DB computes it octet by
 * octet, each step waiting for the one before: a fifth of the writer's CPU for an
 * article, a third of the keeper's. It asks its own function by a name that the
 * dynamic linker looks up, in the program first; so this one is taken, and gives
 * the same result. Where it is not taken (another build of the library), the
 * library's own is, and all is as before.
 *
 * The sum of octet[i] * 33^(n-1-i), modulo 2^32. A library whose sum is another
 * one would find all its pages damaged, so they are compared at each start.
 */
#include "build.h"

#include "store/private.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#ifdef __x86_64__
# include <immintrin.h>
#endif

#define PRIME_2   1089u       /* 33^2 */
#define PRIME_4   1185921u    /* 33^4 */
#define PRIME_8   1954312449u /* 33^8, modulo 2^32 */
#define LANES_MIN 128u

static uint32_t
sum_plain(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = sum * 33 + bytes[i];
	return sum;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* In lanes of 16, then 32 bits, none of which overflows into the next. */
static uint32_t
sum_of_eight(const uint8_t *bytes)
{
	uint64_t x;

	memcpy(&x, bytes, sizeof x);
	x = (x & 0x00ff00ff00ff00ffu) * 33 + (x >> 8 & 0x00ff00ff00ff00ffu);
	x = (x & 0x0000ffff0000ffffu) * PRIME_2 +
	    (x >> 16 & 0x0000ffff0000ffffu);
	return (uint32_t)x * PRIME_4 + (uint32_t)(x >> 32);
}

# if defined(__x86_64__)
#  define PRIME_32 288867329u
#  define PRIME_64 4034889729u

/* The same in twice eight lanes of 32 bits, each of which sees every 64th
 * octet and three after it. len: a multiple of 64. */
__attribute__((target("avx2"))) static uint32_t
sum_of_lanes(const uint8_t *bytes, size_t len)
{
	const __m256i pair = _mm256_set1_epi16(1 << 8 | 33);
	const __m256i quad = _mm256_set1_epi32(1 << 16 | PRIME_2);
	const __m256i step = _mm256_set1_epi32((int)PRIME_64);
	const __m256i weights = _mm256_setr_epi32((int)3592153985u,
	    (int)2887275265u, (int)1359805057u, (int)2463752705u,
	    (int)1331628417u, (int)PRIME_8, (int)PRIME_4, 1);
	__m256i a = _mm256_setzero_si256(), b = a, x, y;
	uint32_t lanes[8], sum = 0;

	for (const uint8_t *end = bytes + len; bytes < end; bytes += 64) {
		x = _mm256_loadu_si256((const void *)bytes);
		y = _mm256_loadu_si256((const void *)(bytes + 32));
		x = _mm256_madd_epi16(_mm256_maddubs_epi16(x, pair), quad);
		y = _mm256_madd_epi16(_mm256_maddubs_epi16(y, pair), quad);
		a = _mm256_add_epi32(_mm256_mullo_epi32(a, step), x);
		b = _mm256_add_epi32(_mm256_mullo_epi32(b, step), y);
	}
	a = _mm256_mullo_epi32(a, _mm256_set1_epi32((int)PRIME_32));
	a = _mm256_mullo_epi32(_mm256_add_epi32(a, b), weights);
	_mm256_storeu_si256((void *)lanes, a);
	for (unsigned i = 0; i < 8; i++)
		sum += lanes[i];
	return sum;
}

/* As much of it as lanes are worth; how much in *done_r. */
static uint32_t
sum_begin(const uint8_t *bytes, size_t len, size_t *done_r)
{
	*done_r = len >= LANES_MIN && __builtin_cpu_supports("avx2")
	    ? len & ~(size_t)63
	    : 0;
	return *done_r == 0 ? 0 : sum_of_lanes(bytes, *done_r);
}
# else
static uint32_t
sum_begin(const uint8_t *bytes, size_t len, size_t *done_r)
{
	(void)bytes;
	(void)len;
	*done_r = 0;
	return 0;
}
# endif

uint32_t
store_checksum(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	size_t done;
	uint32_t sum = sum_begin(at, len, &done);

	at += done;
	len -= done;
	for (; len >= 8; at += 8, len -= 8)
		sum = sum * PRIME_8 + sum_of_eight(at);
	return sum_plain(sum, at, len);
}
#else
uint32_t
store_checksum(const void *bytes, size_t len)
{
	return sum_plain(0, bytes, len);
}
#endif

/* Its name and arguments are the library's. */
uint32_t __ham_func4(DB *db, const void *bytes, uint32_t len);

uint32_t
__ham_func4(DB *db, const void *bytes, uint32_t len)
{
	(void)db;
	return store_checksum(bytes, len);
}

int
store_checksum_test(void)
{
	uint32_t (*its_own)(DB * db, const void *bytes, uint32_t len) = NULL;
	void *symbol = dlsym(RTLD_NEXT, "__ham_func4");
	uint8_t bytes[333];

	memcpy(&its_own, &symbol, sizeof its_own);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(255 - 3 * i);
	for (uint32_t len = 0; len <= sizeof bytes; len++)
		if (store_checksum(bytes, len) !=
		    (its_own == NULL ? sum_plain(0, bytes, len)
				     : its_own(NULL, bytes, len)))
			return -EIO;
	return 0;
}
