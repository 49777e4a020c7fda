/* test_news_feed.c - CHECK, TAKETHIS and MODE STREAM (RFC 4644).
 */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "daemon/community/peers.h"
#include "daemon/news/session.h"
#include "tests/unit/news_check.h"

static int
setup(void **state)
{
	static const struct fixture_space spaces[] = {
		SPACE_FOR_ANYONE("acme.open"),
		SPACE_FOR_STAFF("inner.staff"),
	};

	(void)state;
	return news_open_with(&fixture, spaces, ARRAY_LEN(spaces)) != 0 ||
	    fixture_peer_add(&fixture, "feeder", "pw", "acme.*") != 0;
}

struct rate {
	struct store_op op;
	unsigned rate;
};

/* An operation that keeps the writer busy until the gate is opened. */
struct block {
	struct store_op op;
	sem_t gate, gone;
};

static void
log_in(struct client *client)
{
	client_send(client, "AUTHINFO USER feeder\r\nAUTHINFO PASS pw\r\n");
	contains(client_wait(client, "\r\n281 "), "\r\n281 ");
	buffer_clear(&client->text);
}

static void
open_peer(struct client *client)
{
	client_open(&fixture, client);
	log_in(client);
}

#define ARTICLE(id, group)                                                   \
 "Path: c.example!not-for-mail\r\nFrom: a@c.example\r\nNewsgroups: " group   \
 "\r\nSubject: fed\r\nDate: Tue, 17 Nov 2026 10:00:00 +0000\r\nMessage-ID: " \
 "<" id "@c.example>\r\n\r\nx\r\n"
#define TAKETHIS(id, group) \
 "TAKETHIS <" id "@c.example>\r\n" ARTICLE(id, group) ".\r\n"

static void
streaming_is_offered_to_peers_only(void **state)
{
	struct client client;

	(void)state;
	client_open(&fixture, &client);
	lacks(client_ask(&client, "CAPABILITIES"), "STREAMING");
	begins(client_ask(&client, "MODE STREAM"), "203 ");
	begins(client_ask(&client, "MODE STREAM now"), "501 ");
	begins(client_ask(&client, "CHECK <x@c.example>"), "480 ");
	client_close(&client);
	open_peer(&client);
	contains(client_ask(&client, "CAPABILITIES"), "\r\nSTREAMING\r\n");
	client_close(&client);
}

static void
check_says_what_is_wanted(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	open_peer(&client);
	client_send(&client, TAKETHIS("known", "acme.open"));
	begins(client_wait(&client, "\r\n"), "239 <known@c.example> ");
	begins(client_ask(&client, "CHECK <new@c.example>"),
	    "238 <new@c.example>\r\n");
	begins(client_ask(&client, "CHECK <known@c.example>"),
	    "438 <known@c.example>\r\n");
	begins(client_ask(&client, "CHECK known"), "438 known\r\n");
	begins(client_ask(&client, "CHECK"), "501 ");
	text = client_ask(&client, "CHECK <a@c.example> <b@c.example>");
	begins(text, "501 ");
	client_close(&client);
}

static void
answers_come_in_the_order_of_the_commands(void **state)
{
	static const char *const wanted[] = { "239 <o1@c.example> ",
		"439 <o2@c.example> ", "238 <o3@c.example>\r\n",
		"239 <o4@c.example> ", "439 <o1@c.example> Already here",
		"439 nothing\r\n", "439 <o5@c.example> ", "501 ",
		"223 0 <o4@c.example>", "205 " };
	struct client client;
	const char *at;

	(void)state;
	open_peer(&client);
	client_send(&client,
	    TAKETHIS("o1",
		"acme.open") "TAKETHIS <o2@c.example>\r\n"
			     "Subject: nothing else\r\n\r\nx\r\n.\r\n"
			     "CHECK <o3@c.example>\r\n");
	client_send(&client,
	    TAKETHIS("o4", "acme.open")
		TAKETHIS("o1", "acme.open") "TAKETHIS nothing\r\n" ARTICLE("o4",
		    "acme.open") ".\r\n");
	client_send(&client,
	    TAKETHIS("o5", "inner.staff") "CHECK\r\n"
					  "STAT <o4@c.example>\r\nQUIT\r\n");
	at = client_wait_end(&client);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		begins(at, wanted[i]);
		at = strchr(at, '\n') + 1;
	}
	assert_string_equal(at, "");
	client_close(&client);
}

