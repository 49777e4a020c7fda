/* jobs_private.h - the parts of the engine that carries mail out. Private to
 * jobs*.c.
 *
 * A job in memory is what its row says and how far it is now; a chunk is at most
 * OUTGOING_MAX recipients on their way. All on the community's loop, but for
 * what runs inside operations.
 */
#ifndef KITH_COMMUNITY_JOBS_PRIVATE_H
#define KITH_COMMUNITY_JOBS_PRIVATE_H

#include <sys/queue.h>

#include "daemon/community/jobs.h"
#include "store/store.h"

#define JOB_LEVELS     16u
#define JOB_BUCKETS    1024u
#define JOBS_IN_FLIGHT 8u /* chunks */
#define JOB_LIFE       432000u /* seconds that a recipient is tried: 5 days */
#define JOB_RETRY_LONGEST 14400u /* s between two tries */
#define CHUNK_BYTES    45000u /* of envelopes and heads, below a frame */

enum job_body { BODY_NONE, BODY_MAKING, BODY_READY };

/* A recipient of a chunk. */
struct chunk_recipient {
	uint32_t id;  /* address id, or index in a JOB_MAIL */
	uint64_t due; /* key of the deferred row; 0: first try */
	uint32_t address; /* address id; 0: unknown */
	char *envelope_from;
	char *text;
	char *head;
};

struct chunk {
	struct job *job;
	TAILQ_ENTRY(chunk) link;
	bool retry;    /* of deferred rows */
	bool composed; /* texts are there */
	uint32_t first; /* first id of a walk's chunk */
	size_t count;
	size_t dropped; /* behind those: need no copy any more */
	struct chunk_recipient recipients[OUTGOING_MAX];
};
TAILQ_HEAD(chunk_list, chunk);

struct job {
	struct jobs *jobs;
	TAILQ_ENTRY(job) link;	/* in ready, while queued */
	struct job *next;	/* in its bucket */
	uint64_t id;
	Kith__JobKind kind;
	uint32_t space;
	uint64_t artid;
	Kith__Mode mode;
	uint32_t cursor; /* first id not yet put into a chunk */
	uint32_t upper;
	uint32_t except_member;
	uint32_t ticket;
	uint32_t deferred; /* rows, as of the last operation */
	uint64_t created;
	unsigned level;
	bool queued;
	bool walked;
	bool retrying; /* chunks of deferred rows are about */
	bool removed;
	enum job_body body;
	unsigned operations; /* under way */
	struct chunk_list flying;  /* handed to the mail process */
	struct chunk_list waiting; /* to be handed over (again) */
	char *envelope_from; /* JOB_MAIL: "" null sender, "+" VERP */
};
TAILQ_HEAD(job_list, job);

struct jobs {
	struct community *community;
	struct job_list ready[JOB_LEVELS];
	struct job *buckets[JOB_BUCKETS];
	unsigned flying;      /* chunks */
	unsigned making;      /* bodies */
	unsigned bodies;      /* being made, or with the mail process */
	unsigned operations;  /* under way */
	unsigned arriving;    /* atomic: committed, not yet in a list */
	bool blocked;	      /* no credit: until something comes back */
	bool turn_posted;
	uint64_t paused_until; /* the smarthost is away */
	unsigned back_off;     /* seconds */
	bool closing;
};

/* ---- jobs_add.c */
/* In apply: takes a job's row out, and what goes with it but deferred rows. 0 or
 * negative. */
int job_delete_rows(struct store_txn *txn, uint64_t id, const Kith__Job *row);

/* ---- jobs.c */
struct job *job_find(struct jobs *jobs, uint64_t id);
/* A job of this row in memory. NULL: no memory. */
struct job *job_from_row(struct jobs *jobs, uint64_t id, const Kith__Job *row);
void job_insert(struct job *job); /* among those of its engine, in line */
void job_free(struct job *job);	  /* one that was not inserted, or is out */
/* Puts it in line, unless it is, or has nothing to do now. */
void job_queue(struct job *job);
/* Frees it if nothing holds it any more and it is removed; frees its body with
 * the mail process if nothing needs that now. */
void job_settle(struct job *job);
void jobs_schedule(struct jobs *jobs);
/* For what was posted to the loop: has the engine ended meanwhile? Then it is
 * freed by whoever comes last. */
bool jobs_are_gone(struct jobs *jobs);

/* ---- jobs_commit.c
 * In apply: the engine gets the job after the commit. jobs may be NULL. */
int job_announce(struct store_txn *txn, struct jobs *jobs, uint64_t id,
    const Kith__Job *row);

/* ---- jobs_body.c: makes the body and hands it to the mail process. Ends in
 * job_body_done(), at once or later. */
void job_body_make(struct job *job);
/* jobs.c. error: 0, -EAGAIN (no credit), -ENOENT (nothing left to send), or
 * another failure. */
void job_body_done(struct job *job, int error);

/* ---- jobs_chunk.c */
/* The next chunk of a walk, or NULL: none left (job->walked) or *error_r. */
struct chunk *chunk_next(struct job *job, int *error_r);
/* Fills in texts of a chunk of deferred rows. */
int chunk_compose(struct chunk *chunk);
void chunk_free(struct chunk **chunk);

/* ---- jobs_progress.c */
/* Takes the chunk (NULL: only where the job is now) and writes down what became
 * of it. */
void progress_submit(struct job *job, struct chunk *chunk,
    const struct outgoing_result *results);

/* ---- jobs_retry.c */
void jobs_retry(struct jobs *jobs, bool force);

#endif
