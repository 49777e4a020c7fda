/* article.c - scans the header of an article or mail in wire form.
 */
#include "protocol/article.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/article_check.h"

#define ARTICLE_FIRST_ROOM 16u /* below what malloc keeps at hand */
#define ARTICLE_LINE_MAX   998u
#define ARTICLE_SHOWN_NAME 40 /* octets of a poster's word in a reply */

/* What one scan carries from line to line. */
struct article_scanner {
	struct article_header *header;
	struct article_limits limits;
	bool strict;
	size_t line;  /* offset of the line at hand */
	size_t next;  /* offset of the line after it */
	size_t field; /* offset of the field under way */
	size_t value; /* offset of its value */
};

void
article_header_init(struct article_header *header)
{
	memset(header, 0, sizeof *header);
}

void
article_header_fini(struct article_header *header)
{
	if (!header->lent)
		free(header->fields);
	article_header_init(header);
}

void
article_header_lend(struct article_header *header, struct article_field *fields,
    size_t room)
{
	header->fields = fields;
	header->room = room;
	header->lent = true;
}

int
article_fault_set(struct article_header *header, enum article_fault fault,
    enum header_id id, struct span name)
{
	header->fault = fault;
	header->fault_id = id;
	header->fault_name = name;
	return -EBADMSG;
}

static int
scanner_fault(struct article_scanner *scan, enum article_fault fault)
{
	struct article_header *header = scan->header;
	struct span name = { NULL, 0 };

	if (header->count > 0 && fault != ARTICLE_NO_COLON &&
	    fault != ARTICLE_BAD_NAME)
		name = header->fields[header->count - 1].name;
	return article_fault_set(header, fault, HEADER_UNKNOWN, name);
}

