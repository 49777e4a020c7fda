/* ticket_bounce.c - an answer of staff that came back: the customer waits, and
 * nobody would know.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/community/bounce.h"
#include "daemon/community/members.h"
#include "daemon/community/meta.h"
#include "daemon/community/notice.h"
#include "daemon/community/spaces.h"
#include "daemon/community/ticket_private.h"
#include "daemon/community/token.h"

/* The article that came back. Owned; -ENOENT: it is not known. */
static int
bounced_article(struct store_reader *reader, struct community *community,
    const struct bounce *bounce, Kith__ArticleMeta **meta_r)
{
	uint64_t artid = bounce->artid;
	uint8_t hash[STORE_HASH_LEN];

	if (artid == 0 && bounce->message_id != NULL &&
	    bounce->message_id[0] != '\0') {
		store_msgid_hash(community_store(community), bounce->message_id,
		    strlen(bounce->message_id), hash);
		artid = draft_find_article(reader, community, hash,
		    READER_STAFF, NULL);
	}
	if (artid == 0)
		return -ENOENT;
	return meta_get(reader, artid, meta_r);
}

static int
tell_author(struct store_txn *txn, struct community *community,
    const struct space *space, const Kith__ArticleMeta *meta,
    const struct bounce *bounce)
{
	struct notice notice = { .purpose = "ticket-bounce",
		.to = meta->address,
		.from_local = space->mail,
		.in_reply_to = meta->message_id,
		.space = space->id,
		.ticket = meta->ticket };
	Kith__Address *customer;
	char subject[100];
	struct buffer text;
	char *reply_to;
	int error =
	    address_get(store_txn_reader(txn), bounce->address, &customer);

	if (error != 0)
		return error == -ENOENT ? 0 : error;
	(void)snprintf(subject, sizeof subject,
	    "[#%u] Your answer could not be delivered", meta->ticket);
	buffer_init(&text, 0);
	buffer_printf(&text,
	    "Your answer in ticket %u did not reach\n\n    %s\n\n"
	    "(status %s). The ticket is open again.\n",
	    meta->ticket, customer->text, bounce->status);
	reply_to = token_address(community, space->mail, TOKEN_REPLY,
	    meta->ticket, TOKEN_OF_MEMBER(meta->member));
	notice.subject = subject;
	notice.text = buffer_text(&text);
	notice.reply_to = reply_to;
	error = reply_to == NULL || buffer_failed(&text)
	    ? -ENOMEM
	    : notice_send(txn, community, &notice, NULL);
	kith__address__free_unpacked(customer, NULL);
	buffer_fini(&text);
	free(reply_to);
	return error;
}

static int
reopen(struct store_txn *txn, struct community *community,
    const Kith__ArticleMeta *meta, Kith__Ticket *ticket,
    const struct bounce *bounce)
{
	uint64_t now = community_now(community);
	struct space *space;
	int error;

	ticket->status = KITH__TICKET_STATUS__TICKET_OPEN;
	ticket->changed = now;
	error = ticket_put(txn, meta->ticket, ticket);
	if (error == 0)
		error = ticket_event(txn, meta->ticket, ticket,
		    KITH__VERB__VERB_TICKET_CHANGED, now, 0);
	space = spaces_by_id(community_spaces(community), ticket->space);
	if (error == 0 && space != NULL && meta->member != 0 &&
	    meta->address[0] != '\0')
		error = tell_author(txn, community, space, meta, bounce);
	space_unref(space);
	return error;
}

int
ticket_bounced(struct store_txn *txn, struct community *community,
    const struct bounce *bounce)
{
	struct store_reader *reader = store_txn_reader(txn);
	Kith__ArticleMeta *meta = NULL;
	Kith__Ticket *ticket = NULL;
	int error = bounced_article(reader, community, bounce, &meta);

	if (error == 0)
		error = meta->ticket == 0
		    ? -ENOENT
		    : ticket_get(reader, meta->ticket, &ticket);
	/* a copy to one of staff that came back is no matter of the ticket */
	if (error == 0 && ticket_has_participant(ticket, bounce->address))
		error = reopen(txn, community, meta, ticket, bounce);
	if (ticket != NULL)
		kith__ticket__free_unpacked(ticket, NULL);
	if (meta != NULL)
		kith__article_meta__free_unpacked(meta, NULL);
	return error == -ENOENT ? 0 : error;
}
