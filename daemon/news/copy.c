/* copy.c - see copy.h.
 */
#include "daemon/news/copy.h"

#include <errno.h>
#include <string.h>

#include "daemon/news/xref.h"

/* Below this a piece is copied: cheaper than to keep track of it. */
#define REFERENCE_MIN 4096u

static void
release_blob(void *arg)
{
	store_blob_unref(arg);
}

static void
emit(struct session *s, struct buffer *sink, struct store_blob *blob,
    struct span piece)
{
	if (sink != NULL) {
		buffer_append_span(sink, piece);
	} else if (piece.len < REFERENCE_MIN) {
		session_write(s, piece.bytes, piece.len);
	} else {
		store_blob_ref(blob);
		session_write_reference(s, piece.bytes, piece.len, release_blob,
		    blob);
	}
}

static int
copy_xref(struct session *s, struct copy *copy, struct buffer *sink)
{
	struct buffer *line = sink == NULL ? &s->loop->line : sink;
	int rc;

	copy->xref_due = false;
	if (sink == NULL)
		buffer_clear(line);
	rc = xref_append_line(s, line, copy->artid, copy->space, copy->number,
	    (copy->head.flags & STORE_ARTICLE_MULTI) != 0);
	if (sink == NULL && rc == 0)
		session_write(s, line->bytes, line->len);
	return rc;
}

static int
copy_added_multi(struct session *s, struct copy *copy, struct buffer *sink,
    struct span added)
{
	struct buffer block;
	int rc;

	if (sink != NULL)
		return xref_append_added(s, sink, copy->artid, added);
	buffer_init(&block, 0);
	rc = xref_append_added(s, &block, copy->artid, added);
	if (rc == 0)
		session_write(s, block.bytes, block.len);
	buffer_fini(&block);
	return rc;
}

/* How far the next piece reaches, from copy->pos; moves pos over what is
 * hidden first. */
static uint32_t
copy_reach(struct copy *copy, uint32_t stop)
{
	const struct store_article_head *head = &copy->head;
	uint32_t start, end;

	if (copy->pos < head->added_len)
		return stop < head->added_len ? stop : head->added_len;
	while (copy->hidden < head->hidden_news_count) {
		start =
		    head->added_len + head->hidden_news[copy->hidden].offset;
		end = start + head->hidden_news[copy->hidden].len;
		if (copy->pos < start)
			return stop < start ? stop : start;
		if (copy->pos < end)
			copy->pos = end;
		copy->hidden++;
	}
	return stop;
}

/* What one part holds of the copy. */
static int
copy_part(struct session *s, struct copy *copy, struct buffer *sink,
    struct store_blob *blob)
{
	size_t skip = copy->part == 0 ? copy->head.data_offset : 0;
	const char *bytes = (const char *)store_blob_bytes(blob) + skip;
	uint32_t limit =
	    copy->part_start + (uint32_t)(store_blob_len(blob) - skip);
	uint32_t stop = copy->end < limit ? copy->end : limit, next;
	struct span piece;
	int rc = 0;

	while (copy->pos < stop && rc == 0) {
		if (copy->xref_due && copy->pos >= copy->head.added_len) {
			rc = copy_xref(s, copy, sink);
			continue;
		}
		next = copy_reach(copy, stop);
		if (copy->pos >= next)
			continue;
		piece = span_make(bytes + (copy->pos - copy->part_start),
		    next - copy->pos);
		if (copy->pos == 0 && next == copy->head.added_len &&
		    (copy->head.flags & STORE_ARTICLE_MULTI) != 0)
			rc = copy_added_multi(s, copy, sink, piece);
		else
			emit(s, sink, blob, piece);
		copy->pos = next;
	}
	if (copy->pos < copy->end) {
		copy->part++;
		copy->part_start = limit;
	}
	return rc;
}

/* Goes on from copy->pos; with a sink to the end. */
static enum step
copy_run(struct session *s, struct copy *copy, struct buffer *sink,
    struct store_blob *blob)
{
	int rc = 0;

