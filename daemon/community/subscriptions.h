/* subscriptions.h - who gets what of a space by mail.
 */
#ifndef KITH_COMMUNITY_SUBSCRIPTIONS_H
#define KITH_COMMUNITY_SUBSCRIPTIONS_H

#include "store/store.h"

/* Owned: kith__subscription__free_unpacked. -ENOENT. */
int subscription_get(struct store_reader *reader, uint32_t space,
    uint32_t address, Kith__Subscription **subscription_r);
/* Adds or replaces, with its index and its event. */
int subscription_put(struct store_txn *txn, uint32_t space, uint32_t address,
    const Kith__Subscription *subscription, uint64_t now, uint32_t actor);
int subscription_remove(struct store_txn *txn, uint32_t space, uint32_t address,
    uint64_t now, uint32_t actor);
/* Subscriptions of a space in sending order from address id `from`; fn as in
 * store_walk_fn. */
int subscriptions_walk(struct store_reader *reader, uint32_t space,
    uint32_t from,
    int (*fn)(void *arg, uint32_t address, const Kith__Subscription *subscription),
    void *arg);
/* The highest address id subscribed to the space; 0 if none. */
int subscriptions_upper(
    struct store_reader *reader, uint32_t space, uint32_t *address_r);

#endif
