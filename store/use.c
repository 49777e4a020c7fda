/* use.c - the rows of segments.db: live u64, tail u64, by number u32.
 */
#include "store/use.h"

#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROW_LEN 16u

int
store_use_parse(const uint8_t *bytes, size_t len, struct store_use *use_r)
{
	if (len != ROW_LEN)
		return -EBADMSG;
	use_r->live = store_read_u64(bytes);
	use_r->tail = store_read_u64(bytes + 8);
	return use_r->live > use_r->tail || use_r->tail > UINT32_MAX ? -EBADMSG
								     : 0;
}

bool
store_use_is_waste(const struct store_use *use, enum store_sweep_what what)
{
	switch (what) {
	case STORE_SWEEP_WASTE:
		return use->live < use->tail / 2;
	case STORE_SWEEP_CHEAP:
		return use->live < use->tail / 8;
	case STORE_SWEEP_ALL:
	default:
		return use->live < use->tail;
	}
}

int
store_use_get(struct store_reader *reader, uint32_t segment,
    struct store_use *use_r)
{
	const uint8_t *bytes;
	uint8_t key[4];
	size_t len;
	int rc;

	store_write_u32(key, segment);
	rc = store_row_get(reader, STORE_FILE_SEGMENTS, key, sizeof key, &bytes,
	    &len);
	return rc != 0 ? rc : store_use_parse(bytes, len, use_r);
}

static int
row_at(const struct store_cursor *cursor, uint32_t *segment_r,
    struct store_use *use_r)
{
	if (cursor->key_len != 4)
		return -EBADMSG;
	*segment_r = store_read_u32(cursor->key);
	return store_use_parse(cursor->bytes, cursor->len, use_r);
}

int
store_use_last(struct store_reader *reader, uint32_t *segment_r,
    uint64_t *tail_r)
{
	struct store_cursor cursor;
	struct store_use use;
	int rc = store_cursor_open(&cursor, reader, STORE_FILE_SEGMENTS);

	if (rc == 0)
		rc = store_cursor_last(&cursor);
	if (rc == 0)
		rc = row_at(&cursor, segment_r, &use);
	if (rc == 0)
		*tail_r = use.tail;
	store_cursor_close(&cursor);
	return rc;
}

int
store_use_next(struct store_reader *reader, uint32_t segment,
    uint32_t *segment_r, struct store_use *use_r)
{
	struct store_cursor cursor;
	uint8_t key[4];
	int rc = store_cursor_open(&cursor, reader, STORE_FILE_SEGMENTS);

	store_write_u32(key, segment);
	if (rc == 0)
		rc = store_cursor_seek(&cursor, key, sizeof key);
	if (rc == 0)
		rc = row_at(&cursor, segment_r, use_r);
	store_cursor_close(&cursor);
	return rc;
}

/* ---- changes ---------------------------------------------------------- */

/* NULL: no memory, and the batch is broken. */
static struct store_use_change *
change_of(struct store_txn *txn, uint32_t segment)
{
	struct store_use_change *uses = txn->uses;

	/* The end of the newest segment, mostly. */
	for (size_t i = txn->uses_count; i > 0; i--)
		if (uses[i - 1].segment == segment)
			return &uses[i - 1];
	uses = store_array_grow(uses, txn->uses_count, &txn->uses_room,
	    sizeof *uses);
	if (uses == NULL) {
		txn->broken = -ENOMEM;
		return NULL;
	}
	txn->uses = uses;
	uses[txn->uses_count] = (struct store_use_change){ .segment = segment };
	return &uses[txn->uses_count++];
}

int
store_use_note(struct store_txn *txn, const struct store_extent *extent,
    bool came)
{
	struct store_use_change *change = change_of(txn, extent->segment);
	int64_t len = (int64_t)store_frame_len(extent->len);

	if (change == NULL)
		return -ENOMEM;
	change->live += came ? len : -len;
	txn->wrote = true;
	return 0;
}

int
store_use_end(struct store_txn *txn, const struct store_append_end *end)
{
	struct store_use_change *change = change_of(txn, end->segment);

	if (change == NULL)
		return -ENOMEM;
	change->tail = end->tail;
	change->tail_set = true;
	txn->wrote = true;
	return 0;
}

int
store_use_delete(struct store_txn *txn, uint32_t segment)
{
	uint8_t key[4];

	store_write_u32(key, segment);
	return store_row_delete(txn, STORE_FILE_SEGMENTS, key, sizeof key);
}

static int
change_write(struct store_txn *txn, const struct store_use_change *change)
{
	uint8_t key[4], bytes[ROW_LEN];
	struct store_use use = { 0, 0 };
	int rc = store_use_get(&txn->reader, change->segment, &use);

	if (rc != 0 && rc != -ENOENT)
		return rc;
	/* `check` finds what is out of step; it must not stop the writer. */
	if (change->live < 0 && use.live < (uint64_t)-change->live)
		use.live = 0;
	else
		use.live += (uint64_t)change->live;
	if (change->tail_set)
		use.tail = change->tail;
	if (use.live > use.tail)
		use.live = use.tail;
	if (store_use_is_waste(&use, STORE_SWEEP_WASTE))
		atomic_store(&txn->reader.store->sweep_due, true);
	store_write_u32(key, change->segment);
	store_write_u64(bytes, use.live);
	store_write_u64(bytes + 8, use.tail);
	return store_row_put(txn, STORE_FILE_SEGMENTS, key, sizeof key, bytes,
	    sizeof bytes);
}

int
store_use_flush(struct store_txn *txn)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < txn->uses_count; i++)
		rc = change_write(txn, &txn->uses[i]);
	return rc;
}
