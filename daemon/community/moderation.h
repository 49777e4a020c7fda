/* moderation.h - what waits for a moderator, and what becomes of it.
 */
#ifndef KITH_COMMUNITY_MODERATION_H
#define KITH_COMMUNITY_MODERATION_H

#include "daemon/community/cancel.h"
#include "daemon/community/draft.h"

/* What to hold beside the draft's own bytes, author and spaces. */
struct held_note {
	Kith__HeldCause cause;
	struct span excerpt;   /* UTF-8 text for the moderators; may be empty */
};

/* In apply: keeps a draft for the moderators of its spaces and tells them. It
 * has no number until it is released. */
int held_put(struct store_txn *txn, struct community *community,
    const struct draft *draft, const struct held_note *note, uint32_t *held_r);

/* A decision about a held article; the two steps of an operation. */
struct held_decision {
	uint32_t held;
	bool release;
	const char *reason; /* of a rejection, told to the author; NULL: none */
	struct identity actor;
	/* set by check: */
	Kith__Held *record;
	struct draft draft;
	struct cancel cancel; /* of a draft that supersedes */
	bool place; /* it came by another way meanwhile: one more placement */
	bool part;  /* the moderators of its other spaces are asked next */
	enum reason outcome; /* REASON_DONE, or why not */
	char detail[200];
};
/* In check: 0, -ENOENT (no longer there, or he has let it in before), -EACCES (not
 * his to decide), 1: the outcome says why it cannot be released. */
int held_decision_check(struct store_txn *txn, struct community *community,
    struct held_decision *decision);
int held_decision_apply(struct store_txn *txn, struct community *community,
    struct held_decision *decision);
void held_decision_fini(struct held_decision *decision);

#endif
