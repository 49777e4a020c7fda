/* check.c - the invariants between the tables, verified while serving.
 *
 * Rows are walked in slices, each in a view of its own, so that the writer is
 * not slowed. What a row says about other rows is looked up in the same view;
 * sums over a space are compared only if its state did not change meanwhile,
 * and in one view if it keeps changing.
 */
#include "store/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUM_TRIES   3u
#define FAULT_LINES 1000u /* then only counted */

struct check_sum {
	uint64_t bytes;
	uint32_t count, first, last;
};

typedef int (*row_fn)(struct check *check, const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len);

void
check_fault(struct check *check, const char *format, ...)
{
	char line[512];
	va_list args;

	if (check->faults++ >= FAULT_LINES || check->report == NULL)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof line, format, args);
	va_end(args);
	check->report(check->arg, line);
}

int
check_view(struct check *check)
{
	store_view_end(&check->view);
	check->view = store_view_begin(check->store);
	if (check->view == NULL)
		return -ENOMEM;
	check->reader = store_view_reader(check->view);
	check->reader->uncached = true; /* readers keep what they use */
	return 0;
}

/* One slice from key on; 1: there is more, and key is where. */
static int
slice(struct check *check, enum store_file file, struct store_key *key,
    row_fn fn)
{
	struct store_cursor cursor;
	int rc = store_cursor_open(&cursor, check->reader, file);

	if (rc == 0)
		rc = store_cursor_seek(&cursor, key->bytes, key->len);
	for (unsigned i = 0; rc == 0; i++) {
		if (i == CHECK_SLICE) {
			*key = store_key_bytes(cursor.key, cursor.key_len);
			rc = 1;
			break;
		}
		check->rows++;
		rc = fn(check, cursor.key, cursor.key_len, cursor.bytes,
		    cursor.len);
		if (rc == 0)
			rc = store_cursor_next(&cursor);
	}
	store_cursor_close(&cursor);
	return rc == -ENOENT ? 0 : rc;
}

static int
walk_file(struct check *check, enum store_file file, row_fn fn)
{
	struct store_key key = store_key_bytes(NULL, 0);
	int rc;

	do {
		rc = check_view(check);
		if (rc == 0)
			rc = slice(check, file, &key, fn);
	} while (rc == 1);
	return rc;
}

/* ---- articles and numbers --------------------------------------------- */

bool
check_has_meta(struct check *check, uint64_t artid)
{
	struct store_key key = store_key_u64(artid);

	return store_has(check->reader, STORE_ARTICLE_META, &key);
}

static bool
meta_places(struct check *check, uint64_t artid, uint32_t space,
    uint32_t number)
{
	struct store_key key = store_key_u64(artid);
	const Kith__ArticleMeta *meta;
	ProtobufCMessage *message;
	bool found = false;

	if (store_get(check->reader, STORE_ARTICLE_META, &key, &message) != 0)
		return false;
	meta = (const Kith__ArticleMeta *)(const void *)message;
	for (size_t i = 0; i < meta->n_placements; i++)
		if (meta->placements[i]->space == space &&
		    meta->placements[i]->number == number)
			found = true;
	protobuf_c_message_free_unpacked(message, NULL);
	return found;
}

static int
number_row(struct check *check, const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len)
{
	struct store_overview_row row;
	struct store_blob *blob;
	uint32_t space, number;
	int rc;

	if (key_len != 8) {
		check_fault(check, "numbers: a key of %zu octets", key_len);
		return 0;
	}
	space = store_read_u32(key);
	number = store_read_u32(key + 4);
	if (store_overview_parse(bytes, len, &row) != 0) {
		check_fault(check, "space %u number %u: the row does not parse",
		    space, number);
		return 0;
	}
	rc = store_article_part_get(check->reader, row.artid, 0, &blob);
	store_blob_unref(blob);
	if (rc == -ENOENT)
		check_fault(check,
		    "space %u number %u: article %llu is missing", space,
		    number, (unsigned long long)row.artid);
	else if (rc != 0 && rc != -EBADMSG)
		return rc;
	if (!meta_places(check, row.artid, space, number))
		check_fault(check,
		    "space %u number %u: article %llu does not know it", space,
		    number, (unsigned long long)row.artid);
	return 0;
}

