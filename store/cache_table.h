/* cache_table.h - objects of the cache by key or by alias: open addressing, with
 * the hashes beside the pointers, so that a search touches no object but the one
 * that it is for. Private to store/cache.c, which locks.
 */
#ifndef KITH_STORE_CACHE_TABLE_H
#define KITH_STORE_CACHE_TABLE_H

#include "store/cache.h"

struct cache_slot {
	uint64_t hash;
	struct store_object *object; /* NULL: empty */
};

struct cache_table {
	struct cache_slot *slots;
	size_t room; /* a power of two */
	size_t count;
	bool by_alias;
};

uint64_t cache_key_hash(struct store_cache_key key);
bool cache_key_equal(struct store_cache_key a, struct store_cache_key b);
/* False: no memory. */
bool cache_table_init(struct cache_table *table, bool by_alias);
void cache_table_fini(struct cache_table *table);
/* hash is that of the key, here and below. Borrowed, or NULL. */
struct store_object *cache_table_find(const struct cache_table *table,
    uint64_t hash, struct store_cache_key key);
/* One that is not there yet. False: no memory. */
bool cache_table_add(struct cache_table *table, uint64_t hash,
    struct store_object *object);
/* Nothing happens if it is not there. */
void cache_table_remove(struct cache_table *table, uint64_t hash,
    const struct store_object *object);

#endif
