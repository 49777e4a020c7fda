/* mail_command.c - what members do by mail to a space's command addresses:
 * subscribe, confirm, unsubscribe, help, request, and the way to the owner.
 *
 * Every one of them answers with at most one mail, to an address that is told
 * only what it asked for itself, and never to automatic mail.
 */
#include "daemon/community/mail_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/mail_item.h"
#include "daemon/community/members.h"
#include "daemon/community/notice.h"
#include "daemon/community/subscriptions.h"
#include "protocol/mail_command.h"
#include "protocol/mail_summary.h"

static const Kith__Mode modes[] = {
	[MAIL_MODE_EACH] = KITH__MODE__MODE_EACH,
	[MAIL_MODE_DIGEST] = KITH__MODE__MODE_DIGEST,
	[MAIL_MODE_PLAIN] = KITH__MODE__MODE_PLAIN,
	[MAIL_MODE_NOMAIL] = KITH__MODE__MODE_NOMAIL,
};
static const char *const mode_texts[] = {
	[KITH__MODE__MODE_EACH] = "each article as it comes",
	[KITH__MODE__MODE_DIGEST] = "a digest (MIME)",
	[KITH__MODE__MODE_PLAIN] = "a digest in plain text",
	[KITH__MODE__MODE_NOMAIL] = "no mail (reading in a newsreader)",
};

static int
refuse(struct mail_item *item, enum reason reason, const char *detail)
{
	item->reason = reason;
	(void)snprintf(item->detail, sizeof item->detail, "%s", detail);
	return 1;
}

/* The author's address as written; NULL if the mail has not exactly one. */
static const char *
author_text(const struct mail_item *item)
{
	if (item->summary == NULL || item->summary->several_from ||
	    item->summary->from.count != 1)
		return NULL;
	return item->summary->from.items[0].text;
}

/* What all commands ask first: a person with one address, not a machine. */
static int
check_person(struct mail_item *item)
{
	item->detail[0] = '\0';
	if (item->automatic)
		return refuse(item, REASON_IGNORED, "automatic mail");
	if (item->summary != NULL && item->summary->class == MAIL_CLASS_LOOP)
		return refuse(item, REASON_IGNORED, "a mail of ours");
	if (author_text(item) == NULL)
		return refuse(
		    item, REASON_BAD_ARTICLE, "not exactly one From address");
	if (item->envelope_from[0] == '\0')
		return refuse(item, REASON_IGNORED, "null sender");
	return 0;
}

/* One answer to the author; the caller's texts are not the author's. */
static int
answer(struct store_txn *txn, const struct mail_item *item, const char *to,
    const char *reply_to, const char *subject, const struct buffer *text)
{
	char from[128];
	struct notice notice = { .purpose = item->action->name,
		.to = to,
		.from_local = from,
		.reply_to = reply_to,
		.subject = subject,
		.text = buffer_text(text),
		.replied = "auto-replied",
		.space = item->space->id };

	if (buffer_failed(text))
		return -ENOMEM;
	(void)snprintf(from, sizeof from, "%s+owner", item->space->mail);
	if (item->summary != NULL && item->summary->message_id[0] != '\0') {
		notice.in_reply_to = item->summary->message_id;
		notice.references = item->summary->message_id;
	}
	return notice_send(txn, item->community, &notice, NULL);
}

static void
how_to_leave(const struct mail_item *item, struct buffer *text)
{
	const char *domain = community_config(item->community)->domain;

	buffer_printf(text,
	    "To write to everybody: %s@%s\n"
	    "To leave: a mail to %s+unsubscribe@%s\n"
	    "Help: a mail to %s+help@%s\n",
	    item->space->mail, domain, item->space->mail, domain,
	    item->space->mail, domain);
}

/* ---- subscribe */

