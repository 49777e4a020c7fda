/* view.c - consistent snapshots of what is on disk.
 *
 * A Berkeley DB snapshot is placed at the end of the log, where the record of a
 * commit stands before it is flushed, and finding that place waits while the
 * flush runs. Readers shall neither see what is not on disk nor wait for it. So
 * before each commit idle snapshots of the last version on disk are at hand, and
 * a view takes one of those and gives it back. A batch is committed only when the
 * one before it is on disk (though it is run before), so there is one pool.
 * (A snapshot is placed by its first read, here of the system row.)
 */
#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_LEAST 2u
#define IDLE_MOST  32u

int
store_views_init(struct store *store)
{
	int ret = pthread_mutex_init(&store->views.lock, NULL);

	if (ret == 0)
		ret = pthread_cond_init(&store->views.landed, NULL);
	return -ret;
}

static void
view_free(struct store_view *view)
{
	if (view == NULL)
		return;
	if (view->reader.txn != NULL)
		(void)view->reader.txn->abort(view->reader.txn);
	free(view->reader.scratch);
	free(view);
}

static void
views_free(struct store_view *view)
{
	struct store_view *next;

	for (; view != NULL; view = next) {
		next = view->next;
		view_free(view);
	}
}

void
store_views_fini(struct store *store)
{
	views_free(store->views.idle);
	store->views.idle = NULL;
	store->views.idle_count = 0;
}

/* With the lock held and no commit under way. */
static struct store_view *
view_new(struct store *store)
{
	struct store_view *view = calloc(1, sizeof *view);
	DB_ENV *env = store->env;
	int ret;

	if (view == NULL)
		return NULL;
	view->reader.store = store;
	ret = env->txn_begin(env, NULL, &view->reader.txn,
	    DB_TXN_SNAPSHOT | DB_TXN_NOSYNC);
	if (ret != 0)
		view->reader.txn = NULL;
	if (ret != 0 ||
	    store_system_read(&view->reader, &view->reader.system) != 0) {
		view_free(view);
		return NULL;
	}
	view->reader.version = view->reader.system.commit;
	return view;
}

/* Both with the lock held. */
static void
in_use_add(struct store_views *views, struct store_view *view)
{
	view->previous = NULL;
	view->next = views->in_use;
	if (view->next != NULL)
		view->next->previous = view;
	views->in_use = view;
	if (++views->busy > views->busy_most)
		views->busy_most = views->busy;
}

static void
in_use_remove(struct store_views *views, struct store_view *view)
{
	if (view->next != NULL)
		view->next->previous = view->previous;
	if (view->previous != NULL)
		view->previous->next = view->next;
	else
		views->in_use = view->next;
	views->busy--;
}

struct store_view *
store_view_begin(struct store *store)
{
	struct store_views *views = &store->views;
	struct store_view *view;

	pthread_mutex_lock(&views->lock);
	while (views->idle == NULL && views->committing)
		pthread_cond_wait(&views->landed, &views->lock);
	view = views->idle;
	if (view != NULL) {
		views->idle = view->next;
		views->idle_count--;
	} else {
		view = view_new(store);
	}
	if (view != NULL) {
		view->reader.uncached = false;
		in_use_add(views, view);
	}
	pthread_mutex_unlock(&views->lock);
	return view;
}

void
store_view_end(struct store_view **view_r)
{
	struct store_view *view = *view_r;
	struct store_views *views;

	if (view == NULL)
		return;
	*view_r = NULL;
	views = &view->reader.store->views;
	pthread_mutex_lock(&views->lock);
	in_use_remove(views, view);
	if (view->reader.version == atomic_load(&views->version) &&
	    views->idle_count < IDLE_MOST) {
		view->next = views->idle;
		views->idle = view;
		views->idle_count++;
		view = NULL;
	}
	pthread_mutex_unlock(&views->lock);
	view_free(view);
}

uint64_t
store_views_oldest(struct store *store)
{
	struct store_views *views = &store->views;
	uint64_t oldest;

	pthread_mutex_lock(&views->lock);
	oldest = atomic_load(&views->version);
	for (const struct store_view *view = views->in_use; view != NULL;
	     view = view->next)
		if (view->reader.version < oldest)
			oldest = view->reader.version;
	pthread_mutex_unlock(&views->lock);
	return oldest;
}

struct store_reader *
store_view_reader(struct store_view *view)
{
	return &view->reader;
}

uint64_t
store_reader_version(const struct store_reader *reader)
{
	return reader->version;
}

struct store_cache *
store_objects(struct store *store)
{
	return store->objects;
}

struct store_cache *
store_places(struct store *store)
{
	return store->places;
}

struct store_reader *
store_txn_reader(struct store_txn *txn)
{
	return &txn->reader;
}

/* As many as were ever in use at once, for readers that come during the next
 * flush. With the lock held and no commit under way. */
static void
views_fill(struct store *store)
{
	struct store_views *views = &store->views;
	struct store_view *view;
	unsigned want = views->busy_most + 1;

	if (want < IDLE_LEAST)
		want = IDLE_LEAST;
	if (want > IDLE_MOST)
		want = IDLE_MOST;
	while (views->idle_count < want) {
		view = view_new(store);
		if (view == NULL)
			break;
		view->next = views->idle;
		views->idle = view;
		views->idle_count++;
	}
}

void
store_views_hold(struct store *store)
{
	struct store_views *views = &store->views;

	pthread_mutex_lock(&views->lock);
	views_fill(store);
	views->committing = true;
	pthread_mutex_unlock(&views->lock);
}

void
store_views_renew(struct store *store)
{
	struct store_views *views = &store->views;
	struct store_view *old = NULL;

	pthread_mutex_lock(&views->lock);
	if (!views->committing) {
		old = views->idle;
		views->idle = NULL;
		views->idle_count = 0;
		views_fill(store);
	}
	pthread_mutex_unlock(&views->lock);
	views_free(old);
}

void
store_views_publish(struct store *store, uint64_t version)
{
	struct store_views *views = &store->views;
	struct store_view *old;

	pthread_mutex_lock(&views->lock);
	old = views->idle;
	views->idle = NULL;
	views->idle_count = 0;
	atomic_store(&views->version, version);
	views->committing = false;
	/* A crowd of readers is forgotten after a while. */
	if (version % 64 == 0 && views->busy_most > views->busy)
		views->busy_most--;
	/* Here already, for the writer has more to do than the flusher. */
	views_fill(store);
	pthread_cond_broadcast(&views->landed);
	pthread_mutex_unlock(&views->lock);
	views_free(old);
}
