/* cache_table.c - see cache_table.h.
 */
#include "store/cache_table.h"

#include <stdlib.h>

#define ROOM_FIRST 64u

uint64_t
cache_key_hash(struct store_cache_key key)
{
	uint64_t h = key.a * 0x9e3779b97f4a7c15u;
	uint64_t b = (uint64_t)key.kind << 32 | key.b;

	h ^= (h >> 29) ^ (b * 0xbf58476d1ce4e5b9u);
	h *= 0x94d049bb133111ebu;
	return h ^ (h >> 32);
}

bool
cache_key_equal(struct store_cache_key a, struct store_cache_key b)
{
	return a.a == b.a && a.b == b.b && a.kind == b.kind;
}

bool
cache_table_init(struct cache_table *table, bool by_alias)
{
	table->slots = calloc(ROOM_FIRST, sizeof(struct cache_slot));
	table->room = table->slots == NULL ? 0 : ROOM_FIRST;
	table->count = 0;
	table->by_alias = by_alias;
	return table->slots != NULL;
}

void
cache_table_fini(struct cache_table *table)
{
	free(table->slots);
	table->slots = NULL;
	table->room = 0;
}

/* The low bits choose the shard. */
static size_t
table_home(const struct cache_table *table, uint64_t hash)
{
	return (hash >> 16) & (table->room - 1);
}

static size_t
table_next(const struct cache_table *table, size_t at)
{
	return (at + 1) & (table->room - 1);
}

struct store_object *
cache_table_find(const struct cache_table *table, uint64_t hash,
    struct store_cache_key key)
{
	size_t at = table_home(table, hash);
	struct store_object *object;

	for (; (object = table->slots[at].object) != NULL;
	     at = table_next(table, at)) {
		if (table->slots[at].hash == hash &&
		    cache_key_equal(table->by_alias ? object->alias
						    : object->key,
			key))
			return object;
	}
	return NULL;
}

static void
table_place(struct cache_table *table, struct cache_slot slot)
{
	size_t at = table_home(table, slot.hash);

	while (table->slots[at].object != NULL)
		at = table_next(table, at);
	table->slots[at] = slot;
}

/* At most three quarters are taken, or searches get long. */
static bool
table_grow(struct cache_table *table)
{
	struct cache_table grown = *table;

	if ((table->count + 1) * 4 <= table->room * 3)
		return true;
	grown.room *= 2;
	grown.slots = calloc(grown.room, sizeof(struct cache_slot));
	if (grown.slots == NULL)
		return false;
	for (size_t i = 0; i < table->room; i++)
		if (table->slots[i].object != NULL)
			table_place(&grown, table->slots[i]);
	free(table->slots);
	*table = grown;
	return true;
}

bool
cache_table_add(struct cache_table *table, uint64_t hash,
    struct store_object *object)
{
	if (!table_grow(table))
		return false;
	table_place(table, (struct cache_slot){ hash, object });
	table->count++;
	return true;
}

void
cache_table_remove(struct cache_table *table, uint64_t hash,
    const struct store_object *object)
{
	struct cache_slot *slots = table->slots;
	size_t mask = table->room - 1, hole = table_home(table, hash), home;

	while (slots[hole].object != object) {
		if (slots[hole].object == NULL)
			return;
		hole = table_next(table, hole);
	}
	/* what a search would miss behind the hole moves into it */
	for (size_t at = table_next(table, hole); slots[at].object != NULL;
	     at = table_next(table, at)) {
		home = table_home(table, slots[at].hash);
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		slots[hole] = slots[at];
		hole = at;
	}
	slots[hole].object = NULL;
	table->count--;
}
