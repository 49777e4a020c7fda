/* list_copy.h - an article as it goes out by mail.
 */
#ifndef KITH_COMMUNITY_LIST_COPY_H
#define KITH_COMMUNITY_LIST_COPY_H

#include "daemon/community/community.h"
#include "protocol/buffer.h"
#include "store/article.h"

struct space;

/* The mail copy of an article (added block + received bytes as store_article_get
 * gives them), without anything of a list: of the added block only what mail
 * knows (Message-ID, Date, Subject, From), then the received bytes less what is
 * hidden from mail. CRLF, unstuffed. 0 or -ENOMEM. */
int list_copy_plain(const struct store_article_head *head, struct span article,
    struct buffer *out);
/* The same in wire form, as it is stored. */
void list_copy_wire(const struct store_article_head *head, struct span article,
    struct buffer *out);

/* The header lines that all copies of a list share (RFC 2369, 2919, 5064).
 * message_id may be NULL (a digest): then without Archived-At. */
void list_headers_append(struct buffer *out, struct community *community,
    const struct space *space, const char *message_id);
/* The value of Kith-Loop for copies of the space. */
void list_loop_mark(struct buffer *out, struct community *community,
    const struct space *space);

#endif
