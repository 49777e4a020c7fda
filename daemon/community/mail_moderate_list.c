/* mail_moderate_list.c - a moderator's answer to a list of what waits: lines that
 * decide, one operation each, then an operation that says what became of them.
 * Whatever ends between two of them, the mail comes again, and what is decided
 * does not wait any more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/community/held.h"
#include "daemon/community/intake_private.h"
#include "daemon/community/moderation_ask.h"
#include "daemon/community/moderation_list.h"
#include "protocol/mail_decision.h"
#include "protocol/mail_summary.h"
#include "protocol/utf8.h"

#define RUNS_MAX    200u  /* operations of one mail */
#define EXCERPT_MAX 2000u /* octets that are looked at */

enum run {
	RUN_END, /* refused: no further one */
	RUN_DECIDE,
	RUN_SHOW,
	RUN_ABSENT,  /* none of the numbers at hand waits */
	RUN_FURTHER, /* none so far */
	RUN_REFUSED,
	RUN_REPORT,
};

struct decisions {
	struct span text; /* lines that were not looked at */
	struct mail_decision line;
	uint32_t first, next, last; /* numbers at hand; next: not yet done */
	bool finished, understood;
	unsigned runs, approved, rejected;
	struct buffer notes;
	/* what the check of this run found */
	enum run run;
	uint32_t found;
};

void
decisions_free(struct decisions **decisions)
{
	struct decisions *d = *decisions;

	*decisions = NULL;
	if (d == NULL)
		return;
	buffer_fini(&d->notes);
	free(d);
}

/* ---- going through the lines */

static void
note_finish(struct decisions *decisions, const char *words, struct span line)
{
	struct span cut = utf8_cut(line, 100);

	buffer_printf(&decisions->notes, "%s%.*s\n", words, SPAN_ARG(cut));
	decisions->finished = true;
}

/* To the next range of numbers. */
static void
go_on(struct decisions *decisions)
{
	struct mail_decision *line = &decisions->line;

	while (!decisions->finished) {
		if (mail_decision_numbers(&line->numbers, &decisions->first,
			&decisions->last)) {
			decisions->next = decisions->first;
			return;
		}
		if (!mail_decision_next(&decisions->text, line))
			decisions->finished = true;
		else if (line->verb != MAIL_DECISION_NONE)
			decisions->understood = true;
		else if (decisions->understood)
			note_finish(decisions,
			    "Not understood, and nothing after it was done: ",
			    line->line);
		else
			decisions->finished = true;
	}
}

static int
decisions_start(struct mail_item *item)
{
	struct decisions *decisions = calloc(1, sizeof *decisions);

	if (decisions == NULL)
		return -ENOMEM;
	delivery_item_of(item)->decisions = decisions;
	buffer_init(&decisions->notes, 0); /* a line a run */
	decisions->text = span_of(item->summary->own_text);
	go_on(decisions);
	return 0;
}

/* ---- one operation */

static enum run
run_of(int rc, enum run found)
{
	if (rc == 0)
		return found;
	return rc == -ENOENT ? RUN_ABSENT
	    : rc == -EAGAIN  ? RUN_FURTHER
			     : RUN_REFUSED;
}

/* 0, 1 or a negative errno, as an operation's check. */
static int
number_check(struct store_txn *txn, struct mail_item *item)
{
	struct delivery_item *own = delivery_item_of(item);
	struct decisions *decisions = own->decisions;
	const struct mail_decision *line = &decisions->line;
	struct span reason = utf8_cut(line->reason, sizeof own->reason - 1);
	int rc;

	decisions->found = decisions->next;
	rc = moderation_list_find(store_txn_reader(txn), item->space->id,
	    &decisions->found, decisions->last);
	if (rc == 0) {
		span_copy(own->reason, sizeof own->reason, reason);
		own->decision.held = decisions->found;
		own->decision.release = line->verb == MAIL_DECISION_APPROVE;
		own->decision.reason = own->reason;
		own->decision.actor = item->author;
		rc = held_decision_check(txn, item->community, &own->decision);
		if (rc == -EACCES)
			own->decision.outcome = REASON_NOT_ALLOWED;
	}
	if (rc < 0 && rc != -ENOENT && rc != -EAGAIN && rc != -EACCES)
		return rc;
	decisions->run = run_of(rc,
	    line->verb == MAIL_DECISION_SHOW ? RUN_SHOW : RUN_DECIDE);
	return rc == 0 ? 0 : 1;
}

static int
moderate_list_check(struct store_txn *txn, struct mail_item *item)
{
	struct decisions *decisions = delivery_item_of(item)->decisions;
	int rc;

	if (decisions != NULL)
		decisions->run = RUN_END;
	rc = mail_moderator_check(item);
	if (rc != 0)
		return rc;
	if (!rights_may_moderate(&item->author, item->space)) {
		item->reason = REASON_NOT_ALLOWED;
		return 1;
	}
	item->reason = REASON_DONE;
	if (decisions == NULL) {
		rc = decisions_start(item);
		if (rc != 0)
			return rc;
		decisions = delivery_item_of(item)->decisions;
	}
	if (!decisions->finished)
		return number_check(txn, item);
	decisions->run = RUN_REPORT;
	return 0;
}

