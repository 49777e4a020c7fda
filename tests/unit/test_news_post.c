/* test_news_post.c - POST and IHAVE through the one door.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "daemon/news/session.h"
#include "tests/unit/news_check.h"

static int
setup(void **state)
{
	static const struct fixture_space spaces[] = {
		SPACE_FOR_ANYONE("acme.open"),
		SPACE_FOR_STAFF("acme.staff"),
	};

	(void)state;
	return news_open_with(&fixture, spaces, ARRAY_LEN(spaces));
}

#define HEADER(id, group)                                \
 "From: an@members.example\r\nNewsgroups: " group "\r\n" \
 "Subject: Hello\r\nMessage-ID: <" id "@b.example>\r\n\r\n"

static void
an_article_is_posted_and_read_back(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	text = client_post(&client,
	    HEADER("one", "acme.open") "..dot\r\nend\r\n.\r\n");
	begins(text, "240 ");
	text = client_ask(&client, "ARTICLE <one@b.example>");
	begins(text, "220 0 <one@b.example>\r\n");
	contains(text, "\r\nXref: news.example acme.open:1\r\n");
	contains(text, "\r\n\r\n..dot\r\nend\r\n.\r\n");
	contains(client_ask(&client, "GROUP acme.open"),
	    "211 1 1 1 acme.open\r\n");
	text = client_ask(&client, "OVER 1");
	contains(text, "\r\n1\tHello\tan@members.example\t");
	client_close(&client);
}

static void
what_is_wrong_with_an_article_is_said(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	text = client_post(&client,
	    "From: an@members.example\r\n"
	    "Newsgroups: acme.open\r\n\r\nno subject\r\n.\r\n");
	begins(text, "441 ");
	contains(text, "Subject");
	text = client_post(&client, HEADER("cr", "acme.open") "a\rb\r\n.\r\n");
	begins(text, "441 ");
	contains(text, "CR");
	text =
	    client_post(&client, HEADER("lf", "acme.open") "a\n.\nb\r\n.\r\n");
	begins(text, "441 ");
	contains(text, "LF");
	text = client_post(&client, ".\r\n");
	begins(text, "441 ");
	begins(client_ask(&client, "GROUP x"), "411 ");
	client_close(&client);
}

static void
a_hidden_newsgroup_is_refused_like_an_unknown_one(void **state)
{
	struct client client;
	char hidden[512];
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	text = client_post(&client, HEADER("h", "acme.staff") "x\r\n.\r\n");
	(void)snprintf(hidden, sizeof hidden, "%s", text);
	begins(text, "441 ");
	text = client_post(&client, HEADER("u", "acme.nobody") "x\r\n.\r\n");
	begins(text, "441 ");
	assert_int_equal(strncmp(hidden, text, 20), 0);
	client_close(&client);
}

static void
an_article_over_the_limit_is_refused_and_the_connection_lives(void **state)
{
	struct client client;
	char line[1000];

	(void)state;
	client_open_greeted(&fixture, &client);
	client_send(&client, "POST\r\n");
	client_send(&client, HEADER("big", "acme.open"));
	memset(line, 'x', sizeof line);
	memcpy(line + sizeof line - 2, "\r\n", 2);
	for (int i = 0; i < 100; i++)
		client_send_bytes(&client, line, sizeof line);
	client_send(&client, ".\r\n");
	contains(client_wait(&client, "\r\n441 "), "\r\n441 ");
	begins(client_ask(&client, "STAT <big@b.example>"), "430 ");
	client_close(&client);
}

static void
commands_behind_a_post_wait_for_its_answer(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	buffer_clear(&client.text);
	client_send(&client,
	    "POST\r\n" HEADER("pipe",
		"acme.open") "x\r\n.\r\n"
			     "STAT <pipe@b.example>\r\nDATE\r\n");
	text = client_wait(&client, "\r\n111 ");
	begins(text, "340 ");
	contains(text, "\r\n240 ");
	assert_true(strstr(text, "\r\n240 ") <
	    strstr(text, "\r\n223 0 <pipe@b.example>\r\n111 "));
	client_close(&client);
}

static void
a_session_may_die_while_its_post_is_under_way(void **state)
{
	struct client client;
	struct session *s;
	time_t start = time(NULL);

	(void)state;
	client_open_greeted(&fixture, &client);
	client_send(&client,
	    "POST\r\n" HEADER("die", "acme.open") "x\r\n.\r\n");
	s = LIST_FIRST(&fixture.server->loops[0].sessions);
	for (int i = 0; i < 1000 && !s->waiting && s->posted == 0; i++)
		(void)loop_turn(fixture.loop);
	client_close(&client);
	client_open_greeted(&fixture, &client);
	client_send(&client, "POST\r\n" HEADER("half", "acme.open") "x\r\n");
	fixture_turn(&fixture);
	client_close(&client);
	fixture_turn(&fixture);
	/* the first was whole: it is stored though nobody was told */
	client_open_greeted(&fixture, &client);
	/* what is on disk can be read before its session hears of it */
	while ((strncmp(client_ask(&client, "STAT <die@b.example>"), "223",
		    3) != 0 ||
		   news_server_sessions(fixture.server) > 1) &&
	    time(NULL) < start + 10)
		continue;
	begins(client_ask(&client, "STAT <die@b.example>"), "223");
	begins(client_ask(&client, "STAT <half@b.example>"), "430");
	assert_int_equal(news_server_sessions(fixture.server), 1);
	client_close(&client);
}

