/* ticket_mail.c - what the customer of a ticket gets by mail: the answers of
 * staff under the support address, and the one acknowledgement.
 *
 * The header is wholly ours, so that nothing of a staff member's mail setup (his
 * address, his tokens, his Received lines) reaches the customer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/jobs.h"
#include "daemon/community/list_copy.h"
#include "daemon/community/mail_item.h"
#include "daemon/community/members.h"
#include "daemon/community/notice.h"
#include "daemon/community/spaces.h"
#include "daemon/community/ticket_private.h"
#include "daemon/community/token.h"
#include "protocol/mail_compose.h"
#include "protocol/mail_summary.h"

struct ticket_recipients {
	char *text[1 + TICKET_PARTICIPANTS_MAX];
	char *reply_to[1 + TICKET_PARTICIPANTS_MAX];
	size_t count;
};

static void
recipients_fini(struct ticket_recipients *recipients)
{
	for (size_t i = 0; i < recipients->count; i++) {
		free(recipients->text[i]);
		free(recipients->reply_to[i]);
	}
}

/* Each gets a reply address of his own; the author of the article none. */
static int
recipients_add(struct store_txn *txn, struct community *community,
    const struct space *space, uint32_t number, uint32_t address,
    uint32_t author, struct ticket_recipients *recipients)
{
	Kith__Address *record;
	size_t i = recipients->count;
	int error;

	if (address == author)
		return 0;
	error = address_get(store_txn_reader(txn), address, &record);
	if (error != 0)
		return error == -ENOENT ? 0 : error;
	recipients->text[i] = strdup(record->text);
	kith__address__free_unpacked(record, NULL);
	recipients->reply_to[i] = token_address(community, space->mail,
	    TOKEN_REPLY, number, TOKEN_OF_ADDRESS(address));
	recipients->count++;
	return recipients->text[i] == NULL || recipients->reply_to[i] == NULL ?
	    -ENOMEM :
	    0;
}

static int
recipients_load(struct store_txn *txn, struct community *community,
    const struct space *space, uint32_t number, const Kith__Ticket *ticket,
    uint32_t author, struct ticket_recipients *recipients)
{
	int error = recipients_add(txn, community, space, number,
	    ticket->requester, author, recipients);

	for (size_t i = 0; error == 0 && i < ticket->n_participants &&
	     i < TICKET_PARTICIPANTS_MAX;
	     i++)
		error = recipients_add(txn, community, space, number,
		    ticket->participants[i], author, recipients);
	return error;
}

/* "Name" of a staff member for the customer's eyes; "" if he has none. */
static char *
author_name(struct store_txn *txn, uint32_t member)
{
	Kith__Member *record;
	char *name;

	if (member == 0 ||
	    member_get(store_txn_reader(txn), member, &record) != 0)
		return strdup("");
	name = strdup(record->name);
	kith__member__free_unpacked(record, NULL);
	return name;
}

static char *
references_text(const struct draft *draft)
{
	struct buffer ids;

	buffer_init(&ids, 0);
	for (size_t i = 0; i < draft->reference_count; i++)
		buffer_printf(
		    &ids, "%s%s", i > 0 ? " " : "", draft->references[i]);
	return buffer_take(&ids, NULL);
}

static int
article_head(struct store_txn *txn, struct community *community,
    const struct space *space, const char *to, const struct draft *draft,
    struct buffer *head)
{
	const struct config *config = community_config(community);
	char *name = author_name(txn, draft->author.member);
	char *references = references_text(draft);
	char address[300];
	struct buffer loop;

