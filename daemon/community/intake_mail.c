/* intake_mail.c - the door for mail: each recipient is an item, an operation of
 * its own, but for what goes to several lists at once, which is one article.
 */
#include "daemon/community/intake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/community/complaint.h"
#include "daemon/community/intake_private.h"
#include "daemon/community/members.h"
#include "daemon/log.h"
#include "protocol/dot.h"
#include "protocol/mail_summary.h"
#include "store/admin.h"

/* One mail, and the items that come of it. Lives until all are answered. */
struct delivery {
	struct community *community;
	char *message; /* wire form */
	size_t len;
	const struct mail_summary *summary;
	char *envelope_from;
	char *client;
	struct identity author;
	struct dot_facts facts;
	bool automatic;
	size_t recipient_count;
	char **recipients;
	struct delivery_item **item_of; /* per recipient; NULL: refused, or
					 * answered */
	struct intake_reply *replies;
	size_t open; /* items under way, and the start itself */
	void (
	    *done)(void *arg, const struct intake_reply *replies, size_t count);
	void *arg;
};

static struct delivery_item *
delivery_item_of_op(struct store_op *op)
{
	return (struct delivery_item *)(void *)((char *)op -
	    offsetof(struct delivery_item, op));
}

struct delivery_item *
delivery_item_of(struct mail_item *item)
{
	return (struct delivery_item *)(void *)((char *)item -
	    offsetof(struct delivery_item, item));
}

/* ---- answers */

static void
reply_set(struct intake_reply *reply, enum reason reason, const char *detail)
{
	const struct reason_reply *row = reason_reply(reason);

	reply->code = row->smtp;
	(void)snprintf(reply->text, sizeof reply->text, "%s %s%s%s",
	    row->enhanced, row->text, detail[0] != '\0' ? ": " : "", detail);
}

static void
delivery_free(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->recipient_count; i++)
		if (delivery->recipients != NULL)
			free(delivery->recipients[i]);
	free(delivery->recipients);
	free(delivery->item_of);
	free(delivery->replies);
	free(delivery->message);
	free(delivery->envelope_from);
	free(delivery->client);
	free(delivery);
}

static void
delivery_close_one(struct delivery *delivery)
{
	if (--delivery->open > 0)
		return;
	delivery->done(delivery->arg, delivery->replies,
	    delivery->recipient_count);
	community_busy(delivery->community, -1);
	delivery_free(delivery);
}

static void
item_free(struct delivery_item *own)
{
	draft_fini(&own->draft);
	held_decision_fini(&own->decision);
	decisions_free(&own->decisions);
	space_unref(own->item.space);
	free(own);
}

static void
item_finish(struct delivery_item *own)
{
	struct delivery *delivery = own->delivery;
	char id[LOG_TEXT_ROOM], to[LOG_TEXT_ROOM];
	const char *message_id =
	    delivery->summary == NULL ? "" : delivery->summary->message_id;

	for (size_t i = 0; i < delivery->recipient_count; i++) {
		if (delivery->item_of[i] != own)
			continue;
		delivery->item_of[i] = NULL;
		reply_set(&delivery->replies[i], own->item.reason,
		    own->item.detail);
		log_info("mail id=%s to=%s action=%s member=%u result=%s",
		    log_text(id, sizeof id, message_id, strlen(message_id)),
		    /* a token in it is a secret */
		    own->item.token_text.len > 0
			? "(token)"
			: log_text(to, sizeof to, delivery->recipients[i],
			      strlen(delivery->recipients[i])),
		    own->item.action->name, own->item.author.member,
		    reason_name(own->item.reason));
	}
	item_free(own);
	delivery_close_one(delivery);
}

/* ---- the operation */

static int
item_check(struct store_txn *txn, struct store_op *op)
{
	struct delivery_item *own = delivery_item_of_op(op);
	struct mail_item *item = &own->item;

	if (store_is_full(community_store(item->community))) {
		item->reason = REASON_NO_ROOM;
		return 1;
	}
	if (item->draft != NULL)
		item->draft->duplicate = 0;
	return item->action->check(txn, item);
}

static int
item_apply(struct store_txn *txn, struct store_op *op)
{
	struct mail_item *item = &delivery_item_of_op(op)->item;

	return item->action->apply(txn, item);
}

