/* incoming.h - a mail that was received whole, on its way through the parse
 * worker to core. It does not need the session any more: that one waits for the
 * answer, or has gone.
 *
 * A parse that crashes or hangs is counted by core under the mail's SHA-256: the
 * first time the sender is asked to try again (451), from the second on the mail
 * goes to core without a summary, which holds it as bad-mime.
 */
#ifndef KITH_DAEMON_MAIL_INCOMING_H
#define KITH_DAEMON_MAIL_INCOMING_H

#include "daemon/mail/engine_private.h"
#include "protocol/buffer.h"

struct incoming_envelope {
	char *sender; /* "" is <> */
	char **recipients;
	size_t count;
	const char *client;   /* IP address, "" for a local one; copied */
	const char *protocol; /* "LMTP", "ESMTP", ...: static */
};

/* One code and text per recipient, borrowed for the call. count 0: no memory to
 * say anything; nothing is promised about the mail. */
typedef void (*incoming_done)(void *arg, const unsigned *codes,
    const char *const *texts, size_t count);

/* Takes sender, recipients and the bytes of raw (wire form). done is called
 * later, once. NULL: no memory, nothing was taken. */
struct incoming *incoming_begin(struct mail_engine *engine,
    struct incoming_envelope *envelope, struct buffer *raw, incoming_done done,
    void *arg);
/* done is not called any more. What core has is stored; what it has not is
 * dropped, but a parse that fails is still counted. */
void incoming_abandon(struct incoming *incoming);

/* For the engine: goes on where credit, a worker or time was missing. */
void incoming_go_on(struct mail_engine *engine);
/* Gives up what waits too long. */
void incoming_tick(struct mail_engine *engine);
/* Drops all, without done. */
void incoming_drop_all(struct mail_engine *engine);

#endif
