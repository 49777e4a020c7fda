/* mail_hand_on.c - a mail passed on to people.
 */
#include "daemon/community/mail_hand_on.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/community/jobs.h"
#include "protocol/dot.h"
#include "protocol/mail_compose.h"
#include "protocol/mail_summary.h"

/* By what is handed on and where it was addressed to, so that two mails of one
 * second do not get the same. */
static void
hand_on_id(const struct mail_item *item, const struct hand_on *what, char *id,
    size_t room)
{
	uint8_t hash[STORE_HASH_LEN];
	unsigned long long part = 0;

	store_hash(community_store(item->community), item->message.bytes,
	    item->message.len, hash);
	for (size_t i = 0; i < sizeof part; i++)
		part = part << 8 | hash[i];
	(void)snprintf(id, room, "<%s.%x.%llx.%llx@%s>", what->purpose,
	    item->space == NULL ? 0 : item->space->id,
	    (unsigned long long)item->now, part,
	    community_config(item->community)->hostname);
}

static void
hand_on_head(const struct mail_item *item, const struct hand_on *what,
    struct buffer *head)
{
	const struct mail_summary *summary = item->summary;
	char id[400];

	hand_on_id(item, what, id, sizeof id);
	mail_field_write_address(head, "From", what->from_name, what->address);
	mail_field_write_address(head, "To", "", what->address);
	if (summary->from.count > 0)
		mail_field_write_address(head, "Reply-To",
		    summary->from.items[0].name, summary->from.items[0].text);
	mail_field_write(head,
	    &(struct mail_field){ "Subject", what->subject, MAIL_FIELD_TEXT });
	mail_field_write_date(head, "Date", (int64_t)item->now);
	mail_field_write(head,
	    &(struct mail_field){ "Message-ID", id, MAIL_FIELD_RAW });
	if (what->automatic)
		buffer_printf(head,
		    "Kith-Loop: %s\r\nAuto-Submitted: auto-generated\r\n",
		    community_config(item->community)->domain);
	buffer_append_text(head,
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: message/rfc822\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n");
}

int
mail_hand_on(struct store_txn *txn, const struct mail_item *item,
    const struct hand_on *what, const struct roster *roster)
{
	const char *recipients[ROSTER_MAX];
	struct job_mail mail = { .purpose = what->purpose,
		.envelope_from = "",
		.space = item->space == NULL ? 0 : item->space->id,
		.recipients = recipients,
		.recipient_count = roster->count };
	struct buffer head, body;
	int rc;

	if (roster->count == 0)
		return 0;
	for (size_t i = 0; i < roster->count; i++)
		recipients[i] = roster->entries[i].text;
	buffer_init(&head, 0);
	buffer_init(&body, 0);
	hand_on_head(item, what, &head);
	dot_unstuff(&body, item->message);
	mail.head = buffer_span(&head);
	mail.body = buffer_span(&body);
	rc = buffer_failed(&head) || buffer_failed(&body)
	    ? -ENOMEM
	    : job_add_mail(txn, item->community, &mail);
	buffer_fini(&head);
	buffer_fini(&body);
	return rc;
}
