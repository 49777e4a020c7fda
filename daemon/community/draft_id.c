/* draft_id.c - the rule of Message-IDs (DESIGN section 4): what is a duplicate,
 * what keeps its id, what gets another one.
 */
#include "daemon/community/draft.h"

#include <errno.h>

#include "daemon/community/draft_build.h"
#include "daemon/community/held.h"
#include "daemon/community/spaces.h"

static Kith__ArticleMeta *
meta_get(struct store_reader *reader, uint64_t artid)
{
	struct store_key key = store_key_u64(artid);
	ProtobufCMessage *message = NULL;

	if (store_get(reader, STORE_ARTICLE_META, &key, &message) != 0)
		return NULL;
	return (Kith__ArticleMeta *)message;
}

/* The widest view among the submitter's own and those of the readers of the
 * spaces that the draft goes to. A mail proves nothing about its author unless
 * its way here was checked. */
static enum reader_class
draft_sight(struct community *community, const struct draft *draft)
{
	enum reader_class class = READER_ANYONE;

	if (draft->author.trust >= TRUST_ALIGNED)
		class = rights_reader_class(&draft->author);
	for (size_t i = 0; i < draft->space_count; i++) {
		struct space *space =
		    spaces_by_id(community_spaces(community), draft->spaces[i]);

		if (space != NULL && rights_class_of(space) > class)
			class = rights_class_of(space);
		space_unref(space);
	}
	return class;
}

static bool
article_in_sight(struct store_reader *reader, struct community *community,
    uint64_t artid, enum reader_class class)
{
	Kith__ArticleMeta *meta = meta_get(reader, artid);
	bool seen = false;

	if (meta == NULL)
		return false;
	for (size_t i = 0; i < meta->n_placements && !seen; i++) {
		struct space *space = spaces_by_id(community_spaces(community),
		    meta->placements[i]->space);

		seen = space != NULL && rights_may_read(class, space);
		space_unref(space);
	}
	kith__article_meta__free_unpacked(meta, NULL);
	return seen;
}

uint64_t
draft_find_article(struct store_reader *reader, struct community *community,
    const char *message_id, enum reader_class class)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	uint8_t hash[STORE_HASH_LEN];
	int count;

	store_msgid_hash(community_store(community), message_id,
	    strlen(message_id), hash);
	count = store_msgid_get(reader, hash, entries);
	for (int i = 0; i < count; i++)
		if (entries[i].state == STORE_MSGID_STORED &&
		    article_in_sight(reader, community, entries[i].artid,
			class))
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

/* What one entry under the same id means for the draft; REASON_STORED: nothing,
 * as far as this submitter may know. */
static enum reason
entry_judge(struct store_reader *reader, struct community *community,
    struct draft *draft, const struct store_msgid_entry *entry)
{
	bool same =
	    memcmp(entry->content, draft->content, sizeof draft->content) == 0;

	switch (entry->state) {
	case STORE_MSGID_STORED:
		if (!article_in_sight(reader, community, entry->artid,
			draft_sight(community, draft)))
			return REASON_STORED;
		if (same)
			draft->duplicate = entry->artid;
		return same ? REASON_DUPLICATE : REASON_BAD_MESSAGE_ID;
	case STORE_MSGID_HELD:
		return same && entry->held != draft->released &&
			held_is_for(reader, entry->held, draft) ?
		    REASON_HELD :
		    REASON_STORED;
	case STORE_MSGID_REFUSED: /* the moderator is asked once more */
		return draft->channel == KITH__CHANNEL__CHANNEL_PEER ?
		    REASON_DUPLICATE :
		    REASON_STORED;
	case STORE_MSGID_CANCELLED:
	case STORE_MSGID_EXPIRED:
		/* what was taken away does not come back by being sent again */
		return same || draft->channel == KITH__CHANNEL__CHANNEL_PEER
		    ? REASON_DUPLICATE
		    : REASON_STORED;
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
	int count = store_msgid_get(reader, draft->message_id_hash, entries);

	if (count < 0)
		return REASON_BUSY;
	draft->duplicate = 0;
	for (int i = 0; i < count; i++) {
		one = entry_judge(reader, community, draft, &entries[i]);
		/* what waits for a moderator must not get past him as a further
		 * placement; and the same article wins over another of that
		 * name */
		if (one == REASON_HELD)
			return one;
		if (one == REASON_DUPLICATE || reason == REASON_STORED)
			reason = one;
	}
	if (reason == REASON_STORED && count == (int)STORE_MSGID_MAX)
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
	meta = meta_get(store_txn_reader(txn), draft->duplicate);
	if (meta == NULL)
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
