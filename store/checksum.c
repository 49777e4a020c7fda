/* checksum.c - Berkeley DB's checksum, eight octets at a time.
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

#define PRIME_2 1089u	    /* 33^2 */
#define PRIME_4 1185921u    /* 33^4 */
#define PRIME_8 1954312449u /* 33^8, modulo 2^32 */

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

uint32_t
store_checksum(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint32_t sum = 0;

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
	uint8_t bytes[77];

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
