/* writer.c - the one thread that writes: it runs the operations of a batch in
 * one transaction and commits it. The batch is then the flusher's (flusher.c),
 * and the next one is run while that one is flushed.
 */
#include "store/private.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RETRIES         1000u
#define RETRIES_AT_ONCE 10u

enum outcome {
	OUTCOME_DONE,
	OUTCOME_AGAIN, /* a deadlock: the same once more */
	OUTCOME_ALONE, /* an apply failed: each for itself */
};

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

/* Runs what is in the batch from `ran` on; returns how many then. */
static size_t
ops_run(struct store_writer *writer, struct store_batch *batch, size_t ran,
    enum outcome *outcome_r)
{
	uint64_t began = store_now_ns();
	size_t first = ran;
	uint64_t each;

	while (*outcome_r == OUTCOME_DONE && ran < batch->count)
		*outcome_r = op_run(&batch->txn, batch->ops[ran++]);
	if (ran == first)
		return ran;
	each = (store_now_ns() - began) / (ran - first);
	writer->run_ns = (7 * writer->run_ns + each) / 8;
	return ran;
}

static enum outcome
txn_failed(struct store_batch *batch, int rc)
{
	struct store_txn *txn = &batch->txn;

	if (rc == -ENOSPC)
		store_room_out(txn->reader.store);
	store_txn_forget(txn);
	if (batch->count > 1)
		return OUTCOME_ALONE;
	batch->ops[0]->result = rc;
	return OUTCOME_DONE;
}

/* Runs a batch in one transaction, and what comes meanwhile if `fill`. Done: its
 * rows are written, but not committed. */
static enum outcome
txn_run(struct store *store, struct store_batch *batch, bool fill)
{
	struct store_txn *txn = &batch->txn;
	enum outcome outcome = OUTCOME_DONE;
	size_t ran = 0;
	int rc = store_txn_begin(store, txn, &store->writer.committed);

	if (rc != 0)
		store_fatal(store, "cannot begin a transaction: %s",
		    strerror(-rc));
	do {
		ran = ops_run(&store->writer, batch, ran, &outcome);
	} while (outcome == OUTCOME_DONE && fill &&
	    store_batch_more(&store->writer, batch));
	if (outcome == OUTCOME_ALONE) {
		for (size_t i = 0; i < batch->count; i++)
			if (batch->ops[i]->result != 0)
				rc = batch->ops[i]->result;
		return txn_failed(batch, rc);
	}
	if (outcome == OUTCOME_DONE && txn->wrote) {
		rc = store_txn_flush(txn);
		if (rc == 0)
			return OUTCOME_DONE;
		if (!txn->deadlocked)
			return txn_failed(batch, rc);
		outcome = OUTCOME_AGAIN;
	}
	store_txn_forget(txn);
	return outcome;
}

static enum outcome
txn_run_retrying(struct store *store, struct store_batch *batch, bool fill)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	enum outcome outcome;

	for (unsigned tries = 0;; tries++) {
		outcome = txn_run(store, batch, fill && tries == 0);
		if (outcome != OUTCOME_AGAIN)
			return outcome;
		if (tries >= RETRIES)
			store_fatal(store, "the writer cannot get its locks");
		if (tries >= RETRIES_AT_ONCE)
			nanosleep(&pause, NULL);
	}
}

/* ---- the thread ------------------------------------------------------- */

/* The commit is put into the log, of which the flusher does the rest. Not
 * before it is done with the batch before: from the commit to its publication
 * no snapshot can be taken (view.c), and one pool of them is enough. */
static void
batch_hand_over(struct store *store, struct store_batch *batch)
{
	DB_TXN *db_txn = batch->txn.reader.txn;
	int ret;

	store_flusher_await(&store->writer);
	batch->committed = db_txn != NULL;
	if (batch->committed) {
		store_views_hold(store);
		ret = db_txn->commit(db_txn, DB_TXN_NOSYNC);
		batch->txn.reader.txn = NULL;
		if (ret != 0)
			store_room_commit_failed(store, ret);
		store->writer.committed = batch->txn.system;
		store_young_committed(&batch->txn);
		store_extent_committed(&batch->txn);
		store_meta_rows_committed(&batch->txn);
		store_append_committed(&batch->txn);
	}
	store_flusher_take(&store->writer, batch);
}

/* The one that the flusher does not have. */
static struct store_batch *
batch_next(struct store_writer *writer)
{
	writer->turn = (writer->turn + 1) % STORE_BATCHES;
	return &writer->batches[writer->turn];
}

static void
batch_run(struct store *store, struct store_batch *batch)
{
	struct store_writer *writer = &store->writer;
	size_t count;

	if (txn_run_retrying(store, batch, true) == OUTCOME_DONE) {
		batch_hand_over(store, batch);
		return;
	}
	count = batch->count;
	memcpy(writer->alone, batch->ops, count * sizeof *writer->alone);
	for (size_t i = 0; i < count; i++) {
		batch->ops[0] = writer->alone[i];
		batch->count = 1;
		(void)txn_run_retrying(store, batch, false);
		batch_hand_over(store, batch);
		if (i + 1 < count)
			batch = batch_next(writer);
	}
}

static void *
writer_main(void *arg)
{
	struct store *store = arg;
	struct store_batch *batch = batch_next(&store->writer);

	while (store_batch_begin(&store->writer, batch)) {
		batch_run(store, batch);
		batch = batch_next(&store->writer);
	}
	return NULL;
}

int
store_writer_init(struct store *store)
{
	struct store_writer *writer = &store->writer;
	size_t max = store->options.batch_max;
	pthread_condattr_t attr;
	int ret;

	writer->people.last = &writer->people.first;
	writer->bulk.last = &writer->bulk.first;
	writer->batch_max = max;
	writer->alone = calloc(max, sizeof *writer->alone);
	if (writer->alone == NULL)
		return -ENOMEM;
	writer->memo = store_memo_new();
	if (writer->memo == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < STORE_BATCHES; i++) {
		writer->batches[i].ops =
		    calloc(max, sizeof *writer->batches[i].ops);
		if (writer->batches[i].ops == NULL)
			return -ENOMEM;
	}
	ret = pthread_mutex_init(&writer->lock, NULL);
	if (ret == 0)
		ret = pthread_cond_init(&writer->handed, NULL);
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

void
store_writer_forget(struct store *store)
{
	if (store->writer.memo != NULL)
		store_memo_forget(store->writer.memo);
}

int
store_writer_start(struct store *store)
{
	struct store_writer *writer = &store->writer;
	int rc = store_flusher_start(store);

	if (rc == 0)
		rc = store_thread_start(&writer->thread, writer_main, store);
	writer->started = rc == 0;
	return rc;
}

void
store_writer_stop(struct store *store)
{
	struct store_writer *writer = &store->writer;

	if (writer->started) {
		pthread_mutex_lock(&writer->lock);
		writer->closing = true;
		pthread_cond_signal(&writer->work);
		pthread_mutex_unlock(&writer->lock);
		pthread_join(writer->thread, NULL);
		writer->started = false;
	}
	store_flusher_stop(store);
}

void
store_writer_fini(struct store *store)
{
	struct store_writer *writer = &store->writer;

	for (unsigned i = 0; i < STORE_BATCHES; i++) {
		store_txn_fini(&writer->batches[i].txn);
		free(writer->batches[i].ops);
		writer->batches[i].ops = NULL;
	}
	free(writer->alone);
	writer->alone = NULL;
	store_memo_free(&writer->memo);
}
