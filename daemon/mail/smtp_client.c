/* smtp_client.c - the client's dialogue. Each command that was sent stands in a
 * row of what is expected; each reply takes the first of it.
 */
#include "build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/mail/smtp_client_private.h"

#define CLIENT_HELLO_SECONDS   60u
#define CLIENT_COMMAND_SECONDS 300u /* RFC 5321 4.5.3.2 */
#define CLIENT_BODY_SECONDS    600u
#define CLIENT_TRIES           2u

/* ---- the row */

void
smtp_client_expect(struct smtp_client *client, enum expect what)
{
	unsigned at = (client->row_first + client->row_count) % CLIENT_ROW;

	/* at most RSET MAIL RCPT DATA behind a body */
	client->row[at] = what;
	client->row_count++;
}

void
smtp_client_fail(struct smtp_client *client, const char *what, const char *why)
{
	if (client->closing)
		return;
	(void)snprintf(client->why, sizeof client->why, "%s%s%.200s", what,
	    why[0] == '\0' ? "" : ": ", why);
	client->closing = true;
	client->ready = false;
	stream_close(client->stream);
}

/* ---- flights */

static void
flight_answer(struct smtp_client *client, struct flight *flight, unsigned code,
    const char *text)
{
	struct mail_chunk *chunk = flight->chunk;

	mail_delivery_answer(flight->delivery, code, text);
	flight->chunk = NULL;
	if (code != 0)
		client->answers++;
	client->owner->answered(client->arg, chunk);
}

/* What the connection's end means for what is open. */
static void
flights_give_up(struct smtp_client *client)
{
	struct flight *body = &client->body, *envelope = &client->envelope;

	if (body->chunk != NULL && body->refused != 0)
		flight_answer(client, body, body->refused, body->text);
	else if (body->chunk != NULL)
		flight_answer(client, body, 0, "the connection was lost");
	if (envelope->chunk == NULL)
		return;
	if (envelope->refused != 0)
		flight_answer(client, envelope, envelope->refused,
		    envelope->text);
	else if (envelope->delivery->tries >= CLIENT_TRIES)
		flight_answer(client, envelope, 0, "the connection was lost");
	else {
		struct mail_chunk *chunk = envelope->chunk;

		envelope->chunk = NULL;
		client->owner->returned(client->arg, chunk, envelope->delivery);
	}
}

static void
flight_refused(struct flight *flight, const struct smtp_reply *reply)
{
	if (flight->refused != 0)
		return;
	flight->refused = reply->code;
	(void)snprintf(flight->text, sizeof flight->text, "%.500s",
	    reply->text);
}

static bool
has_eight_bit(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return true;
	return false;
}

/* What this server cannot take at all. NULL: it can. */
static const char *
delivery_fault(const struct smtp_client *client, const struct flight *flight,
    bool utf8, unsigned *code_r)
{
	*code_r = 552;
	if (client->size_limit != 0 &&
	    flight->chunk->body->bytes.len + flight->delivery->head_len >
		client->size_limit)
		return "5.3.4 The smarthost does not take a mail of this size";
	*code_r = 553;
	if (utf8 && !client->utf8)
		return "5.6.7 The smarthost does not offer SMTPUTF8";
	return NULL;
}

static void
write_mail(struct smtp_client *client, bool utf8)
{
	const struct flight *flight = &client->envelope;

	stream_printf(client->stream, "MAIL FROM:<%s>",
	    flight->delivery->envelope_from);
	if (client->size)
		stream_printf(client->stream, " SIZE=%zu",
		    flight->chunk->body->bytes.len +
			flight->delivery->head_len);
	/* SMTPUTF8 only for the addresses: a mail that carries it bounces where
	 * one with raw UTF-8 in a header is simply passed on */
	if (client->eight_bit && (flight->chunk->body->eight_bit || utf8))
		stream_printf(client->stream, " BODY=8BITMIME");
	if (utf8)
		stream_printf(client->stream, " SMTPUTF8");
	stream_printf(client->stream, "\r\n");
	smtp_client_expect(client, EXPECT_MAIL);
}

static void
write_rcpt(struct smtp_client *client)
{
	stream_printf(client->stream, "RCPT TO:<%s>\r\n",
	    client->envelope.delivery->recipient);
	smtp_client_expect(client, EXPECT_RCPT);
}

static void
write_data(struct smtp_client *client)
{
	stream_printf(client->stream, "DATA\r\n");
	smtp_client_expect(client, EXPECT_DATA);
}

static void
body_unref(void *arg)
{
	struct mail_body *body = arg;

	mail_body_unref(&body);
}

/* Head, shared body and dot. The recipient may have been refused although DATA
 * was taken: then a lone dot (RFC 2920 3.1). */
