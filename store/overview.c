/* overview.c - the rows of a space: appending, deleting, reading one.
 *
 * A row is artid u64, time u64, bytes u32, lines u32, flags u32, text.
 */
#include "store/overview.h"

#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_LEN    8u
#define NUMBER_MAX 2147483647u /* RFC 3977 section 6 */

static void
row_key(uint8_t key[KEY_LEN], uint32_t space, uint32_t number)
{
	store_write_u32(key, space);
	store_write_u32(key + 4, number);
}

bool
store_overview_text_ok(const char *text, size_t len)
{
	/* One line, or the answer to OVER would be cut in two. */
	return len >= 3 && len <= STORE_TEXT_MAX && text[0] == '\t' &&
	    memchr(text, '\r', len) == text + len - 2 &&
	    memchr(text, '\n', len) == text + len - 1 &&
	    memchr(text, '\0', len) == NULL;
}

int
store_overview_parse(const uint8_t *bytes, size_t len,
    struct store_overview_row *row_r)
{
	if (len < STORE_ROW_HEAD)
		return -EBADMSG;
	row_r->artid = store_read_u64(bytes);
	row_r->time = store_read_u64(bytes + 8);
	row_r->bytes = store_read_u32(bytes + 16);
	row_r->lines = store_read_u32(bytes + 20);
	row_r->flags = store_read_u32(bytes + 24);
	row_r->text = (const char *)bytes + STORE_ROW_HEAD;
	row_r->text_len = len - STORE_ROW_HEAD;
	if (!store_overview_text_ok(row_r->text, row_r->text_len))
		return -EBADMSG;
	return 0;
}

static int
row_put(struct store_txn *txn, uint32_t space,
    const struct store_overview_row *row)
{
	uint8_t small[2048], key[KEY_LEN];
	size_t len = STORE_ROW_HEAD + row->text_len;
	uint8_t *bytes = len <= sizeof small ? small : malloc(len);
	int rc;

	if (bytes == NULL)
		return -ENOMEM;
	row_key(key, space, row->number);
	store_write_u64(bytes, row->artid);
	store_write_u64(bytes + 8, row->time);
	store_write_u32(bytes + 16, row->bytes);
	store_write_u32(bytes + 20, row->lines);
	store_write_u32(bytes + 24, row->flags);
	memcpy(bytes + STORE_ROW_HEAD, row->text, row->text_len);
	rc =
	    store_row_put(txn, STORE_FILE_NUMBERS, key, sizeof key, bytes, len);
	if (bytes != small)
		free(bytes);
	if (rc != 0)
		return rc;
	return store_txn_drop(txn,
	    store_block_key(space, row->number / STORE_BLOCK_NUMBERS));
}

int
store_overview_append(struct store_txn *txn, uint32_t space,
    struct store_overview_row *row)
{
	struct store_space_state state;
	int rc = store_space_state_get(&txn->reader, space, &state);

	if (rc != 0)
		return rc;
	if (!store_overview_text_ok(row->text, row->text_len))
		return -EINVAL;
	if (state.high >= NUMBER_MAX)
		return -ERANGE;
	row->number = state.high + 1;
	rc = row_put(txn, space, row);
	if (rc != 0)
		return rc;
	/* An empty space has low = high + 1, which is just this number. */
	state.high = row->number;
	state.count++;
	state.bytes += row->bytes;
	return store_space_state_put(txn, space, &state);
}

int
store_overview_replace(struct store_txn *txn, uint32_t space,
    const struct store_overview_row *row)
{
	struct store_overview_row old;
	struct store_space_state state;
	const uint8_t *bytes;
	uint8_t key[KEY_LEN];
	size_t len;
	int rc;

	if (!store_overview_text_ok(row->text, row->text_len))
		return -EINVAL;
	row_key(key, space, row->number);
	rc = store_row_get(&txn->reader, STORE_FILE_NUMBERS, key, sizeof key,
	    &bytes, &len);
	if (rc == 0)
		rc = store_overview_parse(bytes, len, &old);
	if (rc == 0)
		rc = store_txn_drop_article(txn, old.artid);
	if (rc == 0)
		rc = store_space_state_get(&txn->reader, space, &state);
	if (rc == 0)
		rc = row_put(txn, space, row);
	if (rc != 0 || old.bytes == row->bytes)
		return rc;
	state.bytes += (uint64_t)row->bytes - old.bytes;
	return store_space_state_put(txn, space, &state);
}

