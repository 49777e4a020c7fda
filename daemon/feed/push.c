/* push.c - a connection to a peer that is offered articles: CHECK and TAKETHIS, pipelined, or
 * IHAVE one after the other where it does not stream (RFC 4644, RFC 3977 6.3.2).
 *
 * An item goes through lists in this order: waiting, (asked for by CHECK),
 * wanted, (its bytes are asked of core), fetched, (sent). It is on one list at
 * most; what was said to the peer and not answered is in the row. When the
 * connection ends, all that is not settled goes back to core as untried.
 */
#include "build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/dial.h"
#include "daemon/feed/push_impl.h"
#include "daemon/ipc.h"
#include "daemon/log.h"
#include "daemon/messages.h"
#include "daemon/stream.h"

#define CHECKS_MAX  128u              /* not answered */
#define SENT_MAX    128u              /* articles that are not answered */
#define FETCHES_MAX 16u               /* articles asked of core or at hand */
#define BYTES_MAX   ((size_t)4 << 20) /* at hand: then no more is asked for */
#define FETCH_TIME  60u               /* s */

/* ---- batches */

void
batch_free(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		ipc_reader_release(&batch->items[i].frame);
		free(batch->items[i].id);
	}
	free(batch);
}

static void
batch_answer(struct batch *batch, const char *why)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_OFFER);
	struct push *push = batch->push;

	ipc_put_text(writer, why);
	ipc_put_u32(writer, (uint32_t)batch->count);
	for (size_t i = 0; i < batch->count; i++)
		ipc_put_u32(writer, batch->items[i].outcome);
	(void)ipc_answer(push->feed->core, batch->request, writer);
	LIST_REMOVE(batch, entry);
	batch->push = NULL;
	if (batch->fetches == 0)
		batch_free(batch);
}

/* On no list any more; its bytes are of no use. */
static void
item_settle(struct item *item, enum feed_outcome outcome)
{
	struct batch *batch = item->batch;

	item->step = ITEM_SETTLED;
	item->outcome = outcome;
	ipc_reader_release(&item->frame);
	if (--batch->left == 0)
		batch_answer(batch, "");
}

void
push_give_up(struct push *push, const char *why)
{
	struct batch *batch;

	TAILQ_INIT(&push->waiting);
	TAILQ_INIT(&push->wanted);
	TAILQ_INIT(&push->fetched);
	TAILQ_INIT(&push->row);
	push->checks = push->sent = push->at_hand = 0;
	push->bytes = 0;
	push->starved = false;
	while ((batch = LIST_FIRST(&push->batches)) != NULL)
		batch_answer(batch, why);
}

/* ---- bytes of articles, from core */

static void
release_frame(void *arg)
{
	struct ipc_reader *frame = arg;

	ipc_reader_release(&frame);
}

static void
on_fetched(void *arg, struct ipc_reader *fields)
{
	struct item *item = arg;
	struct batch *batch = item->batch;
	struct push *push = batch->push;

	batch->fetches--;
	if (push == NULL) {
		if (batch->fetches == 0)
			batch_free(batch);
		return;
	}
	push_pump_starved(push->feed); /* they waited longer */
	if (item->step != ITEM_FETCHING)
		return;
	if (fields == NULL) {
		push->ending = true;
		feed_client_fail(push->client, "core gave no article",
		    span_of(""));
		return;
	}
	if (ipc_get_u32(fields) != 0) {
		push->at_hand--;
		item_settle(item, FEED_GONE);
	} else {
		item->wire = ipc_get_payload(fields);
		item->frame = ipc_reader_keep(fields);
		item->step = ITEM_FETCHED;
		push->bytes += item->wire.len;
		TAILQ_INSERT_TAIL(&push->fetched, item, entry);
	}
	push_pump(push);
}

/* False: core takes no more questions now; its next answer goes on, whosever it
 * is: this connection may have asked none. */
static bool
item_fetch(struct push *push, struct item *item)
{
	struct ipc_writer *writer;

	push->starved = !ipc_has_credit(push->feed->core, IPC_INTAKE);
	if (push->starved) {
		push->feed->starved = true;
		return false;
	}
	writer = ipc_writer_new(MESSAGE_FEED_ARTICLE);
	ipc_put_u32(writer, push->endpoint.peer);
	ipc_put_u64(writer, item->artid);
	if (ipc_call(push->feed->core, writer, IPC_INTAKE, FETCH_TIME,
		on_fetched, item) != 0)
		return false;
	item->step = ITEM_FETCHING;
	item->batch->fetches++;
	push->at_hand++;
	return true;
}

/* ---- what is said */

