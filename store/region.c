/* region.c - see region.h. Two-level segregated fit (Masmano and others, 2004):
 * the free pieces are in lists by size, found by two bitmaps, so that taking and
 * giving cost the same whatever there is.
 */
#include "store/region.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define STEP       16u /* sizes are multiples of it, pieces aligned to it */
#define SUB_BITS   4u
#define SUBS       (1u << SUB_BITS) /* lists for each power of two */
#define FIRST_LOG  8u /* below 1 << 8 all sizes have lists of their own */
#define LEVELS     36u
#define SIZE_LIMIT ((size_t)1 << (FIRST_LOG + LEVELS - 2))
#define FREE       1u                 /* in a size */
#define HUGE_MIN   ((size_t)64 << 20) /* smaller ones are not worth it */

struct piece {
	size_t size;   /* of all of it, and FREE */
	size_t before; /* the size of the one in front of it; 0: none */
	struct piece *next, **link; /* of a free one */
};
#define HEAD offsetof(struct piece, next)

struct store_region {
	pthread_mutex_t lock;
	char *bytes;
	size_t len;
	size_t used;
	size_t pieces; /* given out */
	bool closed;
	uint64_t levels; /* those with a list that is not empty */
	uint32_t subs[LEVELS];
	struct piece *lists[LEVELS][SUBS];
};

struct place {
	unsigned level, sub;
};

static struct place
place_of(size_t size)
{
	unsigned log;

	if (size < (size_t)1 << FIRST_LOG)
		return (struct place){ 0, (unsigned)(size / STEP) };
	log = 63u - (unsigned)__builtin_clzll(size);
	return (struct place){ log - FIRST_LOG + 1,
		(unsigned)(size >> (log - SUB_BITS)) & (SUBS - 1) };
}

/* The least list all of whose pieces are that large. */
static struct place
place_for(size_t size)
{
	unsigned log;

	if (size >= (size_t)1 << FIRST_LOG) {
		log = 63u - (unsigned)__builtin_clzll(size);
		size += ((size_t)1 << (log - SUB_BITS)) - 1;
	}
	return place_of(size);
}

static bool
piece_is_free(const struct piece *piece)
{
	return (piece->size & FREE) != 0;
}

static struct piece *
piece_at(struct piece *piece, size_t offset)
{
	return (struct piece *)(void *)((char *)piece + offset);
}

static struct piece *
piece_before(struct piece *piece)
{
	return piece->before == 0
	    ? NULL
	    : (struct piece *)(void *)((char *)piece - piece->before);
}

/* ---- lists ------------------------------------------------------------ */

static void
region_insert(struct store_region *region, struct piece *piece)
{
	struct place at = place_of(piece->size);
	struct piece **list = &region->lists[at.level][at.sub];

	piece_at(piece, piece->size)->before = piece->size;
	piece->next = *list;
	piece->link = list;
	if (piece->next != NULL)
		piece->next->link = &piece->next;
	*list = piece;
	piece->size |= FREE;
	region->subs[at.level] |= 1u << at.sub;
	region->levels |= UINT64_C(1) << at.level;
}

static void
region_remove(struct store_region *region, struct piece *piece)
{
	struct place at;

	piece->size &= ~(size_t)FREE;
	at = place_of(piece->size);
	*piece->link = piece->next;
	if (piece->next != NULL)
		piece->next->link = piece->link;
	if (region->lists[at.level][at.sub] != NULL)
		return;
	region->subs[at.level] &= ~(1u << at.sub);
	if (region->subs[at.level] == 0)
		region->levels &= ~(UINT64_C(1) << at.level);
}

static struct piece *
region_find(const struct store_region *region, size_t size)
{
	struct place at = place_for(size);
	uint32_t subs = region->subs[at.level] & (UINT32_MAX << at.sub);
	uint64_t levels;

	if (subs == 0) {
		levels = region->levels & (UINT64_MAX << at.level << 1);
		if (levels == 0)
			return NULL;
		at.level = (unsigned)__builtin_ctzll(levels);
		subs = region->subs[at.level];
	}
	return region->lists[at.level][__builtin_ctz(subs)];
}

