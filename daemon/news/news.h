/* news.h - the news side of the core: NNTP sessions on streams.
 *
 * Core accepts the sockets and hands each over as a stream; replay and fuzzing
 * hand over one end of a memory pair. Not here: listeners, TLS contexts, what
 * the community allows.
 */
#ifndef KITH_NEWS_NEWS_H
#define KITH_NEWS_NEWS_H

#include <stdbool.h>
#include <stddef.h>

struct community;
struct loop;
struct news_server;
struct ssl_ctx_st;
struct store_inbox;
struct stream;

/* A loop that serves sessions, and the inbox that is drained on it. */
struct news_loop_options {
	struct loop *loop;
	struct store_inbox *inbox;
};

struct news_options {
	struct community *community;
	const struct news_loop_options *loops; /* copied */
	size_t loop_count;
	/* The TLS context in force as a reference of the caller's own
	 * (SSL_CTX_up_ref; the session frees it with tls_free), or NULL: no TLS
	 * is offered. From any of the loops. NULL: never any TLS. */
	struct ssl_ctx_st *(*tls)(void *arg);
	void *tls_arg;
};

/* Borrows the community and the loops until freed. NULL: out of memory. */
struct news_server *news_server_new(const struct news_options *options);
/* After the loops have stopped: ends the sessions that are left, at once.
 * Nothing they asked of the store or the workers may be under way. Accepts
 * NULL. */
void news_server_free(struct news_server **server);
/* From any thread: idle sessions get 400 and are closed, busy ones after the
 * command they are at; new ones are turned away. */
void news_server_stop(struct news_server *server);
/* Sessions that live. Any thread. */
size_t news_server_sessions(const struct news_server *server);

/* Serves NNTP on a stream, on the thread of that loop (an index into
 * options->loops). Takes the stream in any case. implicit_tls: the stream began
 * with a TLS handshake, the greeting waits for its end. Above
 * limits.connections_per_address the client is told 400 and closed. */
void news_session_new(struct news_server *server, size_t loop,
    struct stream *stream, bool implicit_tls);

#endif
