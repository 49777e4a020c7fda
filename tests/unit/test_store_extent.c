/* test_store_extent.c - articles of a batch, and the rows that say where they
 * are.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARTICLES 40u

/* Articles `first` to `last` in one operation; it fails at the end if told. */
struct batch {
	uint64_t first, last;
	int result;
};

static size_t
length_of(uint64_t artid)
{
	return 500 + (size_t)(artid * 977 % 6000);
}

static uint8_t
octet_of(uint64_t artid)
{
	return (uint8_t)('a' + artid % 26);
}

static int
one_put(struct store_txn *txn, uint64_t artid, size_t len)
{
	struct store_article_head head = { .received_len = (uint32_t)len };
	uint8_t *bytes = malloc(len);
	int rc;

	assert_non_null(bytes);
	memset(bytes, octet_of(artid), len);
	rc = store_article_put(txn, artid, &head, NULL, bytes);
	free(bytes);
	return rc;
}

static int
batch_put(struct store_txn *txn, void *arg)
{
	const struct batch *batch = arg;
	int rc = 0;

	for (uint64_t artid = batch->first; rc == 0 && artid <= batch->last;
	     artid++)
		rc = one_put(txn, artid, length_of(artid));
	return rc == 0 ? batch->result : rc;
}

static bool
is_whole(struct store_reader *reader, uint64_t artid, size_t want)
{
	struct store_article_head head;
	uint8_t *bytes;
	size_t len;
	bool whole = true;
	int rc =
	    store_article_get(reader, artid, 1u << 20, &head, &bytes, &len);

	if (rc == -ENOENT)
		return false;
	assert_int_equal(rc, 0);
	assert_int_equal(len, want);
	for (size_t i = 0; i < len; i++)
		whole = whole && bytes[i] == octet_of(artid);
	assert_true(whole);
	free(bytes);
	return true;
}

static bool
stored(struct fixture *fixture, uint64_t artid)
{
	struct store_view *view = store_view_begin(fixture->store);
	bool found = is_whole(store_view_reader(view), artid, length_of(artid));

	store_view_end(&view);
	return found;
}

static void
articles_of_a_batch_share_a_row_and_come_back_whole(void **state)
{
	struct fixture *fixture = *state;
	struct batch batch = { 1, ARTICLES, 0 };
	struct store_stats stats;

	assert_int_equal(fixture_run(fixture, batch_put, &batch), 0);
	for (uint64_t artid = 1; artid <= ARTICLES; artid++)
		assert_true(stored(fixture, artid));
	assert_false(stored(fixture, ARTICLES + 1));
	assert_int_equal(fixture_rows(fixture, STORE_FILE_EXTENTS), 1);
	fixture_reopen(fixture);
	for (uint64_t artid = 1; artid <= ARTICLES; artid++)
		assert_true(stored(fixture, artid));
	store_stats_get(fixture->store, &stats);
	assert_int_equal(stats.articles, ARTICLES);
}

static int
put_and_read(struct store_txn *txn, void *arg)
{
	int rc = batch_put(txn, arg);

	for (uint64_t artid = 1; artid <= 20; artid++)
		assert_true(
		    is_whole(store_txn_reader(txn), artid, length_of(artid)));
	return rc;
}

static void
an_operation_reads_what_its_own_batch_put(void **state)
{
	struct batch batch = { 1, 20, 0 };

	assert_int_equal(fixture_run(*state, put_and_read, &batch), 0);
}

static int
middle_delete(struct store_txn *txn, void *arg)
{
	return store_article_delete(txn, *(uint64_t *)arg);
}

static void
each_article_of_a_row_can_be_deleted(void **state)
{
	struct fixture *fixture = *state;
	struct batch batch = { 1, ARTICLES, 0 };
	struct store_stats stats;
	uint64_t artid;

	assert_int_equal(fixture_run(fixture, batch_put, &batch), 0);
	/* In an order that takes the first, the middle and the last ones. */
	for (uint64_t i = 0; i < ARTICLES; i++) {
		artid = 1 + i * 17 % ARTICLES;
		assert_int_equal(fixture_run(fixture, middle_delete, &artid),
		    0);
		assert_int_equal(fixture_run(fixture, middle_delete, &artid),
		    -ENOENT);
		for (uint64_t j = 0; j < ARTICLES; j++)
			assert_int_equal(stored(fixture, 1 + j * 17 % ARTICLES),
			    j > i);
	}
	assert_int_equal(fixture_rows(fixture, STORE_FILE_EXTENTS), 0);
	store_stats_get(fixture->store, &stats);
	assert_int_equal(stats.articles, 0);
}

/* Takes out each third, looks, and ends as told. */
static int
thirds_delete(struct store_txn *txn, void *arg)
{
	const struct batch *batch = arg;
	int rc = 0;

	for (uint64_t artid = batch->first; rc == 0 && artid <= batch->last;
	     artid += 3) {
		rc = store_article_delete(txn, artid);
		assert_int_equal(store_article_delete(txn, artid), -ENOENT);
	}
	for (uint64_t artid = 1; artid <= ARTICLES; artid++)
		assert_int_equal(is_whole(store_txn_reader(txn), artid,
				     length_of(artid)),
		    (artid + 2) % 3 != 0);
	return rc == 0 ? batch->result : rc;
}