/* ---- life ------------------------------------------------------------- */

struct store_region *
store_region_new(size_t bytes)
{
	struct store_region *region;
	struct piece *all, *end;

	if (bytes == 0 || bytes >= SIZE_LIMIT)
		return NULL;
	bytes = (bytes + 4095) & ~(size_t)4095;
	region = calloc(1, sizeof *region);
	if (region == NULL)
		return NULL;
	region->len = bytes;
	region->bytes = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (region->bytes == MAP_FAILED ||
	    pthread_mutex_init(&region->lock, NULL) != 0) {
		if (region->bytes != MAP_FAILED)
			(void)munmap(region->bytes, bytes);
		free(region);
		return NULL;
	}
	/* a search in the cache is mostly a miss in the page tables else */
	if (bytes >= HUGE_MIN)
		(void)madvise(region->bytes, bytes, MADV_HUGEPAGE);
	all = (struct piece *)(void *)region->bytes;
	all->size = bytes - HEAD;
	all->before = 0;
	end = piece_at(all, all->size); /* never free */
	end->size = HEAD;
	region_insert(region, all);
	return region;
}

static void
region_end(struct store_region *region)
{
	pthread_mutex_destroy(&region->lock);
	(void)munmap(region->bytes, region->len);
	free(region);
}

void
store_region_free(struct store_region **region_p)
{
	struct store_region *region = *region_p;
	bool last;

	if (region == NULL)
		return;
	*region_p = NULL;
	pthread_mutex_lock(&region->lock);
	region->closed = true;
	last = region->pieces == 0;
	pthread_mutex_unlock(&region->lock);
	if (last)
		region_end(region);
}

/* ---- taking and giving ------------------------------------------------ */

static struct piece *
region_take(struct store_region *region, size_t size)
{
	struct piece *piece = region_find(region, size), *rest;

	if (piece == NULL)
		return NULL;
	region_remove(region, piece);
	if (piece->size - size >= sizeof *piece) {
		rest = piece_at(piece, size);
		rest->size = piece->size - size;
		rest->before = size;
		piece->size = size;
		region_insert(region, rest);
	}
	region->used += piece->size;
	region->pieces++;
	return piece;
}

void *
store_region_take(struct store_region *region, size_t size)
{
	struct piece *piece;

	if (size >= region->len)
		return NULL;
	size = (size + HEAD + STEP - 1) & ~(size_t)(STEP - 1);
	if (size < sizeof *piece)
		size = sizeof *piece;
	pthread_mutex_lock(&region->lock);
	piece = region_take(region, size);
	pthread_mutex_unlock(&region->lock);
	return piece == NULL ? NULL : (char *)piece + HEAD;
}

/* With its free neighbours as one. */
static void
region_give(struct store_region *region, struct piece *piece)
{
	struct piece *other = piece_at(piece, piece->size);

	region->used -= piece->size;
	region->pieces--;
	if (piece_is_free(other)) {
		region_remove(region, other);
		piece->size += other->size;
	}
	other = piece_before(piece);
	if (other != NULL && piece_is_free(other)) {
		region_remove(region, other);
		other->size += piece->size;
		piece = other;
	}
	region_insert(region, piece);
}

void
store_region_give(struct store_region *region, void *bytes)
{
	struct piece *piece = (struct piece *)(void *)((char *)bytes - HEAD);
	bool last;

	pthread_mutex_lock(&region->lock);
	region_give(region, piece);
	last = region->closed && region->pieces == 0;
	pthread_mutex_unlock(&region->lock);
	if (last)
		region_end(region);
}

size_t
store_region_used(struct store_region *region)
{
	size_t used;

	pthread_mutex_lock(&region->lock);
	used = region->used;
	pthread_mutex_unlock(&region->lock);
	return used;
}
