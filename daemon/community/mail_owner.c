/* mail_owner.c - the way to the people in charge of a space: the mail is handed
 * on whole, as an attachment, so that nothing of it is lost or believed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/jobs.h"
#include "daemon/community/mail_item.h"
#include "daemon/community/roster.h"
#include "protocol/dot.h"
#include "protocol/mail_compose.h"
#include "protocol/mail_summary.h"

static int
owner_check(struct store_txn *txn, struct mail_item *item)
{
	(void)txn;
	item->detail[0] = '\0';
	item->reason = REASON_IGNORED;
	/* out-of-office and its like to a notice of ours end here */
	return item->automatic || item->summary == NULL;
}

static void
owner_head(const struct mail_item *item, struct buffer *head)
{
	const struct config *config = community_config(item->community);
	const struct mail_summary *summary = item->summary;
	const char *author =
	    summary->from.count > 0 ? summary->from.items[0].text : "nobody";
	char owner[300], subject[400], id[200];

	(void)snprintf(owner, sizeof owner, "%s+owner@%s", item->space->mail,
	    config->domain);
	(void)snprintf(subject, sizeof subject, "To the owner of %.100s: %.200s",
	    item->space->name, summary->subject);
	(void)snprintf(id, sizeof id, "<owner.%llx.%llx@%s>",
	    (unsigned long long)item->now,
	    (unsigned long long)(uintptr_t)item & 0xffffffu, config->hostname);
	mail_field_write_address(head, "From", author, owner);
	mail_field_write_address(head, "To", "", owner);
	if (summary->from.count > 0)
		mail_field_write_address(head, "Reply-To",
		    summary->from.items[0].name, author);
	mail_field_write(head,
	    &(struct mail_field){ "Subject", subject, MAIL_FIELD_TEXT });
	mail_field_write_date(head, "Date", (int64_t)item->now);
	mail_field_write(
	    head, &(struct mail_field){ "Message-ID", id, MAIL_FIELD_RAW });
	buffer_append_text(head, "MIME-Version: 1.0\r\n"
				 "Content-Type: message/rfc822\r\n"
				 "Content-Transfer-Encoding: 8bit\r\n");
}

static int
owner_send(struct store_txn *txn, struct mail_item *item,
    const struct roster *roster)
{
	const char *recipients[ROSTER_MAX];
	struct buffer head, body;
	struct job_mail mail = { .purpose = "owner",
		.envelope_from = "",
		.space = item->space->id,
		.recipients = recipients,
		.recipient_count = roster->count };
	int error = -ENOMEM;

	for (size_t i = 0; i < roster->count; i++)
		recipients[i] = roster->entries[i].text;
	buffer_init(&head, 0);
	buffer_init(&body, 0);
	owner_head(item, &head);
	dot_unstuff(&body, item->message);
	if (!buffer_failed(&head) && !buffer_failed(&body)) {
		mail.head = buffer_span(&head);
		mail.body = buffer_span(&body);
		error = job_add_mail(txn, item->community, &mail);
	}
	buffer_fini(&head);
	buffer_fini(&body);
	return error;
}

static int
owner_apply(struct store_txn *txn, struct mail_item *item)
{
	struct roster roster;
	int error;

	item->reason = REASON_DONE;
	error = roster_moderators(store_txn_reader(txn), item->space, &roster);
	if (error != 0)
		return error;
	if (roster.count > 0)
		error = owner_send(txn, item, &roster);
	roster_fini(&roster);
	return error;
}

const struct mail_action mail_action_owner = {
	.name = "owner",
	.check = owner_check,
	.apply = owner_apply,
};
