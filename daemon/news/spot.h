/* spot.h - which articles the numbers of a space mean, sixteen in a row: all that
 * ARTICLE needs of a row of the overview, in a fifth of its room. Kept in the
 * store's cache of objects for what is asked for again and again. Private to
 * daemon/news.
 *
 * Who asks has seen to it that the reader may see the space.
 */
#ifndef KITH_NEWS_SPOT_H
#define KITH_NEWS_SPOT_H

#include "daemon/news/locate.h"

/* False: not known here. found_r->version is 0 then: it is kept already. */
bool spot_find(struct session *s, uint32_t space, uint32_t number,
    struct found *found_r);
/* What was found by number at found->version, unless that is 0. */
void spot_keep(struct session *s, const struct found *found);

#endif
