/* wire_read.c - an article out of its file as a wire.
 *
 * It is read to where it stays: the body is copied once, by the system. What the
 * reader sees of the header is moved up to the body, over what is hidden; in front
 * of it go, from the end to the beginning, Xref, the block that kith adds, and the
 * status line, for which room was left.
 */
#include "daemon/news/wire.h"

#include <string.h>

#include "daemon/news/xref.h"

/* An empty line that is missing, and the final dot. */
#define TAIL_ROOM 5u
_Static_assert(TAIL_ROOM >= STORE_PART_EXTRA, "what a read needs there");

/* "220 number <message-id>" CRLF; where the id begins. */
static size_t
status_line(struct buffer *line, const struct found *found)
{
	size_t id_at;

	buffer_clear(line);
	buffer_append_text(line, "220 ");
	buffer_append_number(line, found->number);
	buffer_append_byte(line, ' ');
	id_at = line->len;
	buffer_append_text(line, found->message_id);
	buffer_append_text(line, "\r\n");
	return id_at;
}

/* Where the visible header begins, once it is closed up to the body. */
static char *
header_close_up(char *received, const struct store_article_head *head)
{
	uint32_t to = head->header_len, after;
	char *begin = received + to;

	for (uint32_t i = head->hidden_news_count; i > 0; i--) {
		const struct store_range *hidden = &head->hidden_news[i - 1];

		after = hidden->offset + hidden->len;
		begin -= to - after;
		memmove(begin, received + after, to - after);
		to = hidden->offset;
	}
	begin -= to;
	memmove(begin, received, to);
	return begin;
}

/* The empty line and the body are where they stay; behind them the end. */
static bool
wire_set_tail(struct wire *wire, const char *received,
    const struct store_article_head *head)
{
	uint32_t at = (uint32_t)(received - wire->bytes);
	uint32_t tail = head->received_len - head->header_len;

	if (tail == 1)
		return false;
	wire->body_at = at + head->header_len + 2;
	wire->end = at + head->received_len;
	if (tail == 0) {
		/* a mail of a header alone */
		memcpy(wire->bytes + wire->end, "\r\n", 2);
		wire->end += 2;
	}
	memcpy(wire->bytes + wire->end, ".\r\n", 3);
	wire->end += 3;
	return true;
}

static char *
put(char *to, struct span span)
{
	if (span.len > 0)
		memmove(to, span.bytes, span.len);
	return to + span.len;
}

/* Everything in front of `begin`, the visible header. `added`, where it was
 * read, may be written over by what goes to its right, so it moves first. */
static bool
wire_set_front(struct session *s, struct wire *wire, char *begin,
    struct span added)
{
	const struct buffer *status = &s->loop->line, *xref = &s->loop->text;

	if ((size_t)(begin - wire->bytes) < status->len + added.len + xref->len)
		return false;
	begin -= xref->len + added.len;
	(void)put(put(begin, added), buffer_span(xref));
	wire->head_at = (uint32_t)(begin - wire->bytes);
	wire->from = wire->head_at - (uint32_t)status->len;
	(void)put(wire->bytes + wire->from, buffer_span(status));
	return true;
}

/* What was read to `part` becomes the wire. False: it needs more room or care
 * than it has got here, and is sent in pieces. */
static bool
wire_set(struct session *s, struct wire *wire, char *part,
    const struct store_article_head *head, struct found *found)
{
	char *added_at = part + head->data_offset;
	char *received = added_at + head->added_len;
	struct span added = span_make(added_at, head->added_len);
	struct buffer names;
	bool set;

	if ((head->flags & STORE_ARTICLE_MULTI) != 0 && !found->multi) {
		found->multi = true; /* its Xref is another one */
		return false;
	}
	if (!wire_set_tail(wire, received, head))
		return false;
	buffer_init(&names, 0);
	if (found->multi) {
		if (xref_append_added(s, &names, found->artid, added) != 0) {
			buffer_fini(&names);
			return false;
		}
		added = buffer_span(&names);
	}
	set = wire_set_front(s, wire, header_close_up(received, head), added);
	buffer_fini(&names);
	return set;
}

struct wire *
wire_read(struct session *s, const struct made *notes, struct found *found)
{
	struct buffer *status = &s->loop->line, *xref = &s->loop->text;
	size_t id_at = status_line(status, found), front;
	struct store_article_head head;
	struct wire *wire;

	buffer_clear(xref);
	if (xref_append_line(s, xref, found->artid, found->space, found->number,
		found->multi) != 0 ||
	    buffer_failed(xref) || buffer_failed(status))
		return NULL;
	front = status->len + xref->len;
	wire = (struct wire *)made_new(s, STORE_CACHE_WIRE, notes,
	    sizeof *wire + front + found->at.len + TAIL_ROOM);
	if (wire == NULL)
		return NULL;
	if (store_article_read(session_store(s), found->artid, &found->at,
		(uint8_t *)wire->bytes + front, &head) != 0 ||
	    !wire_set(s, wire, wire->bytes + front, &head, found)) {
		wire_unref(wire);
		return NULL;
	}
	wire->id_at = wire->from + (uint32_t)id_at;
	return wire;
}
