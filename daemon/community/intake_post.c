/* intake_post.c - a mail to a list: stored and sent on, held, or refused.
 */
#include <errno.h>
#include <stdio.h>

#include "daemon/community/intake_private.h"
#include "daemon/community/list_copy.h"
#include "protocol/article.h"
#include "protocol/mail_summary.h"

#define RECEIVED_MAX 50u

enum post_step {
	POST_STEP_STORE,
	POST_STEP_PLACE, /* in further spaces */
	POST_STEP_HOLD,
};

/* ---- loops */

static bool
field_is_loop(const struct article_field *field, const struct space *space,
    struct span mark, const char *domain)
{
	struct span value = field->value;
	size_t name_len;

	if (field->id == HEADER_KITH_LOOP)
		return span_equal(value, mark);
	if (field->id != HEADER_LIST_ID)
		return false;
	/* "text <local.domain>" */
	name_len = strlen(space->mail);
	for (size_t i = 0; i < value.len; i++) {
		struct span id = span_make(value.bytes + i, value.len - i);

		if (id.bytes[0] == '<' &&
		    id.len == name_len + strlen(domain) + 3 &&
		    strncasecmp(id.bytes + 1, space->mail, name_len) == 0 &&
		    id.bytes[name_len + 1] == '.' &&
		    strncasecmp(id.bytes + name_len + 2, domain,
			strlen(domain)) == 0)
			return true;
	}
	return false;
}

/* Our own copy of this list that came back, or a mail without end. */
static bool
mail_is_loop(const struct mail_item *item)
{
	const char *domain = community_config(item->community)->domain;
	struct article_header header;
	unsigned received = 0;
	struct buffer mark;
	bool loop = false;

	buffer_init(&mark, 0);
	list_loop_mark(&mark, item->community, item->space);
	article_header_init(&header);
	if (article_scan(&header, item->message, ARTICLE_MAIL, NULL) == 0)
		for (size_t i = 0; i < header.count && !loop; i++) {
			const struct article_field *field = &header.fields[i];

			received += field->id == HEADER_RECEIVED;
			loop = received > RECEIVED_MAX ||
			    field_is_loop(field, item->space,
				buffer_span(&mark), domain);
		}
	article_header_fini(&header);
	buffer_fini(&mark);
	return loop;
}

/* ---- who may */

/* Does the right to post come from a role that the From alone does not prove?
 * And does the MTA say that the From is not true? */
static bool
author_is_doubtful(const struct mail_item *item)
{
	struct identity plain = item->author;
	bool moderated, plain_moderated;
	enum reason reason, plain_reason;
	struct draft copy = { .space_count = item->draft->space_count };

	if (item->author.member == 0 || item->author.trust >= TRUST_ALIGNED)
		return false;
	if (item->summary->auth.found &&
	    item->summary->auth.dmarc == MAIL_AUTH_FAIL)
		return true;
	if (item->author.role == KITH__ROLE__ROLE_MEMBER)
		return false;
	memcpy(copy.spaces, item->draft->spaces, sizeof copy.spaces);
	copy.author = item->author;
	reason = intake_judge_spaces(item->community, &copy, &moderated);
	plain.role = KITH__ROLE__ROLE_MEMBER;
	copy.author = plain;
	plain_reason =
	    intake_judge_spaces(item->community, &copy, &plain_moderated);
	return reason == REASON_STORED && !moderated &&
	    (plain_reason != REASON_STORED || plain_moderated);
}

static int
post_hold(struct mail_item *item, Kith__HeldCause cause)
{
	item->step = POST_STEP_HOLD;
	item->held_cause = cause;
	return 0;
}

static int
post_refuse(struct mail_item *item, enum reason reason)
{
	item->reason = reason;
	if (reason == REASON_NOT_ALLOWED || reason == REASON_LOGIN_NEEDED) {
		item->reason = REASON_NOT_ALLOWED;
		(void)snprintf(item->detail, sizeof item->detail,
		    "you may not post here; %s+help@%s tells more",
		    item->space->mail,
		    community_config(item->community)->domain);
	}
	return 1;
}

static int
post_check_id(struct store_txn *txn, struct mail_item *item, bool moderated)
{
	item->reason = draft_check_id(txn, item->community, item->draft);
	if (item->reason == REASON_DUPLICATE &&
	    draft_adds_placement(txn, item->draft))
		item->step = POST_STEP_PLACE;
	else if (item->reason != REASON_STORED)
		return 1; /* handed in again, or waiting already */
	return moderated ? post_hold(item, KITH__HELD_CAUSE__HELD_MODERATION)
			 : 0;
}

static int
post_check(struct store_txn *txn, struct mail_item *item)
{
	const struct mail_summary *summary = item->summary;
	bool moderated = false;
	enum reason reason;

	item->detail[0] = '\0';
	item->step = POST_STEP_STORE;
	item->reason = REASON_IGNORED;
	/* a vacation notice or our own copy: never posted, never answered */
	if (item->automatic || mail_is_loop(item))
		return 1;
	reason = intake_judge_spaces(item->community, item->draft, &moderated);
	if (reason != REASON_STORED)
		return post_refuse(item, reason);
	if (post_check_id(txn, item, moderated) != 0)
		return 1;
	if (summary->several_from || summary->from.count != 1)
		return post_hold(item, KITH__HELD_CAUSE__HELD_UNKNOWN_SENDER);
	if (author_is_doubtful(item))
		return post_hold(item, KITH__HELD_CAUSE__HELD_AUTH_FAIL);
	return 0;
}

static int
post_apply(struct store_txn *txn, struct mail_item *item)
{
	if (item->step == POST_STEP_HOLD)
		return mail_item_hold(txn, item, item->held_cause);
	item->reason = REASON_STORED;
	if (item->step == POST_STEP_PLACE)
		return draft_place_more(txn, item->community,
		    item->draft->duplicate, item->draft);
	return draft_store(txn, item->community, item->draft);
}

const struct mail_action mail_action_post = {
	.name = "post",
	.stores = true,
	.check = post_check,
	.apply = post_apply,
};

/* ---- what no parser could read, twice */

static int
unreadable_check(struct store_txn *txn, struct mail_item *item)
{
	item->detail[0] = '\0';
	item->reason = draft_check_id(txn, item->community, item->draft);
	return item->reason == REASON_STORED ? 0 : 1;
}

static int
unreadable_apply(struct store_txn *txn, struct mail_item *item)
{
	return mail_item_hold(txn, item, KITH__HELD_CAUSE__HELD_BAD_MIME);
}

const struct mail_action mail_action_unreadable = {
	.name = "unreadable",
	.stores = true,
	.check = unreadable_check,
	.apply = unreadable_apply,
};

int
mail_item_hold(struct store_txn *txn, struct mail_item *item,
    Kith__HeldCause cause)
{
	struct held_note note = { .cause = cause };

	item->reason = REASON_HELD;
	if (item->draft == NULL)
		return -EINVAL;
	if (item->summary != NULL)
		note.excerpt = span_of(item->summary->own_text);
	if (item->draft->ticket == 0)
		item->draft->ticket = item->ticket;
	return held_put(txn, item->community, item->draft, &note, &item->held);
}
