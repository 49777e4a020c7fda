/* test_mail_tls.c - STARTTLS on both sides of the mail process.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "daemon/mail/smtp_client.h"
#include "daemon/tls.h"
#include "tests/unit/certificate.h"
#include "tests/unit/mail_rig.h"

struct contexts {
	struct ssl_ctx_st *server;
	struct ssl_ctx_st *client;
};

static void
contexts_make(struct contexts *contexts)
{
	certificate_contexts("mx.example", &contexts->server,
	    &contexts->client);
}

static void
contexts_free(struct contexts *contexts)
{
	tls_free(&contexts->server);
	tls_free(&contexts->client);
}

/* A session over a socket pair, which unlike memory can do TLS. Its other end. */
static int
session_over_socket(struct rig *rig)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	assert_int_equal(mail_engine_accept_stream(rig->engine,
			     stream_new_socket(loop_base(rig->loop), fds[0],
				 NULL, NULL, NULL),
			     LISTEN_SMTP),
	    0);
	return fds[1];
}

/* ---- our client against our session */

struct outgoing {
	struct mail_chunk *chunk;
	bool given;
	bool ready;
	unsigned code;
	char why[256];
	struct smtp_client *client;
};

static struct mail_delivery *
on_next(void *arg, struct mail_chunk **chunk_r)
{
	struct outgoing *outgoing = arg;

	if (outgoing->given || outgoing->chunk == NULL)
		return NULL;
	outgoing->given = true;
	*chunk_r = outgoing->chunk;
	return &outgoing->chunk->deliveries[0];
}

static void
on_answered(void *arg, struct mail_chunk *chunk)
{
	struct outgoing *outgoing = arg;

	outgoing->code = chunk->deliveries[0].code;
}

static void
on_returned(void *arg, struct mail_chunk *chunk, struct mail_delivery *delivery)
{
	(void)arg;
	(void)chunk;
	(void)delivery;
}

static void
on_ready(void *arg, struct smtp_client *client)
{
	struct outgoing *outgoing = arg;

	(void)client;
	outgoing->ready = true;
}

static void
on_client_ended(void *arg, struct smtp_client *client, const char *why)
{
	struct outgoing *outgoing = arg;

	(void)client;
	outgoing->client = NULL;
	(void)snprintf(outgoing->why, sizeof outgoing->why, "%s", why);
}

static const struct smtp_client_owner owner = {
	.next = on_next,
	.answered = on_answered,
	.returned = on_returned,
	.ready = on_ready,
	.ended = on_client_ended,
};

static void
outgoing_connect(struct rig *rig, struct outgoing *outgoing,
    const struct smtp_client_options *options)
{
	outgoing->client =
	    smtp_client_new(stream_new_socket(loop_base(rig->loop),
				session_over_socket(rig), NULL, NULL, NULL),
		options, &owner, outgoing);
	assert_non_null(outgoing->client);
	rig_settle(rig);
}

static void
mail_goes_out_and_comes_in_over_verified_tls(void **state)
{
	struct contexts contexts;
	struct rig rig;
	struct mail_body *body =
	    mail_body_new(span_of("a: b\r\n\r\nc\r\n"), NULL, NULL);
	struct outgoing outgoing = { .chunk = mail_chunk_new(body) };
	struct smtp_client_options options = { .hostname = "client.example",
		.host = "mx.example",
		.tls = TLS_STARTTLS };

	(void)state;
	contexts_make(&contexts);
	options.ctx = contexts.client;
	rig_start(&rig, LISTEN_LMTP);
	mail_engine_set_tls(rig.engine, contexts.server);
	assert_true(mail_chunk_add(outgoing.chunk, span_of(""),
	    span_of("help@lists.example"), span_of("X: y\r\n")));
	outgoing_connect(&rig, &outgoing, &options);
	assert_true(outgoing.ready);
	assert_int_equal(outgoing.code, 250);
	assert_string_equal(rig.raw, "X: y\r\na: b\r\n\r\nc\r\n");
	smtp_client_free(&outgoing.client);
	rig_settle(&rig);
	rig_stop(&rig);
	mail_chunk_free(&outgoing.chunk);
	mail_body_unref(&body);
	contexts_free(&contexts);
}

static void
a_certificate_of_another_host_ends_the_connection(void **state)
{
	struct contexts contexts;
	struct rig rig;
	struct outgoing outgoing = { 0 };
	struct smtp_client_options options = { .hostname = "client.example",
		.host = "other.example",
		.tls = TLS_STARTTLS };

	(void)state;
	contexts_make(&contexts);
	options.ctx = contexts.client;
	rig_start(&rig, LISTEN_LMTP);
	mail_engine_set_tls(rig.engine, contexts.server);
	outgoing_connect(&rig, &outgoing, &options);
	assert_false(outgoing.ready);
	assert_null(outgoing.client);
	assert_true(span_starts(span_of(outgoing.why), "TLS failed"));
	rig_stop(&rig);
	contexts_free(&contexts);
}

/* ---- what stands behind STARTTLS in plain */

struct injector {
	struct stream *stream;
	struct ssl_ctx_st *ctx;
	struct buffer said;
	bool secured;
};

static void
injector_readable(void *arg)
{
	struct injector *injector = arg;
	struct span input = stream_input(injector->stream);

	buffer_append_span(&injector->said, input);
	stream_consume(injector->stream, input.len);
	if (injector->secured ||
	    strstr(buffer_text(&injector->said), "220 2.0.0 Go ahead\r\n") ==
		NULL)
		return;
	injector->secured = true;
	buffer_clear(&injector->said);
	assert_int_equal(stream_connect_tls(injector->stream, injector->ctx,
			     "mx.example"),
	    0);
}

static void
injector_secured(void *arg)
{
	struct injector *injector = arg;

	stream_printf(injector->stream, "MAIL FROM:<a@b>\r\n");
}

static void
injector_ended(void *arg, enum stream_end why)
{
	struct injector *injector = arg;

	(void)why;
	injector->stream = NULL;
}

static const struct stream_handler injector_handler = {
	.readable = injector_readable,
	.drained = injector_readable,
	.secured = injector_secured,
	.ended = injector_ended,
};

static void
what_stands_behind_starttls_in_plain_is_dropped(void **state)
{
	struct contexts contexts;
	struct injector injector = { 0 };
	struct rig rig;

	(void)state;
	contexts_make(&contexts);
	rig_start(&rig, LISTEN_LMTP);
	mail_engine_set_tls(rig.engine, contexts.server);
	buffer_init(&injector.said, 0);
	injector.ctx = contexts.client;
	injector.stream = stream_new_socket(loop_base(rig.loop),
	    session_over_socket(&rig), NULL, &injector_handler, &injector);
	rig_settle(&rig);
	stream_printf(injector.stream,
	    "EHLO c\r\nSTARTTLS\r\nEHLO evil\r\n"
	    "MAIL FROM:<evil@b>\r\n");
	stream_flush(injector.stream);
	rig_settle(&rig);
	assert_true(injector.secured);
	/* neither an answer to what was injected, nor the EHLO of before */
	assert_string_equal(buffer_text(&injector.said),
	    "503 5.5.1 EHLO first\r\n");
	stream_free(&injector.stream);
	rig_settle(&rig);
	rig_stop(&rig);
	buffer_fini(&injector.said);
	contexts_free(&contexts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_goes_out_and_comes_in_over_verified_tls),
		cmocka_unit_test(
		    a_certificate_of_another_host_ends_the_connection),
		cmocka_unit_test(
		    what_stands_behind_starttls_in_plain_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