static void
write_body(struct smtp_client *client)
{
	const struct flight *flight = &client->envelope;
	struct mail_body *body = flight->chunk->body;
	struct span bytes = body->bytes;

	if (flight->refused == 0) {
		stream_write(client->stream, flight->delivery->head,
		    flight->delivery->head_len);
		if (bytes.len > 0)
			stream_write_reference(client->stream, bytes.bytes,
			    bytes.len, body_unref, mail_body_ref(body));
	}
	stream_write(client->stream, ".\r\n", 3);
	client->body = client->envelope;
	client->envelope.chunk = NULL;
	smtp_client_expect(client, EXPECT_BODY);
}

/* Takes deliveries until one can begin. False: there is none. */
static bool
envelope_take(struct smtp_client *client, bool *utf8_r)
{
	struct flight *flight = &client->envelope;
	const char *fault;
	unsigned code;

	for (;;) {
		flight->refused = 0;
		flight->text[0] = '\0';
		flight->delivery =
		    client->owner->next(client->arg, &flight->chunk);
		if (flight->delivery == NULL) {
			flight->chunk = NULL;
			return false;
		}
		*utf8_r = has_eight_bit(flight->delivery->envelope_from) ||
		    has_eight_bit(flight->delivery->recipient);
		fault = delivery_fault(client, flight, *utf8_r, &code);
		if (fault == NULL) {
			flight->delivery->tries++;
			return true;
		}
		flight_answer(client, flight, code, fault);
	}
}

static void
client_pump(struct smtp_client *client)
{
	bool utf8;

	if (!client->ready || client->closing || client->quitting ||
	    client->envelope.chunk != NULL)
		return;
	/* in lock-step one thing at a time */
	if (!client->pipelining && client->row_count > 0)
		return;
	if (client->needs_reset && !client->pipelining) {
		client->needs_reset = false;
		stream_printf(client->stream, "RSET\r\n");
		smtp_client_expect(client, EXPECT_RSET);
		return;
	}
	if (!envelope_take(client, &utf8)) {
		stream_set_idle_timeout(client->stream,
		    client->row_count > 0 ? CLIENT_BODY_SECONDS : 0);
		return;
	}
	stream_set_idle_timeout(client->stream,
	    client->row_count > 0 ? CLIENT_BODY_SECONDS
				  : CLIENT_COMMAND_SECONDS);
	if (client->needs_reset) {
		client->needs_reset = false;
		stream_printf(client->stream, "RSET\r\n");
		smtp_client_expect(client, EXPECT_RSET);
	}
	write_mail(client, utf8);
	if (client->pipelining) {
		write_rcpt(client);
		write_data(client);
	}
}

/* ---- replies to the envelope and the body */

/* In lock-step a refusal ends the envelope at once. */
static void
envelope_over(struct smtp_client *client)
{
	struct flight *flight = &client->envelope;

	client->needs_reset = true;
	flight_answer(client, flight, flight->refused, flight->text);
	client_pump(client);
}

static void
on_envelope(struct smtp_client *client, enum expect what)
{
	const struct smtp_reply *reply = &client->reply;

	if (reply->code / 100 != 2)
		flight_refused(&client->envelope, reply);
	if (client->pipelining)
		return;
	if (client->envelope.refused != 0)
		envelope_over(client);
	else if (what == EXPECT_MAIL)
		write_rcpt(client);
	else
		write_data(client);
}

static void
on_data(struct smtp_client *client)
{
	const struct smtp_reply *reply = &client->reply;

	if (reply->code == 354) {
		write_body(client);
		client_pump(client);
		return;
	}
	if (reply->code / 100 < 4) {
		smtp_client_fail(client, "unexpected answer to DATA", reply->text);
		return;
	}
	flight_refused(&client->envelope, reply);
	envelope_over(client);
}

static void
on_body(struct smtp_client *client)
{
	struct flight *flight = &client->body;
	const struct smtp_reply *reply = &client->reply;

	if (flight->refused != 0)
		flight_answer(client, flight, flight->refused, flight->text);
	else
		flight_answer(client, flight, reply->code, reply->text);
	client_pump(client);
}

void
smtp_client_ready(struct smtp_client *client)
{
	client->ready = true;
	stream_set_idle_timeout(client->stream, 0);
	client->owner->ready(client->arg, client);
	client_pump(client);
}

/* ---- what came back */

