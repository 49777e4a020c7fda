/* feeds.c - the peers that are fed: who gets a batch now, who must wait, and
 * what their answers mean for that.
 */
#include "daemon/community/feeds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/feeds_private.h"
#include "daemon/log.h"
#include "store/sequence.h"

#define BACKOFF_MAX 600u /* s */
#define TURNS_MAX   2u   /* stretches of the sequence without an article */
#define STORE_PAUSE 60u  /* s, when it cannot be read or written */
#define STUCK_MAX   5u   /* connections that may end over an article */

static struct fed_peer *
fed_find(struct feeds *feeds, uint32_t id)
{
	struct fed_peer *fed;

	LIST_FOREACH(fed, &feeds->peers, entry)
		if (fed->id == id)
			return fed;
	return NULL;
}

/* ---- the set */

static const struct feed_port *
feeds_port(const struct feeds *feeds)
{
	return community_feed(feeds->community);
}

int
feeds_new(struct feeds **feeds_r, struct community *community)
{
	*feeds_r = calloc(1, sizeof **feeds_r);
	if (*feeds_r == NULL)
		return -ENOMEM;
	(*feeds_r)->community = community;
	LIST_INIT(&(*feeds_r)->peers);
	return 0;
}

void
feeds_free(struct feeds **feeds)
{
	struct fed_peer *fed;

	if (*feeds == NULL)
		return;
	while ((fed = LIST_FIRST(&(*feeds)->peers)) != NULL) {
		LIST_REMOVE(fed, entry);
		fed_free(fed);
	}
	free(*feeds);
	*feeds = NULL;
}

struct load {
	struct feeds *feeds;
	struct store_reader *reader;
};

static int
load_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	const Kith__Peer *record = (const Kith__Peer *)(const void *)message;
	struct load *load = arg;
	int rc;

	if (record->outgoing[0] == '\0')
		return 0;
	rc = fed_load(load->feeds, load->reader, store_key_get_u32(key, 0),
	    record);
	if (rc == -EINVAL || rc == -E2BIG) { /* nobody else suffers for it */
		log_err("peer=%s cannot be fed: its record is of no use",
		    record->name);
		rc = 0;
	}
	return rc;
}

int
feeds_load(struct feeds *feeds)
{
	struct store_view *view =
	    store_view_begin(community_store(feeds->community));
	struct load load = { .feeds = feeds };
	int rc;

	if (view == NULL)
		return -ENOMEM;
	load.reader = store_view_reader(view);
	rc = store_walk(load.reader, STORE_PEERS, NULL, NULL, load_row, &load);
	store_view_end(&view);
	return rc;
}

void
feeds_peer_changed(struct feeds *feeds, uint32_t peer)
{
	struct fed_peer *old = fed_find(feeds, peer);
	struct store_key key = store_key_u32(peer);
	struct store_view *view;
	ProtobufCMessage *message = NULL;
	const Kith__Peer *record;
	int rc = -ENOMEM;

	if (old != NULL)
		fed_leave(old);
	view = store_view_begin(community_store(feeds->community));
	if (view != NULL)
		rc = store_get(store_view_reader(view), STORE_PEERS, &key,
		    &message);
	record = (const Kith__Peer *)(const void *)message;
	if (rc == 0 && record->outgoing[0] != '\0')
		rc = fed_load(feeds, store_view_reader(view), peer, record);
	if (rc != 0 && rc != -ENOENT)
		log_err("peer=%u is not fed until the next start: %s", peer,
		    strerror(-rc));
	if (message != NULL)
		protobuf_c_message_free_unpacked(message, NULL);
	store_view_end(&view);
	(void)feeds_poll(feeds);
}

/* ---- when */

/* Doubled with each failure, and not the same for all (a tenth more or less). */
static uint64_t
fed_backoff(const struct fed_peer *fed, uint64_t now)
{
	unsigned shift = fed->failures > 10 ? 10 : fed->failures - 1;
	uint64_t delay = UINT64_C(1) << shift;

	if (delay > BACKOFF_MAX)
		delay = BACKOFF_MAX;
	return delay + (now * 31 + fed->id * 17) % (delay / 5 + 1);
}

/* Seconds that no change of the time of day moves. */
static uint64_t
feeds_seconds(const struct feeds *feeds)
{
	return clock_milliseconds(community_clock(feeds->community)) / 1000;
}

