/* digest.c - when a digest is due, and the making of an issue.
 *
 * An issue is one operation: the cursor of the space moves and the jobs are
 * added, so that an article is in exactly one issue whatever dies in between.
 * How an issue looks is digest_render.c.
 */
#include "daemon/community/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/community/jobs.h"
#include "daemon/community/space_arrays.h"
#include "daemon/community/spaces.h"
#include "daemon/log.h"
#include "store/overview.h"
#include "store/sequence.h"

/* Bounds of one issue; what is left over is the next one's. */
#define ISSUE_ARTICLES_MAX 200u
#define ISSUE_BYTES_MAX	   (2u * 1024u * 1024u)

/* Spaces that are read of in one turn of the loop. */
#define DUE_SLICE 64u
/* Whether an issue is due changes with each article, and with the hour. */
#define DUE_AGAIN 60u /* seconds */

/* What is known of a space without reading: its cursor, and that nothing was due
 * when it was looked at last. */
struct digest_cursor {
	uint32_t last_number;
	bool known;
	uint32_t looked_high; /* the newest article then; 0: not yet looked at */
	uint64_t again;	      /* when to look even if nothing came */
};

struct digests {
	struct community *community;
	struct space_rows cursors; /* struct digest_cursor */
	bool posted;  /* a slice is to come */
	bool closing; /* and is the last one: it frees what is left */
};

/* ---- one issue */

struct issue_op {
	struct store_op op;
	struct digests *digests;
	uint32_t space;
	uint32_t from, upto; /* articles (from, upto] */
	unsigned articles;
	Kith__DigestState state; /* as it will be */
	void (*done)(void *arg, int error, unsigned issue, unsigned articles);
	void *arg;
};

static bool
has_readers(const Kith__DigestState *state)
{
	return state->digest_readers > 0 || state->plain_readers > 0;
}

/* How far one issue reaches from the cursor. */
static int
issue_bounds(struct store_reader *reader, struct issue_op *issue, uint32_t high)
{
	struct store_overview_row row;
	uint64_t bytes = 0;
	char *copy;
	int error;

	issue->articles = 0;
	for (issue->upto = issue->from; issue->upto < high; issue->upto++) {
		if (issue->articles == ISSUE_ARTICLES_MAX ||
		    issue->upto - issue->from == 10 * ISSUE_ARTICLES_MAX)
			break;
		error = store_overview_get(
		    reader, issue->space, issue->upto + 1, &row, &copy);
		if (error == -ENOENT)
			continue;
		if (error != 0)
			return error;
		free(copy);
		if (issue->articles > 0 && bytes + row.bytes > ISSUE_BYTES_MAX)
			break;
		bytes += row.bytes;
		issue->articles++;
	}
	return 0;
}

static int
issue_check(struct store_txn *txn, struct store_op *op)
{
	struct issue_op *issue = (struct issue_op *)(void *)op;
	struct store_reader *reader = store_txn_reader(txn);
	struct store_space_state space;
	int error;

	error = digest_state_get(reader, issue->space, &issue->state);
	if (error == 0)
		error = store_space_state_get(reader, issue->space, &space);
	if (error != 0)
		return error;
	issue->articles = 0;
	issue->from = issue->upto = issue->state.last_number;
	if (space.high <= issue->from)
		return 1;
	if (issue->from + 1 < space.low) /* expired meanwhile */
		issue->from = issue->upto = space.low - 1;
	/* nobody reads digests here: who joins later gets what comes later */
	if (!has_readers(&issue->state)) {
		issue->upto = space.high;
		return 0;
	}
	return issue_bounds(reader, issue, space.high);
}

/* Each form that somebody reads. */
static int
issue_add_jobs(struct store_txn *txn, const struct issue_op *issue)
{
	const struct {
		Kith__Mode mode;
		uint32_t readers;
	} forms[] = {
		{ KITH__MODE__MODE_DIGEST, issue->state.digest_readers },
		{ KITH__MODE__MODE_PLAIN, issue->state.plain_readers },
	};
	int error = 0;

	for (size_t i = 0; error == 0 && i < 2; i++)
		if (forms[i].readers > 0)
			error = job_add_digest(txn, issue->digests->community,
			    &(struct job_digest){ .space = issue->space,
				.mode = forms[i].mode,
				.from = issue->from,
				.upto = issue->upto,
				.issue = issue->state.issue });
	return error;
}

