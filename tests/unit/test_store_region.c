/* test_store_region.c - memory of a cache's own: what is given out does not
 * overlap, what comes back grows together again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/region.h"

#define PIECES 512u

struct held {
	unsigned char *bytes;
	size_t len;
	unsigned char with;
};

static uint64_t
next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static void
held_check(const struct held *held)
{
	for (size_t i = 0; i < held->len; i++)
		assert_int_equal(held->bytes[i], held->with);
}

static void
pieces_of_any_size_do_not_touch_each_other(void **state)
{
	struct store_region *region = store_region_new(1u << 20);
	struct held held[PIECES] = { { .bytes = NULL } }, *one;
	uint64_t seed = 1;
	unsigned refused = 0;

	(void)state;
	assert_non_null(region);
	for (unsigned i = 0; i < 50000; i++) {
		one = &held[next(&seed) % PIECES];
		if (one->bytes != NULL) {
			held_check(one);
			store_region_give(region, one->bytes);
		}
		one->len = next(&seed) % (i % 16 == 0 ? 40000 : 5000);
		one->with = (unsigned char)i;
		one->bytes = store_region_take(region, one->len);
		refused += one->bytes == NULL;
		if (one->bytes == NULL)
			continue;
		assert_int_equal((uintptr_t)one->bytes % 16, 0);
		memset(one->bytes, one->with, one->len);
	}
	assert_in_range(refused, 1, 40000); /* it was full, and of use */
	for (unsigned i = 0; i < PIECES; i++) {
		if (held[i].bytes == NULL)
			continue;
		held_check(&held[i]);
		store_region_give(region, held[i].bytes);
	}
	assert_int_equal(store_region_used(region), 0);
	/* all is one piece again */
	one = &held[0];
	one->bytes = store_region_take(region, (1u << 20) - (1u << 16));
	assert_non_null(one->bytes);
	store_region_give(region, one->bytes);
	store_region_free(&region);
	assert_null(region);
}

static void
what_is_too_large_or_never_ends_is_refused(void **state)
{
	struct store_region *region = store_region_new(65536);

	(void)state;
	assert_null(store_region_new(0));
	assert_null(store_region_new(SIZE_MAX - 8192));
	assert_null(store_region_take(region, 65536));
	assert_null(store_region_take(region, SIZE_MAX));
	assert_null(store_region_take(region, SIZE_MAX - 15));
	store_region_give(region, store_region_take(region, 0));
	store_region_free(&region);
	store_region_free(&region);
}

static void
a_piece_may_outlive_the_region(void **state)
{
	struct store_region *region = store_region_new(65536);
	struct store_region *left = region;
	char *piece = store_region_take(region, 100);

	(void)state;
	assert_non_null(piece);
	store_region_free(&region);
	memset(piece, 1, 100);
	store_region_give(left, piece);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_any_size_do_not_touch_each_other),
		cmocka_unit_test(what_is_too_large_or_never_ends_is_refused),
		cmocka_unit_test(a_piece_may_outlive_the_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
