/* article.h - articles as stored: wire form, in parts, with what kith adds.
 *
 * One article is the concatenation of two pieces, CRLF and dot-stuffed, without
 * the final lone dot: the block of header lines that kith adds, then the bytes
 * as received (header, empty line, body; always ending in CRLF). It is kept in
 * parts of at most STORE_PART_MAX bytes; part 0 begins with an encoded head.
 * A rendering is the added block and the received bytes less the ranges hidden
 * for that channel, so that sending needs no parsing.
 */
#ifndef KITH_STORE_ARTICLE_H
#define KITH_STORE_ARTICLE_H

#include "store/store.h"

/* What a slow reader holds in memory. */
#define STORE_PART_MAX	 15000u
#define STORE_HIDDEN_MAX 64u /* ranges per channel; adjacent ones are merged */

/* Bytes of the received piece that a channel does not show. Ascending, not
 * overlapping, whole header fields within [0, header_len). */
struct store_range {
	uint32_t offset;
	uint32_t len;
};

enum store_article_flag {
	STORE_ARTICLE_STUFFED = 1, /* some line begins with a stuffed dot */
	STORE_ARTICLE_MULTI = 2,   /* several placements: Xref per reader class */
	STORE_ARTICLE_8BIT = 4,	   /* octets above 127 in the received piece */
};

struct store_article_head {
	uint32_t flags;
	uint32_t added_len;
	uint32_t received_len;
	uint32_t header_len; /* of received, without the empty line */
	uint32_t hidden_news_count;
	uint32_t hidden_mail_count;
	struct store_range hidden_news[STORE_HIDDEN_MAX];
	struct store_range hidden_mail[STORE_HIDDEN_MAX];
	uint32_t data_offset; /* set by get: where the added block starts in part 0 */
};

/* An immutable, reference-counted piece of memory; may be sent from any thread
 * without copying. */
struct store_blob;
const uint8_t *store_blob_bytes(const struct store_blob *blob);
size_t store_blob_len(const struct store_blob *blob);
void store_blob_ref(struct store_blob *blob);
void store_blob_unref(struct store_blob *blob); /* accepts NULL */

int store_article_put(struct store_txn *txn, uint64_t artid,
    const struct store_article_head *head, const uint8_t *added,
    const uint8_t *received);
/* Frees the room. -ENOENT if not there. */
int store_article_delete(struct store_txn *txn, uint64_t artid);

/* Part `part` (0 ...), from the article cache or the reader. *blob_r carries a
 * reference for the caller. -ENOENT past the last part. For part 0 the bytes
 * include the encoded head: skip head.data_offset. With a txn reader the cache
 * is neither read nor filled. */
int store_article_part_get(struct store_reader *reader, uint64_t artid,
    uint16_t part, struct store_blob **blob_r);
/* The same from the database, past the cache: for who keeps what he makes of
 * it. */
int store_article_part_read(struct store_reader *reader, uint64_t artid,
    uint16_t part, struct store_blob **blob_r);

/* Where an article is. */
struct store_article_at {
	uint32_t segment, offset;
	uint32_t len; /* of all parts */
};

/* Octets that a read needs behind the part. */
#define STORE_PART_EXTRA 4u

/* -ENOENT: there is no such article. Not with a txn reader. */
int store_article_find(struct store_reader *reader, uint64_t artid,
    struct store_article_at *at_r);
/* Whether it may be elsewhere than a reader of that version found it. */
bool store_article_has_moved(struct store *store, uint64_t artid,
    uint64_t version);
/* An article of one part, read to where the caller wants it: at->len octets and
 * STORE_PART_EXTRA that mean nothing then. -EBADMSG: it is damaged, or no longer
 * there; never another's octets. */
int store_article_read(struct store *store, uint64_t artid,
    const struct store_article_at *at, uint8_t *bytes,
    struct store_article_head *head_r);
/* Like part_get, from the cache alone, without a view; -ENOENT if not cached. */
int store_article_part_cached(struct store *store, uint64_t artid,
    uint16_t part, struct store_blob **blob_r);
/* Checks and decodes the head at the start of part 0. -EBADMSG. */
int store_article_head_parse(
    const struct store_blob *part0, struct store_article_head *head_r);
/* The whole article: head, and added block + received bytes in one owned
 * buffer (free). Refuses above `limit` bytes with -EFBIG. */
int store_article_get(struct store_reader *reader, uint64_t artid, size_t limit,
    struct store_article_head *head_r, uint8_t **bytes_r, size_t *len_r);

#endif