static void
many_articles_of_a_row_can_be_deleted_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct batch all = { 1, ARTICLES, 0 }, given_up = { 1, ARTICLES, -EIO };

	assert_int_equal(fixture_run(fixture, batch_put, &all), 0);
	assert_int_equal(fixture_run(fixture, thirds_delete, &given_up), -EIO);
	for (uint64_t artid = 1; artid <= ARTICLES; artid++)
		assert_true(stored(fixture, artid));
	assert_int_equal(fixture_run(fixture, thirds_delete, &all), 0);
	fixture_reopen(fixture);
	for (uint64_t artid = 1; artid <= ARTICLES; artid++)
		assert_int_equal(stored(fixture, artid), (artid + 2) % 3 != 0);
}

static int
put_then_delete_one(struct store_txn *txn, void *arg)
{
	int rc = batch_put(txn, arg);

	return rc != 0 ? rc : store_article_delete(txn, 5);
}

static void
an_article_of_the_same_batch_can_be_deleted(void **state)
{
	struct fixture *fixture = *state;
	struct batch batch = { 1, 10, 0 };

	assert_int_equal(fixture_run(fixture, put_then_delete_one, &batch), 0);
	for (uint64_t artid = 1; artid <= 10; artid++)
		assert_int_equal(stored(fixture, artid), artid != 5);
}

static int
one_replace(struct store_txn *txn, void *arg)
{
	(void)arg;
	return one_put(txn, 5, 20000);
}

static void
a_replaced_article_is_the_new_one(void **state)
{
	struct fixture *fixture = *state;
	struct batch batch = { 1, 20, 0 };
	struct store_stats stats;
	struct store_view *view;

	assert_int_equal(fixture_run(fixture, batch_put, &batch), 0);
	assert_true(stored(fixture, 5)); /* and is cached */
	assert_int_equal(fixture_run(fixture, one_replace, NULL), 0);
	view = store_view_begin(fixture->store);
	assert_true(is_whole(store_view_reader(view), 5, 20000));
	store_view_end(&view);
	for (uint64_t artid = 1; artid <= 20; artid++)
		assert_true(artid == 5 || stored(fixture, artid));
	store_stats_get(fixture->store, &stats);
	assert_int_equal(stats.articles, 20);
}

static void
a_batch_that_is_given_up_leaves_nothing_to_the_next(void **state)
{
	struct fixture *fixture = *state;
	struct batch bad = { 1, 20, -EIO }, good = { 1, 10, 0 };

	assert_int_equal(fixture_run(fixture, batch_put, &bad), -EIO);
	assert_int_equal(fixture_run(fixture, batch_put, &good), 0);
	for (uint64_t artid = 1; artid <= 20; artid++)
		assert_int_equal(stored(fixture, artid), artid <= 10);
}

/* Puts 5 and 15 again where they were taken out. */
static int
two_put_back(struct store_txn *txn, void *arg)
{
	int rc = store_article_delete(txn, 10);

	(void)arg;
	if (rc == 0)
		rc = one_put(txn, 5, length_of(5));
	if (rc == 0)
		rc = one_put(txn, 10, length_of(10));
	return rc == 0 ? one_put(txn, 15, length_of(15)) : rc;
}

static int
two_delete(struct store_txn *txn, void *arg)
{
	int rc = store_article_delete(txn, 5);

	(void)arg;
	return rc == 0 ? store_article_delete(txn, 15) : rc;
}

static void
an_article_can_come_back_under_an_old_id(void **state)
{
	struct fixture *fixture = *state;
	struct batch batch = { 1, 20, 0 };
	uint64_t artid;

	assert_int_equal(fixture_run(fixture, batch_put, &batch), 0);
	assert_int_equal(fixture_run(fixture, two_delete, NULL), 0);
	assert_int_equal(fixture_run(fixture, two_put_back, NULL), 0);
	for (artid = 1; artid <= 20; artid++)
		assert_true(stored(fixture, artid));
	for (artid = 1; artid <= 20; artid++)
		assert_int_equal(fixture_run(fixture, middle_delete, &artid),
		    0);
	assert_int_equal(fixture_rows(fixture, STORE_FILE_EXTENTS), 0);
}

static void
no_damage_to_a_row_goes_beyond_an_error(void **state)
{
	const uint8_t key[8] = { 0, 0, 0, 0, 0, 0, 1, 0x2c };
	const uint8_t good[] = { 0, 2, 0, 9, 0, 0, 0, 1, 0, 0, 0, 16, 0, 0, 1,
		0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 1, 0 };
	uint8_t damaged[sizeof good];
	struct store_extent_row row;

	(void)state;
	assert_int_equal(store_extent_row_parse(key, sizeof key, good,
			     sizeof good, &row),
	    0);
	assert_int_equal(row.count, 2);
	assert_int_equal(row.artids[0], 291);
	assert_int_equal(row.extents[1].offset, 512);
	for (size_t cut = 0; cut < sizeof good; cut++)
		assert_int_equal(store_extent_row_parse(key, sizeof key, good,
				     cut, &row),
		    -EBADMSG);
	for (size_t at = 0; at < sizeof good; at++)
		for (unsigned value = 0; value < 256; value++) {
			memcpy(damaged, good, sizeof good);
			damaged[at] = (uint8_t)value;
			(void)store_extent_row_parse(key, sizeof key, damaged,
			    sizeof damaged, &row);
		}
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(articles_of_a_batch_share_a_row_and_come_back_whole),
		TEST(an_operation_reads_what_its_own_batch_put),
		TEST(each_article_of_a_row_can_be_deleted),
		TEST(many_articles_of_a_row_can_be_deleted_at_once),
		TEST(an_article_of_the_same_batch_can_be_deleted),
		TEST(a_replaced_article_is_the_new_one),
		TEST(a_batch_that_is_given_up_leaves_nothing_to_the_next),
		TEST(an_article_can_come_back_under_an_old_id),
		cmocka_unit_test(no_damage_to_a_row_goes_beyond_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
