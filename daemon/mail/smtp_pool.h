/* smtp_pool.h - the transport "smtp": a few connections to the smarthost, and
 * chunks served in turn.
 *
 * A smarthost that cannot be reached, or that does not let us in, is left alone
 * for a while that doubles up to a minute; what comes meanwhile is given back at
 * once. Core's jobs have the patience, not this.
 */
#ifndef KITH_DAEMON_MAIL_SMTP_POOL_H
#define KITH_DAEMON_MAIL_SMTP_POOL_H

#include "daemon/mail/smtp_client.h"
#include "daemon/mail/smtp_dial.h"
#include "daemon/mail/transport.h"

struct loop;

struct smtp_pool_options {
	const struct config *config; /* borrowed */
	struct ssl_ctx_st *ctx;      /* borrowed; NULL without TLS */
	struct span secret;          /* copied */
};

/* Takes the dialer, on failure too. */
struct mail_transport *smtp_pool_new(struct loop *loop,
    const struct smtp_pool_options *options, struct smtp_dialer *dialer);
/* From now on; connections that are open end when nothing is open on them.
 * -ENOMEM: all stays. */
int smtp_pool_configure(struct mail_transport *transport,
    const struct smtp_pool_options *options);

#endif
