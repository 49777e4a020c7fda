/* overview_block.c - 128 consecutive numbers of a space as one immutable block:
 * built by bulk gets, checked once, then served from memory.
 */
#include "store/overview.h"

#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_LEN    8u
#define BULK_FIRST ((size_t)64 << 10)
#define BULK_MAX   ((size_t)4 << 20)
#define DIGITS_MAX 10u
#define AHEAD      4u /* rows that a walk is likely to come to next */

struct block_row {
	uint64_t artid;
	uint64_t time;
	uint32_t number;
	uint32_t flags;
	uint32_t bytes;
	uint32_t lines;
	uint32_t line; /* offset of "NUMBER\t..." */
	uint32_t text; /* offset of "\t..." */
};

struct store_block {
	struct store_object object;
	uint64_t serial;
	const char *text; /* the lines, behind the rows */
	size_t text_len;
	size_t count;
	uint64_t multi[STORE_BLOCK_NUMBERS / 64]; /* a bit for each row */
	struct block_row rows[];
};

struct builder {
	uint32_t space, first; /* numbers [first, first + 128) */
	uint32_t next;         /* the least number not yet seen */
	size_t count;
	char *text; /* owned */
	size_t text_len, text_room;
	bool complete;
	uint64_t multi[STORE_BLOCK_NUMBERS / 64];
	struct block_row rows[STORE_BLOCK_NUMBERS];
};

void
store_block_ref(struct store_block *block)
{
	store_object_ref(&block->object);
}

void
store_block_unref(struct store_block *block)
{
	if (block != NULL)
		store_object_unref(&block->object);
}

size_t
store_block_count(const struct store_block *block)
{
	return block->count;
}

uint64_t
store_block_serial(const struct store_block *block)
{
	return block->serial;
}

void
store_block_row(const struct store_block *block, size_t i,
    struct store_overview_row *row_r)
{
	const struct block_row *row = &block->rows[i];
	size_t end =
	    i + 1 < block->count ? block->rows[i + 1].line : block->text_len;

	if (i + AHEAD < block->count)
		__builtin_prefetch(block->text + row[AHEAD].line);
	row_r->number = row->number;
	row_r->flags = row->flags;
	row_r->artid = row->artid;
	row_r->bytes = row->bytes;
	row_r->lines = row->lines;
	row_r->time = row->time;
	row_r->text = block->text + row->text;
	row_r->text_len = end - row->text;
}

size_t
store_block_next_multi(const struct store_block *block, size_t first,
    size_t last)
{
	uint64_t bits;

	for (; first < last; first = (first / 64 + 1) * 64) {
		bits = block->multi[first / 64] >> first % 64;
		if (bits == 0)
			continue;
		first += (size_t)__builtin_ctzll(bits);
		break;
	}
	return first < last ? first : last;
}

