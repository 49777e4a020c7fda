/* cache.c - a bounded LRU of immutable, counted objects, in shards.
 */
#include "store/cache.h"

#include <pthread.h>
#include <stdlib.h>

#define SHARDS      16u
#define CHANGES     1024u /* remembered change numbers per shard */
#define ENTRY_BYTES 128u  /* of bookkeeping per object, roughly */

struct entry {
	struct store_cache_key key;
	uint64_t version; /* the oldest view known to see just this */
	struct store_object *object;
	struct entry *chain;
	struct entry *newer, *older;
};

struct shard {
	pthread_mutex_t lock;
	struct entry **buckets;
	size_t buckets_count; /* a power of two */
	struct entry *newest, *oldest;
	size_t bytes, limit;
	size_t count;
	uint64_t hits, misses;
	uint64_t changes[CHANGES];
};

struct store_cache {
	struct shard shards[SHARDS];
	unsigned ready; /* shards whose lock is made */
};

void
store_object_init(struct store_object *object, size_t size,
    void (*free)(struct store_object *object))
{
	atomic_init(&object->refs, 1);
	object->size = size;
	object->free = free;
}

void
store_object_ref(struct store_object *object)
{
	atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);
}

void
store_object_unref(struct store_object *object)
{
	if (object == NULL)
		return;
	if (atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel) ==
	    1)
		object->free(object);
}

static uint64_t
key_hash(struct store_cache_key key)
{
	uint64_t h = key.a * 0x9e3779b97f4a7c15u;

	h ^= (h >> 29) ^ ((uint64_t)key.b * 0xbf58476d1ce4e5b9u);
	h *= 0x94d049bb133111ebu;
	return h ^ (h >> 32);
}

static bool
key_equal(struct store_cache_key a, struct store_cache_key b)
{
	return a.a == b.a && a.b == b.b;
}

struct store_cache *
store_cache_new(size_t bytes)
{
	struct store_cache *cache = calloc(1, sizeof *cache);
	struct shard *shard;

	if (cache == NULL)
		return NULL;
	for (cache->ready = 0; cache->ready < SHARDS; cache->ready++) {
		shard = &cache->shards[cache->ready];
		shard->limit = bytes / SHARDS;
		shard->buckets_count = 64;
		while (shard->buckets_count < shard->limit / 4096)
			shard->buckets_count *= 2;
		shard->buckets =
		    calloc(shard->buckets_count, sizeof shard->buckets[0]);
		if (shard->buckets == NULL ||
		    pthread_mutex_init(&shard->lock, NULL) != 0) {
			free(shard->buckets);
			store_cache_free(&cache);
			return NULL;
		}
	}
	return cache;
}

static void
shard_list_remove(struct shard *shard, struct entry *entry)
{
	if (entry->newer != NULL)
		entry->newer->older = entry->older;
	else
		shard->newest = entry->older;
	if (entry->older != NULL)
		entry->older->newer = entry->newer;
	else
		shard->oldest = entry->newer;
}

static void
shard_list_push(struct shard *shard, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = shard->newest;
	if (shard->newest != NULL)
		shard->newest->newer = entry;
	else
		shard->oldest = entry;
	shard->newest = entry;
}

/* Where the link to the entry is, or would be. */
static struct entry **
shard_find(struct shard *shard, struct store_cache_key key, uint64_t hash)
{
	struct entry **link =
	    &shard->buckets[(hash >> 16) & (shard->buckets_count - 1)];

	while (*link != NULL && !key_equal((*link)->key, key))
		link = &(*link)->chain;
	return link;
}

static void
shard_remove(struct shard *shard, struct entry **link)
{
	struct entry *entry = *link;

	*link = entry->chain;
	shard_list_remove(shard, entry);
	shard->bytes -= entry->object->size + ENTRY_BYTES;
	shard->count--;
	store_object_unref(entry->object);
	free(entry);
}

static struct shard *
cache_shard(struct store_cache *cache, uint64_t hash)
{
	return &cache->shards[hash % SHARDS];
}

