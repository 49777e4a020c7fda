/* session.c - the dialogue: lines in, replies out, in order.
 */
#include "build.h"

#include "daemon/mail/session.h"

#include <stdlib.h>

#include "daemon/log.h"
#include "daemon/mail/session_private.h"

void
mail_session_enter_state(struct session *session, enum session_state state)
{
	/* nothing comes back from closing */
	if (session->state == SESSION_CLOSING)
		return;
	session->state = state;
}

const char *
mail_session_protocol_name(const struct session *session)
{
	bool tls = stream_is_tls(session->stream);

	if (session->protocol == LISTEN_LMTP)
		return tls ? "LMTPS" : "LMTP";
	if (!session->extended)
		return "SMTP";
	return tls ? "ESMTPS" : "ESMTP";
}

struct session *
mail_session_next(const struct session *session)
{
	return TAILQ_NEXT(session, entry);
}

/* ---- replies */

struct ask *
mail_session_ask_new(struct session *session)
{
	struct ask *ask = calloc(1, sizeof *ask);

	if (ask == NULL)
		return NULL;
	ask->session = session;
	TAILQ_INSERT_TAIL(&session->asks, ask, entry);
	session->ask_count++;
	return ask;
}

static bool
counts_as_error(unsigned code)
{
	return (code >= 500 && code <= 504) || code == 555;
}

static void
reply_write(struct session *session, unsigned code, const char *text)
{
	stream_printf(session->stream, "%u %s\r\n", code, text);
	if (!counts_as_error(code)) {
		session->errors = 0;
	} else if (++session->errors >= SESSION_ERRORS_MAX) {
		stream_printf(session->stream,
		    "421 4.7.0 Too many errors, closing\r\n");
		mail_session_close(session);
	}
}

void
mail_session_reply(struct session *session, unsigned code, const char *text)
{
	struct ask *ask;

	if (session->state == SESSION_CLOSING)
		return;
	if (TAILQ_EMPTY(&session->asks)) {
		reply_write(session, code, text);
		return;
	}
	ask = mail_session_ask_new(session);
	if (ask == NULL || (ask->text = strdup(text)) == NULL) {
		/* a reply that is missing would shift all that follow */
		mail_session_close(session);
		return;
	}
	ask->code = code;
	ask->answered = true;
}

static void
ask_recipient_accepted(struct session *session, const char *address)
{
	struct transaction *transaction = session->transaction;
	char *copy = strdup(address);

	if (copy == NULL || transaction == NULL ||
	    transaction->count == SESSION_RECIPIENTS_MAX) {
		free(copy);
		mail_session_close(session);
		return;
	}
	transaction->recipients[transaction->count++] = copy;
}

void
mail_session_flush_asks(struct session *session)
{
	struct ask *ask;

	while ((ask = TAILQ_FIRST(&session->asks)) != NULL && ask->answered &&
	    session->state != SESSION_CLOSING) {
		TAILQ_REMOVE(&session->asks, ask, entry);
		session->ask_count--;
		if (ask->recipient && ask->code / 100 == 2)
			ask_recipient_accepted(session, ask->address);
		if (session->state != SESSION_CLOSING)
			reply_write(session, ask->code,
			    ask->text == NULL ? "" : ask->text);
		free(ask->text);
		free(ask);
	}
}

void
mail_session_close(struct session *session)
{
	if (session->state == SESSION_CLOSING)
		return;
	mail_session_enter_state(session, SESSION_CLOSING);
	stream_close(session->stream);
}

/* ---- commands */

static void
hello(struct session *session, struct span args, bool extended)
{
	if (!smtp_is_hello_name(args)) {
		mail_session_reply(session, 501, "5.5.4 A host name is needed");
		return;
	}
	mail_session_reset(session);
	session->hello = true;
	session->extended = extended;
}

static void
session_helo(struct session *session, struct span args)
{
	hello(session, args, false);
	if (session->hello && session->state == SESSION_COMMANDS)
		mail_session_reply(session, 250, session->engine->config->hostname);
}

static void
session_ehlo(struct session *session, struct span args)
{
	const struct config *config = session->engine->config;

	if (!smtp_is_hello_name(args)) {
		mail_session_reply(session, 501, "5.5.4 A host name is needed");
		return;
	}
	hello(session, args, true);
	stream_printf(session->stream,
	    "250-%s\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n",
	    config->hostname);
	if (session->engine->tls != NULL && !stream_is_tls(session->stream))
		stream_printf(session->stream, "250-STARTTLS\r\n");
	stream_printf(session->stream, "250 SIZE %llu\r\n",
	    (unsigned long long)config->mail_size);
	session->errors = 0;
}

