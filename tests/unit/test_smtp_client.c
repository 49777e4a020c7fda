/* test_smtp_client.c - the way to the smarthost, against a server that follows a
 * script.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/loop.h"
#include "daemon/mail/smtp_pool.h"
#include "daemon/stream.h"
#include "protocol/buffer.h"

#define SERVERS_MAX 64u

/* One connection, as the server sees it. */
struct server {
	struct bench *bench;
	struct stream *stream;
	struct buffer heard; /* all of it */
	size_t line_at;
	bool in_data;
	bool gone;      /* it has closed: what comes is not read */
	unsigned login; /* AUTH LOGIN: how far */
};

struct bench {
	struct smtp_dialer dialer; /* first: it is its own dialer */
	struct config config;
	struct loop *loop;
	struct mail_transport *pool;
	struct server servers[SERVERS_MAX];
	unsigned server_count;
	const char *ehlo;
	const char *greeting;
	bool refuse_dial;
	bool drop_after_data;
	unsigned
	    drop_at_mail; /* this many connections end at their first MAIL */
	unsigned most_pipelined;
	smtp_dialed dialed;
	void *dialed_arg;

	struct mail_body *body;
	unsigned done;
	bool unreachable;
	char why[256];
	unsigned codes[MAIL_CHUNK_MAX];
	char text[256]; /* of the first */
};

/* ---- the server */

static void
server_say(struct server *server, const char *text)
{
	stream_printf(server->stream, "%s\r\n", text);
}

static void
server_rcpt(struct server *server, struct span line)
{
	if (span_starts(line, "RCPT TO:<later"))
		server_say(server, "450 4.2.1 greylisted");
	else if (span_starts(line, "RCPT TO:<never"))
		server_say(server, "550-5.1.1 no\r\n550 5.1.1 such user");
	else
		server_say(server, "250 2.1.5 ok");
}

static void
server_mail(struct server *server)
{
	if (server->bench->drop_at_mail > 0) {
		server->bench->drop_at_mail--;
		server->gone = true;
		stream_close(server->stream);
		return;
	}
	server_say(server, "250 2.1.0 ok");
}

static void
server_dot(struct server *server)
{
	server->in_data = false;
	server->gone = server->bench->drop_after_data;
	if (server->gone)
		stream_close(server->stream);
	else if (strstr(buffer_text(&server->heard) + server->line_at - 40,
		     "poison") != NULL)
		server_say(server, "554 5.7.1 content refused");
	else
		server_say(server, "250 2.0.0 queued");
}

static void
server_line(struct server *server, struct span line)
{
	if (server->in_data) {
		if (span_is(line, "."))
			server_dot(server);
	} else if (server->login > 0) {
		static const char *const said[] = { "", "334 UGFzc3dvcmQ6",
			"235 2.7.0 ok" };

		server_say(server, said[server->login]);
		server->login = server->login == 1 ? 2 : 0;
	} else if (span_starts(line, "EHLO ")) {
		server_say(server, server->bench->ehlo);
	} else if (span_starts(line, "MAIL ")) {
		server_mail(server);
	} else if (span_starts(line, "RCPT ")) {
		server_rcpt(server, line);
	} else if (span_is(line, "DATA")) {
		server->in_data = true;
		server_say(server, "354 go");
	} else if (span_starts(line, "AUTH PLAIN ")) {
		server_say(server, "235 2.7.0 ok");
	} else if (span_is(line, "AUTH LOGIN")) {
		server->login = 1;
		server_say(server, "334 VXNlcm5hbWU6");
	} else {
		server_say(server, "250 2.0.0 ok");
	}
}

static void
server_readable(void *arg)
{
	struct server *server = arg;
	struct span input = stream_input(server->stream);
	const char *end;
	unsigned lines = 0;

	buffer_append_span(&server->heard, input);
	stream_consume(server->stream, input.len);
	while (!server->gone &&
	    (end = strchr(buffer_text(&server->heard) + server->line_at,
		 '\n')) != NULL) {
		const char *start =
		    buffer_text(&server->heard) + server->line_at;

		server->line_at += (size_t)(end + 1 - start);
		if (!server->in_data)
			lines++;
		server_line(server,
		    span_trim(span_make(start, (size_t)(end - start))));
	}
	if (lines > server->bench->most_pipelined)
		server->bench->most_pipelined = lines;
}

static void
server_drained(void *arg)
{
	(void)arg;
}

static void
server_ended(void *arg, enum stream_end why)
{
	struct server *server = arg;

	(void)why;
	server->stream = NULL;
}

