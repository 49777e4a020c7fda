/* meta_rows.c - gathering, finding and changing; the form of a row.
 *
 * A row is for each article how far its id is below the row's key u16, length
 * u32, octets.
 */
#include "store/meta_rows.h"

#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_LEN    8u
#define ENTRY_HEAD 6u

static struct store_meta_rows *
rows_of(const struct store_txn *txn)
{
	return &txn->reader.store->writer.metas;
}

static struct store_memo *
memo_of(const struct store_txn *txn)
{
	return txn->reader.store->writer.memo;
}

/* ---- the form of a row ------------------------------------------------ */

int
store_meta_walk_begin(struct store_meta_walk *walk, const uint8_t *key,
    size_t key_len, const uint8_t *bytes, size_t len)
{
	if (key_len != KEY_LEN || len == 0)
		return -EBADMSG;
	*walk = (struct store_meta_walk){ .last = store_read_u64(key),
		.at = bytes,
		.left = len };
	return 0;
}

int
store_meta_walk_next(struct store_meta_walk *walk,
    struct store_meta_bytes *one_r)
{
	size_t len;

	if (walk->left == 0)
		return 0;
	if (walk->left < ENTRY_HEAD || store_read_u16(walk->at) >= walk->last)
		return -EBADMSG;
	len = store_read_u32(walk->at + 2);
	one_r->artid = walk->last - store_read_u16(walk->at);
	if (len > walk->left - ENTRY_HEAD || one_r->artid <= walk->before)
		return -EBADMSG;
	one_r->bytes = walk->at + ENTRY_HEAD;
	one_r->len = len;
	walk->at += ENTRY_HEAD + len;
	walk->left -= ENTRY_HEAD + len;
	walk->before = one_r->artid;
	return 1;
}

static void
entry_write(uint8_t *to, uint64_t distance, const uint8_t *bytes, size_t len)
{
	store_write_u16(to, (uint16_t)distance);
	store_write_u32(to + 2, (uint32_t)len);
	memcpy(to + ENTRY_HEAD, bytes, len);
}

/* -ENOENT, -EBADMSG. */
static int
row_find(uint64_t key, const uint8_t *bytes, size_t len, uint64_t artid,
    struct store_meta_bytes *one_r)
{
	struct store_meta_walk walk = { .last = key, .at = bytes, .left = len };
	int rc;

	do {
		rc = store_meta_walk_next(&walk, one_r);
	} while (rc == 1 && one_r->artid < artid);
	if (rc < 0)
		return rc;
	return rc == 1 && one_r->artid == artid ? 0 : -ENOENT;
}

/* The first row at or after the article, which alone can hold it. */
static int
row_read(struct store_reader *reader, uint64_t artid, uint64_t *key_r,
    const uint8_t **bytes_r, size_t *len_r)
{
	uint8_t key[KEY_LEN];
	int rc;

	store_write_u64(key, artid);
	rc = store_row_at_or_after(reader, STORE_FILE_META, key, sizeof key,
	    bytes_r, len_r);
	*key_r = store_read_u64(key);
	return rc;
}

static int
row_write(struct store_txn *txn, uint64_t last, const uint8_t *bytes,
    size_t len)
{
	uint8_t key[KEY_LEN];
	int rc;

	store_write_u64(key, last);
	if (len > 0)
		return store_row_put(txn, STORE_FILE_META, key, sizeof key,
		    bytes, len);
	rc = store_row_delete(txn, STORE_FILE_META, key, sizeof key);
	return rc == -ENOENT ? 0 : rc; /* it was of this batch */
}

/* ---- the current batch ------------------------------------------------ */

int
store_meta_rows_open(struct store *store)
{
	struct store_meta_rows *rows = &store->writer.metas;
	struct store_view *view = store_view_begin(store);
	int rc;

	if (view == NULL)
		return -ENOMEM;
	rc = store_row_newest(
	    store_view_reader(view), STORE_FILE_META, &rows->newest);
	store_view_end(&view);
	rows->newest_committed = rows->newest;
	return rc;
}

void
store_meta_rows_close(struct store *store)
{
	free(store->writer.metas.edit);
	memset(&store->writer.metas, 0, sizeof store->writer.metas);
}

static int
pending_flush(struct store_txn *txn)
{
	struct store_meta_rows *rows = rows_of(txn);
	size_t len = rows->pending_len;
	uint8_t *entry;

	rows->pending_len = 0;
	for (size_t at = 0; at < len;
	     at += ENTRY_HEAD + store_read_u32(entry + 2)) {
		entry = rows->pending + at;
		store_write_u16(entry,
		    (uint16_t)(rows->last - rows->first -
			store_read_u16(entry)));
	}
	return len == 0 ? 0 : row_write(txn, rows->last, rows->pending, len);
}

