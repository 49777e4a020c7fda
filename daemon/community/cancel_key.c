/* cancel_key.c - the locks and keys of stored articles and of drafts (RFC 8315
 * 3.5).
 */
#include "daemon/community/cancel_private.h"

#include <errno.h>

#include "daemon/community/locks.h"
#include "protocol/article.h"

struct span
cancel_value(const struct draft *draft, const struct store_range *range)
{
	return range->len == 0
	    ? span_make(NULL, 0)
	    : span_make(draft->received + range->offset, range->len);
}

/* The added block and the received header. */
static int
header_read(struct store_reader *reader, uint64_t artid,
    struct store_article_head *head, struct buffer *out)
{
	size_t whole = 1, skip;
	struct store_blob *blob;
	int rc = 0;

	for (uint16_t part = 0; rc == 0 && out->len < whole; part++) {
		rc = store_article_part_get(reader, artid, part, &blob);
		if (rc != 0)
			break;
		skip = 0;
		if (part == 0) {
			rc = store_article_head_parse(blob, head);
			skip = head->data_offset;
			whole = (size_t)head->added_len + head->header_len;
		}
		if (rc == 0)
			buffer_append(out, store_blob_bytes(blob) + skip,
			    store_blob_len(blob) - skip);
		store_blob_unref(blob);
	}
	if (rc == 0 && buffer_failed(out))
		rc = -ENOMEM;
	if (rc == 0)
		out->len = whole;
	return rc;
}

/* Of several fields the first that news shows: kith's own come first. */
static struct span
shown_value(const struct article_header *header,
    const struct store_article_head *head, enum header_id id)
{
	const struct article_field *field;

	for (size_t n = 0;
	     (field = article_field_find(header, id, n)) != NULL; n++) {
		bool hidden = false;

		for (uint32_t i = 0; i < head->hidden_news_count; i++) {
			const struct store_range *range = &head->hidden_news[i];
			size_t at = (size_t)head->added_len + range->offset;

			hidden = hidden || (field->offset >= at &&
				field->offset < at + range->len);
		}
		if (!hidden)
			return field->value;
	}
	return span_make(NULL, 0);
}

/* Appends the value of a header field as news shows it of a stored article. 0
 * (nothing appended: it has none) or negative. */
static int
cancel_stored_value(struct store_reader *reader, uint64_t artid,
    enum header_id id, struct buffer *out)
{
	struct store_article_head head;
	struct article_header header;
	struct buffer bytes;
	int rc;

	buffer_init(&bytes, 0);
	article_header_init(&header);
	rc = header_read(reader, artid, &head, &bytes);
	if (rc == 0)
		rc = article_scan(&header, buffer_span(&bytes), ARTICLE_MAIL,
		    NULL);
	if (rc == 0)
		buffer_append_span(out, shown_value(&header, &head, id));
	if (rc == 0 && buffer_failed(out))
		rc = -ENOMEM;
	article_header_fini(&header);
	buffer_fini(&bytes);
	return rc;
}

bool
cancel_has_key_for(struct store_reader *reader, struct community *community,
    const struct draft *draft, uint64_t artid)
{
	struct span key = cancel_value(draft, &draft->key_range);
	struct buffer lock;
	bool opens;

	if (key.len == 0)
		return false;
	buffer_init(&lock, 0);
	opens = cancel_stored_value(reader, artid, HEADER_CANCEL_LOCK, &lock) ==
		0 &&
	    locks_open(community_locks(community), buffer_span(&lock), key);
	buffer_fini(&lock);
	return opens;
}

int
cancel_own_keys(struct store_reader *reader, struct community *community,
    uint64_t artid, const Kith__ArticleMeta *meta, struct buffer *out)
{
	struct locks *locks = community_locks(community);
	struct buffer lock, keys;
	int rc;

	buffer_init(&lock, 0);
	buffer_init(&keys, 0);
	rc = cancel_stored_value(reader, artid, HEADER_CANCEL_LOCK, &lock);
	if (rc == 0)
		rc = locks_append_keys(locks, meta->member, meta->message_id,
		    &keys);
	if (rc == 0 && buffer_failed(&keys))
		rc = -ENOMEM;
	if (rc == 0 && locks_open(locks, buffer_span(&lock), buffer_span(&keys)))
		buffer_append_span(out, buffer_span(&keys));
	buffer_fini(&lock);
	buffer_fini(&keys);
	return rc;
}

bool
cancel_opens(struct store_reader *reader, struct community *community,
    const struct draft *draft, uint64_t from)
{
	struct span lock = cancel_value(draft, &draft->lock_range);
	struct buffer key;
	bool opens;

	if (lock.len == 0)
		return false;
	buffer_init(&key, 0);
	opens = cancel_stored_value(reader, from, HEADER_CANCEL_KEY, &key) ==
		0 &&
	    locks_open(community_locks(community), lock, buffer_span(&key));
	buffer_fini(&key);
	return opens;
}
