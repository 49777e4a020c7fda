/* known.h - which Message-IDs could be known: a filter in memory that says no only
 * to an id of which the table has had no row since it was made (Bloom's, in blocks of
 * a cache line). Most ids that come are new, and to learn that from the table would
 * be a search in it for each. A yes means that the table is to be asked.
 *
 * It is kept in a file from a close to the next start. Where that file is not that of
 * the newest commit, after a crash or a restore, the keeper walks through the table,
 * and until then all ids could be known.
 */
#ifndef KITH_STORE_KNOWN_H
#define KITH_STORE_KNOWN_H

#include "store/msgid.h"

#define STORE_KNOWN_FILE "known_ids"

struct store_known;

int store_known_new(struct store_known **known_r);
void store_known_free(struct store_known **known);

/* Any thread. Of an id that was added before the commit that a reader sees, always
 * true. */
bool store_known_could(
    const struct store_known *known, const uint8_t hash[STORE_HASH_LEN]);
/* Any thread, one id on one thread only. True: it was certainly not known. Without
 * memory all could be known from then on. */
bool store_known_add(
    struct store_known *known, const uint8_t hash[STORE_HASH_LEN]);

/* Before the writer runs: takes the file, which is removed, if it is as new as the
 * store; or walks through the table, if that is small. */
void store_known_open(struct store *store);
/* When nothing writes any more. What cannot be kept is made again. */
void store_known_close(struct store *store);
/* By the keeper: walks through the table, if that is to be done. `between` is called
 * now and then, and says whether to stop, which is -ECANCELED. */
int store_known_fill(
    struct store *store, bool (*between)(void *arg), void *arg);
/* The filter says what it should: for checks and tests. */
bool store_known_is_whole(const struct store_known *known);

#endif
