/* intake_news.c - the door for POST, IHAVE and TAKETHIS.
 */
#include "daemon/community/intake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/community/draft.h"
#include "daemon/community/intake_private.h"
#include "daemon/community/moderation.h"
#include "daemon/community/spaces.h"
#include "daemon/community/ticket.h"
#include "daemon/log.h"
#include "protocol/msgid.h"
#include "store/admin.h"

struct news_item {
	struct store_op op;
	struct community *community;
	struct draft draft;
	enum reason prepared; /* REASON_STORED: the draft is good */
	struct intake_result result;
	bool hold;
	intake_done done;
	void *arg;
	uint64_t session;
	char client[64];
	char excerpt[1600];
};

static struct news_item *
news_item_of(struct store_op *op)
{
	return (struct news_item *)(void *)((char *)op -
	    offsetof(struct news_item, op));
}

enum reason
intake_judge_spaces(struct community *community, const struct draft *draft,
    bool *moderated_r)
{
	*moderated_r = false;
	for (size_t i = 0; i < draft->space_count; i++) {
		struct space *space =
		    spaces_by_id(community_spaces(community), draft->spaces[i]);
		enum rights_post right = space == NULL
		    ? POST_REFUSED
		    : rights_post(&draft->author, space);

		space_unref(space);
		switch (right) {
		case POST_ALLOWED:
			break;
		case POST_MODERATED:
			*moderated_r = true;
			break;
		case POST_LOGIN:
			return REASON_LOGIN_NEEDED;
		case POST_CLOSED:
			return REASON_CLOSED;
		case POST_REFUSED:
		default:
			return REASON_NOT_ALLOWED;
		}
	}
	return REASON_STORED;
}

/* A peer's rights are its spaces (draft_from_news left no others); for a
 * moderated one the moderator's mark must have come along (RFC 5537 3.6). */
static enum reason
news_judge_peer(struct community *community, const struct draft *draft)
{
	for (size_t i = 0; i < draft->space_count; i++) {
		struct space *space =
		    spaces_by_id(community_spaces(community), draft->spaces[i]);
		enum reason reason = REASON_STORED;

		if (space == NULL)
			reason = REASON_NO_SUCH_SPACE;
		else if (space->closed)
			reason = REASON_CLOSED;
		else if (space->moderation ==
			KITH__MODERATION__MODERATION_ALL &&
		    !draft->has_approved)
			reason = REASON_NOT_ALLOWED;
		space_unref(space);
		if (reason != REASON_STORED)
			return reason;
	}
	return REASON_STORED;
}

static int
news_check(struct store_txn *txn, struct store_op *op)
{
	struct news_item *item = news_item_of(op);
	struct intake_result *result = &item->result;

	item->hold = false;
	result->reason = item->prepared;
	if (result->reason != REASON_STORED)
		return 1;
	if (store_is_full(community_store(item->community)))
		result->reason = REASON_NO_ROOM;
	else if (item->draft.author.peer != 0)
		result->reason = news_judge_peer(item->community, &item->draft);
	else
		result->reason = intake_judge_spaces(item->community,
		    &item->draft, &item->hold);
	if (result->reason == REASON_STORED)
		result->reason =
		    draft_check_id(txn, item->community, &item->draft);
	return result->reason == REASON_STORED ? 0 : 1;
}

static int
news_hold(struct store_txn *txn, struct news_item *item)
{
	struct held_note note = { .cause = KITH__HELD_CAUSE__HELD_MODERATION,
		.envelope_from = "",
		.recipient = "" };
	uint32_t held;

	intake_excerpt(span_make(item->draft.received,
			   item->draft.received_len),
	    item->excerpt, sizeof item->excerpt);
	note.excerpt = span_of(item->excerpt);
	item->result.reason = REASON_HELD;
	return held_put(txn, item->community, &item->draft, &note, &held);
}

