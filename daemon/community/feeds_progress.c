/* feeds_progress.c - what became of a batch, on disk: the cursor moves over what
 * is settled, what the peer wants later gets a row of its own.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/feeds_private.h"
#include "daemon/log.h"

#define DELAY_MIN FEEDS_DEFERRED_SHORTEST
#define DELAY_MAX (FEEDS_DEFERRED_LONGEST - DELAY_MIN)

struct progress {
	struct store_op op;
	struct community *community;
	struct fed_peer *fed;
	struct fed_batch *batch; /* owned */
	uint64_t now;
	Kith__FeedState state;
};

/* ---- on the writer */

static int
deferred_put(struct store_txn *txn, const struct progress *progress,
    const struct fed_offer *offer)
{
	struct store_key key =
	    store_key_u32_u64(progress->fed->id, offer->artid);
	uint32_t attempts = offer->attempts + 1;
	uint64_t delay =
	    attempts > 8 ? DELAY_MAX : (uint64_t)DELAY_MIN << (attempts - 1);
	Kith__FeedDeferred row;

	kith__feed_deferred__init(&row);
	row.attempts = attempts;
	row.first = offer->attempts == 0 ? progress->now : offer->first;
	/* not all of them at the same moment */
	row.due = progress->now + (delay > DELAY_MAX ? DELAY_MAX : delay) +
	    offer->artid % DELAY_MIN;
	return store_put(txn, STORE_FEED_DEFERRED, &key, &row.base);
}

static int
deferred_delete(struct store_txn *txn, const struct progress *progress,
    const struct fed_offer *offer)
{
	struct store_key key =
	    store_key_u32_u64(progress->fed->id, offer->artid);
	int rc;

	if (!progress->batch->retry)
		return 0;
	rc = store_delete(txn, STORE_FEED_DEFERRED, &key);
	return rc == -ENOENT ? 0 : rc;
}

/* Not by the time alone, for a clock may go wrong. */
static bool
is_given_up(const struct progress *progress, const struct fed_offer *offer)
{
	return offer->attempts >=
	    FEEDS_DEFERRED_LIFE / FEEDS_DEFERRED_LONGEST &&
	    progress->now >= offer->first + FEEDS_DEFERRED_LIFE;
}

static int
offer_write(struct store_txn *txn, const struct progress *progress,
    const struct fed_offer *offer)
{
	if (offer->outcome == FEED_UNTRIED)
		return 0;
	if (offer->outcome == FEED_LATER && !is_given_up(progress, offer))
		return deferred_put(txn, progress, offer);
	return deferred_delete(txn, progress, offer);
}

/* Only from where we believe it to be: the peer may have been removed, or be
 * fed anew. */
static int
progress_check(struct store_txn *txn, struct store_op *op)
{
	const struct progress *progress =
	    (const struct progress *)(const void *)op;
	struct store_key key = store_key_u32(progress->fed->id);
	ProtobufCMessage *message = NULL;
	bool same;
	int rc = store_get(store_txn_reader(txn), STORE_FEEDS, &key, &message);

	if (rc != 0)
		return rc == -ENOENT ? 1 : rc;
	same = ((Kith__FeedState *)(void *)message)->cursor ==
	    progress->fed->state.cursor;
	protobuf_c_message_free_unpacked(message, NULL);
	return same ? 0 : 1;
}

static int
progress_apply(struct store_txn *txn, struct store_op *op)
{
	struct progress *progress = (struct progress *)(void *)op;
	struct store_key key = store_key_u32(progress->fed->id);
	struct fed_batch *batch = progress->batch;
	int rc = 0;

	for (size_t i = 0; i < batch->count && rc == 0; i++)
		rc = offer_write(txn, progress, &batch->offers[i]);
	if (rc == 0)
		rc = store_put(txn, STORE_FEEDS, &key, &progress->state.base);
	return rc;
}

/* ---- on the loop */

static void
progress_done(struct store_op *op, int result)
{
	struct progress *progress = (struct progress *)(void *)op;
	struct fed_peer *fed = progress->fed;

	if (result == 0)
		fed->state = progress->state;
	fed->writing = false;
	fed_batch_free(progress->batch);
	community_busy(progress->community, -1);
	free(progress);
	fed_recorded(fed, result);
}

static void
state_count(struct progress *progress, const struct fed_offer *offer)
{
	Kith__FeedState *state = &progress->state;

	switch (offer->outcome) {
	case FEED_SENT:
		state->sent++;
		state->time = progress->now;
		break;
	case FEED_HAD:
		state->had++;
		break;
	case FEED_REFUSED:
		state->refused++;
		break;
	case FEED_LATER:
		if (is_given_up(progress, offer))
			state->dropped++;
		progress->fed->deferred++;
		if (progress->fed->retry_at > progress->now + DELAY_MIN)
			progress->fed->retry_at = progress->now + DELAY_MIN;
		break;
	case FEED_UNTRIED:
		progress->fed->retry_at = 0;
		break;
	case FEED_GONE:
	case FEED_STUCK:
	case FEED_OUTCOMES:
	default:
		break;
	}
}

/* The cursor behind the batch, or before the first that was not tried: then all
 * that follows is offered again. */
static void
progress_move(struct progress *progress)
{
	struct fed_batch *batch = progress->batch, *other;
	struct fed_peer *fed = progress->fed;
	size_t tried = 0;

	if (batch->retry) {
		for (size_t i = 0; i < batch->count; i++)
			state_count(progress, &batch->offers[i]);
		return;
	}
	while (tried < batch->count &&
	    batch->offers[tried].outcome != FEED_UNTRIED)
		state_count(progress, &batch->offers[tried++]);
	if (tried == batch->count) {
		progress->state.cursor = batch->upto;
		return;
	}
	if (batch->offers[tried].seq - 1 > progress->state.cursor)
		progress->state.cursor = batch->offers[tried].seq - 1;
	batch->count = tried;
	fed->walked = progress->state.cursor;
	TAILQ_FOREACH(other, &fed->batches, entry)
		if (!other->retry)
			other->stale = true;
}

void
fed_record(struct fed_peer *fed)
{
	struct fed_batch *batch = TAILQ_FIRST(&fed->batches);
	struct progress *progress;

	while (batch != NULL && batch->answered && batch->stale) {
		TAILQ_REMOVE(&fed->batches, batch, entry);
		fed->open--;
		fed_batch_free(batch);
		batch = TAILQ_FIRST(&fed->batches);
	}
	if (fed->writing || fed->gone || batch == NULL || !batch->answered)
		return;
	progress = calloc(1, sizeof *progress);
	if (progress == NULL)
		return; /* the next timer finds it answered */
	TAILQ_REMOVE(&fed->batches, batch, entry);
	fed->open--;
	progress->community = fed->feeds->community;
	progress->fed = fed;
	progress->batch = batch;
	progress->now = community_now(progress->community);
	progress->state = fed->state;
	progress_move(progress);
	progress->op = (struct store_op){ .check = progress_check,
		.apply = progress_apply,
		.done = progress_done,
		.inbox = community_inbox(progress->community),
		.bulk = true };
	fed->writing = true;
	community_busy(progress->community, 1);
	store_submit(community_store(progress->community), &progress->op);
}