static const struct stream_handler server_handler = {
	.readable = server_readable,
	.drained = server_drained,
	.ended = server_ended,
};

/* ---- the dialer */

static void
dial_done(void *arg)
{
	struct bench *bench = arg;
	struct server *server;
	struct stream *client;

	if (bench->dialed == NULL)
		return; /* dropped */
	if (bench->refuse_dial) {
		bench->dialed(bench->dialed_arg, NULL, "Connection refused");
		return;
	}
	assert_true(bench->server_count < SERVERS_MAX);
	server = &bench->servers[bench->server_count++];
	server->bench = bench;
	buffer_init(&server->heard, 0);
	assert_int_equal(stream_new_pair(loop_base(bench->loop), &client,
			     &server->stream),
	    0);
	stream_set_handler(server->stream, &server_handler, server);
	server_say(server, bench->greeting);
	stream_flush(server->stream);
	bench->dialed(bench->dialed_arg, client, "");
}

static int
bench_dial(struct smtp_dialer *dialer, smtp_dialed dialed, void *arg)
{
	struct bench *bench = (void *)dialer;

	bench->dialed = dialed;
	bench->dialed_arg = arg;
	return loop_post(bench->loop, dial_done, bench);
}

static void
bench_dialer_free(struct smtp_dialer *dialer)
{
	struct bench *bench = (void *)dialer;

	bench->dialed = NULL;
}

static const struct smtp_dialer_methods bench_methods = { bench_dial,
	bench_dialer_free };

/* ---- the bench */

static const char plain_ehlo[] = "250-mx\r\n250 8BITMIME";
static const char full_ehlo[] =
    "250-mx\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 100000";

static void
bench_pool(struct bench *bench, struct span secret)
{
	struct smtp_pool_options options = {
		.config = &bench->config,
		.secret = secret,
	};

	bench->pool = smtp_pool_new(bench->loop, &options, &bench->dialer);
	assert_non_null(bench->pool);
}

static void
bench_start(struct bench *bench, const char *ehlo)
{
	static char name[] = "mx.example";

	memset(bench, 0, sizeof *bench);
	bench->dialer.methods = &bench_methods;
	bench->config.hostname = name;
	bench->config.smarthost_host = name;
	bench->config.smarthost_connections = 1;
	bench->ehlo = ehlo;
	bench->greeting = "220 sink";
	bench->loop = loop_new();
	bench->body =
	    mail_body_new(span_of("Subject: x\r\n\r\n..body\r\n"), NULL, NULL);
	bench_pool(bench, span_of(""));
}

static void
bench_settle(struct bench *bench)
{
	unsigned quiet = 0;

	while (quiet < 3)
		quiet = loop_turn(bench->loop) ? 0 : quiet + 1;
}

static void
bench_stop(struct bench *bench)
{
	unsigned i;

	if (bench->pool != NULL)
		bench->pool->methods->free(bench->pool);
	for (i = 0; i < bench->server_count; i++) {
		stream_free(&bench->servers[i].stream);
		buffer_fini(&bench->servers[i].heard);
	}
	mail_body_unref(&bench->body);
	loop_free(&bench->loop);
}

static void
chunk_done(void *arg, struct mail_chunk *chunk)
{
	struct bench *bench = arg;
	size_t i;

	bench->done++;
	bench->unreachable = chunk->unreachable;
	(void)snprintf(bench->why, sizeof bench->why, "%s", chunk->why);
	for (i = 0; i < chunk->count; i++)
		bench->codes[i] = chunk->deliveries[i].code;
	(void)snprintf(bench->text, sizeof bench->text, "%s",
	    chunk->deliveries[0].text == NULL ? "" : chunk->deliveries[0].text);
	mail_chunk_free(&chunk);
}

/* Sends to each of the recipients (up to NULL) and waits. */
static void
bench_send(struct bench *bench, const char *const *recipients)
{
	struct mail_chunk *chunk = mail_chunk_new(bench->body);

	for (; *recipients != NULL; recipients++)
		assert_true(
		    mail_chunk_add(chunk, span_of("v+b.token@lists.example"),
			span_of(*recipients), span_of("X-To: you\r\n")));
	chunk->done = chunk_done;
	chunk->arg = bench;
	bench->pool->methods->send(bench->pool, chunk);
	bench_settle(bench);
}

static const char *const three[] = { "a@x", "b@x", "c@x", NULL };

