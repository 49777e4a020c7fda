/* queue.c - operations on their way to the writer, and how many of them make a
 * batch.
 */
#include "store/private.h"

#include <time.h>

#define BULK_NS       5000000u /* of bulk operations in one batch */
#define GATHER_NS_MAX 400000u
#define UNLUCKY       16u
#define WAKE_AT       8u /* operations that are worth waking for in a flush */

static void
queue_put(struct store_queue *queue, struct store_op *op)
{
	op->next = NULL;
	*queue->last = op;
	queue->last = &op->next;
	queue->count++;
}

static struct store_op *
queue_take(struct store_queue *queue)
{
	struct store_op *op = queue->first;

	if (op == NULL)
		return NULL;
	queue->first = op->next;
	if (queue->first == NULL)
		queue->last = &queue->first;
	queue->count--;
	return op;
}

static size_t
waiting(const struct store_writer *writer)
{
	return writer->people.count + writer->bulk.count;
}

void
store_submit(struct store *store, struct store_op *op)
{
	struct store_writer *writer = &store->writer;
	bool wake;

	op->result = 0;
	pthread_mutex_lock(&writer->lock);
	queue_put(op->bulk ? &writer->bulk : &writer->people, op);
	if (writer->away > 0)
		writer->away--;
	wake = writer->wake_at != 0 && waiting(writer) >= writer->wake_at;
	if (wake)
		writer->wake_at = 0;
	pthread_mutex_unlock(&writer->lock);
	/* Who is woken wants the lock at once. */
	if (wake)
		pthread_cond_signal(&writer->work);
}

/* ---- what the writer takes: all with the lock held -------------------- */

/* Until so many wait, the last batch is flushed, or the time (0: none) has
 * come, which makes it false. */
static bool
writer_wait(struct store_writer *writer, size_t wake_at, uint64_t until)
{
	struct timespec at = { .tv_sec = (time_t)(until / 1000000000u),
		.tv_nsec = (long)(until % 1000000000u) };
	int ret;

	writer->wake_at = wake_at;
	ret = until == 0
	    ? pthread_cond_wait(&writer->work, &writer->lock)
	    : pthread_cond_timedwait(&writer->work, &writer->lock, &at);
	writer->wake_at = 0;
	return ret == 0;
}

/* People first; of the bulk one at a time, as long as nobody else waits. */
static bool
batch_take(struct store_writer *writer, struct store_batch *batch, size_t limit)
{
	size_t had = batch->count;

	while (batch->count < limit && writer->people.count > 0)
		batch->ops[batch->count++] = queue_take(&writer->people);
	if (batch->count > had || batch->count >= limit ||
	    writer->bulk.count == 0)
		return batch->count > had;
	if (batch->bulk_until == 0)
		batch->bulk_until = store_now_ns() + BULK_NS;
	else if (store_now_ns() > batch->bulk_until)
		return false;
	batch->ops[batch->count++] = queue_take(&writer->bulk);
	return true;
}

/* Submitters that wait for their answer go round: some are in this batch, others
 * wait in the queue, and those that were just answered are likely to be back in
 * a moment. If it takes longer to run half of them than to flush, two halves
 * take turns: one is run while the other is flushed. Else the flush is what takes
 * time, and all of them should share it: 0. */
static size_t
half_of_circle(const struct store_writer *writer,
    const struct store_batch *batch)
{
	size_t half =
	    (batch->count + waiting(writer) + writer->away + 1) / 2;

	return half * writer->run_ns < writer->flush_ns ? 0 : half;
}

/* Natural batching (what came during the last flush) splits those who share a
 * flush into two groups, or into one and the rest. So wait for those who are
 * away: for less than half a flush after their answer, and not at all if it was
 * in vain of late. A lone submitter is expected alone. */
