/* session_envelope.c - MAIL and RCPT: who is it from, whom is it for. Core
 * knows the recipients; nothing is relayed.
 */
#include "build.h"

#include <stdlib.h>

#include "daemon/mail/session_private.h"
#include "daemon/messages.h"

void
mail_session_reset(struct session *session)
{
	struct transaction *transaction = session->transaction;
	size_t i;

	if (transaction == NULL)
		return;
	session->transaction = NULL;
	session->engine->data_bytes -= transaction->counted;
	for (i = 0; i < transaction->count; i++)
		free(transaction->recipients[i]);
	free(transaction->sender);
	buffer_fini(&transaction->raw);
	free(transaction);
}

/* Refuses what cannot be taken. True: it can. */
static bool
mail_check(struct session *session, const struct smtp_path *path,
    const struct smtp_mail_params *params)
{
	uint64_t limit = session->engine->config->mail_size;

	if (path->len > 0 && !path->has_domain)
		mail_session_reply(session, 501, "5.1.7 A domain is needed");
	else if (path->eight_bit && !params->utf8)
		mail_session_reply(session, 553, "5.6.7 SMTPUTF8 is needed");
	else if (limit != 0 && params->size > limit)
		mail_session_reply(session, 552, "5.3.4 The message is too large");
	else if (session->engine->data_bytes > session->engine->data_max)
		mail_session_reply(session, 452, "4.3.1 Busy, try again");
	else
		return true;
	return false;
}

void
mail_session_mail(struct session *session, struct span args)
{
	struct smtp_mail_params params;
	struct smtp_path path;
	struct span rest;

	if (session->engine->shut) {
		mail_session_reply(session, 421, "4.3.2 Shutting down");
		mail_session_close(session);
		return;
	}
	if (session->transaction != NULL) {
		mail_session_reply(session, 503, "5.5.1 One sender only");
		return;
	}
	switch (smtp_path_parse(args, "FROM:", &path, &rest)) {
	case SMTP_PATH_SYNTAX:
		mail_session_reply(session, 501, "5.1.7 FROM:<address> is expected");
		return;
	case SMTP_PATH_TOO_LONG:
		mail_session_reply(session, 501, "5.1.7 The address is too long");
		return;
	case SMTP_PATH_OK:
		break;
	}
	switch (smtp_mail_params_parse(rest, &params)) {
	case SMTP_PARAMS_SYNTAX:
		mail_session_reply(session, 501, "5.5.4 Malformed parameter");
		return;
	case SMTP_PARAMS_UNKNOWN:
		mail_session_reply(session, 555, "5.5.4 Parameter not known here");
		return;
	case SMTP_PARAMS_OK:
		break;
	}
	if (!mail_check(session, &path, &params))
		return;
	session->transaction = calloc(1, sizeof *session->transaction);
	if (session->transaction == NULL ||
	    (session->transaction->sender = strdup(path.address)) == NULL) {
		mail_session_reset(session);
		mail_session_reply(session, 452, "4.3.1 No memory");
		return;
	}
	session->transaction->utf8 = params.utf8;
	mail_session_reply(session, 250, "2.1.0 OK");
}

bool
mail_session_may_ask(const struct session *session)
{
	struct ipc *core = engine_core(session->engine);

	if (core == NULL || ipc_has_credit(core, IPC_INTAKE))
		return true;
	session->engine->starved = true;
	return false;
}

static void
recipient_answered(void *arg, struct ipc_reader *fields)
{
	struct ask *ask = arg;
	struct session *session = ask->session;

	if (session == NULL) {
		free(ask);
		return;
	}
	if (fields != NULL) {
		ask->code = ipc_get_u32(fields);
		ask->text = engine_reply_text(ipc_get_bytes(fields));
	}
	if (fields == NULL || ipc_reader_bad(fields) || ask->text == NULL ||
	    ask->code < 200 || ask->code > 599) {
		free(ask->text);
		ask->code = 451;
		ask->text =
		    strdup("4.3.0 The recipient cannot be checked, try again");
	}
	ask->answered = true;
	mail_session_flush_asks(session);
	mail_session_go_on(session);
}

static void
recipient_ask(struct session *session, const struct smtp_path *path)
{
	struct ipc *core = engine_core(session->engine);
	struct ipc_writer *writer;
	struct ask *ask;

	if (core == NULL) {
		mail_session_reply(session, 451,
		    "4.3.0 The recipient cannot be checked, try again");
		return;
	}
	ask = mail_session_ask_new(session);
	if (ask == NULL) {
		mail_session_close(session);
		return;
	}
	ask->recipient = true;
	memcpy(ask->address, path->address, path->len + 1);
	writer = ipc_writer_new(MESSAGE_RECIPIENT);
	ipc_put_text(writer, session->transaction->sender);
	ipc_put_text(writer, path->address);
	ipc_put_text(writer, session->client);
	if (ipc_call(core, writer, IPC_INTAKE, ENGINE_RECIPIENT_SECONDS,
		recipient_answered, ask) < 0)
		recipient_answered(ask, NULL);
}

static bool
rcpt_check(struct session *session, const struct smtp_path *path,
    enum smtp_params_error params)
{
	struct transaction *transaction = session->transaction;

	if (params == SMTP_PARAMS_SYNTAX)
		mail_session_reply(session, 501, "5.5.4 Malformed parameter");
	else if (params == SMTP_PARAMS_UNKNOWN)
		mail_session_reply(session, 555, "5.5.4 Parameter not known here");
	else if (path->len == 0 ||
	    (!path->has_domain && strcasecmp(path->address, "postmaster") != 0))
		mail_session_reply(session, 501, "5.1.3 local@domain is expected");
	else if (path->eight_bit && !transaction->utf8)
		mail_session_reply(session, 553, "5.6.7 SMTPUTF8 is needed");
	else if (transaction->count + session->ask_count >=
	    SESSION_RECIPIENTS_MAX)
		mail_session_reply(session, 452, "4.5.3 Too many recipients");
	else
		return true;
	return false;
}

void
mail_session_rcpt(struct session *session, struct span args)
{
	struct smtp_path path;
	struct span rest;

	switch (smtp_path_parse(args, "TO:", &path, &rest)) {
	case SMTP_PATH_SYNTAX:
		mail_session_reply(session, 501, "5.1.3 TO:<address> is expected");
		return;
	case SMTP_PATH_TOO_LONG:
		mail_session_reply(session, 501, "5.1.3 The address is too long");
		return;
	case SMTP_PATH_OK:
		break;
	}
	if (rcpt_check(session, &path, smtp_rcpt_params_parse(rest)))
		recipient_ask(session, &path);
}
