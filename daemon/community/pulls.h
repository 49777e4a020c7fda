/* pulls.h - groups of other servers that are taken into spaces: per (peer,
 * group) a cursor of article numbers; what is there already is known by its
 * Message-ID.
 *
 * All calls on the community's loop. Connections and bytes are the business of
 * the port (ports.h).
 */
#ifndef KITH_COMMUNITY_PULLS_H
#define KITH_COMMUNITY_PULLS_H

#include "daemon/community/community.h"
#include "protocol/span.h"

struct pulls;

/* Of a round over all groups of a peer. Those that it did not come to are the
 * first of the next. */
#define PULLS_ROUND_SECONDS (6u * 3600u)

int pulls_new(struct pulls **pulls_r, struct community *community);
void pulls_free(struct pulls **pulls);
/* After the commit of a change of that peer: a round that is under way ends
 * with its present group. */
void pulls_peer_changed(struct pulls *pulls, uint32_t peer);
/* Takes what is new in the peer's groups, or in the one that is named (NULL:
 * all). done (may be NULL) when the round has ended and is written down; error:
 * "", or why not all could be taken; borrowed. A round that is under way is
 * waited for first. */
void pulls_run(struct pulls *pulls, uint32_t peer, const char *group,
    void (*done)(void *arg, const char *error), void *arg);
/* The feed process can be asked (again). */
void pulls_wake(struct pulls *pulls);
/* Rounds that are due: peers with an interval. Now and then. */
void pulls_run_due(struct pulls *pulls);

/* An article of a round. */
struct pulls_article {
	uint32_t peer;
	const char *group;
	uint32_t number;  /* there */
	struct span wire; /* wire form */
};
/* Borrowed for the call. done when it is on disk, or is not wanted; stop: no more
 * of this group. */
void pulls_take(struct pulls *pulls, const struct pulls_article *article,
    void (*done)(void *arg, bool stop), void *arg);

/* The key of a group's row. */
struct store_key pulls_key(uint32_t peer, const char *group);
/* In apply: rows that go with the peer. */
int pulls_forget(struct store_txn *txn, uint32_t peer);
/* A round of that peer is under way; the group is the one being taken. */
bool pulls_is_running(struct pulls *pulls, uint32_t peer, const char *group);

#endif
