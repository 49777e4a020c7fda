/* column.c - see column.h.
 *
 * A column belongs to the one block that it was made of. A commit makes another
 * block, with another serial, and finds the column out of date: nobody drops it.
 */
#include "daemon/news/column.h"

#include <string.h>

/* Below this a piece is copied: cheaper than to keep track of it. */
#define REFERENCE_MIN 2048u
#define DIGITS_MAX    10u

struct column {
	struct store_object object;
	uint64_t serial; /* of the block */
	uint32_t count;
	uint32_t lines[STORE_BLOCK_NUMBERS + 1]; /* where they begin, and end */
	char text[];
};

static struct store_cache_key
column_key(uint32_t space, const struct store_block *block,
    enum overview_field field)
{
	struct store_overview_row row;

	store_block_row(block, 0, &row);
	return (struct store_cache_key){ STORE_CACHE_COLUMN, field,
		(uint64_t)space << 32 | row.number / STORE_BLOCK_NUMBERS };
}

void
column_unref(struct column *column)
{
	if (column != NULL)
		store_object_unref(&column->object);
}

/* Is the field as the row has it, for everybody? A line of no octets says no. */
static bool
column_takes(const struct store_overview_row *row, enum overview_field field,
    struct span value)
{
	bool differs = field == OVERVIEW_BYTES || field == OVERVIEW_XREF;

	return (!differs || (row->flags & STORE_ROW_MULTI) == 0) &&
	    !overview_may_be_cut(field, value.len);
}

static void
column_line(struct buffer *text, const struct store_block *block, size_t i,
    enum overview_field field)
{
	struct store_overview_row row;
	struct span value;
	const char *line;
	size_t len;

	store_block_row(block, i, &row);
	value = overview_row_field(span_make(row.text, row.text_len), field);
	if (!column_takes(&row, field, value))
		return;
	line = store_block_lines(block, i, i + 1, &len);
	buffer_append(text, line, (size_t)(row.text - line)); /* the number */
	buffer_append_byte(text, ' ');
	buffer_append_span(text, value);
	buffer_append(text, "\r\n", 2);
}

static struct column *
column_make(struct session *s, const struct store_block *block,
    enum overview_field field)
{
	struct buffer *text = &s->loop->text;
	size_t count = store_block_count(block);
	uint32_t lines[STORE_BLOCK_NUMBERS + 1];
	struct column *column;

	buffer_clear(text);
	for (size_t i = 0; i < count; i++) {
		lines[i] = (uint32_t)text->len;
		column_line(text, block, i, field);
	}
	lines[count] = (uint32_t)text->len;
	if (buffer_failed(text))
		return NULL;
	column = (struct column *)store_object_new(s->loop->objects,
	    sizeof *column + text->len);
	if (column == NULL)
		return NULL;
	column->serial = store_block_serial(block);
	column->count = (uint32_t)count;
	memcpy(column->lines, lines, (count + 1) * sizeof lines[0]);
	if (text->len > 0)
		memcpy(column->text, text->bytes, text->len);
	return column;
}

struct column *
column_get(struct session *s, uint32_t space, const struct store_block *block,
    enum overview_field field, bool make)
{
	struct store_cache *cache = s->loop->objects;
	struct store_cache_key key = column_key(space, block, field);
	struct column *column =
	    (struct column *)store_cache_get(cache, key, UINT64_MAX);

	if (column != NULL && column->serial == store_block_serial(block))
		return column;
	if (column != NULL && make)
		store_cache_remove(cache, &column->object);
	column_unref(column);
	if (!make)
		return NULL;
	column = column_make(s, block, field);
	/* the serial says what it is right for, not a version */
	if (column != NULL)
		store_cache_put(cache, key, UINT64_MAX, &column->object);
	return column;
}

static void
release_column(void *arg)
{
	column_unref(arg);
}

size_t
column_send(struct session *s, struct column *column, size_t first, size_t last)
{
	const uint32_t *lines = column->lines;
	size_t end = first;
	uint32_t len;

	if (last > column->count)
		last = column->count;
	while (end < last && lines[end] < lines[end + 1])
		end++;
	len = lines[end] - lines[first];
	if (len < REFERENCE_MIN) {
		session_write(s, column->text + lines[first], len);
		return end;
	}
	store_object_ref(&column->object);
	session_write_reference(s, column->text + lines[first], len,
	    release_column, column);
	return end;
}
