/* bundle.c - gathering, finding and taking out; the form of a row.
 *
 * A row is the count u16; for each article how far its id is below the row's
 * key u16, and its length u16; then the articles one after the other.
 */
#include "store/bundle.h"

#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_LEN   8u
#define ENTRY_LEN 4u
#define HEAD_MAX  (2u + STORE_BUNDLE_MOST * ENTRY_LEN)
#define ROOM      (STORE_BUNDLE_MAX - HEAD_MAX) /* for articles */
/* Less than that would leave most of a page empty. */
#define LEAST (STORE_BUNDLE_MAX / 2)

/* A row taken apart; `bytes` is borrowed. */
struct row {
	unsigned count;
	uint64_t artids[STORE_BUNDLE_MOST];
	uint16_t lens[STORE_BUNDLE_MOST];
	size_t head_len, len; /* len: of the whole row */
};

/* ---- the form --------------------------------------------------------- */

/* `have` octets of the row are at hand, the head at least. */
static int
row_parse(uint64_t last, const uint8_t *bytes, size_t have, struct row *row_r)
{
	const uint8_t *entry = bytes + 2;
	uint64_t artid, before = 0;

	if (have < 2)
		return -EBADMSG;
	row_r->count = store_read_u16(bytes);
	row_r->head_len = 2 + row_r->count * ENTRY_LEN;
	row_r->len = row_r->head_len;
	if (row_r->count == 0 || row_r->count > STORE_BUNDLE_MOST ||
	    have < row_r->head_len)
		return -EBADMSG;
	for (unsigned i = 0; i < row_r->count; i++, entry += ENTRY_LEN) {
		if (store_read_u16(entry) > last)
			return -EBADMSG;
		artid = last - store_read_u16(entry);
		row_r->artids[i] = artid;
		row_r->lens[i] = store_read_u16(entry + 2);
		row_r->len += row_r->lens[i];
		if (artid <= before || row_r->lens[i] == 0 ||
		    row_r->lens[i] > STORE_PART_MAX)
			return -EBADMSG;
		before = artid;
	}
	return row_r->len > STORE_BUNDLE_MAX ? -EBADMSG : 0;
}

static size_t
head_encode(uint8_t *head, uint64_t last, unsigned count,
    const uint64_t *artids, const uint16_t *lens)
{
	uint8_t *entry = head + 2;

	store_write_u16(head, (uint16_t)count);
	for (unsigned i = 0; i < count; i++, entry += ENTRY_LEN) {
		store_write_u16(entry, (uint16_t)(last - artids[i]));
		store_write_u16(entry + 2, lens[i]);
	}
	return (size_t)(entry - head);
}

/* Its place among the ids, or `count`; *offset_r: among the articles. */
static unsigned
entry_find(const uint64_t *artids, const uint16_t *lens, unsigned count,
    uint64_t artid, size_t *offset_r)
{
	unsigned i = 0;

	*offset_r = 0;
	for (; i < count && artids[i] != artid; i++)
		*offset_r += lens[i];
	return i;
}

/* ---- rows ------------------------------------------------------------- */

static int
row_write(struct store_txn *txn, uint64_t last, const uint8_t *bytes,
    size_t len)
{
	struct store *store = txn->reader.store;
	uint8_t key[KEY_LEN];

	store_write_u64(key, last);
	/* Too high is only a search in vain, if the batch is given up. */
	if (last > atomic_load(&store->bundle_last))
		atomic_store(&store->bundle_last, last);
	return store_row_put(txn, STORE_FILE_BUNDLES, key, sizeof key, bytes,
	    len);
}

static int
piece_get(DBC *cursor, uint32_t move, uint8_t key[KEY_LEN], uint8_t *to,
    size_t offset, size_t *len)
{
	DBT key_dbt, data;
	int ret;

	memset(&key_dbt, 0, sizeof key_dbt);
	memset(&data, 0, sizeof data);
	key_dbt.data = key;
	key_dbt.size = key_dbt.ulen = KEY_LEN;
	key_dbt.flags = DB_DBT_USERMEM;
	data.data = to;
	data.doff = (u_int32_t)offset;
	data.dlen = data.ulen = (u_int32_t)*len;
	data.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL;
	ret = cursor->get(cursor, &key_dbt, &data, move);
	if (ret == 0)
		*len = data.size;
	return ret;
}

