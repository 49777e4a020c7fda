/* made.h - what news made of several rows of an article and keeps in the store's
 * cache of objects: valid until a commit changes the article, or any space
 * changes. Private to daemon/news.
 *
 * Nothing here is ever out of date: an object notes the commit that it was made
 * from, and is asked for before each use.
 */
#ifndef KITH_NEWS_MADE_H
#define KITH_NEWS_MADE_H

#include "daemon/news/session.h"
#include "store/cache.h"

/* First member of such an object. */
struct made {
	struct store_object object;
	uint64_t artid;
	uint64_t version;    /* the commit that was read from */
	uint64_t generation; /* of the spaces' directory */
	uint32_t classes;    /* bits of the reader classes it is right for */
};

/* Before anything is read for it. 0 or negative. */
int made_begin(struct session *s, uint64_t artid, struct made *made_r);
/* This reader's class, and all others that may read the space: those it is right
 * for if it shows no other space. */
uint32_t made_classes(struct session *s, uint32_t space);
/* One to be kept under a key of the kind, counted, with made_begin's notes; size
 * is that of all of it. NULL: out of memory. */
struct made *made_new(struct session *s, enum store_cache_kind kind,
    const struct made *notes, size_t size);
/* The one under the key that holds now for this reader, counted, or NULL. */
struct made *made_find(struct session *s, struct store_cache_key key);
/* The same among the objects by an alias. */
struct made *made_find_alias(struct session *s, struct store_cache_key alias);
/* Keeps it for all loops, in the place of one that held no more or was for
 * others. The caller's reference stays his. */
void made_keep(struct session *s, struct store_cache_key key,
    struct made *made);

static inline void
made_unref(struct made *made)
{
	if (made != NULL)
		store_object_unref(&made->object);
}

#endif
