/* made.c - see made.h.
 */
#include "daemon/news/made.h"

#include <errno.h>

int
made_begin(struct session *s, uint64_t artid, struct made *made_r)
{
	struct store_reader *reader = session_reader(s);

	if (reader == NULL)
		return -ENOMEM;
	made_r->artid = artid;
	made_r->version = store_reader_version(reader);
	/* read before the spaces are: a change meanwhile makes it stale */
	made_r->generation = spaces_generation(session_spaces(s));
	made_r->classes = 1u << s->class;
	return 0;
}

uint32_t
made_classes(struct session *s, uint32_t id)
{
	struct space *space = spaces_by_id(session_spaces(s), id);
	uint32_t classes = 1u << s->class;

	for (unsigned i = 0; space != NULL && i < READER_CLASSES; i++)
		if (rights_may_read((enum reader_class)i, space))
			classes |= 1u << i;
	space_unref(space);
	return classes;
}

static struct store_cache *
made_cache(struct session *s, enum store_cache_kind kind)
{
	return kind == STORE_CACHE_PLACE ? s->loop->places : s->loop->objects;
}

struct made *
made_new(struct session *s, enum store_cache_kind kind,
    const struct made *notes, size_t size)
{
	struct made *made =
	    (struct made *)store_object_new(made_cache(s, kind), size);

	if (made == NULL)
		return NULL;
	made->artid = notes->artid;
	made->version = notes->version;
	made->generation = notes->generation;
	made->classes = notes->classes;
	return made;
}

static bool
made_holds(struct session *s, const struct made *made)
{
	struct store_cache_key key = { STORE_CACHE_ARTICLE, 0, made->artid };

	return made->generation == spaces_generation(session_spaces(s)) &&
	    store_cache_changed(s->loop->objects, key) <= made->version;
}

/* Takes what was found, or NULL. */
static struct made *
made_check(struct session *s, struct store_cache *cache,
    struct store_object *object)
{
	struct made *made = (struct made *)object;

	if (made == NULL)
		return NULL;
	if (!made_holds(s, made))
		store_cache_remove(cache, object);
	else if ((made->classes & 1u << s->class) != 0)
		return made;
	store_object_unref(object);
	return NULL;
}

struct made *
made_find(struct session *s, struct store_cache_key key)
{
	struct store_cache *cache = made_cache(s, key.kind);

	return made_check(s, cache, store_cache_get(cache, key, UINT64_MAX));
}

struct made *
made_find_alias(struct session *s, struct store_cache_key alias)
{
	struct store_cache *cache = s->loop->objects;

	return made_check(s, cache, store_cache_get_alias(cache, alias));
}

void
made_keep(struct session *s, struct store_cache_key key, struct made *made)
{
	struct store_cache *cache = made_cache(s, key.kind);
	struct store_object *there = store_cache_get(cache, key, UINT64_MAX);

	if (there != NULL)
		store_cache_remove(cache, there);
	store_object_unref(there);
	store_cache_put(cache, key, made->version, &made->object);
}
