/* records.c - the schema-described tables: get, put, delete, walk.
 *
 * ArticleMeta has a file of its own, for it is written with every article, and
 * rows of several (meta_rows.h); the other tables share one, each behind its
 * number as the first octet.
 */
#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PACKED_SMALL 2048u

/* clang-format off */
#define TEXT 1, 255
static const struct store_table_info tables[STORE_RECORD_TABLES] = {
	[STORE_ARTICLE_META] = { "article meta", &kith__article_meta__descriptor, 1, 8, 8 },
	[STORE_SPACES] = { "spaces", &kith__space__descriptor, 2, 4, 4 },
	[STORE_SPACE_NAMES] = { "space names", &kith__id_ref__descriptor, 3, TEXT },
	[STORE_SPACE_MAIL] = { "space mail", &kith__id_ref__descriptor, 4, TEXT },
	[STORE_MEMBERS] = { "members", &kith__member__descriptor, 5, 4, 4 },
	[STORE_LOGINS] = { "logins", &kith__id_ref__descriptor, 6, TEXT },
	[STORE_ADDRESSES] = { "addresses", &kith__address__descriptor, 7, 4, 4 },
	[STORE_ADDRESS_NAMES] = { "address names", &kith__id_ref__descriptor, 8, TEXT },
	[STORE_SUBSCRIPTIONS] = { "subscriptions", &kith__subscription__descriptor, 9, 8, 8 },
	[STORE_SUBSCRIPTIONS_OF] = { "subscriptions by address", &kith__nothing__descriptor, 10, 8, 8 },
	[STORE_TICKETS] = { "tickets", &kith__ticket__descriptor, 11, 4, 4 },
	[STORE_TICKET_IDS] = { "ticket ids", &kith__id_ref__descriptor, 12, 16, 16 },
	[STORE_JOBS] = { "jobs", &kith__job__descriptor, 13, 8, 8 },
	[STORE_JOB_BODIES] = { "job bodies", &kith__chunk__descriptor, 14, 10, 10 },
	[STORE_DEFERRED] = { "deferred", &kith__deferred__descriptor, 15, 20, 20 },
	[STORE_HELD] = { "held", &kith__held__descriptor, 16, 4, 4 },
	[STORE_HELD_BODIES] = { "held bodies", &kith__chunk__descriptor, 17, 6, 6 },
	[STORE_TOKENS_USED] = { "tokens used", &kith__token_use__descriptor, 18, 16, 16 },
	[STORE_PEERS] = { "peers", &kith__peer__descriptor, 19, 4, 4 },
	[STORE_BOUNCES] = { "bounces", &kith__bounce__descriptor, 20, 12, 12 },
	[STORE_ANSWERS] = { "answers", &kith__count__descriptor, 21, 20, 20 },
	[STORE_PARSE_FAILURES] = { "parse failures", &kith__parse_failure__descriptor, 22, 32, 32 },
	[STORE_KEYS] = { "keys", &kith__key__descriptor, 23, 4, 4 },
	[STORE_DIGESTS] = { "digests", &kith__digest_state__descriptor, 24, 4, 4 },
	[STORE_SETTINGS] = { "settings", &kith__setting__descriptor, 25, TEXT },
	[STORE_EXPIRES] = { "expires", &kith__nothing__descriptor, 26, 16, 16 },
	[STORE_HISTORY] = { "history", &kith__nothing__descriptor, 27, 20, 20 },
	[STORE_FEEDS] = { "feeds", &kith__feed_state__descriptor, 28, 4, 4 },
	[STORE_FEED_DEFERRED] = { "feed deferred", &kith__feed_deferred__descriptor, 29, 12, 12 },
	[STORE_PULLS] = { "pulls", &kith__pull__descriptor, 30, 5, 255 },
	[STORE_ASKED] = { "asked", &kith__asked__descriptor, 31, 4, 4 },
	[STORE_FORMER_SPACES] = { "former spaces", &kith__count__descriptor, 32, TEXT },
	[STORE_ROLES] = { "roles", &kith__nothing__descriptor, 33, 4, 4 },
	[STORE_JOBS_OF] = { "jobs by article", &kith__nothing__descriptor, 34, 16, 16 },
	[STORE_HELD_OF] = { "held by space", &kith__nothing__descriptor, 35, 8, 8 },
};
/* clang-format on */

