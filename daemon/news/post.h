/* post.h - an article that a client sends with POST, IHAVE or TAKETHIS: received to its
 * end whatever it holds, then handed to the one door. Private to daemon/news.
 */
#ifndef KITH_NEWS_POST_H
#define KITH_NEWS_POST_H

#include "daemon/news/session.h"

enum post_by {
	POST_BY_POST,
	POST_BY_IHAVE,
	POST_BY_TAKETHIS,
};

/* Starts to receive; offered_id is NULL for POST, the command's Message-ID
 * otherwise. 0 or -ENOMEM. */
int post_begin(struct session *s, enum post_by by, const char *offered_id);
/* Reads an article to its end that nobody wants, and answers then, with a text
 * or the code's own (""). */
void post_skip(struct session *s, int code, const char *text);
/* The same where the command's own line has not ended yet. */
void post_skip_line(struct session *s, bool after_cr, int code);
void post_free(struct post **post);
/* Takes what the stream holds of the article. False: more is to come, or the
 * door has to answer first. */
bool post_receive(struct session *s);

#endif
