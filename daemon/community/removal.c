/* removal.c - articles taken out: row by row, the text with the last one.
 */
#include "daemon/community/removal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/jobs.h"
#include "daemon/community/meta.h"
#include "daemon/community/spaces.h"
#include "store/article.h"
#include "store/msgid.h"
#include "store/overview.h"
#include "store/sequence.h"

struct removal {
	struct store_txn *txn;
	struct community *community;
	Kith__Verb why;
	uint32_t actor;
	uint32_t peer;
	uint64_t control; /* artid of the message that asked for it, 0: none */
	uint64_t artid;
	uint32_t space;		 /* of those it was in: see msgid_remember */
	Kith__ArticleMeta *meta; /* owned */
};

/* What came under this id stays known, so that it is not taken in again. */
static int
msgid_remember(const struct removal *removal)
{
	const char *message_id = removal->meta->message_id;
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	uint8_t hash[STORE_HASH_LEN];
	int count;

	store_msgid_hash(community_store(removal->community), message_id,
	    strlen(message_id), hash);
	count = store_msgid_get(store_txn_reader(removal->txn), hash, entries);
	if (count <= 0)
		return count;
	for (int i = 0; i < count; i++) {
		if (entries[i].artid != removal->artid)
			continue;
		entries[i].artid = 0;
		/* who may read there may know what became of it */
		entries[i].about = removal->space;
		entries[i].day =
		    (uint32_t)(community_now(removal->community) / 86400);
		entries[i].state = removal->why == KITH__VERB__VERB_EXPIRED
		    ? STORE_MSGID_EXPIRED
		    : STORE_MSGID_CANCELLED;
	}
	return store_msgid_put(removal->txn, hash, entries, (unsigned)count);
}

static int
article_drop(const struct removal *removal)
{
	struct store_key key = store_key_u64(removal->artid);
	int rc = msgid_remember(removal);

	if (rc == 0)
		rc = store_article_delete(removal->txn, removal->artid);
	if (rc == 0 || rc == -ENOENT)
		rc = store_delete(removal->txn, STORE_ARTICLE_META, &key);
	return rc;
}

static int
note(const struct removal *removal, const Kith__Placement *placement)
{
	Kith__Event event;

	kith__event__init(&event);
	event.time = community_now(removal->community);
	event.verb = removal->why;
	event.artid = removal->artid;
	event.space = placement->space;
	event.number = placement->number;
	event.actor = removal->actor;
	event.peer = removal->peer;
	event.object = removal->control;
	return store_sequence_append(removal->txn, &event, NULL);
}

static int
placement_drop(const struct removal *removal, const Kith__Placement *placement)
{
	struct store_key key = store_key_u32_u64_u32(placement->space,
	    removal->meta->expires, placement->number);
	int rc = store_overview_delete(removal->txn, placement->space,
	    placement->number);

	if (rc == 0 && removal->meta->expires != 0)
		rc = store_delete(removal->txn, STORE_EXPIRES, &key);
	return rc == 0 ? note(removal, placement) : rc;
}

/* Drops one placement and keeps the rest, or drops the article. */
static int
placement_take_out(const struct removal *removal, uint32_t space,
    uint32_t number)
{
	struct store_key key = store_key_u64(removal->artid);
	Kith__ArticleMeta *meta = removal->meta;
	size_t kept = 0;
	int rc = -EBADMSG; /* the row leads to an article that is elsewhere */

	for (size_t i = 0; i < meta->n_placements; i++) {
		Kith__Placement *placement = meta->placements[i];

		if (placement->space != space || placement->number != number) {
			meta->placements[kept++] = placement;
			continue;
		}
		rc = placement_drop(removal, placement);
		kith__placement__free_unpacked(placement, NULL);
	}
	meta->n_placements = kept;
	if (rc == 0 && kept == 0)
		return article_drop(removal);
	return rc == 0
	    ? store_put(removal->txn, STORE_ARTICLE_META, &key, &meta->base)
	    : rc;
}

static int
removal_of_number(struct removal *removal, uint32_t space, uint32_t number)
{
	struct store_reader *reader = store_txn_reader(removal->txn);
	struct store_overview_row row;
	char *copy = NULL;
	int rc = store_overview_get(reader, space, number, &row, &copy);

	if (rc != 0)
		return rc;
	free(copy);
	removal->artid = row.artid;
	removal->space = space;
	rc = meta_get(reader, row.artid, &removal->meta);
	if (rc != 0)
		return rc == -ENOENT ? -EBADMSG : rc;
	rc = placement_take_out(removal, space, number);
	kith__article_meta__free_unpacked(removal->meta, NULL);
	return rc;
}

int
removal_placement(struct store_txn *txn, struct community *community,
    uint32_t space, uint32_t number, Kith__Verb why, uint32_t actor)
{
	struct removal removal = { .txn = txn,
		.community = community,
		.why = why,
		.actor = actor };

	return removal_of_number(&removal, space, number);
}

int
removal_cancel(struct store_txn *txn, struct community *community,
    uint32_t space, uint32_t number, const struct removal_by *by)
{
	struct removal removal = { .txn = txn,
		.community = community,
		.why = KITH__VERB__VERB_CANCELLED,
		.actor = by->actor,
		.peer = by->peer,
		.control = by->control };
	int rc = removal_of_number(&removal, space, number);

	return rc == 0
	    ? job_remove_article(txn, community, space, removal.artid)
	    : rc;
}

/* Of the article's spaces the one with most readers. */
static uint32_t
widest_space(struct community *community, const Kith__ArticleMeta *meta)
{
	enum reader_class class = READER_CLASSES;
	uint32_t found = 0;

	for (size_t i = 0; i < meta->n_placements; i++) {
		struct space *space = spaces_by_id(community_spaces(community),
		    meta->placements[i]->space);

		if (space != NULL && rights_class_of(space) < class) {
			class = rights_class_of(space);
			found = space->id;
		}
		space_unref(space);
	}
	return found;
}

int
removal_article(struct store_txn *txn, struct community *community,
    uint64_t artid, Kith__Verb why, uint32_t actor)
{
	struct removal removal = { .txn = txn,
		.community = community,
		.why = why,
		.actor = actor,
		.artid = artid };
	int rc = meta_get(store_txn_reader(txn), artid, &removal.meta);

	if (rc != 0)
		return rc;
	removal.space = widest_space(community, removal.meta);
	for (size_t i = 0; rc == 0 && i < removal.meta->n_placements; i++) {
		const Kith__Placement *placement = removal.meta->placements[i];

		rc = placement_drop(&removal, placement);
		if (rc == 0 && why == KITH__VERB__VERB_REMOVED)
			rc = job_remove_article(txn, community,
			    placement->space, artid);
	}
	if (rc == 0)
		rc = article_drop(&removal);
	kith__article_meta__free_unpacked(removal.meta, NULL);
	return rc;
}
