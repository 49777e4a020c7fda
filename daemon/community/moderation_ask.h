/* moderation_ask.h - who decides about what is held hears of it. For
 * moderation.c.
 */
#ifndef KITH_COMMUNITY_MODERATION_ASK_H
#define KITH_COMMUNITY_MODERATION_ASK_H

#include "daemon/community/moderation.h"
#include "daemon/community/roster.h"

/* In apply: asks the moderators about what is held under that id by a mail each,
 * unless so many mails went out for the space in this hour as
 * limits.moderation_per_hour allows: then it is counted, and they get a list of
 * what waits when the hour is over (moderation_run_due() of timers.h). */
int moderators_ask(struct store_txn *txn, struct community *community,
    const struct draft *draft, const struct held_note *note, uint32_t held);

struct moderation_request {
	uint32_t held;
	Kith__HeldCause cause;
	const char *from, *subject;
	struct span excerpt; /* UTF-8 */
};
/* In apply: asks one of them, who wants to see it; not counted. */
int moderator_ask_again(struct store_txn *txn, struct community *community,
    const struct space *space, const struct roster_entry *moderator,
    const struct moderation_request *request);

#endif
