/* test_news_long.c - answers longer than the output's room: constant memory,
 * slow readers, order, articles in many parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/news/session.h"
#include "tests/unit/news_check.h"

#define ROWS 100000u

static const uint32_t big = 1, parts = 2; /* spaces */

static int
setup(void **state)
{
	static const struct fixture_space spaces[] = {
		SPACE_FOR_ANYONE("big"),
		SPACE_FOR_ANYONE("parts"),
	};

	(void)state;
	if (news_open_with(&fixture, spaces, ARRAY_LEN(spaces)) != 0)
		return -1;
	return fixture_rows_add(&fixture, big, ROWS);
}

static void
open_in_big(struct client *client)
{
	client_open_greeted(&fixture, client);
	(void)client_ask(client, "GROUP big");
	buffer_clear(&client->text);
}

/* How much the server holds for its only client. */
static size_t
server_holds(void)
{
	struct session *s = LIST_FIRST(&fixture.server->loops[0].sessions);

	return s == NULL || s->stream == NULL ? 0 : stream_pending(s->stream);
}

/* Rows numbered from 1 behind the status line; 0 if one is missing. */
static unsigned
count_rows(const char *text)
{
	unsigned rows = 0;

	for (text = strchr(text, '\n'); text != NULL && text[1] != '.';
	     text = strchr(text + 1, '\n')) {
		if (strtoul(text + 1, NULL, 10) != rows + 1)
			return 0;
		rows++;
	}
	return rows;
}

static void
over_of_a_large_space_costs_the_server_a_bounded_buffer(void **state)
{
	struct client client;
	size_t most = 0, held;

	(void)state;
	open_in_big(&client);
	client_send(&client, "OVER 1-\r\nDATE\r\n");
	while (strstr(client.text.len < 24
		       ? ""
		       : client.text.bytes + client.text.len - 24,
		   "\r\n111 ") == NULL) {
		(void)loop_turn(fixture.loop);
		held = server_holds();
		most = held > most ? held : most;
	}
	assert_int_equal(count_rows(client.text.bytes), ROWS);
	assert_true(most <= 2 * STREAM_HIGH_WATER);
	client_close(&client);
}

static void
a_reader_that_stops_reading_costs_only_his_buffer(void **state)
{
	struct client slow, quick;

	(void)state;
	open_in_big(&slow);
	slow.limit = 1;
	client_send(&slow, "OVER 1-\r\nHDR Subject 1-\r\n");
	fixture_turn(&fixture);
	assert_in_range(server_holds(), 1, 2 * STREAM_HIGH_WATER);
	/* and others are served meanwhile */
	client_open(&fixture, &quick);
	(void)client_wait(&quick, "\r\n");
	contains(client_ask(&quick, "GROUP big"), "211 100000");
	client_close(&quick);
	slow.limit = 0;
	stream_resume(slow.stream);
	contains(client_wait(&slow, "\r\n225 "), "\r\n225 ");
	assert_int_equal(count_rows(slow.text.bytes), ROWS);
	client_close(&slow);
}

static void
a_reader_who_goes_away_in_the_middle_leaves_nothing(void **state)
{
	struct client client;

	(void)state;
	open_in_big(&client);
	client.limit = 1;
	client_send(&client, "OVER 1-\r\n");
	fixture_turn(&fixture);
	client_close(&client);
	fixture_turn(&fixture);
	assert_int_equal(news_server_sessions(fixture.server), 0);
}

static void
an_idle_session_is_small(void **state)
{
	(void)state;
	assert_in_range(sizeof(struct session), 64, 400);
}

static void
hdr_newnews_and_listgroup_are_whole(void **state)
{
	struct client client;

	(void)state;
	open_in_big(&client);
	assert_int_equal(count_rows(client_ask(&client, "HDR Message-ID 1-")),
	    ROWS);
	assert_int_equal(count_rows(client_ask(&client, "LISTGROUP")), ROWS);
	contains(client_ask(&client, "NEWNEWS big 20260101 000000"),
	    "<row.99000.999@example.org>\r\n.\r\n");
	client_close(&client);
}

static void
an_article_of_many_parts_comes_whole(void **state)
{
	static const char header[] = "Subject: long\r\n\r\n";
	size_t lines = 2000, len = sizeof header - 1;
	char *received = malloc(len + lines * 72 + 1);
	struct fixture_article article = { .message_id = "<long@b.example>",
		.subject = "long",
		.received = received,
		.spaces = { parts } };
	struct client client;
	const char *text, *at;

	(void)state;
	assert_non_null(received);
	memcpy(received, header, len);
	for (size_t i = 0; i < lines; i++)
		len += (size_t)snprintf(received + len, 72,
		    "line %05zu of some text that goes on for a while ......."
		    "\r\n",
		    i);
	assert_int_equal(fixture_article_add(&fixture, &article), 1);
	client_open(&fixture, &client);
	(void)client_wait(&client, "\r\n");
	(void)client_ask(&client, "GROUP parts");
	text = client_ask(&client, "BODY 1");
	at = strstr(text, "\r\n") + 2;
	assert_memory_equal(at, received + sizeof header - 1,
	    len - (sizeof header - 1));
	assert_string_equal(at + len - (sizeof header - 1), ".\r\n");
	text = client_ask(&client, "ARTICLE <long@b.example>");
	contains(text, "\r\nXref: news.example parts:1\r\n");
	contains(text, "line 01999 of");
	text = client_ask(&client, "HEAD 1");
	lacks(text, "line");
	client_close(&client);
	free(received);
}

static void
a_stop_tells_idle_sessions_and_lets_busy_ones_finish(void **state)
{
	struct client idle, busy, late;

	(void)state;
	open_in_big(&idle);
	open_in_big(&busy);
	busy.limit = 1;
	client_send(&busy, "OVER 1-\r\n");
	fixture_turn(&fixture);
	news_server_stop(fixture.server);
	contains(client_wait_end(&idle), "400 ");
	busy.limit = 0;
	stream_resume(busy.stream);
	contains(client_wait_end(&busy), "\r\n.\r\n400 ");
	assert_int_equal(count_rows(busy.text.bytes), ROWS);
	client_open(&fixture, &late);
	begins(client_wait_end(&late), "400 ");
	client_close(&idle);
	client_close(&busy);
	client_close(&late);
	assert_int_equal(news_server_sessions(fixture.server), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    over_of_a_large_space_costs_the_server_a_bounded_buffer),
		cmocka_unit_test(
		    a_reader_that_stops_reading_costs_only_his_buffer),
		cmocka_unit_test(
		    a_reader_who_goes_away_in_the_middle_leaves_nothing),
		cmocka_unit_test(an_idle_session_is_small),
		cmocka_unit_test(hdr_newnews_and_listgroup_are_whole),
		cmocka_unit_test(an_article_of_many_parts_comes_whole),
		cmocka_unit_test(
		    a_stop_tells_idle_sessions_and_lets_busy_ones_finish),
	};

	return cmocka_run_group_tests(tests, setup, news_teardown);
}
