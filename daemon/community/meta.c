/* meta.c - see meta.h.
 */
#include "daemon/community/meta.h"

int
meta_get(struct store_reader *reader, uint64_t artid,
    Kith__ArticleMeta **meta_r)
{
	struct store_key key = store_key_u64(artid);
	ProtobufCMessage *message = NULL;
	int rc = store_get(reader, STORE_ARTICLE_META, &key, &message);

	*meta_r = rc == 0 ? (Kith__ArticleMeta *)(void *)message : NULL;
	return rc;
}
