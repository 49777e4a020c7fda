/* overview.c - rows of the overview.
 */
#include "protocol/overview.h"

#include "protocol/msgid.h"

/* Shares of OVERVIEW_ROW_MAX; what else a row holds needs below 600. */
#define OVERVIEW_TEXT_MAX	2000u /* Subject, From */
#define OVERVIEW_SHORT_MAX	254u  /* Date, Message-ID */
#define OVERVIEW_REFERENCES_MAX 3000u
#define UTF8_MAX		4u /* a cut is between two characters */

static const struct overview_name {
	const char *name; /* as asked for by HDR */
	const char *format;
} overview_names[OVERVIEW_FIELDS] = {
	[OVERVIEW_SUBJECT] = { "Subject", "Subject:" },
	[OVERVIEW_FROM] = { "From", "From:" },
	[OVERVIEW_DATE] = { "Date", "Date:" },
	[OVERVIEW_MESSAGE_ID] = { "Message-ID", "Message-ID:" },
	[OVERVIEW_REFERENCES] = { "References", "References:" },
	/* RFC 3977 8.4.2 allows the old form too: slrn gives up on OVER if it
	 * finds the other */
	[OVERVIEW_BYTES] = { ":bytes", "Bytes:" },
	[OVERVIEW_LINES] = { ":lines", "Lines:" },
	[OVERVIEW_XREF] = { "Xref", "Xref:full" },
};

static bool
overview_is_odd(char c)
{
	return c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

void
overview_append_value(struct buffer *out, struct span raw)
{
	size_t from = 0, at;

	raw = span_trim(raw);
	for (at = 0; (at = span_find_control(raw, at)) < raw.len; at++) {
		if (!overview_is_odd(raw.bytes[at]))
			continue;
		buffer_append(out, raw.bytes + from, at - from);
		if (raw.bytes[at] == '\r' && at + 1 < raw.len &&
		    raw.bytes[at + 1] == '\n')
			at++;
		else
			buffer_append_byte(out, ' ');
		from = at + 1;
	}
	buffer_append(out, raw.bytes + from, raw.len - from);
}

/* Shortens what was appended since `from` to at most max octets, between two
 * characters. */
static void
overview_cut(struct buffer *out, size_t from, size_t max)
{
	size_t len = max;

	if (buffer_failed(out) || out->len <= from || out->len - from <= max)
		return;
	while (len > 0 && ((unsigned char)out->bytes[from + len] & 0xc0) == 0x80)
		len--;
	out->len = from + len;
	out->bytes[out->len] = '\0';
}

/* A tab, then what kith adds in place of the article's own, or that. */
static void
overview_append_field(struct buffer *out, const struct article_header *header,
    enum header_id id, struct span added, size_t max)
{
	size_t from;

	buffer_append_byte(out, '\t');
	from = out->len;
	if (added.len == 0)
		added = article_value(header, id);
	if (added.len > 0)
		overview_append_value(out, added);
	overview_cut(out, from, max);
}

/* Where the newest ids begin that fit into len octets at the end. */
static size_t
overview_newest(struct span text, size_t len)
{
	size_t at = text.len > len ? text.len - len : 0;

	while (at < text.len && text.bytes[at] != '<')
		at++;
	return at;
}

/* Too long: the first id and the newest ones stay. */
static void
overview_append_references(struct buffer *out,
    const struct article_header *header, struct span added)
{
	size_t from = out->len + 1, root, tail;
	struct span text;
	const char *end;

	overview_append_field(out, header, HEADER_REFERENCES, added,
	    SIZE_MAX);
	if (buffer_failed(out) || out->len - from <= OVERVIEW_REFERENCES_MAX)
		return;
	text = span_make(out->bytes + from, out->len - from);
	end = memchr(text.bytes, '>', MSGID_MAX);
	root = end == NULL ? 0 : (size_t)(end - text.bytes) + 1;
	tail = overview_newest(text, OVERVIEW_REFERENCES_MAX - MSGID_MAX - 1);
	if (root > 0 && tail < text.len)
		out->bytes[from + root++] = ' ';
	memmove(out->bytes + from + root, text.bytes + tail, text.len - tail);
	out->len = from + root + text.len - tail;
	out->bytes[out->len] = '\0';
}

void
overview_append(struct buffer *out, const struct article_header *header,
    const struct overview_added *added)
{
	overview_append_field(out, header, HEADER_SUBJECT, added->subject,
	    OVERVIEW_TEXT_MAX);
	overview_append_field(
	    out, header, HEADER_FROM, added->from, OVERVIEW_TEXT_MAX);
	overview_append_field(
	    out, header, HEADER_DATE, added->date, OVERVIEW_SHORT_MAX);
	overview_append_field(out, header, HEADER_MESSAGE_ID,
	    added->message_id, OVERVIEW_SHORT_MAX);
	overview_append_references(out, header, added->references);
	buffer_append_byte(out, '\t');
	buffer_append_number(out, added->bytes);
	buffer_append_byte(out, '\t');
	buffer_append_number(out, added->lines);
	buffer_append_byte(out, '\t');
}

struct span
overview_row_field(struct span row, enum overview_field field)
{
	struct span rest = row, none = { NULL, 0 };
	const char *tab;

	for (unsigned i = 0; i <= (unsigned)field; i++) {
		tab = rest.len == 0 ? NULL : memchr(rest.bytes, '\t', rest.len);
		if (tab == NULL)
			return none;
		rest.len -= (size_t)(tab + 1 - rest.bytes);
		rest.bytes = tab + 1;
	}
	tab = rest.len == 0 ? NULL : memchr(rest.bytes, '\t', rest.len);
	if (tab != NULL)
		rest.len = (size_t)(tab - rest.bytes);
	while (rest.len > 0 && (rest.bytes[rest.len - 1] == '\n' ||
				   rest.bytes[rest.len - 1] == '\r'))
		rest.len--;
	if (field == OVERVIEW_XREF && span_starts(rest, "Xref: "))
		rest = span_make(rest.bytes + 6, rest.len - 6);
	return rest;
}

bool
overview_may_be_cut(enum overview_field field, size_t len)
{
	switch (field) {
	case OVERVIEW_SUBJECT:
	case OVERVIEW_FROM:
		return len + UTF8_MAX > OVERVIEW_TEXT_MAX;
	case OVERVIEW_DATE:
	case OVERVIEW_MESSAGE_ID:
		return len + UTF8_MAX > OVERVIEW_SHORT_MAX;
	case OVERVIEW_REFERENCES:
		/* a root and as many of the newest as fit beside it */
		return len + 3 * MSGID_MAX > OVERVIEW_REFERENCES_MAX;
	case OVERVIEW_BYTES:
	case OVERVIEW_LINES:
	case OVERVIEW_XREF:
	case OVERVIEW_FIELDS:
	default:
		return false;
	}
}

enum overview_field
overview_field_named(struct span name)
{
	for (unsigned i = 0; i < OVERVIEW_FIELDS; i++)
		if (span_is(name, overview_names[i].name))
			return (enum overview_field)i;
	return OVERVIEW_FIELDS;
}

const char *
overview_format_line(enum overview_field field)
{
	return field < OVERVIEW_FIELDS ? overview_names[field].format : NULL;
}
