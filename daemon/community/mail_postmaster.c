/* mail_postmaster.c - postmaster and abuse (RFC 2142): handed on to the admins.
 */
#include <stdio.h>

#include "daemon/community/complaint.h"
#include "daemon/community/intake_private.h"
#include "daemon/community/mail_hand_on.h"
#include "protocol/mail_summary.h"

static int
postmaster_check(struct store_txn *txn, struct mail_item *item)
{
	(void)txn;
	item->detail[0] = '\0';
	item->reason = REASON_IGNORED;
	/* what comes back from the admins themselves must not go round */
	return item->summary == NULL || item->summary->class == MAIL_CLASS_LOOP;
}

static int
postmaster_apply(struct store_txn *txn, struct mail_item *item)
{
	struct roster roster;
	char address[300], subject[400];
	struct hand_on what = { .purpose = "postmaster",
		.from_name = "",
		.address = address,
		.subject = subject,
		.automatic = true };
	int rc = roster_admins(store_txn_reader(txn), &roster);

	item->reason = REASON_DONE;
	if (rc == 0)
		rc = complaint_take(txn, item);
	if (rc != 0) {
		roster_fini(&roster);
		return rc;
	}
	(void)snprintf(address, sizeof address, "postmaster@%s",
	    community_config(item->community)->domain);
	(void)snprintf(subject, sizeof subject, "Mail to %.100s: %.200s",
	    item->recipient, item->summary->subject);
	rc = mail_hand_on(txn, item, &what, &roster);
	roster_fini(&roster);
	return rc;
}

const struct mail_action mail_action_postmaster = {
	.name = "postmaster",
	.check = postmaster_check,
	.apply = postmaster_apply,
};
