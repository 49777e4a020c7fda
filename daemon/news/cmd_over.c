/* cmd_over.c - OVER (RFC 3977 8.3) and XOVER (RFC 2980 2.8): runs of rows are
 * sent as they lie in the store's blocks.
 */
#include <string.h>

#include "daemon/news/commands.h"
#include "daemon/news/crossposts.h"
#include "daemon/news/rows.h"
#include "daemon/news/xref.h"

/* Below this a run is copied: cheaper than to keep track of it. */
#define REFERENCE_MIN 4096u
/* Of fewer rows what is asked for is made alone. */
#define CROSSPOSTS_ROWS 16u

static void
release_block(void *arg)
{
	store_block_unref(arg);
}

static void
over_run(struct session *s, const struct store_block *block, size_t first,
    size_t last)
{
	size_t len;
	const char *lines = store_block_lines(block, first, last, &len);
	struct store_block *counted;

	if (len < REFERENCE_MIN) {
		session_write(s, lines, len);
		return;
	}
	/* what is immutable in a block is all but its counter */
	memcpy(&counted, &block, sizeof counted);
	store_block_ref(counted);
	session_write_reference(s, lines, len, release_block, counted);
}

/* A row with a number, and an Xref, of its own. */
static void
over_row(struct session *s, uint32_t number,
    const struct store_overview_row *row)
{
	struct buffer *text = &s->loop->text;

	buffer_clear(text);
	buffer_append_number(text, number);
	if ((row->flags & STORE_ROW_MULTI) != 0)
		(void)xref_append_row(s, text, row);
	else
		buffer_append(text, row->text, row->text_len);
	session_write(s, text->bytes, text->len);
}

/* One in several spaces, the i-th of its block. */
static void
over_crosspost(struct session *s, const struct crossposts *crossposts, size_t i,
    const struct store_overview_row *row)
{
	struct span line = span_make(NULL, 0);

	if (crossposts != NULL)
		line = crossposts_line(crossposts, i);
	if (line.len > 0)
		session_write(s, line.bytes, line.len);
	else
		over_row(s, row->number, row);
}

static size_t
over_emit(struct session *s, const struct rows_walk *walk,
    const struct store_block *block, size_t first, size_t last)
{
	struct store_overview_row row;
	struct crossposts *crossposts = NULL;
	size_t multi = store_block_next_multi(block, 0, last), i = 0;

	if (multi < last && last - first >= CROSSPOSTS_ROWS)
		crossposts = crossposts_get(s, walk->space->id, block);
	for (; multi < last;
	     multi = store_block_next_multi(block, multi + 1, last), i++) {
		if (multi < first)
			continue;
		if (multi > first)
			over_run(s, block, first, multi);
		store_block_row(block, multi, &row);
		over_crosspost(s, crossposts, i, &row);
		first = multi + 1;
	}
	if (first < last)
		over_run(s, block, first, last);
	crossposts_unref(crossposts);
	return last;
}

static void
over_emit_one(struct session *s, const struct rows_walk *walk,
    const struct found *found, const struct store_overview_row *row)
{
	(void)walk;
	over_row(s, found->answer, row);
}

static const struct rows_kind over_kind = { 224, 423, over_emit,
	over_emit_one };
/* RFC 2980 2.8: 420 where RFC 3977 has 423 */
static const struct rows_kind xover_kind = { 224, 420, over_emit,
	over_emit_one };

static struct span
over_argument(const struct nntp_args *args)
{
	return args->count == 0 ? span_make(NULL, 0) : args->args[0];
}

void
cmd_over(struct session *s, const struct nntp_args *args)
{
	struct rows_walk walk = { .kind = &over_kind };

	rows_send_argument(s, &walk, over_argument(args));
}

void
cmd_xover(struct session *s, const struct nntp_args *args)
{
	struct rows_walk walk = { .kind = &xover_kind };

	rows_send_argument(s, &walk, over_argument(args));
}
