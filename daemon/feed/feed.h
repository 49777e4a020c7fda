/* feed.h - the feed role, without being a process: what core asks for on one
 * channel, done over connections to other servers. Private to daemon/feed and
 * its tests.
 *
 *   push.c   offers articles to a peer and sends what it wants
 *   pull.c   takes the articles of one group of a peer
 */
#ifndef KITH_DAEMON_FEED_FEED_H
#define KITH_DAEMON_FEED_FEED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/feed/endpoint.h"

struct feed;
struct Gsasl;
struct ipc;
struct ipc_reader;
struct loop;
struct pull;
struct push;

struct feed {
	struct loop *loop;
	struct dialer *dialer;
	struct ssl_ctx_st *ctx; /* NULL: no TLS can be had */
	struct Gsasl *sasl;
	struct ipc *core;       /* NULL: it has gone */
	bool starved;           /* some of these are */
	LIST_HEAD(, push) pushes;
	LIST_HEAD(, pull) pulls;
	struct event *tick; /* each second */
};

/* Takes ctx. */
struct feed *feed_new(struct loop *loop, struct ssl_ctx_st *ctx);
/* Drops everything that is under way. Accepts NULL. */
void feed_free(struct feed **feed);
/* Each takes fd, in place of the channel before; with core's all that it asked
 * for ends. */
int feed_connect_core(struct feed *feed, int fd);
int feed_connect_resolve(struct feed *feed, int fd);
/* For connections that begin from now on; takes ctx. */
void feed_set_tls(struct feed *feed, struct ssl_ctx_st *ctx);

/* Numbers that one pull asks for and does not get; then the next one goes on. A
 * list without numbers counts too. */
#define PULL_VAIN_MAX 50000u

/* MESSAGE_OFFER and MESSAGE_PULL, fields behind the type. */
void push_offer(struct feed *feed, uint32_t request, struct ipc_reader *fields);
void pull_begin(struct feed *feed, uint32_t request, struct ipc_reader *fields);
/* A second has passed: idle connections end, what waited for core goes on. */
void push_tick(struct push *push);
void pull_tick(struct pull *pull);
/* Behind it in the feed's list. */
struct push *push_next(const struct push *push);
struct pull *pull_next(const struct pull *pull);
/* Nobody waits any more: freed at once, or when it has dialled. */
void push_drop(struct push *push);
void pull_drop(struct pull *pull);
/* The dialer has gone. */
void push_free(struct push *push);
void pull_free(struct pull *pull);

#endif
