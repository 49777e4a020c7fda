/* test_store_article.c - articles in parts, their heads, and their cache.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LONG_LEN 50000u

static struct store_article_head
head_example(void)
{
	struct store_article_head head = { .flags = STORE_ARTICLE_STUFFED,
		.added_len = 90,
		.received_len = LONG_LEN,
		.header_len = 500,
		.hidden_news_count = 2,
		.hidden_news = { { 10, 20 }, { 30, 5 } },
		.hidden_mail_count = 1,
		.hidden_mail = { { 499, 1 } } };

	return head;
}

struct article {
	uint64_t artid;
	struct store_article_head head;
	uint8_t *bytes;
};

static int
article_put(struct store_txn *txn, void *arg)
{
	const struct article *article = arg;

	return store_article_put(txn, article->artid, &article->head,
	    article->bytes, article->bytes + article->head.added_len);
}

static int
article_delete(struct store_txn *txn, void *arg)
{
	return store_article_delete(txn, ((const struct article *)arg)->artid);
}

static uint8_t *
bytes_new(size_t len)
{
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i % 251);
	return bytes;
}

static void
a_long_article_comes_back_whole(void **state)
{
	struct fixture *fixture = *state;
	struct article article = { 1, head_example(),
		bytes_new(LONG_LEN + 90) };
	struct store_article_head head;
	struct store_stats stats;
	struct store_view *view;
	uint8_t *bytes;
	size_t len;

	assert_int_equal(fixture_run(fixture, article_put, &article), 0);
	view = store_view_begin(fixture->store);
	assert_int_equal(store_article_get(store_view_reader(view), 1, 100000,
			     &head, &bytes, &len),
	    0);
	assert_int_equal(len, LONG_LEN + 90);
	assert_memory_equal(bytes, article.bytes, len);
	assert_int_equal(head.flags, STORE_ARTICLE_STUFFED);
	assert_int_equal(head.header_len, 500);
	assert_int_equal(head.hidden_news_count, 2);
	assert_int_equal(head.hidden_news[1].offset, 30);
	assert_int_equal(head.hidden_news[1].len, 5);
	assert_int_equal(head.hidden_mail[0].offset, 499);
	free(bytes);
	assert_int_equal(store_article_get(store_view_reader(view), 1, 100,
			     &head, &bytes, &len),
	    -EFBIG);
	store_view_end(&view);
	store_stats_get(fixture->store, &stats);
	assert_int_equal(stats.articles, 1);
	free(article.bytes);
}

static int
part_len(struct fixture *fixture, uint64_t artid, uint16_t part)
{
	struct store_view *view = store_view_begin(fixture->store);
	struct store_blob *blob;
	int rc =
	    store_article_part_get(store_view_reader(view), artid, part, &blob);

	store_view_end(&view);
	if (rc != 0)
		return rc;
	rc = (int)store_blob_len(blob);
	store_blob_unref(blob);
	return rc;
}

static void
a_deleted_or_shortened_article_leaves_no_part_behind(void **state)
{
	const uint16_t whole = LONG_LEN / STORE_PART_MAX;
	struct fixture *fixture = *state;
	struct article article = { 1, head_example(),
		bytes_new(LONG_LEN + 90) };
	struct store_blob *blob;
	struct store_stats stats;

	assert_int_equal(fixture_run(fixture, article_delete, &article),
	    -ENOENT);
	assert_int_equal(fixture_run(fixture, article_put, &article), 0);
	for (uint16_t part = 0; part < whole; part++)
		assert_int_equal(part_len(fixture, 1, part), STORE_PART_MAX);
	assert_true(part_len(fixture, 1, whole) > 0);
	assert_int_equal(part_len(fixture, 1, whole + 1), -ENOENT);
	assert_int_equal(store_article_part_cached(fixture->store, 1, 2, &blob),
	    0);
	store_blob_unref(blob);
	/* As redact does. */
	article.head.received_len = 600;
	assert_int_equal(fixture_run(fixture, article_put, &article), 0);
	assert_int_equal(store_article_part_cached(fixture->store, 1, 0, &blob),
	    -ENOENT);
	assert_int_equal(store_article_part_cached(fixture->store, 1, 2, &blob),
	    -ENOENT);
	assert_true(part_len(fixture, 1, 0) > 690);
	assert_int_equal(part_len(fixture, 1, 1), -ENOENT);
	assert_int_equal(fixture_run(fixture, article_delete, &article), 0);
	assert_int_equal(part_len(fixture, 1, 0), -ENOENT);
	assert_int_equal(store_article_part_cached(fixture->store, 1, 0, &blob),
	    -ENOENT);
	store_stats_get(fixture->store, &stats);
	assert_int_equal(stats.articles, 0);
	free(article.bytes);
}

