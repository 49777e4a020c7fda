/* young.c - two generations of young Message-IDs: one is gathered while the other is
 * settled. The writer alone changes them; readers look under the lock.
 */
#include "store/young.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/private.h"
#include "store/young_table.h"

/* Settled with each one that comes, so that one generation is done long before
 * the next one is full. */
#define SETTLE_EACH 2u
#define TRIM_EACH   2u /* rows deleted for each one that is put */

struct store_young {
	pthread_mutex_t lock; /* of the tables, and of marks in them */
	struct young_table gathered, settling;
	size_t limit;
	/* the writer's own */
	uint64_t next;	     /* serial */
	uint32_t committed;  /* of those gathered */
	uint32_t row;	     /* where the newest row begins among them */
	uint32_t settled;    /* committed */
	uint32_t had_no_room; /* in this transaction */
	uint64_t below, end; /* serials: struct store_young_progress */
	uint64_t settling_gone; /* the newest commit that one of them went by */
	uint32_t taken; /* in this transaction */
};

int
store_young_new(struct store_young **young_r, size_t ids)
{
	struct store_young *young = calloc(1, sizeof *young);

	*young_r = young;
	if (young == NULL)
		return -ENOMEM;
	young->limit = ids == 0 ? STORE_YOUNG_IDS : ids;
	return -pthread_mutex_init(&young->lock, NULL);
}

void
store_young_free(struct store_young **young_r)
{
	struct store_young *young = *young_r;

	if (young == NULL)
		return;
	young_table_fini(&young->gathered);
	young_table_fini(&young->settling);
	pthread_mutex_destroy(&young->lock);
	free(young);
	*young_r = NULL;
}

/* The commit that the running transaction is to be. */
static uint64_t
commit_of(const struct store_txn *txn)
{
	return txn->reader.store->writer.committed.commit + 1;
}

static struct young_id *
young_find(struct store_young *young, const uint8_t hash[STORE_HASH_LEN])
{
	struct young_id *id = young_table_find(&young->gathered, hash);

	return id != NULL ? id : young_table_find(&young->settling, hash);
}

bool
store_young_get(struct store_reader *reader, const uint8_t hash[STORE_HASH_LEN],
    struct store_msgid_entry *entry_r)
{
	struct store_young *young = reader->store->young;
	const struct young_id *id;
	bool found;

	pthread_mutex_lock(&young->lock);
	id = young_find(young, hash);
	if (reader->writing != NULL)
		found = id != NULL && id->gone == YOUNG_NEVER;
	else
		found = id != NULL && id->since <= reader->version &&
		    reader->version < id->gone;
	if (found)
		*entry_r = id->entry;
	pthread_mutex_unlock(&young->lock);
	return found;
}

int
store_young_add(struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN],
    const struct store_msgid_entry *entry)
{
	struct store_young *young = txn->reader.store->young;
	struct young_id id = { .entry = *entry,
		.serial = young->next,
		.since = commit_of(txn),
		.gone = YOUNG_NEVER };
	int rc;

	/* Views that are held for long, and what is settled must wait for. */
	if (young->gathered.count >= 2 * young->limit) {
		young->had_no_room++;
		return 0;
	}
	memcpy(id.hash, hash, sizeof id.hash);
	pthread_mutex_lock(&young->lock);
	rc = young_table_add(&young->gathered, &id);
	pthread_mutex_unlock(&young->lock);
	if (rc != 0)
		return rc;
	young->next++;
	txn->wrote = true;
	return 1;
}

int
store_young_take(struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN])
{
	struct store_young *young = txn->reader.store->young;
	struct young_id *id = young_find(young, hash);

	if (id == NULL || id->gone != YOUNG_NEVER)
		return 0;
	young->taken++;
	pthread_mutex_lock(&young->lock);
	id->gone = commit_of(txn);
	pthread_mutex_unlock(&young->lock);
	/* Else its row is not there yet. */
	return id->since == commit_of(txn)
	    ? 0
	    : store_young_row_void(txn, id->serial);
}

/* ---- before the commit -------------------------------------------------- */

/* The newest row is written again until it is full. Returns how many rows were
 * written, or negative. */
static int
rows_put(struct store_txn *txn, struct store_young *young)
{
	const struct young_table *gathered = &young->gathered;
	struct store_young_id row[STORE_YOUNG_ROW];
	uint32_t at = young->row;
	int rows = 0, rc = 0;

	while (rc == 0 && at < gathered->count) {
		unsigned count = 0;

		for (; count < STORE_YOUNG_ROW && at < gathered->count; at++) {
			const struct young_id *id = &gathered->ids[at];

			row[count].serial = id->serial;
			row[count].gone = id->gone != YOUNG_NEVER;
			memcpy(row[count].hash, id->hash, STORE_HASH_LEN);
			row[count++].entry = id->entry;
		}
		rc = store_young_row_put(txn, row, count);
		rows++;
	}
	return rc != 0 ? rc : rows;
}

static void
settled_mark(struct store_young *young, uint32_t from, uint64_t commit)
{
	struct young_table *settling = &young->settling;

	pthread_mutex_lock(&young->lock);
	for (uint32_t i = from; i < settling->settled; i++) {
		struct young_id *id = &settling->ids[settling->order[i]];

		if (id->gone == YOUNG_NEVER)
			id->gone = commit;
	}
	pthread_mutex_unlock(&young->lock);
}

