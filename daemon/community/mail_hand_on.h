/* mail_hand_on.h - a mail passed on to people whole, as an attachment, so that
 * nothing of it is lost or believed.
 */
#ifndef KITH_COMMUNITY_MAIL_HAND_ON_H
#define KITH_COMMUNITY_MAIL_HAND_ON_H

#include <stdbool.h>

#include "daemon/community/mail_item.h"
#include "daemon/community/roster.h"

struct hand_on {
	const char *purpose;   /* of the job; begins the Message-ID too */
	const char *from_name; /* "": none */
	const char *address;   /* From and To */
	const char *subject;   /* UTF-8 */
	bool automatic; /* says so, and carries the mark of our own loop */
};

/* In apply: one job to everybody of the roster; nobody there is no error. The
 * item has a summary; Reply-To is its author. 0 or a negative errno. */
int mail_hand_on(struct store_txn *txn, const struct mail_item *item,
    const struct hand_on *what, const struct roster *roster);

#endif
