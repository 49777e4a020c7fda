/* feeds_walk.c - from events of the sequence to articles that a peer is to be
 * offered.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/feeds_private.h"
#include "daemon/community/kinds.h"
#include "daemon/community/meta.h"
#include "daemon/community/rights.h"
#include "daemon/community/spaces.h"
#include "daemon/log.h"
#include "protocol/wildmat.h"
#include "store/sequence.h"

#define EVENTS_MAX 500u /* looked at in one go */

struct candidate {
	uint64_t seq;
	uint64_t artid;
};

struct walk {
	const struct fed_peer *fed;
	uint64_t last; /* event looked at */
	unsigned events;
	bool more;
	size_t count;
	struct candidate candidates[FEED_OFFERS_MAX];
};

/* ---- spaces */

/* Is the name itself one of the patterns? The last that matches decides, but
 * whether it was meant is seen by any. */
static bool
is_named(const char *patterns, const char *name)
{
	size_t len = strlen(name);
	const char *at = patterns, *end;

	for (;; at = end + 1) {
		end = at + strcspn(at, ",");
		if ((size_t)(end - at) == len && memcmp(at, name, len) == 0)
			return true;
		if (*end == '\0')
			return false;
	}
}

static bool
is_public(const struct space *space)
{
	const struct kind *kind = kind_of(space->kind);

	return rights_class_of(space) == READER_ANYONE &&
	    space->kind != KITH__KIND__KIND_INTERNAL &&
	    (kind == NULL || !kind->tickets);
}

bool
fed_may_have(const struct fed_peer *fed, const struct space *space)
{
	return fed->spaces != NULL &&
	    wildmat_matches(fed->spaces, span_of(space->name)) &&
	    (is_public(space) || is_named(fed->patterns, space->name));
}

static bool
may_have_id(const struct fed_peer *fed, uint32_t id)
{
	struct space *space =
	    spaces_by_id(community_spaces(fed->feeds->community), id);
	bool may = space != NULL && fed_may_have(fed, space);

	space_unref(space);
	return may;
}

/* Not only when its event is met: a deferred article waits for days, and its
 * spaces change meanwhile. */
bool
fed_may_have_article(const struct fed_peer *fed, const Kith__ArticleMeta *meta)
{
	bool may = false;

	for (size_t i = 0; i < meta->n_placements && !may; i++)
		may = may_have_id(fed, meta->placements[i]->space);
	for (size_t i = 0; meta->n_placements == 0 && i < meta->n_about && !may;
	     i++)
		may = may_have_id(fed, meta->about[i]);
	return may;
}

/* ---- events */

/* The article that the event brings into the space; of a cancel the control
 * message (cancel.h). 0: none. */
static uint64_t
event_article(const Kith__Event *event)
{
	if (event->verb == KITH__VERB__VERB_STORED ||
	    event->verb == KITH__VERB__VERB_PLACED)
		return event->artid;
	return event->verb == KITH__VERB__VERB_CANCELLED ? event->object : 0;
}

static bool
is_for_peer(const struct fed_peer *fed, const Kith__Event *event)
{
	return event->peer != fed->id && may_have_id(fed, event->space);
}

static int
walk_event(void *arg, uint64_t seq, const Kith__Event *event)
{
	struct walk *walk = arg;
	size_t count = walk->count;
	uint64_t artid = event_article(event);

	if (walk->events == EVENTS_MAX || count == FEED_OFFERS_MAX) {
		walk->more = true;
		return 1;
	}
	walk->events++;
	walk->last = seq;
	/* its further placements stand behind the first */
	if (count > 0 && walk->candidates[count - 1].artid == artid)
		return 0;
	if (artid != 0 && is_for_peer(walk->fed, event)) {
		walk->candidates[count].seq = seq;
		walk->candidates[count].artid = artid;
		walk->count++;
	}
	return 0;
}

/* ---- offers */

