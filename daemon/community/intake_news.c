/* intake_news.c - the door for POST, IHAVE and TAKETHIS.
 */
#include "daemon/community/intake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/cancel.h"
#include "daemon/community/draft.h"
#include "daemon/community/intake_private.h"
#include "daemon/community/moderation.h"
#include "daemon/community/sight.h"
#include "daemon/community/spaces.h"
#include "daemon/log.h"
#include "protocol/msgid.h"
#include "store/admin.h"

enum news_step {
	NEWS_STORE,
	NEWS_HOLD,
	NEWS_REMEMBER, /* that it was refused */
};

struct news_item {
	struct store_op op;
	struct community *community;
	enum reason prepared; /* REASON_STORED: the draft is good */
	enum news_step step;
	struct cancel cancel;
	intake_done done;
	void *arg;
	uint64_t session;
	struct intake_result result;
	struct draft draft;
	char client[64];
	char offered[MSGID_MAX + 1]; /* of IHAVE and TAKETHIS; "" */
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

/* A peer's rights are its spaces (draft_from_news left no others, nor any that
 * was closed then); for a moderated one the moderator's mark must have come along
 * (RFC 5537 3.6). What goes may go from a closed one too. */
static enum reason
news_judge_peer(struct community *community, const struct draft *draft,
    char *detail, size_t room)
{
	for (size_t i = 0; i < draft->space_count; i++) {
		struct space *space =
		    spaces_by_id(community_spaces(community), draft->spaces[i]);
		enum reason reason = REASON_STORED;

		if (space == NULL)
			reason = REASON_NO_SUCH_SPACE;
		else if (space->closed && draft->control != DRAFT_CANCELS)
			reason = REASON_CLOSED;
		else if (space->moderation ==
			KITH__MODERATION__MODERATION_ALL &&
		    !draft->has_approved)
			reason = REASON_NOT_ALLOWED;
		if (reason == REASON_NOT_ALLOWED)
			(void)snprintf(detail, room,
			    "%s is moderated, and there is no Approved header",
			    space->name);
		space_unref(space);
		if (reason != REASON_STORED)
			return reason;
	}
	return REASON_STORED;
}

static enum reason
news_judge_rights(struct news_item *item, bool *moderated_r)
{
	const struct draft *draft = &item->draft;

	*moderated_r = false;
	/* who may cancel is asked of the article that goes */
	if (draft->control == DRAFT_CANCELS && draft->author.peer == 0)
		return REASON_STORED;
	if (draft->author.peer != 0)
		return news_judge_peer(item->community, draft,
		    item->result.detail, sizeof item->result.detail);
	return intake_judge_spaces(item->community, draft, moderated_r);
}

static enum reason
news_judge(struct store_txn *txn, struct news_item *item)
{
	struct intake_result *result = &item->result;
	bool moderated = false;
	enum reason reason = item->prepared;

	if (reason == REASON_STORED)
		reason = news_judge_rights(item, &moderated);
	if (reason == REASON_STORED)
		reason = draft_check_id(txn, item->community, &item->draft);
	if (reason == REASON_STORED)
		reason = cancel_check(txn, item->community, &item->draft,
		    &item->cancel, result->detail, sizeof result->detail);
	if (reason == REASON_STORED && moderated)
		item->step = NEWS_HOLD;
	return reason;
}

/* A refusal for good: the peer is not asked to send it once more. (What is for
 * newsgroups that are not here may come in masses, and may have a place later:
 * a row each is too much.) */
static bool
news_is_to_remember(const struct news_item *item)
{
	enum reason reason = item->result.reason;

	return item->offered[0] != '\0' && item->draft.author.peer != 0 &&
	    reason != REASON_DUPLICATE && reason != REASON_NO_SUCH_SPACE &&
	    reason_reply(reason)->ihave == 437;
}

static int
news_check(struct store_txn *txn, struct store_op *op)
{
	struct news_item *item = news_item_of(op);
	struct intake_result *result = &item->result;

	item->step = NEWS_STORE;
	item->cancel = (struct cancel){ .target = 0 };
	if (store_is_full(community_store(item->community))) {
		result->reason = item->prepared == REASON_STORED
		    ? REASON_NO_ROOM
		    : item->prepared;
		return 1;
	}
	result->reason = news_judge(txn, item);
	if (result->reason == REASON_STORED)
		return 0;
	item->step = NEWS_REMEMBER;
	return news_is_to_remember(item) ? 0 : 1;
}

/* It is of this peer alone: nobody can spoil an id for others. */
static int
news_remember(struct store_txn *txn, struct news_item *item)
{
	struct community *community = item->community;
	const struct store_msgid_entry entry = { .state = STORE_MSGID_UNWANTED,
		.about = item->draft.author.peer,
		.day = (uint32_t)(community_now(community) / 86400) };
	uint8_t hash[STORE_HASH_LEN];
	int rc;

	store_msgid_hash(community_store(community), item->offered,
	    strlen(item->offered), hash);
	rc = store_msgid_add(txn, hash, &entry);
	return rc == -ENOSPC ? 0 : rc; /* it is known well enough */
}

static int
news_hold(struct store_txn *txn, struct news_item *item)
{
	struct held_note note = { .cause = KITH__HELD_CAUSE__HELD_MODERATION };
	char excerpt[INTAKE_EXCERPT_ROOM];
	uint32_t held;

	intake_excerpt(span_make(item->draft.received,
			   item->draft.received_len),
	    excerpt, sizeof excerpt);
	note.excerpt = span_of(excerpt);
	item->result.reason = REASON_HELD;
	return held_put(txn, item->community, &item->draft, &note, &held);
}

static int
news_apply(struct store_txn *txn, struct store_op *op)
{
	struct news_item *item = news_item_of(op);
	int rc;

	if (item->step == NEWS_HOLD)
		return news_hold(txn, item);
	if (item->step == NEWS_REMEMBER)
		return news_remember(txn, item);
	rc = cancel_store(txn, item->community, &item->draft, &item->cancel);
	if (item->draft.control == DRAFT_CANCELS)
		item->result.reason = REASON_DONE;
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
line_add(struct buffer *line, const char *name, const char *text)
{
	char safe[LOG_TEXT_ROOM];

	buffer_append_text(line, name);
	buffer_append_text(line, log_text(safe, sizeof safe, text, strlen(text)));
}

static void
line_add_number(struct buffer *line, const char *name, uint64_t number)
{
	buffer_append_text(line, name);
	buffer_append_number(line, number);
}

/* Put together by hand: there is a line for each article, and printf() takes as
 * long as half of what else is done about it here. */
static void
news_log(const struct news_item *item)
{
	const struct draft *draft = &item->draft;
	struct buffer line;
	char room[512];

	buffer_init(&line, 0);
	buffer_lend(&line, room, sizeof room);
	line_add_number(&line, "post session=", item->session);
	line_add(&line, " id=", draft->message_id);
	line_add(&line, " from=", item->client);
	line_add_number(&line, " member=", draft->author.member);
	line_add_number(&line, " peer=", draft->author.peer);
	buffer_append_text(&line, " result=");
	buffer_append_text(&line, reason_name(item->result.reason));
	if (item->result.detail[0] != '\0') {
		buffer_append_text(&line, " detail=");
		buffer_append_text(&line, item->result.detail);
	}
	log_info("%s", buffer_text(&line));
	buffer_fini(&line);
}

static void
news_done(struct store_op *op, int rc)
{
	struct news_item *item = news_item_of(op);

	if (rc < 0)
		item->result.reason = intake_reason_of(rc);
	news_log(item);
	if (item->prepared == REASON_STORED)
		cancel_log(&item->draft, &item->cancel, item->session);
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
	if (reason == REASON_STORED && item->draft.control != DRAFT_CANCELS)
		draft_prepare_thread(item->community, &item->draft);
	return reason;
}

/* What is refused here goes through the writer too: answers keep the order of
 * the articles, and done never runs inside this call. */
void
intake_news(struct community *community, const struct intake_news *news,
    intake_done done, void *arg)
{
	static const struct intake_result busy = { .reason = REASON_BUSY };
	struct news_item *item = malloc(sizeof *item);

	if (item == NULL) {
		free(news->bytes);
		done(arg, &busy);
		return;
	}
	memset(item, 0, offsetof(struct news_item, draft));
	item->community = community;
	draft_init(&item->draft);
	item->draft.author = news->identity;
	item->draft.channel = news->channel;
	item->done = done;
	item->arg = arg;
	item->session = news->session;
	span_copy(item->client, sizeof item->client, span_of(news->client));
	span_copy(item->offered, sizeof item->offered,
	    span_of(news->offered_id == NULL ? "" : news->offered_id));
	item->draft.source = item->client;
	item->prepared = news_prepare(item, news);
	item->op.check = news_check;
	item->op.apply = news_apply;
	item->op.done = news_done;
	item->op.inbox = news->inbox;
	store_submit(community_store(community), &item->op);
}

/* Is this one reason enough not to want it, and one that a peer may know? */
static bool
entry_settles(struct store_reader *reader, struct community *community,
    const struct sight *sight, const struct store_msgid_entry *entry)
{
	switch (entry->state) {
	case STORE_MSGID_STORED:
		return sight_has_article(reader, community, sight,
		    entry->artid, NULL);
	case STORE_MSGID_CANCELLED:
	case STORE_MSGID_EXPIRED:
	case STORE_MSGID_CONTROL:
		return sight_has_space(community, sight, entry->about);
	case STORE_MSGID_UNWANTED:
		return entry->about == sight->peer;
	case STORE_MSGID_HELD:
	case STORE_MSGID_REFUSED:
	case STORE_MSGID_WAITS:
	default:
		return false;
	}
}

enum reason
intake_wants(struct community *community, struct store_reader *reader,
    const struct identity *identity, struct span message_id)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	struct sight sight = sight_of(identity);
	uint8_t hash[STORE_HASH_LEN];
	int count;

	if (!msgid_is_valid(message_id))
		return REASON_BAD_MESSAGE_ID;
	store_msgid_hash(community_store(community), message_id.bytes,
	    message_id.len, hash);
	count = store_msgid_get(reader, hash, entries);
	for (int i = 0; i < count; i++)
		if (entry_settles(reader, community, &sight, &entries[i]))
			return REASON_DUPLICATE;
	return REASON_STORED;
}
