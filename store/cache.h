/* cache.h - a bounded cache of immutable, counted objects, in shards.
 *
 * It never serves what a commit has replaced: a drop carries the number of its
 * commit and is remembered (per slot of the key's hash), so that a reader whose
 * view is older cannot put back what it built meanwhile. What was made of
 * several rows notes the version that it was made from, and asks for the changes
 * of each when it is found again.
 */
#ifndef KITH_STORE_CACHE_H
#define KITH_STORE_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum store_cache_kind {
	STORE_CACHE_PART = 1, /* a: artid, b: part */
	STORE_CACHE_EXTENTS,  /* a: artid / 64 */
	STORE_CACHE_BLOCK,    /* a: space, b: block */
	STORE_CACHE_ARTICLE, /* a: artid; nothing is kept: changes of its parts,
			       * placements, or entries of its Message-ID */
	STORE_CACHE_WIRE,    /* made by news: a: space and number, b: class */
	STORE_CACHE_XREF,    /* made by news: a: artid, b: class */
	STORE_CACHE_PLACE,   /* made by news: a and b of an id's hash; also an
			       * alias of its wire */
	STORE_CACHE_SPOTS,   /* made by news: a: space and number / 16 */
	STORE_CACHE_COLUMN,  /* made by news: a: space and block, b: field */
	STORE_CACHE_CROSSPOSTS, /* made by news: a: the same, b: class */
};

struct store_cache_key {
	enum store_cache_kind kind;
	uint32_t b;
	uint64_t a;
};

/* First member of whatever is cached; what follows `free` belongs to the cache
 * that it is in, one at most. */
struct store_region;
struct store_object {
	_Atomic uint32_t refs;
	_Atomic uint8_t rounds; /* of the clock's hand that it stays for */
	size_t size;      /* bytes it accounts for */
	void (*free)(struct store_object *object);
	struct store_region *region;       /* whose memory it is, or NULL */
	struct store_cache_key key, alias; /* alias.kind 0: none */
	uint64_t version; /* the oldest view known to see just this */
	size_t place;     /* in the clock */
};

struct store_cache;

void store_object_init(struct store_object *object, size_t size,
    void (*free)(struct store_object *object));
/* One in memory of the cache that it is for, or malloc()'s if there is no room,
 * counted once: size is that of all of it, and what is behind this struct is not
 * set. It may outlive the cache. NULL: out of memory. */
struct store_object *store_object_new(struct store_cache *cache, size_t size);
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
/* An object that is in the cache is found under another key as well as long as
 * it stays, unless a commit after `version` dropped that or it leads elsewhere.
 * An object has one alias in its life. */
void store_cache_add_alias(struct store_cache *cache,
    struct store_object *object, struct store_cache_key alias,
    uint64_t version);
/* By its alias, whatever is newest: as store_cache_get. */
struct store_object *store_cache_get_alias(struct store_cache *cache,
    struct store_cache_key alias);
/* Commit `version` changed what key stands for, as key or as alias. */
void store_cache_drop(struct store_cache *cache, struct store_cache_key key,
    uint64_t version);
/* The object itself has found that it is out of date. */
void store_cache_remove(struct store_cache *cache, struct store_object *object);
/* The last commit that dropped the key, or one of its slot. */
uint64_t store_cache_changed(const struct store_cache *cache,
    struct store_cache_key key);
/* What is put now drives something else out. */
bool store_cache_is_full(const struct store_cache *cache);
/* The largest object that is kept. */
size_t store_cache_object_max(const struct store_cache *cache);
void store_cache_counts(struct store_cache *cache, uint64_t *hits_r,
    uint64_t *misses_r);
size_t store_cache_bytes(struct store_cache *cache);

#endif
