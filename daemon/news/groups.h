/* groups.h - answers made of a line per space that the reader may see: LIST
 * and NEWGROUPS. Private to daemon/news.
 */
#ifndef KITH_NEWS_GROUPS_H
#define KITH_NEWS_GROUPS_H

#include "daemon/news/continuation.h"

struct groups_kind {
	int code; /* of the status line */
	/* Appends the space's line, or nothing. */
	void (*line)(struct session *s, const struct groups_walk *walk,
	    const struct space *space, struct buffer *text);
};

/* Answers with the lines of the spaces that match the wildmat (empty: all) and
 * were made at or after `since`; or 501. */
void groups_send(struct session *s, const struct groups_kind *kind,
    struct span wildmat, uint64_t since);
/* Sets up a walk over the directory. Replies and returns false if it cannot. */
bool groups_begin(struct session *s, struct span wildmat,
    struct groups_walk *walk);
void groups_release(struct continuation *c);
bool groups_match(const struct groups_walk *walk, const struct space *space);
/* "name high low status" CRLF (RFC 3977 7.6.3) */
void groups_active_line(struct session *s, const struct groups_walk *walk,
    const struct space *space, struct buffer *text);

/* The same with the estimated number behind low (RFC 6048 2.2). */
void groups_counts_line(struct session *s, const struct groups_walk *walk,
    const struct space *space, struct buffer *text);
/* LIST ACTIVE's last column for who may post so. */
char groups_status(enum rights_post post);

#endif