/* The row that can hold the article: its key and head. With `cursor` there. */
static int
row_find(struct store_reader *reader, DBC *cursor, uint64_t artid,
    uint64_t *last_r, struct row *row_r)
{
	uint8_t key[KEY_LEN], head[HEAD_MAX];
	size_t have = sizeof head;
	int ret;

	store_write_u64(key, artid);
	ret = piece_get(cursor, DB_SET_RANGE, key, head, 0, &have);
	if (ret != 0)
		return store_reader_error(reader, ret);
	*last_r = store_read_u64(key);
	return row_parse(*last_r, head, have, row_r);
}

static int
row_take(struct store_reader *reader, DBC *cursor, uint64_t artid,
    uint8_t **bytes_r, size_t *len_r)
{
	uint8_t key[KEY_LEN];
	struct row row;
	uint64_t last;
	size_t offset, len;
	unsigned at;
	int rc = row_find(reader, cursor, artid, &last, &row);

	if (rc != 0)
		return rc;
	at = entry_find(row.artids, row.lens, row.count, artid, &offset);
	if (at == row.count)
		return -ENOENT;
	len = row.lens[at];
	*bytes_r = malloc(len);
	if (*bytes_r == NULL)
		return -ENOMEM;
	rc = store_reader_error(reader,
	    piece_get(cursor, DB_CURRENT, key, *bytes_r, row.head_len + offset,
		&len));
	if (rc == 0 && len != row.lens[at])
		rc = -EBADMSG;
	if (rc != 0)
		free(*bytes_r);
	*len_r = len;
	return rc;
}

static int
cursor_take(struct store_reader *reader, uint64_t artid, uint8_t **bytes_r,
    size_t *len_r)
{
	DB *db = reader->store->files[STORE_FILE_BUNDLES];
	DBC *cursor;
	int rc =
	    store_reader_error(reader, db->cursor(db, reader->txn, &cursor, 0));
	int closed;

	if (rc != 0)
		return rc;
	rc = row_take(reader, cursor, artid, bytes_r, len_r);
	closed = store_reader_error(reader, cursor->close(cursor));
	if (rc == 0 && closed != 0) {
		free(*bytes_r);
		rc = closed;
	}
	return rc;
}

/* ---- taking out ------------------------------------------------------- */

static void
edit_drop(struct store_bundle_edit *edit)
{
	free(edit->bytes);
	edit->bytes = NULL;
	edit->count = 0;
}

/* Its place among those that are still in the row; `count`: it is not. */
static unsigned
edit_find(const struct store_bundle_edit *edit, uint64_t artid)
{
	unsigned i = 0;

	while (i < edit->count &&
	    (edit->artids[i] != artid || edit->lens[i] == 0))
		i++;
	return i;
}

/* Whether the article was in the row and is no more. */
static bool
edit_lacks(const struct store_bundle_edit *edit, uint64_t artid)
{
	for (unsigned i = 0; i < edit->count; i++)
		if (edit->artids[i] == artid)
			return edit->lens[i] == 0;
	return false;
}

/* What stays moves together, to the end of the row. */
static int
edit_write(struct store_txn *txn, struct store_bundle_edit *edit)
{
	uint64_t artids[STORE_BUNDLE_MOST];
	uint16_t lens[STORE_BUNDLE_MOST];
	uint8_t head[HEAD_MAX], key[KEY_LEN];
	uint8_t *from = edit->bytes + edit->head_len;
	uint8_t *to = from;
	unsigned kept = 0;
	size_t head_len;

	for (unsigned i = 0; i < edit->count; i++) {
		if (edit->lens[i] != 0) {
			memmove(to, from, edit->lens[i]);
			to += edit->lens[i];
			artids[kept] = edit->artids[i];
			lens[kept++] = edit->lens[i];
		}
		from += edit->sizes[i];
	}
	if (kept == 0) {
		store_write_u64(key, edit->last);
		return store_row_delete(txn, STORE_FILE_BUNDLES, key,
		    sizeof key);
	}
	/* The head is no longer than it was: it fits before them. */
	head_len = head_encode(head, edit->last, kept, artids, lens);
	from = edit->bytes + edit->head_len - head_len;
	memcpy(from, head, head_len);
	return row_write(txn, edit->last, from, (size_t)(to - from));
}

static int
edit_flush(struct store_txn *txn)
{
	struct store_bundle_edit *edit = &txn->reader.store->writer.bundle.edit;
	int rc = edit->bytes == NULL ? 0 : edit_write(txn, edit);

	edit_drop(edit);
	return rc;
}

