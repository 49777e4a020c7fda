/* sequence.c - the journal of what happened.
 */
#include "store/sequence.h"

#include "store/private.h"

#include <errno.h>
#include <stdlib.h>

#define PACKED_SMALL 1024u

int
store_sequence_append(struct store_txn *txn, const Kith__Event *event,
    uint64_t *seq_r)
{
	size_t len = kith__event__get_packed_size(event);
	uint8_t small[PACKED_SMALL], key[8];
	uint8_t *bytes = small;
	int rc;

	if (len > STORE_ROW_MAX)
		return -EFBIG;
	if (len > sizeof small)
		bytes = malloc(len);
	if (bytes == NULL)
		return -ENOMEM;
	kith__event__pack(event, bytes);
	store_write_u64(key, txn->system.sequence + 1);
	rc = store_row_put(txn, STORE_FILE_SEQUENCE, key, sizeof key, bytes,
	    len);
	if (bytes != small)
		free(bytes);
	if (rc != 0)
		return rc;
	txn->system.sequence++;
	if (seq_r != NULL)
		*seq_r = txn->system.sequence;
	return 0;
}

int
store_sequence_walk(struct store_reader *reader, uint64_t from,
    int (*fn)(void *arg, uint64_t seq, const Kith__Event *event), void *arg)
{
	struct store_cursor cursor;
	Kith__Event *event;
	uint8_t key[8];
	int stopped = 0;
	int rc = store_cursor_open(&cursor, reader, STORE_FILE_SEQUENCE);

	store_write_u64(key, from);
	if (rc == 0)
		rc = store_cursor_seek(&cursor, key, sizeof key);
	while (rc == 0 && stopped == 0) {
		event = NULL;
		if (cursor.key_len == sizeof key)
			event =
			    kith__event__unpack(NULL, cursor.len, cursor.bytes);
		if (event == NULL) {
			rc = -EBADMSG;
			break;
		}
		stopped = fn(arg, store_read_u64(cursor.key), event);
		kith__event__free_unpacked(event, NULL);
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
