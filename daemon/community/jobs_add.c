/* jobs_add.c - rows for mail that is to go out.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/jobs_private.h"
#include "daemon/community/members.h"
#include "daemon/community/spaces.h"
#include "daemon/community/subscriptions.h"
#include "protocol/address.h"

#define JOB_RECIPIENTS_MAX 500u

int
job_delete_rows(struct store_txn *txn, uint64_t id, const Kith__Job *row)
{
	struct store_key key = store_key_u64(id);
	struct store_key of = store_key_u64_u64(row->artid, id);
	int rc = store_delete(txn, STORE_JOBS, &key);

	if (rc == 0 && row->artid != 0)
		rc = store_delete(txn, STORE_JOBS_OF, &of);
	if (rc == 0 && row->has_body)
		rc = store_body_delete(txn, STORE_JOB_BODIES, id);
	return rc == -ENOENT ? 0 : rc;
}

static int
job_put(struct store_txn *txn, struct community *community, Kith__Job *row,
    struct span body)
{
	const Kith__Nothing nothing = KITH__NOTHING__INIT;
	struct store_key key;
	uint64_t id;
	int rc = store_id_next(txn, STORE_ID_JOB, &id);

	if (rc != 0)
		return rc;
	row->created = community_now(community);
	row->has_body = body.len > 0;
	key = store_key_u64(id);
	rc = store_put(txn, STORE_JOBS, &key, &row->base);
	if (rc == 0 && row->artid != 0) {
		key = store_key_u64_u64(row->artid, id);
		rc = store_put(txn, STORE_JOBS_OF, &key, &nothing.base);
	}
	if (rc == 0 && row->has_body)
		rc = store_body_put(txn, STORE_JOB_BODIES, id, body.bytes,
		    body.len);
	if (rc == 0)
		rc = job_announce(txn, community_jobs(community), id, row);
	return rc;
}

/* To the subscribers of a space; no row if there can be none. */
static int
job_put_list(struct store_txn *txn, struct community *community, Kith__Job *row)
{
	struct space *space =
	    spaces_by_id(community_spaces(community), row->space);
	bool has_mail = space != NULL && space->mail[0] != '\0';
	int rc;

	space_unref(space);
	if (!has_mail)
		return 0;
	rc = subscriptions_upper(store_txn_reader(txn), row->space,
	    &row->upper_address);
	if (rc != 0 || row->upper_address == 0)
		return rc;
	return job_put(txn, community, row, span_make(NULL, 0));
}

int
job_add_list(struct store_txn *txn, struct community *community, uint32_t space,
    uint64_t artid, uint32_t except_member, uint32_t ticket)
{
	static char purpose[] = "list";
	Kith__Job row;

	kith__job__init(&row);
	row.kind = KITH__JOB_KIND__JOB_LIST;
	row.space = space;
	row.artid = artid;
	row.except_member = except_member;
	row.ticket = ticket;
	row.purpose = purpose;
	return job_put_list(txn, community, &row);
}

int
job_add_digest(struct store_txn *txn, struct community *community,
    const struct job_digest *digest)
{
	static char packed[] = "digest", plain[] = "plain";
	Kith__Job row;

	kith__job__init(&row);
	row.kind = KITH__JOB_KIND__JOB_DIGEST;
	row.space = digest->space;
	row.mode = digest->mode;
	row.from_number = digest->from;
	row.upto_number = digest->upto;
	row.issue = digest->issue;
	row.purpose = digest->mode == KITH__MODE__MODE_PLAIN ? plain : packed;
	return job_put_list(txn, community, &row);
}

/* ---- a mail to named people */

static int
recipients_fill(struct store_txn *txn, const struct job_mail *mail,
    Kith__Recipient *recipients, Kith__Recipient **pointers)
{
	for (size_t i = 0; i < mail->recipient_count; i++) {
		Kith__Recipient *recipient = &recipients[i];
		int rc;

		kith__recipient__init(recipient);
		recipient->text = (char *)(uintptr_t)mail->recipients[i];
		if (mail->reply_to != NULL && mail->reply_to[i] != NULL)
			recipient->reply_to =
			    (char *)(uintptr_t)mail->reply_to[i];
		/* a bounce must find whom it is about */
		rc = mail->envelope_from != NULL
		    ? 0
		    : address_make(txn, recipient->text, &recipient->address);
		if (rc != 0)
			return rc;
		pointers[i] = recipient;
	}
	return 0;
}

int
job_add_mail(struct store_txn *txn, struct community *community,
    const struct job_mail *mail)
{
	static char verp[] = "+";
	Kith__Recipient *recipients, **pointers;
	size_t count = mail->recipient_count;
	Kith__Job row;
	int rc = -ENOMEM;

	if (count == 0)
		return 0;
	if (count > JOB_RECIPIENTS_MAX)
		return -EINVAL;
	recipients = calloc(count, sizeof *recipients);
	pointers = calloc(count, sizeof(Kith__Recipient *));
	kith__job__init(&row);
	row.kind = KITH__JOB_KIND__JOB_MAIL;
	row.space = mail->space;
	row.artid = mail->artid;
	row.ticket = mail->ticket;
	row.upper_address = (uint32_t)count - 1;
	row.envelope_from = mail->envelope_from == NULL
	    ? verp
	    : (char *)(uintptr_t)mail->envelope_from;
	row.purpose = (char *)(uintptr_t)mail->purpose;
	row.head.data = (uint8_t *)(uintptr_t)mail->head.bytes;
	row.head.len = mail->head.len;
	if (recipients != NULL && pointers != NULL)
		rc = recipients_fill(txn, mail, recipients, pointers);
	if (rc == 0) {
		row.recipients = pointers;
		row.n_recipients = count;
		rc = job_put(txn, community, &row, mail->body);
	}
	free(recipients);
	free(pointers);
	return rc;
}
