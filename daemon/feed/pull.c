/* pull.c - takes the articles of one group of another server: GROUP, then by
 * windows of numbers LISTGROUP and pipelined ARTICLE (RFC 3977 6.1, 6.2). Each
 * article goes to core at once; what core does with it is its business, but for
 * "stop".
 */
#include "build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/dial.h"
#include "daemon/feed/feed.h"
#include "daemon/ipc.h"
#include "daemon/log.h"
#include "daemon/messages.h"
#include "daemon/stream.h"
#include "protocol/newsgroup.h"
#include "protocol/range.h"

#define WINDOW       10000u /* numbers asked for by one LISTGROUP */
#define LIST_VAIN    10u    /* a list of nothing is a round trip */
#define LINES_MAX    ((size_t)100000000)
#define ASKED_MAX    64u /* articles on their way here */
#define HANDED_MAX   64u /* articles that core has not answered */
#define HANDED_BYTES ((size_t)8 << 20)
#define TAKE_SECONDS 120u
#define PULLS_MAX    64u

enum pull_step {
	PULL_GROUP,
	PULL_LIST,  /* LISTGROUP is not answered */
	PULL_FETCH, /* articles are under way */
	PULL_ENDED, /* core has heard how it went */
};

struct pull {
	LIST_ENTRY(pull) entry;
	struct feed *feed;
	uint32_t request;
	struct endpoint endpoint;
	struct feed_client_options options;
	char group[NEWSGROUP_MAX + 1];
	struct feed_client *client;
	bool dialing;
	bool dropped; /* freed once nobody will call back */
	enum pull_step step;
	uint32_t next; /* number that the next window begins with */
	uint32_t high;
	uint32_t *numbers; /* of the window */
	size_t count;      /* of numbers */
	size_t lines;      /* of lists, those of no use too */
	unsigned vain;     /* what was asked for without an article */
	unsigned seconds;  /* left */
	uint32_t settled;  /* numbers up to this one, 0: none */
	size_t asked;      /* numbers asked for */
	size_t answered;   /* numbers answered by the server */
	unsigned handed;   /* articles at core */
	size_t handed_bytes;
	bool stopped; /* core wants no more */
};

/* What core was handed. */
struct hand {
	struct pull *pull;
	size_t len;
};

static void pull_pump(struct pull *pull);

/* ---- the end */

static void
pull_answer(struct pull *pull, const char *why)
{
	struct ipc_writer *writer;

	if (pull->step == PULL_ENDED)
		return;
	pull->step = PULL_ENDED;
	writer = ipc_writer_new(MESSAGE_PULL);
	ipc_put_u32(writer, why[0] == '\0' ? 0 : 1);
	ipc_put_text(writer, why);
	ipc_put_u32(writer, pull->high);
	ipc_put_u32(writer, pull->settled);
	(void)ipc_answer(pull->feed->core, pull->request, writer);
}

void
pull_free(struct pull *pull)
{
	LIST_REMOVE(pull, entry);
	feed_client_free(&pull->client);
	endpoint_fini(&pull->endpoint);
	free(pull->numbers);
	free(pull);
}

/* After whatever could have been the last call back. */
static void
pull_check_free(struct pull *pull)
{
	if (pull->dropped && !pull->dialing && pull->handed == 0 &&
	    pull->client == NULL)
		pull_free(pull);
}

void
pull_drop(struct pull *pull)
{
	pull_answer(pull, "it was given up");
	pull->dropped = true;
	feed_client_free(&pull->client);
	pull_check_free(pull);
}

static enum feed_client_next
pull_unexpected(struct pull *pull, const char *what,
    const struct nntp_reply *reply)
{
	feed_client_fail(pull->client, what, reply->text);
	return CLIENT_STATUS;
}

/* ---- numbers */

/* A server may say that there are four thousand million numbers, and be right
 * or not. */
static bool
pull_was_in_vain(struct pull *pull, unsigned cost)
{
	pull->vain += cost;
	if (pull->vain < PULL_VAIN_MAX)
		return false;
	feed_client_fail(pull->client,
	    "too many numbers were asked for in vain; the next time goes on",
	    span_of(""));
	return true;
}