static void
item_to_row(struct push *push, struct item *item, enum item_step step)
{
	item->step = step;
	TAILQ_INSERT_TAIL(&push->row, item, entry);
	if (step == ITEM_CHECKED)
		push->checks++;
	else
		push->sent++;
}

static void
item_let_go(struct push *push, const struct item *item)
{
	push->at_hand--;
	push->bytes -= item->wire.len;
}

static void
item_send_bytes(struct push *push, struct item *item)
{
	struct ipc_reader *frame = item->frame;

	/* the frame lives until the bytes are out */
	item->frame = NULL;
	item_let_go(push, item);
	feed_client_send_article(push->client, item->wire, release_frame,
	    frame);
	item_to_row(push, item, ITEM_SENT);
}

static void
pump_streaming(struct push *push)
{
	struct item *item;

	while ((item = TAILQ_FIRST(&push->fetched)) != NULL &&
	    push->sent < SENT_MAX && !feed_client_is_full(push->client)) {
		TAILQ_REMOVE(&push->fetched, item, entry);
		feed_client_command(push->client, "TAKETHIS %s", item->id);
		item_send_bytes(push, item);
	}
	while ((item = TAILQ_FIRST(&push->wanted)) != NULL &&
	    push->at_hand < FETCHES_MAX && push->bytes < BYTES_MAX &&
	    item_fetch(push, item))
		TAILQ_REMOVE(&push->wanted, item, entry);
	while ((item = TAILQ_FIRST(&push->waiting)) != NULL &&
	    push->checks < CHECKS_MAX && !feed_client_is_full(push->client)) {
		TAILQ_REMOVE(&push->waiting, item, entry);
		feed_client_command(push->client, "CHECK %s", item->id);
		item_to_row(push, item, ITEM_CHECKED);
	}
}

/* The bytes are at hand before they are offered: what was removed here must not
 * be promised. */
static void
pump_ihave(struct push *push)
{
	struct item *item;

	while ((item = TAILQ_FIRST(&push->waiting)) != NULL &&
	    push->at_hand < 2 && item_fetch(push, item))
		TAILQ_REMOVE(&push->waiting, item, entry);
	item = TAILQ_FIRST(&push->fetched);
	if (item == NULL || !TAILQ_EMPTY(&push->row))
		return;
	TAILQ_REMOVE(&push->fetched, item, entry);
	feed_client_command(push->client, "IHAVE %s", item->id);
	item_to_row(push, item, ITEM_CHECKED);
}

/* ---- what is answered */

static enum feed_client_next
push_unexpected(struct push *push, const char *what,
    const struct nntp_reply *reply)
{
	push->ending = true;
	feed_client_fail(push->client, what, reply->text);
	return CLIENT_STATUS;
}

/* These mean the server or us, and no article (RFC 3977 3.2.1). */
static bool
reply_is_general(const struct nntp_reply *reply)
{
	static const unsigned codes[] = { 400, 401, 403, 480, 483, 500, 502,
		503 };

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (reply->code == codes[i])
			return true;
	return false;
}

/* An answer that does not fit the item, which is in no list. */
static void
item_unexpected(struct push *push, struct item *item, const char *what,
    const struct nntp_reply *reply)
{
	if (!reply_is_general(reply))
		item->outcome = FEED_STUCK;
	(void)push_unexpected(push, what, reply);
}

/* The server was given an article and went, or said what is no answer. */
static void
push_blame(struct push *push)
{
	struct item *item;

	if (push->ending)
		return;
	TAILQ_FOREACH(item, &push->row, entry)
		if (item->step == ITEM_SENT) {
			item->outcome = FEED_STUCK;
			return;
		}
}

/* The admin sees a count; why is only known here. */
static void
item_refused(struct push *push, struct item *item,
    const struct nntp_reply *reply)
{
	char id[LOG_TEXT_ROOM], text[160];

	log_info("peer=%u id=%s refused by host=%s: %u %s", push->endpoint.peer,
	    log_text(id, sizeof id, item->id, strlen(item->id)),
	    push->endpoint.host, reply->code,
	    nntp_reply_printable(reply->text, text, sizeof text));
	item_settle(item, FEED_REFUSED);
}

static void
on_check(struct push *push, struct item *item, const struct nntp_reply *reply)
{
	if (reply->code == 238) {
		item->step = ITEM_WANTED;
		TAILQ_INSERT_TAIL(&push->wanted, item, entry);
	} else if (reply->code == 438) {
		item_settle(item, FEED_HAD);
	} else if (reply->code == 431) {
		item_settle(item, FEED_LATER);
	} else {
		item_unexpected(push, item, "answer to CHECK", reply);
	}
}

