/* sweep.c - segments of which most is waste: what is left is moved on, and the
 * file removed.
 *
 * A slice is an operation of the writer's, as bulk. It goes by the frames of the
 * file, and moves those that rows still lead to. Readers that began before the
 * last of them was moved may have the old place from their rows: so the file goes
 * when no view is left that is older.
 */
#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_BYTES ((uint64_t)1 << 20) /* looked at, in one operation */
#define SLICE_NS    4000000u

struct doomed {
	uint32_t segment;
	uint64_t version; /* the first commit without it */
};

struct store_sweep {
	pthread_mutex_t lock; /* one at a time */
	struct doomed *doomed;
	size_t doomed_count, doomed_room;
	uint32_t *damaged; /* cannot be walked; told once */
	size_t damaged_count, damaged_room;
};

int
store_sweep_new(struct store_sweep **sweep_r)
{
	struct store_sweep *sweep = calloc(1, sizeof *sweep);

	*sweep_r = sweep;
	return sweep == NULL ? -ENOMEM : -pthread_mutex_init(&sweep->lock, NULL);
}

void
store_sweep_free(struct store_sweep **sweep_r)
{
	struct store_sweep *sweep = *sweep_r;

	if (sweep == NULL)
		return;
	pthread_mutex_destroy(&sweep->lock);
	free(sweep->doomed);
	free(sweep->damaged);
	free(sweep);
	*sweep_r = NULL;
}

/* ---- one slice, on the writer thread ---------------------------------- */

struct slice {
	struct store_op op;
	uint32_t segment;
	uint64_t from;
	uint64_t next; /* set: where to go on */
	bool removed;  /* set: there was nothing left, and its row is gone */
};

static int
frame_move(struct store_txn *txn, uint32_t segment, uint64_t *at, uint64_t tail)
{
	struct store_segments *segments = txn->reader.store->segments;
	uint8_t head[STORE_FRAME_HEAD];
	struct store_extent now, to, gone;
	uint64_t artid;
	uint32_t len;
	int rc = store_segment_read(segments, segment, *at, head, sizeof head);

	if (rc == 0)
		rc = store_frame_parse(head, &artid, &len);
	if (rc == 0 && store_frame_len(len) > tail - *at)
		rc = -EBADMSG;
	if (rc != 0)
		return rc;
	rc = store_extent_get(&txn->reader, artid, &now);
	if (rc == 0 && now.segment == segment && now.offset == *at &&
	    now.len == len) {
		rc = store_append_copy(txn, &now, &to);
		if (rc == 0)
			rc = store_extent_set(txn, artid, &to, &gone);
		if (rc == 0)
			rc = store_use_note(txn, &gone, false);
		if (rc == 0)
			rc = store_use_note(txn, &to, true);
	}
	*at += store_frame_len(len);
	return rc == -ENOENT ? 0 : rc;
}

static int
slice_apply(struct store_txn *txn, struct store_op *op)
{
	struct slice *slice = (struct slice *)op;
	uint64_t until = store_now_ns() + SLICE_NS;
	uint64_t at = slice->from;
	struct store_use use;
	int rc = store_use_get(&txn->reader, slice->segment, &use);

	slice->next = at;
	slice->removed = false;
	if (rc == 0 &&
	    slice->segment == txn->reader.store->writer.append.end.segment)
		rc = -EBUSY;
	if (rc != 0)
		return rc;
	if (at >= use.tail) {
		slice->removed = use.live == 0;
		return slice->removed ? store_use_delete(txn, slice->segment)
				      : 0;
	}
	while (rc == 0 && at < use.tail && at - slice->from < SLICE_BYTES &&
	       store_now_ns() < until)
		rc = frame_move(txn, slice->segment, &at, use.tail);
	slice->next = at;
	return rc;
}

static int
turn_apply(struct store_txn *txn, struct store_op *op)
{
	const struct store_append *append = &txn->reader.store->writer.append;

	(void)op;
	return append->end.tail == 0 ? 0 : store_append_turn(txn);
}

/* ---- a segment -------------------------------------------------------- */

static int
doom(struct store *store, uint32_t segment)
{
	struct store_sweep *sweep = store->sweep;
	struct doomed *doomed = store_array_grow(sweep->doomed,
	    sweep->doomed_count, &sweep->doomed_room, sizeof *doomed);

	if (doomed == NULL)
		return -ENOMEM; /* the next start removes it */
	sweep->doomed = doomed;
	doomed[sweep->doomed_count++] =
	    (struct doomed){ segment, atomic_load(&store->views.version) };
	return 0;
}

static bool
is_damaged(const struct store_sweep *sweep, uint32_t segment)
{
	for (size_t i = 0; i < sweep->damaged_count; i++)
		if (sweep->damaged[i] == segment)
			return true;
	return false;
}

static int
damaged_note(struct store *store, uint32_t segment)
{
	struct store_sweep *sweep = store->sweep;
	uint32_t *damaged = store_array_grow(sweep->damaged,
	    sweep->damaged_count, &sweep->damaged_room, sizeof *damaged);
	char name[STORE_SEGMENT_NAME];

	if (damaged == NULL)
		return -ENOMEM;
	sweep->damaged = damaged;
	damaged[sweep->damaged_count++] = segment;
	store_segment_name(name, segment);
	store_log(store, STORE_LOG_ERR,
	    "%s/%s is damaged: its room cannot be given back",
	    store->directory, name);
	return 0;
}

