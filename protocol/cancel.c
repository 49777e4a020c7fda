/* cancel.c - see cancel.h.
 */
#include "protocol/cancel.h"

#include "protocol/header.h"
#include "protocol/msgid.h"

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

static bool
is_scheme(struct span word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!is_alnum(word.bytes[i]) && word.bytes[i] != '-' &&
		    word.bytes[i] != '/')
			return false;
	return word.len > 0;
}

static bool
is_base64(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_alnum(text.bytes[i]) && text.bytes[i] != '+' &&
		    text.bytes[i] != '/' && text.bytes[i] != '=')
			return false;
	return text.len > 0;
}

/* The next word and what follows it. */
static struct span
next_word(struct span *rest)
{
	struct span word;
	size_t from = 0, to;

	while (from < rest->len && span_blank_at(*rest, from))
		from++;
	to = from;
	while (to < rest->len && !span_blank_at(*rest, to))
		to++;
	word = span_make(rest->bytes + from, to - from);
	*rest = span_make(rest->bytes + to, rest->len - to);
	return word;
}

struct span
control_verb(struct span raw)
{
	struct span verb = next_word(&raw);

	for (size_t i = 0; i < verb.len; i++)
		if (!is_alnum(verb.bytes[i]) &&
		    memchr("!#$%&'*+-.^_`{|}~", verb.bytes[i], 17) == NULL)
			return span_make(NULL, 0);
	return verb;
}

struct span
control_cancel_target(struct span raw)
{
	struct span verb = next_word(&raw), id = next_word(&raw);

	if (!span_is(verb, "cancel") || next_word(&raw).len > 0 ||
	    !msgid_is_valid(id))
		return span_make(NULL, 0);
	return id;
}

/* The next run of octets outside of comments; empty at the end. */
static struct span
next_outside(struct span *rest)
{
	size_t start = header_skip_blank(*rest, 0), at = start;
	struct span word;

	while (at < rest->len && !span_blank_at(*rest, at) &&
	    rest->bytes[at] != '(')
		at++;
	word = span_make(rest->bytes + start, at - start);
	*rest = span_make(rest->bytes + at, rest->len - at);
	return word;
}

static bool
element_read(struct span word, struct cancel_element *element)
{
	const char *colon =
	    word.len == 0 ? NULL : memchr(word.bytes, ':', word.len);
	size_t at;

	if (colon == NULL)
		return false;
	at = (size_t)(colon - word.bytes);
	element->scheme = span_make(word.bytes, at);
	element->text = span_make(colon + 1, word.len - at - 1);
	return is_scheme(element->scheme) && is_base64(element->text);
}

bool
cancel_element_next(struct span *rest, struct cancel_element *element)
{
	struct span word;

	while ((word = next_outside(rest)).len > 0)
		if (element_read(word, element))
			return true;
	return false;
}

bool
cancel_list_is_valid(struct span raw)
{
	struct cancel_element element;
	struct span word;
	bool any = false;

	while ((word = next_outside(&raw)).len > 0) {
		if (!element_read(word, &element))
			return false;
		any = true;
	}
	return any;
}
