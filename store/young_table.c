/* young_table.c - an array, and open addressing over it. The hashes of Message-IDs
 * are keyed: nobody outside chooses where they fall.
 */
#include "build.h"

#include "store/young_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 256u

void
young_table_fini(struct young_table *table)
{
	free(table->ids);
	free(table->places);
	free(table->order);
	memset(table, 0, sizeof *table);
}

void
young_table_empty(struct young_table *table)
{
	if (table->places != NULL)
		memset(table->places, 0,
		    ((size_t)table->places_mask + 1) * sizeof *table->places);
	free(table->order);
	table->order = NULL;
	table->count = table->settled = 0;
}

/* Where an id of that hash is, or would be. */
static uint32_t *
place_of(const struct young_table *table, const uint8_t hash[STORE_HASH_LEN])
{
	uint32_t at;

	memcpy(&at, hash, sizeof at);
	for (;; at++) {
		uint32_t *place = &table->places[at & table->places_mask];

		if (*place == 0 ||
		    memcmp(table->ids[*place - 1].hash, hash,
			STORE_HASH_LEN) == 0)
			return place;
	}
}

struct young_id *
young_table_find(
    const struct young_table *table, const uint8_t hash[STORE_HASH_LEN])
{
	uint32_t place = table->count == 0 ? 0 : *place_of(table, hash);

	return place == 0 ? NULL : &table->ids[place - 1];
}

/* Half of the places stay empty. */
static int
table_grow(struct young_table *table)
{
	uint32_t room = table->room == 0 ? ROOM_FIRST : table->room * 2;
	struct young_id *ids;
	uint32_t *places;

	if (room < table->room || room > UINT32_MAX / 4)
		return -ENOMEM;
	ids = reallocarray(table->ids, room, sizeof *ids);
	if (ids == NULL)
		return -ENOMEM;
	table->ids = ids;
	places = calloc((size_t)room * 2, sizeof *places);
	if (places == NULL)
		return -ENOMEM;
	free(table->places);
	table->places = places;
	table->places_mask = room * 2 - 1;
	table->room = room;
	for (uint32_t i = 0; i < table->count; i++)
		*place_of(table, ids[i].hash) = i + 1;
	return 0;
}

int
young_table_add(struct young_table *table, const struct young_id *id)
{
	int rc = table->count == table->room ? table_grow(table) : 0;

	if (rc != 0)
		return rc;
	*place_of(table, id->hash) = table->count + 1;
	table->ids[table->count++] = *id;
	return 0;
}

void
young_table_truncate(struct young_table *table, uint32_t count)
{
	/* The last first: nothing was placed because of it. */
	for (uint32_t i = table->count; i > count; i--)
		*place_of(table, table->ids[i - 1].hash) = 0;
	table->count = count;
}

static int
order_compare(const void *a, const void *b, void *ids)
{
	const struct young_id *all = ids;

	return memcmp(all[*(const uint32_t *)a].hash,
	    all[*(const uint32_t *)b].hash, STORE_HASH_LEN);
}

int
young_table_sort(struct young_table *table)
{
	uint32_t *order = calloc((size_t)table->count + 1, sizeof *order);

	if (order == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < table->count; i++)
		order[i] = i;
	qsort_r(order, table->count, sizeof *order, order_compare, table->ids);
	free(table->order);
	table->order = order;
	table->settled = 0;
	return 0;
}
