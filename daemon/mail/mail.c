/* mail.c - the mail process: listeners, channels and transport around the
 * engine.
 */
#include "build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/mail/engine.h"
#include "daemon/mail/maildir_transport.h"
#include "daemon/mail/smtp_pool.h"
#include "daemon/role.h"
#include "daemon/stream.h"
#include "daemon/tls.h"

#define ACCEPTS_PER_TURN 32u
#define STOP_SECONDS     2 /* for replies that are under way */

struct listener {
	LIST_ENTRY(listener) entry;
	struct mail *mail;
	enum listen_protocol protocol;
	int fd;
	struct event *event;
};

struct mail {
	struct role_process *process;
	struct role_start *born;
	struct role_start *reloaded; /* NULL: never */
	struct mail_transport *pool; /* the engine's; NULL: a Maildir */
	struct mail_engine *engine;
	struct ssl_ctx_st *server_tls;
	struct ssl_ctx_st *client_tls;
	struct smtp_dialer *dialer;     /* borrowed from the pool */
	struct mail_transport *maildir; /* borrowed from the engine */
	LIST_HEAD(, listener) listeners;
	struct event *stop;
};

/* ---- listeners */

static void
on_accept(evutil_socket_t listening, short what, void *arg)
{
	struct listener *listener = arg;
	struct mail *mail = listener->mail;
	struct stream *stream;
	unsigned i;
	int fd;

	(void)what;
	for (i = 0; i < ACCEPTS_PER_TURN; i++) {
		fd = accept4(listening, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE)
				log_warning("accept: %s", strerror(errno));
			return;
		}
		stream = stream_new_socket(role_base(mail->process), fd, NULL,
		    NULL, NULL);
		if (stream != NULL)
			(void)mail_engine_accept_stream(mail->engine, stream,
			    listener->protocol);
	}
}

static void
listener_free(struct listener *listener)
{
	LIST_REMOVE(listener, entry);
	if (listener->event != NULL)
		event_free(listener->event);
	(void)close(listener->fd);
	free(listener);
}

