/* session_private.h - shared by session.c, session_envelope.c, session_data.c.
 */
#ifndef KITH_DAEMON_MAIL_SESSION_PRIVATE_H
#define KITH_DAEMON_MAIL_SESSION_PRIVATE_H

#include "daemon/mail/incoming.h"
#include "daemon/mail/session.h"
#include "daemon/stream.h"
#include "protocol/dot.h"
#include "protocol/line.h"
#include "protocol/smtp.h"

#define SESSION_RECIPIENTS_MAX  100u
#define SESSION_ERRORS_MAX      10u
#define SESSION_COMMAND_SECONDS 300u /* RFC 5321 4.5.3.2.7 */
#define SESSION_DATA_SECONDS    600u
#define SESSION_DATA_DEADLINE   3600u /* from 354 to the final dot */

enum session_state {
	SESSION_COMMANDS,
	SESSION_DATA,     /* the mail's bytes come in */
	SESSION_WAITING,  /* for what becomes of the mail */
	SESSION_SECURING, /* STARTTLS was answered */
	SESSION_CLOSING,
};

/* A reply that waits for its turn: a RCPT that core is asked about, or what was
 * said behind such a one. */
struct ask {
	TAILQ_ENTRY(ask) entry;
	struct session *session; /* NULL: it has gone */
	bool answered;
	bool recipient; /* accepted: address joins the transaction */
	unsigned code;
	char *text;
	char address[SMTP_ADDRESS_MAX + 1];
};
TAILQ_HEAD(ask_list, ask);

struct transaction {
	bool utf8;
	char *sender;
	char *recipients[SESSION_RECIPIENTS_MAX];
	size_t count;
	struct buffer raw; /* wire form */
	struct dot_receiver dot;
	size_t counted; /* of raw, in the engine's data_bytes */
};

struct session {
	TAILQ_ENTRY(session) entry;
	struct mail_engine *engine;
	struct stream *stream;
	char *client; /* IP address, "" for a local one */
	enum listen_protocol protocol;
	enum session_state state;
	unsigned long id;
	bool hello;
	bool extended; /* by EHLO or LHLO */
	bool running;  /* in mail_session_run, which is not entered twice */
	unsigned errors;
	struct line_reader lines;
	struct ask_list asks;
	size_t ask_count;
	struct transaction *transaction; /* NULL: none */
	struct incoming *incoming;
};

typedef void mail_session_handler(struct session *session, struct span args);
mail_session_handler mail_session_mail;
mail_session_handler mail_session_rcpt;
mail_session_handler mail_session_data;

void mail_session_enter_state(
    struct session *session, enum session_state state);
/* "CODE text" in its turn. Codes 500 to 504 and 555 count as errors. */
void mail_session_reply(struct session *session, unsigned code, const char *text);
/* As far as the answers are there. */
void mail_session_flush_asks(struct session *session);
void mail_session_reset(struct session *session);
void mail_session_close(struct session *session);
/* Takes the bytes that are there. False: no progress is possible now. */
bool mail_session_data_feed(struct session *session);
/* May a RCPT be handled now, or is there no credit to ask core with? */
bool mail_session_may_ask(const struct session *session);
/* A RCPT waits for the answer of core; adds a reply to the row. NULL: no memory. */
struct ask *mail_session_ask_new(struct session *session);
const char *mail_session_protocol_name(const struct session *session);

#endif