static int
some_settle(struct store_txn *txn, struct store_young *young, uint32_t most)
{
	struct young_table *settling = &young->settling;
	struct store_young_progress progress = { .below = young->below,
		.end = young->end,
		.some = true };
	uint32_t from = settling->settled;
	const struct young_id *id = NULL;
	int rc = 0;

	for (uint32_t i = 0;
	     rc == 0 && i < most && settling->settled < settling->count; i++) {
		id = &settling->ids[settling->order[settling->settled++]];
		if (id->gone == YOUNG_NEVER)
			rc = store_msgid_row_put(txn, id->hash, &id->entry, 1);
	}
	if (rc != 0 || id == NULL)
		return rc;
	settled_mark(young, from, commit_of(txn));
	memcpy(progress.hash, id->hash, sizeof progress.hash);
	return store_young_progress_put(txn, &progress);
}

int
store_young_flush(struct store_txn *txn)
{
	struct store_young *young = txn->reader.store->young;
	uint32_t came =
	    young->gathered.count - young->committed + young->had_no_room;
	int rows = 0, rc = 0;

	if (came == 0)
		return 0;
	if (young->gathered.count > young->committed)
		rows = rows_put(txn, young);
	if (rows < 0)
		return rows;
	rc = some_settle(txn, young, SETTLE_EACH * came);
	if (rc == 0)
		rc = store_young_rows_trim(txn, young->below,
		    TRIM_EACH * (unsigned)(rows + 1));
	return rc < 0 ? rc : 0;
}

/* ---- after it ------------------------------------------------------------- */

/* What is gathered is settled from now on: if there is enough of it, all is settled
 * of what was before, and no view needs that any more. */
static void
generations_turn(struct store *store, struct store_young *young)
{
	struct young_table empty = young->settling;

	if (young->gathered.count < young->limit ||
	    young->settling.settled < young->settling.count ||
	    (young->settling.count > 0 &&
		store_views_oldest(store) < young->settling_gone))
		return;
	/* Later, if there is no memory for it. */
	if (young_table_sort(&young->gathered) != 0)
		return;
	pthread_mutex_lock(&young->lock);
	young_table_empty(&empty);
	young->settling = young->gathered;
	young->gathered = empty;
	pthread_mutex_unlock(&young->lock);
	young->below = young->end;
	young->end = young->next;
	young->settled = young->committed = young->row = 0;
	young->settling_gone = store->writer.committed.commit;
}

/* The row that further ids are written to. */
static uint32_t
row_next(uint32_t row, uint32_t count)
{
	return row + (count - row) / STORE_YOUNG_ROW * STORE_YOUNG_ROW;
}

void
store_young_committed(struct store_txn *txn)
{
	struct store *store = txn->reader.store;
	struct store_young *young = store->young;

	young->committed = young->gathered.count;
	young->row = row_next(young->row, young->committed);
	if (young->settling.settled > young->settled || young->taken > 0)
		young->settling_gone = store->writer.committed.commit;
	young->settled = young->settling.settled;
	young->taken = 0;
	young->had_no_room = 0;
	generations_turn(store, young);
}

void
store_young_forget(struct store_txn *txn)
{
	struct store_young *young = txn->reader.store->young;
	struct young_table *tables[2];
	uint64_t commit = commit_of(txn);

	if (young == NULL)
		return;
	tables[0] = &young->gathered;
	tables[1] = &young->settling;
	if (young->gathered.count == young->committed &&
	    young->settling.settled == young->settled &&
	    young->taken == 0) {
		young->had_no_room = 0;
		return;
	}
	pthread_mutex_lock(&young->lock);
	young->next -= young->gathered.count - young->committed;
	young_table_truncate(&young->gathered, young->committed);
	for (unsigned t = 0; t < 2; t++)
		for (uint32_t i = 0; i < tables[t]->count; i++)
			if (tables[t]->ids[i].gone == commit)
				tables[t]->ids[i].gone = YOUNG_NEVER;
	young->settling.settled = young->settled;
	pthread_mutex_unlock(&young->lock);
	young->taken = 0;
	young->had_no_room = 0;
}

/* ---- opening ------------------------------------------------------------ */

struct loading {
	struct store *store;
	struct store_young_progress progress;
};

static int
loading_id(void *arg, const struct store_young_id *one)
{
	struct loading *loading = arg;
	struct store_young *young = loading->store->young;
	struct young_id id = { .entry = one->entry,
		.serial = one->serial,
		.gone = YOUNG_NEVER };
	struct young_table *table = one->serial < loading->progress.end
	    ? &young->settling
	    : &young->gathered;

	if (one->serial == UINT64_MAX)
		return -EBADMSG;
	if (young->next <= one->serial)
		young->next = one->serial + 1;
	if (!store_young_is_young(&loading->progress, one))
		return 0;
	memcpy(id.hash, one->hash, sizeof id.hash);
	/* Two of one id would be settled one over the other. */
	if (young_find(young, id.hash) != NULL)
		return -EBADMSG;
	(void)store_known_add(loading->store->known, id.hash);
	return young_table_add(table, &id);
}

int
store_young_open(struct store *store)
{
	struct store_young *young = store->young;
	struct loading loading = { .store = store };
	struct store_view *view = store_view_begin(store);
	struct store_reader *reader;
	int rc;

	if (view == NULL)
		return -ENOMEM;
	reader = store_view_reader(view);
	rc = store_young_progress_get(reader, &loading.progress);
	young->next = loading.progress.end;
	if (rc == 0 || rc == -ENOENT)
		rc = store_young_rows_walk(reader, loading_id, &loading);
	store_view_end(&view);
	if (rc == 0)
		rc = young_table_sort(&young->settling);
	if (rc != 0)
		return rc;
	young->below = loading.progress.below;
	young->end = loading.progress.end;
	young->committed = young->row = young->gathered.count;
	return 0;
}
