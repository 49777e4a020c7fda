/* article.c - articles in parts, and the cache of parts.
 */
#include "store/article.h"

#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 65536u
#define KEY_LEN   10u

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

static void
article_key(uint8_t key[KEY_LEN], uint64_t artid, uint32_t part)
{
	store_write_u64(key, artid);
	store_write_u16(key + 8, (uint16_t)part);
}

static struct store_cache_key
part_key(uint64_t artid, uint32_t part)
{
	return (struct store_cache_key){ STORE_CACHE_PART, part, artid };
}

/* Octets [from, from + len) of head, added and received in a row. */
static void
pieces_copy(uint8_t *to, uint64_t from, size_t len,
    const uint8_t *const pieces[3], const size_t lens[3])
{
	size_t take;

	for (unsigned i = 0; i < 3 && len > 0; i++) {
		if (from >= lens[i]) {
			from -= lens[i];
			continue;
		}
		take = lens[i] - (size_t)from;
		if (take > len)
			take = len;
		memcpy(to, pieces[i] + from, take);
		to += take;
		len -= take;
		from = 0;
	}
}

int
store_article_row_put(struct store_txn *txn, uint64_t artid, uint32_t part,
    const uint8_t *bytes, size_t len)
{
	uint8_t key[KEY_LEN];

	article_key(key, artid, part);
	return store_row_put(txn, STORE_FILE_ARTICLES, key, sizeof key, bytes,
	    len);
}

/* Deletes parts from `part` on; how many in *count_r. */
static int
parts_delete(struct store_txn *txn, uint64_t artid, uint32_t part,
    uint32_t *count_r)
{
	uint8_t key[KEY_LEN];
	int rc = 0;

	*count_r = 0;
	if (part == 0) {
		rc = store_bundle_remove(txn, artid);
		if (rc == 0)
			rc = store_txn_drop(txn, part_key(artid, 0));
		if (rc == 0) {
			*count_r = 1;
			return store_txn_drop_article(txn, artid);
		}
		if (rc != -ENOENT)
			return rc;
		rc = 0;
	}
	for (; part < PARTS_MAX; part++) {
		article_key(key, artid, part);
		rc =
		    store_row_delete(txn, STORE_FILE_ARTICLES, key, sizeof key);
		if (rc == 0)
			rc = store_txn_drop(txn, part_key(artid, part));
		if (rc != 0)
			break;
		++*count_r;
	}
	if (rc != 0 && rc != -ENOENT)
		return rc;
	return store_txn_drop_article(txn, artid);
}

/* Puts part after part where there may be one already. */
static int
parts_put(struct store_txn *txn, uint64_t artid, const uint8_t *const pieces[3],
    const size_t lens[3])
{
	uint64_t all = (uint64_t)lens[0] + lens[1] + lens[2];
	uint8_t bytes[STORE_PART_MAX];
	uint32_t part = 0;
	size_t len;
	int rc = 0;

	for (uint64_t at = 0; rc == 0 && at < all; at += len, part++) {
		len = all - at < STORE_PART_MAX ? (size_t)(all - at)
						: STORE_PART_MAX;
		pieces_copy(bytes, at, len, pieces, lens);
		rc = store_article_row_put(txn, artid, part, bytes, len);
	}
	return rc;
}

/* One that is new: if it is short, with others of its batch. */
static int
article_add(struct store_txn *txn, uint64_t artid,
    const uint8_t *const pieces[3], const size_t lens[3])
{
	size_t len = lens[0] + lens[1] + lens[2];
	uint8_t *to;
	int rc;

	if (len <= STORE_PART_MAX) {
		rc = store_bundle_add(txn, artid, len, &to);
		if (rc == 0)
			pieces_copy(to, 0, len, pieces, lens);
	} else {
		rc = parts_put(txn, artid, pieces, lens);
		store_bundle_note(txn, artid);
	}
	if (rc == 0)
		txn->system.articles++;
	return rc;
}

int
store_article_put(struct store_txn *txn, uint64_t artid,
    const struct store_article_head *head, const uint8_t *added,
    const uint8_t *received)
{
	uint8_t encoded[STORE_HEAD_MAX];
	const uint8_t *const pieces[3] = { encoded, added, received };
	size_t lens[3] = { 0, head->added_len, head->received_len };
	uint32_t gone;
	int rc;

	if (store_head_check(head) != 0)
		return -EINVAL;
	lens[0] = store_head_encode(head, encoded);
	if ((uint64_t)lens[0] + lens[1] + lens[2] >
	    (uint64_t)STORE_PART_MAX * (PARTS_MAX - 1))
		return -EFBIG;
	if (store_bundle_is_new(txn, artid))
		return article_add(txn, artid, pieces, lens);
	rc = parts_delete(txn, artid, 0, &gone);
	if (rc == 0)
		rc = parts_put(txn, artid, pieces, lens);
	if (rc == 0 && gone == 0)
		txn->system.articles++;
	return rc;
}

int
store_article_delete(struct store_txn *txn, uint64_t artid)
{
	uint32_t gone;
	int rc = parts_delete(txn, artid, 0, &gone);

	if (rc != 0)
		return rc;
	if (gone == 0)
		return -ENOENT;
	if (txn->system.articles > 0)
		txn->system.articles--;
	return 0;
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
	uint8_t key[KEY_LEN];
	uint8_t *bytes;
	size_t len;
	int rc;

	*blob_r = NULL;
	article_key(key, artid, part);
	rc = part == 0 ? store_bundle_take(reader, artid, &bytes, &len)
		       : -ENOENT;
	if (rc == -ENOENT)
		rc = store_row_take(reader, STORE_FILE_ARTICLES, key,
		    sizeof key, &bytes, &len);
	if (rc != 0)
		return rc;
	if (len == 0 || len > STORE_PART_MAX) {
		free(bytes);
		return -EBADMSG;
	}
	*blob_r = blob_new(bytes, len);
	return *blob_r == NULL ? -ENOMEM : 0;
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