static int
issue_apply(struct store_txn *txn, struct store_op *op)
{
	struct issue_op *issue = (struct issue_op *)(void *)op;
	Kith__Event event;
	struct store_key key = store_key_u32(issue->space);
	int error = 0;

	kith__event__init(&event);
	issue->state.last_number = issue->upto;
	if (issue->articles > 0) {
		/* check fills the state anew, so a retry counts it once */
		issue->state.issue++;
		event.time = community_now(issue->digests->community);
		event.verb = KITH__VERB__VERB_DIGEST_SENT;
		event.space = issue->space;
		event.number = issue->upto;
		event.object = issue->state.issue;
		error = store_sequence_append(txn, &event, NULL);
	}
	if (error == 0 && issue->articles > 0)
		error = issue_add_jobs(txn, issue);
	if (error == 0)
		error = store_put(txn, STORE_DIGESTS, &key, &issue->state.base);
	return error;
}

static void
issue_done(struct store_op *op, int result)
{
	struct issue_op *issue = (struct issue_op *)(void *)op;
	struct digest_cursor *cursor =
	    space_rows_at(&issue->digests->cursors, issue->space);

	if (result >= 0 && cursor != NULL) {
		cursor->last_number = issue->state.last_number;
		cursor->known = true;
	}
	if (result < 0)
		log_err("digest space=%u: %s", issue->space, strerror(-result));
	else if (issue->articles > 0)
		log_info("digest space=%u issue=%u articles=%u", issue->space,
		    issue->state.issue, issue->articles);
	issue->done(issue->arg, result < 0 ? result : 0, issue->state.issue,
	    result == 0 ? issue->articles : 0);
	free(issue);
}

void
digest_send(struct digests *digests, uint32_t space,
    void (*done)(void *arg, int error, unsigned issue, unsigned articles),
    void *arg)
{
	struct issue_op *issue = calloc(1, sizeof *issue);

	if (issue == NULL) {
		done(arg, -ENOMEM, 0, 0);
		return;
	}
	issue->op.check = issue_check;
	issue->op.apply = issue_apply;
	issue->op.done = issue_done;
	issue->op.inbox = community_inbox(digests->community);
	issue->op.bulk = true;
	issue->digests = digests;
	issue->space = space;
	issue->done = done;
	issue->arg = arg;
	store_submit(community_store(digests->community), &issue->op);
}

/* ---- what is due */

/* One look over the spaces; lives until its last issue is written down. */
struct due_run {
	struct digests *digests;
	struct space_ids spaces;
	size_t at;
	size_t open; /* issues under way, and one for the run itself */
	void (*done)(void *arg);
	void *arg;
};

/* Did the hour strike between the arrival of the oldest article and now? */
static bool
hour_has_come(unsigned hour, uint64_t oldest, uint64_t now)
{
	time_t seconds = (time_t)now;
	struct tm local;
	time_t struck;

	if (localtime_r(&seconds, &local) == NULL)
		return false;
	local.tm_hour = (int)hour;
	local.tm_min = local.tm_sec = 0;
	local.tm_isdst = -1;
	struck = mktime(&local);
	if (struck > seconds) {
		local.tm_mday--;
		local.tm_isdst = -1;
		struck = mktime(&local);
	}
	return struck >= 0 && (uint64_t)struck >= oldest;
}

/* Walks what is pending until something makes it due. */
static bool
pending_is_due(struct store_reader *reader, const struct space *space,
    uint32_t from, uint32_t high, uint64_t now)
{
	struct store_overview_row row;
	uint64_t bytes = 0;
	unsigned articles = 0;
	char *copy;

	for (uint32_t number = from + 1; number <= high && number != 0; number++) {
		if (store_overview_get(reader, space->id, number, &row, &copy) != 0)
			continue;
		free(copy);
		bytes += row.bytes;
		articles++;
		if (hour_has_come(space->digest_hour, row.time, now) ||
		    articles >= space->digest_articles ||
		    bytes >= (uint64_t)space->digest_kilobytes * 1024u)
			return true;
		if (articles == ISSUE_ARTICLES_MAX)
			return true;
	}
	return false;
}

