/* meta.h - the record of an article.
 */
#ifndef KITH_COMMUNITY_META_H
#define KITH_COMMUNITY_META_H

#include "store/store.h"

/* Owned by the caller: kith__article_meta__free_unpacked. NULL with -ENOENT or
 * another negative errno. */
int meta_get(struct store_reader *reader, uint64_t artid,
    Kith__ArticleMeta **meta_r);

#endif
