/* row.c - rows by raw key: the only place that calls DB->get, ->put, ->del.
 *
 * What goes wrong in the writer's transaction is noted there as well, so that
 * an operation that does not look at a result cannot commit half of itself.
 */
#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCRATCH_FIRST 4096u

int
store_reader_error(struct store_reader *reader, int db_error)
{
	int rc = store_error(db_error);

	if (rc == 0 || rc == -ENOENT || rc == -EEXIST ||
	    reader->writing == NULL)
		return rc;
	if (rc == -EAGAIN)
		reader->writing->deadlocked = true;
	else if (reader->writing->broken == 0)
		reader->writing->broken = rc;
	return rc;
}

static DBT
dbt_of(const void *bytes, size_t len)
{
	DBT dbt;

	memset(&dbt, 0, sizeof dbt);
	/* Berkeley DB has no const; keys and values put are only read. */
	memcpy(&dbt.data, &bytes, sizeof dbt.data);
	dbt.size = (u_int32_t)len;
	return dbt;
}

static int
scratch_grow(struct store_reader *reader, size_t need)
{
	size_t room = SCRATCH_FIRST;
	uint8_t *scratch;

	if (need > STORE_ROW_MAX)
		return -EBADMSG;
	while (room < need)
		room *= 2;
	if (room <= reader->scratch_room)
		return 0;
	scratch = realloc(reader->scratch, room);
	if (scratch == NULL)
		return -ENOMEM;
	reader->scratch = scratch;
	reader->scratch_room = room;
	return 0;
}

int
store_row_get(struct store_reader *reader, enum store_file file,
    const void *key, size_t key_len, const uint8_t **bytes_r, size_t *len_r)
{
	DB *db = reader->store->files[file];
	DBT key_dbt = dbt_of(key, key_len);
	DBT data;
	int rc, ret;

	rc = scratch_grow(reader, SCRATCH_FIRST);
	while (rc == 0) {
		memset(&data, 0, sizeof data);
		data.flags = DB_DBT_USERMEM;
		data.data = reader->scratch;
		data.ulen = (u_int32_t)reader->scratch_room;
		ret = db->get(db, reader->txn, &key_dbt, &data, 0);
		if (ret != DB_BUFFER_SMALL) {
			rc = store_reader_error(reader, ret);
			break;
		}
		rc = scratch_grow(reader, data.size);
	}
	if (rc != 0)
		return rc;
	*bytes_r = reader->scratch;
	*len_r = data.size;
	return 0;
}

int
store_row_at_or_after(struct store_reader *reader, enum store_file file,
    void *key, size_t key_len, const uint8_t **bytes_r, size_t *len_r)
{
	DB *db = reader->store->files[file];
	DBT key_dbt = dbt_of(key, key_len);
	DBC *cursor;
	DBT data;
	int closed, ret = DB_BUFFER_SMALL;
	int rc = scratch_grow(reader, SCRATCH_FIRST);

	if (rc == 0)
		rc = store_reader_error(reader,
		    db->cursor(db, reader->txn, &cursor, 0));
	if (rc != 0)
		return rc;
	key_dbt.flags = DB_DBT_USERMEM;
	key_dbt.ulen = key_dbt.size;
	memset(&data, 0, sizeof data);
	data.flags = DB_DBT_USERMEM;
	while (rc == 0 && ret == DB_BUFFER_SMALL) {
		if (key_dbt.size != key_len)
			break; /* which has no room either */
		data.data = reader->scratch;
		data.ulen = (u_int32_t)reader->scratch_room;
		ret = cursor->get(cursor, &key_dbt, &data, DB_SET_RANGE);
		rc = ret == DB_BUFFER_SMALL ? scratch_grow(reader, data.size)
					    : store_reader_error(reader, ret);
	}
	closed = store_reader_error(reader, cursor->close(cursor));
	if (rc == 0)
		rc = closed;
	if (rc == 0 && key_dbt.size != key_len)
		rc = -EBADMSG;
	*bytes_r = reader->scratch;
	*len_r = data.size;
	return rc;
}

int
store_row_take(struct store_reader *reader, enum store_file file,
    const void *key, size_t key_len, uint8_t **bytes_r, size_t *len_r)
{
	DB *db = reader->store->files[file];
	DBT key_dbt = dbt_of(key, key_len);
	DBT data;
	int ret;

	memset(&data, 0, sizeof data);
	data.flags = DB_DBT_MALLOC;
	ret = db->get(db, reader->txn, &key_dbt, &data, 0);
	if (ret != 0)
		return store_reader_error(reader, ret);
	*bytes_r = data.data;
	*len_r = data.size;
	return 0;
}

