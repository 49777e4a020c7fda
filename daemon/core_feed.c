/* core_feed.c - see core_feed.h.
 */
#include "build.h"

#include "daemon/core_feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/community/feeds.h"
#include "daemon/community/pulls.h"
#include "daemon/ipc.h"
#include "daemon/log.h"
#include "protocol/newsgroup.h"
#include "protocol/nntp_reply.h"

/* How long a new article may wait for a look at the sequence: less than anybody
 * notices, and too seldom to be seen in the CPU's time. */
#define POLL_MS 100
#define SOON_MS 1   /* there is more to look at */
#define IDLE_MS 900 /* nobody is fed */

struct core_feed {
	struct event_base *base;
	struct community *community;
	struct ipc *ipc; /* NULL while the feed process is away */
	struct feed_port port;
	void (*want)(void *arg);
	void *want_arg;
	bool wanted;
	struct event *poll;
	struct take_request *takes; /* articles at the door */
};

/* One MESSAGE_PULLED. It outlives the channel: what is stored is stored. */
struct take_request {
	struct take_request *next, *previous;
	struct core_feed *feed; /* NULL once core_feed is gone */
	struct ipc *ipc;        /* as it was; compared, not followed */
	uint32_t request;
};

struct offer_request {
	feed_offered done;
	void *arg;
	size_t count;
};

struct pull_request {
	feed_pulled done;
	void *arg;
};

/* ---- feed -> core */

static void
answer_article(struct core_feed *feed, uint32_t request, uint32_t peer,
    uint64_t artid)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_FEED_ARTICLE);
	struct buffer wire;
	int rc;

	buffer_init(&wire, 0);
	rc =
	    feeds_article(community_feeds(feed->community), peer, artid, &wire);
	ipc_put_u32(writer, (uint32_t)-rc);
	if (rc == 0)
		ipc_put_payload(writer, buffer_span(&wire));
	(void)ipc_answer(feed->ipc, request, writer);
	buffer_fini(&wire);
}

static void
on_taken(void *arg, bool stop)
{
	struct take_request *take = arg;
	struct core_feed *feed = take->feed;
	struct ipc_writer *writer;

	if (feed != NULL && feed->ipc == take->ipc) {
		writer = ipc_writer_new(MESSAGE_PULLED);
		ipc_put_u32(writer, stop ? 1 : 0);
		(void)ipc_answer(feed->ipc, take->request, writer);
	}
	if (take->previous != NULL)
		take->previous->next = take->next;
	else if (feed != NULL)
		feed->takes = take->next;
	if (take->next != NULL)
		take->next->previous = take->previous;
	free(take);
}

static struct take_request *
take_new(struct core_feed *feed, struct ipc *ipc, uint32_t request)
{
	struct take_request *take = calloc(1, sizeof *take);

	if (take == NULL)
		return NULL;
	take->feed = feed;
	take->ipc = ipc;
	take->request = request;
	take->next = feed->takes;
	if (take->next != NULL)
		take->next->previous = take;
	feed->takes = take;
	return take;
}

static void
answer_stop(struct ipc *ipc, uint32_t request)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_PULLED);

	ipc_put_u32(writer, 1);
	(void)ipc_answer(ipc, request, writer);
}

static void
take_article(struct core_feed *feed, struct ipc *ipc, uint32_t request,
    struct ipc_reader *fields)
{
	struct pulls_article article = { .peer = ipc_get_u32(fields) };
	struct span name = ipc_get_bytes(fields);
	char group[NEWSGROUP_MAX + 1];
	struct take_request *take = NULL;

	article.number = ipc_get_u32(fields);
	article.wire = ipc_get_payload(fields);
	if (!ipc_reader_bad(fields) && name.len < sizeof group)
		take = take_new(feed, ipc, request);
	if (take == NULL) {
		answer_stop(ipc, request);
		return;
	}
	memcpy(group, name.bytes, name.len);
	group[name.len] = '\0';
	article.group = group;
	pulls_take(community_pulls(feed->community), &article, on_taken, take);
}

