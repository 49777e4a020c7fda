/* article.c - articles, and the cache of their parts.
 */
#include "store/article.h"

#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 65536u

struct store_blob {
	struct store_object object;
	uint8_t *bytes; /* owned */
	size_t len;
};

/* ---- blobs ------------------------------------------------------------ */

static void
blob_free(struct store_object *object)
{
	struct store_blob *blob = (struct store_blob *)object;

	free(blob->bytes);
	free(blob);
}

/* Takes bytes, even if it fails. */
static struct store_blob *
blob_new(uint8_t *bytes, size_t len)
{
	struct store_blob *blob = malloc(sizeof *blob);

	if (blob == NULL) {
		free(bytes);
		return NULL;
	}
	store_object_init(&blob->object, sizeof *blob + len, blob_free);
	blob->bytes = bytes;
	blob->len = len;
	return blob;
}

const uint8_t *
store_blob_bytes(const struct store_blob *blob)
{
	return blob->bytes;
}

size_t
store_blob_len(const struct store_blob *blob)
{
	return blob->len;
}

void
store_blob_ref(struct store_blob *blob)
{
	store_object_ref(&blob->object);
}

void
store_blob_unref(struct store_blob *blob)
{
	if (blob != NULL)
		store_object_unref(&blob->object);
}

/* ---- writing ---------------------------------------------------------- */

static struct store_cache_key
part_key(uint64_t artid, uint32_t part)
{
	return (struct store_cache_key){ STORE_CACHE_PART, part, artid };
}

/* What was there is no more, and its room is waste. */
static int
article_gone(struct store_txn *txn, uint64_t artid,
    const struct store_extent *gone)
{
	int rc = store_use_note(txn, gone, false);
	uint32_t part = 0;

	for (uint64_t at = 0; rc == 0 && at < gone->len; at += STORE_PART_MAX)
		rc = store_txn_drop(txn, part_key(artid, part++));
	return rc == 0 ? store_txn_drop_article(txn, artid) : rc;
}

int
store_article_put(struct store_txn *txn, uint64_t artid,
    const struct store_article_head *head, const uint8_t *added,
    const uint8_t *received)
{
	uint8_t encoded[STORE_HEAD_MAX];
	const uint8_t *const pieces[3] = { encoded, added, received };
	size_t lens[3] = { 0, head->added_len, head->received_len };
	struct store_extent extent, gone = { 0, 0, 0 };
	int rc;

	if (store_head_check(head) != 0)
		return -EINVAL;
	lens[0] = store_head_encode(head, encoded);
	if ((uint64_t)lens[0] + lens[1] + lens[2] >
	    (uint64_t)STORE_PART_MAX * (PARTS_MAX - 1))
		return -EFBIG;
	rc = store_append_article(txn, artid, pieces, lens, &extent);
	if (rc == 0)
		rc = store_use_note(txn, &extent, true);
	if (rc != 0)
		return rc;
	if (store_extent_is_new(txn, artid))
		rc = store_extent_add(txn, artid, &extent);
	else
		rc = store_extent_set(txn, artid, &extent, &gone);
	if (rc != 0)
		return rc;
	if (gone.len != 0)
		return article_gone(txn, artid, &gone);
	txn->system.articles++;
	return 0;
}

int
store_article_delete(struct store_txn *txn, uint64_t artid)
{
	struct store_extent gone;
	int rc = store_extent_remove(txn, artid, &gone);

	if (rc == 0)
		rc = article_gone(txn, artid, &gone);
	if (rc == 0 && txn->system.articles > 0)
		txn->system.articles--;
	return rc;
}

/* ---- reading ---------------------------------------------------------- */

int
store_article_part_cached(struct store *store, uint64_t artid, uint16_t part,
    struct store_blob **blob_r)
{
	struct store_object *object =
	    store_cache_get(store->objects, part_key(artid, part), UINT64_MAX);

	*blob_r = (struct store_blob *)object;
	return object == NULL ? -ENOENT : 0;
}

