/* notice.h - a short mail of kith's own to one person: an answer, a question to
 * a moderator, an acknowledgement.
 */
#ifndef KITH_COMMUNITY_NOTICE_H
#define KITH_COMMUNITY_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

struct community;
struct store_txn;

/* In apply: text/plain UTF-8, Auto-Submitted, null sender, marks.
 * Counted against answers_per_hour of the recipient unless `always`: then
 * returns 0 without a job, *sent_r false (may be NULL). */
struct notice {
	const char *purpose;
	const char *to;
	const char *from_local; /* local part, or an address; "": postmaster */
	const char *reply_to; /* full address, or NULL */
	const char *subject;
	const char *in_reply_to; /* Message-ID with brackets, or NULL */
	const char *references; /* or NULL */
	const char *text; /* UTF-8, LF */
	const char *replied; /* "auto-replied" when it answers, else NULL */
	bool always;
	uint32_t space;
	uint32_t ticket;
};
int notice_send(struct store_txn *txn, struct community *community,
    const struct notice *notice, bool *sent_r);

#endif