static void
a_refused_article_is_read_to_its_end(void **state)
{
	struct client client;

	(void)state;
	client_open(&fixture, &client);
	(void)client_wait(&client, "\r\n");
	buffer_clear(&client.text);
	client_send(&client,
	    "TAKETHIS <r@c.example>\r\nDATE\r\n..\r\nQUIT\r\n.\r\n");
	begins(client_wait(&client, "\r\n"), "480 ");
	begins(client_ask(&client, "STAT <r@c.example>"), "430 ");
	buffer_clear(&client.text);
	client_send(&client, "TAKETHIS\r\nDATE\r\nQUIT\r\n.\r\n");
	begins(client_wait(&client, "\r\n"), "501 ");
	buffer_clear(&client.text);
	client_send(&client, "TAKETHIS <r@c.example> \x01\r\nQUIT\r\n.\r\n");
	begins(client_wait(&client, "\r\n"), "501 ");
	begins(client_ask(&client, "STAT <r@c.example>"), "430 ");
	client_close(&client);
}

/* RFC 4644 2.5: the article comes whatever the line was like. */
static void
an_article_behind_a_line_that_is_too_long_is_no_command(void **state)
{
	static const char nul[] =
	    "TAKETHIS <n\0n@c.example>\r\nQUIT\r\n.\r\n";
	static const char bare[] =
	    "TAKETHIS <n\rn@c.example>\r\nQUIT\r\n.\r\n";
	struct client client;
	char text[2000];

	(void)state;
	open_peer(&client);
	/* wherever it is cut */
	for (int len = 490; len < 530; len++) {
		(void)snprintf(text, sizeof text,
		    "takethis <%0*d@c.example>\r\nQUIT\r\n..\r\n.\r\n", len,
		    1);
		client_send(&client, text);
		begins(client_wait(&client, "\r\n"), "501 ");
		buffer_clear(&client.text);
	}
	for (size_t i = 0; text[i] != '\0'; i++) {
		client_send_bytes(&client, text + i, 1);
		fixture_turn(&fixture);
	}
	begins(client_wait(&client, "\r\n"), "501 ");
	begins(client_ask(&client, "STAT <x@c.example>"), "430 ");
	buffer_clear(&client.text);
	client_send_bytes(&client, nul, sizeof nul - 1);
	begins(client_wait(&client, "\r\n"), "501 ");
	buffer_clear(&client.text);
	client_send_bytes(&client, bare, sizeof bare - 1);
	begins(client_wait(&client, "\r\n"), "501 ");
	begins(client_ask(&client, "STAT <x@c.example>"), "430 ");
	client_close(&client);
}

/* RFC 4644 2.4.2, RFC 3977 6.3.2 */
static void
what_another_connection_brings_is_not_wanted_now(void **state)
{
	struct client one, two;

	(void)state;
	open_peer(&one);
	open_peer(&two);
	begins(client_ask(&one, "CHECK <w@c.example>"), "238 ");
	begins(client_ask(&one, "CHECK <w@c.example>"), "238 ");
	begins(client_ask(&two, "CHECK <w@c.example>"),
	    "431 <w@c.example>\r\n");
	begins(client_ask(&two, "IHAVE <w@c.example>"), "436 ");
	/* who does not send it after all loses his turn */
	clock_advance(fixture.clock, 60);
	begins(client_ask(&two, "CHECK <w@c.example>"), "238 ");
	begins(client_ask(&one, "CHECK <w@c.example>"), "431 ");
	/* nor keeps it from the others by asking again and again */
	clock_advance(fixture.clock, 29);
	begins(client_ask(&two, "CHECK <w@c.example>"), "238 ");
	clock_advance(fixture.clock, 2);
	begins(client_ask(&two, "CHECK <w@c.example>"), "238 ");
	begins(client_ask(&one, "CHECK <w@c.example>"), "238 ");
	/* the answers were advice; who sends it first has sent it */
	buffer_clear(&one.text);
	client_send(&one, TAKETHIS("w", "acme.open"));
	begins(client_wait(&one, "\r\n"), "239 ");
	begins(client_ask(&two, "CHECK <w@c.example>"), "438 ");
	/* and what was refused is free again */
	begins(client_ask(&one, "CHECK <v@c.example>"), "238 ");
	buffer_clear(&one.text);
	client_send(&one, "TAKETHIS <v@c.example>\r\n\rx\r\n.\r\n");
	begins(client_wait(&one, "\r\n"), "439 ");
	begins(client_ask(&two, "CHECK <v@c.example>"), "238 ");
	/* an article that is still coming in */
	buffer_clear(&one.text);
	client_send(&one, "TAKETHIS <u@c.example>\r\nSubject: x\r\n");
	fixture_turn(&fixture);
	begins(client_ask(&two, "CHECK <u@c.example>"), "431 ");
	client_send(&one, ".\r\n");
	begins(client_wait(&one, "\r\n"), "439 ");
	client_close(&one);
	client_close(&two);
}

static void
what_a_connection_that_ended_was_to_send_is_wanted_of_others(void **state)
{
	struct client one, two;

	(void)state;
	open_peer(&one);
	open_peer(&two);
	begins(client_ask(&one, "CHECK <t@c.example>"), "238 ");
	begins(client_ask(&two, "CHECK <t@c.example>"), "431 ");
	client_close(&one);
	begins(client_ask(&two, "CHECK <t@c.example>"), "238 ");
	client_close(&two);
}

