/* client.c - see client.h.
 */
#include "build.h"

#include "daemon/feed/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/ssl.h>

#include "daemon/feed/login.h"
#include "daemon/log.h"
#include "daemon/stream.h"
#include "daemon/tls.h"
#include "protocol/dot.h"
#include "protocol/line.h"

#define HELLO_SECONDS    60u
#define COMMAND_SECONDS  300u
#define CAPABILITIES_MAX 500u /* lines */
/* of one that is too large: it is read to its end, if that comes */
#define ARTICLE_BYTES_MAX (16 * (uint64_t)CLIENT_ARTICLE_MAX)

enum client_state {
	CLIENT_GREETING,
	CLIENT_STARTTLS,
	CLIENT_CAPABILITIES,
	CLIENT_LOGIN,
	CLIENT_MODE,
	CLIENT_READY,
	CLIENT_QUITTING,
};

struct feed_client {
	struct stream *stream;
	const struct feed_client_options *options;
	struct ssl_ctx_st *ctx; /* a reference: a reload may drop the other */
	const struct feed_client_owner *owner;
	void *arg;
	enum client_state state;
	enum feed_client_next next; /* what is being read */
	struct line_reader lines;
	struct dot_receiver dot;
	struct buffer article;
	struct feed_login *login; /* NULL: there is none, or not yet */
	unsigned capabilities;    /* lines of the list */
	unsigned owed;            /* answers, once it is ready */
	bool securing;
	bool moded;     /* MODE was asked for */
	bool streaming; /* and this was the answer */
	bool paused;
	bool closing;
	char why[256];
};

void
feed_client_fail(struct feed_client *client, const char *what, struct span text)
{
	char said[160];

	if (client->closing)
		return;
	(void)snprintf(client->why, sizeof client->why, "%s%s%s", what,
	    text.len == 0 ? "" : ": ",
	    nntp_reply_printable(text, said, sizeof said));
	client->closing = true;
	stream_close(client->stream);
}

static void
client_say(struct feed_client *client, const char *line)
{
	stream_printf(client->stream, "%s\r\n", line);
}

/* ---- until it is ready */

static bool
has_login(const struct feed_client *client)
{
	return client->options->user[0] != '\0';
}

static void
client_ask_mode(struct feed_client *client)
{
	client->moded = true;
	client->state = CLIENT_MODE;
	client_say(client,
	    client->options->reader ? "MODE READER" : "MODE STREAM");
}

/* What binds the login to this connection is known when TLS is there. */
static struct feed_login *
client_login_new(struct feed_client *client)
{
	const struct feed_client_options *options = client->options;
	char unique[STREAM_BINDING_MAX], exporter[STREAM_BINDING_MAX];
	struct feed_login_options login = { .user = options->user,
		.secret = options->secret,
		.clear = options->clear || stream_is_tls(client->stream) };

	login.unique = span_make(unique,
	    stream_binding(client->stream, STREAM_TLS_UNIQUE, unique));
	login.exporter = span_make(exporter,
	    stream_binding(client->stream, STREAM_TLS_EXPORTER, exporter));
	return feed_login_new(options->sasl, &login);
}

static void
client_log_in(struct feed_client *client)
{
	client->login = client_login_new(client);
	if (client->login == NULL) {
		feed_client_fail(client, "no memory", span_of(""));
		return;
	}
	client->state = CLIENT_CAPABILITIES;
	client_say(client, "CAPABILITIES");
}

static void
client_begin_tls(struct feed_client *client)
{
	client->state = CLIENT_STARTTLS;
	client_say(client, "STARTTLS");
}

static void
client_is_ready(struct feed_client *client)
{
	client->state = CLIENT_READY;
	stream_set_deadline(client->stream, 0);
	stream_set_idle_timeout(client->stream, 0);
	client->owner->ready(client->arg, client->streaming);
}

