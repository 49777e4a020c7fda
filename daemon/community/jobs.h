/* jobs.h - mail on its way out: fan-out of articles, digests, single mails.
 *
 * A job is a row; it walks the subscriptions in chunks and records how far it
 * got, only recipients that failed for now get rows of their own. After a crash
 * a chunk may be sent twice, never zero times. Small and new jobs overtake
 * large ones; a smarthost that is down pauses all, with back-off.
 */
#ifndef KITH_COMMUNITY_JOBS_H
#define KITH_COMMUNITY_JOBS_H

#include "daemon/community/community.h"
#include "protocol/buffer.h"

struct jobs;

int jobs_new(struct jobs **jobs_r, struct community *community);
void jobs_free(struct jobs **jobs);
/* Loads what was open at the last stop. */
int jobs_load(struct jobs *jobs);
/* There may be something to do: a commit added a job, credit came back, the
 * mail process is there again, time passed. On the community's loop. */
void jobs_wake(struct jobs *jobs);
/* A new mail process: what was said of the smarthost before is forgotten. */
void jobs_mail_is_back(struct jobs *jobs);
/* Due retries are started; the back-off of the smarthost is forgotten when
 * force. */
void jobs_run_due(struct jobs *jobs, bool force);
bool jobs_is_idle(const struct jobs *jobs);

/* ---- in apply: adding jobs. Each wakes the engine after the commit. */

/* An article to the subscribers of a space in mode each. */
int job_add_list(struct store_txn *txn, struct community *community,
    uint32_t space, uint64_t artid, uint32_t except_member, uint32_t ticket);
/* An issue: articles (from, upto] of a space to the subscribers in that mode
 * (digest, plain). */
struct job_digest {
	uint32_t space;
	Kith__Mode mode;
	uint32_t from, upto;
	unsigned issue; /* its number */
};
int job_add_digest(struct store_txn *txn, struct community *community,
    const struct job_digest *digest);

/* One mail, its header wholly ours. */
struct job_mail {
	const char *purpose; /* "confirm", "ticket", ... for logs */
	const char *envelope_from; /* "" null sender; NULL: VERP of space */
	uint32_t space; /* 0: none */
	uint32_t ticket;
	const char *const *recipients; /* addresses as written */
	const char *const *reply_to;   /* one each, or NULL */
	size_t recipient_count;
	struct span head; /* complete header lines, CRLF, no empty line */
	struct span body; /* unstuffed CRLF text; empty with artid */
	uint64_t artid; /* body (and MIME header lines) of this article, with
			 * every token masked */
};
int job_add_mail(struct store_txn *txn, struct community *community,
    const struct job_mail *mail);

/* Takes a job out, sent or not; its deferred rows go when they are due. */
int job_remove(struct store_txn *txn, struct community *community, uint64_t id);
/* Takes out what still carries an article to the readers of a space, or as
 * single mails: it is to be read no more. */
int job_remove_article(struct store_txn *txn, struct community *community,
    uint32_t space, uint64_t artid);

#endif
