/* sequence.h - the one append-only table of what happened: the journal that
 * feeds, digests, metrics and audit follow, each with a cursor of its own.
 */
#ifndef KITH_STORE_SEQUENCE_H
#define KITH_STORE_SEQUENCE_H

#include "store/store.h"

/* In apply; put when the batch is committed, many to a row. *seq_r (may be NULL): the number it got, from 1. */
int store_sequence_append(
    struct store_txn *txn, const Kith__Event *event, uint64_t *seq_r);
/* Events from `from` (inclusive) in order; fn as in store_walk_fn. */
int store_sequence_walk(struct store_reader *reader, uint64_t from,
    int (*fn)(void *arg, uint64_t seq, const Kith__Event *event), void *arg);
/* The last number given; 0 if none. */
int store_sequence_last(struct store_reader *reader, uint64_t *seq_r);

#endif
