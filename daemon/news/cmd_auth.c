/* cmd_auth.c - AUTHINFO USER/PASS (RFC 4643 2.3) and STARTTLS (RFC 4642 2.2).
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/community/auth.h"
#include "daemon/news/commands.h"
#include "daemon/news/login.h"
#include "daemon/news/timeout.h"
#include "daemon/tls.h"

/* A password is being checked; outlives the connection if it must. */
struct auth_request {
	struct session *session; /* counted */
};

void
cmd_authinfo_user(struct session *s, const struct nntp_args *args)
{
	struct span login = args->args[1];

	if (!session_is_private(s)) {
		session_reply(s, 483);
		return;
	}
	free(s->login);
	s->login = strndup(login.bytes, login.len);
	if (s->login == NULL)
		session_reply(s, 403);
	else
		session_reply(s, 381);
}

static void
auth_done(void *arg, enum auth_answer answer, const struct identity *identity)
{
	struct auth_request *request = arg;
	struct session *s = request->session;

	if (s->stream != NULL) {
		session_log_login(s, "password", identity);
		if (answer == AUTH_BUSY)
			session_login_refused(s, 403);
		else if (answer == AUTH_WRONG)
			session_login_refused(s, 481);
		else if (session_login(s, identity) != 0)
			session_reply(s, 403);
		else
			session_reply(s, 281);
		session_resume(s);
	}
	session_unref(s);
	free(request);
}

/* What follows PASS and its blanks, blanks inside included. */
static struct span
auth_password(const struct nntp_args *args)
{
	const char *end = args->rest.bytes + args->rest.len;
	const char *start = args->args[1].bytes;

	return span_make(start, (size_t)(end - start));
}

void
cmd_authinfo_pass(struct session *s, const struct nntp_args *args)
{
	struct span span = auth_password(args);
	struct auth_request *request;
	char password[NNTP_ARGUMENT_MAX + 16];
	int rc = -1;

	if (!session_is_private(s)) {
		session_reply(s, 483);
		return;
	}
	if (s->login == NULL || span.len >= sizeof password) {
		session_reply(s, 482);
		return;
	}
	request = malloc(sizeof *request);
	if (request != NULL) {
		memcpy(password, span.bytes, span.len);
		password[span.len] = '\0';
		request->session = s;
		session_ref(s);
		session_wait(s);
		rc = auth_check(session_community(s), s->loop->loop,
		    &(const struct auth_words){ .login = s->login,
			.as = "",
			.password = password,
			.client = stream_peer(s->stream) },
		    auth_done, request);
		explicit_bzero(password, sizeof password);
	}
	free(s->login);
	s->login = NULL;
	if (rc != 0) {
		if (request != NULL) {
			session_resume(s);
			session_unref(s);
		}
		free(request);
		session_reply(s, 403);
	}
}

void
cmd_starttls(struct session *s, const struct nntp_args *args)
{
	struct news_server *server = session_server(s);
	struct ssl_ctx_st *ctx;

	(void)args;
	if (stream_is_tls(s->stream) || !session_may_log_in(s)) {
		session_reply(s, 502);
		return;
	}
	ctx = server->tls == NULL ? NULL : server->tls(server->tls_arg);
	if (ctx == NULL) {
		session_reply(s, 580);
		return;
	}
	session_reply(s, 382);
	/* nothing that was said in plain counts any more (RFC 4642 2.2.2) */
	session_select(s, NULL, 0);
	free(s->login);
	s->login = NULL;
	s->errors = 0;
	line_reader_init(&s->lines, LINE_NNTP_MAX, LINE_LF_ENDS);
	timeout_handshake(s, true);
	if (stream_start_tls(s->stream, ctx) != 0)
		session_close(s);
	tls_free(&ctx);
}