static void
client_reply(struct smtp_client *client)
{
	enum expect what;

	if (client->row_count == 0) {
		smtp_client_fail(client, "the smarthost said", client->reply.text);
		return;
	}
	what = client->row[client->row_first];
	client->row_first = (client->row_first + 1) % CLIENT_ROW;
	client->row_count--;
	/* 421 says nothing about the mail, unless it answers the body */
	if (client->reply.code == 421 && what != EXPECT_BODY) {
		smtp_client_fail(client, "the smarthost said", client->reply.text);
		return;
	}
	switch (what) {
	case EXPECT_GREETING:
		smtp_client_on_greeting(client);
		break;
	case EXPECT_EHLO:
		smtp_client_on_ehlo(client);
		break;
	case EXPECT_STARTTLS:
		smtp_client_on_starttls(client);
		break;
	case EXPECT_LOGIN:
		smtp_client_on_login(client);
		break;
	case EXPECT_RSET:
		client_pump(client);
		break;
	case EXPECT_MAIL:
	case EXPECT_RCPT:
		on_envelope(client, what);
		break;
	case EXPECT_DATA:
		on_data(client);
		break;
	case EXPECT_BODY:
		on_body(client);
		break;
	case EXPECT_QUIT:
		smtp_client_fail(client, "idle", "");
		break;
	}
}

/* ---- the stream */

static void
on_readable(void *arg)
{
	struct smtp_client *client = arg;
	size_t used;
	int rc;

	while (!client->closing && !client->securing) {
		rc = smtp_reply_read(&client->reply,
		    stream_input(client->stream), &used);
		if (rc < 0) {
			smtp_client_fail(client, "the smarthost does not speak SMTP",
			    "");
			return;
		}
		if (used == 0)
			return;
		stream_consume(client->stream, used);
		if (rc == 0)
			continue;
		client_reply(client);
		smtp_reply_init(&client->reply);
	}
}

static void
on_drained(void *arg)
{
	(void)arg;
}

static void
on_secured(void *arg)
{
	struct smtp_client *client = arg;

	client->securing = false;
	if (client->options->tls == TLS_IMPLICIT)
		smtp_client_expect(client, EXPECT_GREETING);
	else
		smtp_client_ehlo(client);
}

static const char *
end_text(const struct smtp_client *client, enum stream_end why)
{
	if (why == STREAM_END_TIMEOUT)
		return "the smarthost does not answer";
	if (client->securing)
		return "TLS failed (the certificate must lead to a known "
		       "authority and name the host)";
	return why == STREAM_END_EOF ? "the smarthost closed the connection"
				     : "the connection was lost";
}

static void
on_ended(void *arg, enum stream_end why)
{
	struct smtp_client *client = arg;

	client->stream = NULL;
	client->ready = false;
	if (client->why[0] == '\0')
		(void)snprintf(client->why, sizeof client->why, "%s",
		    end_text(client, why));
	flights_give_up(client);
	client->owner->ended(client->arg, client, client->why);
	free(client);
}

static const struct stream_handler client_stream_handler = {
	.readable = on_readable,
	.drained = on_drained,
	.secured = on_secured,
	.ended = on_ended,
};

/* ---- what the owner calls */

struct smtp_client *
smtp_client_new(struct stream *stream,
    const struct smtp_client_options *options,
    const struct smtp_client_owner *owner, void *arg)
{
	struct smtp_client *client = calloc(1, sizeof *client);

	if (client == NULL)
		goto fail;
	client->stream = stream;
	client->options = options;
	client->owner = owner;
	client->arg = arg;
	smtp_reply_init(&client->reply);
	stream_set_handler(stream, &client_stream_handler, client);
	stream_set_idle_timeout(stream, CLIENT_HELLO_SECONDS);
	if (options->tls != TLS_IMPLICIT) {
		smtp_client_expect(client, EXPECT_GREETING);
		return client;
	}
	client->securing = true;
	if (options->ctx == NULL ||
	    stream_connect_tls(stream, options->ctx, options->host) < 0)
		goto fail;
	return client;
fail:
	free(client);
	stream_free(&stream);
	return NULL;
}

void
smtp_client_free(struct smtp_client **client_p)
{
	struct smtp_client *client = *client_p;

	*client_p = NULL;
	if (client == NULL)
		return;
	flights_give_up(client);
	stream_free(&client->stream);
	free(client);
}

void
smtp_client_wake(struct smtp_client *client)
{
	client_pump(client);
	if (!client->closing)
		stream_flush(client->stream);
}

/* Ready, and nothing open. */
static bool
client_is_idle(const struct smtp_client *client)
{
	return smtp_client_is_ready(client) && client->envelope.chunk == NULL &&
	    client->body.chunk == NULL;
}

void
smtp_client_quit(struct smtp_client *client)
{
	if (!client_is_idle(client))
		return;
	client->quitting = true;
	client->ready = false;
	stream_printf(client->stream, "QUIT\r\n");
	smtp_client_expect(client, EXPECT_QUIT);
	stream_set_idle_timeout(client->stream, CLIENT_HELLO_SECONDS);
}

bool
smtp_client_is_ready(const struct smtp_client *client)
{
	return client->ready && !client->closing && !client->quitting;
}

unsigned
smtp_client_answers(const struct smtp_client *client)
{
	return client->answers;
}