/* The feeder's articles a minute. */
static int
rate_apply(struct store_txn *txn, struct store_op *op)
{
	struct rate *rate = (struct rate *)(void *)op;
	struct peers *peers = community_peers(fixture.community);
	struct auth_verifier ignored;
	uint32_t id = peers_by_login(peers, "feeder", &ignored);
	struct store_key key = store_key_u32(id);
	ProtobufCMessage *message = NULL;
	int rc = store_get(store_txn_reader(txn), STORE_PEERS, &key, &message);

	if (rc != 0)
		return rc;
	((Kith__Peer *)(void *)message)->rate = rate->rate;
	rc = store_put(txn, STORE_PEERS, &key, message);
	if (rc == 0)
		rc = peers_publish(peers, txn, id,
		    (Kith__Peer *)(void *)message);
	protobuf_c_message_free_unpacked(message, NULL);
	return rc;
}

static void
set_rate(unsigned articles)
{
	struct rate rate = { .op = { .apply = rate_apply }, .rate = articles };

	assert_int_equal(store_run(fixture.store, &rate.op), 0);
}

static void
what_is_sent_too_fast_is_read_in_the_next_minute(void **state)
{
	struct client one, two;

	(void)state;
	set_rate(2);
	open_peer(&one);
	open_peer(&two);
	client_send(&one,
	    TAKETHIS("f1", "acme.open") TAKETHIS("f2", "acme.open")
		TAKETHIS("f3", "acme.open") "CHECK <f4@c.example>\r\n"
		TAKETHIS("f5", "acme.open"));
	contains(client_wait(&one, "239 <f2@c.example>"), "239 <f2@");
	fixture_turn(&fixture);
	lacks(buffer_text(&one.text), "f3");
	/* nothing of it is here; who asks first is put off */
	begins(client_ask(&two, "STAT <f3@c.example>"), "430 ");
	begins(client_ask(&two, "CHECK <f6@c.example>"), "431 ");
	buffer_clear(&one.text);
	clock_advance(fixture.clock, 60);
	begins(client_wait(&one, "239 <f5@c.example>"),
	    "239 <f3@c.example>");
	contains(buffer_text(&one.text), "238 <f4@c.example>");
	/* another limit counts at once */
	buffer_clear(&one.text);
	client_send(&one, TAKETHIS("f7", "acme.open"));
	fixture_turn(&fixture);
	assert_string_equal(buffer_text(&one.text), "");
	set_rate(0);
	begins(client_wait(&one, "239 <f7@c.example>"), "239 ");
	set_rate(2);
	client_send(&one, TAKETHIS("f8", "acme.open"));
	fixture_turn(&fixture);
	client_close(&one);
	set_rate(0);
	while (news_server_sessions(fixture.server) > 1)
		begins(client_ask(&two, "HELP"), "100 ");
	begins(client_ask(&two, "STAT <f8@c.example>"), "223 ");
	client_close(&two);
}

static void
an_article_over_the_limit_is_refused_for_good(void **state)
{
	struct client client;
	char line[1000];

	(void)state;
	open_peer(&client);
	client_send(&client, "TAKETHIS <big@c.example>\r\n");
	memset(line, 'x', sizeof line);
	memcpy(line + sizeof line - 2, "\r\n", 2);
	for (int i = 0; i < 100; i++)
		client_send_bytes(&client, line, sizeof line);
	client_send(&client, ".\r\n");
	begins(client_wait(&client, "\r\n"), "439 <big@c.example> Too large");
	client_close(&client);
}

#define MANY 600

static void
more_articles_than_may_be_at_the_door_all_get_in(void **state)
{
	struct client client;
	char text[512], wanted[64];
	const char *at;

	(void)state;
	/* sockets: both sides are ahead of each other */
	client_open_socket(&fixture, &client, false);
	log_in(&client);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(text, sizeof text,
		    "TAKETHIS <m%d@c.example>\r\n"
		    "Path: c.example!not-for-mail\r\nFrom: a@c.example\r\n"
		    "Newsgroups: acme.open\r\nSubject: fed\r\n"
		    "Date: Tue, 17 Nov 2026 10:00:00 +0000\r\n"
		    "Message-ID: <m%d@c.example>\r\n\r\nx\r\n.\r\n",
		    i, i);
		client_send(&client, text);
	}
	client_send(&client, "QUIT\r\n");
	at = client_wait_end(&client);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(wanted, sizeof wanted, "239 <m%d@c.example> ",
		    i);
		begins(at, wanted);
		at = strchr(at, '\n') + 1;
	}
	begins(at, "205 ");
	client_close(&client);
}

