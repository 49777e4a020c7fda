/* pull.c - takes the articles of one group of another server: GROUP, then by
 * windows which numbers there are (numbers.h) and pipelined ARTICLE (RFC 3977 6.1,
 * 6.2). Each article goes to core at once; what core does with it is its business,
 * but for "stop". Those that the server could not give the last time come first.
 *
 * A number is settled when it is with core, or known to hold nothing. That one is
 * not there is known from an answer that is at its place; so it counts when an
 * article that names its number has come at its place behind it, or nothing more
 * is owed. What the server cannot give now (403) is settled too, and noted.
 */
#include "build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/dial.h"
#include "daemon/feed/feed.h"
#include "daemon/feed/missed.h"
#include "daemon/feed/numbers.h"
#include "daemon/ipc.h"
#include "daemon/log.h"
#include "daemon/messages.h"
#include "daemon/stream.h"
#include "protocol/range.h"

#define LIST_VAIN    10u /* a list of nothing is a round trip */
#define DEPTH_MAX    64u /* articles on their way here */
#define HANDED_MAX   64u /* articles that core has not answered */
#define HANDED_BYTES ((size_t)8 << 20)
#define TAKE_SECONDS 120u
#define PULLS_MAX    64u

enum pull_step {
	PULL_GROUP,
	PULL_LIST,  /* the list of a window is not answered */
	PULL_FETCH, /* articles are under way */
	PULL_ENDED, /* core has heard how it went */
};

struct pull {
	LIST_ENTRY(pull) entry;
	struct feed *feed;
	uint32_t request;
	struct endpoint endpoint;
	struct feed_client_options options;
	struct feed_client *client;
	bool dialing;
	bool dropped; /* freed once nobody will call back */
	enum pull_step step;
	struct numbers numbers;
	unsigned depth;   /* how many ARTICLE may be owed */
	uint32_t from;    /* as core asked for it */
	bool again;       /* when this connection has ended */
	unsigned vain;    /* what was asked for without an article */
	unsigned seconds; /* left */
	uint32_t settled; /* numbers up to this one, 0: none */
	struct missed missed;
	bool again_first; /* the window is one of numbers missed before */
	bool came;	  /* an article did */
	size_t asked;     /* numbers asked for */
	size_t answered;  /* numbers answered by the server */
	unsigned handed;  /* articles at core */
	size_t handed_bytes;
	bool stopped; /* core wants no more */
};

/* What core was handed. */
struct hand {
	struct pull *pull;
	size_t len;
};

static void pull_pump(struct pull *pull);
static void pull_again(struct pull *pull);
static void pull_dial(struct pull *pull);

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
	ipc_put_u32(writer, pull->numbers.high);
	ipc_put_u32(writer, pull->settled);
	missed_put(&pull->missed, writer,
	    pull->settled != 0 ? pull->settled : pull->from - 1);
	(void)ipc_answer(pull->feed->core, pull->request, writer);
}

