/* jobs.c - the engine: which job sends its next chunk.
 *
 * Jobs wait in levels; each chunk sent moves its job one level down, and the
 * highest level is served first. So what is small or new overtakes what is
 * large, and nothing starves for long.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/jobs_private.h"
#include "daemon/log.h"

#define BACK_OFF_MAX 300u /* seconds */
/* Bodies that are made or with the mail process: enough for what flies and what
 * flies next, and fewer than it keeps or than there are credits for. */
#define BODIES_MAX (2 * JOBS_IN_FLIGHT)

struct job *
job_find(struct jobs *jobs, uint64_t id)
{
	struct job *job = jobs->buckets[id % JOB_BUCKETS];

	while (job != NULL && job->id != id)
		job = job->next;
	return job;
}

struct job *
job_from_row(struct jobs *jobs, uint64_t id, const Kith__Job *row)
{
	struct job *job = calloc(1, sizeof *job);

	if (job == NULL)
		return NULL;
	job->envelope_from = strdup(row->envelope_from);
	if (job->envelope_from == NULL) {
		free(job);
		return NULL;
	}
	job->jobs = jobs;
	job->id = id;
	job->kind = row->kind;
	job->space = row->space;
	job->artid = row->artid;
	job->mode = row->mode;
	job->cursor = row->from_address;
	job->upper = row->upper_address;
	job->except_member = row->except_member;
	job->ticket = row->ticket;
	job->deferred = row->deferred;
	job->created = row->created;
	job->walked = row->walked;
	TAILQ_INIT(&job->flying);
	TAILQ_INIT(&job->waiting);
	return job;
}

void
job_insert(struct job *job)
{
	struct job **bucket = &job->jobs->buckets[job->id % JOB_BUCKETS];

	job->next = *bucket;
	*bucket = job;
	job_queue(job);
}

static void
job_unlink(struct job *job)
{
	struct job **at = &job->jobs->buckets[job->id % JOB_BUCKETS];

	while (*at != NULL && *at != job)
		at = &(*at)->next;
	if (*at != NULL)
		*at = job->next;
	if (job->queued)
		TAILQ_REMOVE(&job->jobs->ready[job->level], job, link);
	job->queued = false;
}

void
job_free(struct job *job)
{
	struct chunk *chunk;

	while ((chunk = TAILQ_FIRST(&job->waiting)) != NULL) {
		TAILQ_REMOVE(&job->waiting, chunk, link);
		chunk_free(&chunk);
	}
	free(job->envelope_from);
	free(job);
}

void
job_queue(struct job *job)
{
	bool work = !TAILQ_EMPTY(&job->waiting) || !job->walked ||
	    (job->deferred == 0 && TAILQ_EMPTY(&job->flying) &&
		job->operations == 0);

	if (job->queued || job->removed || job->body == BODY_MAKING || !work)
		return;
	job->queued = true;
	/* whose body is there goes first, so that it is given back soon */
	if (job->body == BODY_READY)
		TAILQ_INSERT_HEAD(&job->jobs->ready[job->level], job, link);
	else
		TAILQ_INSERT_TAIL(&job->jobs->ready[job->level], job, link);
}

static void
job_set_body(struct job *job, enum job_body body)
{
	struct jobs *jobs = job->jobs;

	if (job->body == BODY_NONE && body != BODY_NONE)
		jobs->bodies++;
	if (job->body != BODY_NONE && body == BODY_NONE) {
		jobs->bodies--;
		jobs->blocked = false; /* there is room for another */
	}
	job->body = body;
}

static void
job_body_free(struct job *job)
{
	const struct mail_port *port = community_mail(job->jobs->community);

	if (job->body == BODY_READY)
		port->body_free(port->arg, job->id);
	if (job->body != BODY_MAKING)
		job_set_body(job, BODY_NONE);
}

void
job_settle(struct job *job)
{
	if (!TAILQ_EMPTY(&job->flying) || job->operations > 0 ||
	    job->body == BODY_MAKING)
		return;
	if (!job->removed && (!job->walked || !TAILQ_EMPTY(&job->waiting)))
		return;
	job_body_free(job);
	if (!job->removed)
		return;
	job_unlink(job);
	job_free(job);
}

/* ---- the turn */

static struct job *
jobs_first(struct jobs *jobs)
{
	for (unsigned level = 0; level < JOB_LEVELS; level++)
		if (!TAILQ_EMPTY(&jobs->ready[level]))
			return TAILQ_FIRST(&jobs->ready[level]);
	return NULL;
}

static bool
jobs_may_run(const struct jobs *jobs)
{
	return !jobs->blocked && !jobs->closing &&
	    jobs->flying < JOBS_IN_FLIGHT &&
	    community_now(jobs->community) >= jobs->paused_until;
}

/* All bodies are taken: the one that is needed last makes room. None may be
 * free of deliveries under way; then the end of one of those is waited for. */
