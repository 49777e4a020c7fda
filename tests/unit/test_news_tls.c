/* test_news_tls.c - STARTTLS and implicit TLS (RFC 4642, RFC 8143).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/tls.h"
#include "tests/unit/certificate.h"
#include "tests/unit/news_check.h"

static struct ssl_ctx_st *client_tls;

static int
setup(void **state)
{
	static const struct fixture_space space = SPACE_FOR_ANYONE("talk");
	struct fixture_article article = { .message_id = "<1@b.example>",
		.subject = "one" };

	(void)state;
	if (news_open_with(&fixture, &space, 1) != 0)
		return -1;
	article.spaces[0] = 1;
	certificate_contexts("news.example", &fixture.tls, &client_tls);
	return fixture_article_add(&fixture, &article) != 1;
}

static int
teardown(void **state)
{
	(void)state;
	tls_free(&client_tls);
	news_fixture_close(&fixture);
	return 0;
}

static void
starttls_forgets_what_was_said_in_plain(void **state)
{
	struct client client;

	(void)state;
	client_open_socket(&fixture, &client, false);
	begins(client_wait(&client, "\r\n"), "200 ");
	contains(client_ask(&client, "CAPABILITIES"), "\r\nSTARTTLS\r\n");
	begins(client_ask(&client, "GROUP talk"), "211 ");
	begins(client_ask(&client, "AUTHINFO USER an"), "381 ");
	buffer_clear(&client.text);
	/* HELP comes in plain behind it, and is dropped */
	client_send(&client, "STARTTLS\r\nHELP\r\n");
	begins(client_wait(&client, "\r\n"), "382 ");
	assert_int_equal(stream_connect_tls(client.stream, client_tls,
			     "news.example"),
	    0);
	fixture_turn(&fixture);
	begins(client_ask(&client, "STAT"), "412 ");
	assert_true(stream_is_tls(client.stream));
	begins(client_ask(&client, "AUTHINFO PASS x"), "482 ");
	begins(client_ask(&client, "STARTTLS"), "502 ");
	lacks(client_ask(&client, "CAPABILITIES"), "STARTTLS");
	begins(client_ask(&client, "STAT <1@b.example>"), "223 0");
	client_close(&client);
}

static void
implicit_tls_greets_behind_the_handshake(void **state)
{
	struct client client;

	(void)state;
	client_open_socket(&fixture, &client, true);
	fixture_turn(&fixture);
	assert_int_equal(client.text.len, 0);
	assert_int_equal(stream_connect_tls(client.stream, client_tls,
			     "news.example"),
	    0);
	begins(client_wait(&client, "\r\n"), "200 ");
	begins(client_ask(&client, "GROUP talk"), "211 1 1 1");
	lacks(client_ask(&client, "CAPABILITIES"), "STARTTLS");
	begins(client_ask(&client, "STARTTLS"), "502 ");
	client_close(&client);
}

static void
what_is_no_handshake_ends_the_connection(void **state)
{
	struct client client;

	(void)state;
	client_open_socket(&fixture, &client, false);
	(void)client_wait(&client, "\r\n");
	client_send(&client, "STARTTLS\r\n");
	(void)client_wait(&client, "382 ");
	client_send(&client, "GROUP talk\r\n");
	(void)client_wait_end(&client);
	assert_null(client.stream);
	client_close(&client);
	assert_int_equal(news_server_sessions(fixture.server), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starttls_forgets_what_was_said_in_plain),
		cmocka_unit_test(implicit_tls_greets_behind_the_handshake),
		cmocka_unit_test(what_is_no_handshake_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