static int
listener_add(struct mail *mail, int fd, enum listen_protocol protocol)
{
	struct listener *listener = calloc(1, sizeof *listener);

	if (listener == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	listener->mail = mail;
	listener->protocol = protocol;
	listener->fd = fd;
	LIST_INSERT_HEAD(&mail->listeners, listener, entry);
	listener->event = event_new(role_base(mail->process), fd,
	    EV_READ | EV_PERSIST, on_accept, listener);
	if (listener->event == NULL || event_add(listener->event, NULL) < 0)
		return -ENOMEM;
	return 0;
}

static int
listeners_open(struct mail *mail)
{
	struct role_start *start = mail->born;
	size_t i;

	for (i = 0; i < start->listener_count; i++) {
		unsigned index = start->listeners[i].index;
		int fd;

		if (index >= start->config->listener_count)
			continue;
		fd = role_start_take_listener(start, i);
		if (fd >= 0 &&
		    listener_add(mail, fd,
			start->config->listeners[index].protocol) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- transport and TLS */

static bool
is_maildir(const struct config *config)
{
	return strncmp(config->transport, "maildir:", 8) == 0;
}

/* NULL: nothing is set up. False: a file is of no use, which is logged. */
static bool
server_tls_load(const struct role_start *start, struct ssl_ctx_st **ctx_r)
{
	struct span certificate = role_start_file(start, "certificate");
	struct span key = role_start_file(start, "key");
	const char *why = "";

	*ctx_r = NULL;
	if (certificate.len == 0 || key.len == 0)
		return true;
	*ctx_r = tls_server_new(certificate, key, &why);
	if (*ctx_r == NULL)
		log_err("tls: %s", why);
	return *ctx_r != NULL;
}

static bool
client_tls_load(const struct role_start *start, struct ssl_ctx_st **ctx_r)
{
	const char *why = "";

	*ctx_r = NULL;
	if (is_maildir(start->config) ||
	    start->config->smarthost_tls == TLS_NONE)
		return true;
	*ctx_r = tls_client_new(role_start_file(start, "ca"), &why);
	if (*ctx_r == NULL)
		log_err("smarthost tls: %s", why);
	return *ctx_r != NULL;
}

static const struct config *
mail_config(const struct mail *mail)
{
	return mail->reloaded != NULL ? mail->reloaded->config
				      : mail->born->config;
}

static struct mail_transport *
transport_smtp(struct mail *mail)
{
	struct smtp_pool_options options = {
		.config = mail->born->config,
		.ctx = mail->client_tls,
		.secret = role_start_file(mail->born, "secret"),
	};

	mail->dialer =
	    smtp_dialer_new(role_loop(mail->process), mail->born->config);
	if (mail->dialer == NULL)
		return NULL;
	return smtp_pool_new(role_loop(mail->process), &options, mail->dialer);
}

/* Its kind changes by a restart only. */
static int
transport_open(struct mail *mail)
{
	struct mail_transport *transport;

	if (is_maildir(mail->born->config)) {
		mail->maildir = maildir_transport_new(role_loop(mail->process));
		transport = mail->maildir;
	} else {
		transport = transport_smtp(mail);
		mail->pool = transport;
	}
	mail_engine_set_transport(mail->engine, transport);
	return transport == NULL ? -ENOMEM : 0;
}

/* ---- the role */

static void
kill_parse(void *arg)
{
	struct mail *mail = arg;

	role_kill_peer(mail->process, "parse");
}

static void
mail_free(void *state)
{
	struct mail *mail = state;

	if (mail == NULL)
		return;
	while (!LIST_EMPTY(&mail->listeners))
		listener_free(LIST_FIRST(&mail->listeners));
	mail_engine_free(&mail->engine);
	if (mail->stop != NULL)
		event_free(mail->stop);
	tls_free(&mail->server_tls);
	tls_free(&mail->client_tls);
	role_start_free(&mail->born);
	role_start_free(&mail->reloaded);
	free(mail);
}

static int
mail_start(struct role_process *process, struct role_start *start,
    void **state_r)
{
	struct mail *mail = calloc(1, sizeof *mail);
	int status = EX_OSERR;

	if (mail == NULL) {
		role_start_free(&start);
		return EX_OSERR;
	}
	mail->process = process;
	mail->born = start;
	LIST_INIT(&mail->listeners);
	if (!server_tls_load(start, &mail->server_tls) ||
	    !client_tls_load(start, &mail->client_tls)) {
		status = EX_CONFIG;
		goto fail;
	}
	mail->engine = mail_engine_new(role_loop(process), start->config);
	if (mail->engine == NULL)
		goto fail;
	mail_engine_set_tls(mail->engine, mail->server_tls);
	mail_engine_set_kill_parse(mail->engine, kill_parse, mail);
	if (transport_open(mail) < 0 || listeners_open(mail) < 0)
		goto fail;
	*state_r = mail;
	return 0;
fail:
	mail_free(mail);
	return status;
}

static bool
smarthost_reload(struct mail *mail, const struct role_start *start)
{
	struct smtp_pool_options options = {
		.config = start->config,
		.secret = role_start_file(start, "secret"),
	};
	struct ssl_ctx_st *fresh;

	if (!client_tls_load(start, &fresh))
		return false;
	options.ctx = fresh;
	/* first, for the pool dials at once */
	smtp_dialer_set_config(mail->dialer, start->config);
	if (smtp_pool_configure(mail->pool, &options) < 0) {
		smtp_dialer_set_config(mail->dialer, mail_config(mail));
		tls_free(&fresh);
		return false;
	}
	tls_free(&mail->client_tls);
	mail->client_tls = fresh;
	return true;
}

static int
mail_reload(void *state, struct role_start *start)
{
	struct mail *mail = state;
	struct ssl_ctx_st *server_tls;

	if (!server_tls_load(start, &server_tls)) {
		role_start_free(&start);
		return -EINVAL;
	}
	if (mail->pool != NULL && !smarthost_reload(mail, start)) {
		tls_free(&server_tls);
		role_start_free(&start);
		return -EINVAL;
	}
	mail_engine_set_tls(mail->engine, server_tls);
	tls_free(&mail->server_tls);
	mail->server_tls = server_tls;
	mail_engine_set_config(mail->engine, start->config);
	role_start_free(&mail->reloaded);
	mail->reloaded = start;
	return 0;
}

static void
mail_peer(void *state, const char *peer, int fd)
{
	struct mail *mail = state;
	int rc = 0;

	if (strcmp(peer, "core") == 0)
		rc = mail_engine_connect_core(mail->engine, fd);
	else if (strcmp(peer, "parse") == 0)
		rc = mail_engine_connect_parse(mail->engine, fd);
	else if (strcmp(peer, "maildir") == 0 && mail->maildir != NULL)
		rc = maildir_transport_connect(mail->maildir, fd);
	else if (strcmp(peer, "resolve") == 0 && mail->dialer != NULL)
		rc = smtp_dialer_connect_resolve(mail->dialer, fd);
	else
		(void)close(fd);
	if (rc < 0)
		role_exit(mail->process, EX_OSERR);
}

static void
on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct mail *mail = arg;

	(void)fd;
	(void)what;
	role_exit(mail->process, 0);
}

static void
mail_stop(void *state)
{
	struct mail *mail = state;
	struct timeval patience = { STOP_SECONDS, 0 };

	while (!LIST_EMPTY(&mail->listeners))
		listener_free(LIST_FIRST(&mail->listeners));
	mail_engine_shut(mail->engine);
	if (mail_engine_session_count(mail->engine) == 0)
		patience.tv_sec = 0;
	mail->stop = event_new(role_base(mail->process), -1, 0, on_stop, mail);
	if (mail->stop == NULL || event_add(mail->stop, &patience) < 0)
		role_exit(mail->process, 0);
}

const struct role mail_role = {
	.name = "mail",
	.profile = SANDBOX_MAIL,
	.start = mail_start,
	.reload = mail_reload,
	.peer = mail_peer,
	.stop = mail_stop,
	.free = mail_free,
};
