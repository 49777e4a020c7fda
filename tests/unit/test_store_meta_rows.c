/* test_store_meta_rows.c - what is known of articles, several in a row.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IDS      400u
#define LEN_MOST 5000u

/* What should be there: the length of each, 0 if nothing. */
struct model {
	uint16_t lens[IDS];
	uint64_t random;
};

static uint32_t
random_below(struct model *model, uint32_t below)
{
	model->random =
	    model->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(model->random >> 33) % below;
}

/* Octets that tell whose they are, and of which length. */
static void
octets_fill(uint8_t *bytes, size_t len, uint64_t artid)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(artid * 31 + len + i);
}

static int
put(struct store_txn *txn, uint64_t artid, size_t len)
{
	uint8_t *bytes = malloc(len);
	int rc;

	assert_non_null(bytes);
	octets_fill(bytes, len, artid);
	rc = store_meta_row_put(txn, artid, bytes, len);
	free(bytes);
	return rc;
}

static void
has(struct store_reader *reader, uint64_t artid, size_t want)
{
	uint8_t due[LEN_MOST];
	const uint8_t *bytes;
	size_t len;
	int rc = store_meta_row_get(reader, artid, &bytes, &len);

	assert_int_equal(rc, want == 0 ? -ENOENT : 0);
	if (want == 0)
		return;
	assert_int_equal(len, want);
	octets_fill(due, want, artid);
	assert_memory_equal(bytes, due, want);
}

static void
all_are_there(struct fixture *fixture, const struct model *model)
{
	struct store_view *view = store_view_begin(fixture->store);

	for (uint64_t artid = 1; artid < IDS; artid++)
		has(store_view_reader(view), artid, model->lens[artid]);
	store_view_end(&view);
}

/* ---- */

static int
some_put(struct store_txn *txn, void *arg)
{
	struct model *model = arg;
	int rc = 0;

	for (uint64_t artid = 1; rc == 0 && artid <= 70; artid++) {
		model->lens[artid] = 270;
		rc = put(txn, artid, 270);
	}
	return rc;
}

static int
some_delete(struct store_txn *txn, void *arg)
{
	struct model *model = arg;
	int rc = 0;

	for (uint64_t artid = 1; rc == 0 && artid <= 69; artid++) {
		model->lens[artid] = 0;
		rc = store_meta_row_delete(txn, artid);
		assert_int_equal(store_meta_row_delete(txn, artid), -ENOENT);
	}
	return rc;
}

static void
articles_of_a_batch_share_rows_which_go_with_the_last(void **state)
{
	struct fixture *fixture = *state;
	struct model model = { .lens = { 0 } };

	assert_int_equal(fixture_run(fixture, some_put, &model), 0);
	all_are_there(fixture, &model);
	assert_int_equal(fixture_rows(fixture, STORE_FILE_META), 5);
	fixture_reopen(fixture);
	all_are_there(fixture, &model);
	assert_int_equal(fixture_run(fixture, some_delete, &model), 0);
	all_are_there(fixture, &model);
	assert_int_equal(fixture_rows(fixture, STORE_FILE_META), 1);
}

static int
some_put_in_vain(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint64_t artid = 60; artid <= 90; artid++)
		if (put(txn, artid, 100) != 0)
			return -EIO;
	(void)store_meta_row_delete(txn, 3);
	return -ECANCELED;
}

static void
a_batch_that_is_undone_leaves_all_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	struct model model = { .lens = { 0 } };

	assert_int_equal(fixture_run(fixture, some_put, &model), 0);
	assert_int_equal(fixture_run(fixture, some_put_in_vain, NULL),
	    -ECANCELED);
	all_are_there(fixture, &model);
	assert_int_equal(fixture_run(fixture, some_delete, &model), 0);
	assert_int_equal(fixture_run(fixture, some_put, &model), 0);
	all_are_there(fixture, &model);
}

struct step {
	struct model *model;
	struct model after;
	int result;
};

/* Whatever may happen to articles, in any order; and each is read at times. */
static int
step_run(struct store_txn *txn, void *arg)
{
	struct step *step = arg;
	struct model *model = &step->after;
	int rc = 0;

	*model = *step->model;
	for (unsigned i = random_below(model, 30); rc == 0 && i > 0; i--) {
		uint64_t artid = 1 + random_below(model, IDS - 1);
		uint32_t len = random_below(model, 20) == 0
		    ? 1 + random_below(model, LEN_MOST)
		    : 1 + random_below(model, 600);

		switch (random_below(model, 4)) {
		case 0:
			rc = store_meta_row_delete(txn, artid);
			assert_int_equal(rc,
			    model->lens[artid] == 0 ? -ENOENT : 0);
			model->lens[artid] = 0;
			rc = 0;
			break;
		case 1:
			has(&txn->reader, artid, model->lens[artid]);
			break;
		default:
			rc = put(txn, artid, len);
			model->lens[artid] = (uint16_t)len;
			break;
		}
	}
	return rc == 0 ? step->result : rc;
}

