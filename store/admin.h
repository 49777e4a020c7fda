/* admin.h - what keeps the store healthy: check, backup, restore, room.
 */
#ifndef KITH_STORE_ADMIN_H
#define KITH_STORE_ADMIN_H

#include "store/store.h"

/* Verifies every invariant between the tables in slices, each in a view of its
 * own, while serving; from a worker thread. report gets one line per fault.
 * Returns the number of faults, or negative. Rows examined in *rows_r. */
int store_check(struct store *store,
    void (*report)(void *arg, const char *fault), void *arg, uint64_t *rows_r);

/* Copies the environment into an empty or new directory while serving, then
 * syncs it; from a worker thread. error_r as in store_open. */
int store_backup(struct store *store, const char *directory, char **error_r);
/* From a backup directory into an empty store directory; nothing is open. */
int store_restore(
    const char *backup_directory, const char *store_directory, char **error_r);

/* Gives back to the disk what is free inside the files; from a worker thread, for
 * longer than it takes to read the store. Harms nobody who reads or writes
 * meanwhile, but may hold up the writer for long. Bytes of the files
 * before and after. stop (may be NULL) is asked now and then and ends it with
 * -ECANCELED; what was done until then stays. -EBUSY: one is under way. */
int store_compact(struct store *store, bool (*stop)(void *arg), void *arg,
    uint64_t *before_r, uint64_t *after_r);

struct store_stats {
	uint64_t free_bytes;	/* of the file system */
	uint64_t reserve_bytes; /* of the reserve file; 0 if it was given up */
	uint64_t commits;
	uint64_t operations;
	uint64_t articles;
	uint64_t cache_hits, cache_misses; /* of cache.h */
	unsigned schema;
};
void store_stats_get(struct store *store, struct store_stats *stats_r);
/* True while there is so little room that intake and bulk must be refused
 * (watched by the store's checkpoint thread). Any thread. */
bool store_is_full(struct store *store);

#endif
