/* feeds.h - what goes out to other news servers: for each peer a cursor into the
 * sequence, never a copy of articles. What the peer has not answered for is
 * offered again; it knows by the Message-ID what it has.
 *
 * All calls on the community's loop. The bytes travel by a port (ports.h).
 */
#ifndef KITH_COMMUNITY_FEEDS_H
#define KITH_COMMUNITY_FEEDS_H

#include <jansson.h>

#include "daemon/community/community.h"
#include "protocol/buffer.h"

struct feeds;

/* How long one is offered that the peer wants later. */
#define FEEDS_DEFERRED_LIFE (3u * 24u * 3600u)
#define FEEDS_DEFERRED_MAX  1000u /* then nothing new until some are settled */

int feeds_new(struct feeds **feeds_r, struct community *community);
void feeds_free(struct feeds **feeds);
/* The peers of the store. */
int feeds_load(struct feeds *feeds);
/* After the commit of a change of that peer, its removal included. */
void feeds_peer_changed(struct feeds *feeds, uint32_t peer);
/* The feed process can be asked (again). */
void feeds_wake(struct feeds *feeds);
/* Looks whether there is something new; often, for it is cheap. True: there is
 * more to look at than one turn of the loop should take. */
bool feeds_poll(struct feeds *feeds);
bool feeds_is_empty(const struct feeds *feeds);
/* What is due by the clock: retries, and cursors that moved without an
 * article. */
void feeds_run_due(struct feeds *feeds);

/* The news copy (wire form) of an article that is on offer to that peer,
 * into out, which is empty. -ENOENT: it is gone, or was never offered. */
int feeds_article(struct feeds *feeds, uint32_t peer, uint64_t artid,
    struct buffer *out);

/* In apply: the state of a new peer. backlog: it gets what is there already. */
int feeds_begin(struct store_txn *txn, uint32_t peer, bool backlog);
/* In apply: rows that go with the peer. */
int feeds_forget(struct store_txn *txn, uint32_t peer);
/* Adds what there is to say about the peer: cursor, lag, counts, last error,
 * next attempt. Nothing if it is not fed. */
void feeds_describe(struct feeds *feeds, uint32_t peer, json_t *object);

#endif
