/* draft_id.c - the rule of Message-IDs (DESIGN section 4): what is a duplicate,
 * what keeps its id, what gets another one.
 */
#include "daemon/community/draft.h"

#include "daemon/community/cancel.h"
#include "daemon/community/draft_build.h"
#include "daemon/community/held.h"
#include "daemon/community/meta.h"
#include "daemon/community/sight.h"
#include "daemon/community/spaces.h"

/* The widest view among the submitter's own and those of the readers of the
 * spaces that the draft goes to. A mail proves nothing about its author unless
 * its way here was checked. */
static struct sight
draft_sight(struct community *community, const struct draft *draft)
{
	struct sight sight = { .class = READER_ANYONE,
		.peer = draft->author.peer };

	if (draft->author.trust >= TRUST_ALIGNED)
		sight = sight_of(&draft->author);
	for (size_t i = 0; i < draft->space_count; i++) {
		struct space *space =
		    spaces_by_id(community_spaces(community), draft->spaces[i]);

		if (space != NULL && rights_class_of(space) > sight.class)
			sight.class = rights_class_of(space);
		space_unref(space);
	}
	return sight;
}

uint64_t
draft_find_article(struct store_reader *reader, struct community *community,
    const uint8_t hash[STORE_HASH_LEN], enum reader_class class,
    uint64_t *thread_r)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	struct sight sight = { .class = class };
	int count = store_msgid_get(reader, hash, entries);

	for (int i = 0; i < count; i++)
		if (entries[i].state == STORE_MSGID_STORED &&
		    sight_has_article(reader, community, &sight,
			entries[i].artid, thread_r))
			return entries[i].artid;
	return 0;
}

static bool
held_is_for(
    struct store_reader *reader, uint32_t held, const struct draft *draft)
{
	Kith__Held *record;
	bool found = false;

	if (held_get(reader, held, &record) != 0)
		return false;
	for (size_t i = 0; i < record->n_spaces && !found; i++)
		for (size_t j = 0; j < draft->space_count && !found; j++)
			found = record->spaces[i] == draft->spaces[j];
	kith__held__free_unpacked(record, NULL);
	return found;
}

static bool
space_is_gone(struct community *community, uint32_t id)
{
	struct space *space = spaces_by_id(community_spaces(community), id);

	space_unref(space);
	return space == NULL;
}

/* What one entry under the same id means for the draft; REASON_STORED: nothing,
 * as far as this submitter may know. */
static enum reason
entry_judge(struct store_reader *reader, struct community *community,
    struct draft *draft, const struct store_msgid_entry *entry)
{
	bool same =
	    memcmp(entry->content, draft->content, sizeof draft->content) == 0;
	bool peer = draft->channel == KITH__CHANNEL__CHANNEL_PEER;
	bool post = draft->channel == KITH__CHANNEL__CHANNEL_POST;
	struct sight sight = draft_sight(community, draft);

	switch (entry->state) {
	case STORE_MSGID_STORED:
		if (!sight_has_article(reader, community, &sight, entry->artid,
			NULL))
			return REASON_STORED;
		if (same)
			draft->duplicate = entry->artid;
		return same ? REASON_DUPLICATE : REASON_BAD_MESSAGE_ID;
	case STORE_MSGID_HELD:
		return same && entry->about != draft->released &&
			held_is_for(reader, entry->about, draft) ?
		    REASON_HELD :
		    REASON_STORED;
	case STORE_MSGID_REFUSED: /* the moderator is asked once more */
		return same && peer ? REASON_DUPLICATE : REASON_STORED;
	case STORE_MSGID_CANCELLED:
	case STORE_MSGID_EXPIRED:
	case STORE_MSGID_CONTROL:
		/* what was taken away does not come back by being sent again,
		 * nor is a Message-ID used for another article in news */
		return (same && space_is_gone(community, entry->about)) ||
			((same || peer || post) &&
			    sight_has_space(community, &sight, entry->about)) ?
		    REASON_DUPLICATE :
		    REASON_STORED;
	case STORE_MSGID_WAITS: /* see entries_judge() */
	case STORE_MSGID_UNWANTED: /* this time it may be better */
	default:
		return REASON_STORED;
	}
}