/* Adds the article if it is still there and may go. 0 or negative. */
static int
batch_add(struct fed_batch *batch, struct store_reader *reader, uint64_t artid,
    uint64_t seq)
{
	struct fed_offer *offer = &batch->offers[batch->count];
	Kith__ArticleMeta *meta = NULL;
	bool must_not = false;
	size_t len;
	int rc = fed_must_not_have(batch->fed, reader, artid, &must_not);

	if (rc == 0 && !must_not)
		rc = meta_get(reader, artid, &meta);
	if (rc == -EBADMSG) /* kithctl check says more about it */
		log_err("peer=%s article=%llu cannot be read: not offered",
		    batch->fed->name, (unsigned long long)artid);
	if (rc == -ENOENT || rc == -EBADMSG || (rc == 0 && must_not))
		return 0;
	if (rc != 0)
		return rc;
	len = strlen(meta->message_id);
	if (len <= MSGID_MAX && msgid_is_valid(span_of(meta->message_id)) &&
	    fed_may_have_article(batch->fed, meta)) {
		memset(offer, 0, sizeof *offer);
		offer->seq = seq;
		offer->artid = artid;
		memcpy(offer->message_id, meta->message_id, len + 1);
		batch->count++;
	}
	kith__article_meta__free_unpacked(meta, NULL);
	return 0;
}

int
fed_walk(struct fed_peer *fed, struct store_reader *reader,
    struct fed_batch *batch)
{
	struct walk walk = { .fed = fed, .last = fed->walked };
	int rc =
	    store_sequence_walk(reader, fed->walked + 1, walk_event, &walk);

	if (rc < 0)
		return rc;
	rc = 0;
	for (size_t i = 0; i < walk.count && rc == 0; i++)
		rc = batch_add(batch, reader, walk.candidates[i].artid,
		    walk.candidates[i].seq);
	if (rc != 0)
		return rc;
	batch->upto = fed->walked = walk.last;
	return walk.more ? 1 : 0;
}

/* ---- what was deferred */

struct due {
	uint64_t now;
	uint64_t next; /* when the first of the others is due */
	unsigned rows;
	size_t count;
	struct fed_offer offers[FEED_OFFERS_MAX];
};

/* Longer than is ever waited: the clock was ahead when it was written. */
static bool
is_later(const Kith__FeedDeferred *row, uint64_t now)
{
	return row->due > now && row->due <= now + FEEDS_DEFERRED_LONGEST;
}

static int
due_row(void *arg, const struct store_key *key, const ProtobufCMessage *message)
{
	const Kith__FeedDeferred *row =
	    (const Kith__FeedDeferred *)(const void *)message;
	struct due *due = arg;
	struct fed_offer *offer;

	due->rows++;
	if (is_later(row, due->now) || due->count == FEED_OFFERS_MAX) {
		if (row->due < due->next)
			due->next = row->due;
		return 0;
	}
	offer = &due->offers[due->count++];
	offer->artid = store_key_get_u64(key, 4);
	offer->attempts = row->attempts;
	offer->first = row->first < due->now ? row->first : due->now;
	return 0;
}

int
fed_walk_deferred(struct fed_peer *fed, struct store_reader *reader,
    struct fed_batch *batch)
{
	struct store_key prefix = store_key_u32(fed->id);
	struct due *due = calloc(1, sizeof *due);
	int rc;

	if (due == NULL)
		return -ENOMEM;
	due->now = community_now(fed->feeds->community);
	due->next = UINT64_MAX;
	rc = store_walk(reader, STORE_FEED_DEFERRED, &prefix, NULL, due_row,
	    due);
	for (size_t i = 0; i < due->count && rc == 0; i++) {
		size_t before = batch->count;

		rc = batch_add(batch, reader, due->offers[i].artid, 0);
		if (batch->count == before) {
			/* gone meanwhile: answered for here */
			batch->offers[before] = due->offers[i];
			batch->offers[before].outcome = FEED_GONE;
			batch->count++;
			continue;
		}
		batch->offers[before].attempts = due->offers[i].attempts;
		batch->offers[before].first = due->offers[i].first;
	}
	fed->deferred = due->rows;
	fed->retry_at = due->count == FEED_OFFERS_MAX ? 0 : due->next;
	free(due);
	return rc;
}