int
store_row_has(struct store_reader *reader, enum store_file file,
    const void *key, size_t key_len)
{
	DB *db = reader->store->files[file];
	DBT key_dbt = dbt_of(key, key_len);

	return store_reader_error(reader,
	    db->exists(db, reader->txn, &key_dbt, 0));
}

int
store_row_put(struct store_txn *txn, enum store_file file, const void *key,
    size_t key_len, const void *bytes, size_t len)
{
	DB *db = txn->reader.store->files[file];
	DBT key_dbt = dbt_of(key, key_len);
	DBT data = dbt_of(bytes, len);

	txn->wrote = true;
	return store_reader_error(&txn->reader,
	    db->put(db, txn->reader.txn, &key_dbt, &data, 0));
}

int
store_row_delete(struct store_txn *txn, enum store_file file, const void *key,
    size_t key_len)
{
	DB *db = txn->reader.store->files[file];
	DBT key_dbt = dbt_of(key, key_len);

	txn->wrote = true;
	return store_reader_error(&txn->reader,
	    db->del(db, txn->reader.txn, &key_dbt, 0));
}

/* ---- cursors ---------------------------------------------------------- */

int
store_cursor_open(struct store_cursor *cursor, struct store_reader *reader,
    enum store_file file)
{
	DB *db = reader->store->files[file];

	memset(cursor, 0, sizeof *cursor);
	cursor->reader = reader;
	return store_reader_error(reader,
	    db->cursor(db, reader->txn, &cursor->cursor, 0));
}

void
store_cursor_close(struct store_cursor *cursor)
{
	if (cursor->cursor != NULL)
		(void)store_reader_error(cursor->reader,
		    cursor->cursor->close(cursor->cursor));
	free(cursor->key);
	free(cursor->bytes);
	memset(cursor, 0, sizeof *cursor);
}

static int
cursor_move(struct store_cursor *cursor, uint32_t flags)
{
	DBT key, data;
	int ret;

	memset(&key, 0, sizeof key);
	memset(&data, 0, sizeof data);
	key.flags = data.flags = DB_DBT_REALLOC;
	key.data = cursor->key;
	key.size = (u_int32_t)cursor->key_len;
	data.data = cursor->bytes;
	ret = cursor->cursor->get(cursor->cursor, &key, &data, flags);
	/* Berkeley DB may have moved either even when it failed. */
	cursor->key = key.data;
	cursor->bytes = data.data;
	if (ret != 0)
		return store_reader_error(cursor->reader, ret);
	cursor->key_len = key.size;
	cursor->len = data.size;
	return 0;
}

int
store_cursor_seek(struct store_cursor *cursor, const void *key, size_t key_len)
{
	uint8_t *copy = realloc(cursor->key, key_len + 1);

	if (copy == NULL)
		return -ENOMEM;
	if (key_len > 0)
		memcpy(copy, key, key_len);
	cursor->key = copy;
	cursor->key_len = key_len;
	return cursor_move(cursor, key_len == 0 ? DB_FIRST : DB_SET_RANGE);
}

int
store_cursor_next(struct store_cursor *cursor)
{
	return cursor_move(cursor, DB_NEXT);
}

int
store_cursor_previous(struct store_cursor *cursor)
{
	return cursor_move(cursor, DB_PREV);
}

int
store_cursor_last(struct store_cursor *cursor)
{
	return cursor_move(cursor, DB_LAST);
}

int
store_cursor_at_or_before(struct store_cursor *cursor, uint64_t key)
{
	uint8_t bytes[8];
	int rc;

	store_write_u64(bytes, key);
	rc = store_cursor_seek(cursor, bytes, sizeof bytes);
	if (rc == 0 && cursor->key_len == sizeof bytes &&
	    store_read_u64(cursor->key) == key)
		return 0;
	if (rc == 0)
		return store_cursor_previous(cursor);
	return rc == -ENOENT ? store_cursor_last(cursor) : rc;
}

int
store_row_newest(struct store_reader *reader, enum store_file file,
    uint64_t *key_r)
{
	struct store_cursor cursor;
	int rc = store_cursor_open(&cursor, reader, file);

	*key_r = 0;
	if (rc == 0)
		rc = store_cursor_last(&cursor);
	if (rc == 0 && cursor.key_len != 8)
		rc = -EBADMSG;
	if (rc == 0)
		*key_r = store_read_u64(cursor.key);
	store_cursor_close(&cursor);
	return rc == -ENOENT ? 0 : rc;
}
