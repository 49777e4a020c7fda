/* young.h - the Message-IDs that came last, before they are in their table.
 *
 * The table is a tree, in which each new id has a random place: a search through
 * pages that no other id of its batch has touched, and one of them to be copied,
 * logged and written for it. So new ids are kept here first, in memory, and in rows
 * in the order that they came. When there are enough they are settled: put into the
 * table in the order of its keys, some with each batch, so that neighbours share
 * pages. Only what is certainly new comes here (known.h): one STORED entry of an
 * article of this batch.
 *
 * An id is in one place for each reader: from the commit that added it until the
 * one that settled it or changed what it is known for, it is here, and then in the
 * table; and it stays in memory for as long as a view may be that old.
 */
#ifndef KITH_STORE_YOUNG_H
#define KITH_STORE_YOUNG_H

#include "store/msgid.h"

#define STORE_YOUNG_IDS 32768u /* when they are settled */

struct store_young;

/* `ids`: how many are gathered before they are settled; 0: STORE_YOUNG_IDS. */
int store_young_new(struct store_young **young_r, size_t ids);
void store_young_free(struct store_young **young);
/* Reads the rows; before the writer runs. 0 or negative. */
int store_young_open(struct store *store);

/* The one entry of an id that is young for that reader. Any thread. */
bool store_young_get(struct store_reader *reader,
    const uint8_t hash[STORE_HASH_LEN], struct store_msgid_entry *entry_r);

/* ---- the writer's ------------------------------------------------------- */

/* 1; 0: there is no room, the table is to have it; or negative. The id must be
 * known to be new. */
int store_young_add(struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN],
    const struct store_msgid_entry *entry);
/* What is known of the id is in the table from this commit on: put by the caller.
 * No error if it is not young. */
int store_young_take(
    struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN]);
/* Before the commit: rows for what was added, and some are settled. */
int store_young_flush(struct store_txn *txn);
/* After the commit, or instead of it. */
void store_young_committed(struct store_txn *txn);
void store_young_forget(struct store_txn *txn);

/* ---- rows (young_rows.c, for young.c, check.c and tests) ---------------- */

#define STORE_YOUNG_ROW 18u /* ids of a row at most */

/* How far the ids are settled: those with a serial below `below`, and of those
 * below `end` the ones whose hash is not greater than `hash`, if `some`. */
struct store_young_progress {
	uint64_t below, end;
	bool some;
	uint8_t hash[STORE_HASH_LEN];
};

struct store_young_id {
	uint64_t serial; /* of ids, as they came */
	bool gone;	 /* taken: it is in the table, or nowhere */
	uint8_t hash[STORE_HASH_LEN];
	struct store_msgid_entry entry;
};

/* False for those of a row that are settled, or taken. */
bool store_young_is_young(const struct store_young_progress *progress,
    const struct store_young_id *id);
/* -ENOENT: nothing was settled yet; then it is as a new store's. */
int store_young_progress_get(
    struct store_reader *reader, struct store_young_progress *progress_r);
int store_young_progress_put(
    struct store_txn *txn, const struct store_young_progress *progress);
/* The number of ids in a row (1 ... STORE_YOUNG_ROW) or -EBADMSG. */
int store_young_row_parse(const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len,
    struct store_young_id ids_r[STORE_YOUNG_ROW]);
int store_young_row_put(struct store_txn *txn, const struct store_young_id *ids,
    unsigned count);
/* The id of that serial is taken. */
int store_young_row_void(struct store_txn *txn, uint64_t serial);
/* Deletes rows whose ids are all below that serial, at most so many of them.
 * Returns how many, or negative. */
int store_young_rows_trim(struct store_txn *txn, uint64_t below, unsigned most);
/* All ids of all rows, in order. fn returns 0 or what ends the walk. */
int store_young_rows_walk(struct store_reader *reader,
    int (*fn)(void *arg, const struct store_young_id *id), void *arg);

#endif
