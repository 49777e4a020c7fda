/* directory.h - the spaces that a reader class may see, in order of name: an
 * immutable, counted snapshot, shared by all sessions and loops and made anew
 * when a space changes. LIST and its like walk it by index.
 * Private to daemon/news.
 */
#ifndef KITH_NEWS_DIRECTORY_H
#define KITH_NEWS_DIRECTORY_H

#include "daemon/community/spaces.h"
#include "daemon/news/server.h"

/* What LIST ACTIVE says of a space, side by side. */
struct directory_mark {
	const char *name; /* borrowed from the space */
	size_t len;
	uint32_t id;
	char status; /* for who is not known */
};

struct directory {
	atomic_uint references;
	uint64_t generation;
	size_t count;
	struct directory_mark *marks; /* one for each space */
	struct active *active;	      /* LIST ACTIVE of it */
	struct space *spaces[];       /* counted */
};

/* The one in force, counted; NULL: out of memory. Any thread. */
struct directory *directory_get(struct news_server *server,
    enum reader_class class);
void directory_unref(struct directory *directory); /* accepts NULL */

#endif