static void
item_done(struct store_op *op, int result)
{
	struct delivery_item *own = delivery_item_of_op(op);

	if (result < 0) {
		own->item.reason = intake_reason_of(result);
		own->item.detail[0] = '\0';
		log_err("mail: action %s: %s", own->item.action->name,
		    strerror(-result));
	} else if (own->item.action->more != NULL &&
	    own->item.action->more(&own->item)) {
		store_submit(community_store(own->item.community), op);
		return;
	}
	item_finish(own);
}

/* ---- items */

/* Takes the route's space. */
static struct delivery_item *
item_new(struct delivery *delivery, struct mail_route *route, size_t recipient)
{
	struct delivery_item *own = calloc(1, sizeof *own);
	struct mail_item *item;

	if (own == NULL)
		return NULL;
	own->delivery = delivery;
	item = &own->item;
	item->community = delivery->community;
	item->action = route->action;
	item->summary = delivery->summary;
	item->message = span_make(delivery->message, delivery->len);
	item->envelope_from = delivery->envelope_from;
	item->client = delivery->client;
	item->recipient = delivery->recipients[recipient];
	item->author = delivery->author;
	item->automatic = delivery->automatic;
	item->space = route->space;
	route->space = NULL;
	item->token = route->token;
	item->token_text = route->token_text;
	item->token_state = route->token_state;
	item->step = route->step;
	item->now = community_now(delivery->community);
	if (route->action == &mail_action_postmaster)
		complaint_find(item);
	own->draft.spaces[0] = item->space == NULL ? 0 : item->space->id;
	own->draft.space_count = item->space == NULL ? 0 : 1;
	return own;
}

/* May this mail be one article with those that go to other lists? What waits
 * for a moderator or is refused is a matter of its own. */
static bool
item_is_plain_post(const struct delivery_item *own)
{
	struct draft probe = { .space_count = 1 };
	bool moderated;

	uint64_t max_size;

	if (own->item.action != &mail_action_post)
		return false;
	max_size = own->item.space->limits.max_size;
	if (max_size != 0 && own->delivery->len > max_size)
		return false;
	probe.spaces[0] = own->item.space->id;
	probe.author = own->item.author;
	return intake_judge_spaces(own->item.community, &probe, &moderated) ==
	    REASON_STORED &&
	    !moderated;
}

static struct delivery_item *
item_to_join(struct delivery *delivery, const struct delivery_item *own,
    size_t recipient)
{
	for (size_t i = 0; i < recipient; i++) {
		struct delivery_item *other = delivery->item_of[i];

		if (other == NULL)
			continue;
		/* the same address twice */
		if (other->item.action == own->item.action &&
		    strcasecmp(delivery->recipients[i],
			delivery->recipients[recipient]) == 0)
			return other;
		if (item_is_plain_post(own) && item_is_plain_post(other) &&
		    other->draft.space_count < DRAFT_SPACES_MAX)
			return other;
	}
	return NULL;
}

static void
item_join(struct delivery_item *into, struct delivery_item *own)
{
	struct draft *draft = &into->draft;
	uint32_t space = own->draft.spaces[0];
	bool there = own->draft.space_count == 0;

	for (size_t i = 0; i < draft->space_count; i++)
		there = there || draft->spaces[i] == space;
	if (!there)
		draft->spaces[draft->space_count++] = space;
	item_free(own);
}

static void
delivery_route(struct delivery *delivery, size_t recipient)
{
	struct mail_route route;
	struct delivery_item *own, *other;
	enum reason reason = mail_route(delivery->community,
	    delivery->recipients[recipient], &route);

	if (reason != REASON_STORED) {
		reply_set(&delivery->replies[recipient], reason, "");
		mail_route_fini(&route);
		return;
	}
	if (route.action == &mail_action_bounce &&
	    complaint_is(delivery->summary))
		route.action = &mail_action_complaint;
	/* nothing but a report is of use that could not be read */
	if (delivery->summary == NULL && route.space != NULL &&
	    route.action != &mail_action_bounce)
		route.action = &mail_action_unreadable;
	own = item_new(delivery, &route, recipient);
	mail_route_fini(&route);
	if (own == NULL) {
		reply_set(&delivery->replies[recipient], REASON_BUSY, "");
		return;
	}
	other = item_to_join(delivery, own, recipient);
	if (other != NULL) {
		item_join(other, own);
		own = other;
	}
	delivery->item_of[recipient] = own;
}