static int
news_apply(struct store_txn *txn, struct store_op *op)
{
	struct news_item *item = news_item_of(op);
	int rc;

	if (item->hold)
		return news_hold(txn, item);
	rc = ticket_store(txn, item->community, &item->draft);
	item->result.artid = item->draft.artid;
	item->result.space = item->draft.spaces[0];
	item->result.number = item->draft.numbers[0];
	return rc;
}

enum reason
intake_reason_of(int rc)
{
	return rc == -ENOSPC ? REASON_NO_ROOM : REASON_BUSY;
}

static void
news_done(struct store_op *op, int rc)
{
	struct news_item *item = news_item_of(op);
	char id[LOG_TEXT_ROOM], from[LOG_TEXT_ROOM];

	if (rc < 0)
		item->result.reason = intake_reason_of(rc);
	log_info("post session=%llu id=%s from=%s member=%u peer=%u "
		 "result=%s%s%s",
	    (unsigned long long)item->session,
	    log_text(id, sizeof id, item->draft.message_id,
		strlen(item->draft.message_id)),
	    log_text(from, sizeof from, item->client, strlen(item->client)),
	    item->draft.author.member, item->draft.author.peer,
	    reason_name(item->result.reason),
	    item->result.detail[0] != '\0' ? " detail=" : "",
	    item->result.detail);
	item->done(item->arg, &item->result);
	draft_fini(&item->draft);
	free(item);
}

static enum reason
news_prepare(struct news_item *item, const struct intake_news *news)
{
	struct draft_bytes bytes = { news->bytes, news->len, news->facts };
	enum reason reason = draft_from_news(item->community, &item->draft,
	    &bytes, item->result.detail, sizeof item->result.detail);

	if (reason == REASON_STORED && news->offered_id != NULL &&
	    strcmp(news->offered_id, item->draft.message_id) != 0) {
		(void)snprintf(item->result.detail, sizeof item->result.detail,
		    "Message-ID is not the one that was offered");
		reason = REASON_BAD_MESSAGE_ID;
	}
	return reason;
}

/* What is refused here goes through the writer too: answers keep the order of
 * the articles, and done never runs inside this call. */
void
intake_news(struct community *community, const struct intake_news *news,
    intake_done done, void *arg)
{
	static const struct intake_result busy = { .reason = REASON_BUSY };
	struct news_item *item = calloc(1, sizeof *item);

	if (item == NULL) {
		free(news->bytes);
		done(arg, &busy);
		return;
	}
	item->community = community;
	item->draft.author = news->identity;
	item->draft.channel = news->channel;
	item->done = done;
	item->arg = arg;
	item->session = news->session;
	(void)snprintf(item->client, sizeof item->client, "%s",
	    news->client == NULL ? "" : news->client);
	item->prepared = news_prepare(item, news);
	item->op.check = news_check;
	item->op.apply = news_apply;
	item->op.done = news_done;
	item->op.inbox = news->inbox;
	store_submit(community_store(community), &item->op);
}

/* A peer learns of the articles in the spaces that it may feed. */
enum reason
intake_wants(struct community *community, struct store_reader *reader,
    const struct identity *identity, struct span message_id)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	uint8_t hash[STORE_HASH_LEN];
	char id[MSGID_MAX + 1];
	int count;

	if (!msgid_is_valid(message_id) || message_id.len > MSGID_MAX)
		return REASON_BAD_MESSAGE_ID;
	memcpy(id, message_id.bytes, message_id.len);
	id[message_id.len] = '\0';
	if (draft_find_article(reader, community, id,
		rights_reader_class(identity)) != 0)
		return REASON_DUPLICATE;
	store_msgid_hash(community_store(community), id, message_id.len, hash);
	count = store_msgid_get(reader, hash, entries);
	for (int i = 0; i < count; i++)
		if (entries[i].state == STORE_MSGID_CANCELLED ||
		    entries[i].state == STORE_MSGID_EXPIRED)
			return REASON_DUPLICATE;
	return REASON_STORED;
}