/* Makes the row that can hold the article the one to take out of. */
static int
edit_begin(struct store_txn *txn, uint64_t artid)
{
	struct store_bundle_edit *edit = &txn->reader.store->writer.bundle.edit;
	struct store_cursor cursor;
	uint8_t key[KEY_LEN];
	struct row row;
	int rc = store_cursor_open(&cursor, &txn->reader, STORE_FILE_BUNDLES);

	store_write_u64(key, artid);
	if (rc == 0)
		rc = store_cursor_seek(&cursor, key, sizeof key);
	if (rc == 0 && cursor.key_len != KEY_LEN)
		rc = -EBADMSG;
	if (rc == 0)
		rc = row_parse(store_read_u64(cursor.key), cursor.bytes,
		    cursor.len, &row);
	if (rc == 0 && row.len != cursor.len)
		rc = -EBADMSG;
	if (rc == 0) {
		edit->last = store_read_u64(cursor.key);
		edit->head_len = row.head_len;
		edit->count = row.count;
		memcpy(edit->artids, row.artids, sizeof edit->artids);
		memcpy(edit->lens, row.lens, sizeof edit->lens);
		memcpy(edit->sizes, row.lens, sizeof edit->sizes);
		edit->bytes = cursor.bytes;
		cursor.bytes = NULL;
	}
	store_cursor_close(&cursor);
	return rc;
}

/* ---- the current batch ------------------------------------------------ */

static int
newest_find(struct store_reader *reader, enum store_file file, uint64_t *newest)
{
	struct store_cursor cursor;
	int rc = store_cursor_open(&cursor, reader, file);

	if (rc != 0)
		return rc;
	rc = store_cursor_last(&cursor);
	if (rc == 0 && cursor.key_len >= KEY_LEN &&
	    store_read_u64(cursor.key) > *newest)
		*newest = store_read_u64(cursor.key);
	store_cursor_close(&cursor);
	return rc == -ENOENT ? 0 : rc;
}

int
store_bundle_open(struct store *store)
{
	struct store_bundle *bundle = &store->writer.bundle;
	struct store_view *view = store_view_begin(store);
	uint64_t newest = 0;
	int rc;

	if (view == NULL)
		return -ENOMEM;
	rc = newest_find(&view->reader, STORE_FILE_BUNDLES, &newest);
	atomic_store(&store->bundle_last, newest);
	if (rc == 0)
		rc = newest_find(&view->reader, STORE_FILE_ARTICLES, &newest);
	store_view_end(&view);
	bundle->newest_committed = bundle->newest = newest;
	bundle->bytes = malloc(STORE_BUNDLE_MAX);
	return rc != 0 ? rc : bundle->bytes == NULL ? -ENOMEM : 0;
}

void
store_bundle_close(struct store *store)
{
	free(store->writer.bundle.bytes);
	store->writer.bundle.bytes = NULL;
	edit_drop(&store->writer.bundle.edit);
}

bool
store_bundle_is_new(const struct store_txn *txn, uint64_t artid)
{
	return artid > txn->reader.store->writer.bundle.newest;
}

void
store_bundle_note(struct store_txn *txn, uint64_t artid)
{
	struct store_bundle *bundle = &txn->reader.store->writer.bundle;

	if (artid > bundle->newest)
		bundle->newest = artid;
}

static int
flush_each(struct store_txn *txn, const struct store_bundle *bundle)
{
	const uint8_t *bytes = bundle->bytes + HEAD_MAX;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < bundle->count; i++) {
		rc = store_article_row_put(txn, bundle->artids[i], 0, bytes,
		    bundle->lens[i]);
		bytes += bundle->lens[i];
	}
	return rc;
}

static int
pending_flush(struct store_txn *txn)
{
	struct store_bundle *bundle = &txn->reader.store->writer.bundle;
	uint8_t head[HEAD_MAX], *bytes;
	size_t head_len;
	uint64_t last;
	int rc;

	if (bundle->count == 0)
		return 0;
	if (bundle->count == 1 || bundle->len < LEAST) {
		rc = flush_each(txn, bundle);
	} else {
		last = bundle->artids[bundle->count - 1];
		head_len = head_encode(head, last, bundle->count,
		    bundle->artids, bundle->lens);
		bytes = bundle->bytes + HEAD_MAX - head_len;
		memcpy(bytes, head, head_len);
		rc = row_write(txn, last, bytes, head_len + bundle->len);
	}
	bundle->count = 0;
	bundle->len = 0;
	return rc;
}