static void
jobs_evict(struct jobs *jobs)
{
	struct job *job;

	for (unsigned level = JOB_LEVELS; level-- > 0;)
		TAILQ_FOREACH(job, &jobs->ready[level], link)
			if (job->body == BODY_READY &&
			    TAILQ_EMPTY(&job->flying)) {
				job_body_free(job);
				return;
			}
	jobs->blocked = true;
}

static void
jobs_unreachable(struct jobs *jobs, const char *why)
{
	char text[LOG_TEXT_ROOM];

	/* all that flew comes back at once: one failure, not many */
	if (jobs->paused_until > community_now(jobs->community))
		return;
	jobs->back_off = jobs->back_off == 0 ? 1 : jobs->back_off * 2;
	if (jobs->back_off > BACK_OFF_MAX)
		jobs->back_off = BACK_OFF_MAX;
	jobs->paused_until = community_now(jobs->community) + jobs->back_off;
	log_warning("mail is not going out, again in %u s: %s", jobs->back_off,
	    log_text(text, sizeof text, why, strlen(why)));
}

static void
chunk_done(void *arg, const struct outgoing_result *results, size_t count,
    const char *unreachable)
{
	struct chunk *chunk = arg;
	struct job *job = chunk->job;
	struct jobs *jobs = job->jobs;

	TAILQ_REMOVE(&job->flying, chunk, link);
	jobs->flying--;
	jobs->blocked = false;
	if (count != chunk->count) {
		/* nothing is known of any of them: the same again */
		TAILQ_INSERT_TAIL(&job->waiting, chunk, link);
		jobs_unreachable(jobs,
		    unreachable == NULL ? "no answer" : unreachable);
		job_queue(job);
		job_settle(job);
	} else {
		jobs->back_off = 0;
		jobs->paused_until = 0;
		progress_submit(job, chunk, results);
	}
	jobs_schedule(jobs);
}

static int
chunk_send(struct job *job, struct chunk *chunk)
{
	const struct mail_port *port = community_mail(job->jobs->community);
	struct outgoing recipients[OUTGOING_MAX];
	int rc;

	for (size_t i = 0; i < chunk->count; i++) {
		recipients[i].envelope_from =
		    chunk->recipients[i].envelope_from;
		recipients[i].recipient = chunk->recipients[i].text;
		recipients[i].head = span_of(chunk->recipients[i].head);
	}
	TAILQ_INSERT_TAIL(&job->flying, chunk, link);
	job->jobs->flying++;
	rc = port->send(port->arg, job->id, recipients, chunk->count,
	    chunk_done, chunk);
	if (rc == 0)
		return 0;
	TAILQ_REMOVE(&job->flying, chunk, link);
	TAILQ_INSERT_HEAD(&job->waiting, chunk, link);
	job->jobs->flying--;
	if (rc == -ENOENT)
		job_set_body(job, BODY_NONE); /* another mail process */
	else
		job->jobs->blocked = true;
	return rc;
}

/* The next chunk of a job: one that waits, else one of the walk. */
static struct chunk *
job_chunk(struct job *job, int *error_r)
{
	struct chunk *chunk = TAILQ_FIRST(&job->waiting);

	*error_r = 0;
	if (chunk == NULL)
		return job->walked ? NULL : chunk_next(job, error_r);
	TAILQ_REMOVE(&job->waiting, chunk, link);
	if (!chunk->composed)
		*error_r = chunk_compose(chunk);
	if (*error_r != 0) {
		TAILQ_INSERT_HEAD(&job->waiting, chunk, link);
		return NULL;
	}
	return chunk;
}

/* Back to where it was taken from. */
static void
job_queue_again(struct job *job)
{
	job->queued = true;
	TAILQ_INSERT_HEAD(&job->jobs->ready[job->level], job, link);
}

static void
job_step(struct job *job)
{
	struct jobs *jobs = job->jobs;
	struct chunk *chunk;
	int error;

	if (job->body == BODY_NONE &&
	    (!job->walked || !TAILQ_EMPTY(&job->waiting))) {
		if (jobs->bodies >= BODIES_MAX) {
			jobs_evict(jobs);
			job_queue_again(job);
			return;
		}
		job_set_body(job, BODY_MAKING);
		jobs->making++;
		job_body_make(job);
		return;
	}
	chunk = job_chunk(job, &error);
	if (error != 0) {
		log_err("job %llu: %s", (unsigned long long)job->id,
		    strerror(-error));
		jobs->blocked = true;
	} else if (chunk == NULL) {
		progress_submit(job, NULL, NULL);
	} else if (chunk->count == 0) {
		chunk->retry ? progress_submit(job, chunk, NULL)
			     : chunk_free(&chunk);
	} else if (chunk_send(job, chunk) == 0 && job->level < JOB_LEVELS - 1) {
		job->level++;
	}
	job_queue(job);
}

/* What was posted to the loop may outlive the engine by a moment. */
bool
jobs_are_gone(struct jobs *jobs)
{
	if (!jobs->closing)
		return false;
	if (!jobs->turn_posted &&
	    __atomic_load_n(&jobs->arriving, __ATOMIC_ACQUIRE) == 0)
		free(jobs);
	return true;
}

