/* address_list.c - reads From, To and their like.
 */
#include <errno.h>
#include <stdlib.h>

#include "protocol/address.h"
#include "protocol/utf8.h"
#include "protocol/words.h"

#define LIST_INPUT_MAX 262144u
#define NAME_MAX_LEN   200u

/* One mailbox while it is read. */
struct mailbox {
	struct buffer phrase;  /* words before '<', quotes taken off */
	struct buffer comment; /* the last one */
	struct buffer spec;    /* within < > */
	struct buffer bare;    /* words, quotes kept, blanks dropped */
	bool angle;
};

static void
mailbox_init(struct mailbox *box)
{
	buffer_init(&box->phrase, LIST_INPUT_MAX);
	buffer_init(&box->comment, LIST_INPUT_MAX);
	buffer_init(&box->spec, LIST_INPUT_MAX);
	buffer_init(&box->bare, LIST_INPUT_MAX);
	box->angle = false;
}

static void
mailbox_clear(struct mailbox *box)
{
	buffer_clear(&box->phrase);
	buffer_clear(&box->comment);
	buffer_clear(&box->spec);
	buffer_clear(&box->bare);
	box->angle = false;
}

static void
mailbox_fini(struct mailbox *box)
{
	buffer_fini(&box->phrase);
	buffer_fini(&box->comment);
	buffer_fini(&box->spec);
	buffer_fini(&box->bare);
}

/* Blanks around '.' and '@' go (RFC 5322 4.4); others stay and make the address
 * invalid: "John x@y" must not become Johnx@y. */
static void
spec_append(struct buffer *spec, char c)
{
	bool blank = strchr(" \t\r\n", c) != NULL;
	char last = spec->len == 0 ? ' ' : spec->bytes[spec->len - 1];

	if (blank && (last == ' ' || last == '.' || last == '@'))
		return;
	if ((c == '.' || c == '@') && spec->len > 0 && last == ' ')
		spec->bytes[--spec->len] = '\0';
	buffer_append_byte(spec, blank ? ' ' : c);
}

/* From '(' on; its text goes to out (may be NULL). Returns what follows. */
static size_t
read_comment(struct span value, size_t at, struct buffer *out)
{
	size_t depth = 1;

	if (out != NULL)
		buffer_clear(out);
	for (at++; at < value.len; at++) {
		char c = value.bytes[at];

		if (c == '\\' && at + 1 < value.len)
			c = value.bytes[++at];
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return at + 1;
		if (out != NULL)
			buffer_append_byte(out, c);
	}
	return at;
}

/* From '"' on: without quotes to text, as written to raw. */
static size_t
read_quoted(struct span value, size_t at, struct buffer *text,
    struct buffer *raw)
{
	size_t start = at;

	for (at++; at < value.len && value.bytes[at] != '"'; at++) {
		if (value.bytes[at] == '\\' && at + 1 < value.len)
			at++;
		if (text != NULL)
			buffer_append_byte(text, value.bytes[at]);
	}
	if (at < value.len)
		at++;
	buffer_append(raw, value.bytes + start, at - start);
	return at;
}

/* From '<' on. */
static size_t
read_angle(struct span value, size_t at, struct mailbox *box)
{
	buffer_clear(&box->spec);
	box->angle = true;
	for (at++; at < value.len && value.bytes[at] != '>';) {
		char c = value.bytes[at];

		if (c == '"') {
			at = read_quoted(value, at, NULL, &box->spec);
			continue;
		}
		if (c == '(') {
			at = read_comment(value, at, NULL);
			continue;
		}
		/* a route: all up to the ':' is history (RFC 5322 4.4) */
		if (c == ':' && box->spec.len > 0 &&
		    buffer_text(&box->spec)[0] == '@')
			buffer_clear(&box->spec);
		else
			spec_append(&box->spec, c);
		at++;
	}
	return at < value.len ? at + 1 : at;
}

/* `"joe"@x` is joe@x, as is joe@x. with a dot. Returns owned text, "" if it is not
 * valid. */
static char *
spec_text(struct span spec)
{
	struct buffer out;
	size_t at;

	spec = span_trim(spec);
	if (spec.len > 0 && spec.bytes[spec.len - 1] == '.' &&
	    address_is_valid(span_make(spec.bytes, spec.len - 1)))
		spec.len--;
	at = address_local_len(spec);
	buffer_init(&out, 0);
	if (at > 2 && at < spec.len && spec.bytes[0] == '"' &&
	    spec.bytes[at - 1] == '"') {
		buffer_append(&out, spec.bytes + 1, at - 2);
		buffer_append(&out, spec.bytes + at, spec.len - at);
		if (memchr(spec.bytes + 1, '\\', at - 2) == NULL &&
		    spec.bytes[1] != '"' && address_is_valid(buffer_span(&out)))
			return buffer_take(&out, NULL);
		buffer_clear(&out);
	}
	if (address_is_valid(spec))
		buffer_append_span(&out, spec);
	return buffer_take(&out, NULL);
}

