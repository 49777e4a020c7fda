/* core_listen.h - core's listeners: accepts news connections and hands each to
 * one of the loops in turn. TLS contexts, made anew at a reload, belong here
 * too. Not the sessions: those are news/'s.
 */
#ifndef KITH_DAEMON_CORE_LISTEN_H
#define KITH_DAEMON_CORE_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/span.h"

struct core_listen;
struct loop;
struct news_server;
struct ssl_ctx_st;

struct core_listen_options {
	struct loop *const *loops; /* borrowed; accepting happens on the first */
	size_t loop_count;
};

struct core_listen *core_listen_new(const struct core_listen_options *options);
/* Closes the listeners. Accepts NULL. */
void core_listen_free(struct core_listen **listen);
void core_listen_set_server(
    struct core_listen *listen, struct news_server *server);
/* Takes fd (non-blocking, listening). implicit_tls: nntps. */
int core_listen_add(struct core_listen *listen, int fd, bool implicit_tls);
/* No more connections. */
void core_listen_stop(struct core_listen *listen);

/* Certificate and key as PEM; empty: no TLS from now on. client_ca: PEM bundle
 * for the certificates of clients, empty: they are not asked for one. On an
 * error the context before stays in force; *why_r is static. */
int core_listen_set_tls(struct core_listen *listen, struct span certificate,
    struct span key, struct span client_ca, const char **why_r);
/* A reference of the caller's own, or NULL; arg is the core_listen. Any
 * thread. */
struct ssl_ctx_st *core_listen_tls(void *arg);

#endif