static void
pull_list(struct pull *pull)
{
	uint32_t last = pull->high - pull->next < WINDOW
	    ? pull->high
	    : pull->next + (WINDOW - 1);

	pull->count = pull->asked = pull->answered = 0;
	pull->step = PULL_LIST;
	feed_client_command(pull->client, "LISTGROUP %s %u-%u", pull->group,
	    pull->next, last);
}

/* A server that cannot list a range is asked for each number. */
static void
pull_list_all(struct pull *pull)
{
	for (uint32_t n = pull->next; n <= pull->high && pull->count < WINDOW;
	     n++)
		pull->numbers[pull->count++] = n;
}

static void
pull_listed(struct pull *pull)
{
	uint32_t left = pull->high - pull->next;

	pull->next = left < WINDOW ? pull->high + 1 : pull->next + WINDOW;
	pull->step = PULL_FETCH;
}

static int
number_compare(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

	return one < other ? -1 : one > other;
}

/* What is settled is known by one number: so they go up, and each once. */
static void
pull_sort(struct pull *pull)
{
	size_t count = 0;

	qsort(pull->numbers, pull->count, sizeof *pull->numbers,
	    number_compare);
	for (size_t i = 0; i < pull->count; i++)
		if (count == 0 || pull->numbers[i] != pull->numbers[count - 1])
			pull->numbers[count++] = pull->numbers[i];
	pull->count = count;
}

static enum feed_client_next
on_group(struct pull *pull, const struct nntp_reply *reply)
{
	struct nntp_reply_group group;

	if (reply->code != 211)
		return pull_unexpected(pull, "answer to GROUP", reply);
	if (!nntp_reply_group(reply, &group))
		return pull_unexpected(pull, "answer to GROUP", reply);
	pull->high =
	    group.high < RANGE_NUMBER_MAX ? group.high : RANGE_NUMBER_MAX - 1;
	/* numbers below what we have seen: the group was begun anew there */
	if (group.high + 1 < pull->next || pull->next < group.low)
		pull->next = group.low;
	if (pull->next == 0)
		pull->next = 1;
	pull->step = PULL_FETCH;
	pull_pump(pull);
	return CLIENT_STATUS;
}

static enum feed_client_next
on_list(struct pull *pull, const struct nntp_reply *reply)
{
	if (reply->code == 211)
		return CLIENT_LINES;
	if (reply->code / 100 != 5 && reply->code / 100 != 4)
		return pull_unexpected(pull, "answer to LISTGROUP", reply);
	pull_list_all(pull);
	pull_listed(pull);
	pull_pump(pull);
	return CLIENT_STATUS;
}

static void
on_line(void *arg, struct span line)
{
	struct pull *pull = arg;
	uint32_t number;

	if (++pull->lines > LINES_MAX) {
		feed_client_fail(pull->client, "a list of numbers has no end",
		    span_of(""));
		return;
	}
	if (line.bytes == NULL) {
		pull_sort(pull);
		pull_listed(pull);
		if (pull->count == 0)
			pull->settled = pull->next - 1;
		if (pull->count > 0 || !pull_was_in_vain(pull, LIST_VAIN))
			pull_pump(pull);
	} else if (pull->count < WINDOW && nntp_reply_number(line, &number) &&
	    number >= pull->next && number <= pull->high &&
	    number - pull->next < WINDOW) {
		pull->numbers[pull->count++] = number;
	}
}

/* ---- articles */

static void
on_taken(void *arg, struct ipc_reader *fields)
{
	struct hand *hand = arg;
	struct pull *pull = hand->pull;
	bool stop = fields == NULL || ipc_get_u32(fields) != 0;

	pull->handed--;
	pull->handed_bytes -= hand->len;
	free(hand);
	if (stop && !pull->stopped) {
		pull->stopped = true;
		if (pull->client != NULL)
			feed_client_fail(pull->client, "stopped", span_of(""));
	}
	if (pull->dropped)
		pull_check_free(pull);
	else
		pull_pump(pull);
}

