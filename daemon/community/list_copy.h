/* list_copy.h - an article as it goes out by mail.
 */
#ifndef KITH_COMMUNITY_LIST_COPY_H
#define KITH_COMMUNITY_LIST_COPY_H

#include "protocol/buffer.h"
#include "store/article.h"

/* The mail copy of an article (added block + received bytes as store_article_get
 * gives them), without anything of a list: of the added block only what mail
 * knows (Message-ID, Date, Subject, From, Newsgroups), then the received bytes
 * less what is hidden from mail. CRLF, unstuffed. 0 or -ENOMEM. */
int list_copy_plain(const struct store_article_head *head, struct span article,
    struct buffer *out);

#endif
