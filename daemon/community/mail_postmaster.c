/* mail_postmaster.c - postmaster and abuse (RFC 2142): handed on to the admins,
 * whole and as an attachment.
 */
#include <errno.h>
#include <stdio.h>

#include "daemon/community/intake_private.h"
#include "daemon/community/jobs.h"
#include "daemon/community/roster.h"
#include "protocol/dot.h"
#include "protocol/mail_compose.h"
#include "protocol/mail_summary.h"

static int
postmaster_check(struct store_txn *txn, struct mail_item *item)
{
	(void)txn;
	item->detail[0] = '\0';
	item->reason = REASON_IGNORED;
	/* what comes back from the admins themselves must not go round */
	return item->summary == NULL || item->summary->class == MAIL_CLASS_LOOP;
}

static void
postmaster_head(const struct mail_item *item, struct buffer *head)
{
	const struct config *config = community_config(item->community);
	const struct mail_summary *summary = item->summary;
	char from[300], subject[400], id[400];

	(void)snprintf(from, sizeof from, "postmaster@%s", config->domain);
	(void)snprintf(subject, sizeof subject, "Mail to %.100s: %.200s",
	    item->recipient, summary->subject);
	(void)snprintf(id, sizeof id, "<postmaster.%llx.%llx@%s>",
	    (unsigned long long)item->now,
	    (unsigned long long)(uintptr_t)item & 0xffffffu, config->hostname);
	mail_field_write_address(head, "From", "", from);
	mail_field_write_address(head, "To", "", from);
	if (summary->from.count > 0)
		mail_field_write_address(head, "Reply-To",
		    summary->from.items[0].name, summary->from.items[0].text);
	mail_field_write(head,
	    &(struct mail_field){ "Subject", subject, MAIL_FIELD_TEXT });
	mail_field_write_date(head, "Date", (int64_t)item->now);
	mail_field_write(head,
	    &(struct mail_field){ "Message-ID", id, MAIL_FIELD_RAW });
	mail_field_write(head,
	    &(struct mail_field){ "Kith-Loop", config->domain,
		MAIL_FIELD_RAW });
	mail_field_write(head,
	    &(struct mail_field){ "Auto-Submitted", "auto-generated",
		MAIL_FIELD_RAW });
	buffer_append_text(head,
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: message/rfc822\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n");
}

static int
postmaster_apply(struct store_txn *txn, struct mail_item *item)
{
	const char *recipients[ROSTER_MAX];
	struct job_mail mail = { .purpose = "postmaster",
		.envelope_from = "",
		.recipients = recipients };
	struct roster roster;
	struct buffer head, body;
	int rc = roster_admins(store_txn_reader(txn), &roster);

	item->reason = REASON_DONE;
	if (rc != 0)
		return rc;
	buffer_init(&head, 0);
	buffer_init(&body, 0);
	for (size_t i = 0; i < roster.count; i++)
		recipients[i] = roster.entries[i].text;
	mail.recipient_count = roster.count;
	postmaster_head(item, &head);
	dot_unstuff(&body, item->message);
	mail.head = buffer_span(&head);
	mail.body = buffer_span(&body);
	rc = buffer_failed(&head) || buffer_failed(&body)
	    ? -ENOMEM
	    : job_add_mail(txn, item->community, &mail);
	roster_fini(&roster);
	buffer_fini(&head);
	buffer_fini(&body);
	return rc;
}

const struct mail_action mail_action_postmaster = {
	.name = "postmaster",
	.check = postmaster_check,
	.apply = postmaster_apply,
};
