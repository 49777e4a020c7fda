/* ticket_intake.c - mail to a support address: a new ticket, a further word of
 * the customer, or the answer of staff.
 *
 * The recipient's token says who may, the references say where; if they point to
 * different tickets nothing is done and the mail is held.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/mail_item.h"
#include "daemon/community/members.h"
#include "daemon/community/meta.h"
#include "daemon/community/ticket_private.h"
#include "protocol/mail_summary.h"

/* What apply does; decided by check, in mail_item.step. */
enum ticket_step {
	STEP_OPEN,      /* a new ticket */
	STEP_PLACE,     /* stored for another support address already */
	STEP_CUSTOMER,  /* a participant's further word */
	STEP_STRANGER,  /* found its ticket, but is no participant */
	STEP_STAFF,     /* an answer that goes to the customer */
	STEP_AUTOMATIC, /* noted, moves nothing */
	STEP_HOLD,
};

static int
hold(struct mail_item *item, Kith__HeldCause cause)
{
	item->step = STEP_HOLD;
	item->held_cause = cause;
	return 0;
}

static bool
is_staff(const struct identity *identity)
{
	return identity->active && identity->role >= KITH__ROLE__ROLE_STAFF;
}

/* Staff by mail: where the MTA's word counts, a pass that is
 * aligned with From is needed besides the token. */
static bool
mail_is_authentic(const struct mail_item *item)
{
	if (community_config(item->community)->authserv_id[0] == '\0')
		return true;
	return item->summary->auth.aligned_pass;
}

/* May this mail speak for the address in its From? Where the MTA says that it is
 * forged, it is a stranger's word about the ticket and no more. */
static bool
sender_is_believed(const struct mail_item *item)
{
	return !item->summary->auth.found ||
	    item->summary->auth.dmarc != MAIL_AUTH_FAIL ||
	    item->summary->auth.aligned_pass;
}

/* Nobody's word, or nowhere to put it. */
static int
check_door(struct mail_item *item)
{
	item->detail[0] = '\0';
	item->held_cause = KITH__HELD_CAUSE__HELD_NONE;
	item->ticket = 0;
	item->note[0] = '\0';
	item->reason = REASON_IGNORED;
	/* a mail of ours that came back */
	if (item->summary->class == MAIL_CLASS_LOOP)
		return 1;
	item->reason = REASON_CLOSED;
	return item->space->closed ? 1 : 0;
}

/* Is the mail already there, or can it be stored? 0, or 1 with the reason. */
static int
check_id(struct store_txn *txn, struct mail_item *item)
{
	item->draft->ticket = 0;
	item->draft->unverified = false;
	item->draft->except_member = 0;
	item->draft->automatic = item->automatic;
	item->reason = draft_check_id(txn, item->community, item->draft);
	/* what a list has already becomes a ticket all the same */
	if (item->reason == REASON_DUPLICATE &&
	    draft_adds_placement(txn, item->draft))
		item->reason = REASON_STORED;
	return item->reason == REASON_STORED ? 0 : 1;
}

/* ---- a mail to the plain address */

/* Solved so long ago that what comes now is another matter. */
static bool
ticket_is_past(const struct mail_item *item, const Kith__Ticket *ticket)
{
	return ticket->status == KITH__TICKET_STATUS__TICKET_SOLVED &&
	    ticket->solved + TICKET_REOPEN_SECONDS <= item->now;
}

/* The ticket the references lead to, unless it was closed too long ago; then
 * item->note keeps it as the one to link. */
