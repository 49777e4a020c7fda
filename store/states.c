/* states.c - the states of spaces: rows, and what is published for reading
 * without a view.
 *
 * Published states are written by the flusher thread alone, each behind a
 * counter that is odd while it changes (a sequence lock), so that readers never
 * wait.
 */
#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_STATES 1024u
#define CHUNKS       (STORE_SPACES_MAX / CHUNK_STATES)
#define CHANGES      4096u
#define NUMBER_MAX   2147483647u /* RFC 3977 section 6 */

struct slot {
	_Atomic uint32_t turn; /* 0: no state; odd: changing */
	_Atomic uint32_t low, high, count;
	_Atomic uint64_t bytes;
};

struct chunk {
	struct slot slots[CHUNK_STATES];
};

struct store_published {
	_Atomic(struct chunk *) chunks[CHUNKS];
	_Atomic uint64_t changes;
	_Atomic uint32_t changed[CHANGES]; /* the spaces of the newest ones */
};

int
store_published_new(struct store_published **published_r)
{
	*published_r = calloc(1, sizeof **published_r);
	return *published_r == NULL ? -ENOMEM : 0;
}

void
store_published_free(struct store_published **published)
{
	if (*published == NULL)
		return;
	for (size_t i = 0; i < CHUNKS; i++)
		free(atomic_load(&(*published)->chunks[i]));
	free(*published);
	*published = NULL;
}

void
store_published_set(struct store *store, uint32_t space,
    const struct store_space_state *state)
{
	struct chunk *chunk =
	    atomic_load(&store->published->chunks[space / CHUNK_STATES]);
	struct slot *slot;
	uint32_t turn;

	/* Made when the state was put, where failing was still possible. */
	if (chunk == NULL)
		return;
	slot = &chunk->slots[space % CHUNK_STATES];
	turn = atomic_load(&slot->turn);
	atomic_store(&slot->turn, turn + 1);
	atomic_store(&slot->low, state->low);
	atomic_store(&slot->high, state->high);
	atomic_store(&slot->count, state->count);
	atomic_store(&slot->bytes, state->bytes);
	/* Never back to 0, which says that there is none. */
	atomic_store(&slot->turn, turn + 2 == 0 ? 2 : turn + 2);
	turn = (uint32_t)(atomic_load(&store->published->changes) % CHANGES);
	atomic_store(&store->published->changed[turn], space);
	(void)atomic_fetch_add(&store->published->changes, 1);
}

uint64_t
store_space_changes(struct store *store)
{
	return atomic_load(&store->published->changes);
}

bool
store_space_changed(struct store *store, uint64_t n, uint32_t *space_r)
{
	struct store_published *published = store->published;

	*space_r = atomic_load(&published->changed[n % CHANGES]);
	/* the place of the next change is perhaps being written */
	return atomic_load(&published->changes) - n < CHANGES;
}

bool
store_space_state_published(struct store *store, uint32_t space,
    struct store_space_state *state_r)
{
	struct chunk *chunk;
	struct slot *slot;
	uint32_t turn;

	if (space >= STORE_SPACES_MAX)
		return false;
	chunk = atomic_load(&store->published->chunks[space / CHUNK_STATES]);
	if (chunk == NULL)
		return false;
	slot = &chunk->slots[space % CHUNK_STATES];
	do {
		do
			turn = atomic_load(&slot->turn);
		while (turn % 2 == 1 && turn != 1);
		if (turn <= 1)
			return false;
		state_r->low = atomic_load(&slot->low);
		state_r->high = atomic_load(&slot->high);
		state_r->count = atomic_load(&slot->count);
		state_r->bytes = atomic_load(&slot->bytes);
	} while (atomic_load(&slot->turn) != turn);
	return true;
}

static int
published_room(struct store *store, uint32_t space)
{
	_Atomic(struct chunk *) *place;
	struct chunk *chunk;

	if (space >= STORE_SPACES_MAX)
		return -ERANGE;
	place = &store->published->chunks[space / CHUNK_STATES];
	if (atomic_load(place) != NULL)
		return 0;
	chunk = calloc(1, sizeof *chunk);
	if (chunk == NULL)
		return -ENOMEM;
	atomic_store(place, chunk);
	return 0;
}

static bool
state_ok(const struct store_space_state *state)
{
	uint64_t numbers;

	if (state->low == 0 || state->high > NUMBER_MAX ||
	    state->low > state->high + 1)
		return false;
	numbers = (uint64_t)state->high + 1 - state->low;
	return state->count <= numbers && (state->count == 0) == (numbers == 0);
}

void
store_state_encode(const struct store_space_state *state,
    uint8_t bytes_r[STORE_STATE_LEN])
{
	store_write_u32(bytes_r, state->low);
	store_write_u32(bytes_r + 4, state->high);
	store_write_u32(bytes_r + 8, state->count);
	store_write_u64(bytes_r + 12, state->bytes);
}

int
store_state_parse(const uint8_t *bytes, size_t len,
    struct store_space_state *state_r)
{
	if (len != STORE_STATE_LEN)
		return -EBADMSG;
	state_r->low = store_read_u32(bytes);
	state_r->high = store_read_u32(bytes + 4);
	state_r->count = store_read_u32(bytes + 8);
	state_r->bytes = store_read_u64(bytes + 12);
	return state_ok(state_r) ? 0 : -EBADMSG;
}

int
store_space_state_get(struct store_reader *reader, uint32_t space,
    struct store_space_state *state_r)
{
	const struct store_space_state *changed;
	const uint8_t *bytes;
	uint8_t key[4];
	size_t len;
	int rc;

	if (reader->writing != NULL) {
		changed = store_txn_state(reader->writing, space);
		if (changed != NULL) {
			*state_r = *changed;
			return 0;
		}
	}
	store_write_u32(key, space);
	rc = store_row_get(reader, STORE_FILE_SPACE_STATE, key, sizeof key,
	    &bytes, &len);
	return rc != 0 ? rc : store_state_parse(bytes, len, state_r);
}

int
store_space_state_put(struct store_txn *txn, uint32_t space,
    const struct store_space_state *state)
{
	int rc;

	if (!state_ok(state))
		return -EINVAL;
	rc = published_room(txn->reader.store, space);
	return rc != 0 ? rc : store_txn_state_set(txn, space, state);
}

int
store_published_load(struct store *store)
{
	struct store_view *view = store_view_begin(store);
	struct store_space_state state;
	struct store_cursor cursor;
	uint32_t space;
	int rc;

	if (view == NULL)
		return -EIO;
	rc = store_cursor_open(&cursor, store_view_reader(view),
	    STORE_FILE_SPACE_STATE);
	if (rc == 0)
		rc = store_cursor_seek(&cursor, NULL, 0);
	while (rc == 0) {
		if (cursor.key_len != 4)
			rc = -EBADMSG;
		else
			rc =
			    store_state_parse(cursor.bytes, cursor.len, &state);
		if (rc != 0)
			break;
		space = store_read_u32(cursor.key);
		rc = published_room(store, space);
		if (rc != 0)
			break;
		store_published_set(store, space, &state);
		rc = store_cursor_next(&cursor);
	}
	store_cursor_close(&cursor);
	store_view_end(&view);
	return rc == -ENOENT ? 0 : rc;
}
