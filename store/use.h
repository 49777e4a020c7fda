/* use.h - how much of each segment is in use: a row per segment.
 */
#ifndef KITH_STORE_USE_H
#define KITH_STORE_USE_H

#include "store/append.h"

struct store_use {
	uint64_t live; /* octets of frames that rows lead to */
	uint64_t tail; /* where the last frame ends */
};

/* What a batch changes of a segment, until its end. */
struct store_use_change {
	uint32_t segment;
	int64_t live;
	uint64_t tail;
	bool tail_set;
};

/* -ENOENT: no such segment. -EBADMSG. */
int store_use_get(struct store_reader *reader, uint32_t segment,
    struct store_use *use_r);
/* The newest segment. -ENOENT: there is none. */
int store_use_last(struct store_reader *reader, uint32_t *segment_r,
    uint64_t *tail_r);
/* The first with a number >= segment. -ENOENT: none. */
int store_use_next(struct store_reader *reader, uint32_t segment,
    uint32_t *segment_r, struct store_use *use_r);
/* A frame came (or went, if `came` is false). */
int store_use_note(struct store_txn *txn, const struct store_extent *extent,
    bool came);
int store_use_end(struct store_txn *txn, const struct store_append_end *end);
int store_use_delete(struct store_txn *txn, uint32_t segment);
/* What the batch noted goes to the rows: before the commit. */
int store_use_flush(struct store_txn *txn);
/* What to move on so that the file can go. */
enum store_sweep_what {
	STORE_SWEEP_WASTE,  /* less than half of it is in use */
	STORE_SWEEP_CHEAP,  /* an eighth: what a full disk has room for */
	STORE_SWEEP_ALL,    /* whatever is not all in use */
};
bool store_use_is_waste(const struct store_use *use,
    enum store_sweep_what what);
int store_use_parse(const uint8_t *bytes, size_t len, struct store_use *use_r);

#endif
