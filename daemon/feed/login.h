/* login.h - how we prove to another news server who we are: by the strongest of
 * what its CAPABILITIES offer, SASL (RFC 4643 2.4, over libgsasl) or USER and
 * PASS; these also where SASL was refused and the password may be said. Lines in
 * and lines out, no connection.
 */
#ifndef KITH_DAEMON_FEED_LOGIN_H
#define KITH_DAEMON_FEED_LOGIN_H

#include <stdbool.h>

#include "protocol/nntp_reply.h"

struct feed_login;
struct Gsasl;

/* libgsasl, which all logins of a process share. 0, -ENOMEM. */
int feed_login_open(struct Gsasl **library_r);
/* Accepts NULL. */
void feed_login_close(struct Gsasl **library);

struct feed_login_options {
	const char *user;   /* borrowed for its life */
	struct span secret; /* the same; holds no NUL */
	bool clear;         /* the secret may be said as it is */
	/* of the connection, by stream_binding(); borrowed for the call */
	struct span unique, exporter;
};

enum feed_login_step {
	LOGIN_SAY,    /* the line */
	LOGIN_DONE,   /* we are known, and by SCRAM: so is the server */
	LOGIN_FAILED, /* feed_login_why() */
};

/* NULL: no memory. library is borrowed for its life. */
struct feed_login *feed_login_new(struct Gsasl *library,
    const struct feed_login_options *options);
/* Accepts NULL. */
void feed_login_free(struct feed_login **login);

/* A line of the server's CAPABILITIES. */
void feed_login_capability(struct feed_login *login, struct span line);
/* That was all, or the server has no such list. *line_r holds a secret; it has
 * no CRLF and is borrowed until the next call. */
enum feed_login_step feed_login_begin(struct feed_login *login,
    struct span *line_r);
/* The server's answer to that line. */
enum feed_login_step feed_login_answer(struct feed_login *login,
    const struct nntp_reply *reply, struct span *line_r);
/* For the admin; no text of the server, which could repeat what we said. */
const char *feed_login_why(const struct feed_login *login);
/* What was chosen: "SCRAM-SHA-256", "USER", ...; "" before. */
const char *feed_login_by(const struct feed_login *login);

#endif
