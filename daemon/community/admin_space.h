/* admin_space.h - what the files of kithctl space share.
 */
#ifndef KITH_COMMUNITY_ADMIN_SPACE_H
#define KITH_COMMUNITY_ADMIN_SPACE_H

#include "daemon/community/admin_op.h"
#include "daemon/community/spaces.h"

/* Owned: kith__space__free_unpacked. -ENOENT. */
int space_record_get(struct store_reader *reader, uint32_t id,
    Kith__Space **record_r);
/* For check: 0, negative, or 1, and it is refused for there is none. */
int space_find(struct store_txn *txn, struct admin_op *admin, const char *name,
    uint32_t *id_r);

/* The verbs that have files of their own. */
void admin_space_show(struct control_request *request);
void admin_space_list(struct control_request *request);
void admin_space_remove(struct control_request *request);
void admin_space_compact(struct control_request *request);

#endif
