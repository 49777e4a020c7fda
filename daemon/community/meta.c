/* meta.c - see meta.h.
 */
#include "daemon/community/meta.h"

#include "daemon/community/draft.h"

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

void
meta_of_draft(Kith__ArticleMeta *meta_r, struct draft *draft)
{
	kith__article_meta__init(meta_r);
	meta_r->message_id = draft->message_id;
	meta_r->trust = draft->author.trust;
	meta_r->member = draft->author.member;
	meta_r->address = draft->author.compared;
	meta_r->channel = draft->channel;
	meta_r->time = draft->now;
	meta_r->subject = draft->subject;
	meta_r->from = draft->from;
	meta_r->date = draft->date;
}