static enum reason
entries_judge(struct store_reader *reader, struct community *community,
    struct draft *draft)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	enum reason reason = REASON_STORED, one;
	bool waited = false;
	int count = store_msgid_get(reader, draft->message_id_hash, entries);

	if (count < 0)
		return REASON_BUSY;
	draft->duplicate = 0;
	draft->id_is_new = count == 0;
	for (int i = 0; i < count; i++) {
		one = entry_judge(reader, community, draft, &entries[i]);
		waited = waited || entries[i].state == STORE_MSGID_WAITS;
		/* what waits for a moderator must not get past him as a further
		 * placement; and the same article wins over another of that
		 * name */
		if (one == REASON_HELD)
			return one;
		if (one == REASON_DUPLICATE || reason == REASON_STORED)
			reason = one;
	}
	if (waited) {
		int met = cancel_meets(reader, community, draft);

		if (met != 0)
			return met < 0 ? REASON_BUSY : REASON_CANCELLED;
	}
	if (reason == REASON_STORED &&
	    !store_msgid_has_room(entries, (unsigned)count))
		reason = REASON_BAD_MESSAGE_ID;
	return reason;
}

static void
draft_rename(struct community *community, struct draft *draft)
{
	struct store *store = community_store(community);
	uint8_t both[2 * STORE_HASH_LEN], hash[STORE_HASH_LEN];

	memcpy(both, draft->message_id_hash, STORE_HASH_LEN);
	memcpy(both + STORE_HASH_LEN, draft->content, STORE_HASH_LEN);
	store_hash(store, both, sizeof both, hash);
	memcpy(draft->original_id, draft->message_id,
	    sizeof draft->original_id);
	draft_id_of_hash(community, "kith-again", hash, draft->message_id);
	store_msgid_hash(store, draft->message_id, strlen(draft->message_id),
	    draft->message_id_hash);
	draft->renamed = true;
}

static void
draft_rename_undo(struct community *community, struct draft *draft)
{
	if (!draft->renamed)
		return;
	draft->renamed = false;
	memcpy(draft->message_id, draft->original_id, sizeof draft->message_id);
	store_msgid_hash(community_store(community), draft->message_id,
	    strlen(draft->message_id), draft->message_id_hash);
}

enum reason
draft_check_id(struct store_txn *txn, struct community *community,
    struct draft *draft)
{
	struct store_reader *reader = store_txn_reader(txn);
	enum reason reason;

	draft_rename_undo(community, draft); /* check may run again */
	reason = entries_judge(reader, community, draft);
	if (reason != REASON_BAD_MESSAGE_ID)
		return reason;
	if (draft->channel == KITH__CHANNEL__CHANNEL_POST ||
	    draft->channel == KITH__CHANNEL__CHANNEL_PEER) {
		draft->duplicate = 0;
		return REASON_DUPLICATE;
	}
	/* the new id follows from the content, so that the same mail handed in
	 * again meets itself */
	draft_rename(community, draft);
	return entries_judge(reader, community, draft);
}

bool
draft_adds_placement(struct store_txn *txn, const struct draft *draft)
{
	Kith__ArticleMeta *meta;
	bool adds = false;

	if (draft->duplicate == 0)
		return false;
	if (meta_get(store_txn_reader(txn), draft->duplicate, &meta) != 0)
		return false;
	for (size_t i = 0; i < draft->space_count && !adds; i++) {
		adds = true;
		for (size_t j = 0; j < meta->n_placements; j++)
			if (meta->placements[j]->space == draft->spaces[i])
				adds = false;
	}
	kith__article_meta__free_unpacked(meta, NULL);
	return adds;
}
