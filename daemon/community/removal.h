/* removal.h - taking an article out again: spam, a whole space. Recorded in the
 * sequence; its Message-ID stays known, so that it cannot come back.
 */
#ifndef KITH_COMMUNITY_REMOVAL_H
#define KITH_COMMUNITY_REMOVAL_H

#include "daemon/community/community.h"

/* In apply: one placement; the article itself with the last one. -ENOENT if
 * the space has no such number. */
int removal_placement(struct store_txn *txn, struct community *community,
    uint32_t space, uint32_t number, uint32_t actor);
/* In apply: the article with all its placements. -ENOENT. */
int removal_article(struct store_txn *txn, struct community *community,
    uint64_t artid, uint32_t actor);

#endif