static void
a_reader_is_no_peer(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	begins(client_ask(&client, "IHAVE <x@b.example>"), "480 ");
	client_close(&client);
}

/* A peer is known by its address, and people may post from that host. */
static void
what_a_peer_posts_is_a_post(void **state)
{
	struct client client;

	(void)state;
	assert_int_equal(fixture_peer_add(&fixture, "poster", "pw", "acme.*"),
	    0);
	client_open_greeted(&fixture, &client);
	client_send(&client, "AUTHINFO USER poster\r\nAUTHINFO PASS pw\r\n");
	contains(client_wait(&client, "\r\n281 "), "\r\n281 ");
	buffer_clear(&client.text);
	client_send(&client, "POST\r\n");
	begins(client_wait(&client, "\r\n"), "340 ");
	buffer_clear(&client.text);
	client_send(&client,
	    "From: a@c.example\r\nNewsgroups: acme.open\r\n"
	    "Subject: no Path, no Date\r\n\r\nx\r\n.\r\n");
	begins(client_wait(&client, "\r\n"), "240 ");
	client_close(&client);
}

static void
a_peer_that_logs_in_feeds_its_spaces(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	assert_int_equal(fixture_peer_add(&fixture, "feeder", "pw", "acme.*"),
	    0);
	client_open_greeted(&fixture, &client);
	client_send(&client, "AUTHINFO USER feeder\r\nAUTHINFO PASS pw\r\n");
	contains(client_wait(&client, "\r\n281 "), "\r\n281 ");
	contains(client_ask(&client, "CAPABILITIES"), "\r\nIHAVE\r\n");
	text = client_ask(&client, "IHAVE <one@b.example>");
	begins(text, "435 ");
	buffer_clear(&client.text);
	client_send(&client, "IHAVE <fed@c.example>\r\n");
	begins(client_wait(&client, "\r\n"), "335 ");
	buffer_clear(&client.text);
	client_send(&client,
	    "Path: c.example!not-for-mail\r\n"
	    "From: a@c.example\r\nNewsgroups: acme.open\r\nSubject: fed\r\n"
	    "Date: Tue, 17 Nov 2026 10:00:00 +0000\r\n"
	    "Message-ID: <fed@c.example>\r\n\r\nx\r\n.\r\n");
	begins(client_wait(&client, "\r\n"), "235 ");
	text = client_ask(&client, "IHAVE <fed@c.example>");
	begins(text, "435 ");
	buffer_clear(&client.text);
	client_send(&client, "IHAVE <bad@c.example>\r\n");
	begins(client_wait(&client, "\r\n"), "335 ");
	buffer_clear(&client.text);
	client_send(&client, "Subject: nothing else\r\n\r\nx\r\n.\r\n");
	begins(client_wait(&client, "\r\n"), "437 ");
	client_close(&client);
}

static void
a_client_that_closes_its_side_is_answered_first(void **state)
{
	static const char said[] =
	    "POST\r\n" HEADER("q", "acme.open") "x\r\n.\r\n"
						"STAT <q@b.example>\r\n";
	char *text;

	(void)state;
	say_and_close(said, &text);
	contains(text, "\r\n240 ");
	contains(text, "\r\n223 0 <q@b.example>");
	free(text);
	assert_int_equal(news_server_sessions(fixture.server), 0);
}

static void
articles_that_come_in_share_one_bound_of_memory(void **state)
{
	size_t max = fixture.server->post_bytes_max;
	struct client many;

	(void)state;
	client_open_greeted(&fixture, &many);
	fixture.server->post_bytes_max = 2000;
	buffer_clear(&many.text);
	client_send(&many, "POST\r\n");
	begins(client_wait(&many, "\r\n"), "340 ");
	for (unsigned i = 0; i < 100; i++)
		client_send(&many,
		    "0123456789012345678901234567890123456789"
		    "01234567890123456789012345678901234567\r\n");
	fixture_turn(&fixture);
	buffer_clear(&many.text);
	client_send(&many, ".\r\n");
	begins(client_wait(&many, "\r\n"), "441 ");
	contains(buffer_text(&many.text), "try again");
	/* what it held is given back */
	assert_int_equal(atomic_load(&fixture.server->post_bytes), 0);
	fixture.server->post_bytes_max = max;
	client_close(&many);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    articles_that_come_in_share_one_bound_of_memory),
		cmocka_unit_test(an_article_is_posted_and_read_back),
		cmocka_unit_test(what_is_wrong_with_an_article_is_said),
		cmocka_unit_test(
		    a_hidden_newsgroup_is_refused_like_an_unknown_one),
		cmocka_unit_test(
		    an_article_over_the_limit_is_refused_and_the_connection_lives),
		cmocka_unit_test(commands_behind_a_post_wait_for_its_answer),
		cmocka_unit_test(a_session_may_die_while_its_post_is_under_way),
		cmocka_unit_test(a_reader_is_no_peer),
		cmocka_unit_test(what_a_peer_posts_is_a_post),
		cmocka_unit_test(a_peer_that_logs_in_feeds_its_spaces),
		cmocka_unit_test(
		    a_client_that_closes_its_side_is_answered_first),
	};

	return cmocka_run_group_tests(tests, setup, news_teardown);
}
