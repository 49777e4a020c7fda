/* cmd_sasl.c - AUTHINFO SASL (RFC 4643 2.4): its lines and codes. What a
 * mechanism says is read in community/sasl.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/sasl.h"
#include "daemon/news/commands.h"
#include "daemon/news/login.h"

/* A step under way; outlives the connection if it must. */
struct sasl_request {
	struct session *session; /* counted */
};

/* The channel as SASL sees it; its spans lie in the struct. */
struct channel {
	struct sasl_channel sasl;
	char unique[STREAM_BINDING_MAX];
	char exporter[STREAM_BINDING_MAX];
	struct buffer names;
};

static void
channel_init(struct channel *channel, const struct session *s)
{
	const struct stream *stream = s->stream;

	memset(channel, 0, sizeof *channel);
	buffer_init(&channel->names, 0);
	stream_certificate_names(stream, &channel->names);
	channel->sasl = (struct sasl_channel){
		.tls = stream_is_tls(stream),
		.private = session_is_private(s),
		.unique = span_make(channel->unique,
		    stream_binding(stream, STREAM_TLS_UNIQUE, channel->unique)),
		.exporter = span_make(channel->exporter,
		    stream_binding(stream, STREAM_TLS_EXPORTER,
			channel->exporter)),
		.certificate = buffer_failed(&channel->names)
		    ? span_make("", 0)
		    : span_make(channel->names.bytes, channel->names.len),
		.client = stream_peer(stream),
	};
}

static void
channel_fini(struct channel *channel)
{
	buffer_fini(&channel->names);
}

void
sasl_capability(struct session *s, struct buffer *text)
{
	struct channel channel;

	/* the same list after a login as before (RFC 4643 2.2) */
	channel_init(&channel, s);
	buffer_append_text(text, "SASL");
	sasl_list(&channel.sasl, text);
	buffer_append_text(text, "\r\n");
	channel_fini(&channel);
}

/* ---- answers */

/* A line that may be longer than 512 octets. */
static void
sasl_reply(struct session *s, int code, const char *text)
{
	char start[5] = { (char)('0' + code / 100), (char)('0' + code / 10 % 10),
		(char)('0' + code % 10), ' ', '\0' };

	session_write(s, start, 4);
	session_write(s, text, strlen(text));
	session_write(s, "\r\n", 2);
}

static void
sasl_accept(struct session *s, const char *text,
    const struct identity *identity)
{
	if (session_login(s, identity) != 0)
		session_reply(s, 403);
	else if (text[0] == '\0')
		session_reply(s, 281);
	else
		sasl_reply(s, 283, text);
}

static void
sasl_answer(struct session *s, enum sasl_answer answer, const char *text,
    const struct identity *identity)
{
	switch (answer) {
	case SASL_CONTINUE:
		sasl_reply(s, 383, text);
		return;
	case SASL_ACCEPTED:
		sasl_accept(s, text, identity);
		break;
	case SASL_REFUSED:
		session_login_refused(s, 481);
		break;
	case SASL_MALFORMED:
		session_login_refused(s, 482);
		break;
	case SASL_NOT_BASE64:
		session_login_refused(s, 504);
		break;
	case SASL_BUSY:
	default:
		session_login_refused(s, 403);
		break;
	}
	sasl_free(&s->sasl);
}

static void
sasl_done(void *arg, enum sasl_answer answer, const char *text,
    const struct identity *identity)
{
	struct sasl_request *request = arg;
	struct session *s = request->session;

	if (s->stream != NULL) {
		if (answer != SASL_CONTINUE)
			session_log_login(s, "sasl", identity);
		sasl_answer(s, answer, text, identity);
		session_resume(s);
	}
	session_unref(s);
	free(request);
}

static void
sasl_take(struct session *s, struct span message, bool has_message)
{
	struct sasl_request *request = malloc(sizeof *request);
	int rc = -ENOMEM;

	if (request != NULL) {
		request->session = s;
		session_ref(s);
		session_wait(s);
		rc = sasl_step(s->sasl, message, has_message, sasl_done,
		    request);
	}
	if (rc == 0)
		return;
	sasl_answer(s, SASL_BUSY, "", NULL);
	if (request != NULL) {
		session_resume(s);
		session_unref(s);
	}
	free(request);
}

/* ---- lines */

void
sasl_receive(struct session *s, struct span line)
{
	if (line.len == 1 && line.bytes[0] == '*') {
		sasl_free(&s->sasl);
		/* counted like any other: what was looked up costs as much */
		session_login_refused(s, 481);
		return;
	}
	sasl_take(s, line, true);
}

/* 501, 483 or 503; 0: begun. */
static int
sasl_begin(struct session *s, struct span mechanism)
{
	struct channel channel;
	int code = 0, rc;

	if (mechanism.len > SASL_MECHANISM_MAX)
		return 501;
	channel_init(&channel, s);
	switch (sasl_find(&channel.sasl, mechanism)) {
	case SASL_OFFERED:
		rc = sasl_new(&s->sasl, session_community(s), s->loop->loop,
		    &channel.sasl, mechanism);
		code = rc == 0 ? 0 : 403;
		break;
	case SASL_NEEDS_TLS:
		code = 483;
		break;
	case SASL_UNKNOWN:
	default:
		code = 503;
		break;
	}
	channel_fini(&channel);
	return code;
}

void
cmd_authinfo_sasl(struct session *s, const struct nntp_args *args)
{
	int code = sasl_begin(s, args->args[1]);

	if (code != 0) {
		session_reply(s, code);
		return;
	}
	if (args->count > 2)
		sasl_take(s, args->args[2], true);
	else
		sasl_take(s, span_make("", 0), false);
}
