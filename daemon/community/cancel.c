/* cancel.c - who may take an article away: the check of a cancel.
 */
#include "daemon/community/cancel_private.h"

#include <stdio.h>

#include "daemon/community/held.h"
#include "daemon/community/intake_private.h"
#include "daemon/community/locks.h"
#include "daemon/community/meta.h"
#include "daemon/community/sight.h"
#include "daemon/community/spaces.h"
#include "daemon/log.h"

bool
cancel_may_moderate(struct community *community,
    const struct identity *identity, uint32_t id)
{
	struct space *space = spaces_by_id(community_spaces(community), id);
	bool may = space != NULL && rights_may_moderate(identity, space);

	space_unref(space);
	return may;
}

/* A From header proves nothing: only a login does. */
static bool
author_is(const struct draft *draft, uint32_t member)
{
	const struct identity *author = &draft->author;

	return author->member != 0 && author->active &&
	    author->trust == TRUST_SESSION && author->member == member;
}

static enum cancel_by
authority(struct store_reader *reader, struct community *community,
    const struct draft *draft, uint64_t artid)
{
	enum cancel_by by = CANCEL_BY_NOBODY;
	Kith__ArticleMeta *meta;

	if (meta_get(reader, artid, &meta) != 0)
		return by;
	if (author_is(draft, meta->member))
		by = CANCEL_BY_AUTHOR;
	else if (cancel_has_key_for(reader, community, draft, artid))
		by = CANCEL_BY_KEY;
	for (size_t i = 0;
	     i < meta->n_placements && by == CANCEL_BY_NOBODY; i++)
		if (cancel_may_moderate(community, &draft->author,
			meta->placements[i]->space))
			by = CANCEL_BY_MODERATOR;
	kith__article_meta__free_unpacked(meta, NULL);
	return by;
}

static bool
held_is_own(struct store_reader *reader, const struct draft *draft,
    uint32_t held)
{
	Kith__Held *record;
	bool own;

	if (held_get(reader, held, &record) != 0)
		return false;
	own = author_is(draft, record->member);
	kith__held__free_unpacked(record, NULL);
	return own;
}

/* Looks for the target. 1: it is there, and he may know it; 0; negative. */
static int
target_find(struct store_reader *reader, struct community *community,
    const struct draft *draft, struct cancel *cancel)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	struct sight sight = sight_of(&draft->author);
	uint8_t hash[STORE_HASH_LEN];
	int count, seen = 0;

	store_msgid_hash(community_store(community), draft->target_id,
	    strlen(draft->target_id), hash);
	count = store_msgid_get(reader, hash, entries);
	for (int i = 0; i < count && cancel->by == CANCEL_BY_NOBODY; i++) {
		if (entries[i].state == STORE_MSGID_STORED &&
		    sight_has_article(reader, community, &sight,
			entries[i].artid, NULL)) {
			seen = 1;
			cancel->target = entries[i].artid;
			cancel->by = authority(reader, community, draft,
			    cancel->target);
		} else if (entries[i].state == STORE_MSGID_HELD &&
		    held_is_own(reader, draft, entries[i].about)) {
			seen = 1;
			cancel->held = entries[i].about;
			cancel->by = CANCEL_BY_AUTHOR;
		}
	}
	return count < 0 ? count : seen;
}

/* What is not here, or not for him, may come, and then the key decides. */
static enum reason
check_unknown(struct community *community, const struct draft *draft,
    struct cancel *cancel, char *detail, size_t room)
{
	bool moderated = false;

	cancel->waits =
	    locks_has_key(cancel_value(draft, &draft->key_range)) &&
	    (draft->author.peer != 0 ||
		(intake_judge_spaces(community, draft, &moderated) ==
			REASON_STORED &&
		    !moderated));
	if (cancel->waits || draft->control == DRAFT_SUPERSEDES)
		return REASON_STORED;
	(void)snprintf(detail, room, "no article of that Message-ID");
	return REASON_NOT_ALLOWED;
}

enum reason
cancel_check(struct store_txn *txn, struct community *community,
    const struct draft *draft, struct cancel *cancel, char *detail, size_t room)
{
	int seen;

	*cancel = (struct cancel){ .by = CANCEL_BY_NOBODY };
	if (draft->control == DRAFT_ARTICLE)
		return REASON_STORED;
	seen = target_find(store_txn_reader(txn), community, draft, cancel);
	if (seen < 0)
		return REASON_BUSY;
	if (cancel->by != CANCEL_BY_NOBODY)
		return REASON_STORED;
	cancel->target = 0;
	if (seen == 0)
		return check_unknown(community, draft, cancel, detail, room);
	/* RFC 5537 5.4: whether it is honoured or not, what supersedes is an
	 * article; only who can still be told is told */
	if (draft->control == DRAFT_SUPERSEDES && draft->author.peer != 0)
		return REASON_STORED;
	(void)snprintf(detail, room, "%s",
	    draft->author.peer != 0
		? "no key of the cancel opens a lock of the article"
		: "only its author and moderators may take an article away");
	return REASON_NOT_ALLOWED;
}

static const char *const by_names[] = {
	[CANCEL_BY_NOBODY] = "nobody",
	[CANCEL_BY_KEY] = "key",
	[CANCEL_BY_AUTHOR] = "author",
	[CANCEL_BY_MODERATOR] = "moderator",
};

void
cancel_log(const struct draft *draft, const struct cancel *cancel,
    uint64_t session)
{
	char id[LOG_TEXT_ROOM], target[LOG_TEXT_ROOM];

	if (draft->control == DRAFT_ARTICLE)
		return;
	log_info("%s session=%llu id=%s target=%s member=%u peer=%u by=%s%s",
	    draft->control == DRAFT_CANCELS ? "cancel" : "supersede",
	    (unsigned long long)session,
	    log_text(id, sizeof id, draft->message_id,
		strlen(draft->message_id)),
	    log_text(target, sizeof target, draft->target_id,
		strlen(draft->target_id)),
	    draft->author.member, draft->author.peer, by_names[cancel->by],
	    cancel->waits ? " waits" : "");
}
