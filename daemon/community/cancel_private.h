/* cancel_private.h - what the files of a cancel share. Private to cancel*.c.
 */
#ifndef KITH_COMMUNITY_CANCEL_PRIVATE_H
#define KITH_COMMUNITY_CANCEL_PRIVATE_H

#include "daemon/community/cancel.h"
#include "protocol/header.h"

/* cancel_key.c */
/* A raw value as the draft brought it; empty if it has none. Borrowed. */
struct span cancel_value(const struct draft *draft,
    const struct store_range *range);
/* Does the draft bring a key for that article? */
bool cancel_has_key_for(struct store_reader *reader,
    struct community *community, const struct draft *draft, uint64_t artid);
/* Does the stored cancel bring a key for the draft? */
bool cancel_opens(struct store_reader *reader, struct community *community,
    const struct draft *draft, uint64_t cancel);
/* Appends kith's own keys for a stored article, if it hung a lock there. */
int cancel_own_keys(struct store_reader *reader, struct community *community,
    uint64_t artid, const Kith__ArticleMeta *meta, struct buffer *out);

/* cancel_wait.c. In apply: the stored cancel waits for its target. */
int cancel_wait(struct store_txn *txn, struct community *community,
    const struct draft *draft);

bool cancel_may_moderate(struct community *community,
    const struct identity *identity, uint32_t space);

#endif
