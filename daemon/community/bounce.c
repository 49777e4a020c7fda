/* bounce.c - undeliverable mail: told by the smarthost at once, or by a report
 * to a VERP address days later. Recorded and counted, never posted, never
 * answered.
 */
#include "daemon/community/bounce.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/community/journal.h"
#include "daemon/community/mail_item.h"
#include "daemon/community/members.h"
#include "daemon/community/subscriptions.h"
#include "daemon/community/ticket.h"
#include "daemon/community/token.h"
#include "daemon/log.h"
#include "protocol/mail_summary.h"

/* "Why does he get no mail any more?" */
#define COMPLAINT_LIFE       (365u * 86400u)
#define BOUNCE_SUSPENDED_MAX 1000u /* subscriptions of one address */

/* ---- counting */

/* A mail has one row, and one for its reader's complaint: however often it is
 * reported, it costs no more. */
static struct store_key
bounce_key(const struct bounce *bounce)
{
	return store_key_u32_u64(bounce->address,
	    TOKEN_REPORT_JOB(bounce->job) << 1 | bounce->complaint);
}

/* A mail that fails twice (at once, and in a report) counts once; what was soft
 * can turn out hard. An old row is of another job, whose id ends alike. */
int
bounce_is_known(struct store_reader *reader, struct community *community,
    const struct bounce *bounce, bool *known_r)
{
	struct store_key key = bounce_key(bounce);
	ProtobufCMessage *message = NULL;
	int rc = store_get(reader, STORE_BOUNCES, &key, &message);
	const Kith__Bounce *row = (const Kith__Bounce *)(const void *)message;

	*known_r = rc == 0 &&
	    !bounce_is_old(community, row, community_now(community)) &&
	    (row->hard || bounce->judged != MAIL_BOUNCE_HARD);
	if (message != NULL)
		protobuf_c_message_free_unpacked(message, NULL);
	return rc == -ENOENT ? 0 : rc;
}

bool
bounce_is_old(struct community *community, const Kith__Bounce *row,
    uint64_t now)
{
	uint64_t life = row->complaint
	    ? COMPLAINT_LIFE
	    : community_config(community)->bounce_life;

	return row->time + life < now;
}

int
bounce_put(struct store_txn *txn, const struct bounce *bounce, uint64_t now)
{
	struct store_key key = bounce_key(bounce);
	Kith__Bounce row;

	kith__bounce__init(&row);
	row.status = (char *)(uintptr_t)bounce->status;
	row.text = (char *)(uintptr_t)bounce->text;
	row.hard = bounce->judged == MAIL_BOUNCE_HARD;
	row.complaint = bounce->complaint;
	row.space = bounce->space;
	row.time = now;
	return store_put(txn, STORE_BOUNCES, &key, &row.base);
}

/* ---- suspending */

struct bounce_spaces {
	uint32_t spaces[BOUNCE_SUSPENDED_MAX];
	size_t count;
};

static int
spaces_visit(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct bounce_spaces *spaces = arg;

	(void)message;
	spaces->spaces[spaces->count++] = store_key_get_u32(key, 4);
	return spaces->count == BOUNCE_SUSPENDED_MAX ? 1 : 0;
}

static int
suspend_one(struct store_txn *txn, const struct bounce *bounce, uint32_t space,
    uint64_t now)
{
	Kith__Subscription *subscription;
	int rc = subscription_get(store_txn_reader(txn), space, bounce->address,
	    &subscription);

	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	if (subscription->state == KITH__SUBSCRIPTION_STATE__SUB_ACTIVE) {
		subscription->state = KITH__SUBSCRIPTION_STATE__SUB_SUSPENDED;
		rc = subscription_put(txn, space, bounce->address, subscription,
		    now, 0);
	}
	kith__subscription__free_unpacked(subscription, NULL);
	return rc;
}

