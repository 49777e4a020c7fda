/* smtp_client_private.h - shared by smtp_client.c and smtp_client_greet.c.
 */
#ifndef KITH_DAEMON_MAIL_SMTP_CLIENT_PRIVATE_H
#define KITH_DAEMON_MAIL_SMTP_CLIENT_PRIVATE_H

#include "daemon/mail/smtp_client.h"
#include "daemon/mail/smtp_login.h"
#include "daemon/stream.h"
#include "protocol/smtp.h"

#define CLIENT_ROW 8u

enum expect {
	EXPECT_GREETING,
	EXPECT_EHLO,
	EXPECT_STARTTLS,
	EXPECT_LOGIN,
	EXPECT_RSET,
	EXPECT_MAIL,
	EXPECT_RCPT,
	EXPECT_DATA,
	EXPECT_BODY,
	EXPECT_QUIT,
};

/* A delivery that is under way. */
struct flight {
	struct mail_chunk *chunk; /* NULL: none */
	struct mail_delivery *delivery;
	unsigned refused; /* the first refusal of the envelope */
	char text[512];
};

struct smtp_client {
	struct stream *stream;
	const struct smtp_client_options *options;
	const struct smtp_client_owner *owner;
	void *arg;
	struct smtp_reply reply;
	enum expect row[CLIENT_ROW];
	unsigned row_first;
	unsigned row_count;
	struct flight envelope; /* MAIL, RCPT, DATA: nothing has happened yet */
	struct flight body;     /* the body was sent */
	struct smtp_login login;
	uint64_t size_limit; /* SIZE of the server; 0: none said */
	unsigned answers;
	bool securing;
	bool ready;
	bool quitting;
	bool closing;
	bool needs_reset;
	bool pipelining;
	bool eight_bit;
	bool utf8;
	bool size;
	char why[256];
};

/* ---- smtp_client.c */
/* A command was sent: its reply is awaited behind the others. */
void smtp_client_expect(struct smtp_client *client, enum expect what);
/* Ends the connection; the first reason stays. */
void smtp_client_fail(struct smtp_client *client, const char *what,
    const char *why);
/* Mails may be sent. */
void smtp_client_ready(struct smtp_client *client);

/* ---- smtp_client_greet.c: by the reply that came */
void smtp_client_on_greeting(struct smtp_client *client);
void smtp_client_on_ehlo(struct smtp_client *client);
void smtp_client_on_starttls(struct smtp_client *client);
void smtp_client_on_login(struct smtp_client *client);
/* Sends EHLO: after the greeting, and again under TLS. */
void smtp_client_ehlo(struct smtp_client *client);

#endif