	(void)snprintf(
	    address, sizeof address, "%s@%s", space->mail, config->domain);
	buffer_init(&loop, 0);
	list_loop_mark(&loop, community, space);
	if (name == NULL || references == NULL)
		head->failed = true;
	mail_field_write_address(head, "From", name == NULL ? "" : name, address);
	mail_field_write_address(head, "To", "", to);
	mail_field_write(head,
	    &(struct mail_field){ "Subject", draft->subject, MAIL_FIELD_TEXT });
	mail_field_write_date(head, "Date",
	    (int64_t)(draft->date != 0 ? draft->date : draft->now));
	mail_field_write(head,
	    &(struct mail_field){
		"Message-ID", draft->message_id, MAIL_FIELD_RAW });
	if (draft->reference_count > 0) {
		mail_field_write(head,
		    &(struct mail_field){ "In-Reply-To",
			draft->references[draft->reference_count - 1],
			MAIL_FIELD_RAW });
		mail_field_write(head,
		    &(struct mail_field){
			"References", references, MAIL_FIELD_IDS });
	}
	mail_field_write(head,
	    &(struct mail_field){
		"Kith-Loop", buffer_text(&loop), MAIL_FIELD_RAW });
	head->failed |= loop.failed;
	buffer_fini(&loop);
	free(name);
	free(references);
	return buffer_failed(head) ? -ENOMEM : 0;
}

static int
mail_to(struct store_txn *txn, struct community *community,
    const struct space *space, uint32_t number,
    const struct ticket_recipients *recipients, const struct draft *draft)
{
	struct job_mail mail = { .purpose = "ticket",
		.space = space->id,
		.ticket = number,
		.recipients = (const char *const *)recipients->text,
		.reply_to = (const char *const *)recipients->reply_to,
		.recipient_count = recipients->count,
		.artid = draft->artid };
	struct buffer head;
	int error;

	if (recipients->count == 0)
		return 0;
	buffer_init(&head, 0);
	error = article_head(
	    txn, community, space, recipients->text[0], draft, &head);
	if (error == 0) {
		mail.head = buffer_span(&head);
		error = job_add_mail(txn, community, &mail);
	}
	buffer_fini(&head);
	return error;
}

int
ticket_mail_article(struct store_txn *txn, struct community *community,
    uint32_t number, const Kith__Ticket *ticket, const struct draft *draft)
{
	struct space *space =
	    spaces_by_id(community_spaces(community), ticket->space);
	struct ticket_recipients recipients = { .count = 0 };
	int error;

	if (space == NULL)
		return 0;
	error = recipients_load(txn, community, space, number, ticket,
	    draft->author.address, &recipients);
	if (error == 0)
		error = mail_to(
		    txn, community, space, number, &recipients, draft);
	recipients_fini(&recipients);
	space_unref(space);
	return error;
}

/* Nothing of the customer's text is in it: an acknowledgement must not carry a
 * stranger's words to whoever he named in From. */
int
ticket_acknowledge(struct store_txn *txn, const struct mail_item *item,
    uint32_t number, uint32_t requester)
{
	char subject[100];
	struct buffer text;
	struct notice notice = { .purpose = "ticket-ack",
		.to = item->summary->from.items[0].text,
		.from_local = item->space->mail,
		.subject = subject,
		.in_reply_to = item->draft->message_id,
		.references = item->draft->message_id,
		.replied = "auto-replied",
		.space = item->space->id,
		.ticket = number };
	char *reply_to = token_address(item->community, item->space->mail,
	    TOKEN_REPLY, number, TOKEN_OF_ADDRESS(requester));
	int error = -ENOMEM;

	(void)snprintf(
	    subject, sizeof subject, "[#%u] We have received your mail", number);
	buffer_init(&text, 0);
	buffer_printf(&text,
	    "Thank you for your mail. It has the number %u, and a person will\n"
	    "answer it by mail.\n\n"
	    "If you want to add something, reply to this mail.\n",
	    number);
	notice.reply_to = reply_to;
	notice.text = buffer_text(&text);
	if (reply_to != NULL && !buffer_failed(&text))
		error = notice_send(txn, item->community, &notice, NULL);
	buffer_fini(&text);
	free(reply_to);
	return error;
}