static int
find_ticket(struct store_txn *txn, struct mail_item *item,
    Kith__Ticket **ticket_r)
{
	uint32_t number;
	int error;

	*ticket_r = NULL;
	error =
	    ticket_of_references(txn, item->community, item->draft, &number);
	if (error != 0 || number == 0)
		return error;
	error = ticket_get(store_txn_reader(txn), number, ticket_r);
	if (error != 0)
		return error == -ENOENT ? 0 : error;
	item->ticket = number;
	if ((*ticket_r)->space == item->space->id &&
	    !ticket_is_past(item, *ticket_r))
		return 0;
	if ((*ticket_r)->space == item->space->id)
		(void)snprintf(item->note, sizeof item->note, "%u", number);
	kith__ticket__free_unpacked(*ticket_r, NULL);
	*ticket_r = NULL;
	item->ticket = 0;
	return 0;
}

/* The ticket that has the mail already; 0: none. */
static int
ticket_of_duplicate(struct store_txn *txn, const struct draft *draft,
    uint32_t *number_r)
{
	Kith__ArticleMeta *meta;
	int error;

	*number_r = 0;
	if (draft->duplicate == 0)
		return 0;
	error = meta_get(store_txn_reader(txn), draft->duplicate, &meta);
	if (error != 0)
		return error == -ENOENT ? 0 : error;
	*number_r = meta->ticket;
	kith__article_meta__free_unpacked(meta, NULL);
	return 0;
}

static int
ticket_check(struct store_txn *txn, struct mail_item *item)
{
	Kith__Ticket *ticket = NULL;
	uint32_t number;
	int error;

	if (check_door(item) != 0)
		return 1;
	if (check_id(txn, item) != 0)
		return 1;
	error = ticket_of_duplicate(txn, item->draft, &number);
	if (error != 0)
		return error;
	if (number != 0) {
		item->step = STEP_PLACE;
		return item->automatic;
	}
	if (item->summary->several_from || item->summary->from.count != 1)
		return hold(item, KITH__HELD_CAUSE__HELD_UNKNOWN_SENDER);
	error = find_ticket(txn, item, &ticket);
	if (error != 0)
		return error;
	if (ticket == NULL) {
		/* a vacation notice opens no ticket */
		item->step = STEP_OPEN;
		if (item->automatic) {
			item->reason = REASON_IGNORED;
			return 1;
		}
		return 0;
	}
	item->step = sender_is_believed(item) &&
		ticket_has_participant(ticket, item->author.address) ?
	    STEP_CUSTOMER :
	    STEP_STRANGER;
	kith__ticket__free_unpacked(ticket, NULL);
	if (item->automatic) {
		item->step = STEP_AUTOMATIC;
		return 0;
	}
	/* staff answer by their token; without it a From proves nothing */
	if (item->step == STEP_STRANGER && is_staff(&item->author))
		return hold(item, KITH__HELD_CAUSE__HELD_AUTH_FAIL);
	return 0;
}

/* ---- a mail to a reply token */

static int
check_staff_reply(struct mail_item *item)
{
	/* an out-of-office of staff is nothing for the customer */
	if (item->automatic) {
		item->reason = REASON_IGNORED;
		return 1;
	}
	if (!is_staff(&item->author) ||
	    item->author.member != TOKEN_WHO(item->token.member))
		return hold(item, KITH__HELD_CAUSE__HELD_MEMBER_MISMATCH);
	if (!mail_is_authentic(item))
		return hold(item, KITH__HELD_CAUSE__HELD_AUTH_FAIL);
	item->step = STEP_STAFF;
	return 0;
}

static int
check_customer_reply(struct mail_item *item, const Kith__Ticket *ticket)
{
	if (item->automatic)
		item->step = STEP_AUTOMATIC;
	else if (sender_is_believed(item) &&
	    (item->author.address == TOKEN_WHO(item->token.member) ||
		ticket_has_participant(ticket, item->author.address)))
		item->step = STEP_CUSTOMER;
	else
		item->step = STEP_STRANGER;
	if (item->step == STEP_CUSTOMER && ticket_is_past(item, ticket)) {
		(void)snprintf(item->note, sizeof item->note, "%u",
		    item->ticket);
		item->step = STEP_OPEN;
	}
	return 0;
}