/* The next step. MODE READER must not follow TLS or a login (RFC 4642 2.2.2, RFC
 * 4643 2.2), and nobody who speaks TLS from the start has another mode; MODE
 * STREAM asks for what a login may change. */
static void
client_go_on(struct feed_client *client)
{
	const struct feed_client_options *options = client->options;

	if (options->reader && !client->moded && options->tls != TLS_IMPLICIT)
		client_ask_mode(client);
	else if (options->tls == TLS_STARTTLS && !stream_is_tls(client->stream))
		client_begin_tls(client);
	else if (has_login(client) && client->login == NULL)
		client_log_in(client);
	else if (!options->reader && !client->moded)
		client_ask_mode(client);
	else
		client_is_ready(client);
}

static void
on_greeting(struct feed_client *client, const struct nntp_reply *reply)
{
	if (reply->code != 200 && reply->code != 201) {
		feed_client_fail(client, "the server does not let us in",
		    reply->text);
		return;
	}
	client_go_on(client);
}

static void
client_secure(struct feed_client *client)
{
	client->securing = true;
	if (client->ctx == NULL ||
	    stream_connect_tls(client->stream, client->ctx,
		client->options->host) < 0) {
		client->securing = false;
		feed_client_fail(client, "TLS cannot begin", span_of(""));
	}
}

static void
on_starttls(struct feed_client *client, const struct nntp_reply *reply)
{
	if (reply->code == 382)
		client_secure(client);
	else
		feed_client_fail(client, "the server refused STARTTLS",
		    reply->text);
}

static void
client_login_step(struct feed_client *client, enum feed_login_step step,
    struct span line)
{
	if (step == LOGIN_FAILED) {
		feed_client_fail(client, feed_login_why(client->login),
		    span_of(""));
	} else if (step == LOGIN_DONE) {
		client_go_on(client);
	} else {
		stream_write(client->stream, line.bytes, line.len);
		stream_write(client->stream, "\r\n", 2);
	}
}

static void
client_login_begin(struct feed_client *client)
{
	struct span line = { 0 };

	client->state = CLIENT_LOGIN;
	client_login_step(client, feed_login_begin(client->login, &line), line);
}

/* Without a list nothing is known to be offered (RFC 3977 3.3.1: 500). */
static void
on_capabilities(struct feed_client *client, const struct nntp_reply *reply)
{
	if (reply->code == 101)
		client->next = CLIENT_LINES;
	else
		client_login_begin(client);
}

static void
on_capability(struct feed_client *client, struct span line)
{
	if (line.bytes == NULL)
		client_login_begin(client);
	else if (++client->capabilities > CAPABILITIES_MAX)
		feed_client_fail(client, "the list of capabilities has no end",
		    span_of(""));
	else
		feed_login_capability(client->login, line);
}

static void
on_login(struct feed_client *client, const struct nntp_reply *reply)
{
	struct span line = { 0 };

	client_login_step(client,
	    feed_login_answer(client->login, reply, &line), line);
}

static void
on_mode(struct feed_client *client, const struct nntp_reply *reply)
{
	/* who does not know the command needs no change of mode; who wants TLS
	 * or a login first gets them */
	if (reply->code == 400 || reply->code == 502 ||
	    (reply->code == 480 && !has_login(client))) {
		feed_client_fail(client, "the server does not let us in",
		    reply->text);
		return;
	}
	client->streaming = reply->code == 203;
	client_go_on(client);
}

/* ---- what came in */

/* More silence than this while something is owed is the end. */
static void
client_watch(struct feed_client *client)
{
	if (client->state == CLIENT_READY)
		stream_set_idle_timeout(client->stream,
		    client->owed > 0 && !client->paused ? COMMAND_SECONDS : 0);
}

static void
client_begin_block(struct feed_client *client, enum feed_client_next next)
{
	client->next = next;
	if (next == CLIENT_ARTICLE)
		dot_receiver_init(&client->dot, &client->article,
		    CLIENT_ARTICLE_MAX);
}