static void
session_help(struct session *session, struct span args)
{
	unsigned in =
	    session->protocol == LISTEN_LMTP ? SMTP_IN_LMTP : SMTP_IN_SMTP;
	const struct smtp_verb *verb;
	unsigned i;

	(void)args;
	for (i = 0; (verb = smtp_verb_at(i)) != NULL; i++)
		if ((verb->flags & in) != 0)
			stream_printf(session->stream, "214-2.0.0 %s\r\n",
			    verb->usage);
	mail_session_reply(session, 214, "2.0.0 End of the list");
}

static void
session_noop(struct session *session, struct span args)
{
	(void)args;
	mail_session_reply(session, 250, "2.0.0 OK");
}

static void
session_vrfy(struct session *session, struct span args)
{
	(void)args;
	mail_session_reply(session, 252, "2.5.0 Send a mail and see");
}

static void
session_rset(struct session *session, struct span args)
{
	(void)args;
	mail_session_reset(session);
	mail_session_reply(session, 250, "2.0.0 OK");
}

static void
session_quit(struct session *session, struct span args)
{
	(void)args;
	mail_session_reply(session, 221, "2.0.0 Bye");
	mail_session_close(session);
}

static void
session_starttls(struct session *session, struct span args)
{
	(void)args;
	if (stream_is_tls(session->stream)) {
		mail_session_reply(session, 503, "5.5.1 TLS is there already");
		return;
	}
	mail_session_reply(session, 220, "2.0.0 Go ahead");
	if (session->state != SESSION_COMMANDS)
		return;
	/* RFC 3207 4.2: what was said before does not count, what was sent
	 * behind STARTTLS in plain is dropped by the stream */
	mail_session_reset(session);
	session->hello = session->extended = false;
	line_reader_init(&session->lines, SMTP_LINE_MAX, 0);
	mail_session_enter_state(session, SESSION_SECURING);
	if (stream_start_tls(session->stream, session->engine->tls) < 0)
		mail_session_close(session);
}

static mail_session_handler *const handlers[SMTP_VERBS] = {
	[SMTP_DATA] = mail_session_data,
	[SMTP_EHLO] = session_ehlo,
	[SMTP_HELO] = session_helo,
	[SMTP_HELP] = session_help,
	[SMTP_LHLO] = session_ehlo,
	[SMTP_MAIL] = mail_session_mail,
	[SMTP_NOOP] = session_noop,
	[SMTP_QUIT] = session_quit,
	[SMTP_RCPT] = mail_session_rcpt,
	[SMTP_RSET] = session_rset,
	[SMTP_STARTTLS] = session_starttls,
	[SMTP_VRFY] = session_vrfy,
};

static void
session_command(struct session *session, struct span line)
{
	unsigned in =
	    session->protocol == LISTEN_LMTP ? SMTP_IN_LMTP : SMTP_IN_SMTP;
	struct span args;
	const struct smtp_verb *verb = smtp_verb_find(line, &args);

	if (verb == NULL || (verb->flags & in) == 0)
		mail_session_reply(session, 500, "5.5.1 No such command");
	else if ((verb->flags & SMTP_NEEDS_TLS) != 0 &&
	    session->engine->tls == NULL)
		mail_session_reply(session, 502, "5.5.1 TLS is not set up here");
	else if ((verb->flags & SMTP_NEEDS_HELLO) != 0 && !session->hello)
		mail_session_reply(session, 503,
		    session->protocol == LISTEN_LMTP ? "5.5.1 LHLO first"
						     : "5.5.1 EHLO first");
	else if ((verb->flags & SMTP_NEEDS_MAIL) != 0 &&
	    session->transaction == NULL)
		mail_session_reply(session, 503, "5.5.1 MAIL first");
	else if ((verb->flags & SMTP_NO_ARGUMENT) != 0 && args.len > 0)
		mail_session_reply(session, 501, "5.5.4 No argument is expected");
	else
		handlers[verb->id](session, args);
}

/* May the next line be served while recipients are asked about? */
static bool
line_may_overlap(struct session *session)
{
	struct span input = stream_input(session->stream);

	if (session->ask_count == 0)
		return !span_starts(input, "RCPT") ||
		    mail_session_may_ask(session);
	return session->ask_count < SESSION_RECIPIENTS_MAX &&
	    span_starts(input, "RCPT ") && mail_session_may_ask(session);
}

