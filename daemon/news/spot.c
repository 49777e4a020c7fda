/* spot.c - see spot.h.
 *
 * An object has what is known of sixteen numbers; to add one, another is made of
 * it. Each spot holds as long as no commit after the object's changed its
 * article or moved it: numbers are not used again, and what is written to a row, or
 * takes it away, is a change of the article.
 */
#include "daemon/news/spot.h"

#include <string.h>

#include "store/cache.h"

#define SPOTS 16u

struct spot {
	uint64_t artid; /* 0: not known */
	struct store_article_at at;
	uint16_t id_at; /* in ids */
	uint8_t id_len;
	bool multi;
};

struct spots {
	struct store_object object;
	uint64_t version; /* the commit that they are known from */
	uint32_t ids_len;
	struct spot spots[SPOTS];
	char ids[];
};

_Static_assert(MSGID_MAX <= UINT8_MAX, "the length of an id");
_Static_assert(SPOTS *MSGID_MAX <= UINT16_MAX, "the place of an id");

static struct store_cache_key
spots_key(uint32_t space, uint32_t number)
{
	return (struct store_cache_key){ STORE_CACHE_SPOTS, 0,
		(uint64_t)space << 32 | number / SPOTS };
}

static struct spots *
spots_find(struct session *s, uint32_t space, uint32_t number)
{
	return (struct spots *)store_cache_get(s->loop->objects,
	    spots_key(space, number), UINT64_MAX);
}

static bool
spot_holds(struct session *s, const struct spots *spots,
    const struct spot *spot)
{
	struct store_cache_key key = { STORE_CACHE_ARTICLE, 0, spot->artid };

	return spot->artid != 0 &&
	    store_cache_changed(s->loop->objects, key) <= spots->version &&
	    !store_article_has_moved(session_store(s), spot->artid,
		spots->version);
}

bool
spot_find(struct session *s, uint32_t space, uint32_t number,
    struct found *found)
{
	struct spots *spots = spots_find(s, space, number);
	const struct spot *spot;
	bool holds;

	if (spots == NULL)
		return false;
	spot = &spots->spots[number % SPOTS];
	holds = spot_holds(s, spots, spot);
	if (holds) {
		*found = (struct found){
			.artid = spot->artid,
			.answer = number,
			.space = space,
			.number = number,
			.at = spot->at,
			.multi = spot->multi,
			.missing = 423,
		};
		found_set_id(found,
		    span_make(spots->ids + spot->id_at, spot->id_len));
	}
	store_object_unref(&spots->object);
	return holds;
}

static void
spots_add(struct spots *spots, unsigned at, struct spot spot, const char *id)
{
	spot.id_at = (uint16_t)spots->ids_len;
	memcpy(spots->ids + spots->ids_len, id, spot.id_len);
	spots->ids_len += spot.id_len;
	spots->spots[at] = spot;
}

/* What holds still, without the one at `but`, which comes anew. */
static void
spots_copy(struct session *s, struct spots *spots, const struct spots *from,
    unsigned but)
{
	const struct spot *spot;

	for (unsigned i = 0; i < SPOTS; i++) {
		spot = &from->spots[i];
		if (i != but && spot_holds(s, from, spot))
			spots_add(spots, i, *spot, from->ids + spot->id_at);
	}
}

void
spot_keep(struct session *s, const struct found *found)
{
	struct spot spot = { found->artid, found->at, 0,
		(uint8_t)strlen(found->message_id), found->multi };
	struct store_cache *cache = s->loop->objects;
	unsigned at = found->number % SPOTS;
	struct spots *spots, *before;

	if (found->version == 0)
		return;
	before = spots_find(s, found->space, found->number);
	spots = (struct spots *)store_object_new(cache,
	    sizeof *spots + spot.id_len +
		(before == NULL ? 0 : before->ids_len));
	if (spots != NULL) {
		spots->version = found->version;
		spots->ids_len = 0;
		memset(spots->spots, 0, sizeof spots->spots);
		spots_add(spots, at, spot, found->message_id);
		if (before != NULL) {
			spots_copy(s, spots, before, at);
			store_cache_remove(cache, &before->object);
		}
		store_cache_put(cache, spots_key(found->space, found->number),
		    found->version, &spots->object);
		store_object_unref(&spots->object);
	}
	if (before != NULL)
		store_object_unref(&before->object);
}
