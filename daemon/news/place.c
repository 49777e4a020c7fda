/* place.c - see place.h.
 */
#include "daemon/news/place.h"

#include <string.h>

struct place *
place_find(struct session *s, const uint8_t hash[STORE_HASH_LEN])
{
	struct place *place =
	    (struct place *)made_find(s, store_msgid_key(hash));

	if (place != NULL && memcmp(place->hash, hash, STORE_HASH_LEN) != 0) {
		made_unref(&place->made);
		place = NULL;
	}
	return place;
}

void
place_keep(struct session *s, const struct made *notes,
    const uint8_t hash[STORE_HASH_LEN], const struct found *found)
{
	struct place *place = (struct place *)made_new(s, STORE_CACHE_PLACE,
	    notes, sizeof *place);

	if (place == NULL)
		return;
	place->made.artid = found->artid;
	if (found->alone)
		place->made.classes = made_classes(s, found->space);
	memcpy(place->hash, hash, STORE_HASH_LEN);
	place->space = found->space;
	place->number = found->number;
	place->at = found->at;
	place->multi = found->multi;
	place->alone = found->alone;
	made_keep(s, store_msgid_key(hash), &place->made);
	made_unref(&place->made);
}