/* The address does not work, so none of its subscriptions does. */
static int
suspend_all(struct store_txn *txn, const struct bounce *bounce, uint64_t now)
{
	struct store_key prefix = store_key_u32(bounce->address);
	struct bounce_spaces *spaces = calloc(1, sizeof *spaces);
	int rc;

	if (spaces == NULL)
		return -ENOMEM;
	rc = store_walk(store_txn_reader(txn), STORE_SUBSCRIPTIONS_OF, &prefix,
	    NULL, spaces_visit, spaces);
	for (size_t i = 0; rc >= 0 && i < spaces->count; i++)
		rc = suspend_one(txn, bounce, spaces->spaces[i], now);
	free(spaces);
	return rc < 0 ? rc : 0;
}

static int
bounce_count(struct store_txn *txn, struct community *community,
    const struct bounce *bounce, uint64_t now)
{
	const struct config *config = community_config(community);
	Kith__Subscription *subscription;
	bool suspend;
	int rc = subscription_get(store_txn_reader(txn), bounce->space,
	    bounce->address, &subscription);

	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	if (subscription->first_bounce + config->bounce_life <= now) {
		subscription->first_bounce = now;
		subscription->bounces = 0;
	}
	subscription->bounces++;
	suspend = subscription->bounces >= config->bounce_suspend_after;
	rc = subscription_put(txn, bounce->space, bounce->address, subscription,
	    now, 0);
	kith__subscription__free_unpacked(subscription, NULL);
	if (rc == 0 && suspend)
		rc = suspend_all(txn, bounce, now);
	return rc;
}

int
bounce_record(struct store_txn *txn, struct community *community,
    const struct bounce *bounce)
{
	uint64_t now = community_now(community);
	bool known = false;
	int rc;

	if (bounce->judged != MAIL_BOUNCE_HARD &&
	    bounce->judged != MAIL_BOUNCE_SOFT)
		return 0;
	rc = bounce_is_known(store_txn_reader(txn), community, bounce, &known);
	if (rc != 0 || known)
		return rc;
	rc = bounce_put(txn, bounce, now);
	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = now,
			.verb = KITH__VERB__VERB_BOUNCED,
			.space = bounce->space,
			.object = bounce->address,
			.text = bounce->status });
	if (rc == 0 && bounce->judged == MAIL_BOUNCE_HARD)
		rc = bounce_count(txn, community, bounce, now);
	if (rc == 0)
		rc = ticket_bounced(txn, community, bounce);
	return rc;
}

/* ---- a report to a VERP address */

/* The worst that the report says; VERP mail has one recipient. */
static const struct mail_report_recipient *
report_worst(const struct mail_report *report)
{
	const struct mail_report_recipient *worst = NULL;

	for (size_t i = 0; i < report->count; i++)
		if (worst == NULL ||
		    report->recipients[i].bounce > worst->bounce)
			worst = &report->recipients[i];
	return worst;
}

static int
bounce_check(struct store_txn *txn, struct mail_item *item)
{
	(void)txn;
	item->detail[0] = '\0';
	item->reason = REASON_IGNORED;
	/* late, or not a report at all (somebody's vacation): nothing to note */
	if (item->token_state != 0 || item->summary == NULL ||
	    item->summary->class != MAIL_CLASS_DSN ||
	    report_worst(&item->summary->report) == NULL)
		return 1;
	return 0;
}

static int
bounce_apply(struct store_txn *txn, struct mail_item *item)
{
	const struct mail_report_recipient *worst =
	    report_worst(&item->summary->report);
	struct bounce bounce = { .address = (uint32_t)item->token.member,
		.space = item->space == NULL ? 0 : item->space->id,
		.job = TOKEN_REPORT_JOB(item->token.object),
		.judged = worst->bounce,
		.status = worst->status,
		.text = worst->diagnostic,
		.message_id = item->summary->report.original_message_id };

	item->reason = REASON_DONE;
	return bounce_record(txn, item->community, &bounce);
}

const struct mail_action mail_action_bounce = {
	.name = "bounce",
	.check = bounce_check,
	.apply = bounce_apply,
};
