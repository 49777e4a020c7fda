/* jobs_commit.c - what an operation changes in the engine: jobs come and go
 * only after the commit, on the community's loop.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/jobs_private.h"

#define CARRIERS_MAX 16u /* jobs that carry one article into one space */

/* ---- jobs that a commit added */

struct arrival {
	struct jobs *jobs;
	struct job *job;
};

static void
job_arrive(void *arg)
{
	struct arrival *arrival = arg;
	struct jobs *jobs = arrival->jobs;

	(void)__atomic_sub_fetch(&jobs->arriving, 1, __ATOMIC_RELEASE);
	if (jobs->closing)
		job_free(arrival->job);
	else
		job_insert(arrival->job);
	free(arrival);
	if (!jobs_are_gone(jobs))
		jobs_schedule(jobs);
}

static void
arrival_drop(void *arg)
{
	struct arrival *arrival = arg;

	job_free(arrival->job);
	free(arrival);
}

static void
arrival_publish(void *arg)
{
	struct arrival *arrival = arg;
	struct jobs *jobs = arrival->jobs;

	(void)__atomic_add_fetch(&jobs->arriving, 1, __ATOMIC_RELEASE);
	if (loop_post(community_loop(jobs->community), job_arrive, arrival) !=
	    0) {
		/* it is on disk, and the next start finds it */
		(void)__atomic_sub_fetch(&jobs->arriving, 1, __ATOMIC_RELEASE);
		arrival_drop(arrival);
	}
}

int
job_announce(struct store_txn *txn, struct jobs *jobs, uint64_t id,
    const Kith__Job *row)
{
	struct arrival *arrival;
	int rc;

	if (jobs == NULL)
		return 0; /* a store without an engine: kept for one */
	arrival = calloc(1, sizeof *arrival);
	if (arrival == NULL)
		return -ENOMEM;
	arrival->jobs = jobs;
	arrival->job = job_from_row(jobs, id, row);
	if (arrival->job == NULL) {
		free(arrival);
		return -ENOMEM;
	}
	rc = store_txn_on_commit(txn, arrival_publish, arrival_drop, arrival);
	if (rc != 0)
		arrival_drop(arrival);
	return rc;
}

/* ---- a job that an admin took out */

struct departure {
	struct jobs *jobs;
	uint64_t id;
};

static void
job_depart(void *arg)
{
	struct departure *departure = arg;
	struct jobs *jobs = departure->jobs;
	struct job *job;

	(void)__atomic_sub_fetch(&jobs->arriving, 1, __ATOMIC_RELEASE);
	if (jobs_are_gone(jobs)) {
		free(departure);
		return;
	}
	job = job_find(jobs, departure->id);
	free(departure);
	if (job == NULL)
		return;
	job->removed = true;
	if (job->queued) {
		TAILQ_REMOVE(&jobs->ready[job->level], job, link);
		job->queued = false;
	}
	job_settle(job);
	jobs_schedule(jobs);
}

static void
departure_publish(void *arg)
{
	struct departure *departure = arg;
	struct jobs *jobs = departure->jobs;

	(void)__atomic_add_fetch(&jobs->arriving, 1, __ATOMIC_RELEASE);
	if (loop_post(community_loop(jobs->community), job_depart, departure) !=
	    0) {
		(void)__atomic_sub_fetch(&jobs->arriving, 1, __ATOMIC_RELEASE);
		free(departure);
	}
}

int
job_remove(struct store_txn *txn, struct community *community, uint64_t id)
{
	struct store_key key = store_key_u64(id);
	ProtobufCMessage *message = NULL;
	struct departure *departure;
	int rc = store_get(store_txn_reader(txn), STORE_JOBS, &key, &message);

	if (rc == 0) {
		rc = job_delete_rows(txn, id,
		    (const Kith__Job *)(const void *)message);
		protobuf_c_message_free_unpacked(message, NULL);
	}
	if (rc != 0 && rc != -ENOENT)
		return rc;
	departure = calloc(1, sizeof *departure);
	if (departure == NULL)
		return -ENOMEM;
	departure->jobs = community_jobs(community);
	departure->id = id;
	rc = store_txn_on_commit(txn, departure_publish, free, departure);
	if (rc != 0)
		free(departure);
	return rc;
}

struct carriers {
	struct store_reader *reader;
	uint32_t space;
	unsigned count;
	uint64_t ids[CARRIERS_MAX];
};

static int
carrier_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct carriers *carriers = arg;
	uint64_t id = store_key_get_u64(key, 8);
	struct store_key job = store_key_u64(id);
	ProtobufCMessage *row = NULL;
	int rc = store_get(carriers->reader, STORE_JOBS, &job, &row);

	(void)message;
	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	if (((const Kith__Job *)(const void *)row)->space == carriers->space)
		carriers->ids[carriers->count++] = id;
	protobuf_c_message_free_unpacked(row, NULL);
	return carriers->count == CARRIERS_MAX ? 1 : 0;
}

int
job_remove_article(struct store_txn *txn, struct community *community,
    uint32_t space, uint64_t artid)
{
	struct carriers carriers = { .reader = store_txn_reader(txn),
		.space = space };
	struct store_key prefix = store_key_u64(artid);
	int rc = store_walk(carriers.reader, STORE_JOBS_OF, &prefix, NULL,
	    carrier_row, &carriers);

	for (unsigned i = 0; rc >= 0 && i < carriers.count; i++)
		rc = job_remove(txn, community, carriers.ids[i]);
	return rc < 0 ? rc : 0;
}
