/* test_store_overview.c - numbers, water marks, overview rows and blocks.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPACE 3u

static int
append_many(struct store_txn *txn, void *arg)
{
	const unsigned *count = arg;
	struct store_overview_row row = { .bytes = 10, .lines = 2 };
	char text[64];
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < *count; i++) {
		row.artid = 1000 + i;
		row.time = i;
		(void)snprintf(text, sizeof text, "\tsubject %u\r\n", i);
		row.text = text;
		row.text_len = strlen(text);
		rc = store_overview_append(txn, SPACE, &row);
	}
	return rc;
}

static void
append(struct fixture *fixture, unsigned count)
{
	assert_int_equal(fixture_run(fixture, append_many, &count), 0);
}

static int
delete_number(struct store_txn *txn, void *arg)
{
	return store_overview_delete(txn, SPACE, *(const uint32_t *)arg);
}

static int
number_delete(struct fixture *fixture, uint32_t number)
{
	return fixture_run(fixture, delete_number, &number);
}

static void
assert_state(struct fixture *fixture, uint32_t low, uint32_t high,
    uint32_t count)
{
	struct store_view *view = store_view_begin(fixture->store);
	struct store_space_state seen, published;

	assert_int_equal(store_space_state_get(store_view_reader(view), SPACE,
			     &seen),
	    0);
	store_view_end(&view);
	assert_true(
	    store_space_state_published(fixture->store, SPACE, &published));
	assert_int_equal(seen.low, low);
	assert_int_equal(seen.high, high);
	assert_int_equal(seen.count, count);
	assert_int_equal(seen.bytes, count * 10);
	assert_int_equal(published.low, low);
	assert_int_equal(published.high, high);
	assert_int_equal(published.count, count);
	assert_int_equal(published.bytes, count * 10);
}

static void
marks_follow_appends_and_deletes(void **state)
{
	struct fixture *fixture = *state;

	fixture_space(fixture, SPACE);
	assert_state(fixture, 1, 0, 0); /* RFC 3977 6.1.1.2: high = low - 1 */
	append(fixture, 5);
	assert_state(fixture, 1, 5, 5);
	assert_int_equal(number_delete(fixture, 2), 0);
	assert_state(fixture, 1, 5, 4);
	assert_int_equal(number_delete(fixture, 1), 0);
	assert_state(fixture, 3, 5, 3); /* over the hole */
	assert_int_equal(number_delete(fixture, 5), 0);
	assert_state(fixture, 3, 5, 2); /* high stays */
	assert_int_equal(number_delete(fixture, 5), -ENOENT);
	fixture_reopen(fixture);
	assert_state(fixture, 3, 5, 2);
	assert_int_equal(number_delete(fixture, 3), 0);
	assert_int_equal(number_delete(fixture, 4), 0);
	assert_state(fixture, 6, 5, 0);
	append(fixture, 1);
	assert_state(fixture, 6, 6, 1); /* 5 is not given again */
}

static void
a_space_without_a_state_takes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct store_space_state seen;
	unsigned one = 1;

	assert_int_equal(fixture_run(fixture, append_many, &one), -ENOENT);
	assert_false(store_space_state_published(fixture->store, SPACE, &seen));
	assert_false(
	    store_space_state_published(fixture->store, UINT32_MAX, &seen));
}

static struct store_block *
block_get(struct fixture *fixture, uint32_t number)
{
	struct store_view *view = store_view_begin(fixture->store);
	struct store_block *block;

	assert_int_equal(store_block_get(store_view_reader(view), SPACE, number,
			     &block),
	    0);
	store_view_end(&view);
	return block;
}

static void
blocks_hold_their_128_numbers_as_lines(void **state)
{
	struct fixture *fixture = *state;
	struct store_overview_row row;
	struct store_block *block;
	const char *lines;
	size_t len;

	fixture_space(fixture, SPACE);
	fixture_space(fixture, SPACE + 1);
	append(fixture, 300);
	assert_int_equal(number_delete(fixture, 130), 0);
	block = block_get(fixture, 0);
	assert_int_equal(store_block_count(block), 127); /* no number 0 */
	store_block_unref(block);
	block = block_get(fixture, 2);
	assert_int_equal(store_block_count(block), 45);
	store_block_unref(block);
	block = block_get(fixture, 3);
	assert_int_equal(store_block_count(block), 0);
	assert_string_equal(store_block_lines(block, 0, 9, &len), "");
	store_block_unref(block);
	block = block_get(fixture, 1);
	assert_int_equal(store_block_count(block), 127);
	assert_int_equal(store_block_find(block, 1), 0);
	assert_int_equal(store_block_find(block, 130), 2);
	assert_int_equal(store_block_find(block, 1000), 127);
	store_block_row(block, 2, &row);
	assert_int_equal(row.number, 131);
	assert_int_equal(row.artid, 1130);
	assert_int_equal(row.lines, 2);
	assert_int_equal(row.text_len, strlen("\tsubject 130\r\n"));
	assert_memory_equal(row.text, "\tsubject 130\r\n", row.text_len);
	lines = store_block_lines(block, 1, 3, &len);
	assert_int_equal(len,
	    strlen("129\tsubject 128\r\n131\tsubject 130\r\n"));
	assert_memory_equal(lines, "129\tsubject 128\r\n131\tsubject 130\r\n",
	    len);
	store_block_unref(block);
}