size_t
store_block_find(const struct store_block *block, uint32_t number)
{
	size_t low = 0, high = block->count, middle;

	/* a walk comes to each block so */
	if (high > 0 && block->rows[0].number >= number)
		return 0;
	while (low < high) {
		middle = (low + high) / 2;
		if (block->rows[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *
store_block_lines(const struct store_block *block, size_t first, size_t last,
    size_t *len_r)
{
	size_t from, to;

	if (last > block->count)
		last = block->count;
	if (first >= last) {
		*len_r = 0;
		return "";
	}
	from = block->rows[first].line;
	to = last < block->count ? block->rows[last].line : block->text_len;
	*len_r = to - from;
	return block->text + from;
}

/* ---- building --------------------------------------------------------- */

static size_t
digits_put(char *to, uint32_t number)
{
	char digits[DIGITS_MAX];
	size_t len = 0;

	do
		digits[len++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	for (size_t i = 0; i < len; i++)
		to[i] = digits[len - 1 - i];
	return len;
}

static int
builder_room(struct builder *builder, size_t more)
{
	size_t room = builder->text_room == 0 ? 16384 : builder->text_room;
	char *text;

	while (room - builder->text_len < more)
		room *= 2;
	if (room == builder->text_room)
		return 0;
	text = realloc(builder->text, room);
	if (text == NULL)
		return -ENOMEM;
	builder->text = text;
	builder->text_room = room;
	return 0;
}

/* 1: past the block, else 0 or negative. */
static int
builder_row(struct builder *builder, const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len)
{
	struct store_overview_row row;
	struct block_row *to;
	uint32_t number;
	int rc;

	if (key_len != KEY_LEN)
		return -EBADMSG;
	number = store_read_u32(key + 4);
	if (store_read_u32(key) != builder->space ||
	    number - builder->first >= STORE_BLOCK_NUMBERS)
		return 1;
	if (number < builder->next)
		return -EBADMSG;
	rc = store_overview_parse(bytes, len, &row);
	if (rc == 0)
		rc = builder_room(builder, DIGITS_MAX + row.text_len);
	if (rc != 0)
		return rc;
	if ((row.flags & STORE_ROW_MULTI) != 0)
		builder->multi[builder->count / 64] |= UINT64_C(1)
		    << builder->count % 64;
	to = &builder->rows[builder->count++];
	to->artid = row.artid;
	to->time = row.time;
	to->number = number;
	to->flags = row.flags;
	to->bytes = row.bytes;
	to->lines = row.lines;
	to->line = (uint32_t)builder->text_len;
	builder->text_len +=
	    digits_put(builder->text + builder->text_len, number);
	to->text = (uint32_t)builder->text_len;
	memcpy(builder->text + builder->text_len, row.text, row.text_len);
	builder->text_len += row.text_len;
	builder->next = number + 1;
	return 0;
}

static int
builder_bulk(struct builder *builder, DBT *bulk)
{
	void *at, *key, *bytes;
	size_t key_len, len;
	int rc = 0;

	DB_MULTIPLE_INIT(at, bulk);
	while (rc == 0) {
		DB_MULTIPLE_KEY_NEXT(at, bulk, key, key_len, bytes, len);
		if (at == NULL)
			return 0;
		rc = builder_row(builder, key, key_len, bytes, len);
	}
	if (rc != 1)
		return rc;
	builder->complete = true;
	return 0;
}

static int
bulk_grow(DBT *bulk, size_t need)
{
	size_t room = bulk->ulen == 0 ? BULK_FIRST : bulk->ulen;
	void *grown;

	while (room < need)
		room *= 2;
	if (room > BULK_MAX)
		return -EBADMSG;
	grown = realloc(bulk->data, room);
	if (grown == NULL)
		return -ENOMEM;
	bulk->data = grown;
	bulk->ulen = (u_int32_t)room;
	return 0;
}

static int
builder_fill(struct builder *builder, struct store_reader *reader, DBC *cursor)
{
	uint8_t start[KEY_LEN];
	DBT key, bulk;
	int rc, ret;
	uint32_t flags = DB_SET_RANGE;

	memset(&key, 0, sizeof key);
	memset(&bulk, 0, sizeof bulk);
	store_write_u32(start, builder->space);
	store_write_u32(start + 4, builder->first);
	key.data = start;
	key.size = key.ulen = KEY_LEN;
	key.flags = DB_DBT_USERMEM;
	bulk.flags = DB_DBT_USERMEM;
	rc = bulk_grow(&bulk, BULK_FIRST);
	while (rc == 0 && !builder->complete) {
		ret = cursor->get(cursor, &key, &bulk, flags | DB_MULTIPLE_KEY);
		if (ret == DB_BUFFER_SMALL) {
			rc = bulk_grow(&bulk, (size_t)bulk.size + bulk.ulen);
			continue;
		}
		if (ret == DB_NOTFOUND)
			break;
		rc = store_reader_error(reader, ret);
		if (rc == 0)
			rc = builder_bulk(builder, &bulk);
		flags = DB_NEXT;
	}
	free(bulk.data);
	return rc;
}

/* NULL: no memory. */
static struct store_block *
builder_block(const struct builder *builder, struct store *store)
{
	size_t rows_len = builder->count * sizeof(struct block_row);
	struct store_block *block;
	char *text;

	block = (struct store_block *)store_object_new(store->objects,
	    sizeof *block + rows_len + builder->text_len);
	if (block == NULL)
		return NULL;
	text = (char *)block->rows + rows_len;
	block->serial = atomic_fetch_add(&store->blocks_built, 1) + 1;
	block->text = text;
	block->text_len = builder->text_len;
	block->count = builder->count;
	memcpy(block->multi, builder->multi, sizeof block->multi);
	memcpy(block->rows, builder->rows, rows_len);
	if (builder->text_len > 0)
		memcpy(text, builder->text, builder->text_len);
	return block;
}

static int
block_build(struct store_reader *reader, uint32_t space, uint32_t number,
    struct store_block **block_r)
{
	DB *db = reader->store->files[STORE_FILE_NUMBERS];
	struct builder builder = { .space = space,
		.first = number * STORE_BLOCK_NUMBERS,
		.next = number * STORE_BLOCK_NUMBERS };
	DBC *cursor;
	int rc, ret;

	rc = store_reader_error(reader,
	    db->cursor(db, reader->txn, &cursor, DB_CURSOR_BULK));
	if (rc == 0) {
		rc = builder_fill(&builder, reader, cursor);
		ret = cursor->close(cursor);
		if (rc == 0)
			rc = store_reader_error(reader, ret);
	}
	if (rc == 0) {
		*block_r = builder_block(&builder, reader->store);
		rc = *block_r == NULL ? -ENOMEM : 0;
	}
	free(builder.text);
	return rc;
}

/* ---- getting ---------------------------------------------------------- */

int
store_block_cached(struct store *store, uint32_t space, uint32_t block,
    struct store_block **block_r)
{
	struct store_object *object = store_cache_get(store->objects,
	    store_block_key(space, block), UINT64_MAX);

	*block_r = (struct store_block *)object;
	return object == NULL ? -ENOENT : 0;
}

int
store_block_get(struct store_reader *reader, uint32_t space, uint32_t block,
    struct store_block **block_r)
{
	struct store_cache_key key = store_block_key(space, block);
	struct store_cache *cache = reader->store->objects;
	bool cached = !reader->uncached;
	int rc;

	*block_r = NULL;
	if (block > UINT32_MAX / STORE_BLOCK_NUMBERS)
		return -EINVAL;
	if (cached)
		*block_r = (struct store_block *)store_cache_get(cache, key,
		    reader->version);
	if (*block_r != NULL)
		return 0;
	rc = block_build(reader, space, block, block_r);
	if (rc == 0 && cached)
		store_cache_put(cache, key, reader->version,
		    &(*block_r)->object);
	return rc;
}
