/* pulls.c - rounds: one group of a peer after the other, each article through
 * the door for what is old, and how far it got written down as it goes.
 */
#include "daemon/community/pulls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/intake.h"
#include "daemon/community/pulls_private.h"
#include "daemon/community/spaces.h"
#include "daemon/log.h"

#define PATIENCE    6u   /* looks for the feed process, 5 s apart at most */
#define WRITE_EVERY 200u /* articles: what a crash makes us ask for again */

/* One article at the door. */
struct taking {
	struct round *round;
	uint32_t number;
	void (*done)(void *arg, bool stop);
	void *arg;
};

static void rounds_start(struct pulls *pulls);
static void round_next(struct round *round);

int
pulls_new(struct pulls **pulls_r, struct community *community)
{
	*pulls_r = calloc(1, sizeof **pulls_r);
	if (*pulls_r == NULL)
		return -ENOMEM;
	(*pulls_r)->community = community;
	STAILQ_INIT(&(*pulls_r)->rounds);
	return 0;
}

void
pulls_free(struct pulls **pulls)
{
	struct round *round;

	if (*pulls == NULL)
		return;
	while ((round = STAILQ_FIRST(&(*pulls)->rounds)) != NULL) {
		STAILQ_REMOVE_HEAD(&(*pulls)->rounds, entry);
		round_free(round);
	}
	free(*pulls);
	*pulls = NULL;
}

/* ---- a round ends */

static void
round_fault(struct round *round, const char *why)
{
	if (round->error[0] == '\0')
		(void)snprintf(round->error, sizeof round->error, "%s", why);
}

static void
round_end(struct round *round)
{
	struct pulls *pulls = round->pulls;
	struct pull_waiter *waiter;

	STAILQ_REMOVE(&pulls->rounds, round, round, entry);
	STAILQ_FOREACH(waiter, &round->waiters, entry)
		waiter->done(waiter->arg, round->error);
	community_busy(pulls->community, -1);
	round_free(round);
	rounds_start(pulls);
}

/* ---- a group ends */

static void
group_end(struct round *round)
{
	const struct pull_group *group = &round->group;

	log_info("pull peer=%u group=%s last=%u taken=%llu had=%llu "
		 "refused=%llu%s%s",
	    round->peer, group->name, group->row.last,
	    (unsigned long long)group->row.taken,
	    (unsigned long long)group->row.had,
	    (unsigned long long)group->row.refused,
	    group->error[0] == '\0' ? "" : " error=", group->error);
	round->at++;
	round_next(round);
}

/* The last write of a group waits for all its articles and for the write that
 * is under way. */
static void
group_settle(struct round *round)
{
	if (!round->ended || round->handed > 0 || round->writing)
		return;
	round->group.row.time = community_now(round->pulls->community);
	/* numbers that are empty are settled as well */
	if (!round->stopped)
		round_note_missed(round);
	if (round->settles && !round->stopped)
		round->group.row.last = round->progress.settled;
	round->closing = true;
	round->writing = true;
	if (round_write(round) != 0) {
		round->writing = false;
		round_fault(round, "out of memory");
		group_end(round);
	}
}

void
round_written(struct round *round, int result)
{
	round->writing = false;
	if (result < 0) {
		round_fault(round, strerror(-result));
		round->stopped = true;
	}
	if (round->closing)
		group_end(round);
	else
		group_settle(round);
}

static void
on_pulled(void *arg, const char *why, const struct feed_progress *progress)
{
	struct round *round = arg;
	Kith__Pull *row = &round->group.row;

	round->ended = true;
	if (why[0] != '\0' && round->group.error[0] == '\0')
		(void)snprintf(round->group.error, sizeof round->group.error,
		    "%s", why);
	if (round->group.error[0] != '\0')
		round_fault(round, round->group.error);
	if (progress->high != 0)
		row->high = progress->high;
	round->settles = why[0] == '\0' || progress->settled != 0;
	round->progress = *progress;
	group_settle(round);
}

/* ---- articles */

static void
group_count(struct round *round, uint32_t number, enum reason reason)
{
	Kith__Pull *row = &round->group.row;

	if (reason == REASON_STORED)
		row->taken++;
	else if (reason == REASON_DUPLICATE || reason == REASON_LOOP)
		row->had++;
	else
		row->refused++;
	if (number > row->last) /* one that was missed is not */
		row->last = number;
	round->unwritten++;
}

static void
on_taken(void *arg, const struct intake_result *result)
{
	struct taking *taking = arg;
	struct round *round = taking->round;
	bool again =
	    result->reason == REASON_BUSY || result->reason == REASON_NO_ROOM;

	/* in order: what follows one that could not be stored does not count */
	if (again && !round->stopped) {
		round->stopped = true;
		(void)snprintf(round->group.error, sizeof round->group.error,
		    "%s", reason_reply(result->reason)->text);
	}
	if (!round->stopped)
		group_count(round, taking->number, result->reason);
	round->handed--;
	taking->done(taking->arg, round->stopped);
	free(taking);
	if (round->unwritten >= WRITE_EVERY && !round->writing &&
	    !round->ended) {
		round->unwritten = 0;
		round->writing = round_write(round) == 0;
	}
	group_settle(round);
}

