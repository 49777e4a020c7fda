/* cmd_new.c - NEWGROUPS and NEWNEWS (RFC 3977 7.3, 7.4). Local time is UTC.
 */
#include <string.h>

#include "daemon/news/commands.h"
#include "daemon/news/directory.h"
#include "daemon/news/groups.h"
#include "daemon/news/xref.h"
#include "protocol/date.h"

#define CLOCK_SLACK 86400u /* seconds */

static const struct groups_kind newgroups_kind = { 231, groups_active_line };

/* Date, time and GMT from argument `at` on. Replies and returns false if they
 * are wrong. */
static bool
new_since(struct session *s, const struct nntp_args *args, size_t at,
    uint64_t *since_r)
{
	int64_t now = (int64_t)community_now(session_community(s));
	int64_t since;

	if ((args->count > at + 2 && !span_is(args->args[at + 2], "GMT")) ||
	    date_parse_nntp(args->args[at], args->args[at + 1], now, &since) !=
		0) {
		session_error(s, 501);
		return false;
	}
	*since_r = since < 0 ? 0 : (uint64_t)since;
	return true;
}

void
cmd_newgroups(struct session *s, const struct nntp_args *args)
{
	uint64_t since;

	if (new_since(s, args, 0, &since))
		groups_send(s, &newgroups_kind, span_make(NULL, 0), since);
}

/* An article in several spaces is named once: in the first by name of those
 * that the wildmat asks for and the reader may see. */
static bool
newnews_is_first(struct session *s, const struct groups_walk *walk,
    const struct space *here, uint64_t artid)
{
	Kith__ArticleMeta *meta;
	struct space *space;
	bool first = true;

	if (xref_meta(s, artid, &meta) != 0)
		return true;
	for (size_t i = 0; i < meta->n_placements && first; i++) {
		space =
		    spaces_by_id(session_spaces(s), meta->placements[i]->space);
		if (space != NULL && session_may_read(s, space) &&
		    groups_match(walk, space) &&
		    strcmp(space->name, here->name) < 0)
			first = false;
		space_unref(space);
	}
	kith__article_meta__free_unpacked(meta, NULL);
	return first;
}

/* What one block of the present space holds. 0 or negative. */
static int
newnews_block(struct session *s, struct groups_walk *walk,
    const struct space *space)
{
	uint32_t number = walk->number / STORE_BLOCK_NUMBERS;
	struct buffer *text = &s->loop->text;
	struct store_overview_row row;
	struct store_block *block;
	int rc = session_block(s, space->id, number, &block);

	if (rc != 0)
		return rc;
	buffer_clear(text);
	for (size_t i = store_block_find(block, walk->number);
	     i < store_block_count(block); i++) {
		store_block_row(block, i, &row);
		if (row.number > walk->last || row.time < walk->since)
			continue;
		if ((row.flags & STORE_ROW_MULTI) != 0 &&
		    !newnews_is_first(s, walk, space, row.artid))
			continue;
		buffer_append_span(text,
		    overview_row_field(span_make(row.text, row.text_len),
			OVERVIEW_MESSAGE_ID));
		buffer_append(text, "\r\n", 2);
	}
	store_block_unref(block);
	session_write(s, text->bytes, text->len);
	walk->number = (number + 1) * STORE_BLOCK_NUMBERS;
	return 0;
}

/* True if all of a block is surely older than `since`. A clock can step back:
 * a day is allowed for that. 1, 0 or negative. */
static int
newnews_is_old(struct session *s, uint32_t space, uint32_t number,
    uint64_t since)
{
	struct store_overview_row row = { 0 };
	struct store_block *block;
	int rc = session_block(s, space, number, &block);

	if (rc != 0)
		return rc;
	/* a block without rows says nothing: look further left */
	if (store_block_count(block) > 0) {
		store_block_row(block, store_block_count(block) - 1, &row);
		rc = row.time + CLOCK_SLACK < since;
	}
	store_block_unref(block);
	return rc;
}

/* Where to begin to look, by halves: numbers are given in order of arrival. */
static int
newnews_bisect(struct session *s, struct groups_walk *walk, uint32_t space)
{
	uint32_t low = walk->number / STORE_BLOCK_NUMBERS, middle;
	uint32_t high = walk->last / STORE_BLOCK_NUMBERS;
	int old;

	while (low < high) {
		middle = low + (high - low) / 2;
		old = newnews_is_old(s, space, middle, walk->since);
		if (old < 0)
			return old;
		if (old == 1)
			low = middle + 1;
		else
			high = middle;
	}
	if (low * STORE_BLOCK_NUMBERS > walk->number)
		walk->number = low * STORE_BLOCK_NUMBERS;
	return 0;
}

/* Sets the numbers to look at in a space. 0 or negative. */
static int
newnews_enter(struct session *s, struct groups_walk *walk,
    const struct space *space)
{
	struct store_space_state state = { .low = 1, .high = 0 };

	walk->within = true;
	walk->number = 1;
	walk->last = 0;
	if (!groups_match(walk, space) ||
	    !store_space_state_published(session_store(s), space->id, &state) ||
	    state.count == 0)
		return 0;
	walk->number = state.low;
	walk->last = state.high;
	return newnews_bisect(s, walk, space->id);
}

static enum step
newnews_step(struct session *s, struct continuation *c)
{
	struct groups_walk *walk = &c->as.groups;
	const struct space *space;
	int rc;

	while (walk->next < walk->directory->count) {
		space = walk->directory->spaces[walk->next];
		rc = walk->within ? newnews_block(s, walk, space)
				  : newnews_enter(s, walk, space);
		if (rc != 0)
			return STEP_FAILED;
		if (walk->number > walk->last) {
			walk->within = false;
			walk->next++;
		}
		if (session_should_pause(s))
			return STEP_MORE;
	}
	session_end_block(s);
	return STEP_DONE;
}

void
cmd_newnews(struct session *s, const struct nntp_args *args)
{
	struct continuation c = { .step = newnews_step,
		.release = groups_release };
	struct groups_walk *walk = &c.as.groups;

	if (!new_since(s, args, 1, &walk->since) ||
	    !groups_begin(s, args->args[0], walk))
		return;
	session_reply(s, 230);
	session_continue(s, &c);
}