struct raw_key {
	uint8_t bytes[1 + sizeof((struct store_key *)NULL)->bytes];
	size_t len;
};

const struct store_table_info *
store_table_info(enum store_table table)
{
	return (unsigned)table < STORE_RECORD_TABLES ? &tables[table] : NULL;
}

static struct raw_key
raw_key_of(enum store_table table, const struct store_key *key)
{
	struct raw_key raw;
	size_t len = key == NULL ? 0 : key->len;

	if (len > sizeof raw.bytes - 1)
		len = sizeof raw.bytes - 1;
	raw.bytes[0] = tables[table].number;
	if (len > 0)
		memcpy(raw.bytes + 1, key->bytes, len);
	raw.len = 1 + len;
	return raw;
}

/* The packed message, borrowed until the reader's next call. */
static int
packed_get(struct store_reader *reader, enum store_table table,
    const struct store_key *key, const uint8_t **bytes_r, size_t *len_r)
{
	struct raw_key raw;

	if (table == STORE_ARTICLE_META)
		return store_meta_row_get(reader, store_key_get_u64(key, 0),
		    bytes_r, len_r);
	raw = raw_key_of(table, key);
	return store_row_get(reader, STORE_FILE_RECORDS, raw.bytes, raw.len,
	    bytes_r, len_r);
}

static int
packed_put(struct store_txn *txn, enum store_table table,
    const struct store_key *key, const uint8_t *bytes, size_t len)
{
	struct raw_key raw;

	if (table == STORE_ARTICLE_META)
		return store_meta_row_put(txn, store_key_get_u64(key, 0), bytes,
		    len);
	raw = raw_key_of(table, key);
	return store_row_put(txn, STORE_FILE_RECORDS, raw.bytes, raw.len, bytes,
	    len);
}

static ProtobufCMessage *
message_of(enum store_table table, const uint8_t *bytes, size_t len)
{
	return protobuf_c_message_unpack(tables[table].message, NULL, len,
	    bytes);
}

int
store_get(struct store_reader *reader, enum store_table table,
    const struct store_key *key, ProtobufCMessage **message_r)
{
	const uint8_t *bytes;
	size_t len;
	int rc = packed_get(reader, table, key, &bytes, &len);

	*message_r = NULL;
	if (rc != 0)
		return rc;
	*message_r = message_of(table, bytes, len);
	return *message_r == NULL ? -EBADMSG : 0;
}

bool
store_has(struct store_reader *reader, enum store_table table,
    const struct store_key *key)
{
	struct raw_key raw;
	const uint8_t *bytes;
	size_t len;

	/* Any other error is noted in the transaction, which cannot commit. */
	if (table == STORE_ARTICLE_META)
		return packed_get(reader, table, key, &bytes, &len) == 0;
	raw = raw_key_of(table, key);
	return store_row_has(reader, STORE_FILE_RECORDS, raw.bytes, raw.len) ==
	    0;
}

/* What is cached may be made of a row of this table. */
static int
table_changes(struct store_txn *txn, enum store_table table,
    const struct store_key *key)
{
	if (table != STORE_ARTICLE_META || key->len < 8)
		return 0;
	return store_txn_drop_article(txn, store_key_get_u64(key, 0));
}

int
store_put(struct store_txn *txn, enum store_table table,
    const struct store_key *key, const ProtobufCMessage *message)
{
	uint8_t small[PACKED_SMALL];
	uint8_t *bytes = small;
	size_t len;
	int rc;

	if (message->descriptor != tables[table].message)
		return -EINVAL;
	if (key->len < tables[table].key_min ||
	    key->len > tables[table].key_max)
		return -EINVAL;
	len = protobuf_c_message_get_packed_size(message);
	if (len > STORE_ROW_MAX)
		return -EFBIG;
	rc = table_changes(txn, table, key);
	if (rc != 0)
		return rc;
	if (len > sizeof small)
		bytes = malloc(len);
	if (bytes == NULL)
		return -ENOMEM;
	protobuf_c_message_pack(message, bytes);
	rc = packed_put(txn, table, key, bytes, len);
	if (bytes != small)
		free(bytes);
	return rc;
}

