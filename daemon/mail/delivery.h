/* delivery.h - core's orders to send: bodies kept while chunks use them, chunks
 * handed to the transport and answered.
 */
#ifndef KITH_DAEMON_MAIL_DELIVERY_H
#define KITH_DAEMON_MAIL_DELIVERY_H

#include "daemon/ipc.h"
#include "daemon/mail/transport.h"

struct delivery;

struct delivery *delivery_new(void);
void delivery_free(struct delivery **delivery);
/* Takes; the one before is freed. NULL: none. */
void delivery_set_transport(struct delivery *delivery,
    struct mail_transport *transport);
/* A request of core. */
void delivery_request(struct delivery *delivery, struct ipc *ipc, uint16_t type,
    uint32_t request, struct ipc_reader *fields);
/* Forgets the bodies; what is under way is finished and answered to nobody. */
void delivery_core_lost(struct delivery *delivery);

#endif