static int
check_against_ticket(struct store_txn *txn, struct mail_item *item,
    const Kith__Ticket *ticket)
{
	uint32_t other;
	int error;

	if (ticket->space != item->space->id) {
		item->reason = REASON_TOKEN_INVALID;
		return 1;
	}
	error = ticket_of_references(txn, item->community, item->draft, &other);
	if (error != 0)
		return error;
	if (other != 0 && other != item->ticket)
		return hold(item, KITH__HELD_CAUSE__HELD_THREAD_CONFLICT);
	if (TOKEN_IS_ADDRESS(item->token.member))
		return check_customer_reply(item, ticket);
	return check_staff_reply(item);
}

static int
reply_check(struct store_txn *txn, struct mail_item *item)
{
	Kith__Ticket *ticket;
	int error;

	if (check_door(item) != 0)
		return 1;
	if (item->token_state == -ETIMEDOUT) {
		if (item->draft == NULL || check_id(txn, item) != 0)
			return 1;
		return hold(item, KITH__HELD_CAUSE__HELD_EXPIRED_TOKEN);
	}
	if (item->token_state != 0) {
		item->reason = REASON_TOKEN_INVALID;
		return 1;
	}
	if (check_id(txn, item) != 0)
		return 1;
	if (item->summary->several_from || item->summary->from.count != 1)
		return hold(item, KITH__HELD_CAUSE__HELD_UNKNOWN_SENDER);
	item->ticket = (uint32_t)item->token.object;
	error = ticket_get(store_txn_reader(txn), item->ticket, &ticket);
	if (error == -ENOENT) {
		item->reason = REASON_TOKEN_INVALID;
		return 1;
	}
	if (error != 0)
		return error;
	error = check_against_ticket(txn, item, ticket);
	kith__ticket__free_unpacked(ticket, NULL);
	return error;
}

/* ---- apply */

static int
participant_add(struct store_txn *txn, const struct mail_item *item,
    Kith__Ticket *ticket, const char *text)
{
	const char *at = strrchr(text, '@');
	struct identity identity;
	uint32_t *participants;
	uint32_t address;
	int error;

	/* our own addresses are lists, staff have the space */
	if (at == NULL || ticket->n_participants >= TICKET_PARTICIPANTS_MAX ||
	    strcasecmp(at + 1, community_config(item->community)->domain) == 0)
		return 0;
	error = identity_of_address(store_txn_reader(txn), text, &identity);
	if (error != 0 || is_staff(&identity))
		return error;
	error = address_make(txn, text, &address);
	if (error == -EINVAL)
		return 0;
	if (error != 0 || ticket_has_participant(ticket, address))
		return error;
	participants = realloc(ticket->participants,
	    (ticket->n_participants + 1) * sizeof *participants);
	if (participants == NULL)
		return -ENOMEM;
	ticket->participants = participants;
	participants[ticket->n_participants++] = address;
	return 0;
}

/* Who was in To and Cc at the opening belongs to it. */
static int
participants_add(struct store_txn *txn, const struct mail_item *item,
    Kith__Ticket *ticket)
{
	const struct address_list *lists[] = { &item->summary->to,
		&item->summary->cc };
	int error = 0;

	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; error == 0 && j < lists[i]->count; j++)
			error = participant_add(txn, item, ticket,
			    lists[i]->items[j].text);
	}
	return error;
}

static int
open_ticket(struct store_txn *txn, struct mail_item *item, Kith__Ticket *ticket)
{
	bool answer = item->summary->class == MAIL_CLASS_HUMAN &&
	    item->envelope_from[0] != '\0';
	int error;

	error = participants_add(txn, item, ticket);
	if (error == 0)
		error = draft_store_or_place(txn, item->community, item->draft);
	if (error == 0)
		error = ticket_event(txn, item->ticket, ticket,
		    KITH__VERB__VERB_TICKET_OPENED, item->now,
		    item->author.member);
	if (error == 0)
		error = ticket_add_article(txn, item->community, item->ticket,
		    ticket, item->draft, KITH__TICKET_STATUS__TICKET_NONE);
	if (error == 0 && answer)
		error = ticket_acknowledge(txn, item, item->ticket,
		    ticket->requester);
	return error;
}