static void
article_check(struct check *check, uint64_t artid)
{
	struct store_article_head head;
	uint8_t *bytes = NULL;
	size_t len;
	int rc = store_article_get(check->reader, artid, SIZE_MAX, &head,
	    &bytes, &len);

	free(bytes);
	if (rc != 0)
		check_fault(check, "article %llu: cannot be read (%s)",
		    (unsigned long long)artid, strerror(-rc));
	if (!check_has_meta(check, artid))
		check_fault(check, "article %llu: no record of it",
		    (unsigned long long)artid);
}

static int
extent_row(struct check *check, const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len)
{
	struct store_extent_row row;

	if (store_extent_row_parse(key, key_len, bytes, len, &row) != 0) {
		check_fault(check, "extents: a row does not parse");
		return 0;
	}
	for (unsigned i = 0; i < row.count; i++)
		article_check(check, row.artids[i]);
	return 0;
}

/* What has an Expires header is in the table by time, with each placement. */
static void
expires_check(struct check *check, uint64_t artid,
    const Kith__ArticleMeta *meta)
{
	struct store_key key;

	for (size_t i = 0; meta->expires != 0 && i < meta->n_placements; i++) {
		key = store_key_u32_u64_u32(meta->placements[i]->space,
		    meta->expires, meta->placements[i]->number);
		if (!store_has(check->reader, STORE_EXPIRES, &key))
			check_fault(check,
			    "article %llu: would not expire in space %u",
			    (unsigned long long)artid,
			    meta->placements[i]->space);
	}
}

static int
meta_of_article(struct check *check, uint64_t artid, const uint8_t *bytes,
    size_t len)
{
	Kith__ArticleMeta *meta = kith__article_meta__unpack(NULL, len, bytes);
	struct store_overview_row row;
	char *copy;
	int rc = 0;

	if (meta == NULL) {
		check_fault(check, "article meta: a row does not parse");
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < meta->n_placements; i++) {
		rc = store_overview_get(check->reader,
		    meta->placements[i]->space, meta->placements[i]->number,
		    &row, &copy);
		if (rc == 0)
			free(copy);
		if (rc == -ENOENT || (rc == 0 && row.artid != artid)) {
			check_fault(check,
			    "article %llu: space %u number %u does not lead to it",
			    (unsigned long long)artid,
			    meta->placements[i]->space,
			    meta->placements[i]->number);
			rc = 0;
		}
		if (rc == -EBADMSG) /* told by the walk of numbers */
			rc = 0;
	}
	check_msgid_of(check, artid, meta->message_id);
	expires_check(check, artid, meta);
	kith__article_meta__free_unpacked(meta, NULL);
	return rc;
}

static int
meta_row(struct check *check, const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len)
{
	struct store_meta_walk walk;
	struct store_meta_bytes one;
	int rc = store_meta_walk_begin(&walk, key, key_len, bytes, len);

	while (rc == 0 && (rc = store_meta_walk_next(&walk, &one)) == 1)
		rc = meta_of_article(check, one.artid, one.bytes, one.len);
	if (rc != -EBADMSG)
		return rc;
	check_fault(check, "article meta: a row does not parse");
	return 0;
}

/* ---- sums of a space -------------------------------------------------- */

