/* writer.c - the one thread that writes: queues, batches, group commit.
 */
#include "store/private.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RETRIES         1000u
#define RETRIES_AT_ONCE 10u
#define BULK_NS         5000000u /* of bulk operations in one batch */
#define GATHER_NS_MAX   400000u
#define UNLUCKY         16u

enum outcome {
	OUTCOME_DONE,
	OUTCOME_AGAIN, /* a deadlock: the same once more */
	OUTCOME_ALONE, /* an apply failed: each for itself */
};

/* ---- queues ----------------------------------------------------------- */

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

void
store_submit(struct store *store, struct store_op *op)
{
	struct store_writer *writer = &store->writer;
	size_t waiting;

	op->result = 0;
	pthread_mutex_lock(&writer->lock);
	if (op->bulk) {
		queue_put(&writer->bulk, op);
	} else {
		queue_put(&writer->people, op);
		atomic_store(&writer->people_waiting, writer->people.count);
	}
	waiting = writer->people.count + writer->bulk.count;
	if (writer->wake_at != 0 && waiting >= writer->wake_at) {
		writer->wake_at = 0;
		pthread_cond_signal(&writer->work);
	}
	pthread_mutex_unlock(&writer->lock);
}

static struct timespec
time_after(uint64_t ns)
{
	uint64_t at = store_now_ns() + ns;

	return (struct timespec){ .tv_sec = (time_t)(at / 1000000000u),
		.tv_nsec = (long)(at % 1000000000u) };
}

/* Natural batching (what came during the last commit) splits submitters that
 * wait for their answer into two groups, or into one and the rest. Those that
 * the last batch answered are likely to be back in a moment, so wait for them:
 * for less than half a commit, and not at all if it was in vain of late. A lone
 * submitter is expected alone. With the lock held. */
static void
writer_gather(struct store_writer *writer, size_t batch_max)
{
	size_t had = writer->people.count + writer->bulk.count;
	size_t want = had + writer->finished;
	size_t have = had;
	struct timespec until;

	if (want > batch_max)
		want = batch_max;
	if (writer->closing || writer->finished <= 1 || had >= want)
		return;
	if (writer->unlucky > 0) {
		writer->unlucky--;
		return;
	}
	until = time_after(writer->commit_ns / 2 < GATHER_NS_MAX
		? writer->commit_ns / 2
		: GATHER_NS_MAX);
	while (have < want && !writer->closing) {
		writer->wake_at = want;
		if (pthread_cond_timedwait(&writer->work, &writer->lock,
			&until) != 0)
			break;
		have = writer->people.count + writer->bulk.count;
	}
	have = writer->people.count + writer->bulk.count;
	if (have - had < (want - had + 3) / 4)
		writer->unlucky = UNLUCKY;
}

/* Waits for work and takes a batch; 0: closing and nothing left. Bulk
 * operations are left in their queue but for one: see batch_fill. */
static size_t
batch_take(struct store *store)
{
	struct store_writer *writer = &store->writer;
	size_t max = store->options.batch_max;
	size_t count = 0;

	pthread_mutex_lock(&writer->lock);
	while (writer->people.count + writer->bulk.count == 0 &&
	    !writer->closing) {
		writer->wake_at = 1;
		pthread_cond_wait(&writer->work, &writer->lock);
	}
	writer_gather(writer, max);
	writer->wake_at = 0;
	while (count < max && writer->people.count > 0)
		writer->batch[count++] = queue_take(&writer->people);
	atomic_store(&writer->people_waiting, writer->people.count);
	if (count < max && writer->bulk.count > 0)
		writer->batch[count++] = queue_take(&writer->bulk);
	pthread_mutex_unlock(&writer->lock);
	return count;
}

/* One more bulk operation, if nobody waits and there is time and room. */
static bool
batch_fill(struct store *store, size_t count, uint64_t began)
{
	struct store_writer *writer = &store->writer;
	struct store_op *op;

	if (count >= store->options.batch_max ||
	    atomic_load(&writer->people_waiting) > 0 ||
	    store_now_ns() - began > BULK_NS)
		return false;
	pthread_mutex_lock(&writer->lock);
	op = queue_take(&writer->bulk);
	pthread_mutex_unlock(&writer->lock);
	if (op == NULL)
		return false;
	writer->batch[count] = op;
	return true;
}

/* ---- one transaction -------------------------------------------------- */

static enum outcome
op_run(struct store_txn *txn, struct store_op *op)
{
	op->result = 0;
	if (op->check != NULL) {
		op->result = op->check(txn, op);
		if (txn->deadlocked)
			return OUTCOME_AGAIN;
		if (op->result == 0)
			op->result = txn->broken;
		txn->broken = 0; /* it has written nothing */
		if (op->result != 0)
			return OUTCOME_DONE;
	}
	op->result = op->apply(txn, op);
	if (txn->deadlocked)
		return OUTCOME_AGAIN;
	if (op->result == 0)
		op->result = txn->broken;
	return op->result == 0 ? OUTCOME_DONE : OUTCOME_ALONE;
}

static enum outcome
txn_failed(struct store_txn *txn, struct store_op **ops, size_t count, int rc)
{
	if (rc == -ENOSPC)
		store_room_out(txn->reader.store);
	store_txn_forget(txn);
	if (count > 1)
		return OUTCOME_ALONE;
	ops[0]->result = rc;
	return OUTCOME_DONE;
}

