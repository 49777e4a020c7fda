/* sequence.c - the journal of what happened.
 *
 * A row has the events of one batch in the order of their numbers, as many as
 * fit: [u32 length, Event] each, under the number of the first. They are gathered
 * in the transaction and put when it is committed.
 */
#include "store/sequence.h"

#include "store/private.h"

#include <errno.h>
#include <stdlib.h>

#define LENGTH 4u /* of an event's length */

/* ---- rows ------------------------------------------------------------- */

int
store_events_begin(struct store_events *events, const uint8_t *key,
    size_t key_len, const uint8_t *bytes, size_t len)
{
	if (key_len != 8 || len == 0)
		return -EBADMSG;
	events->next = store_read_u64(key);
	events->at = bytes;
	events->left = len;
	return 0;
}

int
store_events_next(struct store_events *events, struct store_event_bytes *one_r)
{
	size_t len;

	if (events->left == 0)
		return 0;
	if (events->left < LENGTH)
		return -EBADMSG;
	len = store_read_u32(events->at);
	if (len > events->left - LENGTH || events->next == UINT64_MAX)
		return -EBADMSG;
	one_r->seq = events->next++;
	one_r->bytes = events->at + LENGTH;
	one_r->len = len;
	events->at += LENGTH + len;
	events->left -= LENGTH + len;
	return 1;
}

/* ---- writing ---------------------------------------------------------- */

static int
events_put(struct store_txn *txn, uint64_t first, const uint8_t *bytes,
    size_t len)
{
	uint8_t key[8];

	store_write_u64(key, first);
	return store_row_put(txn, STORE_FILE_SEQUENCE, key, sizeof key, bytes,
	    len);
}

int
store_sequence_flush(struct store_txn *txn)
{
	size_t len = txn->events_len;

	txn->events_len = 0;
	return len == 0
	    ? 0
	    : events_put(txn, txn->events_first, txn->events, len);
}

static void
event_encode(uint8_t *to, const Kith__Event *event, size_t len)
{
	store_write_u32(to, (uint32_t)len);
	kith__event__pack(event, to + LENGTH);
}

/* One that is longer than a row is to be. */
static int
event_put_alone(struct store_txn *txn, const Kith__Event *event, size_t len)
{
	uint8_t *bytes = malloc(LENGTH + len);
	int rc;

	if (bytes == NULL)
		return -ENOMEM;
	event_encode(bytes, event, len);
	rc =
	    events_put(txn, txn->system.sequence + 1, bytes, LENGTH + len);
	free(bytes);
	return rc;
}

int
store_sequence_append(struct store_txn *txn, const Kith__Event *event,
    uint64_t *seq_r)
{
	size_t len = kith__event__get_packed_size(event);
	int rc = 0;

	if (len > STORE_ROW_MAX - LENGTH)
		return -EFBIG;
	if (LENGTH + len > sizeof txn->events - txn->events_len)
		rc = store_sequence_flush(txn);
	if (rc == 0 && LENGTH + len > sizeof txn->events)
		rc = event_put_alone(txn, event, len);
	else if (rc == 0) {
		if (txn->events_len == 0)
			txn->events_first = txn->system.sequence + 1;
		event_encode(txn->events + txn->events_len, event, len);
		txn->events_len += LENGTH + len;
		txn->wrote = true;
	}
	if (rc != 0)
		return rc;
	txn->system.sequence++;
	if (seq_r != NULL)
		*seq_r = txn->system.sequence;
	return 0;
}

/* ---- reading ---------------------------------------------------------- */

/* As store_sequence_walk, of one row. */
static int
row_walk(const struct store_cursor *cursor, uint64_t from,
    int (*fn)(void *arg, uint64_t seq, const Kith__Event *event), void *arg)
{
	struct store_event_bytes one;
	struct store_events events;
	Kith__Event *event;
	int rc = store_events_begin(&events, cursor->key, cursor->key_len,
	    cursor->bytes, cursor->len);

	while (rc == 0 && (rc = store_events_next(&events, &one)) == 1) {
		rc = 0;
		if (one.seq < from)
			continue;
		event = kith__event__unpack(NULL, one.len, one.bytes);
		if (event == NULL)
			return -EBADMSG;
		rc = fn(arg, one.seq, event);
		kith__event__free_unpacked(event, NULL);
	}
	return rc;
}

int
store_sequence_walk(struct store_reader *reader, uint64_t from,
    int (*fn)(void *arg, uint64_t seq, const Kith__Event *event), void *arg)
{
	struct store_cursor cursor;
	int stopped = 0;
	int rc = reader->writing == NULL
	    ? 0
	    : store_sequence_flush(reader->writing);

	if (rc != 0)
		return rc;
	rc = store_cursor_open(&cursor, reader, STORE_FILE_SEQUENCE);
	if (rc == 0)
		rc = store_cursor_at_or_before(&cursor, from);
	if (rc == -ENOENT) /* all are behind it */
		rc = store_cursor_seek(&cursor, NULL, 0);
	while (rc == 0 && stopped == 0) {
		stopped = row_walk(&cursor, from, fn, arg);
		if (stopped == 0)
			rc = store_cursor_next(&cursor);
	}
	store_cursor_close(&cursor);
	if (stopped != 0)
		return stopped;
	return rc == -ENOENT ? 0 : rc;
}

int
store_sequence_last(struct store_reader *reader, uint64_t *seq_r)
{
	*seq_r = reader->writing != NULL ? reader->writing->system.sequence
					 : reader->system.sequence;
	return 0;
}
