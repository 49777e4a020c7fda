/* msgid.c - the index of Message-IDs.
 */
#include "store/msgid.h"

#include "store/private.h"
#include "store/siphash.h"

#include <errno.h>
#include <string.h>

#define ENTRY_LEN (1u + 8u + 4u + 4u + STORE_HASH_LEN)

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

static bool
entry_ok(const struct store_msgid_entry *entry)
{
	return entry->state >= STORE_MSGID_STORED &&
	    entry->state <= STORE_MSGID_EXPIRED;
}

int
store_msgid_parse(const uint8_t *bytes, size_t len,
    struct store_msgid_entry entries_r[STORE_MSGID_MAX])
{
	size_t count = len / ENTRY_LEN;
	struct store_msgid_entry *entry;

	if (len % ENTRY_LEN != 0 || count == 0 || count > STORE_MSGID_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++, bytes += ENTRY_LEN) {
		entry = &entries_r[i];
		if (bytes[0] < STORE_MSGID_STORED ||
		    bytes[0] > STORE_MSGID_EXPIRED)
			return -EBADMSG;
		entry->state = (enum store_msgid_state)bytes[0];
		entry->artid = store_read_u64(bytes + 1);
		entry->held = store_read_u32(bytes + 9);
		entry->day = store_read_u32(bytes + 13);
		memcpy(entry->content, bytes + 17, STORE_HASH_LEN);
	}
	return (int)count;
}

int
store_msgid_get(struct store_reader *reader, const uint8_t hash[STORE_HASH_LEN],
    struct store_msgid_entry entries_r[STORE_MSGID_MAX])
{
	const uint8_t *bytes;
	size_t len;
	int rc = store_row_get(reader, STORE_FILE_MSGID, hash, STORE_HASH_LEN,
	    &bytes, &len);

	if (rc == -ENOENT)
		return 0;
	return rc != 0 ? rc : store_msgid_parse(bytes, len, entries_r);
}

int
store_msgid_put(struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN],
    const struct store_msgid_entry *entries, unsigned count)
{
	uint8_t bytes[ENTRY_LEN * STORE_MSGID_MAX];
	uint8_t *p = bytes;
	int rc;

	if (count > STORE_MSGID_MAX)
		return -EINVAL;
	if (count == 0) {
		rc = store_row_delete(txn, STORE_FILE_MSGID, hash,
		    STORE_HASH_LEN);
		return rc == -ENOENT ? 0 : rc;
	}
	for (unsigned i = 0; i < count; i++, p += ENTRY_LEN) {
		if (!entry_ok(&entries[i]))
			return -EINVAL;
		p[0] = (uint8_t)entries[i].state;
		store_write_u64(p + 1, entries[i].artid);
		store_write_u32(p + 9, entries[i].held);
		store_write_u32(p + 13, entries[i].day);
		memcpy(p + 17, entries[i].content, STORE_HASH_LEN);
	}
	return store_row_put(txn, STORE_FILE_MSGID, hash, STORE_HASH_LEN, bytes,
	    ENTRY_LEN * count);
}
