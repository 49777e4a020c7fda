/* core_listen.c - core's listeners and the TLS context in force.
 */
#include "build.h"

#include "daemon/core_listen.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/news/news.h"
#include "daemon/stream.h"
#include "daemon/tls.h"

#define ACCEPTS_PER_TURN 64
#define LISTENERS_MAX	 64u

struct core_listener {
	struct core_listen *listen;
	struct event *event;
	int fd;
	bool implicit_tls;
};

struct core_listen {
	struct loop *const *loops;
	size_t loop_count;
	size_t next; /* loop of the next connection */
	struct news_server *server;
	struct core_listener listeners[LISTENERS_MAX];
	size_t count;
	struct event *pause; /* out of descriptors: accepting again later */
	pthread_mutex_t mutex;
	struct ssl_ctx_st *tls; /* under the mutex */
};

/* A connection on its way to another loop's thread. */
struct accepted {
	struct core_listen *listen;
	size_t loop;
	int fd;
	bool implicit_tls;
};

static void
session_begin(void *arg)
{
	struct accepted *accepted = arg;
	struct core_listen *listen = accepted->listen;
	struct ssl_ctx_st *ctx = NULL;
	struct stream *stream = NULL;

	if (accepted->implicit_tls)
		ctx = core_listen_tls(listen);
	if (accepted->implicit_tls && ctx == NULL)
		(void)close(accepted->fd);
	else
		stream = stream_new_socket(
		    loop_base(listen->loops[accepted->loop]), accepted->fd, ctx,
		    NULL, NULL);
	tls_free(&ctx);
	if (stream != NULL)
		news_session_new(listen->server, accepted->loop, stream,
		    accepted->implicit_tls);
	free(accepted);
}

static void
hand_over(struct core_listener *listener, int fd)
{
	struct core_listen *listen = listener->listen;
	struct accepted *accepted = malloc(sizeof *accepted);

	if (accepted == NULL) {
		(void)close(fd);
		return;
	}
	accepted->listen = listen;
	accepted->fd = fd;
	accepted->implicit_tls = listener->implicit_tls;
	accepted->loop = listen->next;
	listen->next = (listen->next + 1) % listen->loop_count;
	if (accepted->loop == 0) {
		session_begin(accepted);
	} else if (loop_post(listen->loops[accepted->loop], session_begin,
		       accepted) != 0) {
		(void)close(fd);
		free(accepted);
	}
}

static void
listening(struct core_listen *listen, bool on)
{
	for (size_t i = 0; i < listen->count; i++) {
		if (listen->listeners[i].event == NULL)
			continue;
		if (on)
			(void)event_add(listen->listeners[i].event, NULL);
		else
			(void)event_del(listen->listeners[i].event);
	}
}

static void
resume_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	listening(arg, true);
}

static void
accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct core_listener *listener = arg;
	const struct timeval second = { .tv_sec = 1 };

	(void)what;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int connection =
		    accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (connection >= 0) {
			hand_over(listener, connection);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS) {
			/* level-triggered: without a pause this would spin */
			log_warning("no connection accepted for a second: %s",
			    strerror(errno));
			listening(listener->listen, false);
			(void)event_add(listener->listen->pause, &second);
		}
		return;
	}
}

int
core_listen_add(struct core_listen *listen, int fd, bool implicit_tls)
{
	struct core_listener *listener;

	if (listen->count == LISTENERS_MAX) {
		(void)close(fd);
		return -EMFILE;
	}
	listener = &listen->listeners[listen->count];
	listener->listen = listen;
	listener->fd = fd;
	listener->implicit_tls = implicit_tls;
	listener->event = event_new(loop_base(listen->loops[0]), fd,
	    EV_READ | EV_PERSIST, accept_cb, listener);
	if (listener->event == NULL ||
	    event_add(listener->event, NULL) != 0) {
		if (listener->event != NULL)
			event_free(listener->event);
		(void)close(fd);
		return -ENOMEM;
	}
	listen->count++;
	return 0;
}

void
core_listen_stop(struct core_listen *listen)
{
	for (size_t i = 0; i < listen->count; i++) {
		event_free(listen->listeners[i].event);
		(void)close(listen->listeners[i].fd);
	}
	listen->count = 0;
	(void)event_del(listen->pause);
}

void
core_listen_set_server(struct core_listen *listen, struct news_server *server)
{
	listen->server = server;
}

/* ---- TLS */

int
core_listen_set_tls(struct core_listen *listen, struct span certificate,
    struct span key, struct span client_ca, const char **why_r)
{
	struct ssl_ctx_st *fresh = NULL, *old;

	if (certificate.len > 0) {
		fresh = tls_server_new(certificate, key, why_r);
		if (fresh == NULL)
			return -EINVAL;
	}
	if (fresh != NULL && client_ca.len > 0 &&
	    tls_server_ask_clients(fresh, client_ca, why_r) != 0) {
		tls_free(&fresh);
		return -EINVAL;
	}
	(void)pthread_mutex_lock(&listen->mutex);
	old = listen->tls;
	listen->tls = fresh;
	(void)pthread_mutex_unlock(&listen->mutex);
	tls_free(&old);
	return 0;
}

struct ssl_ctx_st *
core_listen_tls(void *arg)
{
	struct core_listen *listen = arg;
	struct ssl_ctx_st *ctx;

	(void)pthread_mutex_lock(&listen->mutex);
	ctx = listen->tls;
	if (ctx != NULL && SSL_CTX_up_ref(ctx) != 1)
		ctx = NULL;
	(void)pthread_mutex_unlock(&listen->mutex);
	return ctx;
}

/* ---- life */

struct core_listen *
core_listen_new(const struct core_listen_options *options)
{
	struct core_listen *listen = calloc(1, sizeof *listen);

	if (listen == NULL)
		return NULL;
	listen->loops = options->loops;
	listen->loop_count = options->loop_count;
	listen->pause =
	    evtimer_new(loop_base(options->loops[0]), resume_cb, listen);
	if (listen->pause == NULL ||
	    pthread_mutex_init(&listen->mutex, NULL) != 0) {
		if (listen->pause != NULL)
			event_free(listen->pause);
		free(listen);
		return NULL;
	}
	return listen;
}

void
core_listen_free(struct core_listen **listen_p)
{
	struct core_listen *listen = *listen_p;

	if (listen == NULL)
		return;
	*listen_p = NULL;
	core_listen_stop(listen);
	event_free(listen->pause);
	tls_free(&listen->tls);
	(void)pthread_mutex_destroy(&listen->mutex);
	free(listen);
}
