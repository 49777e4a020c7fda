/* young_table.h - one generation of young Message-IDs in memory: in the order that
 * they came, found by their hash, and sorted when it is settled. No storage, no
 * locks: young.c has both.
 */
#ifndef KITH_STORE_YOUNG_TABLE_H
#define KITH_STORE_YOUNG_TABLE_H

#include "store/msgid.h"

#define YOUNG_NEVER UINT64_MAX

struct young_id {
	uint8_t hash[STORE_HASH_LEN];
	struct store_msgid_entry entry;
	uint64_t serial;
	uint64_t since, gone; /* commits: young for views of [since, gone) */
};

struct young_table {
	struct young_id *ids; /* owned, as the arrays below */
	uint32_t count, room;
	uint32_t *places; /* by hash: the id's index and one; 0: none */
	uint32_t places_mask;
	uint32_t *order; /* indexes in the order of hashes; NULL: not sorted */
	uint32_t settled; /* of the order */
};

void young_table_fini(struct young_table *table);
/* Keeps its memory. */
void young_table_empty(struct young_table *table);
/* NULL: there is none. Borrowed until the next addition. */
struct young_id *young_table_find(
    const struct young_table *table, const uint8_t hash[STORE_HASH_LEN]);
/* Adds a copy; the id must not be there. 0 or -ENOMEM: it is as before. */
int young_table_add(struct young_table *table, const struct young_id *id);
/* Takes away what was added last. */
void young_table_truncate(struct young_table *table, uint32_t count);
int young_table_sort(struct young_table *table);

#endif
