/* mime_tree.c - the walk over the entities of a message.
 *
 * One pass over the lines with a stack of open multiparts and messages. This is
 * not left to libetpan: it recurses on the depth that a sender chose, takes
 * quadratic time on nested multiparts, and gives up on boundaries that are
 * written without their quotes.
 */
#include <errno.h>
#include <stdlib.h>

#include "protocol/mime.h"
#include "protocol/words.h"

#define BOUNDARY_MAX 200u

struct mime_frame {
	size_t entity;
	char boundary[BOUNDARY_MAX]; /* empty: an entered message */
	size_t boundary_len;
	bool digest; /* parts are messages unless they say otherwise */
	bool closed; /* behind its last boundary */
};

struct mime_walk {
	struct span message;
	struct mime_tree *tree;
	size_t room;
	size_t at;
	size_t open; /* entity whose body is being read; SIZE_MAX: none */
	size_t depth;
	struct mime_frame stack[MIME_DEPTH_MAX];
};

/* The next line, end included. */
static struct span
walk_line(const struct mime_walk *walk)
{
	struct span rest = span_make(walk->message.bytes + walk->at,
	    walk->message.len - walk->at);
	const char *end = memchr(rest.bytes, '\n', rest.len);

	if (end != NULL)
		rest.len = (size_t)(end - rest.bytes) + 1;
	return rest;
}

/* Which open multipart does the line delimit? SIZE_MAX: none. */
static size_t
walk_boundary(const struct mime_walk *walk, struct span line, bool *last)
{
	if (line.len < 3 || line.bytes[0] != '-' || line.bytes[1] != '-')
		return SIZE_MAX;
	line = span_make(line.bytes + 2, line.len - 2);
	while (
	    line.len > 0 && strchr(" \t\r\n", line.bytes[line.len - 1]) != NULL)
		line.len--;
	for (size_t i = walk->depth; i-- > 0;) {
		const struct mime_frame *frame = &walk->stack[i];

		if (frame->boundary_len == 0 || frame->closed ||
		    line.len < frame->boundary_len ||
		    memcmp(line.bytes, frame->boundary, frame->boundary_len) !=
			0)
			continue;
		*last = line.len >= frame->boundary_len + 2 &&
		    memcmp(line.bytes + frame->boundary_len, "--", 2) == 0;
		if (*last || line.len == frame->boundary_len)
			return i;
	}
	return SIZE_MAX;
}

static void
entity_end(struct mime_walk *walk, size_t index, size_t end)
{
	struct mime_entity *entity = &walk->tree->items[index];

	entity->end = end < entity->body ? entity->body : end;
}

/* Ends what is open above frame `keep`; the line break before a boundary
 * belongs to the boundary. */
static void
walk_close(struct mime_walk *walk, size_t keep, size_t end)
{
	const char *bytes = walk->message.bytes;

	if (end > 0 && end < walk->message.len && bytes[end - 1] == '\n')
		end -= end > 1 && bytes[end - 2] == '\r' ? 2 : 1;
	if (walk->open != SIZE_MAX)
		entity_end(walk, walk->open, end);
	walk->open = SIZE_MAX;
	while (walk->depth > keep)
		entity_end(walk, walk->stack[--walk->depth].entity, end);
}

static int
walk_add(struct mime_walk *walk)
{
	struct mime_tree *tree = walk->tree;
	struct mime_entity *items;

	if (tree->count == walk->room) {
		walk->room = walk->room == 0 ? 8 : walk->room * 2;
		items = realloc(tree->items, walk->room * sizeof *items);
		if (items == NULL)
			return -ENOMEM;
		tree->items = items;
	}
	memset(&tree->items[tree->count++], 0, sizeof *items);
	return 0;
}

static bool
type_is_usable(struct span type)
{
	const char *slash;

	slash = type.len == 0 ? NULL : memchr(type.bytes, '/', type.len);
	return slash != NULL && slash != type.bytes &&
	    slash + 1 != type.bytes + type.len && type.len < 128;
}

static enum mime_encoding
encoding_of(struct span value)
{
	struct span name = words_main(value);

	if (name.len == 0 || span_is(name, "7bit") || span_is(name, "8bit") ||
	    span_is(name, "binary"))
		return MIME_PLAIN;
	if (span_is(name, "base64"))
		return MIME_BASE64;
	if (span_is(name, "quoted-printable"))
		return MIME_QP;
	return MIME_UNKNOWN;
}