static struct round *
round_taking(struct pulls *pulls, uint32_t peer, const char *group)
{
	struct round *round;

	STAILQ_FOREACH(round, &pulls->rounds, entry)
		if (round->running && round->peer == peer && !round->ended &&
		    strcmp(round->group.name, group) == 0)
			return round;
	return NULL;
}

bool
pulls_is_running(struct pulls *pulls, uint32_t peer, const char *group)
{
	return round_taking(pulls, peer, group) != NULL;
}

/* Wire form, or it could end early in every answer that it is sent in: a dot at
 * the start of a line is one of two, and a line ends at CRLF. */
static bool
wire_is_sound(struct span wire, struct dot_facts *facts_r)
{
	const char *at = wire.bytes, *end = wire.bytes + wire.len;

	dot_examine(wire, facts_r);
	if (wire.len < 2 || end[-1] != '\n' || facts_r->nul ||
	    facts_r->bare_cr || facts_r->bare_lf)
		return false;
	while (at < end) {
		if (at[0] == '.' && (end - at < 2 || at[1] != '.'))
			return false;
		at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
	}
	return true;
}

void
pulls_take(struct pulls *pulls, const struct pulls_article *article,
    void (*done)(void *arg, bool stop), void *arg)
{
	struct round *round =
	    round_taking(pulls, article->peer, article->group);
	struct span wire = article->wire;
	struct intake_import import = { .len = wire.len,
		.peer = article->peer };
	struct taking *taking;

	if (round == NULL || round->stopped) {
		done(arg, true);
		return;
	}
	/* the server's fault: with the next number it may do better */
	if (!wire_is_sound(wire, &import.facts)) {
		round->group.row.refused++;
		done(arg, false);
		return;
	}
	taking = calloc(1, sizeof *taking);
	import.bytes = malloc(wire.len + 1);
	if (taking == NULL || import.bytes == NULL) {
		round->stopped = true;
		free(taking);
		free(import.bytes);
		done(arg, true);
		return;
	}
	taking->round = round;
	taking->number = article->number;
	taking->done = done;
	taking->arg = arg;
	memcpy(import.bytes, wire.bytes, wire.len);
	import.bytes[wire.len] = '\0';
	import.space = round->group.row.space;
	round->handed++;
	intake_import(pulls->community, &import, on_taken, taking);
}

/* ---- a group begins */

static unsigned
round_seconds_left(const struct round *round)
{
	uint64_t now =
	    clock_milliseconds(community_clock(round->pulls->community));

	return now >= round->end ? 0 : (unsigned)((round->end - now) / 1000);
}

static int
group_begin(struct round *round)
{
	const struct feed_port *port = community_feed(round->pulls->community);
	const struct feed_endpoint endpoint = { .peer = round->peer,
		.host = round->host,
		.port = round->port,
		.tls = round->tls,
		.user = round->login,
		.secret = span_of(round->secret),
		.clear = round->clear,
		.connections = 1 };
	struct space *space;
	struct feed_pull pull = { .group = round->group.name };
	int rc = round_read_group(round);

	if (rc != 0)
		return rc;
	pull.from = round->group.row.last + 1;
	pull.missed = round->group.missed;
	pull.missed_count = round->group.row.n_missed;
	pull.seconds = round_seconds_left(round);
	if (pull.seconds == 0)
		return -ETIME;
	space = spaces_by_id(community_spaces(round->pulls->community),
	    round->group.row.space);
	if (space == NULL)
		return -ENOENT;
	space_unref(space);
	round->unwritten = 0;
	round->ended = round->closing = false;
	return port->pull(port->arg, &endpoint, &pull, on_pulled, round);
}

static void
round_next(struct round *round)
{
	char why[256];
	int rc = 0;

	for (; round->at < round->count && !round->stopped; round->at++) {
		rc = group_begin(round);
		if (rc == 0)
			return;
		if (rc == -ETIME) {
			round_fault(round,
			    "the round took too long; the next "
			    "one begins with the rest");
			break;
		}
		if (rc == -ENOTCONN && round->patience++ < PATIENCE) {
			round->waiting = true;
			return;
		}
		(void)snprintf(why, sizeof why, "%s: %s",
		    round->groups[round->at].name,
		    rc == -ENOTCONN     ? "the feed process is not there"
			: rc == -ENOENT ? "its space is gone"
					: strerror(-rc));
		round_fault(round, why);
	}
	round_end(round);
}

/* ---- whose turn it is */

static bool
peer_is_busy(struct pulls *pulls, uint32_t peer)
{
	struct round *round;

	STAILQ_FOREACH(round, &pulls->rounds, entry)
		if (round->running && round->peer == peer)
			return true;
	return false;
}

