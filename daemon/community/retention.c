/* retention.c - when articles expire: whose turn it is, and one slice after the
 * other.
 *
 * For each space that has limits it is remembered here when its next article
 * ends; a space is looked at only then, when its limits were changed, or when
 * it holds more than its count, which is known without reading.
 */
#include "daemon/community/retention.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/community/space_arrays.h"
#include "daemon/log.h"
#include "store/overview.h"

#define HOUR   3600u
#define MINUTE 60u
/* How often a space is looked at: not for each article, and for a header that
 * came meanwhile. */
#define LOOK_SOONEST (10u * MINUTE)
#define LOOK_LATEST  HOUR
#define DAY	     86400u

/* What is known of a space without reading. */
struct cursor {
	struct space_limits limits; /* those it was looked at with */
	uint64_t due;
	uint64_t count_due; /* before that its count is no reason */
};

struct run {
	struct store_op op;
	struct retention *retention;
	struct space_ids spaces;
	size_t at;
	struct retention_slice slice;  /* as the next operation finds it */
	struct retention_slice worked; /* and as it left it */
	uint64_t articles;
	void (*done)(void *arg);
	void *arg;
};

struct retention {
	struct community *community;
	struct space_rows cursors; /* struct cursor */
};

/* ---- whose turn it is */

static bool
limits_expire(const struct space_limits *limits)
{
	return limits->expire_days != 0 || limits->expire_count != 0 ||
	    limits->expire_header;
}

static bool
limits_are(const struct space_limits *a, const struct space_limits *b)
{
	return a->expire_days == b->expire_days &&
	    a->expire_count == b->expire_count &&
	    a->expire_header == b->expire_header;
}

static bool
space_is_due(struct retention *retention, const struct space *space,
    uint64_t now)
{
	const struct space_limits *limits = &space->limits;
	struct store_space_state state;
	const struct cursor *cursor;

	if (!limits_expire(limits))
		return false;
	cursor = space_rows_at(&retention->cursors, space->id);
	if (cursor == NULL ||
	    !store_space_state_published(
		community_store(retention->community), space->id, &state) ||
	    state.count == 0)
		return false;
	if (!limits_are(limits, &cursor->limits) || now >= cursor->due)
		return true;
	return limits->expire_count != 0 &&
	    state.count > limits->expire_count && now >= cursor->count_due;
}

/* Under the directory's lock: whatever is read here is in memory. */
static int
run_add(void *arg, const struct space *space)
{
	struct run *run = arg;

	if (!space_is_due(run->retention, space,
		community_now(run->retention->community)))
		return 0;
	return space_ids_add(&run->spaces, space->id);
}

/* ---- the operations */

/* False: the space went away. */
static bool
slice_begin(struct run *run)
{
	struct community *community = run->retention->community;
	struct space *space =
	    spaces_by_id(community_spaces(community), run->spaces.ids[run->at]);

	if (space == NULL)
		return false;
	memset(&run->slice, 0, sizeof run->slice);
	run->slice.space = space->id;
	run->slice.limits = space->limits;
	run->slice.now = community_now(community);
	run->slice.next = UINT64_MAX;
	space_unref(space);
	return true;
}

/* One slice; phases without anything to do are passed at once. */
static int
run_check(struct store_txn *txn, struct store_op *op)
{
	struct run *run = (struct run *)(void *)op;
	struct retention_slice *slice = &run->worked;
	int rc;

	*slice = run->slice;
	for (;;) {
		rc = retention_slice_find(store_txn_reader(txn), slice);
		if (rc != 0)
			return rc;
		if (slice->count > 0 || slice->more)
			return 0;
		slice->phase++;
		slice->from = 0;
		if (slice->phase == RETENTION_PHASES)
			return 1;
	}
}

static int
run_apply(struct store_txn *txn, struct store_op *op)
{
	struct run *run = (struct run *)(void *)op;

	return retention_slice_drop(txn, run->retention->community,
	    &run->worked);
}

static void
cursor_set(struct retention *retention, const struct retention_slice *slice)
{
	struct cursor *cursor =
	    space_rows_at(&retention->cursors, slice->space);
	uint64_t now = slice->now, next = slice->next;

	if (cursor == NULL)
		return;
	/* empty now: the next one comes later than now */
	if (slice->limits.expire_days != 0 && next == UINT64_MAX)
		next = now + (uint64_t)slice->limits.expire_days * DAY;
	if ((slice->kept || slice->limits.expire_header) &&
	    next > now + LOOK_LATEST)
		next = now + LOOK_LATEST;
	if (next < now + LOOK_SOONEST)
		next = now + LOOK_SOONEST;
	cursor->limits = slice->limits;
	cursor->due = next;
	cursor->count_due = slice->kept ? now + LOOK_LATEST : 0;
}

static void
run_end(struct run *run)
{
	if (run->articles > 0)
		log_info("expired articles=%llu spaces=%zu",
		    (unsigned long long)run->articles, run->spaces.count);
	run->done(run->arg);
	free(run->spaces.ids);
	free(run);
}

static void
run_next(struct run *run)
{
	while (run->at < run->spaces.count && !slice_begin(run))
		run->at++;
	if (run->at == run->spaces.count)
		run_end(run);
	else
		store_submit(community_store(run->retention->community),
		    &run->op);
}

static void
run_done(struct store_op *op, int result)
{
	struct run *run = (struct run *)(void *)op;
	struct retention_slice *slice = &run->worked;

	if (result == 0) {
		run->articles += slice->count;
		run->slice = *slice;
		if (!slice->more) {
			run->slice.phase++;
			run->slice.from = 0;
		}
		if (run->slice.phase < RETENTION_PHASES) {
			store_submit(
			    community_store(run->retention->community), op);
			return;
		}
	} else if (result < 0) {
		log_err("expiry of space %u: %s", run->slice.space,
		    strerror(-result));
		/* not again in a moment: nobody has mended it by then */
		slice->kept = true;
		slice->next = slice->now + LOOK_LATEST;
	}
	cursor_set(run->retention, slice);
	run->at++;
	run_next(run);
}

void
retention_run_due(struct retention *retention, void (*done)(void *arg),
    void *arg)
{
	struct run *run = calloc(1, sizeof *run);

	if (run == NULL) { /* the next turn will do */
		done(arg);
		return;
	}
	run->retention = retention;
	run->done = done;
	run->arg = arg;
	run->op.check = run_check;
	run->op.apply = run_apply;
	run->op.done = run_done;
	run->op.inbox = community_inbox(retention->community);
	run->op.bulk = true;
	(void)spaces_each(community_spaces(retention->community), run_add, run);
	run_next(run);
}

/* ---- life */

struct retention *
retention_new(struct community *community)
{
	struct retention *retention = calloc(1, sizeof *retention);

	if (retention == NULL)
		return NULL;
	retention->community = community;
	retention->cursors.size = sizeof(struct cursor);
	return retention;
}

void
retention_free(struct retention **retention)
{
	if (*retention == NULL)
		return;
	free((*retention)->cursors.rows);
	free(*retention);
	*retention = NULL;
}