static int
append_long(struct store_txn *txn, void *arg)
{
	struct store_overview_row row = { .artid = 1, .bytes = 10 };
	char *text = malloc(STORE_TEXT_MAX + 1);
	int rc = 0;

	(void)arg;
	if (text == NULL)
		return -ENOMEM;
	memset(text, 'x', STORE_TEXT_MAX + 1);
	text[0] = '\t';
	memcpy(text + STORE_TEXT_MAX - 2, "\r\n", 2);
	row.text = text;
	row.text_len = STORE_TEXT_MAX;
	for (unsigned i = 0; rc == 0 && i < 10; i++)
		rc = store_overview_append(txn, SPACE, &row);
	row.text_len++;
	if (rc == 0 && store_overview_append(txn, SPACE, &row) != -EINVAL)
		rc = -EPROTO;
	free(text);
	return rc;
}

static void
rows_of_the_greatest_length_fit_in_a_block(void **state)
{
	struct fixture *fixture = *state;
	struct store_block *block;
	size_t len;

	fixture_space(fixture, SPACE);
	assert_int_equal(fixture_run(fixture, append_long, NULL), 0);
	block = block_get(fixture, 0);
	assert_int_equal(store_block_count(block), 10);
	(void)store_block_lines(block, 0, 10, &len);
	assert_int_equal(len, 10 * STORE_TEXT_MAX + 11);
	store_block_unref(block);
}

static int
replace_row(struct store_txn *txn, void *arg)
{
	const struct store_overview_row *row = arg;

	return store_overview_replace(txn, SPACE, row);
}

static void
a_replaced_row_is_seen_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct store_overview_row row = { .number = 2,
		.artid = 5,
		.bytes = 30,
		.flags = STORE_ROW_MULTI,
		.text = "\tnew\r\n",
		.text_len = 6 };
	struct store_overview_row seen;
	struct store_space_state space;
	struct store_block *block;
	struct store_view *view;
	char *copy;

	fixture_space(fixture, SPACE);
	append(fixture, 3);
	store_block_unref(block_get(fixture, 0));
	assert_int_equal(fixture_run(fixture, replace_row, &row), 0);
	assert_int_equal(store_block_cached(fixture->store, SPACE, 0, &block),
	    -ENOENT);
	block = block_get(fixture, 0);
	store_block_row(block, 1, &seen);
	assert_int_equal(seen.flags, STORE_ROW_MULTI);
	store_block_unref(block);
	view = store_view_begin(fixture->store);
	assert_int_equal(store_overview_get(store_view_reader(view), SPACE, 2,
			     &seen, &copy),
	    0);
	assert_int_equal(seen.number, 2);
	assert_memory_equal(seen.text, "\tnew\r\n", 6);
	free(copy);
	store_view_end(&view);
	assert_true(store_space_state_published(fixture->store, SPACE, &space));
	assert_int_equal(space.bytes, 50);
	row.number = 9;
	assert_int_equal(fixture_run(fixture, replace_row, &row), -ENOENT);
}

static void
text_that_is_not_one_line_is_refused(void **state)
{
	(void)state;
	assert_true(store_overview_text_ok("\tx\r\n", 4));
	assert_false(store_overview_text_ok("x\t\r\n", 4));
	assert_false(store_overview_text_ok("\tx\n", 3));
	assert_false(store_overview_text_ok("\tx\r", 3));
	assert_false(store_overview_text_ok("\tx\n\r\n", 5));
	assert_false(store_overview_text_ok("\tx\r\r\n", 5));
	assert_false(store_overview_text_ok("\tx\r\n.\r\n", 7));
	assert_false(store_overview_text_ok("\t\0\r\n", 4));
	assert_false(store_overview_text_ok("", 0));
}

static int
row_spoil(struct store_txn *txn, void *arg)
{
	struct store_key key = store_key_u32_u32(SPACE, 2);

	(void)arg;
	return store_row_put(txn, STORE_FILE_NUMBERS, key.bytes, key.len,
	    "garbage", 7);
}

static void
a_row_that_does_not_parse_is_an_error_not_a_crash(void **state)
{
	struct fixture *fixture = *state;
	struct store_overview_row row;
	struct store_block *block;
	struct store_view *view;
	char *copy;

	fixture_space(fixture, SPACE);
	append(fixture, 3);
	assert_int_equal(fixture_run(fixture, row_spoil, NULL), 0);
	view = store_view_begin(fixture->store);
	assert_int_equal(store_block_get(store_view_reader(view), SPACE, 0,
			     &block),
	    -EBADMSG);
	assert_int_equal(store_overview_get(store_view_reader(view), SPACE, 2,
			     &row, &copy),
	    -EBADMSG);
	store_view_end(&view);
	assert_int_equal(number_delete(fixture, 2), -EBADMSG);
}

static int
state_put(struct store_txn *txn, void *arg)
{
	return store_space_state_put(txn, SPACE, arg);
}

static void
a_state_that_contradicts_itself_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct store_space_state wrong[] = {
		{ .low = 0, .high = 0 },
		{ .low = 3, .high = 1 },
		{ .low = 1, .high = 3, .count = 4 },
		{ .low = 1, .high = 3, .count = 0 },
		{ .low = 4, .high = 3, .count = 1 },
		{ .low = 1, .high = UINT32_MAX, .count = 1 },
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(fixture_run(fixture, state_put, &wrong[i]),
		    -EINVAL);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(marks_follow_appends_and_deletes),
		TEST(a_space_without_a_state_takes_nothing),
		TEST(blocks_hold_their_128_numbers_as_lines),
		TEST(rows_of_the_greatest_length_fit_in_a_block),
		TEST(a_replaced_row_is_seen_at_once),
		cmocka_unit_test(text_that_is_not_one_line_is_refused),
		TEST(a_row_that_does_not_parse_is_an_error_not_a_crash),
		TEST(a_state_that_contradicts_itself_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