static int
sum_slice(struct check *check, uint32_t space, uint32_t *next,
    uint32_t slice_rows, struct check_sum *sum)
{
	struct store_key key = store_key_u32_u32(space, *next);
	struct store_overview_row row;
	struct store_cursor cursor;
	uint32_t number;
	int rc = store_cursor_open(&cursor, check->reader, STORE_FILE_NUMBERS);

	if (rc == 0)
		rc = store_cursor_seek(&cursor, key.bytes, key.len);
	for (uint32_t i = 0; rc == 0; i++) {
		if (cursor.key_len != 8 || store_read_u32(cursor.key) != space)
			break;
		number = store_read_u32(cursor.key + 4);
		if (i == slice_rows) {
			*next = number;
			rc = 1;
			break;
		}
		if (store_overview_parse(cursor.bytes, cursor.len, &row) == 0)
			sum->bytes += row.bytes;
		if (sum->count++ == 0)
			sum->first = number;
		sum->last = number;
		rc = store_cursor_next(&cursor);
	}
	store_cursor_close(&cursor);
	return rc == -ENOENT ? 0 : rc;
}

static void
sum_compare(struct check *check, uint32_t space,
    const struct store_space_state *state, const struct check_sum *sum)
{
	uint32_t low = sum->count == 0 ? state->high + 1 : sum->first;

	if (state->count != sum->count)
		check_fault(check, "space %u: %u articles counted, %u stored",
		    space, state->count, sum->count);
	if (state->bytes != sum->bytes)
		check_fault(check, "space %u: the sum of sizes is wrong",
		    space);
	if (state->low != low || state->high < sum->last)
		check_fault(check, "space %u: low %u high %u, but %u to %u",
		    space, state->low, state->high, sum->first, sum->last);
}

/* 1: the state changed meanwhile. */
static int
sum_try(struct check *check, uint32_t space, uint32_t slice_rows)
{
	struct store_space_state before, after;
	struct check_sum sum = { .count = 0 };
	uint32_t next = 0;
	int rc = check_view(check);

	if (rc == 0)
		rc = store_space_state_get(check->reader, space, &before);
	if (rc == 0)
		rc = sum_slice(check, space, &next, slice_rows, &sum);
	while (rc == 1) {
		rc = check_view(check);
		if (rc == 0)
			rc = sum_slice(check, space, &next, slice_rows, &sum);
	}
	if (rc == 0)
		rc = store_space_state_get(check->reader, space, &after);
	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	if (before.low != after.low || before.high != after.high ||
	    before.count != after.count || before.bytes != after.bytes)
		return 1;
	sum_compare(check, space, &after, &sum);
	return 0;
}

static int
check_sums(struct check *check)
{
	struct store_key key = store_key_u32(0);
	struct store_cursor cursor;
	uint32_t space;
	int rc;

	for (;;) {
		rc = check_view(check);
		if (rc != 0)
			return rc;
		rc = store_cursor_open(&cursor, check->reader,
		    STORE_FILE_SPACE_STATE);
		if (rc == 0)
			rc = store_cursor_seek(&cursor, key.bytes, key.len);
		space = rc == 0 && cursor.key_len == 4
		    ? store_read_u32(cursor.key)
		    : UINT32_MAX;
		store_cursor_close(&cursor);
		if (rc != 0 || space == UINT32_MAX)
			return rc == -ENOENT ? 0 : rc;
		rc = 1;
		for (unsigned i = 0; rc == 1 && i < SUM_TRIES; i++)
			rc = sum_try(check, space, CHECK_SLICE);
		if (rc == 1)
			rc = sum_try(check, space, UINT32_MAX);
		if (rc < 0)
			return rc;
		key = store_key_u32(space + 1);
	}
}

/* ---- the sequence ----------------------------------------------------- */

static void
event_check(struct check *check, const struct store_event_bytes *one)
{
	Kith__Event *event = kith__event__unpack(NULL, one->len, one->bytes);

	if (event == NULL)
		check_fault(check, "sequence: %llu does not parse",
		    (unsigned long long)one->seq);
	kith__event__free_unpacked(event, NULL);
	if (one->seq > check->reader->system.sequence)
		check_fault(check, "sequence: %llu was never given",
		    (unsigned long long)one->seq);
	if (one->seq != check->event + 1)
		check_fault(check,
		    one->seq <= check->event
			? "sequence: %llu is there twice"
			: "sequence: %llu is missing",
		    (unsigned long long)(one->seq <= check->event
			    ? one->seq
			    : check->event + 1));
	check->event = one->seq;
}

