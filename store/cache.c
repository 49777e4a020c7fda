/* cache.c - a bounded cache of immutable, counted objects, in shards.
 *
 * What leaves is chosen by a clock: to find an object touches no other one, as
 * a list in order of use would.
 */
#include "store/cache.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS       16u
#define CHANGES      16384u /* remembered commits, by the key's hash */
#define OBJECT_BYTES 32u    /* of bookkeeping per object, roughly */
#define LINE_BYTES   64u    /* of the processor's caches */

struct shard {
	alignas(LINE_BYTES) pthread_mutex_t lock;
	struct store_object **buckets;
	size_t buckets_count; /* a power of two */
	struct store_object **clock;
	size_t count, room; /* of the clock */
	size_t hand;
	size_t bytes, limit;
	uint64_t hits, misses;
};

struct store_cache {
	struct shard shards[SHARDS];
	unsigned ready; /* shards whose lock is made */
	atomic_bool full; /* something was driven out */
	_Atomic uint64_t changes[CHANGES];
};

void
store_object_init(struct store_object *object, size_t size,
    void (*free)(struct store_object *object))
{
	memset(object, 0, sizeof *object);
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
	uint64_t b = (uint64_t)key.kind << 32 | key.b;

	h ^= (h >> 29) ^ (b * 0xbf58476d1ce4e5b9u);
	h *= 0x94d049bb133111ebu;
	return h ^ (h >> 32);
}

static bool
key_equal(struct store_cache_key a, struct store_cache_key b)
{
	return a.a == b.a && a.b == b.b && a.kind == b.kind;
}

struct store_cache *
store_cache_new(size_t bytes)
{
	struct store_cache *cache = aligned_alloc(LINE_BYTES, sizeof *cache);
	struct shard *shard;

	if (cache == NULL)
		return NULL;
	memset(cache, 0, sizeof *cache);
	for (cache->ready = 0; cache->ready < SHARDS; cache->ready++) {
		shard = &cache->shards[cache->ready];
		shard->limit = bytes / SHARDS;
		shard->buckets_count = 64;
		shard->buckets = calloc(shard->buckets_count,
		    sizeof(struct store_object *));
		if (shard->buckets == NULL ||
		    pthread_mutex_init(&shard->lock, NULL) != 0) {
			free(shard->buckets);
			store_cache_free(&cache);
			return NULL;
		}
	}
	return cache;
}

static struct shard *
cache_shard(struct store_cache *cache, uint64_t hash)
{
	return &cache->shards[hash % SHARDS];
}

static _Atomic uint64_t *
cache_change(struct store_cache *cache, uint64_t hash)
{
	return &cache->changes[(hash >> 40) % CHANGES];
}

/* Where the link to the object is, or would be. */
static struct store_object **
shard_find(struct shard *shard, struct store_cache_key key, uint64_t hash)
{
	struct store_object **link =
	    &shard->buckets[(hash >> 16) & (shard->buckets_count - 1)];

	while (*link != NULL && !key_equal((*link)->key, key))
		link = &(*link)->chain;
	return link;
}

static void
shard_remove(struct shard *shard, struct store_object **link)
{
	struct store_object *object = *link, *last;

	*link = object->chain;
	last = shard->clock[--shard->count];
	shard->clock[object->place] = last;
	last->place = object->place;
	shard->bytes -= object->size + OBJECT_BYTES;
	store_object_unref(object);
}

/* As many buckets as objects, or chains get long: they differ in size. */
static void
shard_spread(struct shard *shard)
{
	size_t more = shard->buckets_count * 2;
	struct store_object **buckets, **old = shard->buckets, **link;

	if (shard->count < shard->buckets_count)
		return;
	buckets = calloc(more, sizeof(struct store_object *));
	if (buckets == NULL)
		return;
	shard->buckets = buckets;
	shard->buckets_count = more;
	for (size_t i = 0; i < shard->count; i++) {
		shard->clock[i]->chain = NULL;
		link = shard_find(shard, shard->clock[i]->key,
		    key_hash(shard->clock[i]->key));
		*link = shard->clock[i];
	}
	free(old);
}

static bool
shard_grow(struct shard *shard)
{
	size_t more = shard->room == 0 ? 64 : shard->room * 2;
	struct store_object **clock;

	shard_spread(shard);
	if (shard->count < shard->room)
		return true;
	clock =
	    reallocarray(shard->clock, more, sizeof(struct store_object *));
	if (clock == NULL)
		return false;
	shard->clock = clock;
	shard->room = more;
	return true;
}