static int
edit_flush(struct store_txn *txn)
{
	struct store_meta_rows *rows = rows_of(txn);
	bool editing = rows->editing;

	rows->editing = false;
	return editing
	    ? row_write(txn, rows->edit_key, rows->edit, rows->edit_len)
	    : 0;
}

int
store_meta_rows_flush(struct store_txn *txn)
{
	int rc = pending_flush(txn);

	return rc == 0 ? edit_flush(txn) : rc;
}

void
store_meta_rows_committed(struct store_txn *txn)
{
	rows_of(txn)->newest_committed = rows_of(txn)->newest;
}

void
store_meta_rows_forget(struct store_txn *txn)
{
	struct store_meta_rows *rows = rows_of(txn);

	rows->newest = rows->newest_committed;
	rows->pending_len = 0;
	rows->editing = false;
}

/* An article above all others. */
static int
pending_add(struct store_txn *txn, uint64_t artid, const uint8_t *bytes,
    size_t len)
{
	struct store_meta_rows *rows = rows_of(txn);
	uint8_t alone[ENTRY_HEAD];
	uint8_t *entry;
	int rc = 0;

	if (len + ENTRY_HEAD > sizeof rows->pending - rows->pending_len ||
	    artid - rows->first > UINT16_MAX)
		rc = pending_flush(txn);
	if (rc != 0)
		return rc;
	rows->newest = artid;
	if (len > sizeof rows->pending - sizeof alone) {
		entry = malloc(ENTRY_HEAD + len);
		if (entry == NULL)
			return -ENOMEM;
		entry_write(entry, 0, bytes, len);
		rc = row_write(txn, artid, entry, ENTRY_HEAD + len);
		free(entry);
		return rc;
	}
	if (rows->pending_len == 0)
		rows->first = artid;
	entry_write(rows->pending + rows->pending_len, artid - rows->first,
	    bytes, len);
	rows->pending_len += ENTRY_HEAD + len;
	rows->last = artid;
	txn->wrote = true;
	return 0;
}

/* ---- what is there already -------------------------------------------- */

static int
edit_room(struct store_meta_rows *rows, size_t len)
{
	uint8_t *edit;

	if (len <= rows->edit_room)
		return 0;
	edit = realloc(rows->edit, len);
	if (edit == NULL)
		return -ENOMEM;
	rows->edit = edit;
	rows->edit_room = len;
	return 0;
}

/* Where the article is in the row that is changed, with its head. -ENOENT: it
 * would be there. */
struct place {
	size_t at, len;
};

static int
edit_find(const struct store_meta_rows *rows, uint64_t artid,
    struct place *place_r)
{
	struct store_meta_walk walk = { .last = rows->edit_key,
		.at = rows->edit,
		.left = rows->edit_len };
	struct store_meta_bytes one;
	int rc;

	*place_r = (struct place){ 0, 0 };
	while (
	    (rc = store_meta_walk_next(&walk, &one)) == 1 && one.artid < artid)
		place_r->at = (size_t)(walk.at - rows->edit);
	if (rc < 0)
		return rc;
	if (rc == 0 || one.artid != artid)
		return -ENOENT;
	place_r->len = ENTRY_HEAD + one.len;
	return 0;
}

/* Makes the row that alone can hold the article the one that is changed, and
 * finds it there. -ENOENT: it is not there; then nothing in it is changed yet, if
 * there is such a row at all. */
static int
edit_begin(struct store_txn *txn, uint64_t artid, struct place *place_r)
{
	struct store_meta_rows *rows = rows_of(txn);
	const uint8_t *bytes;
	size_t len;
	int rc = rows->editing ? edit_find(rows, artid, place_r) : -ENOENT;

	if (rc != -ENOENT)
		return rc;
	/* It may be one of this batch. */
	rc = store_meta_rows_flush(txn);
	if (rc == 0)
		rc = row_read(&txn->reader, artid, &rows->edit_key, &bytes,
		    &len);
	if (rc == 0)
		rc = edit_room(rows, len);
	if (rc != 0)
		return rc;
	if (len > 0)
		memcpy(rows->edit, bytes, len);
	rows->edit_len = len;
	rows->editing = true;
	return edit_find(rows, artid, place_r);
}

