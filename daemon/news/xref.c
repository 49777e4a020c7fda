/* xref.c - see xref.h.
 */
#include "daemon/news/xref.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/meta.h"
#include "daemon/news/made.h"
#include "protocol/overview.h"

int
xref_meta(struct session *s, uint64_t artid, Kith__ArticleMeta **meta_r)
{
	struct store_reader *reader = session_reader(s);

	return reader == NULL ? -ENOMEM : meta_get(reader, artid, meta_r);
}

static void
append_place(struct buffer *out, const char *group, uint32_t number)
{
	buffer_append_byte(out, ' ');
	buffer_append_text(out, group);
	buffer_append_byte(out, ':');
	buffer_append_number(out, number);
}

static const char *
xref_host(struct session *s)
{
	return community_config(session_community(s))->hostname;
}

void
xref_append_one(struct session *s, struct buffer *out, const char *group,
    uint32_t number)
{
	buffer_append_text(out, xref_host(s));
	append_place(out, group, number);
}

/* The space of a placement if the reader may see it, counted. */
static struct space *
xref_space(struct session *s, const Kith__Placement *placement)
{
	struct space *space = spaces_by_id(session_spaces(s), placement->space);

	if (space != NULL && !session_may_read(s, space)) {
		space_unref(space);
		space = NULL;
	}
	return space;
}

static void
xref_append(struct session *s, struct buffer *out,
    const Kith__ArticleMeta *meta)
{
	struct space *space;

	buffer_append_text(out, xref_host(s));
	for (size_t i = 0; i < meta->n_placements; i++) {
		space = xref_space(s, meta->placements[i]);
		if (space != NULL)
			append_place(out, space->name,
			    meta->placements[i]->number);
		space_unref(space);
	}
}

static struct store_cache_key
xref_key(const struct session *s, uint64_t artid)
{
	return (struct store_cache_key){ STORE_CACHE_XREF, (uint32_t)s->class,
		artid };
}

/* Kept for each reader class: an article in several spaces stands in the
 * overview of all of them. */
struct xref_text {
	struct made made;
	size_t len;
	char text[];
};

static void
xref_keep(struct session *s, const struct made *notes, struct span text)
{
	struct xref_text *kept = (struct xref_text *)made_new(s,
	    STORE_CACHE_XREF, notes, sizeof *kept + text.len);

	if (kept == NULL)
		return;
	kept->len = text.len;
	memcpy(kept->text, text.bytes, text.len);
	made_keep(s, xref_key(s, notes->artid), &kept->made);
	made_unref(&kept->made);
}

int
xref_append_article(struct session *s, struct buffer *out, uint64_t artid)
{
	struct made *made = made_find(s, xref_key(s, artid)), notes = { 0 };
	const struct xref_text *kept = (const struct xref_text *)made;
	Kith__ArticleMeta *meta;
	size_t before = out->len;
	int rc;

	if (made != NULL) {
		buffer_append(out, kept->text, kept->len);
		made_unref(made);
		return 0;
	}
	rc = made_begin(s, artid, &notes);
	if (rc == 0)
		rc = xref_meta(s, artid, &meta);
	if (rc != 0)
		return rc;
	xref_append(s, out, meta);
	kith__article_meta__free_unpacked(meta, NULL);
	if (buffer_failed(out))
		return -ENOMEM;
	xref_keep(s, &notes, span_make(out->bytes + before, out->len - before));
	return 0;
}

/* "group,group" */
static void
append_groups(struct session *s, struct buffer *out,
    const Kith__ArticleMeta *meta)
{
	struct space *space;
	bool any = false;

	for (size_t i = 0; i < meta->n_placements; i++) {
		space = xref_space(s, meta->placements[i]);
		if (space == NULL)
			continue;
		if (any)
			buffer_append_byte(out, ',');
		buffer_append_text(out, space->name);
		any = true;
		space_unref(space);
	}
}