static void
on_taken(struct push *push, struct item *item, const struct nntp_reply *reply)
{
	if (reply->code == 239)
		item_settle(item, FEED_SENT);
	else if (reply->code == 439)
		item_refused(push, item, reply);
	else
		item_unexpected(push, item, "answer to TAKETHIS", reply);
}

static void
on_ihave(struct push *push, struct item *item, const struct nntp_reply *reply)
{
	bool sent = item->step == ITEM_SENT;

	if (reply->code == 335 && !sent) {
		feed_client_expect(push->client);
		item_send_bytes(push, item);
		return;
	}
	if (!sent)
		item_let_go(push, item);
	if (reply->code == 235 && sent)
		item_settle(item, FEED_SENT);
	else if (reply->code == 435 && !sent)
		item_settle(item, FEED_HAD);
	else if (reply->code == 436)
		item_settle(item, FEED_LATER);
	else if (reply->code == 437)
		item_refused(push, item, reply);
	else
		item_unexpected(push, item, "answer to IHAVE", reply);
}

static enum feed_client_next
on_reply(void *arg, const struct nntp_reply *reply)
{
	struct push *push = arg;
	struct item *item = TAILQ_FIRST(&push->row);
	struct span id = nntp_reply_id(reply);
	bool sent;

	if (item == NULL)
		return push_unexpected(push, "the server said", reply);
	sent = item->step == ITEM_SENT;
	if (push->streaming && id.len > 0 && !span_equal(id, span_of(item->id)))
		return push_unexpected(push, "answer to another article",
		    reply);
	TAILQ_REMOVE(&push->row, item, entry);
	if (sent)
		push->sent--;
	else
		push->checks--;
	if (!push->streaming)
		on_ihave(push, item, reply);
	else if (sent)
		on_taken(push, item, reply);
	else
		on_check(push, item, reply);
	push_pump(push);
	return CLIENT_STATUS;
}

/* ---- the connection */

static void
on_ready(void *arg, bool streaming)
{
	struct push *push = arg;

	push->up = true;
	push->streaming = streaming;
	log_debug("peer=%u host=%s connected login=%s, %s", push->endpoint.peer,
	    push->endpoint.host, feed_client_login(push->client),
	    streaming ? "streaming" : "IHAVE");
	push_pump(push);
}

static void
on_line(void *arg, struct span line)
{
	(void)arg;
	(void)line;
}

static void
on_drained(void *arg)
{
	push_pump(arg);
}

static void
on_ended(void *arg, const char *why)
{
	struct push *push = arg;

	push->client = NULL;
	log_debug("peer=%u host=%s connection ended: %s", push->endpoint.peer,
	    push->endpoint.host, why);
	push_blame(push);
	push->ending = false;
	if (push->up || !push_hand_on(push, why))
		push_give_up(push, why);
	push->up = false;
}

static const struct feed_client_owner push_owner = {
	.ready = on_ready,
	.reply = on_reply,
	.line = on_line,
	.article = on_line,
	.drained = on_drained,
	.ended = on_ended,
};

static void
on_dialed(void *arg, struct stream *stream, const char *why)
{
	struct push *push = arg;

	push->dialing = false;
	if (push->dropped) {
		stream_free(&stream);
		push_free(push);
		return;
	}
	if (stream != NULL) {
		why = "no memory";
		push->options = endpoint_options(&push->endpoint);
		push->options.ctx = push->feed->ctx;
		push->options.sasl = push->feed->sasl;
		push->client =
		    feed_client_new(stream, &push->options, &push_owner, push);
	}
	if (push->client == NULL && !push_hand_on(push, why))
		push_give_up(push, why);
}

static void
push_dial(struct push *push)
{
	int rc = dialer_dial(push->feed->dialer, push->endpoint.host,
	    push->endpoint.port, on_dialed, push);

	push->dialing = rc == 0;
	if (rc != 0)
		push_give_up(push, "the name cannot be resolved now");
}

void
push_pump(struct push *push)
{
	if (LIST_EMPTY(&push->batches))
		return;
	push->idle = 0;
	if (push->client == NULL) {
		if (!push->dialing)
			push_dial(push);
		return;
	}
	if (!feed_client_is_ready(push->client))
		return;
	if (push->streaming)
		pump_streaming(push);
	else
		pump_ihave(push);
}

void
push_pump_starved(struct feed *feed)
{
	struct push *push;

	if (!feed->starved)
		return;
	feed->starved = false;
	LIST_FOREACH(push, &feed->pushes, entry)
		if (push->starved)
			push_pump(push);
}