	while (rc == 0 && copy->pos < copy->end) {
		if (blob == NULL)
			rc = session_part(s, copy->artid, copy->part,
			    copy->keep, &blob);
		if (rc != 0)
			break;
		rc = copy_part(s, copy, sink, blob);
		store_blob_unref(blob);
		blob = NULL;
		if (rc == 0 && sink == NULL && copy->pos < copy->end &&
		    session_should_pause(s))
			return STEP_MORE;
	}
	store_blob_unref(blob);
	if (rc == 0 && copy->xref_due)
		rc = copy_xref(s, copy, sink);
	return rc == 0 ? STEP_DONE : STEP_FAILED;
}

static enum step
copy_finish(struct session *s, struct copy *copy, enum step step)
{
	if (step != STEP_DONE)
		return step;
	if (copy->separator_due)
		session_write(s, "\r\n", 2);
	session_end_block(s);
	return STEP_DONE;
}

static enum step
copy_step(struct session *s, struct continuation *c)
{
	return copy_finish(s, &c->as.copy,
	    copy_run(s, &c->as.copy, NULL, NULL));
}

/* What follows from the head of part 0. */
static int
copy_begin(struct copy *copy, const struct found *found, enum copy_what what,
    const struct store_blob *part0)
{
	struct store_article_head *head = &copy->head;
	uint32_t body;
	int rc = store_article_head_parse(part0, head);

	if (rc != 0)
		return rc;
	if (found->multi)
		head->flags |= STORE_ARTICLE_MULTI;
	copy->artid = found->artid;
	copy->space = found->space;
	copy->number = found->number;
	copy->keep = found->keep;
	copy->end = head->added_len + head->received_len;
	copy->xref_due = what != COPY_BODY;
	copy->separator_due =
	    what == COPY_ARTICLE && head->received_len == head->header_len;
	body = head->header_len + 2;
	if (body > head->received_len)
		body = head->received_len;
	if (what == COPY_BODY)
		copy->pos = head->added_len + body;
	else if (what == COPY_HEAD)
		copy->end = head->added_len + head->header_len;
	return 0;
}

static int
copy_open(struct session *s, const struct found *found, enum copy_what what,
    struct copy *copy, struct store_blob **blob_r)
{
	int rc = session_part(s, found->artid, 0, found->keep, blob_r);

	if (rc != 0)
		return rc;
	rc = copy_begin(copy, found, what, *blob_r);
	if (rc != 0) {
		store_blob_unref(*blob_r);
		*blob_r = NULL;
	}
	return rc;
}

/* "CODE number <message-id>" */
static void
copy_status(struct session *s, const struct found *found, enum copy_what what)
{
	struct buffer *line = &s->loop->line;

	buffer_clear(line);
	buffer_append_number(line, what);
	buffer_append_byte(line, ' ');
	buffer_append_number(line, found->answer);
	buffer_append_byte(line, ' ');
	buffer_append_text(line, found->message_id);
	buffer_append_text(line, "\r\n");
	session_write(s, line->bytes, line->len);
}

void
copy_send(struct session *s, const struct found *found, enum copy_what what)
{
	struct continuation c = { .step = copy_step };
	struct store_blob *blob = NULL;
	enum step step;
	int rc;

	if (what == COPY_NOTHING) {
		copy_status(s, found, what);
		return;
	}
	rc = copy_open(s, found, what, &c.as.copy, &blob);
	if (rc != 0) {
		session_reply(s, rc == -ENOENT ? found->missing : 403);
		return;
	}
	s->articles++;
	copy_status(s, found, what);
	step = copy_run(s, &c.as.copy, NULL, blob);
	session_start(s, &c, copy_finish(s, &c.as.copy, step));
}

int
copy_header(struct session *s, const struct found *found, struct buffer *out)
{
	struct store_blob *blob = NULL;
	struct copy copy = { 0 };
	int rc = copy_open(s, found, COPY_HEAD, &copy, &blob);

	if (rc != 0)
		return rc;
	return copy_run(s, &copy, out, blob) == STEP_DONE ? 0 : -EIO;
}