int
store_article_part_get(struct store_reader *reader, uint64_t artid,
    uint16_t part, struct store_blob **blob_r)
{
	struct store_cache *cache = reader->store->objects;
	int rc;

	*blob_r = NULL;
	if (!reader->uncached)
		*blob_r = (struct store_blob *)store_cache_get(cache,
		    part_key(artid, part), reader->version);
	if (*blob_r != NULL)
		return 0;
	rc = store_article_part_read(reader, artid, part, blob_r);
	if (rc == 0 && !reader->uncached)
		store_cache_put(cache, part_key(artid, part), reader->version,
		    &(*blob_r)->object);
	return rc;
}

int
store_article_part_read(struct store_reader *reader, uint64_t artid,
    uint16_t part, struct store_blob **blob_r)
{
	struct store_extent extent;
	uint8_t *bytes;
	size_t len;
	int rc = store_extent_get(reader, artid, &extent);

	*blob_r = NULL;
	/* The writer reads what it is about to write, too. */
	if (rc == 0 && reader->writing != NULL)
		rc = store_append_flush(reader->writing);
	if (rc == 0)
		rc = store_segment_part(reader->store->segments, &extent, artid,
		    part, &bytes, &len);
	if (rc != 0)
		return rc;
	*blob_r = blob_new(bytes, len);
	return *blob_r == NULL ? -ENOMEM : 0;
}

int
store_article_find(struct store_reader *reader, uint64_t artid,
    struct store_article_at *at_r)
{
	struct store_extent extent;
	int rc = store_extent_get(reader, artid, &extent);

	if (rc != 0)
		return rc;
	*at_r = (struct store_article_at){ extent.segment, extent.offset,
		extent.len };
	return 0;
}

int
store_article_read(struct store *store, uint64_t artid,
    const struct store_article_at *at, uint8_t *bytes,
    struct store_article_head *head_r)
{
	struct store_extent extent = { at->segment, at->offset, at->len };
	int rc;

	if (at->len > STORE_PART_MAX)
		return -EINVAL;
	rc = store_segment_part_to(store->segments, &extent, artid, 0, bytes,
	    at->len);
	if (rc == 0)
		rc = store_head_parse(bytes, at->len, head_r);
	/* a full part could be the first of several */
	if (rc == 0 &&
	    at->len - head_r->data_offset !=
		(uint64_t)head_r->added_len + head_r->received_len)
		rc = -EBADMSG;
	return rc;
}

int
store_article_head_parse(const struct store_blob *part0,
    struct store_article_head *head_r)
{
	return store_head_parse(part0->bytes, part0->len, head_r);
}

/* Parts after the first, into bytes[len ... want). */
static int
article_rest(struct store_reader *reader, uint64_t artid, uint8_t *bytes,
    size_t len, size_t want)
{
	struct store_blob *blob;
	size_t due;
	int rc;

	for (uint32_t part = 1; len < want; part++) {
		rc = store_article_part_get(reader, artid, (uint16_t)part,
		    &blob);
		if (rc != 0)
			return rc == -ENOENT ? -EBADMSG : rc;
		due = want - len < STORE_PART_MAX ? want - len : STORE_PART_MAX;
		if (blob->len == due)
			memcpy(bytes + len, blob->bytes, due);
		else
			rc = -EBADMSG;
		len += due;
		store_blob_unref(blob);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
store_article_get(struct store_reader *reader, uint64_t artid, size_t limit,
    struct store_article_head *head_r, uint8_t **bytes_r, size_t *len_r)
{
	struct store_blob *part0;
	uint8_t *bytes = NULL;
	size_t want = 0, first;
	int rc = store_article_part_get(reader, artid, 0, &part0);

	if (rc != 0)
		return rc;
	rc = store_article_head_parse(part0, head_r);
	if (rc == 0) {
		want = (size_t)head_r->added_len + head_r->received_len;
		if (want > limit)
			rc = -EFBIG;
	}
	if (rc == 0) {
		bytes = malloc(want + 1);
		if (bytes == NULL)
			rc = -ENOMEM;
	}
	if (rc == 0) {
		first = part0->len - head_r->data_offset;
		memcpy(bytes, part0->bytes + head_r->data_offset, first);
		rc = article_rest(reader, artid, bytes, first, want);
	}
	store_blob_unref(part0);
	if (rc != 0) {
		free(bytes);
		return rc;
	}
	bytes[want] = '\0';
	*bytes_r = bytes;
	*len_r = want;
	return 0;
}