static uint64_t *
shard_change(struct shard *shard, uint64_t hash)
{
	return &shard->changes[(hash >> 40) % CHANGES];
}

void
store_cache_free(struct store_cache **cache)
{
	struct shard *shard;
	struct entry **link;

	if (*cache == NULL)
		return;
	for (unsigned i = 0; i < (*cache)->ready; i++) {
		shard = &(*cache)->shards[i];
		while (shard->oldest != NULL) {
			link = shard_find(shard, shard->oldest->key,
			    key_hash(shard->oldest->key));
			shard_remove(shard, link);
		}
		free(shard->buckets);
		pthread_mutex_destroy(&shard->lock);
	}
	free(*cache);
	*cache = NULL;
}

struct store_object *
store_cache_get(struct store_cache *cache, struct store_cache_key key,
    uint64_t version)
{
	uint64_t hash = key_hash(key);
	struct shard *shard = cache_shard(cache, hash);
	struct store_object *object = NULL;
	struct entry *entry;

	pthread_mutex_lock(&shard->lock);
	entry = *shard_find(shard, key, hash);
	if (entry != NULL && entry->version <= version) {
		shard_list_remove(shard, entry);
		shard_list_push(shard, entry);
		object = entry->object;
		store_object_ref(object);
		shard->hits++;
	} else {
		shard->misses++;
	}
	pthread_mutex_unlock(&shard->lock);
	return object;
}

void
store_cache_put(struct store_cache *cache, struct store_cache_key key,
    uint64_t version, struct store_object *object)
{
	uint64_t hash = key_hash(key);
	struct shard *shard = cache_shard(cache, hash);
	struct entry **link, *entry;

	if (object->size + ENTRY_BYTES > shard->limit)
		return;
	entry = calloc(1, sizeof *entry);
	if (entry == NULL)
		return;
	pthread_mutex_lock(&shard->lock);
	link = shard_find(shard, key, hash);
	if (*shard_change(shard, hash) > version || *link != NULL) {
		/* The same, built by an older view: now known to be as old. */
		if (*link != NULL && *shard_change(shard, hash) <= version &&
		    (*link)->version > version)
			(*link)->version = version;
		pthread_mutex_unlock(&shard->lock);
		free(entry);
		return;
	}
	entry->key = key;
	entry->version = version;
	entry->object = object;
	store_object_ref(object);
	*link = entry;
	shard_list_push(shard, entry);
	shard->bytes += object->size + ENTRY_BYTES;
	shard->count++;
	while (shard->bytes > shard->limit)
		shard_remove(shard,
		    shard_find(shard, shard->oldest->key,
			key_hash(shard->oldest->key)));
	pthread_mutex_unlock(&shard->lock);
}

void
store_cache_drop(struct store_cache *cache, struct store_cache_key key,
    uint64_t version)
{
	uint64_t hash = key_hash(key);
	struct shard *shard = cache_shard(cache, hash);
	uint64_t *change = shard_change(shard, hash);
	struct entry **link;

	pthread_mutex_lock(&shard->lock);
	if (*change < version)
		*change = version;
	link = shard_find(shard, key, hash);
	if (*link != NULL && (*link)->version < version)
		shard_remove(shard, link);
	pthread_mutex_unlock(&shard->lock);
}

void
store_cache_counts(struct store_cache *cache, uint64_t *hits_r,
    uint64_t *misses_r)
{
	*hits_r = *misses_r = 0;
	for (unsigned i = 0; i < SHARDS; i++) {
		pthread_mutex_lock(&cache->shards[i].lock);
		*hits_r += cache->shards[i].hits;
		*misses_r += cache->shards[i].misses;
		pthread_mutex_unlock(&cache->shards[i].lock);
	}
}

size_t
store_cache_bytes(struct store_cache *cache)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < SHARDS; i++) {
		pthread_mutex_lock(&cache->shards[i].lock);
		bytes += cache->shards[i].bytes;
		pthread_mutex_unlock(&cache->shards[i].lock);
	}
	return bytes;
}
