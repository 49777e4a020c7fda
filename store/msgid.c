/* msgid.c - the index of Message-IDs.
 */
#include "store/msgid.h"

#include "store/private.h"
#include "store/siphash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
store_msgid_hash(struct store *store, const char *msgid, size_t len,
    uint8_t hash_r[STORE_HASH_LEN])
{
	store_siphash(store->msgid_key, msgid, len, hash_r);
}

void
store_hash(struct store *store, const void *bytes, size_t len,
    uint8_t hash_r[STORE_HASH_LEN])
{
	store_siphash(store->hash_key, bytes, len, hash_r);
}

void
store_hash_body(struct store *store, const void *bytes, size_t len,
    uint8_t hash_r[STORE_HASH_LEN])
{
	store_siphash_1_3(store->hash_key, bytes, len, hash_r);
}

struct store_cache_key
store_msgid_key(const uint8_t hash[STORE_HASH_LEN])
{
	return (struct store_cache_key){ STORE_CACHE_PLACE,
		store_read_u32(hash + 8), store_read_u64(hash) };
}

static bool
entry_ok(const struct store_msgid_entry *entry)
{
	return entry->state >= STORE_MSGID_STORED &&
	    entry->state <= STORE_MSGID_WAITS;
}

int
store_msgid_entry_parse(const uint8_t bytes[STORE_MSGID_ENTRY],
    struct store_msgid_entry *entry_r)
{
	if (bytes[0] < STORE_MSGID_STORED || bytes[0] > STORE_MSGID_WAITS)
		return -EBADMSG;
	entry_r->state = (enum store_msgid_state)bytes[0];
	entry_r->artid = store_read_u64(bytes + 1);
	entry_r->about = store_read_u32(bytes + 9);
	entry_r->day = store_read_u32(bytes + 13);
	memcpy(entry_r->content, bytes + 17, STORE_HASH_LEN);
	return 0;
}

int
store_msgid_parse(const uint8_t *bytes, size_t len,
    struct store_msgid_entry entries_r[STORE_MSGID_MAX])
{
	size_t count = len / STORE_MSGID_ENTRY;

	if (len % STORE_MSGID_ENTRY != 0 || count == 0 ||
	    count > STORE_MSGID_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++, bytes += STORE_MSGID_ENTRY)
		if (store_msgid_entry_parse(bytes, &entries_r[i]) != 0)
			return -EBADMSG;
	return (int)count;
}

int
store_msgid_get(struct store_reader *reader, const uint8_t hash[STORE_HASH_LEN],
    struct store_msgid_entry entries_r[STORE_MSGID_MAX])
{
	const uint8_t *bytes;
	size_t len;
	int rc;

	if (!store_known_could(reader->store->known, hash))
		return 0;
	if (store_young_get(reader, hash, entries_r))
		return 1;
	rc = store_row_get(reader, STORE_FILE_MSGID, hash, STORE_HASH_LEN,
	    &bytes, &len);
	if (rc == -ENOENT)
		return 0;
	return rc != 0 ? rc : store_msgid_parse(bytes, len, entries_r);
}

bool
store_msgid_is_memory(enum store_msgid_state state)
{
	return state >= STORE_MSGID_REFUSED;
}

static int
history_note(struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN],
    uint32_t day)
{
	const Kith__Nothing nothing = KITH__NOTHING__INIT;
	struct store_key key = store_key_u32_hash(day, hash);

	return store_put(txn, STORE_HISTORY, &key, &nothing.base);
}

void
store_msgid_entry_encode(const struct store_msgid_entry *entry,
    uint8_t bytes_r[STORE_MSGID_ENTRY])
{
	bytes_r[0] = (uint8_t)entry->state;
	store_write_u64(bytes_r + 1, entry->artid);
	store_write_u32(bytes_r + 9, entry->about);
	store_write_u32(bytes_r + 13, entry->day);
	memcpy(bytes_r + 17, entry->content, STORE_HASH_LEN);
}

int
store_msgid_row_put(struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN],
    const struct store_msgid_entry *entries, unsigned count)
{
	uint8_t bytes[STORE_MSGID_ENTRY * STORE_MSGID_MAX];

	for (unsigned i = 0; i < count; i++)
		store_msgid_entry_encode(
		    &entries[i], bytes + (size_t)i * STORE_MSGID_ENTRY);
	return store_row_put(txn, STORE_FILE_MSGID, hash, STORE_HASH_LEN, bytes,
	    (size_t)count * STORE_MSGID_ENTRY);
}