static Kith__Mode
wanted_mode(const struct mail_item *item)
{
	struct mail_command command =
	    mail_command_parse(span_of(item->summary->own_text));

	if (item->step != 0) /* the address itself said it */
		return modes[item->step - 1];
	if (command.verb == MAIL_COMMAND_SUBSCRIBE && command.mode_given)
		return modes[command.mode];
	return KITH__MODE__MODE_EACH;
}

static int
subscribe_check(struct store_txn *txn, struct mail_item *item)
{
	int refused = check_person(item);

	(void)txn;
	if (refused != 0)
		return refused;
	if (item->space->closed)
		return refuse(item, REASON_CLOSED, "");
	/* a stranger may become a member by subscribing, but not thereby read
	 * what only members or staff may */
	if (!rights_may_read(rights_reader_class(&item->author), item->space))
		return refuse(item, REASON_NOT_ALLOWED,
		    "subscriptions to this space are not open to you");
	return 0;
}

static int
subscribe_ask(
    struct store_txn *txn, struct mail_item *item, uint32_t address, Kith__Mode mode)
{
	const char *to = author_text(item);
	struct buffer text;
	char subject[200];
	char *confirm;
	int error;

	confirm = token_address(item->community, item->space->mail,
	    TOKEN_CONFIRM, MAIL_COMMAND_CONFIRM(item->space->id, mode), address);
	if (confirm == NULL)
		return -ENOMEM;
	buffer_init(&text, 0);
	buffer_printf(&text,
	    "Somebody, hopefully you, asked to subscribe this address to\n"
	    "\n    %s\n\nwith %s.\n\n"
	    "To confirm, just send a reply to this mail, or a mail to\n"
	    "\n    %s\n\n"
	    "If it was not you, do nothing: you will not be subscribed.\n",
	    item->space->name, mode_texts[mode], confirm);
	(void)snprintf(subject, sizeof subject,
	    "Please confirm your subscription to %.100s", item->space->name);
	error = answer(txn, item, to, confirm, subject, &text);
	buffer_fini(&text);
	free(confirm);
	return error;
}

static int
subscribe_again(struct store_txn *txn, struct mail_item *item)
{
	struct buffer text;
	int error;

	buffer_init(&text, 0);
	buffer_printf(&text, "This address is subscribed to %s already.\n\n",
	    item->space->name);
	how_to_leave(item, &text);
	error = answer(txn, item, author_text(item), NULL,
	    "You are subscribed already", &text);
	buffer_fini(&text);
	return error;
}

static int
subscribe_apply(struct store_txn *txn, struct mail_item *item)
{
	Kith__Subscription pending = KITH__SUBSCRIPTION__INIT;
	Kith__Subscription *there = NULL;
	Kith__Mode mode = wanted_mode(item);
	uint32_t address;
	bool again;
	int error;

	item->reason = REASON_DONE;
	error = address_make(txn, author_text(item), &address);
	if (error != 0)
		return error;
	error = subscription_get(
	    store_txn_reader(txn), item->space->id, address, &there);
	if (error != 0 && error != -ENOENT)
		return error;
	again = error == 0 && there->mode == mode &&
	    there->state == KITH__SUBSCRIPTION_STATE__SUB_ACTIVE;
	if (there != NULL)
		kith__subscription__free_unpacked(there, NULL);
	if (again)
		return subscribe_again(txn, item);
	if (error == -ENOENT) {
		pending.mode = mode;
		pending.state = KITH__SUBSCRIPTION_STATE__SUB_UNCONFIRMED;
		pending.since = item->now;
		error = subscription_put(
		    txn, item->space->id, address, &pending, item->now, 0);
		if (error != 0)
			return error;
	}
	return subscribe_ask(txn, item, address, mode);
}

const struct mail_action mail_action_subscribe = {
	.name = "subscribe",
	.check = subscribe_check,
	.apply = subscribe_apply,
};

/* ---- confirm */

/* 0, or 1 with the reason: is this token good, of this space and of this
 * sender? */
