/* extent.c - gathering, finding and changing; the form of a row.
 *
 * A row is the count u16; then for each article how far its id is below the
 * row's key u16, segment u32, offset u32, length u32.
 */
#include "store/extent.h"

#include "store/private.h"

#include <errno.h>
#include <string.h>

#define KEY_LEN   8u
#define ENTRY_LEN 14u
#define ROW_MAX   (2u + STORE_EXTENTS_MOST * ENTRY_LEN)

static struct store_extents *
extents_of(const struct store_txn *txn)
{
	return &txn->reader.store->writer.extents;
}

/* ---- rows ------------------------------------------------------------- */

int
store_extent_row_parse(const uint8_t *key, size_t key_len, const uint8_t *bytes,
    size_t len, struct store_extent_row *row_r)
{
	const uint8_t *entry = bytes + 2;
	uint64_t before = 0;

	if (key_len != KEY_LEN || len < 2)
		return -EBADMSG;
	row_r->last = store_read_u64(key);
	row_r->count = store_read_u16(bytes);
	if (row_r->count == 0 || row_r->count > STORE_EXTENTS_MOST ||
	    len != 2 + row_r->count * ENTRY_LEN)
		return -EBADMSG;
	for (unsigned i = 0; i < row_r->count; i++, entry += ENTRY_LEN) {
		if (store_read_u16(entry) >= row_r->last)
			return -EBADMSG;
		row_r->artids[i] = row_r->last - store_read_u16(entry);
		row_r->extents[i] = (struct store_extent){ store_read_u32(
							       entry + 2),
			store_read_u32(entry + 6), store_read_u32(entry + 10) };
		if (row_r->artids[i] <= before ||
		    row_r->extents[i].segment == 0 ||
		    row_r->extents[i].len == 0)
			return -EBADMSG;
		before = row_r->artids[i];
	}
	return 0;
}

/* Leaves out what was taken out; with nothing left the row goes. */
static int
row_write(struct store_txn *txn, const struct store_extent_row *row)
{
	uint8_t key[KEY_LEN], bytes[ROW_MAX];
	uint8_t *entry = bytes + 2;
	unsigned kept = 0;

	store_write_u64(key, row->last);
	for (unsigned i = 0; i < row->count; i++) {
		if (row->extents[i].len == 0)
			continue;
		store_write_u16(entry, (uint16_t)(row->last - row->artids[i]));
		store_write_u32(entry + 2, row->extents[i].segment);
		store_write_u32(entry + 6, row->extents[i].offset);
		store_write_u32(entry + 10, row->extents[i].len);
		entry += ENTRY_LEN;
		kept++;
	}
	store_write_u16(bytes, (uint16_t)kept);
	if (kept == 0)
		return store_row_delete(txn, STORE_FILE_EXTENTS, key,
		    sizeof key);
	return store_row_put(txn, STORE_FILE_EXTENTS, key, sizeof key, bytes,
	    (size_t)(entry - bytes));
}

/* The place of an article in a row; `count`: it has none. */
static unsigned
row_find(const struct store_extent_row *row, uint64_t artid)
{
	unsigned i = 0;

	while (i < row->count && row->artids[i] != artid)
		i++;
	return i;
}

/* The first row at or after the article, which alone can hold it. */
static int
row_read(struct store_reader *reader, uint64_t artid,
    struct store_extent_row *row_r)
{
	const uint8_t *bytes;
	uint8_t key[KEY_LEN];
	size_t len;
	int rc;

	store_write_u64(key, artid);
	rc = store_row_at_or_after(reader, STORE_FILE_EXTENTS, key, sizeof key,
	    &bytes, &len);
	return rc != 0
	    ? rc
	    : store_extent_row_parse(key, sizeof key, bytes, len, row_r);
}

/* ---- the current batch ------------------------------------------------ */

int
store_extent_open(struct store *store)
{
	struct store_extents *extents = &store->writer.extents;
	struct store_view *view = store_view_begin(store);
	int rc;

	if (view == NULL)
		return -ENOMEM;
	rc = store_row_newest(
	    store_view_reader(view), STORE_FILE_EXTENTS, &extents->newest);
	store_view_end(&view);
	extents->newest_committed = extents->newest;
	return rc;
}

bool
store_extent_is_new(const struct store_txn *txn, uint64_t artid)
{
	return artid > extents_of(txn)->newest;
}

static int
pending_flush(struct store_txn *txn)
{
	struct store_extent_row *pending = &extents_of(txn)->pending;
	int rc = 0;

	if (pending->count > 0) {
		pending->last = pending->artids[pending->count - 1];
		rc = row_write(txn, pending);
	}
	pending->count = 0;
	return rc;
}

static int
edit_flush(struct store_txn *txn)
{
	struct store_extents *extents = extents_of(txn);
	int rc = extents->editing ? row_write(txn, &extents->edit) : 0;

	extents->editing = false;
	return rc;
}

int
store_extent_flush(struct store_txn *txn)
{
	int rc = pending_flush(txn);

	return rc == 0 ? edit_flush(txn) : rc;
}

void
store_extent_committed(struct store_txn *txn)
{
	extents_of(txn)->newest_committed = extents_of(txn)->newest;
}

