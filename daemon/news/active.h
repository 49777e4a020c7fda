/* active.h - LIST ACTIVE of all newsgroups, kept in pieces of 512 as it is sent:
 * for a directory, and for identities that may post alike. A piece is made anew
 * when the state of one of its spaces has changed. Private to daemon/news.
 */
#ifndef KITH_NEWS_ACTIVE_H
#define KITH_NEWS_ACTIVE_H

#include "daemon/news/continuation.h"
#include "store/cache.h"

#define ACTIVE_SPACES 512u /* of a piece */

struct active;

/* First member: object. */
struct active_piece {
	struct store_object object;
	size_t len;
	char text[];
};

/* Borrows the directory that it is part of. NULL: out of memory. */
struct active *active_new(const struct directory *directory);
void active_free(struct active **active);
/* The lines of the ACTIVE_SPACES spaces from walk->next on, which is a multiple
 * of that; counted. NULL: nothing is kept for this reader, who moderates a space
 * that others do not, or there is no memory. Any thread. */
struct active_piece *active_get(struct session *s,
    const struct groups_walk *walk);

#endif
