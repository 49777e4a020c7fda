/* jobs_retry.c - recipients whose time has come again.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/jobs_private.h"
#include "daemon/log.h"

#define RETRY_SCAN_MAX 2000u /* rows looked at in one run */

struct retry_walk {
	struct jobs *jobs;
	uint64_t now;
	bool force;
	unsigned rows;
};

/* The job's last waiting chunk of deferred rows with room, or a new one. Half
 * full at most, so that it fits a frame whatever its recipients are called. */
static struct chunk *
retry_chunk(struct job *job)
{
	struct chunk *chunk = TAILQ_LAST(&job->waiting, chunk_list);

	if (chunk != NULL && chunk->retry && !chunk->composed &&
	    chunk->count < OUTGOING_MAX / 2)
		return chunk;
	chunk = calloc(1, sizeof *chunk);
	if (chunk == NULL)
		return NULL;
	chunk->job = job;
	chunk->retry = true;
	TAILQ_INSERT_TAIL(&job->waiting, chunk, link);
	return chunk;
}

/* A row whose job is gone (an article that was removed while it went out). */
struct stale {
	struct store_op op;
	struct store_key key;
	struct jobs *jobs;
};

static int
stale_apply(struct store_txn *txn, struct store_op *op)
{
	struct stale *stale =
	    (struct stale *)(void *)((char *)op - offsetof(struct stale, op));
	int rc = store_delete(txn, STORE_DEFERRED, &stale->key);

	return rc == -ENOENT ? 0 : rc;
}

static void
stale_done(struct store_op *op, int result)
{
	struct stale *stale =
	    (struct stale *)(void *)((char *)op - offsetof(struct stale, op));

	(void)result;
	stale->jobs->operations--;
	free(stale);
}

static void
stale_delete(struct jobs *jobs, const struct store_key *key)
{
	struct stale *stale = calloc(1, sizeof *stale);

	if (stale == NULL)
		return;
	stale->jobs = jobs;
	stale->key = *key;
	stale->op.apply = stale_apply;
	stale->op.done = stale_done;
	stale->op.inbox = community_inbox(jobs->community);
	stale->op.bulk = true;
	jobs->operations++;
	store_submit(community_store(jobs->community), &stale->op);
}

static int
retry_visit(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct retry_walk *walk = arg;
	uint64_t due = store_key_get_u64(key, 0);
	struct job *job;
	struct chunk *chunk;

	(void)message;
	if (!walk->force && (due > walk->now || walk->rows == RETRY_SCAN_MAX))
		return 1;
	walk->rows++;
	job = job_find(walk->jobs, store_key_get_u64(key, 8));
	if (job == NULL) {
		/* unless it is on its way into memory */
		if (__atomic_load_n(&walk->jobs->arriving, __ATOMIC_ACQUIRE) ==
		    0)
			stale_delete(walk->jobs, key);
		return 0;
	}
	if (job->removed || job->retrying)
		return 0; /* its rows are about already */
	chunk = retry_chunk(job);
	if (chunk == NULL)
		return -ENOMEM;
	chunk->recipients[chunk->count++] =
	    (struct chunk_recipient){ .id = store_key_get_u32(key, 16),
		    .due = due };
	return 0;
}

/* Marks the jobs whose rows were gathered, so that no row is taken twice, and
 * puts them in line. */
static void
retry_queue(struct jobs *jobs)
{
	for (unsigned i = 0; i < JOB_BUCKETS; i++)
		for (struct job *job = jobs->buckets[i]; job != NULL;
		     job = job->next)
			if (!job->retrying && !TAILQ_EMPTY(&job->waiting) &&
			    TAILQ_LAST(&job->waiting, chunk_list)->retry) {
				job->retrying = true;
				job_queue(job);
			}
}

void
jobs_retry(struct jobs *jobs, bool force)
{
	struct retry_walk walk = { .jobs = jobs,
		.now = community_now(jobs->community),
		.force = force };
	struct store_view *view =
	    store_view_begin(community_store(jobs->community));
	int rc;

	if (view == NULL)
		return;
	rc = store_walk(store_view_reader(view), STORE_DEFERRED, NULL, NULL,
	    retry_visit, &walk);
	if (rc >= 0 && !force) {
		/* only a clock that was set back makes anybody wait so long */
		struct store_key beyond = store_key_u64_u64_u32(
		    walk.now + JOB_RETRY_LONGEST + 1, 0, 0);

		walk.force = true;
		rc = store_walk(store_view_reader(view), STORE_DEFERRED, NULL,
		    &beyond, retry_visit, &walk);
	}
	store_view_end(&view);
	if (rc < 0)
		log_err("deferred mail: %s", strerror(-rc));
	retry_queue(jobs);
}
