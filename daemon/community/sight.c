/* sight.c - see sight.h.
 */
#include "daemon/community/sight.h"

#include "daemon/community/auth.h"
#include "daemon/community/meta.h"
#include "daemon/community/spaces.h"

struct sight
sight_of(const struct identity *identity)
{
	return (struct sight){ .class = rights_reader_class(identity),
		.peer = identity->peer };
}

bool
sight_has_space(struct community *community, const struct sight *sight,
    uint32_t id)
{
	struct space *space = spaces_by_id(community_spaces(community), id);
	bool seen;

	if (space == NULL)
		return false;
	seen = rights_may_read(sight->class, space) ||
	    (sight->peer != 0 &&
		auth_peer_may_feed(community, sight->peer, space->name));
	space_unref(space);
	return seen;
}

bool
sight_has_article(struct store_reader *reader, struct community *community,
    const struct sight *sight, uint64_t artid, uint64_t *thread_r)
{
	Kith__ArticleMeta *meta;
	bool seen = false;

	if (meta_get(reader, artid, &meta) != 0)
		return false;
	for (size_t i = 0; i < meta->n_placements && !seen; i++)
		seen = sight_has_space(community, sight,
		    meta->placements[i]->space);
	if (seen && thread_r != NULL)
		*thread_r = meta->thread;
	kith__article_meta__free_unpacked(meta, NULL);
	return seen;
}