/* Room for so many bytes: what was not used since the hand was there goes. */
static void
shard_evict(struct store_cache *cache, struct shard *shard, size_t bytes)
{
	struct store_object *object;

	while (shard->count > 0 && shard->bytes + bytes > shard->limit) {
		if (shard->hand >= shard->count)
			shard->hand = 0;
		object = shard->clock[shard->hand];
		if (object->used) {
			object->used = false;
			shard->hand++;
			continue;
		}
		shard_remove(shard,
		    shard_find(shard, object->key, key_hash(object->key)));
		atomic_store_explicit(&cache->full, true,
		    memory_order_relaxed);
	}
}

void
store_cache_free(struct store_cache **cache)
{
	struct shard *shard;

	if (*cache == NULL)
		return;
	for (unsigned i = 0; i < (*cache)->ready; i++) {
		shard = &(*cache)->shards[i];
		for (size_t at = 0; at < shard->count; at++)
			store_object_unref(shard->clock[at]);
		free(shard->clock);
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
	struct store_object *object;

	pthread_mutex_lock(&shard->lock);
	object = *shard_find(shard, key, hash);
	if (object != NULL && object->version <= version) {
		object->used = true;
		store_object_ref(object);
		shard->hits++;
	} else {
		object = NULL;
		shard->misses++;
	}
	pthread_mutex_unlock(&shard->lock);
	return object;
}

static void
shard_put(struct shard *shard, struct store_object **link,
    struct store_object *object)
{
	object->used = false;
	object->chain = NULL;
	object->place = shard->count;
	shard->clock[shard->count++] = object;
	shard->bytes += object->size + OBJECT_BYTES;
	store_object_ref(object);
	*link = object;
}

void
store_cache_put(struct store_cache *cache, struct store_cache_key key,
    uint64_t version, struct store_object *object)
{
	uint64_t hash = key_hash(key);
	struct shard *shard = cache_shard(cache, hash);
	struct store_object *there;
	bool changed;

	if (object->size > store_cache_object_max(cache))
		return;
	pthread_mutex_lock(&shard->lock);
	there = *shard_find(shard, key, hash);
	changed = atomic_load(cache_change(cache, hash)) > version;
	if (there != NULL) {
		/* The same, built by an older view: now known to be as old. */
		if (!changed && there->version > version)
			there->version = version;
	} else if (!changed && shard_grow(shard)) {
		object->key = key;
		object->version = version;
		shard_evict(cache, shard, object->size + OBJECT_BYTES);
		/* what was evicted may have held the link */
		shard_put(shard, shard_find(shard, key, hash), object);
	}
	pthread_mutex_unlock(&shard->lock);
}

void
store_cache_drop(struct store_cache *cache, struct store_cache_key key,
    uint64_t version)
{
	uint64_t hash = key_hash(key);
	struct shard *shard = cache_shard(cache, hash);
	_Atomic uint64_t *change = cache_change(cache, hash);
	struct store_object **link;

	pthread_mutex_lock(&shard->lock);
	/* by one thread at a time: who publishes batches */
	if (atomic_load(change) < version)
		atomic_store(change, version);
	link = shard_find(shard, key, hash);
	if (*link != NULL && (*link)->version < version)
		shard_remove(shard, link);
	pthread_mutex_unlock(&shard->lock);
}

void
store_cache_remove(struct store_cache *cache, struct store_object *object)
{
	uint64_t hash = key_hash(object->key);
	struct shard *shard = cache_shard(cache, hash);
	struct store_object **link;

	pthread_mutex_lock(&shard->lock);
	link = shard_find(shard, object->key, hash);
	if (*link == object)
		shard_remove(shard, link);
	pthread_mutex_unlock(&shard->lock);
}

uint64_t
store_cache_changed(const struct store_cache *cache, struct store_cache_key key)
{
	return atomic_load_explicit(
	    &cache->changes[(key_hash(key) >> 40) % CHANGES],
	    memory_order_acquire);
}

bool
store_cache_is_full(const struct store_cache *cache)
{
	return atomic_load_explicit(&cache->full, memory_order_relaxed);
}

size_t
store_cache_object_max(const struct store_cache *cache)
{
	size_t limit = cache->shards[0].limit;

	return limit < OBJECT_BYTES ? 0 : limit - OBJECT_BYTES;
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
