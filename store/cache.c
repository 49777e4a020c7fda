/* cache.c - a bounded cache of immutable, counted objects, in shards.
 *
 * What leaves is chosen by a clock: to find an object touches no other one, as
 * a list in order of use would.
 *
 * Aliases have shards of their own, whose locks are taken within those of the
 * keys' shards: an alias is there only while its object is.
 */
#include "build.h"

#include "store/cache_table.h"
#include "store/region.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS       16u
#define CHANGES      16384u /* remembered commits, by the key's hash */
#define OBJECT_BYTES 48u    /* of bookkeeping per object, roughly */
#define SPARE        16u    /* one part in so many */
#define ROUNDS_LONG  8u     /* of what is small and costs much to find */
#define LINE_BYTES   64u    /* of the processor's caches */

struct shard {
	alignas(LINE_BYTES) pthread_mutex_t lock;
	struct cache_table table;
	struct store_object **clock;
	size_t count, room; /* of the clock */
	size_t hand;
	size_t bytes, limit;
	uint64_t hits, misses;
};

struct aliases {
	alignas(LINE_BYTES) pthread_mutex_t lock;
	struct cache_table table;
	uint64_t hits;
};

struct store_cache {
	struct shard shards[SHARDS];
	struct aliases aliases[SHARDS];
	struct store_region *region; /* of its objects; NULL: malloc()'s */
	unsigned ready;              /* shards and aliases that are made */
	atomic_bool full;            /* something was driven out */
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

static void
object_free(struct store_object *object)
{
	if (object->region == NULL)
		free(object);
	else
		store_region_give(object->region, object);
}

struct store_object *
store_object_new(struct store_cache *cache, size_t size)
{
	struct store_region *region = cache->region;
	struct store_object *object =
	    region == NULL ? NULL : store_region_take(region, size);

	if (object == NULL) {
		region = NULL;
		object = malloc(size);
	}
	if (object == NULL)
		return NULL;
	store_object_init(object, size, object_free);
	object->region = region;
	return object;
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

static bool
cache_make_shard(struct store_cache *cache, unsigned i)
{
	struct shard *shard = &cache->shards[i];
	struct aliases *aliases = &cache->aliases[i];

	if (!cache_table_init(&shard->table, false) ||
	    !cache_table_init(&aliases->table, true))
		goto fail;
	if (pthread_mutex_init(&shard->lock, NULL) != 0)
		goto fail;
	if (pthread_mutex_init(&aliases->lock, NULL) == 0)
		return true;
	pthread_mutex_destroy(&shard->lock);
fail:
	cache_table_fini(&shard->table);
	cache_table_fini(&aliases->table);
	return false;
}

struct store_cache *
store_cache_new(size_t bytes)
{
	struct store_cache *cache = aligned_alloc(LINE_BYTES, sizeof *cache);

	if (cache == NULL)
		return NULL;
	memset(cache, 0, sizeof *cache);
	for (cache->ready = 0; cache->ready < SHARDS; cache->ready++) {
		cache->shards[cache->ready].limit = bytes / SHARDS;
		if (!cache_make_shard(cache, cache->ready)) {
			store_cache_free(&cache);
			return NULL;
		}
	}
#ifndef KITH_SANITIZERS /* which know malloc()'s memory only */
	/* room to spare for what is between the pieces, or is being sent */
	cache->region = store_region_new(bytes + bytes / SPARE);
#endif
	return cache;
}

static struct shard *
cache_shard(struct store_cache *cache, uint64_t hash)
{
	return &cache->shards[hash % SHARDS];
}

static struct aliases *
cache_aliases(struct store_cache *cache, uint64_t hash)
{
	return &cache->aliases[hash % SHARDS];
}

static _Atomic uint64_t *
cache_change(struct store_cache *cache, uint64_t hash)
{
	return &cache->changes[(hash >> 40) % CHANGES];
}

static void
cache_remove_alias(struct store_cache *cache, const struct store_object *object)
{
	uint64_t hash = cache_key_hash(object->alias);
	struct aliases *aliases = cache_aliases(cache, hash);

	pthread_mutex_lock(&aliases->lock);
	cache_table_remove(&aliases->table, hash, object);
	pthread_mutex_unlock(&aliases->lock);
}

/* hash is that of its key. */
static void
shard_remove(struct store_cache *cache, struct shard *shard, uint64_t hash,
    struct store_object *object)
{
	struct store_object *last;

	cache_table_remove(&shard->table, hash, object);
	if (object->alias.kind != 0)
		cache_remove_alias(cache, object);
	last = shard->clock[--shard->count];
	shard->clock[object->place] = last;
	last->place = object->place;
	shard->bytes -= object->size + OBJECT_BYTES;
	store_object_unref(object);
}

static bool
shard_grow(struct shard *shard)
{
	size_t more = shard->room == 0 ? 64 : shard->room * 2;
	struct store_object **clock;

	if (shard->count < shard->room)
		return true;
	clock = reallocarray(shard->clock, more, sizeof(struct store_object *));
	if (clock == NULL)
		return false;
	shard->clock = clock;
	shard->room = more;
	return true;
}

/* Room for so many bytes: what was not asked for since the hand was there goes. */
static void
shard_evict(struct store_cache *cache, struct shard *shard, size_t bytes)
{
	struct store_object *object;
	uint8_t rounds;

	while (shard->count > 0 && shard->bytes + bytes > shard->limit) {
		/* the last is the newest: it moves to where one goes, behind
		 * the hand, and so has a whole round to be asked for in */
		if (shard->hand + 1 >= shard->count)
			shard->hand = 0;
		object = shard->clock[shard->hand++];
		rounds =
		    atomic_load_explicit(&object->rounds, memory_order_relaxed);
		if (rounds > 0) {
			atomic_store_explicit(&object->rounds,
			    (uint8_t)(rounds - 1), memory_order_relaxed);
			continue;
		}
		shard_remove(cache, shard, cache_key_hash(object->key), object);
		atomic_store_explicit(&cache->full, true, memory_order_relaxed);
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
		cache_table_fini(&shard->table);
		cache_table_fini(&(*cache)->aliases[i].table);
		pthread_mutex_destroy(&shard->lock);
		pthread_mutex_destroy(&(*cache)->aliases[i].lock);
	}
	store_region_free(&(*cache)->region);
	free(*cache);
	*cache = NULL;
}

/* How long it stays when nobody asks for it any more. */
static uint8_t
object_rounds(const struct store_object *object)
{
	switch ((unsigned)object->key.kind) {
	case STORE_CACHE_EXTENTS:
	case STORE_CACHE_SPOTS:
	case STORE_CACHE_XREF:
		return ROUNDS_LONG;
	default:
		return 1;
	}
}

static void
object_use(struct store_object *object)
{
	uint8_t rounds = object_rounds(object);

	/* mostly it is, and the line stays shared */
	if (atomic_load_explicit(&object->rounds, memory_order_relaxed) !=
	    rounds)
		atomic_store_explicit(&object->rounds, rounds,
		    memory_order_relaxed);
	store_object_ref(object);
}

struct store_object *
store_cache_get(struct store_cache *cache, struct store_cache_key key,
    uint64_t version)
{
	uint64_t hash = cache_key_hash(key);
	struct shard *shard = cache_shard(cache, hash);
	struct store_object *object;

	pthread_mutex_lock(&shard->lock);
	object = cache_table_find(&shard->table, hash, key);
	if (object != NULL && object->version <= version) {
		object_use(object);
		shard->hits++;
	} else {
		object = NULL;
		shard->misses++;
	}
	pthread_mutex_unlock(&shard->lock);
	return object;
}

struct store_object *
store_cache_get_alias(struct store_cache *cache, struct store_cache_key alias)
{
	uint64_t hash = cache_key_hash(alias);
	struct aliases *aliases = cache_aliases(cache, hash);
	struct store_object *object;

	pthread_mutex_lock(&aliases->lock);
	object = cache_table_find(&aliases->table, hash, alias);
	if (object != NULL) {
		object_use(object);
		aliases->hits++;
	}
	pthread_mutex_unlock(&aliases->lock);
	return object;
}

static void
shard_put(struct shard *shard, uint64_t hash, struct store_object *object)
{
	if (!cache_table_add(&shard->table, hash, object))
		return;
	atomic_store_explicit(&object->rounds,
	    (uint8_t)(object_rounds(object) - 1), memory_order_relaxed);
	object->place = shard->count;
	shard->clock[shard->count++] = object;
	shard->bytes += object->size + OBJECT_BYTES;
	store_object_ref(object);
}

void
store_cache_put(struct store_cache *cache, struct store_cache_key key,
    uint64_t version, struct store_object *object)
{
	uint64_t hash = cache_key_hash(key);
	struct shard *shard = cache_shard(cache, hash);
	struct store_object *there;
	bool changed;

	if (object->size > store_cache_object_max(cache))
		return;
	pthread_mutex_lock(&shard->lock);
	there = cache_table_find(&shard->table, hash, key);
	changed = atomic_load(cache_change(cache, hash)) > version;
	if (there != NULL) {
		/* The same, built by an older view: now known to be as old. */
		if (!changed && there->version > version)
			there->version = version;
	} else if (!changed && shard_grow(shard)) {
		object->key = key;
		object->version = version;
		shard_evict(cache, shard, object->size + OBJECT_BYTES);
		shard_put(shard, hash, object);
	}
	pthread_mutex_unlock(&shard->lock);
}

/* The object is in the cache, and its shard is locked. */
static void
aliases_add(struct store_cache *cache, struct store_object *object,
    struct store_cache_key alias, uint64_t version)
{
	uint64_t hash = cache_key_hash(alias);
	struct aliases *aliases = cache_aliases(cache, hash);

	pthread_mutex_lock(&aliases->lock);
	if (atomic_load(cache_change(cache, hash)) <= version &&
	    cache_table_find(&aliases->table, hash, alias) == NULL) {
		object->alias = alias;
		(void)cache_table_add(&aliases->table, hash, object);
	}
	pthread_mutex_unlock(&aliases->lock);
}

void
store_cache_add_alias(struct store_cache *cache, struct store_object *object,
    struct store_cache_key alias, uint64_t version)
{
	uint64_t hash = cache_key_hash(object->key);
	struct shard *shard = cache_shard(cache, hash);

	pthread_mutex_lock(&shard->lock);
	if (cache_table_find(&shard->table, hash, object->key) == object &&
	    (object->alias.kind == 0 || cache_key_equal(object->alias, alias)))
		aliases_add(cache, object, alias, version);
	pthread_mutex_unlock(&shard->lock);
}

/* By one thread at a time: who publishes batches. */
static void
cache_note_change(struct store_cache *cache, uint64_t hash, uint64_t version)
{
	_Atomic uint64_t *change = cache_change(cache, hash);

	if (atomic_load(change) < version)
		atomic_store(change, version);
}

void
store_cache_drop(struct store_cache *cache, struct store_cache_key key,
    uint64_t version)
{
	uint64_t hash = cache_key_hash(key);
	struct shard *shard = cache_shard(cache, hash);
	struct aliases *aliases = cache_aliases(cache, hash);
	struct store_object *object;

	pthread_mutex_lock(&shard->lock);
	cache_note_change(cache, hash, version);
	object = cache_table_find(&shard->table, hash, key);
	if (object != NULL && object->version < version)
		shard_remove(cache, shard, hash, object);
	pthread_mutex_unlock(&shard->lock);
	/* after the note: none is added again */
	pthread_mutex_lock(&aliases->lock);
	object = cache_table_find(&aliases->table, hash, key);
	if (object != NULL)
		cache_table_remove(&aliases->table, hash, object);
	pthread_mutex_unlock(&aliases->lock);
}

void
store_cache_remove(struct store_cache *cache, struct store_object *object)
{
	uint64_t hash = cache_key_hash(object->key);
	struct shard *shard = cache_shard(cache, hash);

	pthread_mutex_lock(&shard->lock);
	if (cache_table_find(&shard->table, hash, object->key) == object)
		shard_remove(cache, shard, hash, object);
	pthread_mutex_unlock(&shard->lock);
}

uint64_t
store_cache_changed(const struct store_cache *cache, struct store_cache_key key)
{
	return atomic_load_explicit(&cache
					 ->changes[(cache_key_hash(key) >> 40) %
					     CHANGES],
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
		pthread_mutex_lock(&cache->aliases[i].lock);
		*hits_r += cache->aliases[i].hits;
		pthread_mutex_unlock(&cache->aliases[i].lock);
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
