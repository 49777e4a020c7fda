/* crossposts.h - the rows of a block whose articles are in several spaces, as a
 * reader class sees them in OVER: with its Xref and :bytes. One in a hundred,
 * but made one by one they cost as much as all others together; so they are kept
 * in the store's cache of objects beside the block. Private to daemon/news.
 */
#ifndef KITH_NEWS_CROSSPOSTS_H
#define KITH_NEWS_CROSSPOSTS_H

#include "daemon/news/session.h"

struct crossposts;

/* Those of a block of the space with at least one row, counted. NULL: they
 * cannot be had; to be made one by one. */
struct crossposts *crossposts_get(struct session *s, uint32_t space,
    const struct store_block *block);
void crossposts_unref(struct crossposts *rows); /* accepts NULL */
/* The line of the i-th of them, with number and CRLF; empty past the last. */
struct span crossposts_line(const struct crossposts *rows, size_t i);

#endif
