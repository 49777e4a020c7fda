/* admin_subscription.h - what the files of kithctl subscription share.
 */
#ifndef KITH_COMMUNITY_ADMIN_SUBSCRIPTION_H
#define KITH_COMMUNITY_ADMIN_SUBSCRIPTION_H

#include "daemon/community/admin_op.h"

/* In apply: subscribes an address (its member is made if needed) or changes its
 * subscription; mode and state -1: as they are, by default each and active. */
int admin_subscription_write(struct store_txn *txn, uint32_t space,
    const char *address, int mode, int state, uint64_t now);

/* The verb: admin_subscription_import.c. The file's bytes are the request's. */
void admin_subscription_import(struct control_request *request);

#endif