static int
check_token(struct store_txn *txn, struct mail_item *item)
{
	if (item->token_state == -ETIMEDOUT)
		return refuse(item, REASON_TOKEN_EXPIRED, "");
	if (item->token_state != 0)
		return refuse(item, REASON_TOKEN_INVALID, "");
	if (token_was_used(store_txn_reader(txn), item->community,
		item->token_text) == -EALREADY)
		return refuse(item, REASON_TOKEN_USED, "");
	return 0;
}

static int
confirm_check(struct store_txn *txn, struct mail_item *item)
{
	int refused = check_person(item);

	if (refused == 0)
		refused = check_token(txn, item);
	if (refused != 0)
		return refused;
	if (MAIL_COMMAND_CONFIRM_SPACE(item->token.object) != item->space->id)
		return refuse(item, REASON_TOKEN_INVALID, "");
	/* what was open when he asked can be closed by now */
	if (item->space->closed)
		return refuse(item, REASON_CLOSED, "");
	if (!rights_may_read(rights_reader_class(&item->author), item->space))
		return refuse(item, REASON_NOT_ALLOWED,
		    "subscriptions to this space are not open to you");
	/* a forwarded mail must not subscribe the one it was forwarded by */
	if (item->author.address != item->token.member)
		return refuse(item, REASON_NOT_ALLOWED,
		    "this confirmation belongs to another address");
	return 0;
}

static int
confirm_welcome(struct store_txn *txn, struct mail_item *item, Kith__Mode mode)
{
	struct buffer text;
	char subject[200];
	int error;

	buffer_init(&text, 0);
	buffer_printf(&text, "Welcome to %s.\n\n", item->space->name);
	if (item->space->description[0] != '\0')
		buffer_printf(&text, "%s\n\n", item->space->description);
	buffer_printf(&text, "You get %s.\n\n", mode_texts[mode]);
	how_to_leave(item, &text);
	(void)snprintf(
	    subject, sizeof subject, "Welcome to %.150s", item->space->name);
	error = answer(txn, item, author_text(item), NULL, subject, &text);
	buffer_fini(&text);
	return error;
}

static int
confirm_apply(struct store_txn *txn, struct mail_item *item)
{
	Kith__Subscription subscription = KITH__SUBSCRIPTION__INIT;
	const struct address *from = &item->summary->from.items[0];
	uint32_t member, address;
	int error;

	item->reason = REASON_DONE;
	error = token_use(txn, item->community, item->token_text, &item->token);
	if (error != 0)
		return error;
	error = member_make(
	    txn, from->text, from->name, item->now, &member, &address);
	if (error != 0)
		return error;
	subscription.mode = MAIL_COMMAND_CONFIRM_MODE(item->token.object);
	subscription.state = KITH__SUBSCRIPTION_STATE__SUB_ACTIVE;
	subscription.since = item->now;
	error = subscription_put(
	    txn, item->space->id, address, &subscription, item->now, member);
	if (error != 0)
		return error;
	return confirm_welcome(txn, item, subscription.mode);
}

const struct mail_action mail_action_confirm = {
	.name = "confirm",
	.check = confirm_check,
	.apply = confirm_apply,
};

/* ---- unsubscribe */

/* With a token (List-Unsubscribe) it is done at once, whoever sends it: the
 * token is the reader's own. Without one the address is asked first, since a
 * From is easily forged. */
static int
unsubscribe_check(struct store_txn *txn, struct mail_item *item)
{
	if (item->token_text.len == 0)
		return check_person(item);
	(void)txn;
	item->detail[0] = '\0';
	/* "I am away" is not "I am leaving"; a bare null sender is a program that
	 * follows the link for its reader */
	if (item->summary != NULL && item->summary->class == MAIL_CLASS_AUTO)
		return refuse(item, REASON_IGNORED, "automatic mail");
	if (item->token_state != 0 && item->token_state != -ETIMEDOUT)
		return refuse(item, REASON_TOKEN_INVALID, "");
	/* an old mail's link works for ever: it can only end mail */
	if (item->token.object != item->space->id)
		return refuse(item, REASON_TOKEN_INVALID, "");
	return 0;
}