static void
entity_fields(struct mime_entity *entity, struct span header, bool digest)
{
	struct span name, value, encoding = { "", 0 };
	size_t at = 0;

	entity->type_value = entity->disposition = span_make("", 0);
	while (mime_field_next(header, &at, &name, &value)) {
		/* of several, the first: what most readers show */
		if (span_is(name, "Content-Type") &&
		    entity->type_value.len == 0)
			entity->type_value = value;
		else if (span_is(name, "Content-Disposition") &&
		    entity->disposition.len == 0)
			entity->disposition = value;
		else if (span_is(name, "Content-Transfer-Encoding") &&
		    encoding.len == 0)
			encoding = value;
	}
	entity->encoding = encoding_of(encoding);
	entity->type = words_main(entity->type_value);
	if (!type_is_usable(entity->type))
		entity->type =
		    span_of(digest && entity->type.len == 0 ? "message/rfc822"
							    : "text/plain");
}

/* Reads the header at walk->at up to an empty line or a boundary. */
static void
walk_header(struct mime_walk *walk, struct mime_entity *entity, bool digest)
{
	struct span line;
	bool last;

	entity->header = entity->body = walk->at;
	while (walk->at < walk->message.len) {
		line = walk_line(walk);
		entity->body = walk->at;
		if (walk_boundary(walk, line, &last) != SIZE_MAX)
			break;
		walk->at += line.len;
		if (line.bytes[0] == '\n' ||
		    (line.len == 2 && line.bytes[0] == '\r' &&
			line.bytes[1] == '\n'))
			break;
		entity->body = walk->at;
	}
	entity_fields(entity,
	    span_make(walk->message.bytes + entity->header,
		entity->body - entity->header),
	    digest);
	entity->body = walk->at;
	entity->end = walk->message.len;
}

/* Is it to be looked into, and by which boundary? */
static bool
frame_of(const struct mime_entity *entity, struct mime_frame *frame)
{
	struct buffer boundary;
	bool is_frame = false;

	frame->boundary_len = 0;
	frame->digest = span_is(entity->type, "multipart/digest");
	frame->closed = false;
	if (span_is(entity->type, "message/rfc822") ||
	    span_is(entity->type, "message/global"))
		return entity->encoding != MIME_BASE64 &&
		    entity->encoding != MIME_QP;
	if (!span_starts(entity->type, "multipart/"))
		return false;
	buffer_init(&boundary, 0);
	if (words_param(&boundary, entity->type_value, "boundary") == 0 &&
	    boundary.len > 0 && boundary.len <= BOUNDARY_MAX) {
		memcpy(frame->boundary, boundary.bytes, boundary.len);
		frame->boundary_len = boundary.len;
		is_frame = true;
	}
	buffer_fini(&boundary);
	return is_frame;
}

/* Reads the header of one entity and opens it. 1: it is a message, whose own
 * header follows. */
static int
walk_entity(struct mime_walk *walk)
{
	const struct mime_frame *top =
	    walk->depth == 0 ? NULL : &walk->stack[walk->depth - 1];
	struct mime_entity *entity;
	size_t index = walk->tree->count;
	struct mime_frame frame;
	int rc;

	rc = walk_add(walk);
	if (rc != 0)
		return rc;
	entity = &walk->tree->items[index];
	entity->parent = (uint32_t)(top == NULL ? index : top->entity);
	entity->depth = (uint32_t)walk->depth;
	walk_header(walk, entity, top != NULL && top->digest);
	if (!frame_of(entity, &frame)) {
		entity->leaf = true;
		walk->open = index;
		return 0;
	}
	if (walk->depth == MIME_DEPTH_MAX)
		return -EBADMSG;
	frame.entity = index;
	walk->stack[walk->depth++] = frame;
	return frame.boundary_len == 0;
}

/* Goes on to the next header. 1: there is one. */
static int
walk_body(struct mime_walk *walk)
{
	struct span line;
	size_t frame;
	bool last;

	while (walk->at < walk->message.len) {
		line = walk_line(walk);
		frame = walk_boundary(walk, line, &last);
		if (frame == SIZE_MAX) {
			walk->at += line.len;
			continue;
		}
		walk_close(walk, frame + 1, walk->at);
		walk->at += line.len;
		walk->stack[frame].closed = last;
		if (!last)
			return 1;
	}
	return 0;
}

int
mime_tree_parse(struct span message, size_t max, struct mime_tree *tree)
{
	struct mime_walk *walk = calloc(1, sizeof *walk);
	int more = 1;

	memset(tree, 0, sizeof *tree);
	if (walk == NULL)
		return -ENOMEM;
	walk->message = message.len == 0 ? span_make("", 0) : message;
	walk->tree = tree;
	walk->open = SIZE_MAX;
	while (more > 0) {
		if (tree->count >= max) {
			tree->truncated = true;
			break;
		}
		more = walk_entity(walk);
		if (more == 0)
			more = walk_body(walk);
	}
	walk_close(walk, 0, message.len);
	free(walk);
	if (more < 0)
		mime_tree_fini(tree);
	return more < 0 ? more : 0;
}

void
mime_tree_fini(struct mime_tree *tree)
{
	free(tree->items);
	memset(tree, 0, sizeof *tree);
}
