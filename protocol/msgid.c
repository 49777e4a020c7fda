/* msgid.c - Message-IDs.
 */
#include "build.h"

#include "protocol/msgid.h"

#include <errno.h>

static bool
msgid_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

/* RFC 5322 3.2.3 atext. */
static bool
msgid_is_atext(char c)
{
	return msgid_is_alnum(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
msgid_is_dot_atom(struct span text)
{
	bool dot = true; /* none may begin, end or follow another */

	for (size_t i = 0; i < text.len; i++) {
		if (text.bytes[i] == '.') {
			if (dot)
				return false;
			dot = true;
		} else if (msgid_is_atext(text.bytes[i])) {
			dot = false;
		} else {
			return false;
		}
	}
	return !dot;
}

static bool
msgid_is_literal(struct span text)
{
	if (text.len < 2 || text.bytes[0] != '[' ||
	    text.bytes[text.len - 1] != ']')
		return false;
	for (size_t i = 1; i < text.len - 1; i++)
		if (text.bytes[i] <= ' ' || text.bytes[i] >= 127 ||
		    strchr("[]\\>", text.bytes[i]) != NULL)
			return false;
	return true;
}

bool
msgid_is_strict(struct span id)
{
	struct span left, right;
	const char *at;

	if (!msgid_is_valid(id))
		return false;
	at = memchr(id.bytes, '@', id.len);
	if (at == NULL)
		return false;
	left = span_make(id.bytes + 1, (size_t)(at - id.bytes) - 1);
	right = span_make(at + 1, id.len - left.len - 3);
	return msgid_is_dot_atom(left) &&
	    (msgid_is_dot_atom(right) || msgid_is_literal(right));
}

bool
msgid_is_valid(struct span id)
{
	if (id.len < 3 || id.len > MSGID_MAX || id.bytes[0] != '<' ||
	    id.bytes[id.len - 1] != '>')
		return false;
	for (size_t i = 1; i < id.len - 1; i++)
		if (id.bytes[i] <= ' ' || id.bytes[i] >= 127 ||
		    id.bytes[i] == '>')
			return false;
	return true;
}

void
msgid_list_init(struct msgid_list *list)
{
	/* the ids are as many as count says: 4 KB to clear otherwise */
	list->count = 0;
	buffer_init(&list->text, 0);
	buffer_lend(&list->text, list->room, sizeof list->room);
}

void
msgid_list_fini(struct msgid_list *list)
{
	buffer_fini(&list->text);
	list->count = 0;
}

/* What was found in the raw value: the first, and a ring of the newest. */
struct msgid_found {
	struct span first;
	struct span ring[MSGID_LIST_MAX];
	size_t count; /* all that were found */
	size_t max;
};

static void
msgid_found_add(struct msgid_found *found, struct span inner)
{
	if (found->count == 0)
		found->first = inner;
	found->ring[found->count % found->max] = inner;
	found->count++;
}

static bool
msgid_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The id inside brackets: printable but for the blanks of a fold, and not too
 * long once these are gone. */
static bool
msgid_inner_is_fine(struct span inner)
{
	size_t len = 0;

	for (size_t i = 0; i < inner.len; i++) {
		char c = inner.bytes[i];

		if (c > ' ' && c < 127)
			len++;
		else if (!msgid_is_blank(c))
			return false;
	}
	return len > 0 && len <= MSGID_MAX - 2;
}

static void
msgid_find_bracketed(struct msgid_found *found, struct span raw)
{
	const char *at = raw.bytes, *end = at + raw.len, *open, *close;
	struct span inner;

	while ((open = memchr(at, '<', (size_t)(end - at))) != NULL &&
	    (close = memchr(open, '>', (size_t)(end - open))) != NULL) {
		/* the nearest one before its end */
		open = memrchr(open, '<', (size_t)(close - open));
		inner = span_make(open + 1, (size_t)(close - open) - 1);
		if (msgid_inner_is_fine(inner))
			msgid_found_add(found, inner);
		at = close + 1;
	}
}

static bool
msgid_is_separator(char c)
{
	return msgid_is_blank(c) || c == '\0' || strchr(",;\"'()>", c) != NULL;
}

static void
msgid_find_bare(struct msgid_found *found, struct span raw)
{
	size_t at = 0, from;
	struct span word;

	while (at < raw.len) {
		while (at < raw.len && msgid_is_separator(raw.bytes[at]))
			at++;
		from = at;
		while (at < raw.len && !msgid_is_separator(raw.bytes[at]))
			at++;
		word = span_make(raw.bytes + from, at - from);
		if (word.len > 2 && memchr(word.bytes, '@', word.len) != NULL &&
		    msgid_inner_is_fine(word))
			msgid_found_add(found, word);
	}
}

static size_t
msgid_render(struct buffer *text, struct span inner)
{
	size_t before = text->len, from, to;

	buffer_append_byte(text, '<');
	for (from = 0; from < inner.len; from = to + 1) {
		for (to = from; to < inner.len; to++)
			if (msgid_is_blank(inner.bytes[to]))
				break;
		buffer_append(text, inner.bytes + from, to - from);
	}
	buffer_append_byte(text, '>');
	return text->len - before;
}

int
msgid_list_parse(struct msgid_list *list, struct span raw, size_t max)
{
	struct msgid_found found;
	size_t at = 0, skip;

	buffer_clear(&list->text);
	list->count = 0;
	if (max == 0)
		return 0;
	found.max = max > MSGID_LIST_MAX ? MSGID_LIST_MAX : max;
	found.count = 0;
	if (raw.len > 0 && memchr(raw.bytes, '<', raw.len) != NULL)
		msgid_find_bracketed(&found, raw);
	else
		msgid_find_bare(&found, raw);
	skip = found.count > found.max ? found.count - found.max : 0;
	for (size_t i = skip; i < found.count; i++) {
		struct span inner = found.ring[i % found.max];

		if (skip > 0 && i == skip && found.max > 1)
			inner = found.first;
		list->ids[list->count++].len = msgid_render(&list->text, inner);
	}
	if (buffer_failed(&list->text)) {
		list->count = 0;
		return -ENOMEM;
	}
	/* the text moves while it grows: addresses come last */
	for (size_t i = 0; i < list->count; at += list->ids[i++].len)
		list->ids[i].bytes = buffer_text(&list->text) + at;
	return 0;
}

struct span
msgid_of_value(struct span raw)
{
	const char *open, *end;
	struct span id;

	open = raw.len == 0 ? NULL : memchr(raw.bytes, '<', raw.len);
	if (open == NULL)
		return span_make(NULL, 0);
	end = memchr(open, '>', raw.len - (size_t)(open - raw.bytes));
	if (end == NULL)
		return span_make(NULL, 0);
	id = span_make(open, (size_t)(end - open) + 1);
	return msgid_is_valid(id) ? id : span_make(NULL, 0);
}
