/* client.h - one connection to a news server as a client of it: greeting, TLS,
 * login, MODE; then commands of its owner, whose answers come in order (RFC 3977
 * 3.5). It knows neither articles nor groups.
 */
#ifndef KITH_DAEMON_FEED_CLIENT_H
#define KITH_DAEMON_FEED_CLIENT_H

#include "daemon/config.h"
#include "protocol/nntp_reply.h"

struct feed_client;
struct Gsasl;
struct ssl_ctx_st;
struct stream;

/* All borrowed for the connection's life. */
struct feed_client_options {
	const char *host; /* that the certificate must name */
	enum config_tls tls;
	struct ssl_ctx_st
	    *ctx;         /* may be NULL without TLS; until feed_client_new */
	const char *user; /* "": no login */
	struct span secret;
	bool clear; /* the secret may be said without TLS */
	struct Gsasl *sasl;
	bool reader; /* MODE READER; else MODE STREAM */
};

/* What follows a status line. */
enum feed_client_next {
	CLIENT_STATUS,
	CLIENT_LINES,
	CLIENT_ARTICLE
};

struct feed_client_owner {
	/* Commands can be sent. streaming: it takes CHECK and TAKETHIS. */
	void (*ready)(void *arg, bool streaming);
	/* The answer to the oldest command; borrowed for the call. */
	enum feed_client_next (
	    *reply)(void *arg, const struct nntp_reply *reply);
	/* CLIENT_LINES: each line of the block, unstuffed, then one with bytes
	 * NULL. */
	void (*line)(void *arg, struct span line);
	/* CLIENT_ARTICLE: wire form, borrowed for the call; bytes NULL: it was
	 * above CLIENT_ARTICLE_MAX, or memory was short. */
	void (*article)(void *arg, struct span wire);
	/* Output is no longer full. */
	void (*drained)(void *arg);
	/* The connection is over and freed after this call. */
	void (*ended)(void *arg, const char *why);
};

#define CLIENT_ARTICLE_MAX (64u * 1024u * 1024u)

/* Takes the stream (also on failure: NULL). */
struct feed_client *feed_client_new(struct stream *stream,
    const struct feed_client_options *options,
    const struct feed_client_owner *owner, void *arg);
/* Without a word to the owner; not within its callbacks. Accepts NULL. */
void feed_client_free(struct feed_client **client);

/* By what it has logged in; "none". */
const char *feed_client_login(const struct feed_client *client);
bool feed_client_is_ready(const struct feed_client *client);
/* A command line without CRLF; its answer will come. */
void feed_client_command(struct feed_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* An article in wire form and its final dot. release(arg) once it was sent. */
void feed_client_send_article(struct feed_client *client, struct span wire,
    void (*release)(void *arg), void *arg);
/* After an article that answers a status line (335) rather than a command of
 * its own: one more answer is owed. */
void feed_client_expect(struct feed_client *client);
bool feed_client_is_full(const struct feed_client *client);
/* Nothing more is read until resume. */
void feed_client_pause(struct feed_client *client);
void feed_client_resume(struct feed_client *client);
/* Says QUIT and ends. */
void feed_client_quit(struct feed_client *client);
/* Gives up: ended comes later, with this reason ("what: text of the server"). */
void feed_client_fail(struct feed_client *client, const char *what,
    struct span text);

#endif
