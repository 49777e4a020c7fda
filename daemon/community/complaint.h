/* complaint.h - complaints of readers about our mail (RFC 5965). The action is in
 * mail_item.h.
 */
#ifndef KITH_COMMUNITY_COMPLAINT_H
#define KITH_COMMUNITY_COMPLAINT_H

#include "daemon/community/mail_item.h"

/* Does it complain of abuse? summary may be NULL. */
bool complaint_is(const struct mail_summary *summary);
/* Before the operation, of a mail to somebody else: if it is such a complaint and
 * names the envelope sender of a copy, the item is given its token and space. */
void complaint_find(struct mail_item *item);
/* In apply: the reader of that copy leaves as by mail_action_complaint. */
int complaint_take(struct store_txn *txn, const struct mail_item *item);

#endif
