/* session.h - one connection to the LMTP or the SMTP listener.
 *
 * Replies stay in the order of the commands, however many of them are under way
 * to core: only RCPT may overlap with RCPT, everything else waits for what is
 * open.
 */
#ifndef KITH_DAEMON_MAIL_SESSION_H
#define KITH_DAEMON_MAIL_SESSION_H

#include "daemon/mail/engine_private.h"

/* Takes the stream; greets. NULL: no memory, the stream is freed. */
struct session *mail_session_new(struct mail_engine *engine,
    struct stream *stream, enum listen_protocol protocol);
/* At once, without a word. */
void mail_session_free(struct session **session);
/* Credit is there again. */
void mail_session_go_on(struct session *session);
/* No new transaction; 421 now if none is open. */
void mail_session_shut(struct session *session);
struct session *mail_session_next(const struct session *session);

#endif