static void
on_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	struct core_feed *feed = arg;
	uint32_t peer;
	uint64_t artid;

	if (type == MESSAGE_FEED_ARTICLE) {
		peer = ipc_get_u32(fields);
		artid = ipc_get_u64(fields);
		answer_article(feed, request, peer, artid);
	} else if (type == MESSAGE_PULLED) {
		take_article(feed, ipc, request, fields);
	} else {
		log_warning("feed process asked what core does not know: "
			    "type=%u",
		    type);
		(void)ipc_answer(ipc, request, ipc_writer_new(type));
	}
}

static void
on_closed(void *arg, struct ipc *ipc)
{
	struct core_feed *feed = arg;

	if (feed->ipc != ipc)
		return;
	log_info("the channel to the feed process ended");
	ipc_free(&feed->ipc);
}

static const struct ipc_handler channel_handler = { on_request, on_closed };

/* ---- core -> feed: the port */

static void
put_endpoint(struct ipc_writer *writer, const struct feed_endpoint *endpoint)
{
	ipc_put_u32(writer, endpoint->peer);
	ipc_put_text(writer, endpoint->host);
	ipc_put_u32(writer, endpoint->port);
	ipc_put_u32(writer, endpoint->tls);
	ipc_put_text(writer, endpoint->user);
	ipc_put_bytes(writer, endpoint->secret);
	ipc_put_u32(writer, endpoint->clear ? 1 : 0);
	ipc_put_u32(writer, endpoint->connections);
}

static void
offer_answered(void *arg, struct ipc_reader *fields)
{
	struct offer_request *offer = arg;
	enum feed_outcome outcomes[FEED_OFFERS_MAX];
	char room[256];
	const char *why = "the feed process gave no answer";
	uint32_t count = 0;

	if (fields != NULL) {
		const char *said = nntp_reply_printable(ipc_get_bytes(fields),
		    room, sizeof room);

		count = ipc_get_u32(fields);
		if (ipc_reader_bad(fields) || count != offer->count)
			count = 0;
		for (uint32_t i = 0; i < count; i++) {
			uint32_t outcome = ipc_get_u32(fields);

			outcomes[i] = outcome < FEED_OUTCOMES
			    ? (enum feed_outcome)outcome
			    : FEED_UNTRIED;
		}
		if (ipc_reader_bad(fields))
			count = 0;
		else if (count > 0)
			why = said;
	}
	offer->done(offer->arg, outcomes, count, why);
	free(offer);
}

static int
port_offer(void *arg, const struct feed_endpoint *endpoint,
    const struct feed_offer *offers, size_t count, feed_offered done,
    void *done_arg)
{
	struct core_feed *feed = arg;
	struct offer_request *offer;
	struct ipc_writer *writer;
	int rc;

	if (feed->ipc == NULL)
		return -ENOTCONN;
	if (!ipc_has_credit(feed->ipc, IPC_INTAKE))
		return -EAGAIN;
	offer = calloc(1, sizeof *offer);
	if (offer == NULL)
		return -ENOMEM;
	offer->done = done;
	offer->arg = done_arg;
	offer->count = count;
	writer = ipc_writer_new(MESSAGE_OFFER);
	put_endpoint(writer, endpoint);
	ipc_put_u32(writer, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		ipc_put_u64(writer, offers[i].artid);
		ipc_put_text(writer, offers[i].message_id);
	}
	rc = ipc_call(feed->ipc, writer, IPC_INTAKE, 0, offer_answered, offer);
	if (rc != 0)
		free(offer);
	return rc == -EPIPE ? -ENOTCONN : rc; /* it just died */
}

static bool
progress_read(struct feed_progress *progress, struct ipc_reader *fields)
{
	progress->high = ipc_get_u32(fields);
	progress->settled = ipc_get_u32(fields);
	progress->again = ipc_get_u32(fields);
	progress->missed_count = ipc_get_u32(fields);
	if (progress->missed_count > FEED_MISSED_MAX)
		return false;
	for (size_t i = 0; i < progress->missed_count; i++)
		progress->missed[i] = ipc_get_u32(fields);
	return !ipc_reader_bad(fields);
}

