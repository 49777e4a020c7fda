/* admin_ticket.h - what the files of kithctl ticket share.
 */
#ifndef KITH_COMMUNITY_ADMIN_TICKET_H
#define KITH_COMMUNITY_ADMIN_TICKET_H

#include "daemon/control.h"

/* The number that the request names; false: the request has failed. */
bool admin_ticket_number(struct control_request *request, uint32_t *number_r);
/* Fails a request for a negative errno; -ENOENT: there is no such ticket. */
void admin_ticket_fail(struct control_request *request, int error);

/* The verb that has a file of its own. */
void admin_ticket_reply(struct control_request *request);

#endif
