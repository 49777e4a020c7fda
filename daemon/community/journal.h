/* journal.h - the community's way to append to the sequence: what happened,
 * by whom, in the same operation as the change itself.
 */
#ifndef KITH_COMMUNITY_JOURNAL_H
#define KITH_COMMUNITY_JOURNAL_H

#include "store/store.h"

/* In apply. An event of a space (0: none) about an object (a member, address,
 * ticket or held id, as the verb says); text may be NULL. Events that name an
 * article say more, and are written where articles are stored and removed
 * (draft_store.c, removal.c) or sent as an issue (digest.c). */
int journal_append(struct store_txn *txn, uint64_t now, Kith__Verb verb,
    uint32_t actor, uint32_t space, uint64_t object, const char *text);

#endif
