/* compact.c - room that was freed inside the files is given back to the disk.
 *
 * What is deleted leaves free pages, which new rows fill first: files do not grow
 * for that; and segments that are mostly waste are swept at any time (sweep.c). This is for a store that shall stay small afterwards. Berkeley DB
 * moves rows together in transactions of its own, a few pages each, beside the
 * writer; readers see none of it. Idle snapshots are renewed after each slice: for
 * one that stays, each page that was moved is kept, and then written to a file of
 * its own.
 */
#include "store/private.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SLICE_ROWS 1024u

struct compacting {
	struct store *store;
	bool (*stop)(void *arg);
	void *arg;
};

static uint64_t
files_size(struct store *store)
{
	char path[PATH_MAX];
	uint64_t bytes = store_segments_size(store->directory);
	struct stat st;

	for (unsigned i = 0; i < STORE_FILES; i++)
		if (store_path(path, sizeof path, store->directory,
			store_file_name((enum store_file)i)) == 0 &&
		    stat(path, &st) == 0)
			bytes += (uint64_t)st.st_size;
	return bytes;
}

/* The key SLICE_ROWS rows after `key`; empty: the end of the file. Reads no
 * values: an article's are in pages of their own. */
static int
slice_end(struct store *store, enum store_file file,
    const struct store_key *key, struct store_key *end_r)
{
	struct store_view *view = store_view_begin(store);
	DB *db = store->files[file];
	DBC *cursor = NULL;
	DBT at, none;
	int ret;

	end_r->len = 0;
	if (view == NULL)
		return -ENOMEM;
	memset(&at, 0, sizeof at);
	memset(&none, 0, sizeof none);
	at.flags = DB_DBT_USERMEM;
	at.data = end_r->bytes;
	at.ulen = sizeof end_r->bytes;
	none.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL;
	memcpy(end_r->bytes, key->bytes, key->len);
	at.size = (u_int32_t)key->len;
	ret = db->cursor(db, view->reader.txn, &cursor, 0);
	if (ret == 0)
		ret = cursor->get(cursor, &at, &none,
		    key->len == 0 ? DB_FIRST : DB_SET_RANGE);
	for (unsigned i = 0; ret == 0 && i < SLICE_ROWS; i++)
		ret = cursor->get(cursor, &at, &none, DB_NEXT);
	if (ret == 0)
		end_r->len = at.size;
	if (cursor != NULL)
		(void)cursor->close(cursor);
	store_view_end(&view);
	return ret == DB_NOTFOUND ? 0 : store_error(ret);
}

static DBT
dbt_of_key(struct store_key *key)
{
	DBT dbt;

	memset(&dbt, 0, sizeof dbt);
	dbt.data = key->bytes;
	dbt.size = (u_int32_t)key->len;
	return dbt;
}

static int
slice_compact(struct store *store, enum store_file file, struct store_key *from,
    struct store_key *to, uint32_t flags)
{
	DB *db = store->files[file];
	DBT start = dbt_of_key(from), stop = dbt_of_key(to);
	DB_COMPACT how;

	memset(&how, 0, sizeof how);
	return store_error(db->compact(db, NULL, from->len == 0 ? NULL : &start,
	    to->len == 0 ? NULL : &stop, &how, flags, NULL));
}

/* First rows move together, then to the front of the file, whose end is cut. */
static int
file_compact(const struct compacting *compacting, enum store_file file,
    uint32_t flags)
{
	struct store *store = compacting->store;
	struct store_key from = { .len = 0 }, to;
	int rc;

	do {
		if (compacting->stop != NULL &&
		    compacting->stop(compacting->arg))
			return -ECANCELED;
		rc = slice_end(store, file, &from, &to);
		/* not while a backup copies the files */
		pthread_mutex_lock(&store->keeper.checkpoint);
		if (rc == 0)
			rc = slice_compact(store, file, &from, &to, flags);
		pthread_mutex_unlock(&store->keeper.checkpoint);
		store_views_renew(store);
		from = to;
	} while (rc == 0 && to.len > 0);
	return rc;
}

int
store_compact(struct store *store, bool (*stop)(void *arg), void *arg,
    uint64_t *before_r, uint64_t *after_r)
{
	const struct compacting compacting = { store, stop, arg };
	int rc;

	*before_r = *after_r = 0;
	if (atomic_exchange(&store->compacting, true))
		return -EBUSY;
	rc = store_keeper_checkpoint(store, true);
	*before_r = files_size(store);
	if (rc == 0)
		rc = store_sweep(store, STORE_SWEEP_ALL, stop, arg);
	store_sweep_remove(store, true);
	for (unsigned i = 0; rc == 0 && i < STORE_FILES; i++) {
		rc = file_compact(&compacting, (enum store_file)i, 0);
		if (rc == 0)
			rc = file_compact(&compacting, (enum store_file)i,
			    DB_FREE_SPACE);
	}
	if (rc == 0)
		rc = store_keeper_checkpoint(store, true);
	*after_r = files_size(store);
	atomic_store(&store->compacting, false);
	return rc;
}
