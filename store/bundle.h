/* bundle.h - small articles of one batch in one row.
 *
 * A row of its own costs the writer some 10 us per article: a page to find and
 * to log, and a search from the root. So what a batch brings in short articles
 * is gathered here and written as one row that fills one page of bundles.db; what
 * is left over goes to articles.db, like all that comes alone. A row's key is
 * the last article id in it, so that a search for an id finds the only bundle
 * that can hold it.
 *
 * Of the writer thread, but for store_bundle_take with a view.
 */
#ifndef KITH_STORE_BUNDLE_H
#define KITH_STORE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* A page of 32 KB less Berkeley DB's own part of it, with a margin. */
#define STORE_BUNDLE_MAX  32640u
#define STORE_BUNDLE_MOST 64u /* articles in one */

/* The row that articles are taken out of: it is written once for all of them,
 * for expiry takes one after the other. */
struct store_bundle_edit {
	uint8_t *bytes; /* owned, the whole row; NULL: none */
	size_t head_len;
	uint64_t last; /* its key */
	unsigned count;
	uint64_t artids[STORE_BUNDLE_MOST];
	uint16_t lens[STORE_BUNDLE_MOST]; /* 0: taken out */
	uint16_t sizes[STORE_BUNDLE_MOST]; /* as in bytes */
};

/* The articles of the current batch that have no row yet. */
struct store_bundle {
	struct store_bundle_edit edit;
	uint8_t *bytes; /* owned, STORE_BUNDLE_MAX; one after the other */
	size_t len;
	unsigned count;
	uint64_t artids[STORE_BUNDLE_MOST]; /* ascending */
	uint16_t lens[STORE_BUNDLE_MOST];
	/* The highest article id put so far, by committed batches and by this
	 * one: what is above it is new. */
	uint64_t newest_committed, newest;
};

/* Allocates, and finds what is the newest. After the files are open. */
int store_bundle_open(struct store *store);
void store_bundle_close(struct store *store);
/* Whether no article of that id or a later one was ever put. */
bool store_bundle_is_new(const struct store_txn *txn, uint64_t artid);
/* Notes that one is put without the bundle. */
void store_bundle_note(struct store_txn *txn, uint64_t artid);
/* Room for an article that is new, of `len` octets, at most STORE_PART_MAX, for
 * the caller to fill before his next call. */
int store_bundle_add(struct store_txn *txn, uint64_t artid, size_t len,
    uint8_t **to_r);
/* The article's octets in memory of their own (free), those of the current
 * batch too for a txn reader. -ENOENT: in no bundle. */
int store_bundle_take(struct store_reader *reader, uint64_t artid,
    uint8_t **bytes_r, size_t *len_r);
/* -ENOENT: in no bundle. Until the flush the row is as it was, but for who asks
 * here. */
int store_bundle_remove(struct store_txn *txn, uint64_t artid);
/* What was gathered goes to its rows: before the commit. */
int store_bundle_flush(struct store_txn *txn);
/* After the commit, or if the batch is given up. */
void store_bundle_committed(struct store_txn *txn);
void store_bundle_forget(struct store_txn *txn);

/* For store_check: calls fn for each article of a row. -EBADMSG. */
int store_bundle_each(const uint8_t *key, size_t key_len, const uint8_t *bytes,
    size_t len, void (*fn)(void *arg, uint64_t artid), void *arg);

#endif
