/* peers.h - the news peers, in memory, readable from any thread. The store's
 * records remain the truth; a change is published after its commit.
 */
#ifndef KITH_COMMUNITY_PEERS_H
#define KITH_COMMUNITY_PEERS_H

#include <stdbool.h>

#include "daemon/community/auth.h"
#include "store/store.h"

struct peers;

int peers_new(struct peers **peers_r);
void peers_free(struct peers **peers);
int peers_load(struct peers *peers, struct store *store);
/* In apply: replaces (record NULL: removes) after the commit. */
int peers_publish(struct peers *peers, struct store_txn *txn, uint32_t id,
    const Kith__Peer *record);

/* The peer's id, or 0. IP addresses compare by value. */
uint32_t peers_by_address(struct peers *peers, const char *ip);
/* The peer that logs in by that name and its verifier; 0 if none. */
uint32_t peers_by_login(struct peers *peers, const char *login,
    struct auth_verifier *verifier_r);
/* The path-identity that its articles should begin with (RFC 5537 3.2.1); false:
 * none is known. */
#define PEER_PATH_ROOM 256u
bool peers_path(struct peers *peers, uint32_t id, char path[PEER_PATH_ROOM]);
bool peers_may_feed(struct peers *peers, uint32_t id, const char *space_name);
/* Whether it is there, and may offer anything at all. */
bool peers_is_incoming(struct peers *peers, uint32_t id);

/* A connection of the peer begins: false if it has as many as it may. */
bool peers_enter(struct peers *peers, uint32_t id);
void peers_leave(struct peers *peers, uint32_t id);
/* Articles that a connection of it may have unanswered; 0: no limit of its
 * own. */
unsigned peers_in_flight(struct peers *peers, uint32_t id);
/* Whether it may offer another article in this minute, and that it sends one.
 * now: seconds. */
bool peers_may_offer(struct peers *peers, uint32_t id, uint64_t now);
void peers_count(struct peers *peers, uint32_t id, uint64_t now);

#endif
