/* cmd_hdr.c - HDR (RFC 3977 8.5) XHDR and XPAT (RFC 2980 2.6, 2.9). What the overview
 * holds comes from its rows, for a long range by the column; any other field
 * from the articles.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/news/column.h"
#include "daemon/news/commands.h"
#include "daemon/news/copy.h"
#include "daemon/news/rows.h"
#include "daemon/news/xref.h"
#include "protocol/article.h"
#include "protocol/wildmat_legacy.h"

#define TEXT_CHUNK  16384u
#define COLUMN_ROWS 16u /* fewer are not worth the making of a column */

#define XHDR_FOLLOWS 221 /* of XHDR and XPAT; HDR has 225 */

/* The field out of the article itself. False: the article is gone. */
static bool
hdr_from_article(struct session *s, const struct rows_walk *walk,
    const struct found *found, struct buffer *text)
{
	struct article_header header;
	const struct article_field *field = NULL;
	struct buffer wire;
	bool there;

	buffer_init(&wire, 0);
	article_header_init(&header);
	there = copy_header(s, found, &wire) == 0 && !buffer_failed(&wire);
	if (there &&
	    article_scan(&header, buffer_span(&wire), ARTICLE_MAIL, NULL) == 0)
		field = article_field_named(&header, span_of(walk->name), 0);
	if (field != NULL)
		overview_append_value(text, field->value);
	article_header_fini(&header);
	buffer_fini(&wire);
	return there;
}

/* Whose line it is: an article that was named by its Message-ID has number 0 in
 * HDR, and that id in XHDR and XPAT (RFC 2980 2.6). */
static void
hdr_whose(const struct rows_walk *walk, const struct found *found,
    struct buffer *text)
{
	if (found->answer == 0 && walk->kind->code == XHDR_FOLLOWS)
		buffer_append_text(text, found->message_id);
	else
		buffer_append_number(text, found->answer);
	buffer_append_byte(text, ' ');
}

/* "number value" CRLF; nothing if the article is gone. */
static void
hdr_line(struct session *s, const struct rows_walk *walk,
    const struct found *found, const struct store_overview_row *row)
{
	struct buffer *text = &s->loop->text;
	struct span field = { NULL, 0 };
	size_t before = text->len, value;

	hdr_whose(walk, found, text);
	value = text->len;
	if (walk->field != OVERVIEW_FIELDS)
		field = overview_row_field(span_make(row->text, row->text_len),
		    walk->field);
	if (walk->field == OVERVIEW_FIELDS ||
	    overview_may_be_cut(walk->field, field.len)) {
		if (!hdr_from_article(s, walk, found, text)) {
			text->len = before;
			return;
		}
	} else if (walk->field == OVERVIEW_XREF &&
	    (row->flags & STORE_ROW_MULTI) != 0) {
		(void)xref_append_article(s, text, row->artid);
	} else if (walk->field == OVERVIEW_BYTES &&
	    (row->flags & STORE_ROW_MULTI) != 0) {
		xref_append_bytes(s, text, row);
	} else {
		buffer_append_span(text, field);
	}
	if (walk->pattern[0] != '\0' &&
	    !wildmat_legacy_match(span_of(walk->pattern),
		span_make(text->bytes + value, text->len - value)))
		text->len = before;
	else
		buffer_append(text, "\r\n", 2);
}

/* Row after row, where there is no column. */
static size_t
hdr_emit_rows(struct session *s, const struct rows_walk *walk,
    const struct store_block *block, size_t first, size_t last)
{
	struct buffer *text = &s->loop->text;
	struct store_overview_row row;
	struct found found = { .space = walk->space->id };
	bool pause = false;

	buffer_clear(text);
	while (first < last && !pause) {
		store_block_row(block, first++, &row);
		found.artid = row.artid;
		found.answer = found.number = row.number;
		found.multi = (row.flags & STORE_ROW_MULTI) != 0;
		hdr_line(s, walk, &found, &row);
		pause = text->len > TEXT_CHUNK ||
		    ((walk->field == OVERVIEW_FIELDS ||
			 walk->pattern[0] != '\0') &&
			session_should_pause(s));
	}
	session_write(s, text->bytes, text->len);
	return first;
}

