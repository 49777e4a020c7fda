/* flusher.c - the thread that puts commits on the disk, and only then shows what
 * they changed and answers for them.
 *
 * A batch is the flusher's from the moment that the writer hands it over until
 * it takes the next one. What an operation was refused for may be in the batch
 * before its own: so refusals go this way too, behind that batch's flush.
 */
#include "store/private.h"

#include <errno.h>
#include <string.h>

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
batch_flush(struct store *store)
{
	struct store_writer *writer = &store->writer;
	uint64_t began = store_now_ns();
	uint64_t took;
	/* All there is: no more than this batch and what the writer has
	 * already logged of the next. */
	int ret = store_logs_flush(store);

	if (ret != 0)
		store_room_commit_failed(store, ret);
	took = store_now_ns() - began;
	writer->flush_ns =
	    writer->flush_ns == 0 ? took : (7 * writer->flush_ns + took) / 8;
}

static void
batch_finish(struct store *store, struct store_batch *batch)
{
	struct store_writer *writer = &store->writer;

	if (batch->committed) {
		batch_flush(store);
		store_txn_publish(&batch->txn);
		store_keeper_nudge(store);
	}
	atomic_fetch_add(&writer->operations, batch->count);
	/* Before the answers: the next operations follow at once. */
	pthread_mutex_lock(&writer->lock);
	writer->answered = writer->away = batch->count;
	writer->answered_at = store_now_ns();
	pthread_mutex_unlock(&writer->lock);
	batch_return(batch->ops, batch->count);
}

static void *
flusher_main(void *arg)
{
	struct store *store = arg;
	struct store_writer *writer = &store->writer;
	bool wake;

	pthread_mutex_lock(&writer->lock);
	for (;;) {
		while (writer->flushing == NULL && !writer->flushed_all)
			pthread_cond_wait(&writer->handed, &writer->lock);
		if (writer->flushing == NULL)
			break;
		pthread_mutex_unlock(&writer->lock);
		batch_finish(store, writer->flushing);
		pthread_mutex_lock(&writer->lock);
		writer->flushing = NULL;
		wake = writer->wants_flushed;
		pthread_mutex_unlock(&writer->lock);
		/* Who is woken wants the lock at once. */
		if (wake)
			pthread_cond_signal(&writer->work);
		pthread_mutex_lock(&writer->lock);
	}
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}

void
store_flusher_await(struct store_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->wants_flushed = true;
	while (writer->flushing != NULL)
		pthread_cond_wait(&writer->work, &writer->lock);
	writer->wants_flushed = false;
	pthread_mutex_unlock(&writer->lock);
}

void
store_flusher_take(struct store_writer *writer, struct store_batch *batch)
{
	pthread_mutex_lock(&writer->lock);
	writer->flushing = batch;
	pthread_mutex_unlock(&writer->lock);
	pthread_cond_signal(&writer->handed);
}

int
store_flusher_start(struct store *store)
{
	struct store_writer *writer = &store->writer;
	int rc = store_thread_start(&writer->flusher, flusher_main, store);

	writer->flusher_started = rc == 0;
	return rc;
}

void
store_flusher_stop(struct store *store)
{
	struct store_writer *writer = &store->writer;

	if (!writer->flusher_started)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->flushed_all = true;
	pthread_cond_signal(&writer->handed);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->flusher, NULL);
	writer->flusher_started = false;
}