static int
segment_sweep(struct store *store, uint32_t segment, bool (*stop)(void *arg),
    void *arg)
{
	struct slice slice = { .op = { .apply = slice_apply, .bulk = true },
		.segment = segment };
	int rc;

	for (;;) {
		if (stop != NULL && stop(arg))
			return -ECANCELED;
		rc = store_run(store, &slice.op);
		if (rc == -EBADMSG)
			return damaged_note(store, segment);
		if (rc != 0)
			return rc;
		if (slice.removed)
			return doom(store, segment);
		if (slice.next == slice.from) /* not all of it could be moved */
			return 0;
		slice.from = slice.next;
	}
}

static void
doomed_remove(struct store *store)
{
	struct store_sweep *sweep = store->sweep;
	uint64_t oldest = store_views_oldest(store);
	size_t kept = 0;

	for (size_t i = 0; i < sweep->doomed_count; i++) {
		if (sweep->doomed[i].version <= oldest)
			(void)store_segment_remove(store->segments,
			    sweep->doomed[i].segment);
		else
			sweep->doomed[kept++] = sweep->doomed[i];
	}
	sweep->doomed_count = kept;
}

static int
newest_segment(struct store *store, uint32_t *segment_r)
{
	struct store_view *view = store_view_begin(store);
	uint64_t tail;
	int rc;

	*segment_r = 0;
	if (view == NULL)
		return -ENOMEM;
	rc = store_use_last(store_view_reader(view), segment_r, &tail);
	store_view_end(&view);
	return rc == -ENOENT ? 0 : rc;
}

/* The next one from *segment on, before `end`; false: there is none, or
 * *rc_r. */
static bool
waste_find(struct store *store, enum store_sweep_what what, uint32_t *segment,
    uint32_t end, int *rc_r)
{
	struct store_view *view = store_view_begin(store);
	struct store_use use;
	bool found = false;
	int rc = 0;

	if (view == NULL) {
		*rc_r = -ENOMEM;
		return false;
	}
	while (rc == 0 && !found) {
		rc = store_use_next(store_view_reader(view), *segment, segment,
		    &use);
		if (rc == 0 && *segment >= end)
			break;
		found = rc == 0 && !is_damaged(store->sweep, *segment) &&
		    store_use_is_waste(&use, what);
		if (rc == 0 && !found)
			++*segment;
	}
	store_view_end(&view);
	*rc_r = rc == -ENOENT ? 0 : rc;
	return found;
}

int
store_sweep(struct store *store, enum store_sweep_what what,
    bool (*stop)(void *arg), void *arg)
{
	struct store_op turn = { .apply = turn_apply, .bulk = true };
	uint32_t segment = 1, end = 0;
	int rc = 0;

	pthread_mutex_lock(&store->sweep->lock);
	/* Before the search: what is found later is for the next time. */
	atomic_store(&store->sweep_due, false);
	if (what == STORE_SWEEP_ALL)
		rc = store_run(store, &turn);
	/* What is written meanwhile may be waste as soon: there is an end. */
	if (rc == 0)
		rc = newest_segment(store, &end);
	while (rc == 0 && waste_find(store, what, &segment, end, &rc))
		rc = segment_sweep(store, segment++, stop, arg);
	if (rc != 0 || what == STORE_SWEEP_CHEAP)
		atomic_store(&store->sweep_due, true);
	pthread_mutex_unlock(&store->sweep->lock);
	return rc;
}

static bool
lock_take(pthread_mutex_t *lock, bool wait)
{
	return (wait ? pthread_mutex_lock(lock)
		     : pthread_mutex_trylock(lock)) == 0;
}

void
store_sweep_remove(struct store *store, bool wait)
{
	if (!lock_take(&store->sweep->lock, wait))
		return;
	/* Not while a backup copies them. */
	if (lock_take(&store->keeper.checkpoint, wait)) {
		doomed_remove(store);
		pthread_mutex_unlock(&store->keeper.checkpoint);
	}
	pthread_mutex_unlock(&store->sweep->lock);
}

/* ---- at the start ----------------------------------------------------- */

struct look {
	struct store *store;
	struct store_reader *reader;
};

/* A segment without a row: a crash came between its removal from the rows and
 * that of the file, or before the first commit that would have had it. */
static int
stray_remove(void *arg, uint32_t segment)
{
	const struct look *look = arg;
	struct store *store = look->store;
	struct store_use use;
	int rc = store_use_get(look->reader, segment, &use);

	if (rc != -ENOENT)
		return rc;
	return store_segment_remove(store->segments, segment);
}

int
store_sweep_open(struct store *store)
{
	struct look look = { .store = store };
	struct store_view *view = store_view_begin(store);
	int rc;

	if (view == NULL)
		return -ENOMEM;
	look.reader = store_view_reader(view);
	rc = store_segments_each(store->directory, stray_remove, &look);
	store_view_end(&view);
	atomic_store(&store->sweep_due, true);
	return rc;
}
