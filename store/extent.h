/* extent.h - where each article is: rows of extents.db.
 *
 * A row of its own would cost a search from the root for each article. So the
 * articles that a batch brings share rows; a row's key is the last article id in
 * it, so that a search for an id finds the only row that can hold it.
 *
 * Of the writer thread, but for store_extent_get with a view.
 */
#ifndef KITH_STORE_EXTENT_H
#define KITH_STORE_EXTENT_H

#include "store/segment.h"

#define STORE_EXTENTS_MOST 64u /* in a row */

struct store_extent_row {
	uint64_t last; /* its key */
	unsigned count;
	uint64_t artids[STORE_EXTENTS_MOST]; /* ascending */
	struct store_extent extents[STORE_EXTENTS_MOST];
};

struct store_extents {
	/* The articles of the current batch that have no row yet. */
	struct store_extent_row pending;
	/* The row that is changed: it is written once for all changes, for
	 * expiry takes one article after the other. Length 0: taken out. */
	struct store_extent_row edit;
	bool editing;
	/* The highest article id put so far, by committed batches and by this
	 * one: what is above it is new. */
	uint64_t newest_committed, newest;
};

/* Finds what is the newest. After the files are open. */
int store_extent_open(struct store *store);
/* Whether no article of that id or a later one was ever put. */
bool store_extent_is_new(const struct store_txn *txn, uint64_t artid);
/* Of an article that is new. */
int store_extent_add(struct store_txn *txn, uint64_t artid,
    const struct store_extent *extent);
/* Of any; *gone_r: the one before, of length 0 if there was none. */
int store_extent_set(struct store_txn *txn, uint64_t artid,
    const struct store_extent *extent, struct store_extent *gone_r);
/* -ENOENT: there is none. A txn sees what its own batch did. */
int store_extent_get(struct store_reader *reader, uint64_t artid,
    struct store_extent *extent_r);
/* -ENOENT: there is none. */
int store_extent_remove(struct store_txn *txn, uint64_t artid,
    struct store_extent *gone_r);
/* What was gathered goes to its rows: before the commit. */
int store_extent_flush(struct store_txn *txn);
/* After the commit, or if the batch is given up. */
void store_extent_committed(struct store_txn *txn);
void store_extent_forget(struct store_txn *txn);

/* -EBADMSG. */
int store_extent_row_parse(const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len, struct store_extent_row *row_r);

/* extent_kept.c: what is in the cache of objects. 0, or -ENOENT: not known. */
int store_extent_find(struct store_reader *reader, uint64_t artid,
    struct store_extent *extent_r);
/* The row that the article was looked for in, by a view. */
void store_extent_keep(struct store_reader *reader, uint64_t artid,
    const struct store_extent_row *row);
/* An article that was there before this batch has moved, or goes. */
int store_extent_changed(struct store_txn *txn, uint64_t artid);

#endif