static void
on_answer(struct feed_client *client, const struct nntp_reply *reply)
{
	if (client->owed == 0) {
		feed_client_fail(client, "the server said", reply->text);
		return;
	}
	client->owed--;
	client_begin_block(client, client->owner->reply(client->arg, reply));
	if (!client->closing)
		client_watch(client);
}

static void
client_status(struct feed_client *client, struct span line)
{
	struct nntp_reply reply;

	if (!nntp_reply_parse(line, &reply)) {
		feed_client_fail(client, "the server does not speak NNTP",
		    line);
		return;
	}
	switch (client->state) {
	case CLIENT_GREETING:
		on_greeting(client, &reply);
		break;
	case CLIENT_STARTTLS:
		on_starttls(client, &reply);
		break;
	case CLIENT_CAPABILITIES:
		on_capabilities(client, &reply);
		break;
	case CLIENT_LOGIN:
		on_login(client, &reply);
		break;
	case CLIENT_MODE:
		on_mode(client, &reply);
		break;
	case CLIENT_READY:
		on_answer(client, &reply);
		break;
	case CLIENT_QUITTING:
		break;
	}
}

static void
client_line(struct feed_client *client, struct span line)
{
	if (client->state == CLIENT_CAPABILITIES)
		on_capability(client, line);
	else
		client->owner->line(client->arg, line);
}

static void
client_block_line(struct feed_client *client, struct span line)
{
	if (line.len == 1 && line.bytes[0] == '.') {
		client->next = CLIENT_STATUS;
		client_line(client, span_make(NULL, 0));
		return;
	}
	if (line.len > 0 && line.bytes[0] == '.')
		line = span_make(line.bytes + 1, line.len - 1);
	client_line(client, line);
}

/* False: the next line is not whole yet. */
static bool
client_read_line(struct feed_client *client)
{
	char copy[NNTP_REPLY_MAX];
	struct line line;
	size_t used;
	enum line_status status = line_next(&client->lines,
	    stream_input(client->stream), &used, &line);

	/* the owner may write, and the line is borrowed from the input */
	if (status == LINE_OK) {
		memcpy(copy, line.text.bytes, line.text.len);
		line.text.bytes = copy;
	}
	stream_consume(client->stream, used);
	if (status == LINE_MORE)
		return false;
	if (status != LINE_OK) /* it may have no end */
		feed_client_fail(client, "the server's line is too long",
		    span_of(""));
	else if (client->next == CLIENT_LINES)
		client_block_line(client, line.text);
	else
		client_status(client, line.text);
	return true;
}

static bool
client_read_article(struct feed_client *client)
{
	size_t used = 0;
	bool whole =
	    dot_receive(&client->dot, stream_input(client->stream), &used);

	stream_consume(client->stream, used);
	if (!whole && client->dot.facts.bytes > ARTICLE_BYTES_MAX)
		feed_client_fail(client, "an article has no end", span_of(""));
	if (!whole)
		return false;
	client->next = CLIENT_STATUS;
	client->owner->article(client->arg,
	    client->dot.failed || client->dot.too_large
		? span_make(NULL, 0)
		: span_make(buffer_text(&client->article),
		      client->article.len));
	/* one large article must not stay in memory with each connection */
	if (client->article.room > (1u << 20))
		buffer_fini(&client->article);
	else
		buffer_clear(&client->article);
	return true;
}

static void
on_readable(void *arg)
{
	struct feed_client *client = arg;
	bool more = true;

	while (more && !client->closing && !client->securing &&
	    !client->paused && stream_input(client->stream).len > 0)
		more = client->next == CLIENT_ARTICLE
		    ? client_read_article(client)
		    : client_read_line(client);
}

static void
on_drained(void *arg)
{
	struct feed_client *client = arg;

	if (feed_client_is_ready(client))
		client->owner->drained(client->arg);
}

static void
on_secured(void *arg)
{
	struct feed_client *client = arg;

	client->securing = false;
	if (client->options->tls == TLS_STARTTLS)
		client_go_on(client);
}

