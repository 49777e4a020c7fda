/* timeout.h - how long a session waits: for a first command, for the rest of a
 * line, an article or a TLS handshake, while nothing is said, and in all. Each
 * ends the connection without a word (RFC 3977 3.1). The numbers are those of
 * limits in kithd.conf, in seconds; 0: for ever. Private to daemon/news.
 */
#ifndef KITH_NEWS_TIMEOUT_H
#define KITH_NEWS_TIMEOUT_H

#include "daemon/news/session.h"

/* The connection has begun; until the first command, and for the handshake of
 * TLS if that comes first. */
void timeout_begin(struct session *s, bool handshake);
/* STARTTLS was answered, or the handshake is over. */
void timeout_handshake(struct session *s, bool begins);
/* A whole command has come, the first one or another. */
void timeout_command(struct session *s);
/* One has come, and waits: it is not the client who is late. */
void timeout_held(struct session *s);
/* Part of a line has come, and not its end. */
void timeout_line(struct session *s);
/* An article begins to come in, or has ended. */
void timeout_article(struct session *s, bool begins);

#endif
