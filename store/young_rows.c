/* young_rows.c - the rows of young Message-IDs, in the order that they came: the
 * serial of the first is the key, the ids follow each other. How far they are
 * settled is a row beside the counters, on the page that each batch changes anyway.
 */
#include "store/young.h"

#include <errno.h>
#include <string.h>

#include "store/private.h"

#define ID_LEN	     (STORE_HASH_LEN + STORE_MSGID_ENTRY)
#define PROGRESS_LEN (8u + 8u + 1u + STORE_HASH_LEN)

static const char key_progress[] = "young";

bool
store_young_is_young(const struct store_young_progress *progress,
    const struct store_young_id *id)
{
	if (id->gone || id->serial < progress->below)
		return false;
	return id->serial >= progress->end || !progress->some ||
	    memcmp(id->hash, progress->hash, STORE_HASH_LEN) > 0;
}

int
store_young_progress_get(
    struct store_reader *reader, struct store_young_progress *progress_r)
{
	const uint8_t *bytes;
	size_t len;
	int rc = store_row_get(reader, STORE_FILE_SYSTEM, key_progress,
	    sizeof key_progress - 1, &bytes, &len);

	memset(progress_r, 0, sizeof *progress_r);
	if (rc != 0)
		return rc;
	if (len != PROGRESS_LEN || bytes[16] > 1)
		return -EBADMSG;
	progress_r->below = store_read_u64(bytes);
	progress_r->end = store_read_u64(bytes + 8);
	progress_r->some = bytes[16] == 1;
	memcpy(progress_r->hash, bytes + 17, STORE_HASH_LEN);
	return progress_r->below > progress_r->end ? -EBADMSG : 0;
}

int
store_young_progress_put(
    struct store_txn *txn, const struct store_young_progress *progress)
{
	uint8_t bytes[PROGRESS_LEN];

	store_write_u64(bytes, progress->below);
	store_write_u64(bytes + 8, progress->end);
	bytes[16] = progress->some ? 1 : 0;
	memcpy(bytes + 17, progress->hash, STORE_HASH_LEN);
	return store_row_put(txn, STORE_FILE_SYSTEM, key_progress,
	    sizeof key_progress - 1, bytes, sizeof bytes);
}

int
store_young_row_parse(const uint8_t *key, size_t key_len, const uint8_t *bytes,
    size_t len, struct store_young_id ids_r[STORE_YOUNG_ROW])
{
	size_t count = len / ID_LEN;
	uint64_t first;

	if (key_len != 8 || len % ID_LEN != 0 || count == 0 ||
	    count > STORE_YOUNG_ROW)
		return -EBADMSG;
	first = store_read_u64(key);
	if (first > UINT64_MAX - count)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++, bytes += ID_LEN) {
		struct store_young_id *id = &ids_r[i];
		const uint8_t *entry = bytes + STORE_HASH_LEN;

		memset(id, 0, sizeof *id);
		id->serial = first + i;
		id->gone = entry[0] == 0;
		memcpy(id->hash, bytes, STORE_HASH_LEN);
		if (!id->gone &&
		    (store_msgid_entry_parse(entry, &id->entry) != 0 ||
			id->entry.state != STORE_MSGID_STORED))
			return -EBADMSG;
	}
	return (int)count;
}

int
store_young_row_put(struct store_txn *txn, const struct store_young_id *ids,
    unsigned count)
{
	uint8_t key[8], bytes[STORE_YOUNG_ROW * ID_LEN];
	uint8_t *p = bytes;

	if (count == 0 || count > STORE_YOUNG_ROW)
		return -EINVAL;
	store_write_u64(key, ids[0].serial);
	for (unsigned i = 0; i < count; i++, p += ID_LEN) {
		memcpy(p, ids[i].hash, STORE_HASH_LEN);
		store_msgid_entry_encode(&ids[i].entry, p + STORE_HASH_LEN);
		if (ids[i].gone)
			p[STORE_HASH_LEN] = 0;
	}
	return store_row_put(txn, STORE_FILE_YOUNG, key, sizeof key, bytes,
	    (size_t)count * ID_LEN);
}

int
store_young_row_void(struct store_txn *txn, uint64_t serial)
{
	struct store_young_id ids[STORE_YOUNG_ROW];
	struct store_cursor cursor;
	int count = 0;
	int rc = store_cursor_open(&cursor, &txn->reader, STORE_FILE_YOUNG);

	if (rc == 0)
		rc = store_cursor_at_or_before(&cursor, serial);
	if (rc == 0)
		count = store_young_row_parse(cursor.key, cursor.key_len,
		    cursor.bytes, cursor.len, ids);
	store_cursor_close(&cursor);
	if (rc == 0 &&
	    (count < 0 || serial < ids[0].serial ||
		serial - ids[0].serial >= (uint64_t)count))
		rc = -EBADMSG;
	if (rc != 0)
		return rc == -ENOENT ? -EBADMSG : rc;
	ids[serial - ids[0].serial].gone = true;
	return store_young_row_put(txn, ids, (unsigned)count);
}

int
store_young_rows_trim(struct store_txn *txn, uint64_t below, unsigned most)
{
	struct store_young_id ids[STORE_YOUNG_ROW];
	struct store_cursor cursor;
	uint8_t key[8];
	int rc = 0;

	for (unsigned i = 0; i < most; i++) {
		int count = 0;

		rc = store_cursor_open(&cursor, &txn->reader, STORE_FILE_YOUNG);
		if (rc == 0)
			rc = store_cursor_seek(&cursor, NULL, 0);
		if (rc == 0)
			count = store_young_row_parse(cursor.key,
			    cursor.key_len, cursor.bytes, cursor.len, ids);
		store_cursor_close(&cursor);
		if (rc == -ENOENT)
			return (int)i;
		if (rc == 0 && count < 0)
			rc = count;
		if (rc != 0)
			return rc;
		if (ids[count - 1].serial >= below)
			return (int)i;
		store_write_u64(key, ids[0].serial);
		rc = store_row_delete(txn, STORE_FILE_YOUNG, key, sizeof key);
		if (rc != 0)
			return rc;
	}
	return (int)most;
}

int
store_young_rows_walk(struct store_reader *reader,
    int (*fn)(void *arg, const struct store_young_id *id), void *arg)
{
	struct store_young_id ids[STORE_YOUNG_ROW];
	struct store_cursor cursor;
	int count, ended = 0;
	int rc = store_cursor_open(&cursor, reader, STORE_FILE_YOUNG);

	if (rc == 0)
		rc = store_cursor_seek(&cursor, NULL, 0);
	while (rc == 0 && ended == 0) {
		count = store_young_row_parse(cursor.key, cursor.key_len,
		    cursor.bytes, cursor.len, ids);
		ended = count < 0 ? count : 0;
		for (int i = 0; ended == 0 && i < count; i++)
			ended = fn(arg, &ids[i]);
		if (ended == 0)
			rc = store_cursor_next(&cursor);
	}
	store_cursor_close(&cursor);
	return rc == 0 || rc == -ENOENT ? ended : rc;
}
