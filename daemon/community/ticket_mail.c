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

/* An article on its way to the customer. */
struct ticket_letter {
	struct store_txn *txn;
	struct community *community;
	const struct space *space;
	const struct draft *draft;
	uint32_t number;
	/* who gets it */
	char *text[1 + TICKET_PARTICIPANTS_MAX];
	char *reply_to[1 + TICKET_PARTICIPANTS_MAX];
	size_t count;
};

static void
letter_fini(struct ticket_letter *letter)
{
	for (size_t i = 0; i < letter->count; i++) {
		free(letter->text[i]);
		free(letter->reply_to[i]);
	}
}

/* Each gets a reply address of his own; the author of the article none. */
static int
letter_add(struct ticket_letter *letter, uint32_t address)
{
	Kith__Address *record;
	size_t i = letter->count;
	int error;

	if (address == letter->draft->author.address)
		return 0;
	error = address_get(store_txn_reader(letter->txn), address, &record);
	if (error != 0)
		return error == -ENOENT ? 0 : error;
	letter->text[i] = strdup(record->text);
	kith__address__free_unpacked(record, NULL);
	letter->reply_to[i] =
	    token_address(letter->community, letter->space->mail, TOKEN_REPLY,
		letter->number, TOKEN_OF_ADDRESS(address));
	letter->count++;
	return letter->text[i] == NULL || letter->reply_to[i] == NULL ? -ENOMEM
								      : 0;
}

static int
letter_address(struct ticket_letter *letter, const Kith__Ticket *ticket)
{
	int error = letter_add(letter, ticket->requester);

	for (size_t i = 0; error == 0 && i < ticket->n_participants &&
	     i < TICKET_PARTICIPANTS_MAX;
	     i++)
		error = letter_add(letter, ticket->participants[i]);
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
		    &ids, "%s%s", i > 0 ? " " : "", draft->references[i].id);
	return buffer_take(&ids, NULL);
}

static int
letter_head(const struct ticket_letter *letter, struct buffer *head)
{
	const struct config *config = community_config(letter->community);
	const struct draft *draft = letter->draft;
	char *name = author_name(letter->txn, draft->author.member);
	char *references = references_text(draft);
	char address[300];
	struct buffer loop;

	(void)snprintf(address, sizeof address, "%s@%s", letter->space->mail,
	    config->domain);
	buffer_init(&loop, 0);
	list_loop_mark(&loop, letter->community, letter->space);
	if (name == NULL || references == NULL)
		head->failed = true;
	mail_field_write_address(head, "From", name == NULL ? "" : name, address);
	mail_field_write_address(head, "To", "", letter->text[0]);
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
			draft->references[draft->reference_count - 1].id,
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
letter_send(const struct ticket_letter *letter)
{
	struct job_mail mail = { .purpose = "ticket",
		.space = letter->space->id,
		.ticket = letter->number,
		.recipients = (const char *const *)letter->text,
		.reply_to = (const char *const *)letter->reply_to,
		.recipient_count = letter->count,
		.artid = letter->draft->artid };
	struct buffer head;
	int error;

	if (letter->count == 0)
		return 0;
	buffer_init(&head, 0);
	error = letter_head(letter, &head);
	if (error == 0) {
		mail.head = buffer_span(&head);
		error = job_add_mail(letter->txn, letter->community, &mail);
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
	struct ticket_letter letter = { .txn = txn,
		.community = community,
		.space = space,
		.draft = draft,
		.number = number };
	int error;

	if (space == NULL)
		return 0;
	error = letter_address(&letter, ticket);
	if (error == 0)
		error = letter_send(&letter);
	letter_fini(&letter);
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
