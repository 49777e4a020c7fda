/* held.h - what is held, as rows: below the drafts, which replace a held one,
 * while moderation.h, which decides, is above them.
 */
#ifndef KITH_COMMUNITY_HELD_H
#define KITH_COMMUNITY_HELD_H

#include "store/store.h"

/* Owned record: kith__held__free_unpacked. -ENOENT. */
int held_get(struct store_reader *reader, uint32_t held, Kith__Held **record_r);
/* "moderation", "auth-fail", ...: for people and logs. Never NULL. */
const char *held_cause_name(Kith__HeldCause cause);
/* Those that wait in a space, by id, from that one on. fn as store_walk_fn; what
 * is returned too. */
int held_walk(struct store_reader *reader, uint32_t space, uint32_t from,
    int (*fn)(void *arg, uint32_t held, const Kith__Held *record), void *arg);
/* In apply: the row, new or not; its spaces never change. */
int held_put_row(
    struct store_txn *txn, uint32_t held, const Kith__Held *record);
/* In apply: the row and its bytes. The Message-ID's entry is the caller's. */
int held_delete(struct store_txn *txn, uint32_t held);

#endif