static int
block_apply(struct store_txn *txn, struct store_op *op)
{
	struct block *block = (struct block *)(void *)op;

	(void)txn;
	(void)sem_wait(&block->gate);
	return 0;
}

static void
block_done(struct store_op *op, int result)
{
	struct block *block = (struct block *)(void *)op;

	(void)result;
	(void)sem_post(&block->gone);
}

static void
articles_at_the_door_share_one_bound_of_memory(void **state)
{
	struct block block = { .op = { .apply = block_apply,
				   .done = block_done } };
	struct news_server *server = fixture.server;
	size_t max = server->post_bytes_max;
	struct client client;
	struct session *s;
	char text[512];
	unsigned owed;
	size_t bytes;

	(void)state;
	assert_int_equal(sem_init(&block.gate, 0, 0), 0);
	assert_int_equal(sem_init(&block.gone, 0, 0), 0);
	open_peer(&client);
	s = LIST_FIRST(&server->loops[0].sessions);
	server->post_bytes_max = 8192;
	store_submit(fixture.store, &block.op);
	for (int i = 0; i < 30; i++) {
		(void)snprintf(text, sizeof text, TAKETHIS("b%d", "acme.open"),
		    i, i);
		client_send(&client, text);
	}
	fixture_turn(&fixture);
	owed = s->feed.count;
	bytes = atomic_load(&server->post_bytes);
	(void)sem_post(&block.gate);
	/* it waits for its own answers, and nothing is refused */
	assert_true(owed > 0 && owed < 30);
	assert_true(bytes > 0 && bytes <= 8192);
	(void)client_wait(&client, "239 <b29@c.example>");
	lacks(buffer_text(&client.text), "400 ");
	begins(client_ask(&client, "STAT <b29@c.example>"), "223 ");
	assert_int_equal(atomic_load(&server->post_bytes), 0);
	server->post_bytes_max = max;
	client_close(&client);
	(void)sem_wait(&block.gone);
	(void)sem_destroy(&block.gate);
	(void)sem_destroy(&block.gone);
}

static void
a_session_may_die_while_articles_are_at_the_door(void **state)
{
	struct client client;
	struct session *s;
	time_t start = time(NULL);

	(void)state;
	open_peer(&client);
	s = LIST_FIRST(&fixture.server->loops[0].sessions);
	client_send(&client,
	    TAKETHIS("d1", "acme.open")
		TAKETHIS("d2", "acme.open") "CHECK <d3@c.example>\r\n");
	for (int i = 0; i < 1000 && s->feed.count == 0 && s->posted == 0; i++)
		(void)loop_turn(fixture.loop);
	client_close(&client);
	client_open(&fixture, &client);
	while (strncmp(client_ask(&client, "STAT <d2@c.example>"), "223", 3) !=
		0 &&
	    time(NULL) < start + 10)
		continue;
	begins(client_ask(&client, "STAT <d1@c.example>"), "223 ");
	begins(client_ask(&client, "STAT <d2@c.example>"), "223 ");
	assert_int_equal(news_server_sessions(fixture.server), 1);
	client_close(&client);
}

static void
a_peer_that_closes_its_side_is_answered_first(void **state)
{
	static const char said[] =
	    "AUTHINFO USER feeder\r\nAUTHINFO PASS pw\r\n" TAKETHIS("q1",
		"acme.open") TAKETHIS("q2", "acme.open");
	char *text;

	(void)state;
	say_and_close(said, &text);
	contains(text, "\r\n239 <q1@c.example> ");
	contains(text, "\r\n239 <q2@c.example> ");
	free(text);
	assert_int_equal(news_server_sessions(fixture.server), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streaming_is_offered_to_peers_only),
		cmocka_unit_test(check_says_what_is_wanted),
		cmocka_unit_test(answers_come_in_the_order_of_the_commands),
		cmocka_unit_test(a_refused_article_is_read_to_its_end),
		cmocka_unit_test(
		    an_article_behind_a_line_that_is_too_long_is_no_command),
		cmocka_unit_test(
		    what_another_connection_brings_is_not_wanted_now),
		cmocka_unit_test(
		    what_a_connection_that_ended_was_to_send_is_wanted_of_others),
		cmocka_unit_test(
		    what_is_sent_too_fast_is_read_in_the_next_minute),
		cmocka_unit_test(an_article_over_the_limit_is_refused_for_good),
		cmocka_unit_test(
		    more_articles_than_may_be_at_the_door_all_get_in),
		cmocka_unit_test(articles_at_the_door_share_one_bound_of_memory),
		cmocka_unit_test(
		    a_session_may_die_while_articles_are_at_the_door),
		cmocka_unit_test(a_peer_that_closes_its_side_is_answered_first),
	};

	return cmocka_run_group_tests(tests, setup, news_teardown);
}
