/* removal.c - articles taken out: row by row, the text with the last one.
 */
#include "daemon/community/removal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/article.h"
#include "store/msgid.h"
#include "store/overview.h"
#include "store/sequence.h"

static int
meta_get(struct store_reader *reader, uint64_t artid,
    Kith__ArticleMeta **meta_r)
{
	struct store_key key = store_key_u64(artid);
	ProtobufCMessage *message = NULL;
	int rc = store_get(reader, STORE_ARTICLE_META, &key, &message);

	*meta_r = rc == 0 ? (Kith__ArticleMeta *)(void *)message : NULL;
	return rc;
}

/* What came under this id stays known, so that it is not taken in again. */
static int
msgid_cancel(struct store_txn *txn, struct community *community,
    const char *message_id, uint64_t artid)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	uint8_t hash[STORE_HASH_LEN];
	int count;

	store_msgid_hash(community_store(community), message_id,
	    strlen(message_id), hash);
	count = store_msgid_get(store_txn_reader(txn), hash, entries);
	if (count <= 0)
		return count;
	for (int i = 0; i < count; i++) {
		if (entries[i].artid != artid)
			continue;
		entries[i].artid = 0;
		entries[i].state = STORE_MSGID_CANCELLED;
	}
	return store_msgid_put(txn, hash, entries, (unsigned)count);
}

static int
article_drop(struct store_txn *txn, struct community *community, uint64_t artid,
    const Kith__ArticleMeta *meta)
{
	struct store_key key = store_key_u64(artid);
	int rc = msgid_cancel(txn, community, meta->message_id, artid);

	if (rc == 0)
		rc = store_article_delete(txn, artid);
	if (rc == 0 || rc == -ENOENT)
		rc = store_delete(txn, STORE_ARTICLE_META, &key);
	return rc;
}

static int
note(struct store_txn *txn, struct community *community, uint64_t artid,
    const Kith__Placement *placement, uint32_t actor)
{
	Kith__Event event;

	kith__event__init(&event);
	event.time = community_now(community);
	event.verb = KITH__VERB__VERB_REMOVED;
	event.artid = artid;
	event.space = placement->space;
	event.number = placement->number;
	event.actor = actor;
	return store_sequence_append(txn, &event, NULL);
}

static int
placement_drop(struct store_txn *txn, struct community *community,
    uint64_t artid, const Kith__Placement *placement, uint32_t actor)
{
	int rc =
	    store_overview_delete(txn, placement->space, placement->number);

	return rc == 0 ? note(txn, community, artid, placement, actor) : rc;
}

int
removal_placement(struct store_txn *txn, struct community *community,
    uint32_t space, uint32_t number, uint32_t actor)
{
	const Kith__Placement gone = {
		.space = space,
		.number = number,
	};
	struct store_overview_row row;
	struct store_key key;
	Kith__ArticleMeta *meta;
	char *copy = NULL;
	size_t kept = 0;
	int rc = store_overview_get(store_txn_reader(txn), space, number, &row,
	    &copy);

	if (rc != 0)
		return rc;
	free(copy);
	rc = placement_drop(txn, community, row.artid, &gone, actor);
	if (rc == 0)
		rc = meta_get(store_txn_reader(txn), row.artid, &meta);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < meta->n_placements; i++) {
		Kith__Placement *placement = meta->placements[i];

		if (placement->space != space || placement->number != number)
			meta->placements[kept++] = placement;
		else
			kith__placement__free_unpacked(placement, NULL);
	}
	meta->n_placements = kept;
	key = store_key_u64(row.artid);
	rc = kept == 0 ? article_drop(txn, community, row.artid, meta)
		       : store_put(txn, STORE_ARTICLE_META, &key, &meta->base);
	kith__article_meta__free_unpacked(meta, NULL);
	return rc;
}

int
removal_article(struct store_txn *txn, struct community *community,
    uint64_t artid, uint32_t actor)
{
	Kith__ArticleMeta *meta;
	int rc = meta_get(store_txn_reader(txn), artid, &meta);

	if (rc != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < meta->n_placements; i++)
		rc = placement_drop(txn, community, artid, meta->placements[i],
		    actor);
	if (rc == 0)
		rc = article_drop(txn, community, artid, meta);
	kith__article_meta__free_unpacked(meta, NULL);
	return rc;
}