/* Serves one line. False: none is there, or it has to wait. */
static bool
session_line(struct session *session)
{
	char copy[SMTP_LINE_MAX];
	struct line line;
	enum line_status status;
	size_t used;

	if (stream_is_full(session->stream) || !line_may_overlap(session))
		return false;
	status = line_next(&session->lines, stream_input(session->stream),
	    &used, &line);
	if (status == LINE_OK)
		memcpy(copy, line.text.bytes, line.text.len);
	stream_consume(session->stream, used);
	switch (status) {
	case LINE_MORE:
		return false;
	case LINE_TOO_LONG:
		mail_session_reply(session, 500, "5.5.2 Line too long");
		return true;
	case LINE_OK:
		break;
	}
	if (line.has_nul || line.has_bare)
		mail_session_reply(session, 500,
		    "5.5.2 A line ends with CRLF and holds no CR, LF or NUL");
	else
		session_command(session, span_make(copy, line.text.len));
	return true;
}

/* Serves what was received. */
static void
mail_session_run(struct session *session)
{
	bool more = true;

	if (session->running)
		return;
	session->running = true;
	while (more) {
		switch (session->state) {
		case SESSION_COMMANDS:
			more = session_line(session);
			break;
		case SESSION_DATA:
			more = mail_session_data_feed(session);
			break;
		case SESSION_WAITING:
		case SESSION_SECURING:
		case SESSION_CLOSING:
			more = false;
			break;
		}
	}
	session->running = false;
}

void
mail_session_go_on(struct session *session)
{
	mail_session_run(session);
	stream_flush(session->stream);
}

void
mail_session_shut(struct session *session)
{
	if (session->state != SESSION_COMMANDS ||
	    session->transaction != NULL || session->ask_count > 0)
		return;
	mail_session_reply(session, 421, "4.3.2 Shutting down");
	mail_session_close(session);
}

/* ---- life */

static void
on_readable(void *arg)
{
	mail_session_run(arg);
}

static void
on_secured(void *arg)
{
	struct session *session = arg;

	mail_session_enter_state(session, SESSION_COMMANDS);
	mail_session_run(session);
}

static void
on_ended(void *arg, enum stream_end why)
{
	struct session *session = arg;

	log_debug("session=%lu ended why=%d", session->id, (int)why);
	session->stream = NULL;
	mail_session_free(&session);
}

static const struct stream_handler session_stream_handler = {
	.readable = on_readable,
	.drained = on_readable,
	.secured = on_secured,
	.ended = on_ended,
};

struct session *
mail_session_new(struct mail_engine *engine, struct stream *stream,
    enum listen_protocol protocol)
{
	struct session *session = calloc(1, sizeof *session);

	if (session == NULL ||
	    (session->client = strdup(stream_peer(stream))) == NULL) {
		free(session);
		stream_free(&stream);
		return NULL;
	}
	session->engine = engine;
	session->stream = stream;
	session->protocol = protocol;
	session->id = ++engine->next_session;
	TAILQ_INIT(&session->asks);
	line_reader_init(&session->lines, SMTP_LINE_MAX, 0);
	TAILQ_INSERT_TAIL(&engine->sessions, session, entry);
	engine->session_count++;
	stream_set_handler(stream, &session_stream_handler, session);
	stream_set_idle_timeout(stream, SESSION_COMMAND_SECONDS);
	stream_printf(stream, "220 %s %s kith\r\n", engine->config->hostname,
	    protocol == LISTEN_LMTP ? "LMTP" : "ESMTP");
	stream_flush(stream);
	return session;
}

void
mail_session_free(struct session **session_p)
{
	struct session *session = *session_p;
	struct ask *ask;

	*session_p = NULL;
	if (session == NULL)
		return;
	if (session->incoming != NULL)
		incoming_abandon(session->incoming);
	mail_session_reset(session);
	while ((ask = TAILQ_FIRST(&session->asks)) != NULL) {
		TAILQ_REMOVE(&session->asks, ask, entry);
		/* what core has not answered is freed by its answer */
		ask->session = NULL;
		if (!ask->answered)
			continue;
		free(ask->text);
		free(ask);
	}
	TAILQ_REMOVE(&session->engine->sessions, session, entry);
	session->engine->session_count--;
	stream_free(&session->stream);
	engine_peer_leave(session->engine, session->client);
	free(session->client);
	free(session);
}