static void
jobs_turn(void *arg)
{
	struct jobs *jobs = arg;
	struct job *job;

	jobs->turn_posted = false;
	if (jobs_are_gone(jobs))
		return;
	community_busy(jobs->community, -1);
	if (!jobs_may_run(jobs))
		return;
	job = jobs_first(jobs);
	if (job == NULL)
		return;
	TAILQ_REMOVE(&jobs->ready[job->level], job, link);
	job->queued = false;
	job_step(job);
	/* one step a turn: others use this loop too */
	jobs_schedule(jobs);
}

void
jobs_schedule(struct jobs *jobs)
{
	if (jobs->turn_posted || !jobs_may_run(jobs) ||
	    jobs_first(jobs) == NULL)
		return;
	jobs->turn_posted = true;
	community_busy(jobs->community, 1);
	if (loop_post(community_loop(jobs->community), jobs_turn, jobs) != 0) {
		jobs->turn_posted = false;
		community_busy(jobs->community, -1);
	}
}

void
job_body_done(struct job *job, int error)
{
	struct jobs *jobs = job->jobs;

	jobs->making--;
	job_set_body(job, error == 0 ? BODY_READY : BODY_NONE);
	jobs->blocked = false;
	if (error == -ENOENT) {
		/* the article is gone, or nothing is left of the issue */
		job->walked = true;
		job->deferred = 0;
		job->cursor = job->upper + 1;
		progress_submit(job, NULL, NULL);
	} else if (error == -EAGAIN || error == -ENOTCONN) {
		jobs->blocked = true; /* a credit or a channel wakes us */
	} else if (error != 0) {
		log_err("job %llu: body: %s", (unsigned long long)job->id,
		    strerror(-error));
		jobs_unreachable(jobs, "a mail could not be composed");
	}
	job_queue(job);
	job_settle(job);
	jobs_schedule(jobs);
}

/* ---- life */

int
jobs_new(struct jobs **jobs_r, struct community *community)
{
	struct jobs *jobs = calloc(1, sizeof *jobs);

	*jobs_r = jobs;
	if (jobs == NULL)
		return -ENOMEM;
	jobs->community = community;
	for (unsigned i = 0; i < JOB_LEVELS; i++)
		TAILQ_INIT(&jobs->ready[i]);
	return 0;
}

void
jobs_free(struct jobs **jobs_p)
{
	struct jobs *jobs = *jobs_p;
	struct job *job;
	struct chunk *chunk;

	*jobs_p = NULL;
	if (jobs == NULL)
		return;
	for (unsigned i = 0; i < JOB_BUCKETS; i++)
		while ((job = jobs->buckets[i]) != NULL) {
			jobs->buckets[i] = job->next;
			while ((chunk = TAILQ_FIRST(&job->flying)) != NULL) {
				TAILQ_REMOVE(&job->flying, chunk, link);
				chunk_free(&chunk);
			}
			job_free(job);
		}
	jobs->closing = true;
	(void)jobs_are_gone(jobs);
}

static int
load_visit(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct jobs *jobs = arg;
	struct job *job = job_from_row(jobs, store_key_get_u64(key, 0),
	    (const Kith__Job *)message);

	if (job == NULL)
		return -ENOMEM;
	job_insert(job);
	return 0;
}

int
jobs_load(struct jobs *jobs)
{
	struct store_view *view =
	    store_view_begin(community_store(jobs->community));
	int rc;

	if (view == NULL)
		return -ENOMEM;
	rc = store_walk(store_view_reader(view), STORE_JOBS, NULL, NULL,
	    load_visit, jobs);
	store_view_end(&view);
	jobs_schedule(jobs);
	return rc;
}

void
jobs_wake(struct jobs *jobs)
{
	if (jobs == NULL)
		return;
	jobs->blocked = false;
	jobs_schedule(jobs);
}

void
jobs_mail_is_back(struct jobs *jobs)
{
	if (jobs == NULL)
		return;
	jobs->paused_until = 0;
	jobs->back_off = 0;
	jobs_wake(jobs);
}

void
jobs_run_due(struct jobs *jobs, bool force)
{
	const struct mail_port *port = community_mail(jobs->community);

	if (force) {
		jobs->paused_until = 0;
		jobs->back_off = 0;
		if (port->flush != NULL)
			port->flush(port->arg);
	}
	jobs->blocked = false;
	jobs_retry(jobs, force);
	jobs_schedule(jobs);
}

bool
jobs_is_idle(const struct jobs *jobs)
{
	if (jobs->flying > 0 || jobs->making > 0 || jobs->operations > 0 ||
	    jobs->turn_posted ||
	    __atomic_load_n(&jobs->arriving, __ATOMIC_ACQUIRE) > 0)
		return false;
	return jobs_first((struct jobs *)(uintptr_t)jobs) == NULL ||
	    !jobs_may_run(jobs);
}
