/* compose.h - mail as people's programs write it: replies, with and without a
 * quote, forwards, and reports of a mail server.
 */
#ifndef KITH_REPLAY_COMPOSE_H
#define KITH_REPLAY_COMPOSE_H

#include "tests/replay/world.h"

struct compose_reply {
	const char *from;
	const char *subject; /* NULL: that of the mail */
	const char *text;
	unsigned number; /* of the mail, for its Message-ID */
	bool quoted; /* the whole mail follows, header and all */
};

/* LF line ends. The address it goes to, owned. */
char *compose_reply(struct buffer *out, const struct world_mail *mail,
    const struct compose_reply *reply);
void compose_forward(struct buffer *out, const struct world_mail *mail,
    const char *from, const char *to, const char *text, unsigned number);
/* A report with this status ("4..." is a delay) for the recipient. */
void compose_bounce(struct buffer *out, const struct world_mail *mail,
    const char *status, unsigned number);
/* A report of this feedback type (RFC 5965) about the mail. */
void compose_complaint(struct buffer *out, const struct world_mail *mail,
    const char *type, unsigned number);

#endif
