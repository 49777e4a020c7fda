/* test_store_cache.c - the cache alone: bounds, versions, counting.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/cache.h"

struct thing {
	struct store_object object;
	int *freed;
};

static void
thing_free(struct store_object *object)
{
	struct thing *thing = (struct thing *)object;

	++*thing->freed;
	free(thing);
}

static struct store_object *
thing_new(size_t size, int *freed)
{
	struct thing *thing = calloc(1, sizeof *thing);

	assert_non_null(thing);
	store_object_init(&thing->object, size, thing_free);
	thing->freed = freed;
	return &thing->object;
}

static struct store_cache_key
key_of(uint64_t a)
{
	return (struct store_cache_key){ STORE_CACHE_WIRE, 0, a };
}

static void
put(struct store_cache *cache, uint64_t a, uint64_t version, int *freed)
{
	struct store_object *object = thing_new(1000, freed);

	store_cache_put(cache, key_of(a), version, object);
	store_object_unref(object);
}

static bool
has(struct store_cache *cache, uint64_t a, uint64_t version)
{
	struct store_object *object =
	    store_cache_get(cache, key_of(a), version);

	store_object_unref(object);
	return object != NULL;
}

static void
the_cache_stays_within_its_bound_and_frees_all(void **state)
{
	struct store_cache *cache = store_cache_new(200000);
	int freed = 0;

	(void)state;
	for (uint64_t a = 0; a < 2000; a++)
		put(cache, a, 1, &freed);
	assert_true(store_cache_bytes(cache) <= 200000);
	assert_true(store_cache_bytes(cache) > 100000);
	assert_true(has(cache, 1999, 1));
	store_cache_free(&cache);
	assert_int_equal(freed, 2000);
	assert_null(cache);
}

static void
what_is_used_stays(void **state)
{
	struct store_cache *cache = store_cache_new(200000);
	int freed = 0;

	(void)state;
	for (uint64_t a = 0; a < 2000; a++) {
		put(cache, a, 1, &freed);
		assert_true(has(cache, 0, 1));
	}
	store_cache_free(&cache);
}

static void
a_drop_outlives_the_entry(void **state)
{
	struct store_cache *cache = store_cache_new(200000);
	struct store_cache_key key = key_of(7);
	int freed = 0;

	(void)state;
	put(cache, 7, 5, &freed);
	assert_true(has(cache, 7, 5));
	assert_false(has(cache, 7, 4)); /* too new for it */
	store_cache_drop(cache, key, 6);
	assert_false(has(cache, 7, UINT64_MAX));
	put(cache, 7, 5, &freed); /* built before the change */
	assert_false(has(cache, 7, UINT64_MAX));
	put(cache, 7, 6, &freed);
	assert_true(has(cache, 7, UINT64_MAX));
	store_cache_drop(cache, key, 6); /* told again: it is that version */
	assert_true(has(cache, 7, 6));
	store_cache_free(&cache);
	assert_int_equal(freed, 3);
}

static void
an_older_view_that_saw_the_same_makes_it_older(void **state)
{
	struct store_cache *cache = store_cache_new(200000);
	int freed = 0;

	(void)state;
	put(cache, 7, 9, &freed);
	assert_false(has(cache, 7, 3));
	put(cache, 7, 3, &freed);
	assert_true(has(cache, 7, 3));
	store_cache_free(&cache);
	assert_int_equal(freed, 2);
}

static void
a_cache_of_nothing_keeps_nothing(void **state)
{
	struct store_cache *cache = store_cache_new(0);
	int freed = 0;

	(void)state;
	put(cache, 1, 1, &freed);
	assert_int_equal(freed, 1);
	assert_false(has(cache, 1, 1));
	store_cache_free(&cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_cache_stays_within_its_bound_and_frees_all),
		cmocka_unit_test(what_is_used_stays),
		cmocka_unit_test(a_drop_outlives_the_entry),
		cmocka_unit_test(
		    an_older_view_that_saw_the_same_makes_it_older),
		cmocka_unit_test(a_cache_of_nothing_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