void
pull_free(struct pull *pull)
{
	LIST_REMOVE(pull, entry);
	feed_client_free(&pull->client);
	endpoint_fini(&pull->endpoint);
	numbers_fini(&pull->numbers);
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

static void
pull_end(struct pull *pull, const char *why)
{
	pull_answer(pull, why);
	pull->dropped = true;
	pull_check_free(pull);
}

void
pull_drop(struct pull *pull)
{
	feed_client_free(&pull->client);
	pull_end(pull, "it was given up");
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

/* The window is known. */
static void
pull_listed(struct pull *pull)
{
	pull->step = PULL_FETCH;
	if (pull->numbers.count == 0) {
		pull->settled = pull->numbers.next - 1;
		if (pull_was_in_vain(pull, LIST_VAIN))
			return;
	}
	pull_pump(pull);
}

static void
pull_list(struct pull *pull)
{
	char line[NNTP_REPLY_MAX];

	pull->asked = pull->answered = 0;
	pull->step = PULL_LIST;
	if (numbers_ask(&pull->numbers, line) == NUMBERS_LINES)
		feed_client_command(pull->client, "%s", line);
	else
		pull_listed(pull);
}

static void
pull_list_step(struct pull *pull, enum numbers_step step)
{
	if (step == NUMBERS_ASK)
		pull_list(pull);
	else if (step == NUMBERS_READY)
		pull_listed(pull);
	else
		feed_client_fail(pull->client,
		    "a list of numbers is none, or has no end", span_of(""));
}

/* A window of what was missed before. */
static void
pull_ask_again(struct pull *pull)
{
	const struct missed *missed = &pull->missed;

	pull->numbers.count = 0;
	for (size_t i = missed->again; i < missed->before_count; i++)
		pull->numbers.at[pull->numbers.count++] = missed->before[i];
	pull->asked = pull->answered = 0;
	pull->again_first = pull->numbers.count > 0;
}

static enum feed_client_next
on_group(struct pull *pull, const struct nntp_reply *reply)
{
	struct numbers *numbers = &pull->numbers;
	struct nntp_reply_group group;

	if (reply->code != 211)
		return pull_unexpected(pull, "answer to GROUP", reply);
	if (!nntp_reply_group(reply, &group))
		return pull_unexpected(pull, "answer to GROUP", reply);
	numbers->high =
	    group.high < RANGE_NUMBER_MAX ? group.high : RANGE_NUMBER_MAX - 1;
	/* numbers below what we have seen: the group was begun anew there */
	if (group.high + 1 < numbers->next)
		pull->missed.again = pull->missed.before_count;
	if (group.high + 1 < numbers->next || numbers->next < group.low)
		numbers->next = group.low;
	if (numbers->next == 0)
		numbers->next = 1;
	pull->step = PULL_FETCH;
	pull_ask_again(pull);
	pull_pump(pull);
	return CLIENT_STATUS;
}

static enum feed_client_next
on_list(struct pull *pull, const struct nntp_reply *reply)
{
	enum numbers_step step = numbers_reply(&pull->numbers, reply);

	if (step == NUMBERS_LINES)
		return CLIENT_LINES;
	pull_list_step(pull, step);
	return CLIENT_STATUS;
}

static void
on_line(void *arg, struct span line)
{
	struct pull *pull = arg;
	enum numbers_step step = numbers_line(&pull->numbers, line);

	if (step != NUMBERS_LINES)
		pull_list_step(pull, step);
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
	ipc_put_text(writer, pull->numbers.group);
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

/* One more was answered. sure: and it is known which. */
static void
pull_count(struct pull *pull, uint32_t number, bool sure)
{
	pull->answered++;
	if (pull->again_first)
		pull->missed.again++;
	else if (sure)
		pull->settled = number;
}

static void
on_article(void *arg, struct span wire)
{
	struct pull *pull = arg;
	uint32_t number = pull->numbers.at[pull->answered];

	if (wire.bytes == NULL) {
		log_warning("peer=%u group=%s number=%u is too large",
		    pull->endpoint.peer, pull->numbers.group, number);
	} else if (wire.len > 0 && pull_hand_over(pull, number, wire) != 0) {
		feed_client_fail(pull->client, "core takes no article",
		    span_of(""));
		return;
	}
	pull->came = pull->came || wire.len > 0;
	pull_count(pull, number, true);
	if (wire.len > 0 || !pull_was_in_vain(pull, 1))
		pull_pump(pull);
}

/* RFC 3977 3.5: answers come in the order of their commands. There is a server
 * that says at once what is not there and the articles before it later
 * (public-inbox 1.9): it is asked for one at a time from where that began. */
static enum feed_client_next
pull_disorder(struct pull *pull, const struct nntp_reply *reply)
{
	pull->again = pull->depth > 1;
	if (pull->again)
		log_info("peer=%u group=%s answers in another order than it is "
			 "asked: one at a time",
		    pull->endpoint.peer, pull->numbers.group);
	return pull_unexpected(pull, "answer about another article", reply);
}

/* RFC 3977 3.2.1: 403 is a fault that may be over the next time. A server that has
 * nothing but faults is left with them; one that has an article now and then, among
 * more faults than can be noted, must not stop us for good. */
static bool
pull_misses(struct pull *pull, uint32_t number)
{
	if (missed_add(&pull->missed, number))
		return true;
	if (pull->came)
		log_warning("peer=%u group=%s number=%u was missed: too many "
			    "others were",
		    pull->endpoint.peer, pull->numbers.group, number);
	return pull->came;
}

static enum feed_client_next
on_article_reply(struct pull *pull, const struct nntp_reply *reply)
{
	uint32_t number, expected;

	if (pull->answered >= pull->asked)
		return pull_unexpected(pull, "the server said", reply);
	expected = pull->numbers.at[pull->answered];
	if (reply->code == 220) {
		if (nntp_reply_number(reply->text, &number) && number != 0 &&
		    number != expected)
			return pull_disorder(pull, reply);
		return CLIENT_ARTICLE;
	}
	if (reply->code != 423 && reply->code != 430 && reply->code != 403)
		return pull_unexpected(pull, "answer to ARTICLE", reply);
	if (reply->code == 403 && !pull_misses(pull, expected))
		return pull_unexpected(pull, "answer to ARTICLE", reply);
	pull_count(pull, expected, pull->answered + 1 == pull->asked);
	if (!pull_was_in_vain(pull, 1))
		pull_pump(pull);
	return CLIENT_STATUS;
}

/* ---- what is next */

static void
pull_pump(struct pull *pull)
{
	struct numbers *numbers = &pull->numbers;

	if (pull->client == NULL || !feed_client_is_ready(pull->client))
		return;
	if (core_is_busy(pull))
		feed_client_pause(pull->client);
	else
		feed_client_resume(pull->client);
	if (pull->step != PULL_FETCH)
		return;
	while (pull->asked < numbers->count &&
	    pull->asked - pull->answered < pull->depth &&
	    !feed_client_is_full(pull->client))
		feed_client_command(pull->client, "ARTICLE %u",
		    numbers->at[pull->asked++]);
	if (pull->answered < numbers->count)
		return;
	pull->again_first = false;
	pull->settled = numbers->next - 1;
	if (numbers->next <= numbers->high && numbers->high > 0) {
		pull_list(pull);
	} else if (pull->handed == 0) {
		pull->settled = numbers->high;
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
	feed_client_command(pull->client, "GROUP %s", pull->numbers.group);
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
	if (pull->again && !pull->stopped) {
		pull_again(pull);
		return;
	}
	pull_end(pull, why);
}

/* On a new connection, from behind what is settled. */
static void
pull_again(struct pull *pull)
{
	pull->again = false;
	pull->depth = 1;
	pull->step = PULL_GROUP;
	pull->asked = pull->answered = pull->numbers.count = 0;
	pull->numbers.next =
	    pull->settled != 0 ? pull->settled + 1 : pull->from;
	pull_dial(pull);
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
	if (pull->client == NULL)
		pull_end(pull, why);
}

static void
pull_dial(struct pull *pull)
{
	pull->dialing = dialer_dial(pull->feed->dialer, pull->endpoint.host,
			    pull->endpoint.port, on_dialed, pull) == 0;
	if (!pull->dialing)
		pull_end(pull, "the name cannot be resolved now");
}

/* ---- what core asks */

static bool
pull_read(struct pull *pull, struct ipc_reader *fields)
{
	struct span group;

	if (endpoint_read(&pull->endpoint, fields) != 0)
		return false;
	group = ipc_get_bytes(fields);
	pull->from = ipc_get_u32(fields);
	pull->seconds = ipc_get_u32(fields);
	if (!missed_read(&pull->missed, fields) || ipc_reader_bad(fields) || group.len > NEWSGROUP_MAX ||
	    !newsgroup_is_valid(group) || pull->from > RANGE_NUMBER_MAX)
		return false;
	if (numbers_init(&pull->numbers) != 0)
		return false;
	memcpy(pull->numbers.group, group.bytes, group.len);
	pull->numbers.next = pull->from;
	pull->depth = DEPTH_MAX;
	return true;
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
		pull_end(pull, "the group has a name that is none");
		return;
	}
	pull_dial(pull);
}

/* Whatever it waits for: a name, a greeting, the rest of an article. */
static void
pull_expire(struct pull *pull)
{
	static const char why[] = "it takes too long; the next time goes on";

	if (pull->client != NULL) {
		feed_client_fail(pull->client, why, span_of(""));
	} else {
		pull_end(pull, why);
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
