/* admin_peer.h - what the verbs of kithctl peer share.
 */
#ifndef KITH_COMMUNITY_ADMIN_PEER_H
#define KITH_COMMUNITY_ADMIN_PEER_H

#include "daemon/community/auth.h"
#include "daemon/control.h"
#include "store/store.h"

/* The peer of that name: its record (owned, kith__peer__free_unpacked) and id.
 * Not 0: the request has failed. */
int admin_peer_find(struct control_request *request, const char *name,
    Kith__Peer **record_r, uint32_t *id_r);

/* What was said; NULL and -1: nothing, -2: nonsense. "none" takes an address
 * away. */
struct peer_options {
	const char *address;
	const char *login;
	const char *spaces;
	const char *outgoing;
	const char *pull;
	const char *path;
	int tls;
	long every;
	long connections;
	long outgoing_connections;
	long in_flight;
	long rate;
	bool incoming;
	bool not_incoming;
	bool clear;
	bool not_clear;
	bool backlog;
	bool has_password;
	char password[AUTH_PASSWORD_MAX + 1];
	struct auth_verifier verifier; /* of it */
};

#define ADMIN_PEER_NAME_MAX 64u /* octets */

void admin_peer_options_read(struct control_request *request,
    struct peer_options *say);
/* What is wrong with an option by itself, or NULL. */
const char *admin_peer_options_fault(const struct peer_options *say);
/* What was said into a record whose texts are owned. 0 or -ENOMEM. */
int admin_peer_apply(Kith__Peer *peer, const struct peer_options *say);
/* What is wrong with what it came to, or NULL. */
const char *admin_peer_fault(const Kith__Peer *peer);

#endif
