/* copy.h - the news copy of an article: what kith adds, an Xref of what the
 * reader may see, and the received bytes less what is hidden from news; sent
 * from the store's blobs part by part. Private to daemon/news.
 */
#ifndef KITH_NEWS_COPY_H
#define KITH_NEWS_COPY_H

#include "daemon/news/continuation.h"
#include "daemon/news/locate.h"

/* By the last digit of the code that goes with it. */
enum copy_what {
	COPY_ARTICLE = 220,
	COPY_HEAD = 221,
	COPY_BODY = 222,
	COPY_NOTHING = 223, /* the status line alone */
};

/* Answers with the status line and the article, or found->missing. */
void copy_send(struct session *s, const struct found *found,
    enum copy_what what);
/* The header of the news copy, CRLF lines in wire form, appended to out. 0 or
 * negative. */
int copy_header(struct session *s, const struct found *found,
    struct buffer *out);

#endif
