/* complaint.c - a reader told his mail provider that our mail is abuse, and the
 * provider tells us (RFC 5965): he leaves that space at once. Nothing is said to
 * him, for it would be complained about; recorded, never posted, never answered.
 *
 * Whoever knows the envelope sender of a reader's copy can complain for him, and
 * nobody else: it carries a token.
 */
#include "daemon/community/complaint.h"

#include <errno.h>
#include <string.h>

#include "daemon/community/bounce.h"
#include "daemon/community/intake_private.h"
#include "daemon/community/journal.h"
#include "daemon/community/subscriptions.h"
#include "daemon/log.h"
#include "protocol/mail_summary.h"

#define DAY 86400u /* what the time of a token is rounded to */

bool
complaint_is(const struct mail_summary *summary)
{
	return summary != NULL && summary->class == MAIL_CLASS_ARF &&
	    strcmp(summary->report.feedback_type, "abuse") == 0;
}

/* Ends the subscription, unless it began after that mail: who has come back
 * meanwhile does not leave by an old complaint. */
static int
reader_leave(struct store_txn *txn, const struct token *token, uint32_t space,
    uint64_t now, bool *left_r)
{
	uint64_t sent = token->expires - token_rule(TOKEN_BOUNCE)->lifetime;
	uint32_t address = (uint32_t)token->member;
	Kith__Subscription *subscription;
	int rc = subscription_get(store_txn_reader(txn), space, address,
	    &subscription);

	*left_r = false;
	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	if (subscription->since <= sent + DAY) {
		*left_r = true;
		rc = subscription_remove(txn, space, address, now, 0);
	}
	kith__subscription__free_unpacked(subscription, NULL);
	return rc;
}

static int
complaint_record(struct store_txn *txn, const struct mail_item *item,
    uint32_t space)
{
	struct bounce bounce = { .address = (uint32_t)item->token.member,
		.space = space,
		.job = TOKEN_REPORT_JOB(item->token.object),
		.complaint = true,
		.status = "",
		.text = "" };
	bool left = false, known = false;
	int rc = bounce_is_known(store_txn_reader(txn), item->community, &bounce,
	    &known);

	if (rc != 0 || known)
		return rc;
	rc = bounce_put(txn, &bounce, item->now);
	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = item->now,
			.verb = KITH__VERB__VERB_COMPLAINED,
			.space = space,
			.object = bounce.address });
	if (rc == 0)
		rc = reader_leave(txn, &item->token, space, item->now, &left);
	if (rc == 0)
		log_info("complaint address=%u space=%u unsubscribed=%d",
		    bounce.address, space, left);
	return rc;
}

/* ---- to the reader's own address for bounces */

static int
complaint_check(struct store_txn *txn, struct mail_item *item)
{
	(void)txn;
	item->detail[0] = '\0';
	item->reason = REASON_IGNORED;
	return item->token_state != 0;
}

static int
complaint_apply(struct store_txn *txn, struct mail_item *item)
{
	item->reason = REASON_DONE;
	return complaint_record(txn, item,
	    item->space == NULL ? 0 : item->space->id);
}

const struct mail_action mail_action_complaint = {
	.name = "complaint",
	.check = complaint_check,
	.apply = complaint_apply,
};

/* ---- to abuse or postmaster, where providers send them */

void
complaint_find(struct mail_item *item)
{
	struct mail_route route;

	if (!complaint_is(item->summary))
		return;
	if (mail_route(item->community,
		item->summary->report.original_mail_from,
		&route) == REASON_STORED &&
	    route.action == &mail_action_bounce && route.token_state == 0) {
		item->token = route.token;
		item->complained = route.space == NULL ? 0 : route.space->id;
	}
	mail_route_fini(&route);
}

int
complaint_take(struct store_txn *txn, const struct mail_item *item)
{
	return item->token.kind == TOKEN_BOUNCE
	    ? complaint_record(txn, item, item->complained)
	    : 0;
}
