/* keeper.c - the thread that checkpoints, makes and removes log files, sweeps
 * segments and watches the room on the disk.
 */
#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_SECONDS       1
#define CHECKPOINT_FILES   1u /* log files; a quarter of the reserve */
#define CHECKPOINT_SECONDS 60

/* What was written since the last checkpoint is what a recovery writes to the
 * files once more, into the room that the reserve leaves. And what a checkpoint
 * has written in time the writer need not write to make room in the cache. */
static uint32_t
checkpoint_bytes(const struct store *store)
{
	return (uint32_t)store->log_file_bytes * CHECKPOINT_FILES;
}

/* A quiet store needs none: each writes a little of its own. */
static bool
checkpoint_is_due(struct store *store)
{
	const struct store_keeper *keeper = &store->keeper;

	if (keeper->checkpoint_commit == atomic_load(&store->views.version))
		return false;
	return store_now() - keeper->checkpoint_at >= CHECKPOINT_SECONDS ||
	    store_logs_end(store).written >= checkpoint_bytes(store);
}

/* Log is let go only for what is on the disk in its place: the segments are
 * synced here, the pages by Berkeley DB. */
static int
checkpoint_make(struct store *store)
{
	uint64_t commit = atomic_load(&store->views.version);
	DB_ENV *env = store->env;
	DB_TXN *hold;
	int let_go, rc = store_segment_hold(store, &hold);

	if (rc == 0) {
		rc = store_segments_sync(store->segments);
		/* The log still has all of it, for the recovery. */
		if (rc != 0)
			store_room_commit_failed(store, -rc);
	}
	if (rc == 0)
		rc = store_error(env->txn_checkpoint(env, 0, 0, DB_FORCE));
	let_go = store_segment_let_go(hold);
	if (rc == 0)
		rc = let_go;
	if (rc == 0)
		rc = store_logs_remove(store);
	if (rc == 0) {
		store->keeper.checkpoint_commit = commit;
		store->keeper.checkpoint_at = store_now();
	}
	return rc;
}

int
store_keeper_checkpoint(struct store *store, bool force)
{
	int rc = 0;

	/* A backup copies files one after the other and needs all log since
	 * the checkpoint before it. */
	pthread_mutex_lock(&store->keeper.checkpoint);
	if (force || checkpoint_is_due(store))
		rc = checkpoint_make(store);
	pthread_mutex_unlock(&store->keeper.checkpoint);
	return rc;
}

static void
keeper_look(struct store *store)
{
	int rc;

	store_room_look(store);
	/* A checkpoint takes long: first what the flusher will need meanwhile. */
	store_logs_prepare(store);
	/* Not while a backup holds it: the room must be watched meanwhile. */
	if (pthread_mutex_trylock(&store->keeper.checkpoint) != 0)
		return;
	pthread_mutex_unlock(&store->keeper.checkpoint);
	rc = store_keeper_checkpoint(store, false);
	if (rc == -ENOSPC)
		store_room_out(store);
	else if (rc != 0)
		store_fatal(store, "a checkpoint failed (%d)", rc);
}

/* Between two slices of a sweep: the keeper's other work goes on. */
static bool
keeper_between(void *arg)
{
	struct store *store = arg;
	struct store_keeper *keeper = &store->keeper;
	bool closing;

	keeper_look(store);
	pthread_mutex_lock(&keeper->lock);
	closing = keeper->closing;
	pthread_mutex_unlock(&keeper->lock);
	return closing;
}

static void
keeper_work(struct store *store)
{
	int rc;

	keeper_look(store);
	rc = store_known_fill(store, keeper_between, store);
	if (rc != 0 && rc != -ECANCELED)
		store_log(store, STORE_LOG_WARNING,
		    "the filter of Message-IDs is not made yet (%d)", rc);
	store_sweep_remove(store, false);
	if (!atomic_load(&store->sweep_due))
		return;
	rc = store_sweep(store,
	    store_is_full(store) ? STORE_SWEEP_CHEAP : STORE_SWEEP_WASTE,
	    keeper_between, store);
	if (rc != 0 && rc != -ECANCELED && rc != -ENOSPC)
		store_log(store, STORE_LOG_WARNING,
		    "the room of deleted articles is not given back (%d)", rc);
}

void
store_keeper_nudge(struct store *store)
{
	struct store_keeper *keeper = &store->keeper;
	struct store_logs_end end = store_logs_end(store);

	if (end.written < checkpoint_bytes(store) &&
	    !store_logs_are_due(store, &end))
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->nudged = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
}

static void *
keeper_main(void *arg)
{
	struct store *store = arg;
	struct store_keeper *keeper = &store->keeper;
	struct timespec until;

	pthread_mutex_lock(&keeper->lock);
	while (!keeper->closing) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += LOOK_SECONDS;
		while (!keeper->closing && !keeper->nudged &&
		    pthread_cond_timedwait(&keeper->wake, &keeper->lock,
			&until) == 0)
			;
		if (keeper->closing)
			break;
		keeper->nudged = false;
		pthread_mutex_unlock(&keeper->lock);
		keeper_work(store);
		pthread_mutex_lock(&keeper->lock);
	}
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

int
store_keeper_init(struct store *store)
{
	struct store_keeper *keeper = &store->keeper;
	pthread_condattr_t attr;
	int ret = pthread_mutex_init(&keeper->lock, NULL);

	if (ret == 0)
		ret = pthread_mutex_init(&keeper->checkpoint, NULL);
	if (ret == 0)
		ret = pthread_condattr_init(&attr);
	if (ret == 0)
		ret = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (ret == 0)
		ret = pthread_cond_init(&keeper->wake, &attr);
	return -ret;
}

int
store_keeper_start(struct store *store)
{
	int rc;

	store->keeper.checkpoint_commit = atomic_load(&store->views.version);
	store->keeper.checkpoint_at = store_now();
	store->keeper.nudged = true; /* there may be a filter to make */
	rc = store_thread_start(&store->keeper.thread, keeper_main, store);

	store->keeper.started = rc == 0;
	return rc;
}

/* Stays `started`, which says that the store was open. */
void
store_keeper_stop(struct store *store)
{
	struct store_keeper *keeper = &store->keeper;

	if (!keeper->started)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->closing = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
	pthread_join(keeper->thread, NULL);
}