/* Nobody has asked for what is under the id of a new article yet. */
static bool
put_is_first(const struct store_txn *txn,
    const struct store_msgid_entry *entries, unsigned count)
{
	return count == 1 && entries[0].state == STORE_MSGID_STORED &&
	    store_txn_is_new(txn, entries[0].artid);
}

int
store_msgid_put(struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN],
    const struct store_msgid_entry *entries, unsigned count)
{
	bool first = put_is_first(txn, entries, count);
	bool is_new;
	int rc = 0;

	if (count > STORE_MSGID_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++)
		if (!entry_ok(&entries[i]))
			return -EINVAL;
	is_new = count > 0 && store_known_add(txn->reader.store->known, hash);
	if (first && is_new) {
		rc = store_young_add(txn, hash, entries);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	if (!first)
		rc = store_txn_drop(txn, store_msgid_key(hash));
	if (rc == 0)
		rc = store_young_take(txn, hash);
	if (rc != 0)
		return rc;
	if (count == 0) {
		rc = store_row_delete(txn, STORE_FILE_MSGID, hash,
		    STORE_HASH_LEN);
		return rc == -ENOENT ? 0 : rc;
	}
	for (unsigned i = 0; rc == 0 && i < count; i++)
		if (store_msgid_is_memory(entries[i].state))
			rc = history_note(txn, hash, entries[i].day);
	return rc != 0 ? rc : store_msgid_row_put(txn, hash, entries, count);
}

int
store_msgid_add(struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN],
    const struct store_msgid_entry *entry)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	int count = store_msgid_get(&txn->reader, hash, entries);

	if (count >= 0)
		count = store_msgid_insert(entries, (unsigned)count, entry);
	return count < 0 ? count
			 : store_msgid_put(txn, hash, entries, (unsigned)count);
}

/* ---- forgetting ------------------------------------------------------- */

struct forgetting {
	uint32_t day;
	unsigned count;
	bool more;
	struct store_key keys[STORE_FORGET_MAX];
};

static int
forgetting_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct forgetting *forgetting = arg;

	(void)message;
	if (store_key_get_u32(key, 0) >= forgetting->day)
		return 1;
	if (forgetting->count == STORE_FORGET_MAX) {
		forgetting->more = true;
		return 1;
	}
	forgetting->keys[forgetting->count++] = *key;
	return 0;
}

/* A control message is in no space: it is kept as long as it is remembered. */
static int
control_delete(struct store_txn *txn, uint64_t artid)
{
	struct store_key key = store_key_u64(artid);
	int rc = store_article_delete(txn, artid);

	if (rc == 0 || rc == -ENOENT)
		rc = store_delete(txn, STORE_ARTICLE_META, &key);
	return rc == -ENOENT ? 0 : rc;
}

/* The memories of one id. What was met again on a later day has a note of that
 * day too, and stays. */
static int
forget_id(struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN],
    uint32_t day)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	int count = store_msgid_get(&txn->reader, hash, entries);
	unsigned kept = 0;
	int rc = 0;

	if (count <= 0)
		return count;
	for (int i = 0; i < count && rc == 0; i++)
		if (!store_msgid_is_memory(entries[i].state) ||
		    entries[i].day >= day)
			entries[kept++] = entries[i];
		else if (entries[i].state == STORE_MSGID_CONTROL)
			rc = control_delete(txn, entries[i].artid);
	return rc != 0 || kept == (unsigned)count
	    ? rc
	    : store_msgid_put(txn, hash, entries, kept);
}

int
store_msgid_forget(struct store_txn *txn, uint32_t day, unsigned *count_r)
{
	struct forgetting *forgetting = malloc(sizeof *forgetting);
	int rc;

	*count_r = 0;
	if (forgetting == NULL)
		return -ENOMEM;
	forgetting->day = day;
	forgetting->count = 0;
	forgetting->more = false;
	rc = store_walk(&txn->reader, STORE_HISTORY, NULL, NULL, forgetting_row,
	    forgetting);
	for (unsigned i = 0; rc >= 0 && i < forgetting->count; i++) {
		rc = forget_id(txn, forgetting->keys[i].bytes + 4, day);
		if (rc >= 0)
			rc = store_delete(txn, STORE_HISTORY,
			    &forgetting->keys[i]);
	}
	if (rc >= 0) {
		*count_r = forgetting->count;
		rc = forgetting->more ? 1 : 0;
	}
	free(forgetting);
	return rc;
}
