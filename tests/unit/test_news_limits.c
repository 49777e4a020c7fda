/* test_news_limits.c - what a client from elsewhere may do without TLS, how
 * many it may be, and how long a session waits for it.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/config.h"
#include "daemon/news/server.h"
#include "daemon/stream_impl.h"
#include "daemon/tls.h"
#include "tests/unit/certificate.h"
#include "tests/unit/news_check.h"

static int
setup(void **state)
{
	static const struct fixture_space spaces[] = {
		SPACE_FOR_ANYONE("talk"),
	};

	(void)state;
	if (news_open_with(&fixture, spaces, 1) != 0)
		return -1;
	certificate_contexts("news.example", &fixture.tls, NULL);
	return fixture_peer_add(&fixture, "feeder", "pw", "*");
}

/* Like one that comes over the network. */
static void
open_from_afar(struct client *client)
{
	struct stream *theirs = client_connect(client, fixture.loop);

	theirs->loopback = false;
	news_session_new(fixture.server, 0, theirs, false);
	(void)client_wait(client, "\r\n");
}

static void
a_password_in_the_clear_is_refused_from_afar(void **state)
{
	static const struct answer answers[] = {
		{ "AUTHINFO USER feeder", "483 *" },
		{ "AUTHINFO PASS pw", "483 *" },
		{ "AUTHINFO SASL PLAIN AGZlZWRlcgBwdw==", "483 *" },
		{ "GROUP talk", "211 *" },
	};
	struct client client;
	const char *text;

	(void)state;
	open_from_afar(&client);
	check_answers(&client, answers, ARRAY_LEN(answers));
	text = client_ask(&client, "CAPABILITIES");
	contains(text, "\r\nAUTHINFO SASL\r\n");
	contains(text, "\r\nSASL SCRAM-SHA-256\r\n");
	client_close(&client);
}

static void
where_tls_is_required_nothing_is_said_before_it(void **state)
{
	static const struct answer answers[] = {
		{ "GROUP talk", "483 *" },
		{ "DATE", "483 *" },
		{ "POST", "483 *" },
		{ "AUTHINFO SASL SCRAM-SHA-256", "483 *" },
		{ "COMPRESS DEFLATE", "483 *" },
		{ "CHECK <a@b.example>", "483 *" },
		{ "NONSENSE", "500 *" },
		{ "MODE READER", "200 *" },
	};
	struct client client;
	const char *text;

	(void)state;
	fixture.config->tls_required = true;
	open_from_afar(&client);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		buffer_clear(&client.text);
		client_send(&client, answers[i].line);
		client_send(&client, "\r\n");
		text = client_wait(&client, "\r\n");
		assert_memory_equal(text, answers[i].answer, 4);
	}
	buffer_clear(&client.text);
	client_send(&client,
	    "TAKETHIS <a@b.example>\r\nFrom: x\r\n\r\nQUIT\r\n.\r\n");
	begins(client_wait(&client, "\r\n"), "483 ");
	buffer_clear(&client.text);
	client_send(&client, "CAPABILITIES\r\n");
	text = client_wait(&client, "\r\n.\r\n");
	contains(text, "\r\nSTARTTLS\r\n");
	lacks(text, "READER");
	lacks(text, "SASL");
	buffer_clear(&client.text);
	client_send(&client, "STARTTLS\r\n");
	begins(client_wait(&client, "\r\n"), "382 ");
	client_close(&client);
	/* who is on the same machine needs none */
	client_open_greeted(&fixture, &client);
	begins(client_ask(&client, "GROUP talk"), "211 ");
	client_close(&client);
	fixture.config->tls_required = false;
}

static void
an_ipv6_network_of_64_bits_is_one_address(void **state)
{
	struct news_address *one, *two, *three, *far;

	(void)state;
	fixture.config->connections_per_address = 2;
	assert_true(news_address_enter(fixture.server, "2001:db8::1", &one));
	assert_true(
	    news_address_enter(fixture.server, "2001:db8::ffff:2", &two));
	assert_false(
	    news_address_enter(fixture.server, "2001:db8:0:0:8::3", &three));
	assert_true(
	    news_address_enter(fixture.server, "2001:db8:0:1::1", &far));
	news_address_leave(fixture.server, &one);
	assert_true(news_address_enter(fixture.server, "2001:db8::9", &one));
	news_address_leave(fixture.server, &one);
	news_address_leave(fixture.server, &two);
	news_address_leave(fixture.server, &far);
	fixture.config->connections_per_address = 0;
}

/* ---- time: each ends by itself, and nothing is said */

