/* removal.h - taking an article out again: spam, a cancel, its age, a whole
 * space. Recorded in the sequence; its Message-ID stays known, so that it cannot
 * come back.
 */
#ifndef KITH_COMMUNITY_REMOVAL_H
#define KITH_COMMUNITY_REMOVAL_H

#include "daemon/community/community.h"

/* Why: VERB_REMOVED, VERB_CANCELLED or VERB_EXPIRED goes into the sequence; the
 * Message-ID is remembered as expired for the last, as cancelled for the
 * others, until the history forgets it. */

/* What was on its way to a list's readers does not go on, unless by
 * removal_placement(), which is for many at once. */

/* In apply: one placement; the article itself with the last one. -ENOENT if
 * the space has no such number. */
int removal_placement(struct store_txn *txn, struct community *community,
    uint32_t space, uint32_t number, Kith__Verb why, uint32_t actor);
/* In apply: one placement, because of a cancel or a Supersedes header. The
 * sequence says VERB_CANCELLED with `control` as its object: the artid of the
 * control message that peers are to get, 0: none (what supersedes an article is
 * an article that they get anyway). See cancel.h. */
struct removal_by {
	uint32_t actor; /* member */
	uint32_t peer;	/* that brought it; 0: none */
	uint64_t control;
};
int removal_cancel(struct store_txn *txn, struct community *community,
    uint32_t space, uint32_t number, const struct removal_by *by);
/* In apply: the article with all its placements. -ENOENT. */
int removal_article(struct store_txn *txn, struct community *community,
    uint64_t artid, Kith__Verb why, uint32_t actor);

#endif
