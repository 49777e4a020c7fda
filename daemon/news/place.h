/* place.h - which article a Message-ID means, for the reader classes that were
 * found to see it by just this placement; kept in the store's cache of objects.
 * Who may not see it never meets a place of it, and goes the way of who asks for
 * an unknown id. Private to daemon/news.
 */
#ifndef KITH_NEWS_PLACE_H
#define KITH_NEWS_PLACE_H

#include "daemon/news/locate.h"
#include "daemon/news/made.h"
#include "store/msgid.h"

struct place {
	struct made made; /* artid is the article's */
	uint8_t hash[STORE_HASH_LEN];
	uint32_t space, number;
	struct store_article_at at; /* len 0: not known */
	bool multi;
	bool alone; /* whoever may see its space finds this one */
};

/* Counted (made_unref), or NULL. hash is that of the id. */
struct place *place_find(struct session *s, const uint8_t hash[STORE_HASH_LEN]);
/* `notes` from made_begin(), before the article was looked for. */
void place_keep(struct session *s, const struct made *notes,
    const uint8_t hash[STORE_HASH_LEN], const struct found *found);

#endif
