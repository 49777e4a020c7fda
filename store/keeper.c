/* keeper.c - the thread that checkpoints, removes old logs and watches the
 * room on the disk.
 */
#include "store/private.h"

#include <errno.h>
#include <time.h>

#define LOOK_SECONDS       1
#define CHECKPOINT_KBYTES  32768u /* of log; recovery reads at most that */
#define CHECKPOINT_MINUTES 1u

int
store_keeper_checkpoint(struct store *store, bool force)
{
	DB_ENV *env = store->env;
	int ret;

	/* A backup copies files one after the other and needs all log since
	 * the checkpoint before it. */
	pthread_mutex_lock(&store->keeper.checkpoint);
	ret = env->txn_checkpoint(env, force ? 0 : CHECKPOINT_KBYTES,
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
		while (!keeper->closing &&
		    pthread_cond_timedwait(&keeper->wake, &keeper->lock,
			&until) == 0)
			;
		if (keeper->closing)
			break;
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
