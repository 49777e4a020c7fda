/* extent_kept.c - where articles are, in the cache of objects: a row of extents
 * costs a search in Berkeley DB, and holds the neighbours that are read next.
 *
 * An object has what is known of 64 ids in a row. What it does not have may be
 * there all the same, so a new article drops nothing; what moves or goes drops it
 * (store_extent_changed).
 */
#include "store/extent.h"

#include "store/private.h"

#include <errno.h>
#include <string.h>

#define IDS 64u

struct kept {
	struct store_object object;
	struct store_extent extents[IDS]; /* length 0: not known */
};

static struct store_cache_key
kept_key(uint64_t artid)
{
	return (struct store_cache_key){ STORE_CACHE_EXTENTS, 0, artid / IDS };
}

static struct kept *
kept_find(struct store_reader *reader, uint64_t artid)
{
	return (struct kept *)store_cache_get(reader->store->objects,
	    kept_key(artid), reader->version);
}

int
store_extent_find(struct store_reader *reader, uint64_t artid,
    struct store_extent *extent_r)
{
	struct kept *kept;

	if (reader->uncached)
		return -ENOENT;
	kept = kept_find(reader, artid);
	if (kept == NULL)
		return -ENOENT;
	*extent_r = kept->extents[artid % IDS];
	store_object_unref(&kept->object);
	return extent_r->len == 0 ? -ENOENT : 0;
}

void
store_extent_keep(struct store_reader *reader, uint64_t artid,
    const struct store_extent_row *row)
{
	struct store_cache *cache = reader->store->objects;
	struct kept *kept, *before;

	if (reader->uncached)
		return;
	kept = (struct kept *)store_object_new(cache, sizeof *kept);
	if (kept == NULL)
		return;
	memset(kept->extents, 0, sizeof kept->extents);
	before = kept_find(reader, artid);
	if (before != NULL) {
		memcpy(kept->extents, before->extents, sizeof kept->extents);
		store_cache_remove(cache, &before->object);
		store_object_unref(&before->object);
	}
	for (unsigned i = 0; i < row->count; i++)
		if (row->artids[i] / IDS == artid / IDS)
			kept->extents[row->artids[i] % IDS] = row->extents[i];
	store_cache_put(cache, kept_key(artid), reader->version, &kept->object);
	store_object_unref(&kept->object);
}

bool
store_article_has_moved(struct store *store, uint64_t artid, uint64_t version)
{
	return store_cache_changed(store->objects, kept_key(artid)) > version;
}

int
store_extent_changed(struct store_txn *txn, uint64_t artid)
{
	return store_txn_drop(txn, kept_key(artid));
}
