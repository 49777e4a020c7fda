/* ticket.c - the record of a ticket: read, changed, found by Message-ID.
 */
#include "daemon/community/ticket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/journal.h"
#include "daemon/community/kinds.h"
#include "daemon/community/members.h"
#include "daemon/community/spaces.h"
#include "daemon/community/ticket_private.h"
#include "store/msgid.h"

static const char *const status_names[] = {
	[KITH__TICKET_STATUS__TICKET_OPEN] = "open",
	[KITH__TICKET_STATUS__TICKET_PENDING] = "pending",
	[KITH__TICKET_STATUS__TICKET_SOLVED] = "solved",
};
#define STATUSES (sizeof status_names / sizeof status_names[0])

Kith__TicketStatus
ticket_status_by_name(const char *name)
{
	for (size_t i = 1; i < STATUSES; i++) {
		if (strcmp(status_names[i], name) == 0)
			return (Kith__TicketStatus)i;
	}
	return KITH__TICKET_STATUS__TICKET_NONE;
}

const char *
ticket_status_name(Kith__TicketStatus status)
{
	size_t i = (size_t)status;

	return i >= 1 && i < STATUSES ? status_names[i] : "";
}

int
ticket_get(
    struct store_reader *reader, uint32_t number, Kith__Ticket **ticket_r)
{
	struct store_key key = store_key_u32(number);
	ProtobufCMessage *message;
	int error = store_get(reader, STORE_TICKETS, &key, &message);

	*ticket_r = error == 0 ? (Kith__Ticket *)(void *)message : NULL;
	return error;
}

int
ticket_put(
    struct store_txn *txn, uint32_t number, const Kith__Ticket *ticket)
{
	struct store_key key = store_key_u32(number);

	return store_put(txn, STORE_TICKETS, &key, &ticket->base);
}

bool
ticket_has_participant(const Kith__Ticket *ticket, uint32_t address)
{
	if (address == 0)
		return false;
	if (ticket->requester == address)
		return true;
	for (size_t i = 0; i < ticket->n_participants; i++) {
		if (ticket->participants[i]->address == address)
			return !ticket->participants[i]->muted;
	}
	return false;
}

int
ticket_event(struct store_txn *txn, uint32_t number,
    const Kith__Ticket *ticket, Kith__Verb verb, uint64_t now, uint32_t actor)
{
	return journal_append(txn, now, verb, actor, ticket->space, number,
	    ticket_status_name(ticket->status));
}

/* ---- which ticket a Message-ID belongs to */

static int
index_id(struct store_txn *txn, struct community *community, uint32_t ticket,
    const char *id)
{
	Kith__IdRef ref = KITH__ID_REF__INIT;
	uint8_t hash[STORE_HASH_LEN];
	struct store_key key;

	store_msgid_hash(community_store(community), id, strlen(id), hash);
	key = store_key_bytes(hash, sizeof hash);
	/* the first ticket keeps an id: a later one must not steal a thread */
	if (store_has(store_txn_reader(txn), STORE_TICKET_IDS, &key))
		return 0;
	ref.id = ticket;
	return store_put(txn, STORE_TICKET_IDS, &key, &ref.base);
}

int
ticket_index_ids(struct store_txn *txn, struct community *community,
    uint32_t ticket, const struct draft *draft)
{
	int error = index_id(txn, community, ticket, draft->message_id);

	for (size_t i = 0; error == 0 && i < draft->reference_count; i++)
		error = index_id(txn, community, ticket, draft->references[i]);
	return error;
}

static int
ticket_of_id(struct store_reader *reader, struct community *community,
    const char *id, uint32_t *ticket_r)
{
	ProtobufCMessage *message;
	uint8_t hash[STORE_HASH_LEN];
	struct store_key key;
	int error;

	*ticket_r = 0;
	store_msgid_hash(community_store(community), id, strlen(id), hash);
	key = store_key_bytes(hash, sizeof hash);
	error = store_get(reader, STORE_TICKET_IDS, &key, &message);
	if (error == -ENOENT)
		return 0;
	if (error != 0)
		return error;
	*ticket_r = (uint32_t)((Kith__IdRef *)(void *)message)->id;
	protobuf_c_message_free_unpacked(message, NULL);
	return 0;
}

int
ticket_of_references(struct store_txn *txn, struct community *community,
    const struct draft *draft, uint32_t *ticket_r)
{
	struct store_reader *reader = store_txn_reader(txn);
	int error = 0;

	*ticket_r = 0;
	for (size_t i = draft->reference_count; i-- > 0 && *ticket_r == 0;) {
		error = ticket_of_id(
		    reader, community, draft->references[i], ticket_r);
		if (error != 0)
			return error;
	}
	return 0;
}

/* ---- articles of a ticket */