static void
batch_gather(struct store_writer *writer, const struct store_batch *batch)
{
	size_t had = waiting(writer);
	size_t want = writer->batch_max - batch->count;
	uint64_t wait = writer->flush_ns / 2;

	if (want > had + writer->away)
		want = had + writer->away;
	if (writer->closing || writer->answered <= 1 || had >= want)
		return;
	if (writer->unlucky > 0) {
		writer->unlucky--;
		return;
	}
	if (wait > GATHER_NS_MAX)
		wait = GATHER_NS_MAX;
	while (waiting(writer) < want && !writer->closing &&
	    writer_wait(writer, want, writer->answered_at + wait))
		;
	if (waiting(writer) - had < (want - had + 3) / 4)
		writer->unlucky = UNLUCKY;
}

/* The flusher is idle: what is still to be in the batch. */
static bool
batch_last(struct store_writer *writer, struct store_batch *batch)
{
	size_t half = half_of_circle(writer, batch);

	if (half != 0 && half < writer->batch_max)
		return batch_take(writer, batch, half);
	if (!batch->gathered)
		batch_gather(writer, batch);
	else if (writer->people.count > 0)
		return false;
	batch->gathered = true;
	return batch_take(writer, batch, writer->batch_max);
}

bool
store_batch_begin(struct store_writer *writer, struct store_batch *batch)
{
	batch->count = 0;
	batch->bulk_until = 0;
	batch->gathered = false;
	pthread_mutex_lock(&writer->lock);
	/* Answers may bring more to a store that is closing. */
	while (waiting(writer) == 0 &&
	    (!writer->closing || writer->flushing != NULL)) {
		writer->wants_flushed = writer->closing;
		(void)writer_wait(writer, 1, 0);
	}
	writer->wants_flushed = false;
	if (writer->flushing != NULL || !batch_last(writer, batch))
		(void)batch_take(writer, batch, writer->batch_max);
	pthread_mutex_unlock(&writer->lock);
	return batch->count > 0;
}

bool
store_batch_more(struct store_writer *writer, struct store_batch *batch)
{
	bool more = false;

	if (batch->count == writer->batch_max)
		return false;
	pthread_mutex_lock(&writer->lock);
	/* As long as it could not be flushed anyway, whatever comes. */
	writer->wants_flushed = true;
	while (writer->flushing != NULL && !more) {
		more = batch_take(writer, batch, writer->batch_max);
		if (!more)
			(void)writer_wait(writer, WAKE_AT, 0);
	}
	writer->wants_flushed = false;
	if (!more)
		more = batch_last(writer, batch);
	pthread_mutex_unlock(&writer->lock);
	return more;
}

/* ---- waiting for one -------------------------------------------------- */

struct waited {
	struct store_op op;
	struct store_op *inner;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
	int result;
};

static int
waited_check(struct store_txn *txn, struct store_op *op)
{
	struct waited *waited = (struct waited *)op;

	return waited->inner->check(txn, waited->inner);
}

static int
waited_apply(struct store_txn *txn, struct store_op *op)
{
	struct waited *waited = (struct waited *)op;

	return waited->inner->apply(txn, waited->inner);
}

static void
waited_done(struct store_op *op, int result)
{
	struct waited *waited = (struct waited *)op;

	pthread_mutex_lock(&waited->lock);
	waited->done = true;
	waited->result = result;
	pthread_cond_signal(&waited->cond);
	pthread_mutex_unlock(&waited->lock);
}

int
store_run(struct store *store, struct store_op *op)
{
	struct waited waited = { .inner = op,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.cond = PTHREAD_COND_INITIALIZER };

	waited.op.check = op->check == NULL ? NULL : waited_check;
	waited.op.apply = waited_apply;
	waited.op.done = waited_done;
	waited.op.bulk = op->bulk;
	store_submit(store, &waited.op);
	pthread_mutex_lock(&waited.lock);
	while (!waited.done)
		pthread_cond_wait(&waited.cond, &waited.lock);
	pthread_mutex_unlock(&waited.lock);
	pthread_cond_destroy(&waited.cond);
	pthread_mutex_destroy(&waited.lock);
	op->result = waited.result;
	return waited.result;
}