static void
heads_differ_and_the_body_is_shared(void **state)
{
	struct bench bench;

	(void)state;
	bench_start(&bench, full_ehlo);
	bench_send(&bench, three);
	assert_int_equal(bench.done, 1);
	assert_int_equal(bench.codes[0], 250);
	assert_int_equal(bench.codes[2], 250);
	assert_string_equal(bench.text, "2.0.0 queued");
	assert_int_equal(bench.server_count, 1);
	assert_non_null(strstr(buffer_text(&bench.servers[0].heard),
	    "MAIL FROM:<v+b.token@lists.example> SIZE=33\r\nRCPT TO:<a@x>\r\n"
	    "DATA\r\nX-To: you\r\nSubject: x\r\n\r\n..body\r\n.\r\n"
	    "MAIL FROM:<v+b.token@lists.example> SIZE=33\r\n"
	    "RCPT TO:<b@x>\r\nDATA\r\n"));
	assert_true(bench.most_pipelined >= 3);
	assert_int_equal(bench.body->references, 1);
	bench_stop(&bench);
}

static void
without_pipelining_one_command_goes_at_a_time(void **state)
{
	static const char *const mixed[] = { "a@x", "never@x", "b@x", NULL };
	struct bench bench;

	(void)state;
	bench_start(&bench, plain_ehlo);
	bench_send(&bench, mixed);
	assert_int_equal(bench.most_pipelined, 1);
	assert_int_equal(bench.codes[0], 250);
	assert_int_equal(bench.codes[1], 550);
	assert_int_equal(bench.codes[2], 250);
	assert_non_null(strstr(buffer_text(&bench.servers[0].heard),
	    "RCPT TO:<never@x>\r\nRSET\r\n"));
	bench_stop(&bench);
}

static void
each_recipient_has_the_reply_that_was_his(void **state)
{
	static const char *const mixed[] = { "never@x", "later@x", "c@x",
		"bad<@x", NULL };
	struct bench bench;

	(void)state;
	bench_start(&bench, full_ehlo);
	bench_send(&bench, mixed);
	assert_int_equal(bench.done, 1);
	assert_int_equal(bench.codes[0], 550);
	assert_string_equal(bench.text, "5.1.1 no\n5.1.1 such user");
	assert_int_equal(bench.codes[1], 450);
	assert_int_equal(bench.codes[2], 250);
	assert_int_equal(bench.codes[3], 553);
	bench_stop(&bench);
}

static void
a_refusal_after_data_is_the_recipients_reply(void **state)
{
	struct bench bench;

	(void)state;
	bench_start(&bench, full_ehlo);
	mail_body_unref(&bench.body);
	bench.body =
	    mail_body_new(span_of("Subject: poison\r\n\r\nx\r\n"), NULL, NULL);
	bench_send(&bench, three);
	assert_int_equal(bench.codes[0], 554);
	assert_string_equal(bench.text, "5.7.1 content refused");
	bench_stop(&bench);
}

static void
a_connection_lost_before_the_answer_leaves_the_recipient_open(void **state)
{
	struct bench bench;

	(void)state;
	bench_start(&bench, full_ehlo);
	bench.drop_after_data = true;
	bench_send(&bench, three);
	assert_int_equal(bench.done, 1);
	assert_int_equal(bench.codes[0], 0);
	assert_int_equal(bench.codes[2], 0);
	bench_stop(&bench);
}

static void
a_connection_that_ends_before_the_body_costs_nothing(void **state)
{
	static const char *const one[] = { "a@x", NULL };
	struct bench bench;

	(void)state;
	bench_start(&bench, full_ehlo);
	bench_send(&bench, one);
	assert_int_equal(bench.codes[0], 250);
	/* the server has lost patience with an idle connection */
	bench.drop_at_mail = 1;
	bench_send(&bench, one);
	assert_int_equal(bench.done, 2);
	assert_int_equal(bench.codes[0], 250);
	assert_int_equal(bench.server_count, 2);
	bench_stop(&bench);
}

static void
a_dead_smarthost_is_left_alone_until_flush(void **state)
{
	struct bench bench;

	(void)state;
	bench_start(&bench, full_ehlo);
	bench.refuse_dial = true;
	bench_send(&bench, three);
	assert_true(bench.unreachable);
	assert_string_equal(bench.why, "Connection refused");
	bench.refuse_dial = false;
	bench_send(&bench, three);
	assert_true(bench.unreachable);
	assert_int_equal(bench.server_count, 0);
	bench.pool->methods->flush(bench.pool);
	bench_send(&bench, three);
	assert_false(bench.unreachable);
	assert_int_equal(bench.codes[0], 250);
	bench_stop(&bench);
}

