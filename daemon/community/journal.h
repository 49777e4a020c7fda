/* journal.h - the community's way to append to the sequence: what happened,
 * by whom, in the same operation as the change itself.
 */
#ifndef KITH_COMMUNITY_JOURNAL_H
#define KITH_COMMUNITY_JOURNAL_H

#include "store/store.h"

struct journal_event {
	uint64_t time;
	Kith__Verb verb;
	uint32_t actor;	 /* a member; 0: kith itself, or nobody known */
	uint32_t space;	 /* 0: none */
	uint64_t object; /* the id of what the verb speaks of */
	const char *text; /* or NULL */
};
/* In apply. Events that name an article say more, and are written where articles
 * are stored and removed (draft_store.c, removal.c) or sent as an issue
 * (digest.c). */
int journal_append(struct store_txn *txn, const struct journal_event *event);

#endif