static void
fed_fail(struct fed_peer *fed, const char *why)
{
	uint64_t now = feeds_seconds(fed->feeds);

	fed->failures++;
	fed->next_attempt = now + fed_backoff(fed, now);
	(void)snprintf(fed->error, sizeof fed->error, "%s", why);
	log_warning("peer=%s host=%s port=%u cannot be fed: %s; next try in "
		    "%llu s",
	    fed->name, fed->host, fed->port, fed->error,
	    (unsigned long long)(fed->next_attempt - now));
}

static void
fed_succeed(struct fed_peer *fed)
{
	if (fed->failures > 0)
		log_info("peer=%s host=%s port=%u is fed again", fed->name,
		    fed->host, fed->port);
	fed->failures = 0;
	fed->next_attempt = 0;
	fed->error[0] = '\0';
}

static bool
fed_is_due(const struct fed_peer *fed)
{
	/* while one is answered, the next is under way */
	unsigned most = fed->failures > 0 ? 1 : 1 + 2 * fed->connections;

	return fed->open < most &&
	    feeds_seconds(fed->feeds) >= fed->next_attempt;
}

/* ---- batches */

static struct fed_batch *
batch_new(struct fed_peer *fed, bool retry)
{
	struct fed_batch *batch = calloc(1, sizeof *batch);

	if (batch != NULL) {
		batch->fed = fed;
		batch->retry = retry;
		fed->retrying = fed->retrying || retry;
	}
	return batch;
}

static bool
offer_is_settled(const struct fed_offer *offer)
{
	return offer->outcome == FEED_SENT || offer->outcome == FEED_HAD ||
	    offer->outcome == FEED_REFUSED;
}

/* What moves the cursor, or gets a deferred article out of the way. Not what stands
 * behind one that was not taken, for that is offered again; nor "later", which is
 * what a server without room says, too. */
static bool
batch_has_progress(const struct fed_batch *batch)
{
	bool settled = false;

	if (batch->stale ||
	    (!batch->retry && batch != TAILQ_FIRST(&batch->fed->batches)))
		return false;
	for (size_t i = 0; i < batch->count && !settled; i++) {
		if (!batch->retry && batch->offers[i].outcome == FEED_UNTRIED)
			break;
		settled = offer_is_settled(&batch->offers[i]);
	}
	return settled;
}

/* It may be this article or the network. A deferred one waits longer each time
 * anyway; another one is deferred by batch_put_off(). */
static enum feed_outcome
fed_stuck(struct fed_peer *fed, bool retry, uint64_t artid)
{
	if (retry)
		return FEED_LATER;
	fed->stuck_times = fed->stuck == artid ? fed->stuck_times + 1 : 1;
	fed->stuck = artid;
	return FEED_UNTRIED;
}

static void
batch_outcomes(struct fed_batch *batch, const enum feed_outcome *outcomes,
    size_t count)
{
	size_t at = 0;

	for (size_t i = 0; i < batch->count && at < count; i++) {
		struct fed_offer *offer = &batch->offers[i];

		/* what was gone before was not offered */
		if (offer->outcome != FEED_UNTRIED)
			continue;
		offer->outcome = outcomes[at++];
		if (offer->outcome == FEED_STUCK)
			offer->outcome =
			    fed_stuck(batch->fed, batch->retry, offer->artid);
	}
}

/* One article that a server does not get over must not keep it from all others. */
static void
batch_put_off(struct fed_batch *batch)
{
	const struct fed_peer *fed = batch->fed;
	char text[LOG_TEXT_ROOM];

	if (batch->retry || fed->stuck_times < STUCK_MAX)
		return;
	for (size_t i = 0; i < batch->count; i++) {
		struct fed_offer *offer = &batch->offers[i];

		if (offer->artid != fed->stuck ||
		    offer->outcome != FEED_UNTRIED)
			continue;
		offer->outcome = FEED_LATER;
		log_warning("peer=%s id=%s is put off: %u connections ended "
			    "over it",
		    fed->name,
		    log_text(text, sizeof text, offer->message_id,
			strlen(offer->message_id)),
		    fed->stuck_times);
	}
}

static void
on_offered(void *arg, const enum feed_outcome *outcomes, size_t count,
    const char *why)
{
	struct fed_batch *batch = arg;
	struct fed_peer *fed = batch->fed;

	batch_outcomes(batch, outcomes, count);
	batch->answered = true;
	if (fed->gone) {
		TAILQ_REMOVE(&fed->batches, batch, entry);
		fed->open--;
		fed_batch_free(batch);
		fed_check_free(fed);
		return;
	}
	if (batch_has_progress(batch))
		fed_succeed(fed);
	/* one connection lost is one failure, whatever was on it */
	if (why[0] != '\0' && feeds_seconds(fed->feeds) >= fed->next_attempt)
		fed_fail(fed, why);
	fed_record(fed);
	fed_pump(fed);
}