static int
apply_open(struct store_txn *txn, struct mail_item *item)
{
	Kith__Ticket *ticket;
	uint32_t requester;
	uint64_t number;
	int error;

	error = store_id_next(txn, STORE_ID_TICKET, &number);
	if (error == 0)
		error = address_make(txn, item->summary->from.items[0].text,
		    &requester);
	if (error != 0)
		return error;
	ticket = ticket_new(item->draft, requester);
	if (ticket == NULL)
		return -ENOMEM;
	ticket->linked = (uint32_t)strtoul(item->note, NULL, 10);
	item->ticket = item->draft->ticket = (uint32_t)number;
	item->draft->author.address = requester;
	error = open_ticket(txn, item, ticket);
	kith__ticket__free_unpacked(ticket, NULL);
	return error;
}

static int
apply_to_ticket(struct store_txn *txn, struct mail_item *item)
{
	/* what each step makes of the status: a customer's word reopens, an
	 * answer waits for the customer, the rest moves nothing */
	static const Kith__TicketStatus statuses[] = {
		[STEP_CUSTOMER] = KITH__TICKET_STATUS__TICKET_OPEN,
		[STEP_STRANGER] = KITH__TICKET_STATUS__TICKET_NONE,
		[STEP_STAFF] = KITH__TICKET_STATUS__TICKET_PENDING,
		[STEP_AUTOMATIC] = KITH__TICKET_STATUS__TICKET_NONE,
	};
	struct draft *draft = item->draft;
	Kith__Ticket *ticket;
	int error;

	error = ticket_get(store_txn_reader(txn), item->ticket, &ticket);
	if (error != 0)
		return error;
	draft->ticket = item->ticket;
	draft->unverified = item->step == STEP_STRANGER;
	draft->automatic = item->step == STEP_AUTOMATIC;
	if (item->step == STEP_STAFF)
		draft->except_member = item->author.member;
	error = draft_store_or_place(txn, item->community, draft);
	if (error == 0)
		error = ticket_add_article(txn, item->community, item->ticket,
		    ticket, draft, statuses[item->step]);
	if (error == 0 && item->step == STEP_STAFF)
		error = ticket_mail_article(txn, item->community, item->ticket,
		    ticket, draft);
	kith__ticket__free_unpacked(ticket, NULL);
	return error;
}

/* Sent to two support addresses: one ticket, which the staff of both see
 * and answer into. */
static int
apply_place(struct store_txn *txn, struct mail_item *item)
{
	int error = ticket_of_duplicate(txn, item->draft, &item->draft->ticket);

	if (error != 0)
		return error;
	return draft_place_more(txn, item->community, item->draft->duplicate,
	    item->draft);
}

static int
ticket_apply(struct store_txn *txn, struct mail_item *item)
{
	if (item->step == STEP_HOLD) {
		/* whoever releases it finds it in its ticket */
		item->draft->ticket = item->ticket;
		return mail_item_hold(txn, item, item->held_cause);
	}
	item->reason = REASON_STORED;
	if (item->step == STEP_PLACE)
		return apply_place(txn, item);
	if (item->step == STEP_OPEN)
		return apply_open(txn, item);
	return apply_to_ticket(txn, item);
}

const struct mail_action mail_action_ticket = {
	.name = "ticket",
	.stores = true,
	.check = ticket_check,
	.apply = ticket_apply,
};

const struct mail_action mail_action_ticket_reply = {
	.name = "ticket-reply",
	.stores = true,
	.check = reply_check,
	.apply = ticket_apply,
};
