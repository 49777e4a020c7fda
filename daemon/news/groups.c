/* groups.c - see groups.h.
 */
#include "daemon/news/groups.h"

#include <errno.h>

#include "daemon/news/active.h"
#include "daemon/news/directory.h"
#include "protocol/wildmat.h"

#define TEXT_CHUNK       16384u
#define SPACES_CHUNK     512u
#define SPACES_MATCHED   64u /* of a chunk, with a wildmat that takes time */
#define GROUPS_MARKS_MAX 40u /* three numbers, a letter, blanks, CRLF */

bool
groups_match(const struct groups_walk *walk, const struct space *space)
{
	return walk->wildmat == NULL ||
	    wildmat_matches(walk->wildmat, span_of(space->name));
}

void
groups_release(struct continuation *c)
{
	directory_unref(c->as.groups.directory);
	wildmat_free(&c->as.groups.wildmat);
}

bool
groups_begin(struct session *s, struct span wildmat, struct groups_walk *walk)
{
	int rc =
	    wildmat.len == 0 ? 0 : wildmat_compile(wildmat, &walk->wildmat);

	if (rc == -EINVAL || rc == -E2BIG) {
		session_error(s, 501);
		return false;
	}
	walk->directory = directory_get(session_server(s), s->class);
	if (rc != 0 || walk->directory == NULL) {
		wildmat_free(&walk->wildmat);
		directory_unref(walk->directory);
		session_reply(s, 403);
		return false;
	}
	return true;
}

static void
release_piece(void *arg)
{
	store_object_unref(arg);
}

/* The next lines from what is kept; false: they have to be made. */
static bool
groups_send_kept(struct session *s, struct groups_walk *walk)
{
	struct active_piece *piece;

	if (walk->kind->line != groups_active_line || walk->wildmat != NULL ||
	    walk->since != 0 || walk->next % ACTIVE_SPACES != 0 ||
	    walk->next == walk->directory->count)
		return false;
	piece = active_get(s, walk);
	if (piece == NULL)
		return false;
	session_write_reference(s, piece->text, piece->len, release_piece,
	    &piece->object);
	walk->next += ACTIVE_SPACES;
	if (walk->next > walk->directory->count)
		walk->next = walk->directory->count;
	return true;
}

/* The next lines, made now. */
static void
groups_send_made(struct session *s, struct groups_walk *walk)
{
	struct directory *directory = walk->directory;
	struct buffer *text = &s->loop->text;
	const struct space *space;
	size_t most = walk->wildmat == NULL ? SPACES_CHUNK : SPACES_MATCHED;

	buffer_clear(text);
	/* the limit on spaces is for long wildmats that match little */
	for (size_t i = 0; i < most && text->len < TEXT_CHUNK &&
	     walk->next < directory->count;
	     i++) {
		walk->mark = &directory->marks[walk->next];
		space = directory->spaces[walk->next++];
		if ((walk->since == 0 || space->created >= walk->since) &&
		    groups_match(walk, space))
			walk->kind->line(s, walk, space, text);
	}
	session_write(s, text->bytes, text->len);
}

static enum step
groups_step(struct session *s, struct continuation *c)
{
	struct groups_walk *walk = &c->as.groups;

	do {
		if (!groups_send_kept(s, walk))
			groups_send_made(s, walk);
		if (walk->next == walk->directory->count) {
			session_end_block(s);
			return STEP_DONE;
		}
	} while (!session_should_pause(s));
	return STEP_MORE;
}

/* One name: no walk is needed. */
static void
groups_send_one(struct session *s, const struct groups_walk *walk,
    struct span name)
{
	struct space *space = session_find_space(s, name);
	struct buffer *text = &s->loop->text;

	buffer_clear(text);
	if (space != NULL && space->created >= walk->since)
		walk->kind->line(s, walk, space, text);
	session_write(s, text->bytes, text->len);
	session_end_block(s);
	space_unref(space);
}

void
groups_send(struct session *s, const struct groups_kind *kind,
    struct span wildmat, uint64_t since)
{
	struct continuation c = { .step = groups_step,
		.release = groups_release };
	struct groups_walk *walk = &c.as.groups;
	struct span literal = { NULL, 0 };

	walk->kind = kind;
	walk->since = since;
	if (!groups_begin(s, wildmat, walk))
		return;
	if (walk->wildmat != NULL)
		literal = wildmat_literal(walk->wildmat);
	session_reply(s, kind->code);
	if (literal.len > 0) {
		groups_send_one(s, walk, literal);
		groups_release(&c);
	} else {
		session_continue(s, &c);
	}
}

char
groups_status(enum rights_post post)
{
	switch (post) {
	case POST_ALLOWED:
	case POST_LOGIN: /* newsreaders would not even ask for the login */
		return 'y';
	case POST_MODERATED:
		return 'm';
	case POST_CLOSED: /* to peers too (RFC 6048 3.1) */
		return 'x';
	case POST_REFUSED:
	default:
		return 'n';
	}
}

/* " number" at `at`; returns what follows. */
static char *
groups_put(char *at, uint32_t number)
{
	char digits[10];
	size_t first = sizeof digits;

	*at++ = ' ';
	if (number < 10) { /* most of ten thousand are empty */
		*at++ = (char)('0' + number);
		return at;
	}
	do {
		digits[--first] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	while (first < sizeof digits)
		*at++ = digits[first++];
	return at;
}

/* Ten thousand of them are one answer: they are put down octet by octet. */
static void
groups_marks(struct session *s, const struct groups_walk *walk,
    const struct space *space, bool count, struct buffer *text)
{
	struct store_space_state state = { .low = 1, .high = 0 };
	const struct directory_mark *mark = walk->mark;
	uint32_t id = mark != NULL ? mark->id : space->id;
	size_t len = mark != NULL ? mark->len : strlen(space->name);
	char *line = buffer_reserve(text, len + GROUPS_MARKS_MAX), *at = line;

	if (line == NULL)
		return;
	(void)store_space_state_published(session_store(s), id, &state);
	memcpy(at, mark != NULL ? mark->name : space->name, len);
	at = groups_put(at + len, state.high);
	at = groups_put(at, state.low);
	if (count)
		at = groups_put(at, state.count);
	*at++ = ' ';
	*at++ = mark != NULL && s->identity == NULL
	    ? mark->status
	    : groups_status(rights_post(session_identity(s), space));
	*at++ = '\r';
	*at++ = '\n';
	buffer_grown(text, (size_t)(at - line));
}

void
groups_active_line(struct session *s, const struct groups_walk *walk,
    const struct space *space, struct buffer *text)
{
	groups_marks(s, walk, space, false, text);
}

void
groups_counts_line(struct session *s, const struct groups_walk *walk,
    const struct space *space, struct buffer *text)
{
	groups_marks(s, walk, space, true, text);
}