/* Reads what its cursor does not know. */
static bool
cursor_is_due(struct community *community, struct digest_cursor *cursor,
    const struct space *space, const struct store_space_state *state)
{
	struct store_view *view = store_view_begin(community_store(community));
	uint64_t now = community_now(community);
	Kith__DigestState digest;
	bool due = false;

	if (view == NULL ||
	    digest_state_get(store_view_reader(view), space->id, &digest) != 0)
		goto out;
	cursor->last_number = digest.last_number;
	cursor->known = true;
	cursor->looked_high = state->high;
	/* Without readers nothing is, until somebody joins: and he gets what
	 * comes later. */
	cursor->again = has_readers(&digest) ? now + DUE_AGAIN : UINT64_MAX;
	due = has_readers(&digest) && state->high > digest.last_number &&
	    pending_is_due(store_view_reader(view), space,
		digest.last_number + 1 < state->low ? state->low - 1
						    : digest.last_number,
		state->high, now);
out:
	store_view_end(&view);
	return due;
}

static bool
cursor_is_quiet(const struct digest_cursor *cursor,
    const struct store_space_state *state, uint64_t now)
{
	if (state->count == 0)
		return true;
	if (!cursor->known)
		return false;
	return state->high <= cursor->last_number ||
	    (state->high == cursor->looked_high && now < cursor->again);
}

static bool
space_is_due(struct digests *digests, uint32_t id)
{
	struct community *community = digests->community;
	struct digest_cursor *cursor = space_rows_at(&digests->cursors, id);
	struct space *space = spaces_by_id(community_spaces(community), id);
	struct store_space_state state;
	bool due = false;

	if (space != NULL && cursor != NULL &&
	    store_space_state_published(community_store(community), id,
		&state) &&
	    !cursor_is_quiet(cursor, &state, community_now(community)))
		due = cursor_is_due(community, cursor, space, &state);
	space_unref(space);
	return due;
}

static void
due_run_release(struct due_run *run)
{
	if (--run->open > 0)
		return;
	if (run->done != NULL)
		run->done(run->arg);
	free(run->spaces.ids);
	free(run);
}

static void
due_issue_done(void *arg, int error, unsigned issue, unsigned articles)
{
	(void)error;
	(void)issue;
	(void)articles;
	due_run_release(arg);
}

/* Under the directory's lock: just those that may have something. */
static int
due_candidate(void *arg, const struct space *space)
{
	struct due_run *run = arg;
	struct digest_cursor *cursor =
	    space_rows_at(&run->digests->cursors, space->id);
	struct store_space_state state;

	if (space->mail[0] == '\0' || cursor == NULL ||
	    !store_space_state_published(
		community_store(run->digests->community), space->id, &state) ||
	    cursor_is_quiet(cursor, &state,
		community_now(run->digests->community)))
		return 0;
	return space_ids_add(&run->spaces, space->id);
}

/* Ten thousand spaces must not keep the loop from its sessions. */
static void
due_slice(void *arg)
{
	struct due_run *run = arg;
	struct digests *digests = run->digests;

	digests->posted = false;
	if (digests->closing) {
		digests_free(&digests);
		free(run->spaces.ids);
		free(run);
		return;
	}
	for (size_t i = 0; i < DUE_SLICE && run->at < run->spaces.count; i++) {
		uint32_t space = run->spaces.ids[run->at++];

		if (!space_is_due(digests, space))
			continue;
		run->open++;
		digest_send(digests, space, due_issue_done, run);
	}
	if (run->at < run->spaces.count)
		digests->posted = loop_post(community_loop(digests->community),
				      due_slice, run) == 0;
	/* out of memory: the rest is for the next run */
	if (!digests->posted)
		due_run_release(run);
}

void
digest_run_due(struct digests *digests, void (*done)(void *arg), void *arg)
{
	struct due_run *run = calloc(1, sizeof *run);

	if (run == NULL) {
		if (done != NULL)
			done(arg);
		return;
	}
	run->digests = digests;
	run->open = 1;
	run->done = done;
	run->arg = arg;
	(void)spaces_each(
	    community_spaces(digests->community), due_candidate, run);
	due_slice(run);
}

/* ---- life */

struct digests *
digests_new(struct community *community)
{
	struct digests *digests = calloc(1, sizeof *digests);

	if (digests == NULL)
		return NULL;
	digests->community = community;
	digests->cursors.size = sizeof(struct digest_cursor);
	return digests;
}

void
digests_free(struct digests **digests)
{
	struct digests *own = *digests;

	*digests = NULL;
	if (own == NULL)
		return;
	own->closing = true;
	if (own->posted)
		return;
	free(own->cursors.rows);
	free(own);
}