static int
pull_hand_over(struct pull *pull, uint32_t number, struct span wire)
{
	struct hand *hand = malloc(sizeof *hand);
	struct ipc_writer *writer;
	int rc;

	if (hand == NULL)
		return -ENOMEM;
	hand->pull = pull;
	hand->len = wire.len;
	writer = ipc_writer_new(MESSAGE_PULLED);
	ipc_put_u32(writer, pull->endpoint.peer);
	ipc_put_text(writer, pull->group);
	ipc_put_u32(writer, number);
	ipc_put_payload(writer, wire);
	rc = ipc_call(pull->feed->core, writer, IPC_INTAKE, TAKE_SECONDS,
	    on_taken, hand);
	if (rc != 0) {
		free(hand);
		return rc;
	}
	pull->handed++;
	pull->handed_bytes += wire.len;
	return 0;
}

static bool
core_is_busy(const struct pull *pull)
{
	return pull->handed >= HANDED_MAX ||
	    pull->handed_bytes >= HANDED_BYTES ||
	    !ipc_has_credit(pull->feed->core, IPC_INTAKE);
}

static void
on_article(void *arg, struct span wire)
{
	struct pull *pull = arg;
	uint32_t number = pull->numbers[pull->answered];

	if (wire.bytes == NULL) {
		log_warning("peer=%u group=%s number=%u is too large",
		    pull->endpoint.peer, pull->group, number);
	} else if (wire.len > 0 && pull_hand_over(pull, number, wire) != 0) {
		feed_client_fail(pull->client, "core takes no article",
		    span_of(""));
		return;
	}
	pull->answered++;
	pull->settled = number;
	if (wire.len > 0 || !pull_was_in_vain(pull, 1))
		pull_pump(pull);
}

static enum feed_client_next
on_article_reply(struct pull *pull, const struct nntp_reply *reply)
{
	uint32_t number;

	if (pull->answered >= pull->asked)
		return pull_unexpected(pull, "the server said", reply);
	if (reply->code == 220) {
		/* in order, or numbers would be settled that are not */
		if (nntp_reply_number(reply->text, &number) && number != 0 &&
		    number != pull->numbers[pull->answered])
			return pull_unexpected(pull,
			    "answer about another article", reply);
		return CLIENT_ARTICLE;
	}
	if (reply->code != 423 && reply->code != 430 && reply->code != 403)
		return pull_unexpected(pull, "answer to ARTICLE", reply);
	pull->settled = pull->numbers[pull->answered++];
	if (!pull_was_in_vain(pull, 1))
		pull_pump(pull);
	return CLIENT_STATUS;
}

/* ---- what is next */

static void
pull_pump(struct pull *pull)
{
	if (pull->client == NULL || !feed_client_is_ready(pull->client))
		return;
	if (core_is_busy(pull))
		feed_client_pause(pull->client);
	else
		feed_client_resume(pull->client);
	if (pull->step != PULL_FETCH)
		return;
	while (pull->asked < pull->count &&
	    pull->asked - pull->answered < ASKED_MAX &&
	    !feed_client_is_full(pull->client))
		feed_client_command(pull->client, "ARTICLE %u",
		    pull->numbers[pull->asked++]);
	if (pull->answered < pull->count)
		return;
	pull->settled = pull->next - 1;
	if (pull->next <= pull->high && pull->high > 0) {
		pull_list(pull);
	} else if (pull->handed == 0) {
		pull->settled = pull->high;
		pull_answer(pull, "");
		feed_client_quit(pull->client);
	}
}

/* ---- the connection */

static void
on_ready(void *arg, bool streaming)
{
	struct pull *pull = arg;

	(void)streaming;
	feed_client_command(pull->client, "GROUP %s", pull->group);
}

