/* timers.c - the table of timers, run one after the other.
 */
#include "daemon/community/timers.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/community/digest.h"
#include "daemon/community/feeds.h"
#include "daemon/community/jobs.h"
#include "daemon/community/pulls.h"
#include "daemon/community/retention.h"

static void
digests_due(struct community *community, void (*done)(void *arg), void *arg)
{
	digest_run_due(community_digests(community), done, arg);
}

static void
jobs_due(struct community *community, void (*done)(void *arg), void *arg)
{
	jobs_run_due(community_jobs(community), false);
	done(arg);
}

static void
retention_due(struct community *community, void (*done)(void *arg), void *arg)
{
	retention_run_due(community_retention(community), done, arg);
}

static void
feeds_due(struct community *community, void (*done)(void *arg), void *arg)
{
	feeds_run_due(community_feeds(community));
	pulls_run_due(community_pulls(community));
	done(arg);
}

static void (*const timer_table[])(struct community *community,
    void (*done)(void *arg), void *arg) = {
	expiry_run_due,
	digests_due,
	jobs_due,
	retention_due,
	history_run_due,
	moderation_run_due,
	feeds_due,
};
#define TIMER_COUNT (sizeof timer_table / sizeof timer_table[0])

struct waiter {
	void (*done)(void *arg);
	void *arg;
	struct waiter *next;
};

struct timers {
	struct community *community;
	size_t at;
	bool running;           /* atomic: is_idle may be asked from anywhere */
	struct waiter *waiting; /* for the end of the present run */
	struct waiter *next;    /* for the end of the next one */
	bool again;
};

int
timers_new(struct timers **timers_r, struct community *community)
{
	*timers_r = calloc(1, sizeof **timers_r);
	if (*timers_r == NULL)
		return -ENOMEM;
	(*timers_r)->community = community;
	return 0;
}

static void
waiters_free(struct waiter *waiter)
{
	struct waiter *next;

	for (; waiter != NULL; waiter = next) {
		next = waiter->next;
		free(waiter);
	}
}

void
timers_free(struct timers **timers)
{
	if (*timers != NULL) {
		waiters_free((*timers)->waiting);
		waiters_free((*timers)->next);
	}
	free(*timers);
	*timers = NULL;
}

bool
timers_are_running(const struct timers *timers)
{
	return __atomic_load_n(&timers->running, __ATOMIC_ACQUIRE);
}

static void timer_next(void *arg);

static void
timers_begin(struct timers *timers)
{
	__atomic_store_n(&timers->running, true, __ATOMIC_RELEASE);
	timers->waiting = timers->next;
	timers->next = NULL;
	timers->again = false;
	timers->at = 0;
	timer_next(timers);
}

static void
timers_end(struct timers *timers)
{
	struct waiter *waiter = timers->waiting, *next;

	timers->waiting = NULL;
	__atomic_store_n(&timers->running, false, __ATOMIC_RELEASE);
	for (; waiter != NULL; waiter = next) {
		next = waiter->next;
		waiter->done(waiter->arg);
		free(waiter);
	}
	if (timers->again && !timers_are_running(timers))
		timers_begin(timers);
}

static void
timer_next(void *arg)
{
	struct timers *timers = arg;
	size_t at = timers->at++;

	if (at < TIMER_COUNT)
		timer_table[at](timers->community, timer_next, timers);
	else
		timers_end(timers);
}

void
timers_run(struct timers *timers, void (*done)(void *arg), void *arg)
{
	struct waiter *waiter = NULL;

	if (done != NULL) {
		waiter = calloc(1, sizeof *waiter);
		if (waiter == NULL) {
			done(arg);
			return;
		}
		waiter->done = done;
		waiter->arg = arg;
		waiter->next = timers->next;
		timers->next = waiter;
	}
	timers->again = true;
	if (!timers_are_running(timers))
		timers_begin(timers);
}
