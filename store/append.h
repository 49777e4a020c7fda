/* append.h - the writer's end of the segments: where the next article goes.
 *
 * Of the writer thread. What is appended in a batch is gathered and goes to the
 * file, and to the log, in few pieces; it is there for whoever reads rows that are
 * committed. A batch that is given up leaves the end where it was.
 */
#ifndef KITH_STORE_APPEND_H
#define KITH_STORE_APPEND_H

#include "store/segment.h"

struct store_append_end {
	uint32_t segment;
	uint64_t tail; /* of the file: behind the last frame */
};

struct store_append {
	struct store_append_end end, committed;
	size_t segment_bytes;
	uint8_t *record; /* owned; room for a log record's head, and: */
	uint8_t *buffer; /* its octets go before `end.tail` */
	size_t len, room;
};

/* From where the rows say that the last batch ended. */
int store_append_open(struct store *store);
void store_append_close(struct store *store);
/* A frame of the three pieces in a row, together `extent_r->len` octets. */
int store_append_article(struct store_txn *txn, uint64_t artid,
    const uint8_t *const pieces[3], const size_t lens[3],
    struct store_extent *extent_r);
/* A copy of a frame that is in another segment. */
int store_append_copy(struct store_txn *txn, const struct store_extent *from,
    struct store_extent *extent_r);
/* Whether the batch appended anything. */
bool store_append_end_moved(const struct store_txn *txn);
/* What comes next begins a new segment. */
int store_append_turn(struct store_txn *txn);
/* What was gathered goes to the file: before the commit, and before the writer
 * reads. */
int store_append_flush(struct store_txn *txn);
/* After the commit, or if the batch is given up. */
void store_append_committed(struct store_txn *txn);
void store_append_forget(struct store_txn *txn);

#endif