static int
show(struct store_txn *txn, struct mail_item *item)
{
	const struct held_decision *decision =
	    &delivery_item_of(item)->decision;
	const Kith__Held *record = decision->record;
	struct roster_entry moderator = { .member =
					      (uint32_t)item->token.member,
		.text = item->author.compared };
	struct moderation_request request = { .held = decision->held,
		.cause = record->cause,
		.from = record->from,
		.subject = record->subject };
	char excerpt[EXCERPT_MAX];
	uint8_t *body = NULL;
	size_t len = 0;
	int rc = store_body_get(store_txn_reader(txn), STORE_HELD_BODIES,
	    decision->held, &body, &len);

	if (rc == 0) {
		intake_excerpt(span_make((const char *)body, len), excerpt,
		    sizeof excerpt);
		request.excerpt = span_of(excerpt);
		rc = moderator_ask_again(txn, item->community, item->space,
		    &moderator, &request);
	}
	free(body);
	return rc;
}

int
mail_moderator_list(struct store_txn *txn, struct mail_item *item,
    const char *words)
{
	struct moderation_letter letter = { .member =
						(uint32_t)item->token.member,
		.to = item->author.compared,
		.words = words,
		.in_reply_to = item->summary->message_id };
	struct moderation_list list;
	int rc =
	    moderation_list_read(store_txn_reader(txn), item->space, &list);

	if (rc == 0)
		rc = moderation_list_send(txn, item->community, &list, &letter);
	moderation_list_fini(&list);
	return rc;
}

static int
report(struct store_txn *txn, struct mail_item *item)
{
	const struct decisions *decisions = delivery_item_of(item)->decisions;
	struct buffer words;
	int rc;

	buffer_init(&words, 0);
	if (!decisions->understood)
		buffer_append_text(&words,
		    "Your answer could not be understood, and nothing was "
		    "done.\n");
	if (decisions->approved > 0 || decisions->rejected > 0)
		buffer_printf(&words, "%u approved, %u rejected.\n",
		    decisions->approved, decisions->rejected);
	buffer_append_span(&words, buffer_span(&decisions->notes));
	rc = buffer_failed(&words)
	    ? -ENOMEM
	    : mail_moderator_list(txn, item, buffer_text(&words));
	buffer_fini(&words);
	return rc;
}

static int
moderate_list_apply(struct store_txn *txn, struct mail_item *item)
{
	struct delivery_item *own = delivery_item_of(item);

	item->reason = REASON_DONE;
	if (own->decisions->run == RUN_DECIDE)
		return held_decision_apply(txn, item->community,
		    &own->decision);
	if (own->decisions->run == RUN_SHOW)
		return show(txn, item);
	return report(txn, item);
}

/* ---- between two operations */

static void
note_refused(struct decisions *decisions, const struct held_decision *decision)
{
	const char *detail = decision->detail;

	if (decision->outcome == REASON_NOT_ALLOWED)
		buffer_printf(&decisions->notes,
		    "%u: is not yours alone to decide.\n", decisions->found);
	else
		buffer_printf(&decisions->notes,
		    "%u: cannot be let in: %s%s%s\n", decisions->found,
		    reason_reply(decision->outcome)->text,
		    detail[0] == '\0' ? "" : ": ", detail);
}

static void
note_absent(struct decisions *decisions)
{
	if (decisions->next != decisions->first)
		return; /* some of them did wait */
	if (decisions->first == decisions->last)
		buffer_printf(&decisions->notes,
		    "%u: does not wait here any more.\n", decisions->first);
	else
		buffer_printf(&decisions->notes,
		    "%u-%u: none of them waits here any more.\n",
		    decisions->first, decisions->last);
}

static void
run_count(struct decisions *decisions, const struct held_decision *decision)
{
	if (decisions->run == RUN_DECIDE && decision->release)
		decisions->approved++;
	else if (decisions->run == RUN_DECIDE)
		decisions->rejected++;
	else if (decisions->run == RUN_ABSENT)
		note_absent(decisions);
	else if (decisions->run == RUN_REFUSED)
		note_refused(decisions, decision);
}

static bool
moderate_list_more(struct mail_item *item)
{
	struct delivery_item *own = delivery_item_of(item);
	struct decisions *decisions = own->decisions;

	if (decisions == NULL || decisions->run == RUN_END ||
	    decisions->run == RUN_REPORT)
		return false;
	run_count(decisions, &own->decision);
	if (decisions->run == RUN_FURTHER)
		decisions->next = decisions->found;
	else if (decisions->run == RUN_ABSENT ||
	    decisions->found == decisions->last)
		go_on(decisions);
	else
		decisions->next = decisions->found + 1;
	if (++decisions->runs == RUNS_MAX && !decisions->finished)
		note_finish(decisions,
		    "That was too much for one mail. Left from here: ",
		    decisions->line.line);
	return true;
}

const struct mail_action mail_action_moderate_list = {
	.name = "moderate-list",
	.check = moderate_list_check,
	.apply = moderate_list_apply,
	.more = moderate_list_more,
};
