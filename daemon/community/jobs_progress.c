/* jobs_progress.c - writes down what became of a chunk: delivered is forgotten,
 * refused is a bounce, anything else is tried again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/community/bounce.h"
#include "daemon/community/jobs_private.h"
#include "daemon/log.h"
#include "protocol/smtp.h"

#define REPLY_MAX 300

static const uint32_t retry_table[] = { 60, 300, 900, 1800, 3600, 7200,
	JOB_RETRY_LONGEST };
#define RETRIES (sizeof retry_table / sizeof retry_table[0])

struct outcome {
	unsigned code;
	char reply[REPLY_MAX];
};

struct progress {
	struct store_op op;
	struct job *job;
	struct chunk *chunk; /* owned; NULL: none */
	struct outcome *outcomes;
	uint32_t from;
	bool walked;
	bool finish;
	uint64_t now;
	/* set by apply */
	uint32_t deferred;
	bool gone;
};

static struct progress *
progress_of(struct store_op *op)
{
	return (struct progress *)(void *)((char *)op -
	    offsetof(struct progress, op));
}

static struct store_key
deferred_key(const struct progress *progress, uint64_t due, uint32_t id)
{
	return store_key_u64_u64_u32(due, progress->job->id, id);
}

/* ---- in apply, per recipient */

static int
deferred_forget(struct store_txn *txn, const struct progress *progress,
    const struct chunk_recipient *recipient, Kith__Job *row)
{
	struct store_key key =
	    deferred_key(progress, recipient->due, recipient->id);
	int rc;

	if (recipient->due == 0)
		return 0;
	rc = store_delete(txn, STORE_DEFERRED, &key);
	if (rc == 0 && row->deferred > 0)
		row->deferred--;
	return rc == -ENOENT ? 0 : rc;
}

static int
recipient_bounce(struct store_txn *txn, const struct progress *progress,
    const struct chunk_recipient *recipient, const struct outcome *outcome)
{
	struct community *community = progress->job->jobs->community;
	unsigned parts[3] = { 0 };
	char status[32];
	struct bounce bounce = { .address = recipient->address,
		.space = progress->job->space,
		.job = progress->job->id,
		.status = status,
		.text = outcome->reply,
		.artid = progress->job->artid };

	if (smtp_status_parse(span_of(outcome->reply), outcome->code, parts) ==
	    0)
		parts[0] = outcome->code / 100;
	(void)snprintf(status, sizeof status, "%u.%u.%u", parts[0], parts[1],
	    parts[2]);
	bounce.judged = outcome->code >= 500
	    ? mail_bounce_judge(span_of(""), span_of(status),
		  span_of(outcome->reply))
	    : MAIL_BOUNCE_SOFT;
	return recipient->address == 0 ? 0
				       : bounce_record(txn, community, &bounce);
}

/* Tried again later, or given up after the life of a mail. */
static int
recipient_defer(struct store_txn *txn, const struct progress *progress,
    const struct chunk_recipient *recipient, const struct outcome *outcome,
    Kith__Job *row)
{
	struct store_key key =
	    deferred_key(progress, recipient->due, recipient->id);
	struct store_reader *reader = store_txn_reader(txn);
	ProtobufCMessage *message = NULL;
	Kith__Deferred deferred;
	uint64_t due;
	int rc = 0;

	kith__deferred__init(&deferred);
	deferred.first = progress->now;
	if (recipient->due != 0 &&
	    store_get(reader, STORE_DEFERRED, &key, &message) == 0) {
		deferred.first = ((Kith__Deferred *)message)->first;
		deferred.attempts = ((Kith__Deferred *)message)->attempts;
		protobuf_c_message_free_unpacked(message, NULL);
	}
	rc = deferred_forget(txn, progress, recipient, row);
	if (rc != 0)
		return rc;
	if (progress->now >= deferred.first + JOB_LIFE)
		return recipient_bounce(txn, progress, recipient, outcome);
	due = progress->now +
	    retry_table[deferred.attempts < RETRIES ? deferred.attempts
						    : RETRIES - 1];
	deferred.attempts++;
	key = deferred_key(progress, due, recipient->id);
	row->deferred++;
	return store_put(txn, STORE_DEFERRED, &key, &deferred.base);
}

static int
recipient_apply(struct store_txn *txn, const struct progress *progress,
    size_t i, Kith__Job *row)
{
	const struct chunk_recipient *recipient =
	    &progress->chunk->recipients[i];
	const struct outcome *outcome = &progress->outcomes[i];
	int rc;

	if (i >= progress->chunk->count ||
	    (outcome->code >= 200 && outcome->code < 300))
		return deferred_forget(txn, progress, recipient, row);
	if (outcome->code < 500)
		return recipient_defer(txn, progress, recipient, outcome, row);
	rc = deferred_forget(txn, progress, recipient, row);
	if (rc == 0)
		rc = recipient_bounce(txn, progress, recipient, outcome);
	return rc;
}