static enum reason
item_prepare(struct delivery_item *own)
{
	struct delivery *delivery = own->delivery;
	struct mail_item *item = &own->item;
	struct draft_bytes bytes = { malloc(delivery->len + 1), delivery->len,
		delivery->facts };
	enum reason reason;

	if (bytes.bytes == NULL)
		return REASON_BUSY;
	memcpy(bytes.bytes, delivery->message, delivery->len);
	own->draft.author = item->author;
	own->draft.channel = KITH__CHANNEL__CHANNEL_MAIL;
	own->draft.automatic = item->automatic;
	item->draft = &own->draft;
	reason = draft_from_mail(item->community, &own->draft, &bytes,
	    item->detail, sizeof item->detail);
	if (reason == REASON_STORED)
		draft_prepare_thread(item->community, &own->draft);
	return reason;
}

static void
item_submit(struct delivery_item *own)
{
	own->item.reason = REASON_STORED;
	if (own->item.action->stores)
		own->item.reason = item_prepare(own);
	if (own->item.reason != REASON_STORED) {
		item_finish(own);
		return;
	}
	own->op.check = item_check;
	own->op.apply = item_apply;
	own->op.done = item_done;
	own->op.inbox = community_inbox(own->delivery->community);
	store_submit(community_store(own->delivery->community), &own->op);
}

static void
delivery_start(struct delivery *delivery, bool keyed)
{
	for (size_t i = 0; i < delivery->recipient_count; i++) {
		struct delivery_item *own = delivery->item_of[i];
		bool first =
		    own != NULL && (own->item.token_text.len > 0) == keyed;

		for (size_t j = 0; j < i && first; j++)
			first = delivery->item_of[j] != own;
		if (first) {
			/* items end while the list is walked: count first */
			delivery->open++;
			item_submit(own);
		}
	}
}

/* Tokens first: "reply to all" goes to the support address as well, and what
 * comes there without one is not believed. Second, it is a duplicate. */
static void
delivery_submit(struct delivery *delivery)
{
	delivery_start(delivery, true);
	delivery_start(delivery, false);
	delivery_close_one(delivery);
}

/* ---- the mail */

/* Automatic mail is nobody's word: it confirms nothing, opens nothing, and is
 * never answered. */
static bool
mail_is_automatic(const struct delivery *delivery)
{
	if (delivery->envelope_from[0] == '\0')
		return true;
	if (delivery->summary == NULL)
		return false;
	switch (delivery->summary->class) {
	case MAIL_CLASS_HUMAN:
	case MAIL_CLASS_NO_ACK:
	case MAIL_CLASS_LOOP: /* of which list, the action looks itself */
		return false;
	case MAIL_CLASS_AUTO:
	case MAIL_CLASS_DSN:
	case MAIL_CLASS_BOUNCE:
	case MAIL_CLASS_MDN:
	case MAIL_CLASS_ARF:
	default:
		return true;
	}
}

/* Exactly one From is an identity, and it is no more than a claim until the
 * MTA in front of us has looked at it. */
static int
delivery_identify(struct delivery *delivery)
{
	const struct mail_summary *summary = delivery->summary;
	struct store_view *view;
	int rc;

	if (summary == NULL || summary->from.count != 1 ||
	    summary->several_from)
		return 0;
	view = store_view_begin(community_store(delivery->community));
	if (view == NULL)
		return -ENOMEM;
	rc = identity_of_address(store_view_reader(view),
	    summary->from.items[0].text, &delivery->author);
	store_view_end(&view);
	delivery->author.trust =
	    summary->auth.aligned_pass ? TRUST_ALIGNED : TRUST_NONE;
	return rc;
}