void
store_extent_forget(struct store_txn *txn)
{
	struct store_extents *extents = extents_of(txn);

	extents->newest = extents->newest_committed;
	extents->pending.count = 0;
	extents->editing = false;
}

int
store_extent_add(struct store_txn *txn, uint64_t artid,
    const struct store_extent *extent)
{
	struct store_extents *extents = extents_of(txn);
	struct store_extent_row *pending = &extents->pending;
	int rc = 0;

	if (pending->count == STORE_EXTENTS_MOST ||
	    (pending->count > 0 && artid - pending->artids[0] > UINT16_MAX))
		rc = pending_flush(txn);
	if (rc != 0)
		return rc;
	pending->artids[pending->count] = artid;
	pending->extents[pending->count++] = *extent;
	extents->newest = artid;
	txn->wrote = true;
	return 0;
}

/* ---- by article ------------------------------------------------------- */

/* Makes the row that holds the article the one that is changed; *at_r: its
 * place there. -ENOENT: none does. */
static int
edit_begin(struct store_txn *txn, uint64_t artid, unsigned *at_r)
{
	struct store_extents *extents = extents_of(txn);
	struct store_extent_row row;
	int rc;

	if (extents->editing) {
		*at_r = row_find(&extents->edit, artid);
		if (*at_r < extents->edit.count)
			return extents->edit.extents[*at_r].len == 0 ? -ENOENT
								     : 0;
	}
	/* It may be one of this batch. */
	rc = pending_flush(txn);
	if (rc == 0)
		rc = row_read(&txn->reader, artid, &row);
	if (rc != 0)
		return rc;
	*at_r = row_find(&row, artid);
	if (*at_r == row.count)
		return -ENOENT;
	rc = edit_flush(txn);
	if (rc != 0)
		return rc;
	extents->edit = row;
	extents->editing = true;
	return 0;
}

int
store_extent_remove(struct store_txn *txn, uint64_t artid,
    struct store_extent *gone_r)
{
	struct store_extents *extents = extents_of(txn);
	unsigned at;
	int rc = edit_begin(txn, artid, &at);

	if (rc != 0)
		return rc;
	*gone_r = extents->edit.extents[at];
	extents->edit.extents[at].len = 0;
	txn->wrote = true;
	return store_extent_changed(txn, artid);
}

/* An old id that has no row, or one of others, gets one of its own. Those that
 * come after it in the row that it falls into stay there, for their search ends
 * there; those before it would be looked for in the new one. */
static int
extent_insert(struct store_txn *txn, uint64_t artid,
    const struct store_extent *extent)
{
	struct store_extent_row row, before = { .count = 0 };
	unsigned i;
	int rc = edit_flush(txn);

	if (rc == 0)
		rc = row_read(&txn->reader, artid, &row);
	if (rc != 0 && rc != -ENOENT)
		return rc;
	for (i = 0; rc == 0 && i < row.count && row.artids[i] < artid &&
	     i + 1 < STORE_EXTENTS_MOST;
	     i++) {
		before.artids[i] = row.artids[i];
		before.extents[i] = row.extents[i];
		row.extents[i].len = 0;
		before.count++;
	}
	if (rc == 0 && before.count > 0)
		rc = row_write(txn, &row);
	if (rc != 0 && rc != -ENOENT)
		return rc;
	before.artids[before.count] = artid;
	before.extents[before.count++] = *extent;
	before.last = artid;
	return row_write(txn, &before);
}

int
store_extent_set(struct store_txn *txn, uint64_t artid,
    const struct store_extent *extent, struct store_extent *gone_r)
{
	struct store_extents *extents = extents_of(txn);
	unsigned at;
	int rc = edit_begin(txn, artid, &at);

	*gone_r = (struct store_extent){ 0, 0, 0 };
	txn->wrote = true;
	if (rc == 0) {
		*gone_r = extents->edit.extents[at];
		extents->edit.extents[at] = *extent;
	} else if (rc == -ENOENT) {
		rc = extent_insert(txn, artid, extent);
	}
	return rc == 0 ? store_extent_changed(txn, artid) : rc;
}

static int
extent_of(const struct store_extent_row *row, uint64_t artid,
    struct store_extent *extent_r)
{
	unsigned at = row_find(row, artid);

	if (at == row->count || row->extents[at].len == 0)
		return -ENOENT;
	*extent_r = row->extents[at];
	return 0;
}

int
store_extent_get(struct store_reader *reader, uint64_t artid,
    struct store_extent *extent_r)
{
	const struct store_extents *extents = &reader->store->writer.extents;
	struct store_extent_row row;
	int rc;

	if (reader->writing != NULL) {
		if (extents->editing &&
		    row_find(&extents->edit, artid) < extents->edit.count)
			return extent_of(&extents->edit, artid, extent_r);
		if (extent_of(&extents->pending, artid, extent_r) == 0)
			return 0;
	}
	if (store_extent_find(reader, artid, extent_r) == 0)
		return 0;
	rc = row_read(reader, artid, &row);
	if (rc != 0)
		return rc;
	store_extent_keep(reader, artid, &row);
	return extent_of(&row, artid, extent_r);
}
