/* login.h - what a login does to a session, whichever command it came by.
 * Private to daemon/news.
 */
#ifndef KITH_NEWS_LOGIN_H
#define KITH_NEWS_LOGIN_H

#include "daemon/news/session.h"

/* A line of the log about an attempt. identity NULL: it failed. */
void session_log_login(const struct session *s, const char *by,
    const struct identity *identity);
/* From now on the session is this one's. 0 or -ENOMEM. */
int session_login(struct session *s, const struct identity *identity);
/* Answers an attempt that failed; after a few the connection ends (RFC 4643 6:
 * not before the third). 403: it was not looked at. */
void session_login_refused(struct session *s, int code);

/* cmd_sasl.c: a line while an exchange is under way. */
void sasl_receive(struct session *s, struct span line);
/* The capability with its mechanisms, as a line. */
void sasl_capability(struct session *s, struct buffer *text);

#endif
