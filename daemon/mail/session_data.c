/* session_data.c - the mail's bytes, and what is said about them.
 *
 * Only CRLF . CRLF ends a mail. A bare CR or LF is what smuggling is made of
 * and is refused, once the whole mail was read and dropped.
 */
#include "build.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/log.h"
#include "daemon/mail/session_private.h"

/* Beyond this multiple of the limit the connection is cut. */
#define DATA_PATIENCE 4u

void
mail_session_data(struct session *session, struct span args)
{
	struct transaction *transaction = session->transaction;

	(void)args;
	if (transaction->count == 0) {
		/* RFC 2033 4.2: so too when every RCPT was refused */
		mail_session_reply(session, 503, "5.5.1 No valid recipients");
		return;
	}
	buffer_init(&transaction->raw, 0);
	dot_receiver_init(&transaction->dot, &transaction->raw,
	    session->engine->config->mail_size);
	mail_session_enter_state(session, SESSION_DATA);
	stream_set_idle_timeout(session->stream, SESSION_DATA_SECONDS);
	stream_set_deadline(session->stream, SESSION_DATA_DEADLINE);
	mail_session_reply(session, 354, "End with a dot on a line of its own");
}

/* The transaction is over: commands again. */
static void
data_over(struct session *session)
{
	stream_set_idle_timeout(session->stream, SESSION_COMMAND_SECONDS);
	stream_set_deadline(session->stream, 0);
	mail_session_reset(session);
	mail_session_enter_state(session, SESSION_COMMANDS);
	if (session->engine->shut)
		mail_session_shut(session);
}

/* The same for all: once by SMTP, once per recipient by LMTP. */
static void
data_answer(struct session *session, unsigned code, const char *text)
{
	size_t i,
	    count = session->protocol == LISTEN_LMTP
	    ? session->transaction->count
	    : 1;

	for (i = 0; i < count; i++)
		mail_session_reply(session, code, text);
	data_over(session);
}

/* What one reply to SMTP says about several recipients, an index. A refusal for
 * now wins: the sender tries all again, and who has the mail already gets it
 * as a duplicate, which is better than a loss. Then a refusal: the author hears
 * of it, while one that nobody told him of would be a loss too. */
static size_t
smtp_choose(const unsigned *codes, size_t count)
{
	size_t i, chosen = 0;

	for (i = 0; i < count; i++) {
		if (codes[i] / 100 == 4)
			return i;
		if (codes[i] / 100 == 5 && codes[chosen] / 100 != 5)
			chosen = i;
	}
	return chosen;
}

/* A refusal that is not for all says so. */
static void
smtp_answer(struct session *session, const unsigned *codes,
    const char *const *texts, size_t count)
{
	size_t chosen = smtp_choose(codes, count), i;
	char text[600];
	bool taken = false;

	for (i = 0; i < count; i++)
		taken = taken || codes[i] / 100 == 2;
	(void)snprintf(text, sizeof text, "%.500s%s", texts[chosen],
	    taken && codes[chosen] / 100 == 5
		? " (other recipients of this mail have it)"
		: "");
	mail_session_reply(session, codes[chosen], text);
}

static void
data_log(const struct session *session, size_t count, unsigned code,
    const char *text)
{
	char sender[LOG_TEXT_ROOM], said[LOG_TEXT_ROOM];
	const char *from = session->transaction->sender;

	log_info("session=%lu client=%s protocol=%s from=\"%s\" recipients=%zu "
		 "code=%u text=\"%s\"",
	    session->id, session->client, mail_session_protocol_name(session),
	    log_text(sender, sizeof sender, from, strlen(from)), count, code,
	    log_text(said, sizeof said, text, strlen(text)));
}

static void
incoming_answered(void *arg, const unsigned *codes, const char *const *texts,
    size_t count)
{
	struct session *session = arg;
	size_t i, chosen;

	session->incoming = NULL;
	if (count == 0) {
		mail_session_close(session);
		return;
	}
	chosen = smtp_choose(codes, count);
	data_log(session, count, codes[chosen], texts[chosen]);
	if (session->protocol != LISTEN_LMTP)
		smtp_answer(session, codes, texts, count);
	else
		for (i = 0; i < count; i++)
			mail_session_reply(session, codes[i], texts[i]);
	data_over(session);
	stream_resume(session->stream);
	mail_session_go_on(session);
}

/* NULL: nothing is wrong. */
static const char *
data_fault(const struct dot_receiver *dot)
{
	if (dot->facts.nul)
		return "5.6.0 The message holds a NUL octet";
	if (dot->facts.bare_cr)
		return "5.6.0 The message holds a bare CR";
	if (dot->facts.bare_lf)
		return "5.6.0 The message holds a bare LF";
	if (dot->facts.bytes == 0)
		return "5.6.0 The message is empty";
	return NULL;
}

static void
data_ended(struct session *session)
{
	struct transaction *transaction = session->transaction;
	struct dot_receiver *dot = &transaction->dot;
	const char *fault = data_fault(dot);
	struct incoming_envelope envelope = {
		.count = transaction->count,
		.client = session->client,
		.protocol = mail_session_protocol_name(session),
	};

	if (dot->too_large) {
		data_answer(session, 552, "5.3.4 The message is too large");
		return;
	}
	if (fault != NULL) {
		data_log(session, transaction->count, 554, fault);
		data_answer(session, 554, fault);
		return;
	}
	/* data_log still wants to know the sender when the answer comes */
	envelope.sender = strdup(transaction->sender);
	envelope.recipients =
	    calloc(transaction->count, sizeof *envelope.recipients);
	if (dot->failed || envelope.sender == NULL ||
	    envelope.recipients == NULL) {
		free(envelope.sender);
		free(envelope.recipients);
		data_answer(session, 452, "4.3.1 No memory");
		return;
	}
	memcpy(envelope.recipients, transaction->recipients,
	    transaction->count * sizeof *envelope.recipients);
	session->incoming = incoming_begin(session->engine, &envelope,
	    &transaction->raw, incoming_answered, session);
	if (session->incoming == NULL) {
		free(envelope.sender);
		free(envelope.recipients);
		data_answer(session, 452, "4.3.1 No memory");
		return;
	}
	transaction->count = 0; /* the recipients went with it */
	session->engine->data_bytes -= transaction->counted;
	transaction->counted = 0;
	mail_session_enter_state(session, SESSION_WAITING);
	/* a peer that has shut its side still gets the answer */
	stream_pause(session->stream);
}

bool
mail_session_data_feed(struct session *session)
{
	struct transaction *transaction = session->transaction;
	struct span chunk = stream_input(session->stream);
	uint64_t limit = session->engine->config->mail_size;
	size_t used = chunk.len;
	bool ended;

	if (chunk.len == 0)
		return false;
	ended = dot_receive(&transaction->dot, chunk, &used);
	stream_consume(session->stream, used);
	session->engine->data_bytes +=
	    transaction->raw.room - transaction->counted;
	transaction->counted = transaction->raw.room;
	if (ended) {
		data_ended(session);
		return true;
	}
	if (session->engine->data_bytes / 2 > session->engine->data_max) {
		mail_session_reply(session, 452, "4.3.1 Busy, try again");
		mail_session_close(session);
		return false;
	}
	if (limit != 0 &&
	    transaction->dot.facts.bytes / DATA_PATIENCE > limit) {
		mail_session_reply(session, 552,
		    "5.3.4 The message is far too large");
		mail_session_close(session);
		return false;
	}
	return true;
}