static int
batch_offer(struct fed_peer *fed, struct fed_batch *batch)
{
	const struct feed_port *port = feeds_port(fed->feeds);
	const struct feed_endpoint endpoint = { .peer = fed->id,
		.host = fed->host,
		.port = fed->port,
		.tls = fed->tls,
		.user = fed->secret[0] == '\0' ? "" : fed->login,
		.secret = span_of(fed->secret),
		.clear = fed->clear,
		.connections = fed->connections };
	struct feed_offer offers[FEED_OFFERS_MAX];
	size_t count = 0;
	int rc = 0;

	batch_put_off(batch);
	for (size_t i = 0; i < batch->count; i++)
		if (batch->offers[i].outcome == FEED_UNTRIED)
			offers[count++] =
			    (struct feed_offer){ batch->offers[i].artid,
				    batch->offers[i].message_id };
	/* first: it may be answered within the call */
	TAILQ_INSERT_TAIL(&fed->batches, batch, entry);
	fed->open++;
	if (count == 0) {
		batch->answered = true;
		fed_record(fed);
		return 0;
	}
	rc =
	    port->offer(port->arg, &endpoint, offers, count, on_offered, batch);
	if (rc != 0) {
		TAILQ_REMOVE(&fed->batches, batch, entry);
		fed->open--;
	}
	return rc;
}

/* ---- the pump */

/* Fills one batch and offers it. 1: go on; 0: not now; negative. */
static int
fed_next(struct fed_peer *fed, bool retry)
{
	uint64_t walked = fed->walked;
	struct fed_batch *batch = batch_new(fed, retry);
	struct store_view *view;
	int rc = -ENOMEM;

	if (batch == NULL)
		return -ENOMEM;
	view = store_view_begin(community_store(fed->feeds->community));
	if (view != NULL)
		rc = retry
		    ? fed_walk_deferred(fed, store_view_reader(view), batch)
		    : fed_walk(fed, store_view_reader(view), batch);
	store_view_end(&view);
	if (rc >= 0 && batch->count > 0) {
		int error = batch_offer(fed, batch);

		if (error == 0)
			return rc;
		rc = error;
		fed->walked = walked;
		fed->retry_at = retry ? 0 : fed->retry_at;
	}
	fed_batch_free(batch);
	return rc;
}

static void
fed_pause(struct fed_peer *fed, int error)
{
	/* the feed process is away or busy: feeds_wake, or the next poll */
	unsigned seconds =
	    error == -ENOTCONN || error == -EAGAIN ? 1 : STORE_PAUSE;

	if (seconds == STORE_PAUSE)
		log_err("peer=%s is not fed for a while: %s", fed->name,
		    strerror(-error));
	fed->next_attempt = feeds_seconds(fed->feeds) + seconds;
}

void
fed_pump(struct fed_peer *fed)
{
	unsigned turns = 0;
	int rc = 1;

	fed->more = false;
	while (rc == 1 && turns++ < TURNS_MAX && fed_is_due(fed) &&
	    fed->deferred < FEEDS_DEFERRED_MAX) {
		rc = fed_next(fed, false);
		if (rc < 0)
			fed_pause(fed, rc);
	}
	/* others get their turn on this loop in between */
	fed->more = rc == 1 && turns >= TURNS_MAX && fed_is_due(fed);
}

void
fed_recorded(struct fed_peer *fed, int result)
{
	if (fed->gone) {
		fed_check_free(fed);
		return;
	}
	if (result > 0) {
		/* it stands elsewhere by now: from there on */
		feeds_peer_changed(fed->feeds, fed->id);
		return;
	}
	if (result < 0) {
		/* not written down: it is offered again */
		struct fed_batch *batch;

		TAILQ_FOREACH(batch, &fed->batches, entry)
			batch->stale = true;
		fed->walked = fed->state.cursor;
		fed->retry_at = 0;
		fed_pause(fed, result);
	}
	fed_record(fed);
	fed_pump(fed);
}

/* ---- what others call */

void
feeds_wake(struct feeds *feeds)
{
	struct fed_peer *fed;

	LIST_FOREACH(fed, &feeds->peers, entry)
		if (fed->failures == 0)
			fed->next_attempt = 0;
	(void)feeds_poll(feeds);
}

