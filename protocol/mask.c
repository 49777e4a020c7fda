/* mask.c - reply tokens out of outgoing copies.
 */
#include "protocol/mask.h"

#include <errno.h>

#include "protocol/mime.h"

#define TOKEN_MIN     16u
#define ENTITIES_MAX  10000u
#define DECODE_LEVELS 3u /* base64 messages within each other */

/* How '+', '-' and '@' may be written in a body, a URL or HTML. */
static const char *const separators[] = { "+", "-", "%2B", "%2D", "&#43;",
	"&#043;", "&#x2B;", "&#45;", "&#045;", "&#x2D;", "&plus;", "&hyphen;" };
static const char *const ats[] = { "@", "%40", "&#64;", "&#064;", "&#x40;",
	"&commat;" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static size_t
match_any(struct span at, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (span_starts(at, words[i]))
			return strlen(words[i]);
	}
	return 0;
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A token's length from `at` on, if an '@' follows. */
static size_t
token_len(struct span at)
{
	size_t len = 0;

	while (len < at.len &&
	    (is_letter(at.bytes[len]) ||
		(at.bytes[len] >= '2' && at.bytes[len] <= '7')))
		len++;
	if (len < TOKEN_MIN ||
	    match_any(span_make(at.bytes + len, at.len - len), ats,
		COUNT(ats)) == 0)
		return 0;
	return len;
}

unsigned
mail_mask_text(char *text, size_t len)
{
	unsigned masked = 0;
	size_t i = 0;

	while (i < len) {
		struct span rest = span_make(text + i, len - i);
		size_t separator = 0, token;

		if (strchr("+-%&", text[i]) != NULL)
			separator =
			    match_any(rest, separators, COUNT(separators));

		if (separator == 0 || rest.len < separator + 2 + TOKEN_MIN ||
		    !is_letter(rest.bytes[separator]) ||
		    rest.bytes[separator + 1] != '.') {
			i++;
			continue;
		}
		i += separator + 2;
		token = token_len(span_make(text + i, len - i));
		if (token == 0)
			continue;
		memset(text + i, 'x', token);
		masked++;
		i += token;
	}
	return masked;
}

static unsigned
copy_masked(struct buffer *out, struct span bytes)
{
	size_t start = out->len;

	buffer_append_span(out, bytes);
	if (buffer_failed(out) || bytes.len == 0)
		return 0;
	return mail_mask_text(out->bytes + start, out->len - start);
}

static int mask_message(struct buffer *out, struct span message,
    bool keep_header, unsigned level, unsigned *count);

/* The decoded leaf, masked, into `clean`. */
static int
mask_decoded(struct buffer *clean, struct span decoded, bool is_message,
    unsigned level, unsigned *count)
{
	if (is_message && level + 1 < DECODE_LEVELS)
		return mask_message(clean, decoded, false, level + 1, count);
	*count += copy_masked(clean, decoded);
	return 0;
}

/* A base64 or quoted-printable leaf: encoded anew only if it held a token. */
static int
mask_leaf(struct buffer *out, struct span body,
    const struct mime_entity *entity, unsigned level, unsigned *count)
{
	struct buffer decoded, clean;
	unsigned found = 0;
	int rc;

	buffer_init(&decoded, 0);
	buffer_init(&clean, 0);
	mime_decode(&decoded, body, entity->encoding);
	rc = decoded.failed
	    ? -ENOMEM
	    : mask_decoded(&clean, buffer_span(&decoded),
		  span_starts(entity->type, "message/"), level, &found);
	if (rc == 0 && clean.failed)
		rc = -ENOMEM;
	if (rc == 0 && found == 0) {
		buffer_append_span(out, body);
	} else if (rc == 0 && entity->encoding == MIME_QP) {
		mime_qp_encode(out, buffer_span(&clean));
	} else if (rc == 0) {
		mime_base64_encode(out, buffer_span(&clean), true);
		/* the line end belongs to the boundary, unless it was there */
		if (body.len > 0 && body.bytes[body.len - 1] != '\n' &&
		    !buffer_failed(out) && out->len >= 2)
			out->bytes[out->len -= 2] = '\0';
	}
	*count += found;
	buffer_fini(&decoded);
	buffer_fini(&clean);
	return rc;
}

static int
mask_message(struct buffer *out, struct span message, bool keep_header,
    unsigned level, unsigned *count)
{
	struct mime_tree tree;
	size_t at = 0;
	int rc;

	if (message.len == 0)
		return 0;
	rc = mime_tree_parse(message, ENTITIES_MAX, &tree);
	if (rc != 0)
		return rc;
	if (keep_header) {
		at = tree.items[0].body;
		buffer_append(out, message.bytes, at);
	}
	for (size_t i = 0; rc == 0 && i < tree.count; i++) {
		const struct mime_entity *entity = &tree.items[i];

		if (!entity->leaf ||
		    (entity->encoding != MIME_BASE64 &&
			entity->encoding != MIME_QP))
			continue;
		*count += copy_masked(out,
		    span_make(message.bytes + at, entity->body - at));
		rc = mask_leaf(out,
		    span_make(message.bytes + entity->body,
			entity->end - entity->body),
		    entity, level, count);
		at = entity->end;
	}
	if (rc == 0)
		*count += copy_masked(out,
		    span_make(message.bytes + at, message.len - at));
	mime_tree_fini(&tree);
	return rc;
}

int
mail_mask_tokens(struct buffer *out, struct span message, bool keep_header,
    unsigned *count_r)
{
	unsigned count = 0;
	int rc = mask_message(out, message, keep_header, 0, &count);

	if (count_r != NULL)
		*count_r = count;
	return rc;
}