static int
delivery_fill(struct delivery *delivery, const struct intake_mail *mail)
{
	size_t count = mail->recipient_count;

	delivery->message = malloc(mail->message.len + 1);
	delivery->envelope_from = strdup(mail->envelope_from);
	delivery->client = strdup(mail->client == NULL ? "" : mail->client);
	delivery->recipients = calloc(count, sizeof(char *));
	delivery->item_of = calloc(count, sizeof(struct delivery_item *));
	delivery->replies = calloc(count, sizeof *delivery->replies);
	if (delivery->message == NULL || delivery->envelope_from == NULL ||
	    delivery->client == NULL || delivery->recipients == NULL ||
	    delivery->item_of == NULL || delivery->replies == NULL)
		return -ENOMEM;
	memcpy(delivery->message, mail->message.bytes, mail->message.len);
	delivery->len = mail->message.len;
	delivery->summary = mail->summary;
	dot_examine(mail->message, &delivery->facts);
	for (size_t i = 0; i < count; i++) {
		delivery->recipients[i] = strdup(mail->recipients[i]);
		if (delivery->recipients[i] == NULL)
			return -ENOMEM;
		delivery->recipient_count++;
	}
	delivery->automatic = mail_is_automatic(delivery);
	return delivery_identify(delivery);
}

void
intake_mail(struct community *community, const struct intake_mail *mail,
    void (*done)(void *arg, const struct intake_reply *replies, size_t count),
    void *arg)
{
	struct delivery *delivery = calloc(1, sizeof *delivery);

	if (delivery == NULL || mail->recipient_count == 0) {
		free(delivery);
		done(arg, NULL, 0);
		return;
	}
	delivery->community = community;
	delivery->done = done;
	delivery->arg = arg;
	delivery->open = 1;
	if (delivery_fill(delivery, mail) != 0) {
		done(arg, NULL, 0);
		delivery_free(delivery);
		return;
	}
	community_busy(community, 1);
	for (size_t i = 0; i < delivery->recipient_count; i++)
		delivery_route(delivery, i);
	delivery_submit(delivery);
}

void
intake_recipient(struct community *community, const char *envelope_from,
    const char *recipient, unsigned *code_r, char *text_r, size_t room)
{
	const struct reason_reply *row;
	struct mail_route route;
	enum reason reason = mail_route(community, recipient, &route);

	(void)envelope_from; /* a null sender is as welcome as any */
	mail_route_fini(&route);
	if (reason == REASON_STORED &&
	    store_is_full(community_store(community)))
		reason = REASON_NO_ROOM;
	row = reason_reply(reason);
	*code_r = row->smtp;
	(void)snprintf(text_r, room, "%s %s",
	    reason == REASON_STORED ? "2.1.5" : row->enhanced,
	    reason == REASON_STORED ? "Recipient ok" : row->text);
}

/* ---- a message that the parser dies of */

struct parse_failure {
	struct store_op op;
	uint8_t sha256[32];
	uint64_t now;
	unsigned count;
	void (*done)(void *arg, unsigned count);
	void *arg;
};

static int
parse_failure_apply(struct store_txn *txn, struct store_op *op)
{
	struct parse_failure *failure = (struct parse_failure *)(void *)op;
	struct store_key key =
	    store_key_bytes(failure->sha256, sizeof failure->sha256);
	ProtobufCMessage *message = NULL;
	Kith__ParseFailure row;
	int rc = store_get(store_txn_reader(txn), STORE_PARSE_FAILURES, &key,
	    &message);

	kith__parse_failure__init(&row);
	if (rc == 0) {
		row.count = ((Kith__ParseFailure *)message)->count;
		protobuf_c_message_free_unpacked(message, NULL);
	} else if (rc != -ENOENT) {
		return rc;
	}
	failure->count = ++row.count;
	row.time = failure->now;
	return store_put(txn, STORE_PARSE_FAILURES, &key, &row.base);
}

static void
parse_failure_done(struct store_op *op, int result)
{
	struct parse_failure *failure = (struct parse_failure *)(void *)op;

	failure->done(failure->arg, result == 0 ? failure->count : 1);
	free(failure);
}

void
intake_parse_failed(struct community *community, const uint8_t sha256[32],
    void (*done)(void *arg, unsigned count), void *arg)
{
	struct parse_failure *failure = calloc(1, sizeof *failure);

	if (failure == NULL) {
		done(arg, 1);
		return;
	}
	memcpy(failure->sha256, sha256, sizeof failure->sha256);
	failure->now = community_now(community);
	failure->done = done;
	failure->arg = arg;
	failure->op.apply = parse_failure_apply;
	failure->op.done = parse_failure_done;
	failure->op.inbox = community_inbox(community);
	store_submit(community_store(community), &failure->op);
}
