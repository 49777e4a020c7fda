/* rows.h - answers made of the rows of a range of numbers: OVER, HDR,
 * LISTGROUP. Private to daemon/news.
 */
#ifndef KITH_NEWS_ROWS_H
#define KITH_NEWS_ROWS_H

#include "daemon/news/continuation.h"
#include "daemon/news/locate.h"
#include "protocol/range.h"

struct rows_kind {
	int code; /* of the status line */
	int none; /* if the range holds no article; code: an empty block */
	/* Sends rows [first, last) of a block; returns the first one that it
	 * left, for a later turn. */
	size_t (*emit)(struct session *s, const struct rows_walk *walk,
	    const struct store_block *block, size_t first, size_t last);
	/* The row of one article, with the number of found->answer. */
	void (*emit_one)(struct session *s, const struct rows_walk *walk,
	    const struct found *found, const struct store_overview_row *row);
};

/* Answers with the rows of a range of walk->space (counted, taken), clipped to
 * what the space holds now. With walk->found the status line was sent. */
void rows_send(struct session *s, const struct rows_walk *walk,
    struct range range);
/* The same for what an argument names: a Message-ID, a range, or "" for the
 * current article. Replies to what is wrong with it. walk->space is set. */
void rows_send_argument(struct session *s, struct rows_walk *walk,
    struct span argument);

#endif