static int
unsubscribe_ask(struct store_txn *txn, struct mail_item *item,
    uint32_t address, const char *to)
{
	struct buffer text;
	char subject[200];
	char *leave;
	int error;

	leave = token_address(item->community, item->space->mail,
	    TOKEN_UNSUBSCRIBE, item->space->id, address);
	if (leave == NULL)
		return -ENOMEM;
	buffer_init(&text, 0);
	buffer_printf(&text,
	    "To leave %s, just send a reply to this mail, or a mail to\n"
	    "\n    %s\n\nIf you did not ask for this, do nothing.\n",
	    item->space->name, leave);
	(void)snprintf(subject, sizeof subject,
	    "Please confirm that you want to leave %.100s", item->space->name);
	error = answer(txn, item, to, leave, subject, &text);
	buffer_fini(&text);
	free(leave);
	return error;
}

static int
unsubscribe_now(struct store_txn *txn, struct mail_item *item)
{
	Kith__Address *address;
	struct buffer text;
	char subject[200];
	int error;

	error = subscription_remove(txn, item->space->id,
	    (uint32_t)item->token.member, item->now, item->author.member);
	if (error == -ENOENT)
		return 0; /* said twice is as good as said once */
	if (error != 0)
		return error;
	error = address_get(store_txn_reader(txn), (uint32_t)item->token.member,
	    &address);
	if (error != 0)
		return error == -ENOENT ? 0 : error;
	buffer_init(&text, 0);
	buffer_printf(&text,
	    "This address gets no more mail from %s.\n\n"
	    "To come back: a mail to %s+subscribe@%s\n",
	    item->space->name, item->space->mail,
	    community_config(item->community)->domain);
	(void)snprintf(
	    subject, sizeof subject, "You have left %.150s", item->space->name);
	error = answer(txn, item, address->text, NULL, subject, &text);
	buffer_fini(&text);
	kith__address__free_unpacked(address, NULL);
	return error;
}

/* 0: asked; -ENOENT: this one is not subscribed. */
static int
unsubscribe_ask_address(
    struct store_txn *txn, struct mail_item *item, uint32_t id)
{
	struct store_reader *reader = store_txn_reader(txn);
	Kith__Subscription *subscription;
	Kith__Address *address;
	int error = id == 0 ? -ENOENT :
			      subscription_get(reader, item->space->id, id,
				  &subscription);

	if (error != 0)
		return error;
	kith__subscription__free_unpacked(subscription, NULL);
	error = address_get(reader, id, &address);
	if (error != 0)
		return error;
	error = unsubscribe_ask(txn, item, id, address->text);
	kith__address__free_unpacked(address, NULL);
	return error;
}

/* He wrote from another address of his: the subscribed one is asked. */
static int
unsubscribe_ask_others(struct store_txn *txn, struct mail_item *item)
{
	Kith__Member *member;
	bool found = false;
	int error = item->author.member == 0 ?
	    -ENOENT :
	    member_get(store_txn_reader(txn), item->author.member, &member);

	if (error != 0)
		return error;
	for (size_t i = 0; i < member->n_addresses; i++) {
		error =
		    unsubscribe_ask_address(txn, item, member->addresses[i]);
		if (error != 0 && error != -ENOENT)
			break;
		found = found || error == 0;
	}
	kith__member__free_unpacked(member, NULL);
	return found && error == -ENOENT ? 0 : error;
}