static void
round_start(struct round *round)
{
	int rc = round_read(round);

	round->running = true;
	round->end =
	    clock_milliseconds(community_clock(round->pulls->community)) +
	    UINT64_C(1000) * PULLS_ROUND_SECONDS;
	if (rc == 0 && round->count == 0)
		round_fault(round, "no group is taken from this peer");
	else if (rc != 0)
		round_fault(round,
		    rc == -EINVAL       ? "the peer has no server to take from"
			: rc == -ENOENT ? "there is no such peer"
					: strerror(-rc));
	round_next(round);
}

/* A peer has one round at a time. */
static void
rounds_start(struct pulls *pulls)
{
	struct round *round;
	bool again;

	do {
		again = false;
		STAILQ_FOREACH(round, &pulls->rounds, entry)
			if (!round->running &&
			    !peer_is_busy(pulls, round->peer)) {
				/* may end at once, and with it the walk */
				round_start(round);
				again = true;
				break;
			}
	} while (again);
}

/* ---- what others call */

static struct round *
round_new(struct pulls *pulls, uint32_t peer, const char *group)
{
	struct round *round = calloc(1, sizeof *round);

	if (round == NULL)
		return NULL;
	round->pulls = pulls;
	round->peer = peer;
	STAILQ_INIT(&round->waiters);
	if (group != NULL) {
		round->only = strdup(group);
		if (round->only == NULL) {
			free(round);
			return NULL;
		}
	}
	return round;
}

void
pulls_run(struct pulls *pulls, uint32_t peer, const char *group,
    void (*done)(void *arg, const char *error), void *arg)
{
	const struct feed_port *port = community_feed(pulls->community);
	struct pull_waiter *waiter = NULL;
	struct round *round = NULL;

	if (port != NULL)
		round = round_new(pulls, peer, group);
	if (round != NULL && done != NULL)
		waiter = calloc(1, sizeof *waiter);
	if (round == NULL || (done != NULL && waiter == NULL)) {
		if (round != NULL)
			round_free(round);
		if (done != NULL)
			done(arg,
			    port == NULL ? "kithd is not running"
					 : "out of memory");
		return;
	}
	if (waiter != NULL) {
		waiter->done = done;
		waiter->arg = arg;
		STAILQ_INSERT_TAIL(&round->waiters, waiter, entry);
	}
	port->want(port->arg);
	community_busy(pulls->community, 1);
	STAILQ_INSERT_TAIL(&pulls->rounds, round, entry);
	rounds_start(pulls);
}

void
pulls_wake(struct pulls *pulls)
{
	struct round *round, *next;

	for (round = STAILQ_FIRST(&pulls->rounds); round != NULL;
	     round = next) {
		next = STAILQ_NEXT(round, entry);
		if (!round->waiting)
			continue;
		round->waiting = false;
		/* it may end, and others begin: none of those that wait */
		round_next(round);
	}
}

void
pulls_peer_changed(struct pulls *pulls, uint32_t peer)
{
	struct round *round;

	STAILQ_FOREACH(round, &pulls->rounds, entry)
		if (round->running && round->peer == peer) {
			round->stopped = true;
			round_fault(round, "the peer was changed");
		}
}

/* ---- by the clock */

struct due {
	struct pulls *pulls;
	uint64_t now;
	uint32_t peers[64];
	size_t count;
	struct store_reader *reader;
};

struct newest {
	uint64_t time;
	bool any;
};

static int
newest_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	const Kith__Pull *pull = (const Kith__Pull *)(const void *)message;
	struct newest *newest = arg;

	(void)key;
	newest->any = true;
	if (pull->time > newest->time)
		newest->time = pull->time;
	return 0;
}

static int
due_row(void *arg, const struct store_key *key, const ProtobufCMessage *message)
{
	const Kith__Peer *peer = (const Kith__Peer *)(const void *)message;
	uint32_t id = store_key_get_u32(key, 0);
	struct store_key prefix = store_key_u32(id);
	struct newest newest = { 0 };
	struct due *due = arg;

	if (peer->pull_every == 0 || peer->pull[0] == '\0' ||
	    due->count == sizeof due->peers / sizeof due->peers[0] ||
	    peer_is_busy(due->pulls, id))
		return 0;
	if (store_walk(due->reader, STORE_PULLS, &prefix, NULL, newest_row,
		&newest) == 0 &&
	    newest.any &&
	    (due->now >= newest.time + peer->pull_every ||
		due->now < newest.time)) /* the clock was set back */
		due->peers[due->count++] = id;
	return 0;
}

void
pulls_run_due(struct pulls *pulls)
{
	struct store_view *view;
	struct due due = { .pulls = pulls,
		.now = community_now(pulls->community) };

	if (community_feed(pulls->community) == NULL)
		return;
	pulls_wake(pulls);
	view = store_view_begin(community_store(pulls->community));
	if (view == NULL)
		return;
	due.reader = store_view_reader(view);
	(void)store_walk(due.reader, STORE_PEERS, NULL, NULL, due_row, &due);
	store_view_end(&view);
	for (size_t i = 0; i < due.count; i++)
		pulls_run(pulls, due.peers[i], NULL, NULL, NULL);
}