static void
whatever_is_put_and_taken_is_found_as_it_was_left(void **state)
{
	struct fixture *fixture = *state;
	struct model model = { .lens = { 0 }, .random = 1 };
	struct step step = { .model = &model };

	for (unsigned i = 0; i < 150; i++) {
		step.result = i % 7 == 3 ? -ECANCELED : 0;
		assert_int_equal(fixture_run(fixture, step_run, &step),
		    step.result);
		if (step.result == 0)
			model = step.after;
		else
			model.random = step.after.random;
		all_are_there(fixture, &model);
		if (i % 50 == 49)
			fixture_reopen(fixture);
	}
}

static int
far_put(struct store_txn *txn, void *arg)
{
	(void)arg;
	if (put(txn, 7, 10) != 0 || put(txn, 7 + UINT16_MAX, 20) != 0 ||
	    put(txn, 8 + UINT16_MAX, 30) != 0)
		return -EIO;
	return put(txn, 1000000, 40);
}

static int
between_put(struct store_txn *txn, void *arg)
{
	(void)arg;
	return put(txn, 500000, 50);
}

static void
ids_that_are_far_apart_do_not_share_a_row(void **state)
{
	struct fixture *fixture = *state;
	static const uint64_t ids[] = { 7, 7 + UINT16_MAX, 8 + UINT16_MAX,
		1000000, 500000 };
	struct store_view *view;

	assert_int_equal(fixture_run(fixture, far_put, NULL), 0);
	assert_int_equal(fixture_rows(fixture, STORE_FILE_META), 3);
	assert_int_equal(fixture_run(fixture, between_put, NULL), 0);
	assert_int_equal(fixture_rows(fixture, STORE_FILE_META), 4);
	view = store_view_begin(fixture->store);
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		has(store_view_reader(view), ids[i], 10 * (i + 1));
	has(store_view_reader(view), 9, 0);
	store_view_end(&view);
}

/* ---- the form ---- */

static void
a_row_that_does_not_parse_is_an_error(void **state)
{
	static const uint8_t key[8] = { 0, 0, 0, 0, 0, 0, 0, 9 };
	uint8_t row[] = { 0, 2, 0, 0, 0, 1, 'a', 0, 0, 0, 0, 0, 1, 'b' };
	struct store_meta_walk walk;
	struct store_meta_bytes one;

	(void)state;
	assert_int_equal(store_meta_walk_begin(&walk, key, 8, row, sizeof row),
	    0);
	assert_int_equal(store_meta_walk_next(&walk, &one), 1);
	assert_int_equal(one.artid, 7);
	assert_int_equal(store_meta_walk_next(&walk, &one), 1);
	assert_int_equal(one.artid, 9);
	assert_int_equal(store_meta_walk_next(&walk, &one), 0);
	assert_int_equal(store_meta_walk_begin(&walk, key, 7, row, sizeof row),
	    -EBADMSG);
	assert_int_equal(store_meta_walk_begin(&walk, key, 8, row, 0),
	    -EBADMSG);
	for (size_t cut = 1; cut < sizeof row; cut++) {
		(void)store_meta_walk_begin(&walk, key, 8, row, cut);
		if (cut >= 7)
			assert_int_equal(store_meta_walk_next(&walk, &one), 1);
		assert_int_equal(store_meta_walk_next(&walk, &one),
		    cut == 7 ? 0 : -EBADMSG);
	}
	row[1] = 0; /* twice the same */
	(void)store_meta_walk_begin(&walk, key, 8, row, sizeof row);
	assert_int_equal(store_meta_walk_next(&walk, &one), 1);
	assert_int_equal(store_meta_walk_next(&walk, &one), -EBADMSG);
	row[1] = 9; /* below the first */
	(void)store_meta_walk_begin(&walk, key, 8, row, sizeof row);
	assert_int_equal(store_meta_walk_next(&walk, &one), -EBADMSG);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(articles_of_a_batch_share_rows_which_go_with_the_last),
		TEST(a_batch_that_is_undone_leaves_all_as_it_was),
		TEST(whatever_is_put_and_taken_is_found_as_it_was_left),
		TEST(ids_that_are_far_apart_do_not_share_a_row),
		cmocka_unit_test(a_row_that_does_not_parse_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
