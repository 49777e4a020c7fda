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
#include "protocol/buffer.h"
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
ticket_get(struct store_reader *reader, uint32_t number,
    Kith__Ticket **ticket_r)
{
	struct store_key key = store_key_u32(number);
	ProtobufCMessage *message;
	int error = store_get(reader, STORE_TICKETS, &key, &message);

	*ticket_r = error == 0 ? (Kith__Ticket *)(void *)message : NULL;
	return error;
}

int
ticket_put(struct store_txn *txn, uint32_t number, const Kith__Ticket *ticket)
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
	for (size_t i = 0; i < ticket->n_participants; i++)
		if (ticket->participants[i] == address)
			return true;
	return false;
}

int
ticket_event(struct store_txn *txn, uint32_t number, const Kith__Ticket *ticket,
    Kith__Verb verb, uint64_t now, uint32_t actor)
{
	return journal_append(txn,
	    &(struct journal_event){ .time = now,
		.verb = verb,
		.actor = actor,
		.space = ticket->space,
		.object = number,
		.text = ticket_status_name(ticket->status) });
}

/* ---- which ticket a Message-ID belongs to
 *
 * An id leads to a ticket in two ways. For everybody, once an article of that
 * id is in the ticket; for those who take part in it also if one of its mails
 * referred to it (a ghost: the article never came here). And for the sender
 * alone, whatever he wrote or referred to before: so nobody catches another
 * one's mails by naming, or using, their ids first.
 */

struct id_key {
	uint8_t hash[STORE_HASH_LEN];
	struct store_key key;
};

/* sender NULL: the key for everybody. False: no memory. */
static bool
id_key_make(struct id_key *made, struct community *community, const char *id,
    const char *sender)
{
	struct buffer text;
	bool fine;

	buffer_init(&text, 0);
	buffer_append_text(&text, id);
	if (sender != NULL) {
		buffer_append_byte(&text, '\n');
		buffer_append_text(&text, sender);
	}
	fine = !buffer_failed(&text);
	if (fine)
		store_msgid_hash(community_store(community), buffer_text(&text),
		    text.len, made->hash);
	buffer_fini(&text);
	made->key = store_key_bytes(made->hash, sizeof made->hash);
	return fine;
}

/* The ticket, 0 if there is none. */
static int
id_ref_get(struct store_reader *reader, const struct id_key *key,
    uint32_t *ticket_r, bool *ghost_r)
{
	ProtobufCMessage *message;
	int error = store_get(reader, STORE_TICKET_IDS, &key->key, &message);

	*ticket_r = 0;
	*ghost_r = false;
	if (error != 0)
		return error == -ENOENT ? 0 : error;
	*ticket_r = (uint32_t)((Kith__IdRef *)(void *)message)->id;
	*ghost_r = ((Kith__IdRef *)(void *)message)->ghost;
	protobuf_c_message_free_unpacked(message, NULL);
	return 0;
}

/* The first ticket keeps an id: a later one must not steal a thread. But an
 * article weighs more than a word about it. */
static int
index_id(struct store_txn *txn, const struct id_key *key, uint32_t ticket,
    bool ghost)
{
	Kith__IdRef ref = KITH__ID_REF__INIT;
	uint32_t other;
	bool other_ghost;
	int error =
	    id_ref_get(store_txn_reader(txn), key, &other, &other_ghost);

	if (error != 0 || (other != 0 && (ghost || !other_ghost)))
		return error;
	ref.id = ticket;
	ref.ghost = ghost;
	return store_put(txn, STORE_TICKET_IDS, &key->key, &ref.base);
}

static int
index_for(struct store_txn *txn, struct community *community, uint32_t ticket,
    const char *id, const char *sender, bool ghost)
{
	struct id_key key;

	if (!id_key_make(&key, community, id, sender))
		return -ENOMEM;
	return index_id(txn, &key, ticket, ghost);
}

