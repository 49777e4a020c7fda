/* directory.h - the spaces that a reader class may see, in order of name: an
 * immutable, counted snapshot, shared by all sessions and loops and made anew
 * when a space changes. LIST and its like walk it by index.
 * Private to daemon/news.
 */
#ifndef KITH_NEWS_DIRECTORY_H
#define KITH_NEWS_DIRECTORY_H

#include "daemon/community/spaces.h"
#include "daemon/news/server.h"

struct directory {
	atomic_uint references;
	uint64_t generation;
	size_t count;
	char *status; /* for LIST ACTIVE, of who is not known */
	struct space *spaces[]; /* counted */
};

/* The one in force, counted; NULL: out of memory. Any thread. */
struct directory *directory_get(struct news_server *server,
    enum reader_class class);
void directory_ref(struct directory *directory);
void directory_unref(struct directory *directory); /* accepts NULL */

#endif
