/* smtp_client.h - one connection to the smarthost: greeting, TLS, AUTH, then
 * mail after mail. With PIPELINING (RFC 2920) the envelope of the next mail goes
 * out behind the body of the one before: one round trip a mail.
 *
 * What to send it asks its owner; it queues nothing.
 */
#ifndef KITH_DAEMON_MAIL_SMTP_CLIENT_H
#define KITH_DAEMON_MAIL_SMTP_CLIENT_H

#include "daemon/config.h"
#include "daemon/mail/transport.h"

struct smtp_client;
struct ssl_ctx_st;
struct stream;

/* All borrowed for the connection's life. */
struct smtp_client_options {
	const char *hostname; /* ours, for EHLO */
	const char *host;     /* the smarthost's, that its certificate names */
	enum config_tls tls;
	struct ssl_ctx_st *ctx; /* may be NULL without TLS */
	const char *user;       /* NULL or "": no AUTH */
	struct span secret;
};

struct smtp_client_owner {
	/* The next delivery, state open; NULL: none now. */
	struct mail_delivery *(*next)(void *arg, struct mail_chunk **chunk_r);
	/* It has its code. */
	void (*answered)(void *arg, struct mail_chunk *chunk);
	/* Nothing happened to it: waits again. */
	void (*returned)(void *arg, struct mail_chunk *chunk,
	    struct mail_delivery *delivery);
	/* Mail can be sent. */
	void (*ready)(void *arg, struct smtp_client *client);
	/* The connection is over and freed after this call. */
	void (*ended)(void *arg, struct smtp_client *client, const char *why);
};

/* Takes the stream (also on failure: NULL). */
struct smtp_client *smtp_client_new(struct stream *stream,
    const struct smtp_client_options *options,
    const struct smtp_client_owner *owner, void *arg);
/* Without a word to the owner about itself; what was open is answered 0 or
 * returned. */
void smtp_client_free(struct smtp_client **client);
/* There is something to send. */
void smtp_client_wake(struct smtp_client *client);
/* QUIT, if nothing is open. */
void smtp_client_quit(struct smtp_client *client);
bool smtp_client_is_ready(const struct smtp_client *client);
/* Final answers that this connection has given. */
unsigned smtp_client_answers(const struct smtp_client *client);

#endif