int
store_delete(struct store_txn *txn, enum store_table table,
    const struct store_key *key)
{
	struct raw_key raw;
	int rc = table_changes(txn, table, key);

	if (rc != 0)
		return rc;
	if (table == STORE_ARTICLE_META)
		return store_meta_row_delete(txn, store_key_get_u64(key, 0));
	raw = raw_key_of(table, key);
	return store_row_delete(txn, STORE_FILE_RECORDS, raw.bytes, raw.len);
}

/* ---- walking ---------------------------------------------------------- */

static int
walk_row(const struct store_cursor *cursor, enum store_table table,
    store_walk_fn fn, void *arg)
{
	struct store_key key =
	    store_key_bytes(cursor->key + 1, cursor->key_len - 1);
	ProtobufCMessage *message =
	    message_of(table, cursor->bytes, cursor->len);
	int rc;

	if (message == NULL)
		return -EBADMSG;
	rc = fn(arg, &key, message);
	protobuf_c_message_free_unpacked(message, NULL);
	return rc;
}

int
store_walk(struct store_reader *reader, enum store_table table,
    const struct store_key *prefix, const struct store_key *from,
    store_walk_fn fn, void *arg)
{
	struct raw_key bound = raw_key_of(table, prefix);
	struct raw_key start = raw_key_of(table, from);
	struct store_cursor cursor;
	size_t both = start.len < bound.len ? start.len : bound.len;
	int order = memcmp(start.bytes, bound.bytes, both);
	int stopped = 0;
	int rc = table == STORE_ARTICLE_META
	    ? -EINVAL
	    : store_cursor_open(&cursor, reader, STORE_FILE_RECORDS);

	if (rc != 0)
		return rc;
	if (order < 0 || (order == 0 && start.len < bound.len))
		start = bound;
	rc = store_cursor_seek(&cursor, start.bytes, start.len);
	while (rc == 0 && cursor.key_len >= bound.len &&
	    memcmp(cursor.key, bound.bytes, bound.len) == 0) {
		stopped = walk_row(&cursor, table, fn, arg);
		if (stopped != 0)
			break;
		rc = store_cursor_next(&cursor);
	}
	store_cursor_close(&cursor);
	if (stopped != 0)
		return stopped;
	return rc == -ENOENT ? 0 : rc;
}

/* Makes the smallest key above all that start with it; false: there is none. */
static bool
raw_key_after(struct raw_key *key)
{
	while (key->len > 0 && key->bytes[key->len - 1] == 0xff)
		key->len--;
	if (key->len == 0)
		return false;
	key->bytes[key->len - 1]++;
	return true;
}

int
store_last(struct store_reader *reader, enum store_table table,
    const struct store_key *prefix, struct store_key *key_r)
{
	struct raw_key bound = raw_key_of(table, prefix), after = bound;
	struct store_cursor cursor;
	int rc = table == STORE_ARTICLE_META
	    ? -EINVAL
	    : store_cursor_open(&cursor, reader, STORE_FILE_RECORDS);

	if (rc != 0)
		return rc;
	if (raw_key_after(&after)) {
		rc = store_cursor_seek(&cursor, after.bytes, after.len);
		if (rc == 0)
			rc = store_cursor_previous(&cursor);
		else if (rc == -ENOENT)
			rc = store_cursor_last(&cursor);
	} else {
		rc = store_cursor_last(&cursor);
	}
	if (rc == 0 &&
	    (cursor.key_len < bound.len ||
		memcmp(cursor.key, bound.bytes, bound.len) != 0))
		rc = -ENOENT;
	if (rc == 0)
		*key_r = store_key_bytes(cursor.key + 1, cursor.key_len - 1);
	store_cursor_close(&cursor);
	return rc;
}
