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
what_is_new_stays_for_a_round(void **state)
{
	struct store_cache *cache = store_cache_new(200000);
	int freed = 0;

	(void)state;
	for (uint64_t a = 0; a < 2000; a++)
		put(cache, a, 1, &freed);
	for (uint64_t a = 2000 - 64; a < 2000; a++)
		assert_true(has(cache, a, 1));
	store_cache_free(&cache);
}

static void
where_articles_are_stays_longer_than_they_do(void **state)
{
	struct store_cache_key key = { STORE_CACHE_EXTENTS, 0, 1 };
	struct store_cache *cache = store_cache_new(200000);
	struct store_object *object;
	int freed = 0;

	(void)state;
	object = thing_new(1000, &freed);
	store_cache_put(cache, key, 1, object);
	store_object_unref(object);
	for (uint64_t a = 0; a < 600; a++)
		put(cache, a, 1, &freed);
	object = store_cache_get(cache, key, 1);
	assert_non_null(object);
	store_object_unref(object);
	for (uint64_t a = 600; a < 4000; a++)
		put(cache, a, 1, &freed);
	assert_null(store_cache_get(cache, key, 1));
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

static struct store_cache_key
alias_of(uint64_t a)
{
	return (struct store_cache_key){ STORE_CACHE_PLACE, 0, a };
}

static bool
leads(struct store_cache *cache, uint64_t a, const struct store_object *to)
{
	struct store_object *object = store_cache_get_alias(cache, alias_of(a));

	store_object_unref(object);
	return object == to;
}

static void
an_alias_leads_to_an_object_until_either_is_dropped(void **state)
{
	struct store_cache *cache = store_cache_new(200000);
	int freed = 0;
	struct store_object *object = thing_new(1000, &freed);

	(void)state;
	store_cache_add_alias(cache, object, alias_of(1), 5);
	assert_true(leads(cache, 1, NULL)); /* it is not in the cache */
	store_cache_put(cache, key_of(7), 5, object);
	store_cache_add_alias(cache, object, alias_of(1), 5);
	assert_true(leads(cache, 1, object));
	assert_true(leads(cache, 7, NULL));
	store_cache_add_alias(cache, object, alias_of(2), 5);
	assert_true(leads(cache, 2, NULL)); /* one at most */
	store_cache_drop(cache, alias_of(1), 6);
	assert_true(leads(cache, 1, NULL));
	assert_true(has(cache, 7, 5));
	store_cache_add_alias(cache, object, alias_of(1), 5);
	assert_true(leads(cache, 1, NULL)); /* learnt before the change */
	store_cache_add_alias(cache, object, alias_of(1), 6);
	assert_true(leads(cache, 1, object));
	store_cache_drop(cache, key_of(7), 6);
	assert_true(leads(cache, 1, NULL));
	store_object_unref(object);
	assert_int_equal(freed, 1);
	store_cache_free(&cache);
}

static void
aliases_go_with_what_is_driven_out(void **state)
{
	struct store_cache *cache = store_cache_new(200000);
	struct store_object *object;
	unsigned there = 0, led = 0;
	int freed = 0;

	(void)state;
	for (uint64_t a = 0; a < 2000; a++) {
		object = thing_new(1000, &freed);
		store_cache_put(cache, key_of(a), 1, object);
		store_cache_add_alias(cache, object, alias_of(a), 1);
		store_object_unref(object);
	}
	for (uint64_t a = 0; a < 2000; a++) {
		there += has(cache, a, 1);
		led += !leads(cache, a, NULL);
	}
	assert_in_range(there, 100, 200);
	assert_int_equal(led, there);
	store_cache_free(&cache);
	assert_int_equal(freed, 2000);
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
		cmocka_unit_test(what_is_new_stays_for_a_round),
		cmocka_unit_test(where_articles_are_stays_longer_than_they_do),
		cmocka_unit_test(a_drop_outlives_the_entry),
		cmocka_unit_test(
		    an_older_view_that_saw_the_same_makes_it_older),
		cmocka_unit_test(
		    an_alias_leads_to_an_object_until_either_is_dropped),
		cmocka_unit_test(aliases_go_with_what_is_driven_out),
		cmocka_unit_test(a_cache_of_nothing_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
