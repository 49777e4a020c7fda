/* admin_peer.h - what the verbs of kithctl peer share.
 */
#ifndef KITH_COMMUNITY_ADMIN_PEER_H
#define KITH_COMMUNITY_ADMIN_PEER_H

#include "daemon/control.h"
#include "store/store.h"

/* The peer of that name: its record (owned, kith__peer__free_unpacked) and id.
 * Not 0: the request has failed. */
int admin_peer_find(struct control_request *request, const char *name,
    Kith__Peer **record_r, uint32_t *id_r);

#endif