static int
progress_apply(struct store_txn *txn, struct store_op *op)
{
	struct progress *progress = progress_of(op);
	struct chunk *chunk = progress->chunk;
	struct store_key key = store_key_u64(progress->job->id);
	ProtobufCMessage *message = NULL;
	Kith__Job *row;
	int rc = store_get(store_txn_reader(txn), STORE_JOBS, &key, &message);

	progress->gone = rc == -ENOENT; /* removed by an admin */
	progress->deferred = 0;
	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	row = (Kith__Job *)message;
	for (size_t i = 0;
	     chunk != NULL && rc == 0 && i < chunk->count + chunk->dropped; i++)
		rc = recipient_apply(txn, progress, i, row);
	row->from_address = progress->from;
	row->walked = progress->walked;
	progress->deferred = row->deferred;
	progress->gone = progress->finish && row->deferred == 0;
	if (rc == 0)
		rc = progress->gone
		    ? job_delete_rows(txn, progress->job->id, row)
		    : store_put(txn, STORE_JOBS, &key, message);
	protobuf_c_message_free_unpacked(message, NULL);
	return rc == -ENOENT ? 0 : rc;
}

/* ---- on the loop */

static void
progress_log(const struct progress *progress)
{
	const struct chunk *chunk = progress->chunk;
	unsigned sent = 0, refused = 0, later = 0;

	if (chunk == NULL)
		return;
	for (size_t i = 0; i < chunk->count; i++) {
		unsigned code = progress->outcomes[i].code;
		char text[LOG_TEXT_ROOM];

		sent += code >= 200 && code < 300;
		refused += code >= 500;
		later += code < 200 || (code >= 300 && code < 500);
		if (code < 200 || code >= 300)
			log_debug("job %llu: %u %s",
			    (unsigned long long)progress->job->id, code,
			    log_text(text, sizeof text,
				progress->outcomes[i].reply,
				strlen(progress->outcomes[i].reply)));
	}
	log_info("mail job=%llu sent=%u refused=%u deferred=%u",
	    (unsigned long long)progress->job->id, sent, refused, later);
}

static bool
job_has_retries(const struct job *job)
{
	const struct chunk *chunk;

	TAILQ_FOREACH(chunk, &job->flying, link)
		if (chunk->retry)
			return true;
	TAILQ_FOREACH(chunk, &job->waiting, link)
		if (chunk->retry)
			return true;
	return false;
}

static void
progress_done(struct store_op *op, int result)
{
	struct progress *progress = progress_of(op);
	struct job *job = progress->job;
	struct jobs *jobs = job->jobs;

	jobs->operations--;
	job->operations--;
	if (result != 0) {
		/* the row still says the old: what was sent is sent again after
		 * the next start, which is better than never */
		log_err("job %llu: not recorded: %s",
		    (unsigned long long)job->id, strerror(-result));
	} else {
		progress_log(progress);
		job->deferred = progress->deferred;
		job->removed = job->removed || progress->gone;
		if (progress->gone && job->queued) {
			TAILQ_REMOVE(&jobs->ready[job->level], job, link);
			job->queued = false;
		}
	}
	if (job->operations == 0 && !job_has_retries(job))
		job->retrying = false;
	chunk_free(&progress->chunk);
	free(progress->outcomes);
	free(progress);
	if (result == 0)
		job_queue(job);
	job_settle(job);
	jobs_schedule(jobs);
}

/* Everything below it is done: what flies or waits again holds it back. */
static uint32_t
job_progress(const struct job *job)
{
	uint32_t from = job->walked ? job->upper + 1 : job->cursor;
	const struct chunk *chunk;

	TAILQ_FOREACH(chunk, &job->flying, link)
		if (!chunk->retry && chunk->first < from)
			from = chunk->first;
	TAILQ_FOREACH(chunk, &job->waiting, link)
		if (!chunk->retry && chunk->first < from)
			from = chunk->first;
	return from;
}

static bool
job_walk_is_done(const struct job *job)
{
	const struct chunk *chunk;

	TAILQ_FOREACH(chunk, &job->flying, link)
		if (!chunk->retry)
			return false;
	TAILQ_FOREACH(chunk, &job->waiting, link)
		if (!chunk->retry)
			return false;
	return job->walked;
}

void
progress_submit(struct job *job, struct chunk *chunk,
    const struct outgoing_result *results)
{
	struct progress *progress = calloc(1, sizeof *progress);
	size_t count = chunk == NULL ? 0 : chunk->count;

	if (progress != NULL)
		progress->outcomes =
		    calloc(OUTGOING_MAX, sizeof *progress->outcomes);
	if (progress == NULL || progress->outcomes == NULL) {
		log_err("job %llu: out of memory", (unsigned long long)job->id);
		free(progress);
		chunk_free(&chunk);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		progress->outcomes[i].code = results[i].code;
		(void)snprintf(progress->outcomes[i].reply, REPLY_MAX, "%s",
		    results[i].reply == NULL ? "" : results[i].reply);
	}
	progress->job = job;
	progress->chunk = chunk;
	progress->from = job_progress(job);
	progress->walked = job_walk_is_done(job);
	progress->finish = job->walked && TAILQ_EMPTY(&job->flying) &&
	    TAILQ_EMPTY(&job->waiting);
	progress->now = community_now(job->jobs->community);
	progress->op.apply = progress_apply;
	progress->op.done = progress_done;
	progress->op.inbox = community_inbox(job->jobs->community);
	progress->op.bulk = true;
	job->operations++;
	job->jobs->operations++;
	store_submit(community_store(job->jobs->community), &progress->op);
}