static struct stream *
open_waiting(struct client *client)
{
	struct config *config = fixture.config;
	struct stream *theirs = client_connect(client, fixture.loop);

	config->command_timeout = 180;
	config->idle_timeout = 600;
	config->article_timeout = 3600;
	config->session_timeout = 86400;
	news_session_new(fixture.server, 0, theirs, false);
	begins(client_wait(client, "\r\n"), "200 ");
	return theirs;
}

/* As if so many seconds had gone by for this stream. */
static void
pass(struct client *client, struct stream *theirs, unsigned seconds)
{
	uint64_t ms = seconds * UINT64_C(1000);

	client_settle(client->loop);
	theirs->last -= ms;
	if (theirs->deadline != 0)
		theirs->deadline -= ms;
	event_active(&theirs->timer, EV_TIMEOUT, 0);
	client_settle(client->loop);
}

/* It ends in this second, not in the one before. */
static void
check_end(struct client *client, struct stream *theirs, unsigned seconds)
{
	buffer_clear(&client->text);
	pass(client, theirs, seconds - 2);
	assert_non_null(client->stream);
	pass(client, theirs, 3);
	assert_null(client->stream);
	assert_string_equal(buffer_text(&client->text), "");
	client_close(client);
	assert_int_equal(news_server_sessions(fixture.server), 0);
}

static void
who_says_nothing_is_not_waited_for(void **state)
{
	struct client client;
	struct stream *theirs;

	(void)state;
	theirs = open_waiting(&client);
	check_end(&client, theirs, 180);
	theirs = open_waiting(&client);
	begins(client_ask(&client, "HELP"), "100 ");
	check_end(&client, theirs, 600);
}

static void
a_line_that_drips_has_to_end(void **state)
{
	struct client client;
	struct stream *theirs;

	(void)state;
	theirs = open_waiting(&client);
	begins(client_ask(&client, "HELP"), "100 ");
	client_send(&client, "G");
	for (int i = 0; i < 10; i++) {
		pass(&client, theirs, 10);
		client_send(&client, "R");
	}
	check_end(&client, theirs, 80);
}

static void
whole_lines_may_come_slowly_for_long(void **state)
{
	struct client client;
	struct stream *theirs;

	(void)state;
	theirs = open_waiting(&client);
	for (int i = 0; i < 4; i++) {
		client_send(&client, "HE");
		pass(&client, theirs, 170);
		begins(client_ask(&client, "LP"), "100 ");
		pass(&client, theirs, 500);
	}
	check_end(&client, theirs, 100);
}

static void
an_article_has_to_end(void **state)
{
	struct client client;
	struct stream *theirs;

	(void)state;
	theirs = open_waiting(&client);
	client_send(&client, "POST\r\n");
	contains(client_wait(&client, "340 "), "340 ");
	for (int i = 0; i < 35; i++) {
		pass(&client, theirs, 100);
		client_send(&client, "X-Y: z\r\n");
	}
	check_end(&client, theirs, 100);
}

static void
a_session_has_to_end(void **state)
{
	struct client client;
	struct stream *theirs;

	(void)state;
	theirs = open_waiting(&client);
	for (int i = 0; i < 860; i++) {
		pass(&client, theirs, 100);
		begins(client_ask(&client, "HELP"), "100 ");
	}
	check_end(&client, theirs, 400);
}

static void
a_handshake_has_to_end(void **state)
{
	struct client client;
	struct stream *theirs;

	(void)state;
	fixture.config->command_timeout = 180;
	theirs = client_connect_socket(&client, fixture.loop, fixture.tls);
	news_session_new(fixture.server, 0, theirs, true);
	/* the beginning of a record, octet by octet */
	client_send_bytes(&client, "\x16\x03\x01", 3);
	pass(&client, theirs, 100);
	client_send_bytes(&client, "\x02", 1);
	check_end(&client, theirs, 80);
	theirs = client_connect_socket(&client, fixture.loop, NULL);
	news_session_new(fixture.server, 0, theirs, false);
	client_send(&client, "HELP\r\nSTARTTLS\r\n");
	(void)client_wait(&client, "382 ");
	check_end(&client, theirs, 180);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_in_the_clear_is_refused_from_afar),
		cmocka_unit_test(
		    where_tls_is_required_nothing_is_said_before_it),
		cmocka_unit_test(an_ipv6_network_of_64_bits_is_one_address),
		cmocka_unit_test(who_says_nothing_is_not_waited_for),
		cmocka_unit_test(a_line_that_drips_has_to_end),
		cmocka_unit_test(whole_lines_may_come_slowly_for_long),
		cmocka_unit_test(an_article_has_to_end),
		cmocka_unit_test(a_session_has_to_end),
		cmocka_unit_test(a_handshake_has_to_end),
	};

	return cmocka_run_group_tests(tests, setup, news_teardown);
}
