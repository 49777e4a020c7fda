/* post.h - an article that a client sends with POST or IHAVE: received to its
 * end whatever it holds, then handed to the one door. Private to daemon/news.
 */
#ifndef KITH_NEWS_POST_H
#define KITH_NEWS_POST_H

#include "daemon/news/session.h"

/* Starts to receive; offered_id is NULL for POST, IHAVE's Message-ID
 * otherwise. 0 or -ENOMEM. */
int post_begin(struct session *s, const char *offered_id);
void post_free(struct post **post);
/* Takes what the stream holds of the article. False: more is to come, or the
 * door has to answer first. */
bool post_receive(struct session *s);

#endif