/* Sets scan->next; the line without CRLF is returned. */
static struct span
scanner_line(struct article_scanner *scan)
{
	struct span wire = scan->header->wire;
	const char *start = wire.bytes + scan->line;
	const char *end = wire.bytes + wire.len, *at = start, *lf;

	while (at < end && (lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (lf > start && lf[-1] == '\r') {
			scan->header->lines++;
			scan->next = (size_t)(lf + 1 - wire.bytes);
			return span_make(start, (size_t)(lf - 1 - start));
		}
		at = lf + 1;
	}
	scan->next = wire.len;
	return span_make(start, (size_t)(end - start));
}

static int
scanner_grow(struct article_header *header)
{
	struct article_field *fields;
	size_t room = header->room == 0 ? ARTICLE_FIRST_ROOM : header->room * 2;

	fields = realloc(header->lent ? NULL : header->fields,
	    room * sizeof *fields);
	if (fields == NULL)
		return -ENOMEM;
	if (header->lent)
		memcpy(fields, header->fields, header->count * sizeof *fields);
	header->lent = false;
	header->fields = fields;
	header->room = room;
	return 0;
}

/* Closes the field under way at scan->line. */
static void
scanner_field_end(struct article_scanner *scan)
{
	struct article_header *header = scan->header;
	struct article_field *field;

	if (header->count == 0)
		return;
	field = &header->fields[header->count - 1];
	field->len = scan->line - scan->field;
	field->value = span_trim(span_make(header->wire.bytes + scan->value,
	    scan->line - scan->value));
}

static bool
scanner_is_mbox_line(const struct article_scanner *scan, struct span line)
{
	if (scan->line != 0)
		return false;
	if (line.len > 0 && line.bytes[0] == '>')
		line = span_make(line.bytes + 1, line.len - 1);
	return line.len >= 5 && memcmp(line.bytes, "From ", 5) == 0;
}

/* The name of the field on this line, and its row if it is known; empty if it is
 * none. colon: the first on the line, or NULL. */
static struct span
scanner_name(const struct article_scanner *scan, struct span line,
    const char *colon, const struct header_info **info_r)
{
	struct span name = { NULL, 0 };

	*info_r = NULL;
	if (colon == NULL || scanner_is_mbox_line(scan, line))
		return name;
	name = span_make(line.bytes, (size_t)(colon - line.bytes));
	if (name.len > 0 && name.bytes[0] == '.')
		name = span_make(name.bytes + 1, name.len - 1);
	if (!scan->strict)
		while (name.len > 0 && (name.bytes[name.len - 1] == ' ' ||
					   name.bytes[name.len - 1] == '\t'))
			name.len--;
	*info_r = header_find(name);
	if (*info_r == NULL && !header_name_is_valid(name))
		name.len = 0;
	return name;
}

static int
scanner_field_begin(struct article_scanner *scan, struct span line)
{
	struct article_header *header = scan->header;
	const char *colon = memchr(line.bytes, ':', line.len);
	const struct header_info *info;
	struct span name = scanner_name(scan, line, colon, &info);
	struct article_field *field;

	if (header->count >= scan->limits.fields)
		return scanner_fault(scan, ARTICLE_TOO_MANY_FIELDS);
	if (name.len == 0 && scan->strict)
		return scanner_fault(scan,
		    colon == NULL ? ARTICLE_NO_COLON : ARTICLE_BAD_NAME);
	if (header->count == header->room && scanner_grow(header) != 0)
		return -ENOMEM;
	field = &header->fields[header->count++];
	field->id = name.len == 0 ? HEADER_JUNK :
	    info == NULL	  ? HEADER_UNKNOWN :
				    info->id;
	field->name = name;
	field->offset = scan->field = scan->line;
	scan->value = scan->line;
	if (name.len > 0)
		scan->value = (size_t)(colon - header->wire.bytes) + 1;
	if (header->first[field->id] == 0)
		header->first[field->id] = (uint32_t)header->count;
	header->has_junk = header->has_junk || name.len == 0;
	return 0;
}

static bool
scanner_is_blank(struct span text)
{
	return span_trim(text).len == 0;
}

/* What RFC 5536 2.2 asks of each line of a header. */
static int
scanner_check_line(struct article_scanner *scan, struct span line, bool begins)
{
	struct article_header *header = scan->header;
	const char *value = header->wire.bytes + scan->value;
	size_t len = (size_t)(line.bytes + line.len - value);

	if (line.len > ARTICLE_LINE_MAX)
		return scanner_fault(scan, ARTICLE_LINE_TOO_LONG);
	if (!header_value_is_clean(line))
		return scanner_fault(scan,
		    memchr(line.bytes, '\0', line.len) == NULL ?
			ARTICLE_HAS_BARE :
			ARTICLE_HAS_NUL);
	if (!begins)
		return scanner_is_blank(line) ?
		    scanner_fault(scan, ARTICLE_BLANK_LINE) :
		    0;
	if (scanner_is_blank(span_make(value, len)))
		return scanner_fault(scan, ARTICLE_BLANK_VALUE);
	if (value[0] != ' ')
		return scanner_fault(scan, ARTICLE_NO_SPACE);
	return 0;
}

static int
scanner_take_line(struct article_scanner *scan, struct span line)
{
	bool folded = line.bytes[0] == ' ' || line.bytes[0] == '\t';
	int rc;

	if (folded && scan->header->count == 0 && scan->strict)
		return scanner_fault(scan, ARTICLE_FOLDED_FIRST);
	folded = folded && scan->header->count > 0;
	if (!folded) {
		scanner_field_end(scan);
		rc = scanner_field_begin(scan, line);
		if (rc != 0)
			return rc;
	}
	if (scan->strict)
		return scanner_check_line(scan, line, !folded);
	return 0;
}

/* Line by line to the empty line or the end of the bytes. */
static int
scanner_run(struct article_scanner *scan)
{
	struct article_header *header = scan->header;
	struct span line;
	int rc;

	for (; scan->line < header->wire.len; scan->line = scan->next) {
		line = scanner_line(scan);
		if (line.len == 0) {
			header->body_offset = scan->next;
			break;
		}
		if (scan->next > scan->limits.header)
			return scanner_fault(scan, ARTICLE_HEADER_TOO_LARGE);
		rc = scanner_take_line(scan, line);
		if (rc != 0)
			return rc;
	}
	scanner_field_end(scan);
	header->header_len = scan->line;
	header->eight_bit =
	    span_has_high(span_make(header->wire.bytes, scan->line));
	if (scan->strict && scan->line == header->wire.len)
		return scanner_fault(scan, ARTICLE_NO_BODY);
	return 0;
}

static void
article_header_reset(struct article_header *header, struct span wire)
{
	struct article_field *fields = header->fields;
	size_t room = header->room;
	bool lent = header->lent;

	article_header_init(header);
	header->lent = lent;
	header->fields = fields;
	header->room = room;
	header->wire = wire;
	header->body_offset = wire.len;
}

int
article_scan(struct article_header *header, struct span wire,
    enum article_mode mode, const struct article_limits *limits)
{
	static const struct article_limits defaults = { ARTICLE_FIELDS_MAX,
		ARTICLE_HEADER_MAX };
	struct article_scanner scan = { 0 };
	int rc;

	article_header_reset(header, wire);
	scan.header = header;
	scan.limits = limits == NULL ? defaults : *limits;
	scan.strict = mode != ARTICLE_MAIL;
	if (scan.strict && wire.len == 0)
		return scanner_fault(&scan, ARTICLE_EMPTY);
	rc = scanner_run(&scan);
	if (rc != 0 || !scan.strict)
		return rc;
	return article_check(header, mode);
}

/* How a fault is said; %s is the name of the header. */
static const char *const fault_texts[] = {
	[ARTICLE_FINE] = "nothing wrong",
	[ARTICLE_EMPTY] = "the article is empty",
	[ARTICLE_HEADER_TOO_LARGE] = "the header is too large",
	[ARTICLE_TOO_MANY_FIELDS] = "too many header fields",
	[ARTICLE_HAS_NUL] = "NUL in %s header",
	[ARTICLE_HAS_BARE] = "CR or LF alone in %s header",
	[ARTICLE_LINE_TOO_LONG] = "line above 998 octets in %s header",
	[ARTICLE_NO_COLON] = "header line without a colon",
	[ARTICLE_BAD_NAME] = "bad header name",
	[ARTICLE_NO_SPACE] = "no space after the colon of %s header",
	[ARTICLE_BLANK_VALUE] = "%s header is empty",
	[ARTICLE_BLANK_LINE] = "blank line within %s header",
	[ARTICLE_FOLDED_FIRST] = "the header begins with a folded line",
	[ARTICLE_NO_BODY] = "no empty line after the header",
	[ARTICLE_REPEATED] = "more than one %s header",
	[ARTICLE_MISSING] = "no %s header",
	[ARTICLE_FORBIDDEN] = "%s header is not allowed here",
	[ARTICLE_TOO_MANY_REFERENCES] = "too many Message-IDs in %s header",
	[ARTICLE_BAD_VALUE] = "bad %s header",
};

static void
fault_name(const struct article_header *header, char *name, size_t size)
{
	const char *known = header_info(header->fault_id)->name;
	size_t len = header->fault_name.len;

	if (known[0] != '\0') {
		(void)snprintf(name, size, "%s", known);
	} else if (len == 0) {
		(void)snprintf(name, size, "a");
	} else {
		if (len > ARTICLE_SHOWN_NAME)
			len = ARTICLE_SHOWN_NAME;
		(void)snprintf(
		    name, size, "%.*s", (int)len, header->fault_name.bytes);
	}
}

const char *
article_fault_text(const struct article_header *header, char *text, size_t size)
{
	const char *form = fault_texts[header->fault];
	const char *mark = strstr(form, "%s");
	char name[ARTICLE_SHOWN_NAME + 1];

	if (mark == NULL) {
		(void)snprintf(text, size, "%s", form);
		return text;
	}
	fault_name(header, name, sizeof name);
	(void)snprintf(text, size, "%.*s%s%s", (int)(mark - form), form, name,
	    mark + 2);
	return text;
}

const struct article_field *
article_field_find(
    const struct article_header *header, enum header_id id, size_t nth)
{
	size_t i = header->first[id];

	if (i == 0)
		return NULL;
	for (i--; i < header->count; i++)
		if (header->fields[i].id == id && nth-- == 0)
			return &header->fields[i];
	return NULL;
}

const struct article_field *
article_field_named(
    const struct article_header *header, struct span name, size_t nth)
{
	const struct header_info *info = header_find(name);

	if (info != NULL)
		return article_field_find(header, info->id, nth);
	for (size_t i = 0; i < header->count; i++) {
		struct span other = header->fields[i].name;

		if (other.len == name.len && name.len > 0 &&
		    strncasecmp(other.bytes, name.bytes, name.len) == 0 &&
		    nth-- == 0)
			return &header->fields[i];
	}
	return NULL;
}

struct span
article_value(const struct article_header *header, enum header_id id)
{
	const struct article_field *field = article_field_find(header, id, 0);

	return field == NULL ? span_make(NULL, 0) : field->value;
}

struct span
article_body(const struct article_header *header)
{
	return span_make(header->wire.bytes + header->body_offset,
	    header->wire.len - header->body_offset);
}
