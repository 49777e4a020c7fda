/* notice.c - kith's own words, said in a way that no machine answers.
 */
#include "daemon/community/notice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "daemon/community/jobs.h"
#include "daemon/community/list_copy.h"
#include "daemon/community/spaces.h"
#include "daemon/log.h"
#include "protocol/address.h"
#include "protocol/mail_compose.h"
#include "store/msgid.h"

/* May one more go to this address in this hour? Counts it. */
static int
notice_count(struct store_txn *txn, struct community *community, const char *to,
    bool *allowed_r)
{
	uint32_t hour = (uint32_t)(community_now(community) / 3600);
	unsigned most = community_config(community)->answers_per_hour;
	uint8_t hash[16];
	struct store_key key;
	ProtobufCMessage *message = NULL;
	struct buffer compared;
	Kith__Count count;
	int rc;

	buffer_init(&compared, 0);
	rc = address_compare_form(&compared, span_of(to));
	if (rc == 0)
		store_hash(community_store(community), compared.bytes,
		    compared.len, hash);
	buffer_fini(&compared);
	if (rc != 0)
		return rc;
	key = store_key_hash_u32(hash, hour);
	kith__count__init(&count);
	rc = store_get(store_txn_reader(txn), STORE_ANSWERS, &key, &message);
	if (rc == 0) {
		count.count = ((Kith__Count *)message)->count;
		protobuf_c_message_free_unpacked(message, NULL);
	} else if (rc != -ENOENT) {
		return rc;
	}
	*allowed_r = most == 0 || count.count < most;
	if (!*allowed_r)
		return 0;
	count.count++;
	return store_put(txn, STORE_ANSWERS, &key, &count.base);
}

static void
notice_id(const struct community *community, char *id, size_t room)
{
	unsigned long long random[2] = { 0 };

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		random[0] = community_now(community);
	(void)snprintf(id, room, "<notice.%llx.%llx@%s>", random[0], random[1],
	    community_config(community)->hostname);
}

static int
notice_compose(struct buffer *out, struct community *community,
    const struct notice *notice, const char *mark)
{
	const struct config *config = community_config(community);
	const char *local =
	    notice->from_local == NULL || notice->from_local[0] == '\0'
	    ? "postmaster"
	    : notice->from_local;
	struct mail_field fields[] = {
		{ "Reply-To", notice->reply_to, MAIL_FIELD_RAW },
		{ "In-Reply-To", notice->in_reply_to, MAIL_FIELD_RAW },
		{ "References",
		    notice->references != NULL ? notice->references
					       : notice->in_reply_to,
		    MAIL_FIELD_IDS },
		{ "X-Auto-Response-Suppress", "All", MAIL_FIELD_RAW },
		{ "Kith-Loop", mark, MAIL_FIELD_RAW },
	};
	struct mail_notice mail = { .date = (int64_t)community_now(community),
		.to = notice->to,
		.subject = notice->subject,
		.auto_submitted = notice->replied != NULL ? notice->replied
							  : "auto-generated",
		.fields = fields,
		.field_count = sizeof fields / sizeof fields[0],
		.text = span_of(notice->text) };
	char from[300], id[400];

	if (notice->in_reply_to != NULL && notice->in_reply_to[0] == '\0')
		fields[1].value = fields[2].value = NULL;
	(void)snprintf(from, sizeof from, "%s%s%s", local,
	    strchr(local, '@') == NULL ? "@" : "",
	    strchr(local, '@') == NULL ? config->domain : "");
	notice_id(community, id, sizeof id);
	mail.from = from;
	mail.message_id = id;
	return mail_notice_compose(out, &mail);
}

static void
notice_mark(struct buffer *mark, struct community *community, uint32_t id)
{
	struct space *space =
	    id == 0 ? NULL : spaces_by_id(community_spaces(community), id);

	if (space != NULL)
		list_loop_mark(mark, community, space);
	else
		buffer_append_text(mark, community_config(community)->domain);
	space_unref(space);
}

/* Where the header of a composed mail ends and its body begins. */
static struct span
notice_split(struct span mail, struct span *body_r)
{
	static const char empty[] = "\r\n\r\n";

	*body_r = span_make(mail.bytes + mail.len, 0);
	for (size_t i = 0; i + 4 <= mail.len; i++)
		if (memcmp(mail.bytes + i, empty, 4) == 0) {
			*body_r =
			    span_make(mail.bytes + i + 4, mail.len - i - 4);
			return span_make(mail.bytes, i + 2);
		}
	return mail;
}

int
notice_send(struct store_txn *txn, struct community *community,
    const struct notice *notice, bool *sent_r)
{
	struct job_mail mail = { .purpose = notice->purpose,
		.envelope_from = "",
		.space = notice->space,
		.ticket = notice->ticket,
		.recipients = &notice->to,
		.recipient_count = 1 };
	struct buffer out, mark;
	bool allowed = true;
	int rc = 0;

	if (sent_r != NULL)
		*sent_r = false;
	if (!notice->always)
		rc = notice_count(txn, community, notice->to, &allowed);
	if (rc == -EINVAL) /* not an address: nobody to tell */
		return 0;
	if (rc != 0 || !allowed)
		return rc;
	buffer_init(&out, 0);
	buffer_init(&mark, 0);
	notice_mark(&mark, community, notice->space);
	rc = notice_compose(&out, community, notice, buffer_text(&mark));
	if (rc == 0 && (buffer_failed(&out) || buffer_failed(&mark)))
		rc = -ENOMEM;
	if (rc == 0) {
		mail.head = notice_split(buffer_span(&out), &mail.body);
		rc = job_add_mail(txn, community, &mail);
	}
	if (rc == 0 && sent_r != NULL)
		*sent_r = true;
	buffer_fini(&out);
	buffer_fini(&mark);
	return rc == -EINVAL ? 0 : rc;
}
