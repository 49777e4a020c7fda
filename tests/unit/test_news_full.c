/* test_news_full.c - reading where the cache of objects is full, and an article
 * is read from its file time after time: by number, while it changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/cache.h"
#include "store/private.h"
#include "tests/unit/news_check.h"

#define ARTICLES 40u

static uint32_t talk, other;

static void
fill_cache(void)
{
	struct store_cache *cache = store_objects(fixture.store);
	struct store_object *object;

	for (uint64_t i = 0; !store_cache_is_full(cache); i++) {
		object = store_object_new(cache, 50000);
		assert_non_null(object);
		store_cache_put(cache,
		    (struct store_cache_key){ STORE_CACHE_BLOCK, 1, i },
		    UINT64_MAX, object);
		store_object_unref(object);
	}
}

static bool
spot_is_kept(uint32_t number)
{
	struct store_cache_key key = { STORE_CACHE_SPOTS, 0,
		(uint64_t)talk << 32 | number / 16 };
	struct store_object *object =
	    store_cache_get(store_objects(fixture.store), key, UINT64_MAX);

	store_object_unref(object);
	return object != NULL;
}

static int
setup(void **state)
{
	static const struct fixture_space spaces[] = {
		SPACE_FOR_ANYONE("acme.talk"), SPACE_FOR_ANYONE("acme.other")
	};
	struct fixture_article article = { .subject = "x" };
	char id[64];

	(void)state;
	if (news_open_with(&fixture, spaces, ARRAY_LEN(spaces)) != 0)
		return -1;
	talk = 1;
	other = 2;
	article.message_id = id;
	for (unsigned i = 1; i <= ARTICLES; i++) {
		(void)snprintf(id, sizeof id, "<%u@a.example>", i);
		article.spaces[0] = talk;
		article.spaces[1] = i % 8 == 0 ? other : 0;
		if (fixture_article_add(&fixture, &article) != i)
			return -1;
	}
	fill_cache();
	return 0;
}

static void
check_article(struct client *client, unsigned number)
{
	char line[64], status[128], xref[128];
	const char *text;

	(void)snprintf(line, sizeof line, "ARTICLE %u", number);
	(void)snprintf(status, sizeof status, "220 %u <%u@a.example>\r\n",
	    number, number);
	(void)snprintf(xref, sizeof xref,
	    number % 8 == 0 ? "Xref: news.example acme.talk:%u acme.other:%u"
			      "\r\n"
			    : "Xref: news.example acme.talk:%u\r\n",
	    number, number / 8);
	text = client_ask(client, line);
	begins(text, status);
	contains(text, xref);
	contains(text, "\r\n.\r\n");
}

static void
an_article_is_the_same_each_time(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	begins(client_ask(&client, "GROUP acme.talk"), "211 40 1 40 ");
	for (unsigned round = 0; round < 8; round++)
		for (unsigned i = 1; i <= ARTICLES; i++)
			check_article(&client, i);
	assert_true(spot_is_kept(1));
	assert_true(spot_is_kept(ARTICLES));
	client_close(&client);
}

static void
one_that_goes_is_gone_and_its_neighbours_stay(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	begins(client_ask(&client, "GROUP acme.talk"), "211 40 1 40 ");
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 17; i < 32; i++)
			check_article(&client, i);
	assert_true(spot_is_kept(17));
	fixture_number_remove(&fixture, talk, 20);
	for (unsigned round = 0; round < 3; round++) {
		begins(client_ask(&client, "ARTICLE 20"), "423 ");
		begins(client_ask(&client, "STAT 20"), "423 ");
		for (unsigned i = 17; i < 32; i++)
			if (i != 20)
				check_article(&client, i);
	}
	client_close(&client);
}

static void
check_by_id(struct client *client, unsigned number)
{
	char line[64];
	const char *text;

	(void)snprintf(line, sizeof line, "ARTICLE <%u@a.example>", number);
	text = client_ask(client, line);
	begins(text, "220 0 <");
	contains(text, "\r\n.\r\n");
}

/* Where it was there is no file any more. */
static void
what_was_moved_is_read_where_it_is_now(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	begins(client_ask(&client, "GROUP acme.talk"), "211 ");
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned round = 0; round < 3; round++) {
			for (unsigned i = 1; i < 20; i++) {
				check_article(&client, i);
				check_by_id(&client, i);
			}
		}
		assert_true(spot_is_kept(1));
		assert_int_equal(store_sweep(fixture.store, STORE_SWEEP_ALL,
				     NULL, NULL),
		    0);
		store_sweep_remove(fixture.store, true);
	}
	client_close(&client);
}

static bool
part_is_kept(uint64_t artid)
{
	struct store_blob *blob;
	bool kept =
	    store_article_part_cached(fixture.store, artid, 1, &blob) == 0;

	store_blob_unref(blob);
	return kept;
}

static void
a_long_article_that_is_asked_for_once_drives_nothing_out(void **state)
{
	char received[40000] = "Subject: long\r\n\r\n";
	struct fixture_article article = { .message_id = "<long@a.example>",
		.subject = "long",
		.received = received,
		.spaces = { talk } };
	struct client client;
	uint64_t artid = ARTICLES + 1;
	unsigned asked = 0;

	(void)state;
	for (size_t at = strlen(received); at + 80 < sizeof received; at += 80)
		(void)snprintf(received + at, 81, "%078zu\r\n", at);
	assert_int_equal(fixture_article_add(&fixture, &article), artid);
	client_open_greeted(&fixture, &client);
	begins(client_ask(&client, "GROUP acme.talk"), "211 ");
	do {
		contains(client_ask(&client, "ARTICLE 41"), "\r\n.\r\n");
		asked++;
	} while (asked < 20 && !part_is_kept(artid));
	/* who is asked for again has his turn */
	assert_in_range(asked, 2, 19);
	client_close(&client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_article_is_the_same_each_time),
		cmocka_unit_test(what_was_moved_is_read_where_it_is_now),
		cmocka_unit_test(one_that_goes_is_gone_and_its_neighbours_stay),
		cmocka_unit_test(
		    a_long_article_that_is_asked_for_once_drives_nothing_out),
	};

	return cmocka_run_group_tests(tests, setup, news_teardown);
}