static uint64_t
feeds_last(const struct feeds *feeds)
{
	struct store_view *view =
	    store_view_begin(community_store(feeds->community));
	uint64_t last = 0;

	if (view != NULL &&
	    store_sequence_last(store_view_reader(view), &last) != 0)
		last = 0;
	store_view_end(&view);
	return last;
}

bool
feeds_is_empty(const struct feeds *feeds)
{
	return LIST_EMPTY(&feeds->peers);
}

bool
feeds_poll(struct feeds *feeds)
{
	const struct feed_port *port = feeds_port(feeds);
	struct fed_peer *fed;
	bool more = false;
	uint64_t last;

	if (LIST_EMPTY(&feeds->peers) || port == NULL)
		return false;
	if (!feeds->wanted) {
		feeds->wanted = true;
		port->want(port->arg);
	}
	last = feeds_last(feeds);
	LIST_FOREACH(fed, &feeds->peers, entry) {
		if (fed->walked < last)
			fed_pump(fed);
		more = more || fed->more;
	}
	return more;
}

/* The time of day may have been set back since the last look. */
static bool
fed_may_retry(const struct fed_peer *fed)
{
	uint64_t now = community_now(fed->feeds->community);

	return fed->deferred > 0 && !fed->retrying && fed_is_due(fed) &&
	    (now >= fed->retry_at ||
		fed->retry_at > now + FEEDS_DEFERRED_LONGEST);
}

static void
fed_run_due(struct fed_peer *fed)
{
	struct fed_batch *batch;
	int rc;

	if (fed_may_retry(fed)) {
		rc = fed_next(fed, true);
		if (rc < 0)
			fed_pause(fed, rc);
	}
	fed_record(fed);
	if (fed->open > 0 || fed->writing || fed->walked <= fed->state.cursor)
		return;
	/* much happened that is not for this peer: not to be read again */
	batch = batch_new(fed, false);
	if (batch == NULL)
		return;
	batch->upto = fed->walked;
	batch->answered = true;
	TAILQ_INSERT_TAIL(&fed->batches, batch, entry);
	fed->open++;
	fed_record(fed);
}

void
feeds_run_due(struct feeds *feeds)
{
	struct fed_peer *fed, *next;

	if (feeds_port(feeds) == NULL)
		return;
	(void)feeds_poll(feeds);
	for (fed = LIST_FIRST(&feeds->peers); fed != NULL; fed = next) {
		next = LIST_NEXT(fed, entry);
		fed_run_due(fed);
	}
}

static bool
fed_offers(const struct fed_peer *fed, uint64_t artid)
{
	const struct fed_batch *batch;

	TAILQ_FOREACH(batch, &fed->batches, entry)
		for (size_t i = 0; i < batch->count && !batch->answered; i++)
			if (batch->offers[i].artid == artid)
				return true;
	return false;
}

int
feeds_article(struct feeds *feeds, uint32_t peer, uint64_t artid,
    struct buffer *out)
{
	struct fed_peer *fed = fed_find(feeds, peer);
	struct store_view *view;
	int rc;

	if (fed == NULL || !fed_offers(fed, artid))
		return -ENOENT;
	view = store_view_begin(community_store(feeds->community));
	if (view == NULL)
		return -ENOMEM;
	rc = fed_copy(fed, store_view_reader(view), artid, out);
	store_view_end(&view);
	return rc;
}

/* ---- what there is to say */

void
feeds_describe(struct feeds *feeds, uint32_t peer, json_t *object)
{
	const struct fed_peer *fed = fed_find(feeds, peer);
	uint64_t now = feeds_seconds(feeds), last, wait = 0;
	json_t *facts;

	if (fed == NULL)
		return;
	last = feeds_last(feeds);
	if (fed->next_attempt > now)
		wait = fed->next_attempt - now;
	facts = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I}",
	    "cursor", (json_int_t)fed->state.cursor, "lag",
	    (json_int_t)(last > fed->state.cursor ? last - fed->state.cursor
						  : 0),
	    "offered", (json_int_t)fed->open, "sent",
	    (json_int_t)fed->state.sent, "had", (json_int_t)fed->state.had,
	    "refused", (json_int_t)fed->state.refused, "given-up",
	    (json_int_t)fed->state.dropped, "last-sent",
	    (json_int_t)fed->state.time, "error", fed->error, "next-attempt",
	    (json_int_t)wait);
	if (facts != NULL) {
		(void)json_object_update(object, facts);
		json_decref(facts);
	}
}