static void
a_greeting_that_refuses_is_why_nothing_was_tried(void **state)
{
	struct bench bench;

	(void)state;
	bench_start(&bench, full_ehlo);
	bench.greeting = "554 5.7.1 not you";
	bench_send(&bench, three);
	assert_true(bench.unreachable);
	assert_string_equal(bench.why, "greeting: 5.7.1 not you");
	assert_int_equal(bench.codes[0], 0);
	bench_stop(&bench);
}

static void
auth_is_said_as_the_server_knows_it(void **state)
{
	static char user[] = "kith";
	struct bench bench;

	(void)state;
	bench_start(&bench, "250-mx\r\n250 AUTH LOGIN PLAIN");
	bench.pool->methods->free(bench.pool);
	bench.config.smarthost_user = user;
	bench_pool(&bench, span_of("secret\n"));
	bench_send(&bench, three);
	assert_int_equal(bench.codes[0], 250);
	assert_non_null(strstr(buffer_text(&bench.servers[0].heard),
	    "AUTH PLAIN AGtpdGgAc2VjcmV0\r\n"));
	bench.pool->methods->free(bench.pool);
	bench.ehlo = "250-mx\r\n250 AUTH=LOGIN";
	bench_pool(&bench, span_of("secret\n"));
	bench_send(&bench, three);
	assert_int_equal(bench.codes[0], 250);
	assert_non_null(strstr(buffer_text(&bench.servers[1].heard),
	    "AUTH LOGIN\r\na2l0aA==\r\nc2VjcmV0\r\n"));
	bench.pool->methods->free(bench.pool);
	bench.ehlo = plain_ehlo;
	bench_pool(&bench, span_of("secret\n"));
	bench_send(&bench, three);
	assert_true(bench.unreachable);
	bench_stop(&bench);
}

static void
starttls_that_is_not_offered_is_not_done_without(void **state)
{
	struct bench bench;

	(void)state;
	bench_start(&bench, full_ehlo);
	bench.pool->methods->free(bench.pool);
	bench.config.smarthost_tls = TLS_STARTTLS;
	bench_pool(&bench, span_of(""));
	bench_send(&bench, three);
	assert_true(bench.unreachable);
	assert_null(strstr(buffer_text(&bench.servers[0].heard), "MAIL"));
	bench_stop(&bench);
}

static void
what_the_smarthost_cannot_take_is_not_sent(void **state)
{
	static const char *const named[] = { "h\xc3\xa1@x", "b@x", NULL };
	struct bench bench;

	(void)state;
	bench_start(&bench, "250-mx\r\n250-PIPELINING\r\n250 SIZE 32");
	bench_send(&bench, three);
	assert_int_equal(bench.codes[0], 552);
	bench_stop(&bench);
	bench_start(&bench, full_ehlo);
	bench_send(&bench, named);
	assert_int_equal(bench.codes[0], 553);
	assert_int_equal(bench.codes[1], 250);
	bench_stop(&bench);
}

static void
a_pool_that_ends_answers_what_it_holds(void **state)
{
	struct bench bench;
	struct mail_chunk *chunk;

	(void)state;
	bench_start(&bench, full_ehlo);
	chunk = mail_chunk_new(bench.body);
	assert_true(
	    mail_chunk_add(chunk, span_of(""), span_of("a@x"), span_of("")));
	chunk->done = chunk_done;
	chunk->arg = &bench;
	bench.pool->methods->send(bench.pool, chunk);
	bench.pool->methods->free(bench.pool);
	bench.pool = NULL;
	assert_int_equal(bench.done, 1);
	assert_int_equal(bench.codes[0], 0);
	bench_stop(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_differ_and_the_body_is_shared),
		cmocka_unit_test(without_pipelining_one_command_goes_at_a_time),
		cmocka_unit_test(each_recipient_has_the_reply_that_was_his),
		cmocka_unit_test(a_refusal_after_data_is_the_recipients_reply),
		cmocka_unit_test(
		    a_connection_lost_before_the_answer_leaves_the_recipient_open),
		cmocka_unit_test(
		    a_connection_that_ends_before_the_body_costs_nothing),
		cmocka_unit_test(a_dead_smarthost_is_left_alone_until_flush),
		cmocka_unit_test(
		    a_greeting_that_refuses_is_why_nothing_was_tried),
		cmocka_unit_test(auth_is_said_as_the_server_knows_it),
		cmocka_unit_test(
		    starttls_that_is_not_offered_is_not_done_without),
		cmocka_unit_test(what_the_smarthost_cannot_take_is_not_sent),
		cmocka_unit_test(a_pool_that_ends_answers_what_it_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