/* In apply: notes the Message-ID and the ids in its References, seen or not,
 * as the ticket's: a sibling that is late finds it too. */
static int
ticket_index_ids(struct store_txn *txn, struct community *community,
    uint32_t ticket, const struct draft *draft)
{
	const char *sender = draft->author.compared;
	int error =
	    index_for(txn, community, ticket, draft->message_id, NULL, false);

	/* under its own id it is known to its sender only */
	if (error == 0 && draft->renamed && sender[0] != '\0')
		error = index_for(txn, community, ticket, draft->original_id,
		    sender, false);
	for (size_t i = 0; error == 0 && i < draft->reference_count; i++) {
		const char *id = draft->references[i].id;

		error = index_for(txn, community, ticket, id, NULL, true);
		if (error == 0 && sender[0] != '\0')
			error =
			    index_for(txn, community, ticket, id, sender, true);
	}
	return error;
}

/* May the sender follow a ghost into this ticket? */
static int
ghost_counts(struct store_reader *reader, const struct draft *draft,
    uint32_t number, bool *counts_r)
{
	Kith__Ticket *ticket;
	int error = ticket_get(reader, number, &ticket);

	*counts_r = false;
	if (error != 0)
		return error == -ENOENT ? 0 : error;
	*counts_r = ticket_has_participant(ticket, draft->author.address);
	kith__ticket__free_unpacked(ticket, NULL);
	return 0;
}

/* What the sender wrote, what anybody wrote, what the sender referred to, what
 * others of the ticket referred to: in this order. */
static int
ticket_of_id(struct store_reader *reader, struct community *community,
    const struct draft *draft, const char *id, uint32_t *ticket_r)
{
	struct id_key own_key, all_key;
	uint32_t own, all;
	bool own_ghost, all_ghost, counts = true;
	int error;

	*ticket_r = 0;
	if (!id_key_make(&own_key, community, id, draft->author.compared) ||
	    !id_key_make(&all_key, community, id, NULL))
		return -ENOMEM;
	error = id_ref_get(reader, &own_key, &own, &own_ghost);
	if (error == 0)
		error = id_ref_get(reader, &all_key, &all, &all_ghost);
	if (error != 0)
		return error;
	if (own != 0 && (!own_ghost || all == 0 || all_ghost)) {
		*ticket_r = own;
		return 0;
	}
	if (all != 0 && all_ghost)
		error = ghost_counts(reader, draft, all, &counts);
	if (error == 0 && counts)
		*ticket_r = all;
	return error;
}

int
ticket_of_references(struct store_txn *txn, struct community *community,
    const struct draft *draft, uint32_t *ticket_r)
{
	struct store_reader *reader = store_txn_reader(txn);
	int error = 0;

	*ticket_r = 0;
	for (size_t i = draft->reference_count;
	     error == 0 && i-- > 0 && *ticket_r == 0;)
		error = ticket_of_id(reader, community, draft,
		    draft->references[i].id, ticket_r);
	return error;
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
store_and_open(struct store_txn *txn, struct community *community,
    struct draft *draft)
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
		    answer ? KITH__TICKET_STATUS__TICKET_PENDING
			   : KITH__TICKET_STATUS__TICKET_OPEN);
	if (error == 0 && answer)
		error = ticket_mail_article(txn, community, draft->ticket,
		    ticket, draft);
	return error;
}

int
ticket_store(struct store_txn *txn, struct community *community,
    struct draft *draft)
{
	Kith__Ticket *ticket = NULL;
	int error = 0;

	if (!space_has_tickets(community, draft))
		return draft_store_or_place(txn, community, draft);
	if (draft->ticket == 0)
		error =
		    ticket_of_references(txn, community, draft, &draft->ticket);
	if (error == 0 && draft->ticket != 0)
		error =
		    ticket_get(store_txn_reader(txn), draft->ticket, &ticket);
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
