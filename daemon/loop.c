/* loop.c - an event loop, the way into it from other threads, and a few worker
 * threads.
 *
 * One eventfd per loop and a locked queue: the first post into an empty queue
 * wakes the loop, the rest ride along.
 */
#include "build.h"

#include "daemon/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

struct post {
	struct post *next;
	void (*fn)(void *arg);
	void *arg;
};

struct loop {
	struct event_base *base;
	struct event *wake;
	pthread_mutex_t lock;
	struct post *first, **last;
	pthread_t thread;
	int wake_fd;
	bool threaded;
};

static struct post *
loop_take(struct loop *loop)
{
	struct post *list;

	pthread_mutex_lock(&loop->lock);
	list = loop->first;
	loop->first = NULL;
	loop->last = &loop->first;
	pthread_mutex_unlock(&loop->lock);
	return list;
}

static void
loop_run_posts(struct loop *loop)
{
	struct post *post = loop_take(loop), *next;

	for (; post != NULL; post = next) {
		next = post->next;
		post->fn(post->arg);
		free(post);
	}
}

static void
loop_woken(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	(void)!read(fd, &count, sizeof(count));
	loop_run_posts(arg);
}

struct loop *
loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	struct event_config *options = NULL;

	if (loop == NULL)
		return NULL;
	loop->last = &loop->first;
	(void)pthread_mutex_init(&loop->lock, NULL);
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	options = event_config_new();
	if (loop->wake_fd < 0 || options == NULL)
		goto fail;
	/* only its own thread touches a base: no locks in it */
	(void)event_config_set_flag(options, EVENT_BASE_FLAG_NOLOCK);
	loop->base = event_base_new_with_config(options);
	if (loop->base == NULL)
		goto fail;
	loop->wake = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST,
	    loop_woken, loop);
	if (loop->wake == NULL || event_add(loop->wake, NULL) != 0)
		goto fail;
	event_config_free(options);
	return loop;
fail:
	if (options != NULL)
		event_config_free(options);
	loop_free(&loop);
	return NULL;
}

void
loop_free(struct loop **loop_p)
{
	struct loop *loop = *loop_p;

	if (loop == NULL)
		return;
	while (loop->first != NULL)
		loop_run_posts(loop);
	if (loop->wake != NULL)
		event_free(loop->wake);
	if (loop->base != NULL)
		event_base_free(loop->base);
	if (loop->wake_fd >= 0)
		(void)close(loop->wake_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
	*loop_p = NULL;
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

void
loop_run(struct loop *loop)
{
	(void)event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

static void *
loop_main(void *arg)
{
	loop_run(arg);
	return NULL;
}

int
loop_run_thread(struct loop *loop)
{
	int error = pthread_create(&loop->thread, NULL, loop_main, loop);

	loop->threaded = error == 0;
	return -error;
}

void
loop_join(struct loop *loop)
{
	if (loop->threaded)
		(void)pthread_join(loop->thread, NULL);
	loop->threaded = false;
}

static void
loop_break(void *arg)
{
	struct loop *loop = arg;

	(void)event_base_loopexit(loop->base, NULL);
}

void
loop_stop(struct loop *loop)
{
	(void)loop_post(loop, loop_break, loop);
}

int
loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct post *post = malloc(sizeof(*post));
	uint64_t one = 1;
	bool first;

	if (post == NULL)
		return -ENOMEM;
	*post = (struct post){ NULL, fn, arg };
	pthread_mutex_lock(&loop->lock);
	first = loop->first == NULL;
	*loop->last = post;
	loop->last = &post->next;
	pthread_mutex_unlock(&loop->lock);
	/* full (EAGAIN) means that it is awake anyway */
	if (first)
		(void)!write(loop->wake_fd, &one, sizeof(one));
	return 0;
}

bool
loop_turn(struct loop *loop)
{
	int active =
	    event_base_get_num_events(loop->base, EVENT_BASE_COUNT_ACTIVE);

	(void)event_base_get_max_events(loop->base, EVENT_BASE_COUNT_ACTIVE, 1);
	(void)event_base_loop(loop->base, EVLOOP_NONBLOCK);
	return active > 0 ||
	    event_base_get_max_events(loop->base, EVENT_BASE_COUNT_ACTIVE, 0) >
	    0;
}

/* ---- workers */

struct job {
	struct job *next;
	struct loop *loop;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

struct worker_pool {
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct job *first, **last;
	unsigned count;
	bool ending;
	pthread_t threads[];
};

static void *
worker_main(void *arg)
{
	struct worker_pool *pool = arg;
	struct job *job;

	for (;;) {
		pthread_mutex_lock(&pool->lock);
		while (pool->first == NULL && !pool->ending)
			(void)pthread_cond_wait(&pool->some, &pool->lock);
		job = pool->first;
		if (job != NULL) {
			pool->first = job->next;
			if (pool->first == NULL)
				pool->last = &pool->first;
		}
		pthread_mutex_unlock(&pool->lock);
		if (job == NULL)
			return NULL;
		job->work(job->arg);
		while (job->done != NULL &&
		    loop_post(job->loop, job->done, job->arg) == -ENOMEM)
			(void)usleep(1000);
		free(job);
	}
}

struct worker_pool *
worker_pool_new(unsigned threads)
{
	struct worker_pool *pool =
	    calloc(1, sizeof(*pool) + threads * sizeof(pool->threads[0]));

	if (pool == NULL)
		return NULL;
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->some, NULL);
	pool->last = &pool->first;
	while (pool->count < threads) {
		if (pthread_create(&pool->threads[pool->count], NULL,
			worker_main, pool) != 0) {
			worker_pool_free(&pool);
			return NULL;
		}
		pool->count++;
	}
	return pool;
}

void
worker_pool_stop(struct worker_pool *pool)
{
	if (pool == NULL)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	(void)pthread_cond_broadcast(&pool->some);
	pthread_mutex_unlock(&pool->lock);
	while (pool->count > 0)
		(void)pthread_join(pool->threads[--pool->count], NULL);
}

void
worker_pool_free(struct worker_pool **pool_p)
{
	struct worker_pool *pool = *pool_p;

	if (pool == NULL)
		return;
	worker_pool_stop(pool);
	(void)pthread_cond_destroy(&pool->some);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
	*pool_p = NULL;
}

bool
worker_pool_is_ending(struct worker_pool *pool)
{
	bool ending;

	pthread_mutex_lock(&pool->lock);
	ending = pool->ending;
	pthread_mutex_unlock(&pool->lock);
	return ending;
}

int
worker_submit(struct worker_pool *pool, struct loop *loop,
    void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct job *job = malloc(sizeof(*job));
	bool ending;

	if (job == NULL)
		return -ENOMEM;
	*job = (struct job){ NULL, loop, work, done, arg };
	pthread_mutex_lock(&pool->lock);
	ending = pool->ending;
	if (!ending) {
		*pool->last = job;
		pool->last = &job->next;
		(void)pthread_cond_signal(&pool->some);
	}
	pthread_mutex_unlock(&pool->lock);
	if (ending)
		free(job);
	return ending ? -ESHUTDOWN : 0;
}
