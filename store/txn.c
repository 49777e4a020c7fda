/* txn.c - the writer's transaction, and what it keeps in memory until its end.
 *
 * Space states and counters change with every article of a batch but are
 * written once, before the commit. What is to be published stays here until the
 * flusher does that.
 */
#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
store_txn_begin(struct store *store, struct store_txn *txn,
    const struct store_system *committed)
{
	int ret;

	txn->reader.store = store;
	txn->reader.writing = txn;
	txn->reader.uncached = true;
	txn->wrote = false;
	txn->deadlocked = false;
	txn->broken = 0;
	txn->events_len = 0;
	txn->system = *committed;
	ret = store->env->txn_begin(store->env, NULL, &txn->reader.txn, 0);
	if (ret != 0)
		txn->reader.txn = NULL;
	return store_error(ret);
}

void *
store_array_grow(void *array, size_t count, size_t *room, size_t size)
{
	size_t more = *room == 0 ? 16 : *room * 2;
	void *grown;

	if (count < *room)
		return array;
	grown = reallocarray(array, more, size);
	if (grown != NULL)
		*room = more;
	return grown;
}

int
store_txn_on_commit(struct store_txn *txn, void (*fn)(void *arg),
    void (*drop)(void *arg), void *arg)
{
	struct store_hook *hooks = store_array_grow(txn->hooks, txn->hooks_count,
	    &txn->hooks_room, sizeof *hooks);

	if (hooks == NULL)
		return -ENOMEM;
	txn->hooks = hooks;
	hooks[txn->hooks_count++] = (struct store_hook){ fn, drop, arg };
	return 0;
}

int
store_txn_drop(struct store_txn *txn, struct store_cache_key key)
{
	struct store_cache_key *drops = txn->drops;

	/* Appends to one block follow each other. */
	if (txn->drops_count > 0 &&
	    drops[txn->drops_count - 1].kind == key.kind &&
	    drops[txn->drops_count - 1].a == key.a &&
	    drops[txn->drops_count - 1].b == key.b)
		return 0;
	drops = store_array_grow(drops, txn->drops_count, &txn->drops_room,
	    sizeof *drops);
	if (drops == NULL) {
		txn->broken = -ENOMEM;
		return -ENOMEM;
	}
	txn->drops = drops;
	drops[txn->drops_count++] = key;
	return 0;
}

bool
store_txn_is_new(const struct store_txn *txn, uint64_t artid)
{
	const struct store_system *committed =
	    &txn->reader.store->writer.committed;

	return artid > committed->ids[STORE_ID_ARTICLE];
}

int
store_txn_drop_article(struct store_txn *txn, uint64_t artid)
{
	if (store_txn_is_new(txn, artid))
		return 0;
	return store_txn_drop(txn,
	    (struct store_cache_key){ STORE_CACHE_ARTICLE, 0, artid });
}

/* The place of a space among the changed ones: they are kept in order. */
static size_t
states_find(const struct store_txn *txn, uint32_t space)
{
	size_t low = 0, high = txn->states_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (txn->states[middle].space < space)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct store_space_state *
store_txn_state(struct store_txn *txn, uint32_t space)
{
	size_t at = states_find(txn, space);

	if (at == txn->states_count || txn->states[at].space != space)
		return NULL;
	return &txn->states[at].state;
}

int
store_txn_state_set(struct store_txn *txn, uint32_t space,
    const struct store_space_state *state)
{
	size_t at = states_find(txn, space);
	struct store_changed_state *states = txn->states;

	txn->wrote = true;
	if (at < txn->states_count && states[at].space == space) {
		states[at].state = *state;
		return 0;
	}
	states = store_array_grow(states, txn->states_count, &txn->states_room,
	    sizeof *states);
	if (states == NULL) {
		txn->broken = -ENOMEM;
		return -ENOMEM;
	}
	txn->states = states;
	memmove(&states[at + 1], &states[at],
	    (txn->states_count - at) * sizeof *states);
	states[at].space = space;
	states[at].state = *state;
	txn->states_count++;
	return 0;
}

int
store_txn_flush(struct store_txn *txn)
{
	uint8_t key[4], bytes[STORE_STATE_LEN];
	int rc = store_young_flush(txn);

	if (rc == 0)
		rc = store_extent_flush(txn);
	if (rc == 0)
		rc = store_meta_rows_flush(txn);
	if (rc == 0 && store_append_end_moved(txn))
		rc = store_use_end(txn,
		    &txn->reader.store->writer.append.end);
	if (rc == 0)
		rc = store_append_flush(txn);
	if (rc == 0)
		rc = store_use_flush(txn);
	if (rc == 0)
		rc = store_sequence_flush(txn);
	for (size_t i = 0; rc == 0 && i < txn->states_count; i++) {
		store_write_u32(key, txn->states[i].space);
		store_state_encode(&txn->states[i].state, bytes);
		rc = store_row_put(txn, STORE_FILE_SPACE_STATE, key, sizeof key,
		    bytes, sizeof bytes);
	}
	txn->system.commit++;
	return rc != 0 ? rc : store_system_write(txn);
}

static void
txn_empty(struct store_txn *txn)
{
	txn->hooks_count = txn->drops_count = 0;
	txn->states_count = txn->uses_count = 0;
}

void
store_txn_publish(struct store_txn *txn)
{
	struct store *store = txn->reader.store;
	struct store_cache_key key;
	size_t i;

	/* The caches first: a view of the new version must not meet what the
	 * commit replaced. The states last: who reads them unlocked must find
	 * in a view what they promise. */
	for (i = 0; i < txn->drops_count; i++) {
		key = txn->drops[i];
		/* an id's hash is an alias among the objects */
		if (key.kind == STORE_CACHE_PLACE)
			store_cache_drop(store->places, key,
			    txn->system.commit);
		store_cache_drop(store->objects, key, txn->system.commit);
	}
	store_views_publish(store, txn->system.commit);
	for (i = 0; i < txn->states_count; i++)
		store_published_set(store, txn->states[i].space,
		    &txn->states[i].state);
	for (i = 0; i < txn->hooks_count; i++)
		if (txn->hooks[i].fn != NULL)
			txn->hooks[i].fn(txn->hooks[i].arg);
	txn_empty(txn);
	txn->reader.txn = NULL;
}

void
store_txn_forget(struct store_txn *txn)
{
	int ret = 0;

	if (txn->reader.txn != NULL)
		ret = txn->reader.txn->abort(txn->reader.txn);
	store_young_forget(txn);
	store_extent_forget(txn);
	store_meta_rows_forget(txn);
	store_append_forget(txn);
	if (txn->wrote)
		store_writer_forget(txn->reader.store);
	txn->reader.txn = NULL;
	for (size_t i = 0; i < txn->hooks_count; i++)
		if (txn->hooks[i].drop != NULL)
			txn->hooks[i].drop(txn->hooks[i].arg);
	txn_empty(txn);
	if (ret != 0)
		store_fatal(txn->reader.store, "cannot undo a transaction: %s",
		    db_strerror(ret));
}

void
store_txn_fini(struct store_txn *txn)
{
	free(txn->reader.scratch);
	free(txn->states);
	free(txn->drops);
	free(txn->hooks);
	free(txn->uses);
	memset(txn, 0, sizeof *txn);
}