static int
events_row(struct check *check, const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len)
{
	struct store_event_bytes one;
	struct store_events events;
	int rc = store_events_begin(&events, key, key_len, bytes, len);

	while (rc == 0 && (rc = store_events_next(&events, &one)) == 1) {
		event_check(check, &one);
		rc = 0;
	}
	if (rc != 0)
		check_fault(check, "sequence: a row does not parse");
	return 0;
}

/* In the view that saw the last of its rows. */
static void
check_last_event(struct check *check)
{
	if (check->event < check->reader->system.sequence)
		check_fault(check, "sequence: the last event is missing");
}

/* ---- records ---------------------------------------------------------- */

/* What a row refers to: an id in its key or, as IdRef, in its value. */
struct reference {
	enum store_table table;
	enum store_table target;
	bool by_value;
	unsigned offset; /* in the key */
	unsigned len;    /* of the id: 4 or 8 */
};

static const struct reference references[] = {
	{ STORE_SPACE_NAMES, STORE_SPACES, true, 0, 4 },
	{ STORE_SPACE_MAIL, STORE_SPACES, true, 0, 4 },
	{ STORE_ADDRESS_NAMES, STORE_ADDRESSES, true, 0, 4 },
	{ STORE_LOGINS, STORE_MEMBERS, true, 0, 4 },
	{ STORE_SUBSCRIPTIONS, STORE_SPACES, false, 0, 4 },
	{ STORE_SUBSCRIPTIONS, STORE_ADDRESSES, false, 4, 4 },
	{ STORE_SUBSCRIPTIONS_OF, STORE_ADDRESSES, false, 0, 4 },
	{ STORE_TICKET_IDS, STORE_TICKETS, true, 0, 4 },
	{ STORE_JOB_BODIES, STORE_JOBS, false, 0, 8 },
	{ STORE_DEFERRED, STORE_JOBS, false, 8, 8 },
	{ STORE_HELD_BODIES, STORE_HELD, false, 0, 4 },
	{ STORE_FEEDS, STORE_PEERS, false, 0, 4 },
	{ STORE_FEED_DEFERRED, STORE_PEERS, false, 0, 4 },
	{ STORE_PULLS, STORE_PEERS, false, 0, 4 },
	{ STORE_DIGESTS, STORE_SPACES, false, 0, 4 },
	{ STORE_ROLES, STORE_MEMBERS, false, 0, 4 },
	{ STORE_JOBS_OF, STORE_JOBS, false, 8, 8 },
	{ STORE_HELD_OF, STORE_HELD, false, 4, 4 },
};

static void
reference_check(struct check *check, const struct reference *reference,
    const struct store_key *key, const ProtobufCMessage *message)
{
	const char *name = store_table_info(reference->table)->name;
	struct store_key target;
	uint64_t id;

	if (reference->by_value)
		id = ((const Kith__IdRef *)(const void *)message)->id;
	else if (reference->len == 8)
		id = store_key_get_u64(key, reference->offset);
	else
		id = store_key_get_u32(key, reference->offset);
	if (reference->len == 8)
		target = store_key_u64(id);
	else
		target = store_key_u32((uint32_t)id);
	if ((reference->len == 4 && id > UINT32_MAX) ||
	    !store_has(check->reader, reference->target, &target))
		check_fault(check, "%s: %llu is not in %s", name,
		    (unsigned long long)id,
		    store_table_info(reference->target)->name);
}

