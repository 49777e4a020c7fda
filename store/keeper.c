/* keeper.c - the thread that checkpoints, removes old logs and watches the
 * room on the disk.
 */
#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_SECONDS       1
#define CHECKPOINT_FILES   1u /* log files; a quarter of the reserve */
#define CHECKPOINT_MINUTES 1u

/* What was written since the last checkpoint is what a recovery writes to the
 * files once more, into the room that the reserve leaves. And what a checkpoint
 * has written in time the writer need not write to make room in the cache. */
static uint32_t
checkpoint_bytes(const struct store *store)
{
	return (uint32_t)store->log_file_bytes * CHECKPOINT_FILES;
}

int
store_keeper_checkpoint(struct store *store, bool force)
{
	DB_ENV *env = store->env;
	int ret;

	/* A backup copies files one after the other and needs all log since
	 * the checkpoint before it. */
	pthread_mutex_lock(&store->keeper.checkpoint);
	ret =
	    env->txn_checkpoint(env, force ? 0 : checkpoint_bytes(store) / 1024,
		force ? 0 : CHECKPOINT_MINUTES, force ? DB_FORCE : 0);
	if (ret == 0)
		ret = env->log_archive(env, NULL, DB_ARCH_REMOVE);
	pthread_mutex_unlock(&store->keeper.checkpoint);
	return store_error(ret);
}

static void
keeper_work(struct store *store)
{
	int rc;

	store_room_look(store);
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

void
store_keeper_nudge(struct store *store)
{
	struct store_keeper *keeper = &store->keeper;
	DB_LOG_STAT *stat;
	uint64_t written;

	if (store->env->log_stat(store->env, &stat, 0) != 0)
		return;
	written = ((uint64_t)stat->st_wc_mbytes << 20) + stat->st_wc_bytes;
	free(stat);
	if (written < checkpoint_bytes(store))
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
	int rc = store_thread_start(&store->keeper.thread, keeper_main, store);

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
