/* test_store_view.c - views and caches while the writer is at work: nothing
 * stale, nothing half, nothing before it is on disk.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS  300u
#define SAMPLES 4u /* under way at once */
#define READERS 3u

struct stress {
	struct fixture *fixture;
	_Atomic uint32_t acknowledged; /* the last number known to be stored */
	atomic_bool stop;
	_Atomic unsigned faults;
	_Atomic unsigned looks;
};

struct poster {
	struct call call;
	struct sample sample;
};

static void
fault(struct stress *stress, const char *what)
{
	if (atomic_fetch_add(&stress->faults, 1) == 0)
		fprintf(stderr, "fault: %s\n", what);
}

/* All that one view tells must fit together. */
static void
look_with_view(struct stress *stress, uint32_t known)
{
	struct store_view *view = store_view_begin(stress->fixture->store);
	struct store_reader *reader = store_view_reader(view);
	struct store_space_state space;
	struct store_overview_row row;
	struct store_block *block;
	struct store_blob *blob;
	uint64_t seq;
	size_t count;

	if (store_space_state_get(reader, 1, &space) != 0 ||
	    store_sequence_last(reader, &seq) != 0 || seq != space.high)
		fault(stress, "state and sequence differ");
	if (space.high < known)
		fault(stress, "a view is older than what was acknowledged");
	if (store_block_get(reader, 1, space.high / STORE_BLOCK_NUMBERS,
		&block) != 0) {
		fault(stress, "no block");
		store_view_end(&view);
		return;
	}
	count = store_block_count(block);
	if (count > 0) {
		store_block_row(block, count - 1, &row);
		if (row.number != space.high)
			fault(stress, "block and state differ");
		if (store_article_part_get(reader, row.artid, 0, &blob) != 0)
			fault(stress, "no article");
		else
			store_blob_unref(blob);
	} else if (space.high % STORE_BLOCK_NUMBERS != 0) {
		fault(stress, "an empty block");
	}
	store_block_unref(block);
	store_view_end(&view);
}

/* What is asked without a view must not be older than the acknowledgement. */
static void
look_without_view(struct stress *stress, uint32_t known)
{
	struct store *store = stress->fixture->store;
	struct store_space_state space;
	struct store_overview_row row;
	struct store_block *block;

	if (!store_space_state_published(store, 1, &space) ||
	    space.high < known)
		fault(stress, "the published state is old");
	if (known == 0 ||
	    store_block_cached(store, 1, known / STORE_BLOCK_NUMBERS, &block) !=
		0)
		return;
	if (store_block_count(block) == 0) {
		fault(stress, "a cached block lost its rows");
	} else {
		store_block_row(block, store_block_count(block) - 1, &row);
		if (row.number < known)
			fault(stress, "a cached block is stale");
	}
	store_block_unref(block);
}

static void *
reader_main(void *arg)
{
	struct stress *stress = arg;
	uint32_t known;

	while (!atomic_load(&stress->stop)) {
		known = atomic_load(&stress->acknowledged);
		look_with_view(stress, known);
		known = atomic_load(&stress->acknowledged);
		look_without_view(stress, known);
		atomic_fetch_add(&stress->looks, 1);
	}
	return NULL;
}

static void
posters_run(struct stress *stress, struct store_inbox *inbox)
{
	struct pollfd fd = { store_inbox_fd(inbox), POLLIN, 0 };
	struct poster posters[SAMPLES];
	uint32_t most = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < SAMPLES; i++) {
			posters[i].sample = (struct sample){ .space = 1 };
			call_init(&posters[i].call, sample_put,
			    &posters[i].sample);
			posters[i].call.op.inbox = inbox;
			store_submit(stress->fixture->store,
			    &posters[i].call.op);
		}
		for (unsigned i = 0; i < SAMPLES; i++) {
			while (posters[i].call.done == 0) {
				assert_int_equal(poll(&fd, 1, 10000), 1);
				store_inbox_drain(inbox);
			}
			assert_int_equal(posters[i].call.result, 0);
			if (posters[i].sample.number > most)
				most = posters[i].sample.number;
			atomic_store(&stress->acknowledged, most);
		}
	}
	assert_int_equal(most, ROUNDS * SAMPLES);
}

static void
readers_never_see_stale_or_half_things_while_posts_arrive(void **state)
{
	struct fixture *fixture = *state;
	struct stress stress = { .fixture = fixture };
	struct store_inbox *inbox = store_inbox_new();
	pthread_t readers[READERS];

	fixture_space(fixture, 1);
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, reader_main,
				     &stress),
		    0);
	posters_run(&stress, inbox);
	atomic_store(&stress.stop, true);
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(stress.faults, 0);
	assert_true(stress.looks > 0);
	store_inbox_free(&inbox);
}

static void
an_older_view_neither_gets_nor_keeps_a_newer_block(void **state)
{
	struct fixture *fixture = *state;
	struct sample sample = { .space = 1 };
	struct store_view *old, *new;
	struct store_block *block;

	fixture_space(fixture, 1);
	assert_int_equal(fixture_run(fixture, sample_put, &sample), 0);
	old = store_view_begin(fixture->store);
	assert_int_equal(fixture_run(fixture, sample_put, &sample), 0);
	new = store_view_begin(fixture->store);
	/* Built by the old view after the commit: not kept. */
	assert_int_equal(store_block_get(store_view_reader(old), 1, 0, &block),
	    0);
	assert_int_equal(store_block_count(block), 1);
	store_block_unref(block);
	assert_int_equal(store_block_cached(fixture->store, 1, 0, &block),
	    -ENOENT);
	assert_int_equal(store_block_get(store_view_reader(new), 1, 0, &block),
	    0);
	assert_int_equal(store_block_count(block), 2);
	store_block_unref(block);
	assert_int_equal(store_block_cached(fixture->store, 1, 0, &block), 0);
	store_block_unref(block);
	/* The kept one is too new for the old view. */
	assert_int_equal(store_block_get(store_view_reader(old), 1, 0, &block),
	    0);
	assert_int_equal(store_block_count(block), 1);
	store_block_unref(block);
	store_view_end(&old);
	store_view_end(&new);
}

static void
a_block_in_hand_outlives_its_place_in_the_cache(void **state)
{
	struct fixture *fixture = *state;
	struct sample sample = { .space = 1 };
	struct store_view *view;
	struct store_block *block;

	fixture_space(fixture, 1);
	assert_int_equal(fixture_run(fixture, sample_put, &sample), 0);
	view = store_view_begin(fixture->store);
	assert_int_equal(store_block_get(store_view_reader(view), 1, 0, &block),
	    0);
	store_view_end(&view);
	assert_int_equal(fixture_run(fixture, sample_delete, &sample), 0);
	assert_int_equal(store_block_count(block), 1);
	store_block_unref(block);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(readers_never_see_stale_or_half_things_while_posts_arrive),
		TEST(an_older_view_neither_gets_nor_keeps_a_newer_block),
		TEST(a_block_in_hand_outlives_its_place_in_the_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