static void
the_cached_part_is_the_part(void **state)
{
	struct fixture *fixture = *state;
	struct article article = { 1, head_example(),
		bytes_new(LONG_LEN + 90) };
	struct store_article_head head;
	struct store_blob *blob;

	article.head.received_len = 600;
	assert_int_equal(fixture_run(fixture, article_put, &article), 0);
	assert_int_equal(store_article_part_cached(fixture->store, 1, 0, &blob),
	    -ENOENT);
	assert_true(part_len(fixture, 1, 0) > 0);
	assert_int_equal(store_article_part_cached(fixture->store, 1, 0, &blob),
	    0);
	assert_int_equal(store_article_head_parse(blob, &head), 0);
	assert_int_equal(store_blob_len(blob) - head.data_offset, 690);
	assert_memory_equal(store_blob_bytes(blob) + head.data_offset,
	    article.bytes, 690);
	store_blob_unref(blob);
	free(article.bytes);
}

static void
a_head_that_contradicts_itself_is_refused(void **state)
{
	struct store_article_head head = head_example();

	(void)state;
	assert_int_equal(store_head_check(&head), 0);
	head.header_len = LONG_LEN + 1;
	assert_int_equal(store_head_check(&head), -EINVAL);
	head = head_example();
	head.hidden_news[1].offset = 29; /* overlaps */
	assert_int_equal(store_head_check(&head), -EINVAL);
	head = head_example();
	head.hidden_mail[0].len = 2; /* past the header */
	assert_int_equal(store_head_check(&head), -EINVAL);
	head = head_example();
	head.hidden_mail[0] = (struct store_range){ UINT32_MAX, UINT32_MAX };
	assert_int_equal(store_head_check(&head), -EINVAL);
	head = head_example();
	head.hidden_news_count = STORE_HIDDEN_MAX + 1;
	assert_int_equal(store_head_check(&head), -EINVAL);
	head = head_example();
	head.received_len = UINT32_MAX;
	assert_int_equal(store_head_check(&head), -EINVAL);
}

static void
no_damage_to_a_head_goes_beyond_an_error(void **state)
{
	struct store_article_head head = head_example(), parsed;
	uint8_t bytes[STORE_HEAD_MAX + 40], damaged[STORE_HEAD_MAX + 40];
	size_t len;

	(void)state;
	head.added_len = 10;
	head.received_len = 30;
	head.header_len = 30;
	head.hidden_news_count = 1;
	head.hidden_mail_count = 0;
	len = store_head_encode(&head, bytes);
	memset(bytes + len, 'x', 40);
	len += 40;
	assert_int_equal(store_head_parse(bytes, len, &parsed), 0);
	assert_int_equal(parsed.data_offset, len - 40);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(store_head_parse(bytes, cut, &parsed),
		    -EBADMSG);
	for (size_t at = 0; at < len - 40; at++)
		for (unsigned value = 0; value < 256; value++) {
			memcpy(damaged, bytes, len);
			damaged[at] = (uint8_t)value;
			if (store_head_parse(damaged, len, &parsed) == 0)
				assert_int_equal(store_head_check(&parsed), 0);
		}
}

/* One octet in the middle of the second part. */
static void
part_spoil(struct fixture *fixture)
{
	const uint64_t at = STORE_FRAME_HEAD + STORE_PART_MAX + 5000;
	uint8_t octet;

	assert_int_equal(store_segment_read(fixture->store->segments, 1, at,
			     &octet, 1),
	    0);
	octet ^= 1;
	assert_int_equal(store_segment_write(fixture->store->segments, 1, at,
			     &octet, 1),
	    0);
}

static void
an_article_with_a_wrong_part_is_not_given_out(void **state)
{
	struct fixture *fixture = *state;
	struct article article = { 1, head_example(),
		bytes_new(LONG_LEN + 90) };
	struct store_article_head head;
	struct store_view *view;
	uint8_t *bytes;
	size_t len;

	assert_int_equal(fixture_run(fixture, article_put, &article), 0);
	part_spoil(fixture);
	view = store_view_begin(fixture->store);
	assert_int_equal(store_article_get(store_view_reader(view), 1, 100000,
			     &head, &bytes, &len),
	    -EBADMSG);
	store_view_end(&view);
	free(article.bytes);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_long_article_comes_back_whole),
		TEST(a_deleted_or_shortened_article_leaves_no_part_behind),
		TEST(the_cached_part_is_the_part),
		cmocka_unit_test(a_head_that_contradicts_itself_is_refused),
		cmocka_unit_test(no_damage_to_a_head_goes_beyond_an_error),
		TEST(an_article_with_a_wrong_part_is_not_given_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
