/* test_news_compress.c - COMPRESS DEFLATE (RFC 8054) as sessions have it.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/certificate.h"
#include "tests/unit/news_check.h"

static int
setup(void **state)
{
	static const struct fixture_space spaces[] = {
		SPACE_FOR_ANYONE("talk"),
		SPACE_FOR_ANYONE("big"),
	};

	(void)state;
	if (news_open_with(&fixture, spaces, ARRAY_LEN(spaces)) != 0)
		return -1;
	certificate_contexts("news.example", &fixture.tls, NULL);
	return fixture_member_add(&fixture, "ann", "pw",
		   KITH__ROLE__ROLE_MEMBER) != 0 ||
	    fixture_rows_add(&fixture, 2, 20000) != 0;
}

static void
compress(struct client *client)
{
	buffer_clear(&client->text);
	client_send(client, "COMPRESS deflate\r\n");
	begins(client_wait(client, "\r\n"), "206 ");
	assert_int_equal(
	    stream_start_deflate(client->stream, span_make("", 0)), 0);
}

static void
what_can_follow_compress_is_shown(void **state)
{
	static const struct answer before[] = {
		{ "COMPRESS", "501 *" },
		{ "COMPRESS DEF.LATE", "501 *" },
		{ "COMPRESS DEFLATE-DEFLATE-DEFLATE", "501 *" },
		{ "COMPRESS SHRINK", "503 *" },
	};
	static const struct answer after[] = {
		{ "COMPRESS DEFLATE", "502 *" },
		{ "COMPRESS SHRINK", "502 *" },
		{ "COMPRESS DEF.LATE", "501 *" },
		{ "STARTTLS", "502 *" },
		{ "AUTHINFO USER ann", "502 *" },
		{ "AUTHINFO PASS pw", "502 *" },
		{ "AUTHINFO SASL PLAIN", "502 *" },
		{ "STAT 1", "412 *" },
	};
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	check_answers(&client, before, ARRAY_LEN(before));
	text = client_ask(&client, "CAPABILITIES");
	contains(text, "\r\nCOMPRESS DEFLATE\r\n");
	contains(text, "\r\nSTARTTLS\r\n");
	compress(&client);
	check_answers(&client, after, ARRAY_LEN(after));
	text = client_ask(&client, "CAPABILITIES");
	lacks(text, "COMPRESS");
	lacks(text, "STARTTLS");
	lacks(text, "AUTHINFO");
	contains(text, "\r\nREADER\r\n");
	client_close(&client);
}

static void
a_login_comes_before_compress(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	client_send(&client, "AUTHINFO USER ann\r\nAUTHINFO PASS pw\r\n");
	(void)client_wait(&client, "281 ");
	contains(client_ask(&client, "CAPABILITIES"), "COMPRESS DEFLATE");
	compress(&client);
	begins(client_ask(&client, "GROUP talk"), "211 ");
	client_close(&client);
}

static void
long_answers_and_posts_cross_packed(void **state)
{
	struct client client;
	size_t plain;

	(void)state;
	client_open_greeted(&fixture, &client);
	begins(client_ask(&client, "GROUP big"), "211 20000 1 20000 big");
	begins(client_ask(&client, "OVER 1-20000"), "224 ");
	plain = client.text.len;
	compress(&client);
	begins(client_ask(&client, "OVER 1-20000"), "224 ");
	assert_int_equal(client.text.len, plain);
	begins(client_ask(&client, "GROUP talk"), "211 ");
	buffer_clear(&client.text);
	begins(client_post(&client,
		   "From: ann@members.example\r\nNewsgroups: talk\r\n"
		   "Subject: packed\r\n\r\nText.\r\n.\r\n"),
	    "240 ");
	client_send(&client, "QUIT\r\n");
	contains(client_wait_end(&client), "205 ");
	client_close(&client);
}

static void
what_is_not_packed_ends_the_connection(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	/* behind the command, before its answer */
	client_send(&client, "COMPRESS DEFLATE\r\nGROUP talk\r\nDATE\r\n");
	lacks(client_wait_end(&client), "211 ");
	client_close(&client);
	assert_int_equal(news_server_sessions(fixture.server), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_follow_compress_is_shown),
		cmocka_unit_test(a_login_comes_before_compress),
		cmocka_unit_test(long_answers_and_posts_cross_packed),
		cmocka_unit_test(what_is_not_packed_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, setup, news_teardown);
}