static void
txn_commit(struct store *store, struct store_txn *txn)
{
	struct store_writer *writer = &store->writer;
	DB_TXN *db_txn = txn->reader.txn;
	uint64_t began = store_now_ns();
	uint64_t took;
	int ret;

	store_views_hold(store);
	ret = db_txn->commit(db_txn, DB_TXN_SYNC);
	if (ret == ENOSPC)
		store_room_give_up_reserve(store); /* for the recovery */
	if (ret != 0)
		store_fatal(store, "a commit failed: %s", db_strerror(ret));
	took = store_now_ns() - began;
	writer->commit_ns =
	    writer->commit_ns == 0 ? took : (7 * writer->commit_ns + took) / 8;
	writer->committed = txn->system;
	store_txn_publish(txn);
	store_keeper_nudge(store);
}

/* Runs ops[0 .. *count) in one transaction, with more bulk if `fill`. */
static enum outcome
txn_run(struct store *store, struct store_op **ops, size_t *count, bool fill)
{
	struct store_txn *txn = &store->writer.txn;
	uint64_t began = store_now_ns();
	enum outcome outcome = OUTCOME_DONE;
	int rc = store_txn_begin(store, txn, &store->writer.committed);

	if (rc != 0)
		store_fatal(store, "cannot begin a transaction: %s",
		    strerror(-rc));
	for (size_t i = 0; outcome == OUTCOME_DONE && i < *count; i++) {
		outcome = op_run(txn, ops[i]);
		if (outcome == OUTCOME_DONE && fill && i + 1 == *count &&
		    ops[i]->bulk && batch_fill(store, *count, began))
			++*count;
	}
	if (outcome == OUTCOME_ALONE) {
		for (size_t i = 0; i < *count; i++)
			if (ops[i]->result != 0)
				rc = ops[i]->result;
		return txn_failed(txn, ops, *count, rc);
	}
	if (outcome == OUTCOME_DONE && txn->wrote) {
		rc = store_txn_flush(txn);
		if (rc == 0) {
			txn_commit(store, txn);
			return OUTCOME_DONE;
		}
		if (!txn->deadlocked)
			return txn_failed(txn, ops, *count, rc);
		outcome = OUTCOME_AGAIN;
	}
	store_txn_forget(txn);
	return outcome;
}

static enum outcome
txn_run_retrying(struct store *store, struct store_op **ops, size_t *count,
    bool fill)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	enum outcome outcome;

	for (unsigned tries = 0;; tries++) {
		outcome = txn_run(store, ops, count, fill && tries == 0);
		if (outcome != OUTCOME_AGAIN)
			return outcome;
		if (tries >= RETRIES)
			store_fatal(store, "the writer cannot get its locks");
		if (tries >= RETRIES_AT_ONCE)
			nanosleep(&pause, NULL);
	}
}

/* ---- the thread ------------------------------------------------------- */

/* Hands each operation back: one signal per inbox. */
static void
batch_return(struct store_op **ops, size_t count)
{
	struct store_op *first, *last;
	struct store_inbox *inbox;

	for (size_t i = 0; i < count; i++) {
		if (ops[i] == NULL)
			continue;
		inbox = ops[i]->inbox;
		if (inbox == NULL) {
			if (ops[i]->done != NULL)
				ops[i]->done(ops[i], ops[i]->result);
			ops[i] = NULL;
			continue;
		}
		first = last = ops[i];
		for (size_t j = i + 1; j < count; j++) {
			if (ops[j] == NULL || ops[j]->inbox != inbox)
				continue;
			last->next = ops[j];
			last = ops[j];
			ops[j] = NULL;
		}
		ops[i] = NULL;
		store_inbox_deliver(inbox, first, last);
	}
}

static void
batch_run(struct store *store, size_t count)
{
	struct store_writer *writer = &store->writer;
	struct store_op **ops = writer->batch;
	size_t one;

	if (txn_run_retrying(store, ops, &count, true) == OUTCOME_ALONE) {
		for (size_t i = 0; i < count; i++) {
			one = 1;
			(void)txn_run_retrying(store, &ops[i], &one, false);
		}
	}
	writer->finished = count;
	atomic_fetch_add(&writer->operations, count);
	batch_return(ops, count);
}

static void *
writer_main(void *arg)
{
	struct store *store = arg;
	size_t count;

	while ((count = batch_take(store)) > 0)
		batch_run(store, count);
	return NULL;
}

int
store_writer_init(struct store *store)
{
	struct store_writer *writer = &store->writer;
	pthread_condattr_t attr;
	int ret;

	writer->people.last = &writer->people.first;
	writer->bulk.last = &writer->bulk.first;
	writer->batch = calloc(store->options.batch_max, sizeof *writer->batch);
	if (writer->batch == NULL)
		return -ENOMEM;
	ret = pthread_mutex_init(&writer->lock, NULL);
	if (ret == 0)
		ret = pthread_condattr_init(&attr);
	if (ret == 0)
		ret = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (ret == 0)
		ret = pthread_cond_init(&writer->work, &attr);
	return -ret;
}

/* Signals belong to the program's own threads. */
int
store_thread_start(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -ret;
}

int
store_writer_start(struct store *store)
{
	int rc = store_thread_start(&store->writer.thread, writer_main, store);

	store->writer.started = rc == 0;
	return rc;
}

void
store_writer_stop(struct store *store)
{
	struct store_writer *writer = &store->writer;

	if (!writer->started)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->closing = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	writer->started = false;
}

void
store_writer_fini(struct store *store)
{
	store_txn_fini(&store->writer.txn);
	free(store->writer.batch);
	store->writer.batch = NULL;
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