static enum feed_client_next
on_reply(void *arg, const struct nntp_reply *reply)
{
	struct pull *pull = arg;

	switch (pull->step) {
	case PULL_GROUP:
		return on_group(pull, reply);
	case PULL_LIST:
		return on_list(pull, reply);
	case PULL_FETCH:
		return on_article_reply(pull, reply);
	case PULL_ENDED:
		break;
	}
	return CLIENT_STATUS;
}

static void
on_drained(void *arg)
{
	pull_pump(arg);
}

static void
on_ended(void *arg, const char *why)
{
	struct pull *pull = arg;

	pull->client = NULL;
	pull_answer(pull, why);
	pull->dropped = true;
	pull_check_free(pull);
}

static const struct feed_client_owner pull_owner = {
	.ready = on_ready,
	.reply = on_reply,
	.line = on_line,
	.article = on_article,
	.drained = on_drained,
	.ended = on_ended,
};

static void
on_dialed(void *arg, struct stream *stream, const char *why)
{
	struct pull *pull = arg;

	pull->dialing = false;
	if (pull->dropped) {
		stream_free(&stream);
		pull_check_free(pull);
		return;
	}
	if (stream != NULL) {
		why = "no memory";
		pull->options = endpoint_options(&pull->endpoint);
		pull->options.ctx = pull->feed->ctx;
		pull->options.sasl = pull->feed->sasl;
		pull->options.reader = true;
		pull->client =
		    feed_client_new(stream, &pull->options, &pull_owner, pull);
	}
	if (pull->client == NULL) {
		pull_answer(pull, why);
		pull_free(pull);
	}
}

/* ---- what core asks */

static bool
pull_read(struct pull *pull, struct ipc_reader *fields)
{
	struct span group;

	if (endpoint_read(&pull->endpoint, fields) != 0)
		return false;
	group = ipc_get_bytes(fields);
	pull->next = ipc_get_u32(fields);
	pull->seconds = ipc_get_u32(fields);
	if (ipc_reader_bad(fields) || group.len > NEWSGROUP_MAX ||
	    !newsgroup_is_valid(group) || pull->next > RANGE_NUMBER_MAX)
		return false;
	memcpy(pull->group, group.bytes, group.len);
	pull->numbers = calloc(WINDOW, sizeof *pull->numbers);
	return pull->numbers != NULL;
}

static unsigned
pulls_count(const struct feed *feed)
{
	const struct pull *pull;
	unsigned count = 0;

	LIST_FOREACH(pull, &feed->pulls, entry)
		count++;
	return count;
}

void
pull_begin(struct feed *feed, uint32_t request, struct ipc_reader *fields)
{
	struct pull *pull = calloc(1, sizeof *pull);

	if (pull == NULL || pulls_count(feed) >= PULLS_MAX) {
		free(pull);
		(void)ipc_answer(feed->core, request,
		    ipc_writer_new(MESSAGE_PULL));
		return;
	}
	pull->feed = feed;
	pull->request = request;
	LIST_INSERT_HEAD(&feed->pulls, pull, entry);
	if (!pull_read(pull, fields)) {
		pull_answer(pull, "the group has a name that is none");
		pull_free(pull);
		return;
	}
	pull->dialing = dialer_dial(feed->dialer, pull->endpoint.host,
			    pull->endpoint.port, on_dialed, pull) == 0;
	if (!pull->dialing) {
		pull_answer(pull, "the name cannot be resolved now");
		pull_free(pull);
	}
}

/* Whatever it waits for: a name, a greeting, the rest of an article. */
static void
pull_expire(struct pull *pull)
{
	static const char why[] = "it takes too long; the next time goes on";

	if (pull->client != NULL) {
		feed_client_fail(pull->client, why, span_of(""));
	} else {
		pull_answer(pull, why);
		pull->dropped = true;
	}
}

struct pull *
pull_next(const struct pull *pull)
{
	return LIST_NEXT(pull, entry);
}

void
pull_tick(struct pull *pull)
{
	if (pull->dropped)
		return;
	if (pull->seconds > 0)
		pull->seconds--;
	if (pull->seconds == 0)
		pull_expire(pull);
	else
		pull_pump(pull);
}
