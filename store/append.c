/* append.c - frames are made in a buffer that goes to the end of the segment.
 */
#include "store/append.h"

#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_MOST  ((size_t)256 << 10)
#define BUFFER_LEAST ((size_t)STORE_PART_MAX + STORE_SUM_LEN)

static struct store_append *
append_of(const struct store_txn *txn)
{
	return &txn->reader.store->writer.append;
}

int
store_append_open(struct store *store)
{
	struct store_append *append = &store->writer.append;
	/* A record of the log must be far shorter than its file. */
	size_t room = store->log_file_bytes / 8;
	struct store_view *view = store_view_begin(store);
	int rc;

	if (view == NULL)
		return -ENOMEM;
	if (room > BUFFER_MOST)
		room = BUFFER_MOST;
	if (room < BUFFER_LEAST)
		room = BUFFER_LEAST;
	rc = store_use_last(store_view_reader(view), &append->end.segment,
	    &append->end.tail);
	store_view_end(&view);
	if (rc == -ENOENT) {
		append->end = (struct store_append_end){ 1, 0 };
		rc = 0;
	}
	append->committed = append->end;
	append->segment_bytes = store->options.segment_bytes == 0
	    ? STORE_SEGMENT_BYTES
	    : store->options.segment_bytes;
	append->room = room;
	append->record = malloc(STORE_RECORD_HEAD + room);
	if (append->record == NULL)
		return -ENOMEM;
	append->buffer = append->record + STORE_RECORD_HEAD;
	return rc;
}

void
store_append_close(struct store *store)
{
	free(store->writer.append.record);
	store->writer.append.record = store->writer.append.buffer = NULL;
}

int
store_append_flush(struct store_txn *txn)
{
	struct store_append *append = append_of(txn);
	struct store *store = txn->reader.store;
	uint64_t at = append->end.tail - append->len;
	int rc;

	if (append->len == 0)
		return 0;
	rc = store_segment_write(store->segments, append->end.segment, at,
	    append->buffer, append->len);
	if (rc == 0)
		rc = store_segment_log(txn, append->end.segment, at,
		    append->record, append->len);
	append->len = 0;
	if (rc != 0 && txn->broken == 0)
		txn->broken = rc;
	return rc;
}

bool
store_append_end_moved(const struct store_txn *txn)
{
	const struct store_append *append = append_of(txn);

	return append->end.segment != append->committed.segment ||
	    append->end.tail != append->committed.tail;
}

/* Room for `len` octets in a row, at most BUFFER_LEAST, to be filled before the
 * next call. NULL: *rc_r says why. */
static uint8_t *
append_room(struct store_txn *txn, size_t len, int *rc_r)
{
	struct store_append *append = append_of(txn);
	uint8_t *to;

	*rc_r = len > append->room - append->len ? store_append_flush(txn) : 0;
	if (*rc_r != 0)
		return NULL;
	to = append->buffer + append->len;
	append->len += len;
	append->end.tail += len;
	return to;
}

int
store_append_turn(struct store_txn *txn)
{
	struct store_append *append = append_of(txn);
	int rc = store_append_flush(txn);

	if (rc == 0)
		rc = store_use_end(txn, &append->end);
	if (rc != 0)
		return rc;
	if (append->end.segment == UINT32_MAX)
		return -EFBIG;
	append->end.segment++;
	append->end.tail = 0;
	return store_use_end(txn, &append->end);
}

/* Where a frame begins whose article has that length. */
static int
append_begin(struct store_txn *txn, uint32_t len, struct store_extent *extent_r)
{
	struct store_append *append = append_of(txn);
	int rc = append->end.tail >= append->segment_bytes
	    ? store_append_turn(txn)
	    : 0;

	txn->wrote = true;
	if (rc == 0 && store_frame_len(len) > UINT32_MAX - append->end.tail)
		rc = -EFBIG;
	*extent_r = (struct store_extent){ append->end.segment,
		(uint32_t)append->end.tail, len };
	return rc;
}

/* Octets [from, from + len) of the pieces in a row. */
static void
pieces_copy(uint8_t *to, uint64_t from, size_t len,
    const uint8_t *const pieces[3], const size_t lens[3])
{
	size_t take;

	for (unsigned i = 0; i < 3 && len > 0; i++) {
		if (from >= lens[i]) {
			from -= lens[i];
			continue;
		}
		take = lens[i] - (size_t)from;
		if (take > len)
			take = len;
		memcpy(to, pieces[i] + from, take);
		to += take;
		len -= take;
		from = 0;
	}
}

static int
append_part(struct store_txn *txn, uint64_t artid, uint32_t part, size_t len,
    const uint8_t *const pieces[3], const size_t lens[3])
{
	int rc;
	uint8_t *to = append_room(txn, len + STORE_SUM_LEN, &rc);

	if (rc != 0)
		return rc;
	pieces_copy(to, (uint64_t)part * STORE_PART_MAX, len, pieces, lens);
	store_write_u32(to + len, store_part_sum(artid, part, to, len));
	return 0;
}

int
store_append_article(struct store_txn *txn, uint64_t artid,
    const uint8_t *const pieces[3], const size_t lens[3],
    struct store_extent *extent_r)
{
	uint64_t all = (uint64_t)lens[0] + lens[1] + lens[2];
	uint8_t *head = NULL;
	uint32_t part = 0;
	size_t len;
	int rc = all == 0 ? -EINVAL : all > UINT32_MAX ? -EFBIG : 0;

	if (rc == 0)
		rc = append_begin(txn, (uint32_t)all, extent_r);
	if (rc == 0)
		head = append_room(txn, STORE_FRAME_HEAD, &rc);
	if (head != NULL)
		store_frame_head(head, artid, (uint32_t)all);
	for (uint64_t at = 0; rc == 0 && at < all; at += len, part++) {
		len = all - at < STORE_PART_MAX ? (size_t)(all - at)
						: STORE_PART_MAX;
		rc = append_part(txn, artid, part, len, pieces, lens);
	}
	return rc;
}

int
store_append_copy(struct store_txn *txn, const struct store_extent *from,
    struct store_extent *extent_r)
{
	struct store_segments *segments = txn->reader.store->segments;
	uint64_t left = store_frame_len(from->len), at = from->offset;
	uint8_t *to;
	size_t some;
	int rc = append_begin(txn, from->len, extent_r);

	for (; rc == 0 && left > 0; left -= some, at += some) {
		some = left < BUFFER_LEAST ? (size_t)left : BUFFER_LEAST;
		to = append_room(txn, some, &rc);
		if (rc == 0)
			rc = store_segment_read(segments, from->segment, at, to,
			    some);
	}
	return rc;
}

void
store_append_committed(struct store_txn *txn)
{
	append_of(txn)->committed = append_of(txn)->end;
}

void
store_append_forget(struct store_txn *txn)
{
	struct store_append *append = append_of(txn);

	append->end = append->committed;
	append->len = 0;
}
