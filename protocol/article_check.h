/* article_check.h - what news asks of a scanned header as a whole: which fields
 * there are, and the syntax of their values (RFC 5536 3, RFC 5537 3.5). Called
 * by article_scan() in its strict modes.
 */
#ifndef KITH_PROTOCOL_ARTICLE_CHECK_H
#define KITH_PROTOCOL_ARTICLE_CHECK_H

#include "protocol/article.h"

/* 0 or -EBADMSG with the fault set. */
int article_check(struct article_header *header, enum article_mode mode);
/* Sets the fault; returns -EBADMSG. */
int article_fault_set(struct article_header *header, enum article_fault fault,
    enum header_id id, struct span name);

#endif