static size_t
hdr_emit(struct session *s, const struct rows_walk *walk,
    const struct store_block *block, size_t first, size_t last)
{
	struct column *column = NULL;
	bool pause = false;

	if (walk->field != OVERVIEW_FIELDS && walk->pattern[0] == '\0')
		column = column_get(s, walk->space->id, block, walk->field,
		    last - first >= COLUMN_ROWS);
	if (column == NULL)
		return hdr_emit_rows(s, walk, block, first, last);
	while (first < last && !pause) {
		first = column_send(s, column, first, last);
		if (first == last)
			break;
		first = hdr_emit_rows(s, walk, block, first, first + 1);
		pause = session_should_pause(s);
	}
	column_unref(column);
	return first;
}

static void
hdr_emit_one(struct session *s, const struct rows_walk *walk,
    const struct found *found, const struct store_overview_row *row)
{
	struct buffer *text = &s->loop->text;

	buffer_clear(text);
	hdr_line(s, walk, found, row);
	session_write(s, text->bytes, text->len);
}

static const struct rows_kind hdr_kind = { 225, 423, hdr_emit, hdr_emit_one };
/* RFC 2980 2.9: no article that matches is an empty list */
static const struct rows_kind xpat_kind = { XHDR_FOLLOWS, XHDR_FOLLOWS,
	hdr_emit, hdr_emit_one };
/* RFC 2980 2.6 */
static const struct rows_kind xhdr_kind = { XHDR_FOLLOWS, 420, hdr_emit,
	hdr_emit_one };

/* The words after the second one, with one blank between them (RFC 2980 2.9). */
static void
hdr_pattern(const struct nntp_args *args, char pattern[NNTP_ARGUMENT_MAX + 1])
{
	struct span rest = args->rest;
	size_t len = 0, word = 0;
	bool blank = true, is_blank;

	for (size_t i = 0; i < rest.len && len < NNTP_ARGUMENT_MAX; i++) {
		is_blank = rest.bytes[i] == ' ' || rest.bytes[i] == '\t';
		if (blank && !is_blank && ++word > 3)
			pattern[len++] = ' ';
		blank = is_blank;
		if (!is_blank && word >= 3 && len < NNTP_ARGUMENT_MAX)
			pattern[len++] = rest.bytes[i];
	}
	pattern[len] = '\0';
}

static void
hdr_send(struct session *s, const struct nntp_args *args,
    const struct rows_kind *kind)
{
	struct rows_walk walk = { .kind = kind };
	struct span name = args->args[0];

	walk.field = overview_field_named(name);
	if (walk.field == OVERVIEW_FIELDS && name.bytes[0] == ':') {
		session_reply_text(s, 503, "no such metadata item");
		return;
	}
	/* RFC 3977 8.5.2: the name of a header without its colon */
	if (name.len >= sizeof walk.name ||
	    (name.bytes[0] != ':' &&
		memchr(name.bytes, ':', name.len) != NULL)) {
		session_error(s, 501);
		return;
	}
	if (kind == &xpat_kind)
		hdr_pattern(args, walk.pattern);
	(void)snprintf(walk.name, sizeof walk.name, "%.*s", SPAN_ARG(name));
	rows_send_argument(s, &walk,
	    args->count < 2 ? span_make(NULL, 0) : args->args[1]);
}

void
cmd_hdr(struct session *s, const struct nntp_args *args)
{
	hdr_send(s, args, &hdr_kind);
}

void
cmd_xhdr(struct session *s, const struct nntp_args *args)
{
	hdr_send(s, args, &xhdr_kind);
}

void
cmd_xpat(struct session *s, const struct nntp_args *args)
{
	hdr_send(s, args, &xpat_kind);
}
