/* push_offer.c - what core asks for a peer that is fed: batches to offer, and which
 * of the connections to it takes them.
 */
#include "build.h"

#include "daemon/feed/push_impl.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/ipc.h"
#include "daemon/log.h"
#include "protocol/msgid.h"

#define IDLE_SECONDS   60u
#define BARRED_SECONDS 600u /* after the server had no place for one more */
#define UNSURE_SECONDS 5u   /* it may be that it lets nobody in */
#define PUSHES_MAX     512u

void
push_free(struct push *push)
{
	LIST_REMOVE(push, entry);
	push_give_up(push, "the feed process ends");
	feed_client_free(&push->client);
	endpoint_fini(&push->endpoint);
	free(push);
}

/* ---- which connection
 *
 * A peer has as many as it may, each with batches of its own: one more is dialled
 * when all have something to do. Core counts a batch when all before it were
 * answered, whichever connection they went over. */

static struct push *
push_new(struct feed *feed, struct endpoint *endpoint)
{
	struct push *push = calloc(1, sizeof *push);

	if (push == NULL)
		return NULL;
	push->feed = feed;
	push->endpoint = *endpoint;
	memset(endpoint, 0, sizeof *endpoint);
	LIST_INIT(&push->batches);
	TAILQ_INIT(&push->waiting);
	TAILQ_INIT(&push->wanted);
	TAILQ_INIT(&push->fetched);
	TAILQ_INIT(&push->row);
	LIST_INSERT_HEAD(&feed->pushes, push, entry);
	return push;
}

static size_t
push_load(const struct push *push)
{
	const struct batch *batch;
	size_t load = 0;

	LIST_FOREACH(batch, &push->batches, entry)
		load += batch->left;
	return load;
}

struct choice {
	struct push *best; /* with the least to do; NULL: none */
	unsigned pushes;   /* of all peers */
	unsigned of_peer;
};

/* Those to another server or with another login go. */
static struct choice
push_choose(struct feed *feed, const struct endpoint *endpoint)
{
	struct choice choice = { 0 };
	struct push *push, *next;

	for (push = LIST_FIRST(&feed->pushes); push != NULL; push = next) {
		next = LIST_NEXT(push, entry);
		choice.pushes++;
		if (push->dropped || push->endpoint.peer != endpoint->peer)
			continue;
		if (!endpoint_equal(&push->endpoint, endpoint)) {
			push_drop(push);
			continue;
		}
		/* the others rest: there may have been more of them */
		if (choice.of_peer++ < endpoint->connections &&
		    push->barred == 0 &&
		    (choice.best == NULL ||
			push_load(push) < push_load(choice.best)))
			choice.best = push;
	}
	return choice;
}

/* One that has nothing to do, a new one, or the one that has the least. */
static struct push *
push_of(struct feed *feed, struct endpoint *endpoint)
{
	struct choice choice = push_choose(feed, endpoint);

	if (choice.best != NULL &&
	    (LIST_EMPTY(&choice.best->batches) ||
		choice.of_peer >= endpoint->connections))
		return choice.best;
	return choice.pushes >= PUSHES_MAX ? choice.best
					   : push_new(feed, endpoint);
}

/* One that is ready, else one that may become so. */
static struct push *
push_other(const struct push *push)
{
	struct push *other, *coming = NULL;

	LIST_FOREACH(other, &push->feed->pushes, entry) {
		if (other == push || other->dropped ||
		    !endpoint_equal(&other->endpoint, &push->endpoint))
			continue;
		if (other->client != NULL &&
		    feed_client_is_ready(other->client))
			return other;
		if (other->dialing || (other->client != NULL && !other->up))
			coming = other;
	}
	return coming;
}

bool
push_hand_on(struct push *push, const char *why)
{
	struct push *other = push_other(push);
	struct batch *batch;

	if (other == NULL)
		return false;
	log_info("peer=%u host=%s has no more connections for us: %s",
	    push->endpoint.peer, push->endpoint.host, why);
	push->barred = other->up ? BARRED_SECONDS : UNSURE_SECONDS;
	while ((batch = LIST_FIRST(&push->batches)) != NULL) {
		LIST_REMOVE(batch, entry);
		LIST_INSERT_HEAD(&other->batches, batch, entry);
		batch->push = other;
	}
	TAILQ_CONCAT(&other->waiting, &push->waiting, entry);
	push_pump(other);
	return true;
}

/* ---- what core asks */

static bool
item_read(struct item *item, struct batch *batch, struct ipc_reader *fields)
{
	struct span id;

	item->batch = batch;
	item->artid = ipc_get_u64(fields);
	id = ipc_get_bytes(fields);
	if (ipc_reader_bad(fields) || !msgid_is_valid(id))
		return false;
	item->id = strndup(id.bytes, id.len);
	return item->id != NULL;
}

static struct batch *
batch_read(struct ipc_reader *fields, uint32_t request)
{
	uint32_t count = ipc_get_u32(fields);
	struct batch *batch;

	if (ipc_reader_bad(fields) || count == 0 || count > FEED_OFFERS_MAX)
		return NULL;
	batch = calloc(1, sizeof *batch + count * sizeof batch->items[0]);
	if (batch == NULL)
		return NULL;
	batch->request = request;
	batch->left = count;
	while (batch->count < count)
		if (!item_read(&batch->items[batch->count++], batch, fields)) {
			batch_free(batch);
			return NULL;
		}
	return batch;
}

void
push_offer(struct feed *feed, uint32_t request, struct ipc_reader *fields)
{
	struct endpoint endpoint = { 0 };
	struct batch *batch = NULL;
	struct push *push = NULL;

	if (endpoint_read(&endpoint, fields) == 0)
		batch = batch_read(fields, request);
	if (batch != NULL)
		push = push_of(feed, &endpoint);
	endpoint_fini(&endpoint);
	if (push == NULL) {
		if (batch != NULL)
			batch_free(batch);
		log_warning("an offer of core cannot be read");
		(void)ipc_answer(feed->core, request,
		    ipc_writer_new(MESSAGE_OFFER));
		return;
	}
	batch->push = push;
	LIST_INSERT_HEAD(&push->batches, batch, entry);
	for (size_t i = 0; i < batch->count; i++)
		TAILQ_INSERT_TAIL(&push->waiting, &batch->items[i], entry);
	push_pump(push);
}

struct push *
push_next(const struct push *push)
{
	return LIST_NEXT(push, entry);
}

void
push_tick(struct push *push)
{
	/* what core answers others, or who is gone, is not heard of */
	if (push->starved)
		push_pump(push);
	if (!LIST_EMPTY(&push->batches) || push->dialing || push->dropped)
		return;
	if (push->barred > 0) {
		push->barred--;
		return;
	}
	if (++push->idle < IDLE_SECONDS)
		return;
	if (push->client != NULL)
		feed_client_quit(push->client);
	else
		push_drop(push);
}

void
push_drop(struct push *push)
{
	push_give_up(push, "the connection was given up");
	if (push->dialing)
		push->dropped = true;
	else
		push_free(push);
}
