/* fuzz_news_session.c - a whole NNTP session, from its first octet, over a pair
 * in memory. The store is made once and has an article or two.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tests/unit/news_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct news_fixture fixture;

static void
fixture_end(void)
{
	news_fixture_close(&fixture);
}

static void
fixture_begin(void)
{
	static const struct fixture_space space = { "acme.talk", "Talk",
		KITH__AUDIENCE__AUDIENCE_ANYONE,
		KITH__AUDIENCE__AUDIENCE_ANYONE,
		KITH__MODERATION__MODERATION_ALL, 1 };
	struct fixture_article article = { .message_id = "<1@b.example>",
		.subject = "one" };

	if (news_fixture_open(&fixture) != 0)
		abort();
	article.spaces[0] = fixture_space_add(&fixture, &space);
	if (article.spaces[0] == 0 ||
	    fixture_article_add(&fixture, &article) == 0)
		abort();
	article.message_id = "<2@b.example>";
	if (fixture_article_add(&fixture, &article) == 0 ||
	    atexit(fixture_end) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client client;

	if (fixture.server == NULL)
		fixture_begin();
	client_open(&fixture, &client);
	/* in two pieces, so that lines are cut anywhere */
	client_send_bytes(&client, data, size / 2);
	fixture_turn(&fixture);
	client_send_bytes(&client, data + size / 2, size - size / 2);
	client_send_bytes(&client, "\r\n.\r\nQUIT\r\n", 11);
	fixture_turn(&fixture);
	client_close(&client);
	return 0;
}