int
store_bundle_flush(struct store_txn *txn)
{
	int rc = pending_flush(txn);

	return rc == 0 ? edit_flush(txn) : rc;
}

int
store_bundle_add(struct store_txn *txn, uint64_t artid, size_t len,
    uint8_t **to_r)
{
	struct store_bundle *bundle = &txn->reader.store->writer.bundle;
	int rc = 0;

	if (bundle->count == STORE_BUNDLE_MOST || len > ROOM - bundle->len ||
	    (bundle->count > 0 && artid - bundle->artids[0] > UINT16_MAX))
		rc = pending_flush(txn);
	if (rc != 0)
		return rc;
	/* The head goes before them, once it is known how long it is. */
	*to_r = bundle->bytes + HEAD_MAX + bundle->len;
	bundle->artids[bundle->count] = artid;
	bundle->lens[bundle->count++] = (uint16_t)len;
	bundle->len += len;
	bundle->newest = artid;
	txn->wrote = true;
	return 0;
}

void
store_bundle_committed(struct store_txn *txn)
{
	struct store_bundle *bundle = &txn->reader.store->writer.bundle;

	bundle->newest_committed = bundle->newest;
}

void
store_bundle_forget(struct store_txn *txn)
{
	struct store_bundle *bundle = &txn->reader.store->writer.bundle;

	bundle->newest = bundle->newest_committed;
	bundle->count = 0;
	bundle->len = 0;
	edit_drop(&bundle->edit);
}

/* ---- by article ------------------------------------------------------- */

static int
pending_take(const struct store_bundle *bundle, uint64_t artid,
    uint8_t **bytes_r, size_t *len_r)
{
	size_t offset;
	unsigned at = entry_find(bundle->artids, bundle->lens, bundle->count,
	    artid, &offset);

	if (at == bundle->count)
		return -ENOENT;
	*len_r = bundle->lens[at];
	*bytes_r = malloc(*len_r);
	if (*bytes_r == NULL)
		return -ENOMEM;
	memcpy(*bytes_r, bundle->bytes + HEAD_MAX + offset, *len_r);
	return 0;
}

int
store_bundle_take(struct store_reader *reader, uint64_t artid,
    uint8_t **bytes_r, size_t *len_r)
{
	int rc = -ENOENT;

	if (reader->writing != NULL)
		rc = pending_take(&reader->store->writer.bundle, artid, bytes_r,
		    len_r);
	if (reader->writing != NULL &&
	    edit_lacks(&reader->store->writer.bundle.edit, artid))
		return -ENOENT;
	if (rc == -ENOENT && artid <= atomic_load(&reader->store->bundle_last))
		rc = cursor_take(reader, artid, bytes_r, len_r);
	return rc;
}

int
store_bundle_remove(struct store_txn *txn, uint64_t artid)
{
	struct store_bundle *bundle = &txn->reader.store->writer.bundle;
	struct store_bundle_edit *edit = &bundle->edit;
	unsigned at;
	int rc;

	/* It may be one of this batch. */
	rc = pending_flush(txn);
	if (rc != 0)
		return rc;
	if (artid > atomic_load(&txn->reader.store->bundle_last))
		return -ENOENT;
	at = edit_find(edit, artid);
	if (at == edit->count) {
		/* Only what is taken out makes it worth writing. */
		rc = edit_flush(txn);
		if (rc == 0)
			rc = edit_begin(txn, artid);
		if (rc != 0)
			return rc;
		at = edit_find(edit, artid);
	}
	if (at == edit->count) {
		edit_drop(edit);
		return -ENOENT;
	}
	edit->lens[at] = 0;
	txn->wrote = true;
	return 0;
}

int
store_bundle_each(const uint8_t *key, size_t key_len, const uint8_t *bytes,
    size_t len, void (*fn)(void *arg, uint64_t artid), void *arg)
{
	struct row row;

	if (key_len != KEY_LEN ||
	    row_parse(store_read_u64(key), bytes, len, &row) != 0 ||
	    row.len != len)
		return -EBADMSG;
	for (unsigned i = 0; i < row.count; i++)
		fn(arg, row.artids[i]);
	return 0;
}