/* Told to the address it is about, so it gives nothing away. */
static int
unsubscribe_unknown(struct store_txn *txn, struct mail_item *item)
{
	struct buffer text;
	int error;

	buffer_init(&text, 0);
	buffer_printf(&text,
	    "This address gets no mail from %s@%s, so there was nothing to do.\n\n"
	    "If you get its mail at another address, send the same from there, or\n"
	    "use the address in the List-Unsubscribe line of one of those mails.\n",
	    item->space->mail, community_config(item->community)->domain);
	error = answer(txn, item, author_text(item), NULL,
	    "You are not subscribed", &text);
	buffer_fini(&text);
	return error;
}

static int
unsubscribe_apply(struct store_txn *txn, struct mail_item *item)
{
	int error;

	item->reason = REASON_DONE;
	if (item->token_text.len != 0)
		return unsubscribe_now(txn, item);
	error = unsubscribe_ask_address(txn, item, item->author.address);
	if (error == -ENOENT)
		error = unsubscribe_ask_others(txn, item);
	if (error != -ENOENT)
		return error;
	/* of a space that he may not read he is told nothing */
	return rights_may_read(rights_reader_class(&item->author), item->space) ?
	    unsubscribe_unknown(txn, item) :
	    0;
}

const struct mail_action mail_action_unsubscribe = {
	.name = "unsubscribe",
	.check = unsubscribe_check,
	.apply = unsubscribe_apply,
};

/* ---- help */

static int
help_check(struct store_txn *txn, struct mail_item *item)
{
	(void)txn;
	return check_person(item);
}

static int
help_apply(struct store_txn *txn, struct mail_item *item)
{
	const struct config *config = community_config(item->community);
	bool may_read =
	    rights_may_read(rights_reader_class(&item->author), item->space);
	const char *usage;
	struct buffer text;
	int error;

	item->reason = REASON_DONE;
	buffer_init(&text, 0);
	if (may_read) {
		buffer_printf(&text, "%s: %s\n\n", item->space->name,
		    item->space->description);
		how_to_leave(item, &text);
		buffer_printf(&text,
		    "To subscribe: a mail to %s+subscribe@%s\n"
		    "In a newsreader: news://%s/%s\n"
		    "The people in charge: %s+owner@%s\n\n",
		    item->space->mail, config->domain, config->hostname,
		    item->space->name, item->space->mail, config->domain);
		buffer_printf(&text,
		    "In a mail to %s+request@%s the first line can be:\n\n",
		    item->space->mail, config->domain);
		for (size_t i = 0; (usage = mail_command_usage(i)) != NULL; i++)
			buffer_printf(&text, "    %s\n", usage);
	} else {
		buffer_printf(&text,
		    "Write to %s@%s; you will get an answer by mail.\n",
		    item->space->mail, config->domain);
	}
	error = answer(
	    txn, item, author_text(item), NULL, "How this address works", &text);
	buffer_fini(&text);
	return error;
}

const struct mail_action mail_action_help = {
	.name = "help",
	.check = help_check,
	.apply = help_apply,
};

/* ---- request: the command is in the text */

static const struct mail_action *
requested(const struct mail_item *item)
{
	struct mail_command command =
	    mail_command_parse(span_of(item->summary->own_text));

	if (command.verb == MAIL_COMMAND_NONE)
		command = mail_command_parse(span_of(item->summary->subject));
	if (command.verb == MAIL_COMMAND_SUBSCRIBE)
		return &mail_action_subscribe;
	if (command.verb == MAIL_COMMAND_UNSUBSCRIBE)
		return &mail_action_unsubscribe;
	return &mail_action_help;
}

static int
request_check(struct store_txn *txn, struct mail_item *item)
{
	int refused = check_person(item);

	if (refused != 0)
		return refused;
	return requested(item)->check(txn, item);
}

static int
request_apply(struct store_txn *txn, struct mail_item *item)
{
	return requested(item)->apply(txn, item);
}

const struct mail_action mail_action_request = {
	.name = "request",
	.check = request_check,
	.apply = request_apply,
};