int
ticket_add_article(struct store_txn *txn, struct community *community,
    uint32_t number, Kith__Ticket *ticket, const struct draft *draft,
    Kith__TicketStatus status)
{
	int error;

	if (ticket->n_articles < TICKET_ARTICLES_MAX) {
		uint64_t *articles = realloc(ticket->articles,
		    (ticket->n_articles + 1) * sizeof *articles);

		if (articles == NULL)
			return -ENOMEM;
		articles[ticket->n_articles++] = draft->artid;
		ticket->articles = articles;
	}
	if (status != KITH__TICKET_STATUS__TICKET_NONE)
		ticket->status = status;
	ticket->changed = draft->now;
	error = ticket_put(txn, number, ticket);
	if (error == 0)
		error = ticket_index_ids(txn, community, number, draft);
	if (error == 0)
		error = ticket_event(txn, number, ticket,
		    KITH__VERB__VERB_TICKET_CHANGED, draft->now,
		    draft->author.member);
	return error;
}

/* ---- what comes another way than by mail */

static bool
is_staff(const struct identity *identity)
{
	return identity->active && identity->role >= KITH__ROLE__ROLE_STAFF;
}

static bool
space_has_tickets(struct community *community, const struct draft *draft)
{
	struct space *space;
	bool has = false;

	if (draft->space_count == 0)
		return false;
	space = spaces_by_id(community_spaces(community), draft->spaces[0]);
	if (space != NULL)
		has = kind_of(space->kind)->tickets;
	space_unref(space);
	return has;
}

Kith__Ticket *
ticket_new(const struct draft *draft, uint32_t requester)
{
	Kith__Ticket *ticket = malloc(sizeof *ticket);

	if (ticket == NULL)
		return NULL;
	kith__ticket__init(ticket);
	ticket->space = draft->spaces[0];
	ticket->status = KITH__TICKET_STATUS__TICKET_OPEN;
	ticket->requester = requester;
	ticket->opened = ticket->changed = draft->now;
	ticket->subject =
	    strndup(draft->subject == NULL ? "" : draft->subject, 500);
	if (ticket->subject == NULL) {
		kith__ticket__free_unpacked(ticket, NULL);
		return NULL;
	}
	return ticket;
}

/* A released mail of somebody who is not staff and has no ticket yet. */
static int
store_and_open(
    struct store_txn *txn, struct community *community, struct draft *draft)
{
	Kith__Ticket *ticket;
	uint32_t requester;
	uint64_t number;
	int error;

	/* without an address there is nobody to answer */
	if (draft->author.compared[0] == '\0')
		return draft_store_or_place(txn, community, draft);
	error = address_make(txn, draft->author.compared, &requester);
	if (error == 0)
		error = store_id_next(txn, STORE_ID_TICKET, &number);
	if (error != 0)
		return error;
	ticket = ticket_new(draft, requester);
	if (ticket == NULL)
		return -ENOMEM;
	draft->ticket = (uint32_t)number;
	error = draft_store_or_place(txn, community, draft);
	if (error == 0)
		error = ticket_event(txn, draft->ticket, ticket,
		    KITH__VERB__VERB_TICKET_OPENED, draft->now,
		    draft->author.member);
	if (error == 0)
		error = ticket_add_article(txn, community, draft->ticket,
		    ticket, draft, KITH__TICKET_STATUS__TICKET_NONE);
	kith__ticket__free_unpacked(ticket, NULL);
	return error;
}

static int
store_in_ticket(struct store_txn *txn, struct community *community,
    struct draft *draft, Kith__Ticket *ticket)
{
	bool answer = is_staff(&draft->author);
	int error;

	if (answer && draft->except_member == 0)
		draft->except_member = draft->author.member;
	error = draft_store_or_place(txn, community, draft);
	if (error == 0)
		error = ticket_add_article(txn, community, draft->ticket,
		    ticket, draft,
		    answer ? KITH__TICKET_STATUS__TICKET_PENDING :
			     KITH__TICKET_STATUS__TICKET_OPEN);
	if (error == 0 && answer)
		error = ticket_mail_article(
		    txn, community, draft->ticket, ticket, draft);
	return error;
}

int
ticket_store(
    struct store_txn *txn, struct community *community, struct draft *draft)
{
	Kith__Ticket *ticket = NULL;
	int error = 0;

	if (!space_has_tickets(community, draft))
		return draft_store_or_place(txn, community, draft);
	if (draft->ticket == 0)
		error = ticket_of_references(
		    txn, community, draft, &draft->ticket);
	if (error == 0 && draft->ticket != 0)
		error = ticket_get(
		    store_txn_reader(txn), draft->ticket, &ticket);
	if (error == -ENOENT ||
	    (ticket != NULL && ticket->space != draft->spaces[0]))
		draft->ticket = 0;
	else if (error != 0)
		return error;
	if (draft->ticket != 0)
		error = store_in_ticket(txn, community, draft, ticket);
	else if (draft->channel == KITH__CHANNEL__CHANNEL_MAIL &&
	    !is_staff(&draft->author))
		error = store_and_open(txn, community, draft);
	else
		error = draft_store_or_place(txn, community, draft);
	if (ticket != NULL)
		kith__ticket__free_unpacked(ticket, NULL);
	return error;
}