static const char *
end_text(const struct feed_client *client, enum stream_end why)
{
	if (why == STREAM_END_TIMEOUT)
		return "the server does not answer";
	if (client->securing)
		return "TLS failed (the certificate must lead to a known "
		       "authority and name the host)";
	return why == STREAM_END_EOF ? "the server closed the connection"
				     : "the connection was lost";
}

static void
client_destroy(struct feed_client *client)
{
	buffer_fini(&client->article);
	tls_free(&client->ctx);
	feed_login_free(&client->login);
	free(client);
}

static void
on_ended(void *arg, enum stream_end why)
{
	struct feed_client *client = arg;

	client->stream = NULL;
	client->closing = true;
	if (client->why[0] == '\0')
		(void)snprintf(client->why, sizeof client->why, "%s",
		    end_text(client, why));
	client->owner->ended(client->arg, client->why);
	client_destroy(client);
}

static const struct stream_handler client_stream_handler = {
	.readable = on_readable,
	.drained = on_drained,
	.secured = on_secured,
	.ended = on_ended,
};

/* ---- what the owner calls */

struct feed_client *
feed_client_new(struct stream *stream,
    const struct feed_client_options *options,
    const struct feed_client_owner *owner, void *arg)
{
	struct feed_client *client = calloc(1, sizeof *client);

	if (client == NULL) {
		stream_free(&stream);
		return NULL;
	}
	client->stream = stream;
	client->options = options;
	client->owner = owner;
	client->arg = arg;
	if (options->ctx != NULL && SSL_CTX_up_ref(options->ctx) == 1)
		client->ctx = options->ctx;
	buffer_init(&client->article, 0);
	line_reader_init(&client->lines, NNTP_REPLY_MAX, LINE_LF_ENDS);
	stream_set_handler(stream, &client_stream_handler, client);
	stream_set_idle_timeout(stream, HELLO_SECONDS);
	stream_set_deadline(stream, HELLO_SECONDS);
	if (options->tls == TLS_IMPLICIT)
		client_secure(client);
	return client;
}

void
feed_client_free(struct feed_client **client_p)
{
	struct feed_client *client = *client_p;

	*client_p = NULL;
	if (client == NULL)
		return;
	stream_free(&client->stream);
	client_destroy(client);
}

const char *
feed_client_login(const struct feed_client *client)
{
	return client->login == NULL ? "none" : feed_login_by(client->login);
}

bool
feed_client_is_ready(const struct feed_client *client)
{
	return client->state == CLIENT_READY && !client->closing;
}

void
feed_client_command(struct feed_client *client, const char *format, ...)
{
	char line[NNTP_REPLY_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof line) {
		feed_client_fail(client, "a command is too long", span_of(""));
		return;
	}
	client->owed++;
	client_say(client, line);
	client_watch(client);
}

void
feed_client_send_article(struct feed_client *client, struct span wire,
    void (*release)(void *arg), void *arg)
{
	stream_write_reference(client->stream, wire.bytes, wire.len, release,
	    arg);
	stream_write(client->stream, ".\r\n", 3);
}

void
feed_client_expect(struct feed_client *client)
{
	client->owed++;
	client_watch(client);
}

bool
feed_client_is_full(const struct feed_client *client)
{
	return stream_is_full(client->stream);
}

void
feed_client_pause(struct feed_client *client)
{
	client->paused = true;
	stream_pause(client->stream);
	client_watch(client);
}

void
feed_client_resume(struct feed_client *client)
{
	if (!client->paused || client->closing)
		return;
	client->paused = false;
	stream_resume(client->stream);
	client_watch(client);
}

void
feed_client_quit(struct feed_client *client)
{
	if (!feed_client_is_ready(client))
		return;
	client->state = CLIENT_QUITTING;
	client_say(client, "QUIT");
	feed_client_fail(client, "done", span_of(""));
}
