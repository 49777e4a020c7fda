/* mail_owner.c - the way to the people in charge of a space.
 */
#include <stdio.h>

#include "daemon/community/mail_hand_on.h"
#include "protocol/mail_summary.h"

static int
owner_check(struct store_txn *txn, struct mail_item *item)
{
	(void)txn;
	item->detail[0] = '\0';
	item->reason = REASON_IGNORED;
	/* out-of-office and its like to a notice of ours end here */
	return item->automatic || item->summary == NULL ||
	    item->summary->class == MAIL_CLASS_LOOP;
}

static int
owner_apply(struct store_txn *txn, struct mail_item *item)
{
	const struct mail_summary *summary = item->summary;
	struct roster roster;
	char owner[300], subject[400];
	struct hand_on what = { .purpose = "owner",
		.from_name = summary->from.count > 0
		    ? summary->from.items[0].text
		    : "nobody",
		.address = owner,
		.subject = subject };
	int rc = roster_moderators(store_txn_reader(txn), item->space, &roster);

	item->reason = REASON_DONE;
	if (rc != 0)
		return rc;
	(void)snprintf(owner, sizeof owner, "%s+owner@%s", item->space->mail,
	    community_config(item->community)->domain);
	(void)snprintf(subject, sizeof subject,
	    "To the owner of %.100s: %.200s", item->space->name,
	    summary->subject);
	rc = mail_hand_on(txn, item, &what, &roster);
	roster_fini(&roster);
	return rc;
}

const struct mail_action mail_action_owner = {
	.name = "owner",
	.check = owner_check,
	.apply = owner_apply,
};