int
xref_append_line(struct session *s, struct buffer *out, uint64_t artid,
    uint32_t space_id, uint32_t number, bool multi)
{
	struct space *space =
	    multi ? NULL : spaces_by_id(session_spaces(s), space_id);
	int rc = 0;

	if (!multi && space == NULL)
		return 0; /* removed a moment ago: nowhere to refer to */
	buffer_append_text(out, "Xref: ");
	if (multi)
		rc = xref_append_article(s, out, artid);
	else
		xref_append_one(s, out, space->name, number);
	buffer_append_text(out, "\r\n");
	space_unref(space);
	return rc;
}

/* Behind a field and the folded lines that belong to it. */
static const char *
field_end(const char *at, const char *end)
{
	do {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at == NULL ? end : at + 1;
	} while (at < end && (*at == ' ' || *at == '\t'));
	return at;
}

static bool
is_newsgroups(const char *at, const char *end)
{
	static const char name[] = "Newsgroups: ";

	return (size_t)(end - at) > sizeof name - 1 &&
	    memcmp(at, name, sizeof name - 1) == 0;
}

static int
append_newsgroups(struct session *s, struct buffer *out, uint64_t artid)
{
	Kith__ArticleMeta *meta;
	int rc = xref_meta(s, artid, &meta);

	if (rc != 0)
		return rc;
	buffer_append_text(out, "Newsgroups: ");
	append_groups(s, out, meta);
	buffer_append_text(out, "\r\n");
	kith__article_meta__free_unpacked(meta, NULL);
	return 0;
}

int
xref_append_added(struct session *s, struct buffer *out, uint64_t artid,
    struct span added)
{
	const char *at = added.bytes, *end = added.bytes + added.len, *next;
	int rc = 0;

	for (; rc == 0 && at < end; at = next) {
		next = field_end(at, end);
		if (is_newsgroups(at, next))
			rc = append_newsgroups(s, out, artid);
		else
			buffer_append(out, at, (size_t)(next - at));
	}
	return rc != 0 ? rc : buffer_failed(out) ? -ENOMEM : 0;
}

/* RFC 3977 8.1: right for the copy that is sent in the same session. */
static uint64_t
xref_bytes(const struct store_overview_row *row, struct span own,
    const struct buffer *xref)
{
	return (uint64_t)row->bytes + xref->len - own.len;
}

int
xref_append_row(struct session *s, struct buffer *out,
    const struct store_overview_row *row)
{
	struct span text = span_make(row->text, row->text_len);
	struct span bytes = overview_row_field(text, OVERVIEW_BYTES);
	struct span own = overview_row_field(text, OVERVIEW_XREF);
	const char *behind = bytes.bytes + bytes.len;
	struct buffer xref;
	int rc = 0;

	buffer_init(&xref, 0);
	if (bytes.len == 0 || own.len == 0) {
		/* a row that was cut: as it is, it names one space at most */
		buffer_append_span(out, text);
	} else if ((rc = xref_append_article(s, &xref, row->artid)) != 0) {
		buffer_append(out, text.bytes,
		    (size_t)(own.bytes - text.bytes) - strlen("Xref: "));
		buffer_append_text(out, "\r\n");
	} else {
		buffer_append(out, text.bytes,
		    (size_t)(bytes.bytes - text.bytes));
		buffer_append_number(out, xref_bytes(row, own, &xref));
		buffer_append(out, behind, (size_t)(own.bytes - behind));
		buffer_append_span(out, buffer_span(&xref));
		buffer_append_text(out, "\r\n");
	}
	buffer_fini(&xref);
	return rc;
}

void
xref_append_bytes(struct session *s, struct buffer *out,
    const struct store_overview_row *row)
{
	struct span own =
	    overview_row_field(span_make(row->text, row->text_len),
		OVERVIEW_XREF);
	struct buffer xref;

	buffer_init(&xref, 0);
	if (xref_append_article(s, &xref, row->artid) == 0)
		buffer_append_number(out, xref_bytes(row, own, &xref));
	else
		buffer_append_number(out, row->bytes);
	buffer_fini(&xref);
}