static char *
name_text(const struct mailbox *box)
{
	struct span raw = buffer_span(&box->phrase);
	struct buffer out, cut;

	buffer_init(&out, 0);
	buffer_init(&cut, 0);
	if (!box->angle || span_trim(raw).len == 0)
		raw = buffer_span(&box->comment);
	words_decode(&out, raw);
	buffer_append_span(&cut,
	    span_trim(utf8_cut(span_trim(buffer_span(&out)), NAME_MAX_LEN)));
	if (buffer_failed(&out))
		cut.failed = true;
	buffer_fini(&out);
	return buffer_take(&cut, NULL);
}

static void
address_fini(struct address *address)
{
	free(address->name);
	free(address->text);
	free(address->compared);
	memset(address, 0, sizeof *address);
}

static int
list_add(struct address_list *list, const struct address *address)
{
	struct address *items;

	if ((list->count & (list->count + 1)) == 0) {
		items =
		    realloc(list->items, (list->count * 2 + 2) * sizeof *items);
		if (items == NULL)
			return -ENOMEM;
		list->items = items;
	}
	list->items[list->count++] = *address;
	return 0;
}

/* Puts what was read into the list. */
static int
mailbox_finish(struct mailbox *box, size_t max, struct address_list *list)
{
	struct buffer *spec = box->angle ? &box->spec : &box->bare;
	struct address address = { 0 };
	struct buffer compared;
	int rc = 0;

	if (!box->angle && box->bare.len == 0) {
		mailbox_clear(box);
		return 0;
	}
	if (list->count >= max) {
		list->truncated = true;
		mailbox_clear(box);
		return 0;
	}
	buffer_init(&compared, 0);
	address.text = spec_text(buffer_span(spec));
	address.name = name_text(box);
	if (address.text == NULL || address.name == NULL)
		rc = -ENOMEM;
	else if (address_compare_form(&compared, span_of(address.text)) != 0)
		list->malformed = true;
	else if ((address.compared = buffer_take(&compared, NULL)) == NULL)
		rc = -ENOMEM;
	else
		rc = list_add(list, &address);
	if (address.compared == NULL || rc != 0)
		address_fini(&address);
	buffer_fini(&compared);
	mailbox_clear(box);
	return rc;
}

static size_t
read_literal(struct span value, size_t at, struct buffer *out)
{
	size_t start = at;

	while (
	    at < value.len && value.bytes[at] != ']' && value.bytes[at] != ',')
		at++;
	if (at < value.len && value.bytes[at] == ']')
		at++;
	buffer_append(out, value.bytes + start, at - start);
	return at;
}

static size_t
read_word(struct span value, size_t at, struct mailbox *box)
{
	char c = value.bytes[at];

	if (c == '[')
		return read_literal(value, at, &box->bare);
	buffer_append_byte(&box->phrase, c);
	spec_append(&box->bare, c);
	return at + 1;
}

int
address_list_parse(struct span value, size_t max, struct address_list *list)
{
	struct mailbox box;
	size_t at = 0;
	int rc = 0;

	memset(list, 0, sizeof *list);
	if (value.len > LIST_INPUT_MAX) {
		value.len = LIST_INPUT_MAX;
		list->truncated = true;
	}
	mailbox_init(&box);
	while (rc == 0 && at < value.len && list->count <= max) {
		char c = value.bytes[at];

		if (c == '"') {
			at = read_quoted(value, at, &box.phrase, &box.bare);
		} else if (c == '(') {
			at = read_comment(value, at, &box.comment);
		} else if (c == '<') {
			/* two of them in one mailbox: which one is meant? */
			list->malformed |= box.angle;
			at = read_angle(value, at, &box);
		} else if (c == ',' || c == ';') {
			rc = mailbox_finish(&box, max, list);
			at++;
		} else if (c == ':') {
			mailbox_clear(&box); /* the name of a group */
			at++;
		} else {
			at = read_word(value, at, &box);
		}
	}
	if (rc == 0)
		rc = mailbox_finish(&box, max, list);
	mailbox_fini(&box);
	if (rc != 0)
		address_list_fini(list);
	return rc;
}

void
address_list_fini(struct address_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		address_fini(&list->items[i]);
	free(list->items);
	memset(list, 0, sizeof *list);
}
