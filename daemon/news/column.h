/* column.h - one field of the rows of a block, ready to send as HDR shows it
 * ("NUMBER VALUE" CRLF); kept in the store's cache of objects beside the block.
 * Private to daemon/news.
 *
 * It is right for whoever may read the space: rows whose field differs between
 * readers, or must be looked up in the article, are left out of it.
 */
#ifndef KITH_NEWS_COLUMN_H
#define KITH_NEWS_COLUMN_H

#include "daemon/news/session.h"
#include "protocol/overview.h"
#include "store/cache.h"

struct column;

/* That of a block of the space with at least one row, counted. NULL: it is not
 * kept and was not to be made, or there is no memory for it. */
struct column *column_get(struct session *s, uint32_t space,
    const struct store_block *block, enum overview_field field, bool make);
void column_unref(struct column *column); /* accepts NULL */
/* Sends rows from `first` on, at most to `last`, up to one that is left out;
 * which that is, or last. */
size_t column_send(struct session *s, struct column *column, size_t first,
    size_t last);

#endif
