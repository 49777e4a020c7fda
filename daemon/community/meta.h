/* meta.h - the record of an article.
 */
#ifndef KITH_COMMUNITY_META_H
#define KITH_COMMUNITY_META_H

#include "store/store.h"

/* Owned by the caller: kith__article_meta__free_unpacked. NULL with -ENOENT or
 * another negative errno. */
int meta_get(struct store_reader *reader, uint64_t artid,
    Kith__ArticleMeta **meta_r);

struct draft;
/* What is noted of an article that comes in, whether it gets a number or not: who
 * wrote it, when, what it says of itself. Borrows the draft's texts. */
void meta_of_draft(Kith__ArticleMeta *meta_r, struct draft *draft);

#endif
