/* mail_text.c - chooses among the parts, decodes them, cleans the result.
 */
#include "protocol/mail_text.h"

#include <stdlib.h>

#include "protocol/charset.h"
#include "protocol/html_text.h"
#include "protocol/utf8.h"
#include "protocol/words.h"

#define BODY_PARTS_MAX 20u

struct text_builder {
	struct span message;
	const struct mime_tree *tree;
	size_t max;
	struct mail_text_flags *flags;
};

static bool
is_html(const struct mime_entity *entity)
{
	return span_is(entity->type, "text/html");
}

bool
mail_text_is_body(const struct mime_entity *entity)
{
	return entity->leaf &&
	    (span_is(entity->type, "text/plain") || is_html(entity) ||
		span_is(entity->type, "text/enriched") ||
		span_starts(entity->type, "multipart/")) &&
	    !span_is(words_main(entity->disposition), "attachment");
}

/* Line ends to LF, controls away. */
static void
append_lines(struct buffer *out, struct span text)
{
	size_t start = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.bytes[i];

		if ((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t')
			continue;
		buffer_append(out, text.bytes + start, i - start);
		if (c == '\r' &&
		    (i + 1 == text.len || text.bytes[i + 1] != '\n'))
			buffer_append_byte(out, '\n');
		start = i + 1;
	}
	buffer_append(out, text.bytes + start, text.len - start);
}

static bool
param_is(const struct mime_entity *entity, const char *name, const char *value)
{
	struct buffer out;
	bool is;

	buffer_init(&out, 0);
	is = words_param(&out, entity->type_value, name) == 0 &&
	    span_is(buffer_span(&out), value);
	buffer_fini(&out);
	return is;
}

/* The bounded head of a part as UTF-8 with LF. */
static void
leaf_text(const struct text_builder *builder, const struct mime_entity *entity,
    struct buffer *out)
{
	/* QP may need three octets for one, HTML ten for one of text */
	size_t most = builder->max * (is_html(entity) ? 10 : 4) + 4096;
	struct span body = span_make(builder->message.bytes + entity->body,
	    entity->end - entity->body);
	struct buffer bytes, charset, utf8;

	if (body.len > most) {
		body.len = most;
		builder->flags->truncated = true;
	}
	buffer_init(&bytes, 0);
	buffer_init(&charset, 0);
	buffer_init(&utf8, 0);
	mime_decode(&bytes, body, entity->encoding);
	(void)words_param(&charset, entity->type_value, "charset");
	charset_to_utf8(&utf8, buffer_span(&bytes), buffer_span(&charset));
	buffer_clear(&bytes);
	append_lines(&bytes, buffer_span(&utf8));
	if (is_html(entity))
		html_to_text(out, buffer_span(&bytes));
	else if (param_is(entity, "format", "flowed"))
		flowed_to_text(out, buffer_span(&bytes),
		    param_is(entity, "delsp", "yes"));
	else
		buffer_append_span(out, buffer_span(&bytes));
	out->failed |= bytes.failed || charset.failed || utf8.failed;
	buffer_fini(&bytes);
	buffer_fini(&charset);
	buffer_fini(&utf8);
}

/* The nearest multipart/alternative that holds it, SIZE_MAX if none; an
 * embedded message is not looked out of. */
static size_t
alternative_of(const struct mime_tree *tree, size_t index)
{
	while (tree->items[index].parent != index) {
		index = tree->items[index].parent;
		if (span_is(tree->items[index].type, "multipart/alternative"))
			return index;
	}
	return SIZE_MAX;
}

/* Is it inside an embedded message or a report's machine part? */
static bool
is_embedded(const struct mime_tree *tree, size_t index)
{
	while (tree->items[index].parent != index) {
		index = tree->items[index].parent;
		if (span_starts(tree->items[index].type, "message/"))
			return true;
	}
	return false;
}

static void
look_for_pgp(struct span text, struct mail_text_flags *flags)
{
	text = span_trim(text);
	if (span_starts(text, "-----BEGIN PGP MESSAGE-----"))
		flags->encrypted = true;
	if (span_starts(text, "-----BEGIN PGP SIGNED MESSAGE-----"))
		flags->is_signed = true;
}

/* The text of one body leaf; the HTML twin is tried when it is blank. */
static void
choose(const struct text_builder *builder, size_t index, size_t twin,
    struct buffer *out)
{
	const struct mime_entity *items = builder->tree->items;
	bool html = is_html(&items[index]);

	leaf_text(builder, &items[index], out);
	if (span_trim(buffer_span(out)).len == 0 && twin != SIZE_MAX) {
		buffer_clear(out);
		leaf_text(builder, &items[twin], out);
		html = is_html(&items[twin]);
	}
	if (!html)
		look_for_pgp(buffer_span(out), builder->flags);
	builder->flags->from_html |=
	    html && span_trim(buffer_span(out)).len > 0;
}

/* The first body leaf with the same alternative and another type. */
static size_t
twin_of(const struct text_builder *builder, size_t index, size_t alternative)
{
	const struct mime_tree *tree = builder->tree;

	for (size_t i = index + 1; alternative != SIZE_MAX && i < tree->count;
	     i++) {
		if (mail_text_is_body(&tree->items[i]) &&
		    is_html(&tree->items[i]) != is_html(&tree->items[index]) &&
		    alternative_of(tree, i) == alternative)
			return i;
	}
	return SIZE_MAX;
}

void
mail_text_build(struct buffer *out, struct span message,
    const struct mime_tree *tree, size_t max, struct mail_text_flags *flags)
{
	struct text_builder builder = { message, tree, max, flags };
	size_t done[BODY_PARTS_MAX], done_count = 0;
	struct buffer one;

	buffer_init(&one, 0);
	for (size_t i = 0; i < tree->count && done_count < BODY_PARTS_MAX;
	     i++) {
		size_t alternative, twin, k = 0;

		if (!mail_text_is_body(&tree->items[i]) || is_embedded(tree, i))
			continue;
		alternative = alternative_of(tree, i);
		while (k < done_count &&
		    (alternative == SIZE_MAX || done[k] != alternative))
			k++;
		if (k < done_count)
			continue;
		twin = twin_of(&builder, i, alternative);
		buffer_clear(&one);
		if (is_html(&tree->items[i]) && twin != SIZE_MAX)
			choose(&builder, twin, i, &one);
		else
			choose(&builder, i, twin, &one);
		done[done_count++] = alternative;
		if (span_trim(buffer_span(&one)).len == 0)
			continue;
		if (out->len > 0 && out->bytes[out->len - 1] != '\n')
			buffer_append_byte(out, '\n');
		buffer_append_span(out, buffer_span(&one));
		if (out->len >= max)
			break;
	}
	out->failed |= one.failed;
	buffer_fini(&one);
	if (out->len > max) {
		out->len = utf8_cut(buffer_span(out), max).len;
		out->bytes[out->len] = '\0';
		flags->truncated = true;
	}
}
