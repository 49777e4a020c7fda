/* check_msgids.c - the index of Message-IDs: its table, and the ids that are not in
 * it yet.
 */
#include "store/check.h"

#include <errno.h>
#include <string.h>

void
check_msgid_of(struct check *check, uint64_t artid, const char *message_id)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	uint8_t hash[STORE_HASH_LEN];
	int count;

	if (message_id[0] == '\0')
		return;
	store_msgid_hash(check->store, message_id, strlen(message_id), hash);
	count = store_msgid_get(check->reader, hash, entries);
	for (int i = 0; i < count; i++)
		if (entries[i].artid == artid)
			return;
	check_fault(check, "article %llu: its Message-ID is not in the index",
	    (unsigned long long)artid);
}

/* What it says no to is not looked for. */
static void
filter_check(struct check *check, const uint8_t hash[STORE_HASH_LEN])
{
	if (!store_known_could(check->store->known, hash))
		check_fault(check, "message ids: the filter misses one");
}

/* A memory without its note would never be forgotten. (A note without a memory
 * is no fault: it goes when its day comes.) */
static void
history_check(struct check *check, const uint8_t hash[STORE_HASH_LEN],
    uint32_t day)
{
	struct store_key key = store_key_u32_hash(day, hash);

	if (!store_has(check->reader, STORE_HISTORY, &key))
		check_fault(check,
		    "message ids: a memory of day %u is not in the history",
		    day);
}

int
check_msgid_row(struct check *check, const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	int count = store_msgid_parse(bytes, len, entries);

	if (key_len != STORE_HASH_LEN || count < 0) {
		check_fault(check, "message ids: a row does not parse");
		return 0;
	}
	filter_check(check, key);
	for (int i = 0; i < count; i++) {
		if (entries[i].state == STORE_MSGID_STORED &&
		    !check_has_meta(check, entries[i].artid))
			check_fault(check,
			    "message ids: article %llu is missing",
			    (unsigned long long)entries[i].artid);
		if (store_msgid_is_memory(entries[i].state))
			history_check(check, key, entries[i].day);
	}
	return 0;
}

static void
young_check(struct check *check, const struct store_young_id *id)
{
	struct store_msgid_entry entry;

	filter_check(check, id->hash);
	if (!check_has_meta(check, id->entry.artid))
		check_fault(check, "young message ids: article %llu is missing",
		    (unsigned long long)id->entry.artid);
	if (!store_young_get(check->reader, id->hash, &entry) ||
	    entry.artid != id->entry.artid)
		check_fault(check,
		    "young message ids: article %llu is not in memory",
		    (unsigned long long)id->entry.artid);
	if (store_row_has(check->reader, STORE_FILE_MSGID, id->hash,
		STORE_HASH_LEN) != -ENOENT)
		check_fault(check,
		    "young message ids: that of article %llu is in the table",
		    (unsigned long long)id->entry.artid);
}

int
check_young_row(struct check *check, const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len)
{
	struct store_young_id ids[STORE_YOUNG_ROW];
	struct store_young_progress progress;
	int count = store_young_row_parse(key, key_len, bytes, len, ids);
	int rc = store_young_progress_get(check->reader, &progress);

	if (rc == -EBADMSG || count < 0) {
		check_fault(check, "young message ids: a row does not parse");
		return 0;
	}
	if (rc != 0 && rc != -ENOENT)
		return rc;
	for (int i = 0; i < count; i++)
		if (store_young_is_young(&progress, &ids[i])) {
			check->rows++;
			young_check(check, &ids[i]);
		}
	check->rows--; /* ids count, not rows of them */
	return 0;
}