static void
pull_answered(void *arg, struct ipc_reader *fields)
{
	struct pull_request *pull = arg;
	char room[256];
	const char *why = "the feed process gave no answer";
	struct feed_progress progress = { .high = 0 };
	uint32_t failed;

	if (fields != NULL) {
		failed = ipc_get_u32(fields);
		(void)nntp_reply_printable(ipc_get_bytes(fields), room,
		    sizeof room);
		if (!progress_read(&progress, fields))
			progress = (struct feed_progress){ .high = 0 };
		else if (failed == 0)
			why = "";
		else if (room[0] != '\0')
			why = room;
	}
	pull->done(pull->arg, why, &progress);
	free(pull);
}

static int
port_pull(void *arg, const struct feed_endpoint *endpoint,
    const struct feed_pull *what, feed_pulled done, void *done_arg)
{
	struct core_feed *feed = arg;
	struct pull_request *pull;
	struct ipc_writer *writer;
	int rc;

	if (feed->ipc == NULL || !ipc_has_credit(feed->ipc, IPC_BULK))
		return -ENOTCONN;
	pull = calloc(1, sizeof *pull);
	if (pull == NULL)
		return -ENOMEM;
	pull->done = done;
	pull->arg = done_arg;
	writer = ipc_writer_new(MESSAGE_PULL);
	put_endpoint(writer, endpoint);
	ipc_put_text(writer, what->group);
	ipc_put_u32(writer, what->from);
	ipc_put_u32(writer, what->seconds);
	ipc_put_u32(writer, (uint32_t)what->missed_count);
	for (size_t i = 0; i < what->missed_count; i++)
		ipc_put_u32(writer, what->missed[i]);
	rc = ipc_call(feed->ipc, writer, IPC_BULK, 0, pull_answered, pull);
	if (rc != 0)
		free(pull);
	return rc == -EPIPE ? -ENOTCONN : rc;
}

static void
port_want(void *arg)
{
	struct core_feed *feed = arg;

	if (!feed->wanted)
		feed->want(feed->want_arg);
	feed->wanted = true;
}

/* ---- life */

static void
on_poll(evutil_socket_t fd, short what, void *arg)
{
	struct core_feed *feed = arg;
	struct timeval next = { .tv_usec = POLL_MS * 1000 };

	(void)fd;
	(void)what;
	if (feeds_poll(community_feeds(feed->community)))
		next.tv_usec = SOON_MS * 1000;
	else if (feeds_is_empty(community_feeds(feed->community)))
		next.tv_usec = IDLE_MS * 1000;
	(void)event_add(feed->poll, &next);
}

struct core_feed *
core_feed_new(struct event_base *base, void (*want)(void *arg), void *arg)
{
	struct core_feed *feed = calloc(1, sizeof *feed);

	if (feed == NULL)
		return NULL;
	feed->base = base;
	feed->want = want;
	feed->want_arg = arg;
	feed->port = (struct feed_port){ .want = port_want,
		.offer = port_offer,
		.pull = port_pull,
		.arg = feed };
	return feed;
}

int
core_feed_set_community(struct core_feed *feed, struct community *community)
{
	const struct timeval period = { .tv_usec = POLL_MS * 1000 };

	feed->community = community;
	feed->poll = event_new(feed->base, -1, 0, on_poll, feed);
	return feed->poll == NULL || event_add(feed->poll, &period) != 0
	    ? -ENOMEM
	    : 0;
}

const struct feed_port *
core_feed_port(struct core_feed *feed)
{
	return &feed->port;
}

void
core_feed_connect(struct core_feed *feed, int fd)
{
	ipc_free(&feed->ipc);
	feed->ipc = ipc_new(feed->base, fd, &channel_handler, feed);
	if (feed->ipc == NULL) {
		log_err("no channel to the feed process: out of memory");
		return;
	}
	feeds_wake(community_feeds(feed->community));
	pulls_wake(community_pulls(feed->community));
}

void
core_feed_close(struct core_feed *feed)
{
	if (feed->poll != NULL)
		event_free(feed->poll);
	feed->poll = NULL;
	ipc_free(&feed->ipc);
}

void
core_feed_free(struct core_feed **feed_p)
{
	struct core_feed *feed = *feed_p;

	*feed_p = NULL;
	if (feed == NULL)
		return;
	core_feed_close(feed);
	for (struct take_request *take = feed->takes, *next; take != NULL;
	     take = next) {
		next = take->next;
		take->feed = NULL;
		take->next = take->previous = NULL;
	}
	free(feed);
}
