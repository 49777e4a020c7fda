/* cache.h - a bounded LRU of immutable, counted objects, in shards.
 *
 * It never serves what a commit has replaced: a drop carries the number of its
 * commit and is remembered (per slot of the key's hash), so that a reader whose
 * view is older cannot put back what it built meanwhile.
 */
#ifndef KITH_STORE_CACHE_H
#define KITH_STORE_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First member of whatever is cached. */
struct store_object {
	_Atomic uint32_t refs;
	size_t size; /* bytes it accounts for */
	void (*free)(struct store_object *object);
};

struct store_cache_key {
	uint64_t a; /* changes are remembered per a and b */
	uint32_t b;
};

struct store_cache;

void store_object_init(struct store_object *object, size_t size,
    void (*free)(struct store_object *object));
void store_object_ref(struct store_object *object);
void store_object_unref(struct store_object *object); /* accepts NULL */

/* bytes 0: keeps nothing. NULL: out of memory. */
struct store_cache *store_cache_new(size_t bytes);
void store_cache_free(struct store_cache **cache);
/* A reference for the caller, or NULL. version: the commit that the reader
 * sees; UINT64_MAX: whatever is newest. Any thread, as all of these. */
struct store_object *store_cache_get(struct store_cache *cache,
    struct store_cache_key key, uint64_t version);
/* Keeps a reference of its own, unless a commit after `version` dropped the
 * key or something newer is there. */
void store_cache_put(struct store_cache *cache, struct store_cache_key key,
    uint64_t version, struct store_object *object);
/* Commit `version` changed what key stands for. */
void store_cache_drop(struct store_cache *cache, struct store_cache_key key,
    uint64_t version);
void store_cache_counts(struct store_cache *cache, uint64_t *hits_r,
    uint64_t *misses_r);
size_t store_cache_bytes(struct store_cache *cache);

#endif