/* Both tables of subscriptions say the same. */
static void
mirror_check(struct check *check, enum store_table table,
    const struct store_key *key)
{
	struct store_key other = store_key_u32_u32(store_key_get_u32(key, 4),
	    store_key_get_u32(key, 0));
	enum store_table mirror = table == STORE_SUBSCRIPTIONS
	    ? STORE_SUBSCRIPTIONS_OF
	    : STORE_SUBSCRIPTIONS;

	if (!store_has(check->reader, mirror, &other))
		check_fault(check, "%s: %u, %u has no counterpart",
		    store_table_info(table)->name, store_key_get_u32(key, 0),
		    store_key_get_u32(key, 4));
}

static void
role_check(struct check *check, const struct store_key *key,
    const Kith__Member *member)
{
	bool noted = store_has(check->reader, STORE_ROLES, key);

	if (noted != (member->role > KITH__ROLE__ROLE_MEMBER))
		check_fault(check, "roles: member %u is %s",
		    store_key_get_u32(key, 0), noted ? "none" : "missing");
}

static void
expires_row(struct check *check, const struct store_key *key)
{
	struct store_key number = store_key_u32_u32(store_key_get_u32(key, 0),
	    store_key_get_u32(key, 12));

	if (store_row_has(check->reader, STORE_FILE_NUMBERS, number.bytes,
		number.len) != 0)
		check_fault(check, "expires: space %u has no number %u",
		    store_key_get_u32(key, 0), store_key_get_u32(key, 12));
}

static int
record_row(struct check *check, const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len)
{
	const struct store_table_info *info = NULL;
	ProtobufCMessage *message = NULL;
	struct store_key own;
	unsigned table;

	for (table = 0; table < STORE_RECORD_TABLES; table++) {
		info = store_table_info((enum store_table)table);
		if (table != STORE_ARTICLE_META && key_len > 0 &&
		    info->number == key[0])
			break;
	}
	if (table == STORE_RECORD_TABLES) {
		check_fault(check, "records: a row of no known table");
		return 0;
	}
	message = protobuf_c_message_unpack(info->message, NULL, len, bytes);
	if (message == NULL || key_len - 1 < info->key_min ||
	    key_len - 1 > info->key_max) {
		check_fault(check, "%s: a row does not parse", info->name);
	} else {
		own = store_key_bytes(key + 1, key_len - 1);
		for (size_t i = 0; i < sizeof references / sizeof references[0];
		     i++)
			if ((unsigned)references[i].table == table)
				reference_check(check, &references[i], &own,
				    message);
		if (table == STORE_SUBSCRIPTIONS ||
		    table == STORE_SUBSCRIPTIONS_OF)
			mirror_check(check, (enum store_table)table, &own);
		if (table == STORE_EXPIRES)
			expires_row(check, &own);
		if (table == STORE_MEMBERS)
			role_check(check, &own,
			    (const Kith__Member *)(const void *)message);
	}
	if (message != NULL)
		protobuf_c_message_free_unpacked(message, NULL);
	return 0;
}

int
store_check(struct store *store, void (*report)(void *arg, const char *fault),
    void *arg, uint64_t *rows_r)
{
	static const struct {
		enum store_file file;
		row_fn fn;
	} walks[] = {
		{ STORE_FILE_EXTENTS, extent_row },
		{ STORE_FILE_NUMBERS, number_row },
		{ STORE_FILE_META, meta_row },
		{ STORE_FILE_MSGID, check_msgid_row },
		{ STORE_FILE_YOUNG, check_young_row },
		{ STORE_FILE_RECORDS, record_row },
		{ STORE_FILE_SEQUENCE, events_row }, /* the last */
	};
	struct check check = { .store = store, .report = report, .arg = arg };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof walks / sizeof walks[0]; i++)
		rc = walk_file(&check, walks[i].file, walks[i].fn);
	if (rc == 0)
		check_last_event(&check);
	if (rc == 0)
		rc = check_sums(&check);
	if (rc == 0)
		rc = check_segments(&check);
	if (rc == 0)
		rc = check_readers(&check);
	store_view_end(&check.view);
	*rows_r = check.rows;
	if (rc < 0)
		return rc;
	return check.faults > INT32_MAX ? INT32_MAX : (int)check.faults;
}
