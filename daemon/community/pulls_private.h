/* pulls_private.h - for pulls*.c: a round over the groups of a peer.
 */
#ifndef KITH_COMMUNITY_PULLS_PRIVATE_H
#define KITH_COMMUNITY_PULLS_PRIVATE_H

#include <sys/queue.h>

#include "daemon/community/endpoint_text.h"
#include "daemon/community/pulls.h"
#include "protocol/newsgroup.h"

#define PULL_GROUPS_MAX 1000u /* of one peer */

struct pull_waiter {
	STAILQ_ENTRY(pull_waiter) entry;
	void (*done)(void *arg, const char *error);
	void *arg;
};
STAILQ_HEAD(pull_waiters, pull_waiter);

/* A group's row in memory; a copy of its own goes to the writer. */
struct pull_group {
	char name[NEWSGROUP_MAX + 1];
	char error[256];
	uint32_t missed[FEED_MISSED_MAX];
	uint64_t missed_since[FEED_MISSED_MAX];
	Kith__Pull row; /* its texts and lists are those above */
};

struct round_group {
	char *name;
	uint64_t time; /* of the last round that came to it */
};

/* A round that was asked for: waits for its turn, runs, ends. */
struct round {
	STAILQ_ENTRY(round) entry;
	struct pulls *pulls;
	uint32_t peer;
	char *only; /* NULL: all groups */
	struct pull_waiters waiters;
	bool running;
	bool waiting;      /* for the feed process */
	unsigned patience; /* how often it was not there */
	/* of the peer, while it runs */
	char host[ENDPOINT_HOST_ROOM];
	unsigned port;
	enum config_tls tls;
	bool clear; /* as in struct feed_endpoint */
	char *login, *secret;
	struct round_group *groups;
	size_t count, at;
	uint64_t end;    /* clock_milliseconds(): then no group is begun */
	char error[256]; /* the first one */
	/* of the present group */
	struct pull_group group;
	unsigned unwritten; /* articles since the last write */
	unsigned handed;    /* at the door */
	bool writing;
	bool ended;   /* the port has said so, and: */
	bool settles; /* its settled counts */
	struct feed_progress progress;
	bool closing; /* the write that is under way is the last */
	bool stopped; /* the peer was changed, or the store takes no more */
};
STAILQ_HEAD(rounds, round);

struct pulls {
	struct community *community;
	struct rounds rounds; /* in the order they were asked for */
};

/* pulls_round.c */
void round_free(struct round *round);
/* Endpoint, login and groups, from the store. -ENOENT: no such peer; -EINVAL: it
 * has no server to take from. */
int round_read(struct round *round);
/* The row of round->groups[round->at].name into round->group. */
int round_read_group(struct round *round);
/* Writes that down as it is now; round_written comes later. */
int round_write(struct round *round);

/* After a pull, whose articles are all stored: what it could not get. */
void round_note_missed(struct round *round);

/* pulls.c */
void round_written(struct round *round, int result);

#endif
