/* crossposts.c - see crossposts.h.
 *
 * They are asked for before each use whether they are right: the block must be
 * the one they were made of, no space and none of the articles changed since.
 */
#include "daemon/news/crossposts.h"

#include <errno.h>
#include <string.h>

#include "daemon/news/made.h"
#include "daemon/news/xref.h"

struct crosspost {
	uint64_t artid;
	uint32_t end; /* of its line */
};

struct crossposts {
	struct store_object object;
	uint64_t serial;     /* of the block */
	uint64_t version;    /* the commit that was read from */
	uint64_t generation; /* of the spaces' directory */
	const char *text;    /* the lines, behind the rows */
	size_t count;
	struct crosspost rows[];
};

void
crossposts_unref(struct crossposts *rows)
{
	if (rows != NULL)
		store_object_unref(&rows->object);
}

struct span
crossposts_line(const struct crossposts *rows, size_t i)
{
	uint32_t from;

	if (i >= rows->count)
		return span_make(NULL, 0);
	from = i == 0 ? 0 : rows->rows[i - 1].end;
	return span_make(rows->text + from, rows->rows[i].end - from);
}

static bool
crossposts_hold(struct session *s, const struct crossposts *rows,
    const struct store_block *block)
{
	struct store_cache_key key = { STORE_CACHE_ARTICLE, 0, 0 };

	if (rows->serial != store_block_serial(block) ||
	    rows->generation != spaces_generation(session_spaces(s)))
		return false;
	for (size_t i = 0; i < rows->count; i++) {
		key.a = rows->rows[i].artid;
		if (store_cache_changed(s->loop->objects, key) > rows->version)
			return false;
	}
	return true;
}

/* ---- making ------------------------------------------------------------ */

/* Lines into the loop's text; how many, or negative. */
static int
crossposts_read(struct session *s, const struct store_block *block,
    struct crosspost rows[STORE_BLOCK_NUMBERS])
{
	struct buffer *text = &s->loop->text;
	size_t count = store_block_count(block), i;
	struct store_overview_row row;
	int done = 0, rc;

	buffer_clear(text);
	for (i = store_block_next_multi(block, 0, count); i < count;
	     i = store_block_next_multi(block, i + 1, count)) {
		store_block_row(block, i, &row);
		buffer_append_number(text, row.number);
		rc = xref_append_row(s, text, &row);
		if (rc != 0)
			return rc;
		rows[done].artid = row.artid;
		rows[done++].end = (uint32_t)text->len;
	}
	return buffer_failed(text) ? -ENOMEM : done;
}

static struct crossposts *
crossposts_make(struct session *s, const struct store_block *block)
{
	struct buffer *text = &s->loop->text;
	struct crosspost rows[STORE_BLOCK_NUMBERS];
	struct made notes = { .artid = 0 };
	struct crossposts *made;
	size_t rows_len;
	char *at;
	int count = made_begin(s, 0, &notes);

	if (count == 0)
		count = crossposts_read(s, block, rows);
	if (count < 0)
		return NULL;
	rows_len = (size_t)count * sizeof rows[0];
	made = (struct crossposts *)store_object_new(s->loop->objects,
	    sizeof *made + rows_len + text->len);
	if (made == NULL)
		return NULL;
	at = (char *)made->rows + rows_len;
	made->serial = store_block_serial(block);
	made->version = notes.version;
	made->generation = notes.generation;
	made->text = at;
	made->count = (size_t)count;
	memcpy(made->rows, rows, rows_len);
	if (text->len > 0)
		memcpy(at, text->bytes, text->len);
	return made;
}

struct crossposts *
crossposts_get(struct session *s, uint32_t space,
    const struct store_block *block)
{
	struct store_cache *cache = s->loop->objects;
	struct store_overview_row row;
	struct store_cache_key key = { .kind = STORE_CACHE_CROSSPOSTS,
		.b = (uint32_t)s->class };
	struct crossposts *rows;

	store_block_row(block, 0, &row);
	key.a = (uint64_t)space << 32 | row.number / STORE_BLOCK_NUMBERS;
	rows = (struct crossposts *)store_cache_get(cache, key, UINT64_MAX);
	if (rows != NULL && crossposts_hold(s, rows, block))
		return rows;
	if (rows != NULL)
		store_cache_remove(cache, &rows->object);
	crossposts_unref(rows);
	rows = crossposts_make(s, block);
	/* what they are right for is what they note */
	if (rows != NULL)
		store_cache_put(cache, key, UINT64_MAX, &rows->object);
	return rows;
}