/* The first number of the space that is >= from; high + 1 if none. */
static int
number_first(struct store_txn *txn, uint32_t space, uint32_t from,
    uint32_t high, uint32_t *number_r)
{
	struct store_cursor cursor;
	uint8_t key[KEY_LEN];
	int rc = store_cursor_open(&cursor, &txn->reader, STORE_FILE_NUMBERS);

	row_key(key, space, from);
	if (rc == 0)
		rc = store_cursor_seek(&cursor, key, sizeof key);
	*number_r = high + 1;
	if (rc == 0 && cursor.key_len == KEY_LEN &&
	    store_read_u32(cursor.key) == space)
		*number_r = store_read_u32(cursor.key + 4);
	store_cursor_close(&cursor);
	return rc == -ENOENT ? 0 : rc;
}

int
store_overview_delete(struct store_txn *txn, uint32_t space, uint32_t number)
{
	struct store_overview_row row;
	struct store_space_state state;
	const uint8_t *bytes;
	uint8_t key[KEY_LEN];
	size_t len;
	int rc;

	row_key(key, space, number);
	rc = store_row_get(&txn->reader, STORE_FILE_NUMBERS, key, sizeof key,
	    &bytes, &len);
	if (rc == 0)
		rc = store_overview_parse(bytes, len, &row);
	if (rc == 0)
		rc = store_space_state_get(&txn->reader, space, &state);
	if (rc == 0)
		rc = store_row_delete(txn, STORE_FILE_NUMBERS, key, sizeof key);
	if (rc == 0)
		rc = store_txn_drop(txn,
		    store_block_key(space, number / STORE_BLOCK_NUMBERS));
	if (rc == 0)
		rc = store_txn_drop_article(txn, row.artid);
	if (rc != 0)
		return rc;
	state.count -= state.count > 0;
	state.bytes -= state.bytes < row.bytes ? state.bytes : row.bytes;
	if (state.count == 0) {
		state.low = state.high + 1;
		state.bytes = 0;
	} else if (number == state.low) {
		rc = number_first(txn, space, number + 1, state.high,
		    &state.low);
	}
	return rc != 0 ? rc : store_space_state_put(txn, space, &state);
}

int
store_overview_get(struct store_reader *reader, uint32_t space, uint32_t number,
    struct store_overview_row *row_r, char **copy_r)
{
	uint8_t key[KEY_LEN];
	uint8_t *bytes;
	size_t len;
	int rc;

	row_key(key, space, number);
	rc = store_row_take(reader, STORE_FILE_NUMBERS, key, sizeof key, &bytes,
	    &len);
	if (rc != 0)
		return rc;
	rc = store_overview_parse(bytes, len, row_r);
	if (rc != 0) {
		free(bytes);
		return rc;
	}
	row_r->number = number;
	*copy_r = (char *)bytes;
	return 0;
}

int
store_rows_walk(struct store_reader *reader, uint32_t space, uint32_t from,
    int (*fn)(void *arg, const struct store_overview_row *row), void *arg)
{
	struct store_overview_row row;
	struct store_cursor cursor;
	uint8_t key[KEY_LEN];
	int stopped = 0;
	int rc = store_cursor_open(&cursor, reader, STORE_FILE_NUMBERS);

	row_key(key, space, from);
	if (rc == 0)
		rc = store_cursor_seek(&cursor, key, sizeof key);
	while (rc == 0 && cursor.key_len == KEY_LEN &&
	    store_read_u32(cursor.key) == space) {
		rc = store_overview_parse(cursor.bytes, cursor.len, &row);
		if (rc != 0)
			break;
		row.number = store_read_u32(cursor.key + 4);
		stopped = fn(arg, &row);
		if (stopped != 0)
			break;
		rc = store_cursor_next(&cursor);
	}
	store_cursor_close(&cursor);
	if (stopped != 0)
		return stopped;
	return rc == -ENOENT ? 0 : rc;
}
