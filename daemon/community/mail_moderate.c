/* mail_moderate.c - a moderator's answer by mail: approve, or reject.
 */
#include <errno.h>
#include <stdio.h>

#include "daemon/community/intake_private.h"
#include "daemon/community/notice.h"
#include "protocol/mail_command.h"
#include "protocol/mail_decision.h"
#include "protocol/mail_summary.h"
#include "protocol/utf8.h"

enum moderate_step {
	MODERATE_DECIDE,
	MODERATE_LIST,
	MODERATE_EXPLAIN
};

static bool
sender_is_moderator(const struct mail_item *item)
{
	if (item->author.member == 0 ||
	    item->author.member != item->token.member ||
	    item->summary->several_from)
		return false;
	return community_config(item->community)->authserv_id[0] == '\0' ||
	    item->summary->auth.aligned_pass;
}

int
mail_moderator_check(struct mail_item *item)
{
	item->detail[0] = '\0';
	item->reason = REASON_IGNORED;
	if (item->summary == NULL || item->automatic)
		return 1;
	item->reason = item->token_state == -ETIMEDOUT ? REASON_TOKEN_EXPIRED
						       : REASON_TOKEN_INVALID;
	if (item->token_state != 0)
		return 1;
	item->reason = REASON_NOT_ALLOWED;
	return sender_is_moderator(item) ? 0 : 1;
}

static int
moderate_decide(struct store_txn *txn, struct mail_item *item,
    const struct mail_command *command)
{
	struct delivery_item *own = delivery_item_of(item);
	int rc;

	own->decision.held = (uint32_t)item->token.object;
	own->decision.release = command->verb == MAIL_COMMAND_APPROVE;
	span_copy(own->reason, sizeof own->reason,
	    utf8_cut(command->argument, sizeof own->reason - 1));
	own->decision.reason = own->reason;
	own->decision.actor = item->author;
	rc = held_decision_check(txn, item->community, &own->decision);
	if (rc == -ENOENT) { /* somebody was faster */
		item->reason = REASON_TOKEN_USED;
		return 1;
	}
	if (rc == -EACCES) {
		item->reason = REASON_NOT_ALLOWED;
		return 1;
	}
	if (rc == 1) {
		item->reason = own->decision.outcome;
		(void)snprintf(item->detail, sizeof item->detail, "%s",
		    own->decision.detail);
	}
	return rc;
}

/* What is not about this one alone: a list is asked for, or "reject 5" answers it
 * as if it were a list. */
static bool
is_for_list(struct span text, bool *list_r)
{
	struct mail_decision decision;

	*list_r = false;
	if (!mail_decision_next(&text, &decision))
		return false;
	*list_r = decision.verb == MAIL_DECISION_LIST;
	return *list_r ||
	    (decision.verb == MAIL_DECISION_REJECT && decision.reason.len == 0);
}

static int
moderate_check(struct store_txn *txn, struct mail_item *item)
{
	struct span text;
	struct mail_command command;
	bool list;

	if (mail_moderator_check(item) != 0)
		return 1;
	text = span_of(item->summary->own_text);
	command = mail_command_parse(text);
	if (!is_for_list(text, &list) &&
	    (command.verb == MAIL_COMMAND_APPROVE ||
		command.verb == MAIL_COMMAND_REJECT)) {
		item->step = MODERATE_DECIDE;
		return moderate_decide(txn, item, &command);
	}
	item->step = list && item->space != NULL &&
		rights_may_moderate(&item->author, item->space)
	    ? MODERATE_LIST
	    : MODERATE_EXPLAIN;
	return 0;
}

static int
moderate_explain(struct store_txn *txn, struct mail_item *item)
{
	struct notice notice = { .purpose = "moderation-help",
		.to = item->author.compared,
		.from_local = item->space == NULL ? "" : item->space->mail,
		.reply_to = item->recipient,
		.subject = "Nothing was decided",
		.in_reply_to = item->summary->message_id,
		.text =
		    "Your answer could not be understood, and nothing was "
		    "done.\n\nPlease answer with one of these as the first "
		    "line:\n\n    approve\n    reject\n    reject REASON\n    "
		    "list      (what else waits)\n",
		.replied = "auto-replied",
		.space = item->space == NULL ? 0 : item->space->id };

	return notice_send(txn, item->community, &notice, NULL);
}

static int
moderate_apply(struct store_txn *txn, struct mail_item *item)
{
	item->reason = REASON_DONE;
	if (item->step == MODERATE_LIST)
		return mail_moderator_list(txn, item, "");
	if (item->step == MODERATE_EXPLAIN)
		return moderate_explain(txn, item);
	return held_decision_apply(txn, item->community,
	    &delivery_item_of(item)->decision);
}

const struct mail_action mail_action_moderate = {
	.name = "moderate",
	.check = moderate_check,
	.apply = moderate_apply,
};
