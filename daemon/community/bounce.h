/* bounce.h - what is known about addresses that do not take our mail.
 */
#ifndef KITH_COMMUNITY_BOUNCE_H
#define KITH_COMMUNITY_BOUNCE_H

#include "daemon/community/community.h"
#include "protocol/mail_report.h"
#include "store/records.pb-c.h"

struct bounce {
	uint32_t address; /* id */
	uint32_t space;
	uint64_t job; /* what was sent, or TOKEN_REPORT_JOB of it; counted
		       * once per job */
	enum mail_bounce judged;
	bool complaint; /* nothing was judged: see complaint.h */
	const char *status; /* "5.1.1" */
	const char *text;
	/* what came back, if it is known: one of these, or 0 and NULL */
	uint64_t artid;
	const char *message_id;
};

/* In apply: records it; a hard one counts against the subscription, and at
 * bounce.suspend_after within bounce.life the subscriptions of the address are
 * suspended. An answer of staff that did not reach its customer opens the ticket
 * again. */
int bounce_record(struct store_txn *txn, struct community *community,
    const struct bounce *bounce);
/* Is as much, or worse, known of that mail, or was it complained about? */
int bounce_is_known(struct store_reader *reader, struct community *community,
    const struct bounce *bounce, bool *known_r);
/* In apply: only its row. */
int bounce_put(
    struct store_txn *txn, const struct bounce *bounce, uint64_t now);
/* A row that does not count any more. */
bool bounce_is_old(struct community *community, const Kith__Bounce *row,
    uint64_t now);

#endif
