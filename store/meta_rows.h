/* meta_rows.h - the rows of meta.db: what is known of several articles in each.
 *
 * A row of its own would cost a search, a lock and a record of the log for each
 * article. So the articles that a batch brings share rows, as they do in
 * extents.db: a row's key is the last article id in it (or one that was), so that
 * a search for an id finds the only row that can hold it. Kept here are octets;
 * that they are a packed ArticleMeta is known to records.c.
 *
 * Of the writer thread, but for store_meta_row_get with a view.
 */
#ifndef KITH_STORE_META_ROWS_H
#define KITH_STORE_META_ROWS_H

#include "store/store.h"

#define STORE_META_ROW 4000u /* octets: four to a page */

struct store_meta_rows {
	/* The articles of the current batch that have no row yet, as in a row,
	 * but for how far each is below the last one: above the first, here. */
	uint8_t pending[STORE_META_ROW];
	size_t pending_len;
	uint64_t first, last;
	/* The row that is changed: it is written once for all changes, for
	 * expiry takes one article after the other. Empty: taken out. */
	uint8_t *edit; /* owned */
	size_t edit_len, edit_room;
	uint64_t edit_key;
	bool editing;
	/* The highest id put so far, by committed batches and by this one: what
	 * is above it is new. */
	uint64_t newest_committed, newest;
};

/* Finds what is the newest. After the files are open. */
int store_meta_rows_open(struct store *store);
void store_meta_rows_close(struct store *store);

/* Borrowed until the reader's next call, or the writer's next change. -ENOENT. */
int store_meta_row_get(struct store_reader *reader, uint64_t artid,
    const uint8_t **bytes_r, size_t *len_r);
int store_meta_row_put(struct store_txn *txn, uint64_t artid,
    const uint8_t *bytes, size_t len);
/* -ENOENT: there was none. */
int store_meta_row_delete(struct store_txn *txn, uint64_t artid);
/* What was gathered goes to its rows: before the commit. */
int store_meta_rows_flush(struct store_txn *txn);
/* After the commit, or if the batch is given up. */
void store_meta_rows_committed(struct store_txn *txn);
void store_meta_rows_forget(struct store_txn *txn);

/* The articles of one row, which it borrows. */
struct store_meta_walk {
	uint64_t last, before;
	const uint8_t *at;
	size_t left;
};
struct store_meta_bytes {
	uint64_t artid;
	const uint8_t *bytes;
	size_t len;
};
/* -EBADMSG. */
int store_meta_walk_begin(struct store_meta_walk *walk, const uint8_t *key,
    size_t key_len, const uint8_t *bytes, size_t len);
/* 1: one more, by ascending ids; 0: that was all; -EBADMSG. */
int store_meta_walk_next(struct store_meta_walk *walk,
    struct store_meta_bytes *one_r);

#endif