/* In the place of what was there; bytes NULL: nothing. */
static int
edit_replace(struct store_meta_rows *rows, struct place place, uint64_t artid,
    const uint8_t *bytes, size_t len)
{
	size_t now = bytes == NULL ? 0 : ENTRY_HEAD + len;
	size_t behind = rows->edit_len - place.at - place.len;
	int rc = edit_room(rows, place.at + now + behind);

	if (rc != 0)
		return rc;
	if (behind > 0)
		memmove(rows->edit + place.at + now,
		    rows->edit + place.at + place.len, behind);
	if (bytes != NULL)
		entry_write(rows->edit + place.at, rows->edit_key - artid,
		    bytes, len);
	rows->edit_len = place.at + now + behind;
	return 0;
}

/* An article that was there, or that is not above all others. */
static int
edit_put(struct store_txn *txn, uint64_t artid, const uint8_t *bytes,
    size_t len)
{
	struct store_meta_rows *rows = rows_of(txn);
	struct place place = { 0, 0 };
	int rc = edit_begin(txn, artid, &place);

	/* No row is too far above to take it but one that has none below. */
	if (rc == -ENOENT &&
	    (!rows->editing || rows->edit_key - artid > UINT16_MAX)) {
		rows->edit_key = artid;
		rows->edit_len = 0;
		rows->editing = true;
		place = (struct place){ 0, 0 };
	}
	txn->wrote = true;
	return rc == 0 || rc == -ENOENT
	    ? edit_replace(rows, place, artid, bytes, len)
	    : rc;
}

/* ---- by article ------------------------------------------------------- */

static int
memo_get(struct store_txn *txn, uint64_t artid, const uint8_t **bytes_r,
    size_t *len_r)
{
	uint8_t key[KEY_LEN];

	store_write_u64(key, artid);
	return store_memo_get(memo_of(txn), key, sizeof key, bytes_r, len_r);
}

static void
memo_set(struct store_txn *txn, uint64_t artid, const uint8_t *bytes,
    size_t len)
{
	uint8_t key[KEY_LEN];

	store_write_u64(key, artid);
	store_memo_set(memo_of(txn), key, sizeof key, bytes, len);
}

int
store_meta_row_put(struct store_txn *txn, uint64_t artid, const uint8_t *bytes,
    size_t len)
{
	struct store_meta_rows *rows = rows_of(txn);
	int rc;

	if (artid == 0)
		return -EINVAL;
	rc = artid > rows->newest ? pending_add(txn, artid, bytes, len)
				  : edit_put(txn, artid, bytes, len);
	if (rc == 0)
		memo_set(txn, artid, bytes, len);
	else if (rc == -ENOMEM)
		txn->broken = rc;
	return rc;
}

int
store_meta_row_delete(struct store_txn *txn, uint64_t artid)
{
	struct store_meta_rows *rows = rows_of(txn);
	struct place place;
	int rc = edit_begin(txn, artid, &place);

	if (rc == -ENOENT)
		rows->editing = false;
	if (rc != 0)
		return rc;
	txn->wrote = true;
	memo_set(txn, artid, NULL, 0);
	return edit_replace(rows, place, artid, NULL, 0);
}

/* What the writer has not put yet: 0, -ENOENT, or 1: not known. What may be
 * behind what is gathered is put first. */
static int
unwritten_get(struct store_txn *txn, uint64_t artid, const uint8_t **bytes_r,
    size_t *len_r)
{
	struct store_meta_rows *rows = rows_of(txn);
	struct store_meta_bytes one;
	int rc = memo_get(txn, artid, bytes_r, len_r);

	if (rc <= 0)
		return rc;
	if (rows->pending_len > 0 && artid >= rows->first)
		rc = pending_flush(txn);
	else
		rc = 0;
	if (rc == 0 && rows->editing &&
	    row_find(rows->edit_key, rows->edit, rows->edit_len, artid, &one) ==
		0) {
		*bytes_r = one.bytes;
		*len_r = one.len;
		return 0;
	}
	if (rc == 0)
		rc = edit_flush(txn);
	return rc == 0 ? 1 : rc;
}

int
store_meta_row_get(struct store_reader *reader, uint64_t artid,
    const uint8_t **bytes_r, size_t *len_r)
{
	struct store_txn *txn = reader->writing;
	struct store_meta_bytes one;
	const uint8_t *bytes;
	uint64_t key;
	size_t len;
	int rc = txn == NULL ? 1 : unwritten_get(txn, artid, bytes_r, len_r);

	if (rc <= 0)
		return rc;
	rc = row_read(reader, artid, &key, &bytes, &len);
	if (rc == 0)
		rc = row_find(key, bytes, len, artid, &one);
	if (rc == -ENOENT && txn != NULL)
		memo_set(txn, artid, NULL, 0);
	if (rc != 0)
		return rc;
	if (txn != NULL)
		memo_set(txn, artid, one.bytes, one.len);
	*bytes_r = one.bytes;
	*len_r = one.len;
	return 0;
}
