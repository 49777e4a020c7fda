/* rows.c - see rows.h.
 */
#include "daemon/news/rows.h"

#include <errno.h>

#include "protocol/msgid.h"

/* Rows of the block that `walk->next` is in. 0 or negative. */
static int
rows_block(struct session *s, struct rows_walk *walk)
{
	uint32_t number = walk->next / STORE_BLOCK_NUMBERS;
	uint32_t after = (number + 1) * STORE_BLOCK_NUMBERS;
	struct store_overview_row row;
	struct store_block *block;
	size_t first, last;
	int rc = session_block(s, walk->space->id, number, &block);

	if (rc != 0)
		return rc;
	first = store_block_find(block, walk->next);
	last = walk->last >= after - 1
	    ? store_block_count(block)
	    : store_block_find(block, walk->last + 1);
	if (first < last) {
		if (!walk->found)
			session_reply(s, walk->kind->code);
		walk->found = true;
		first = walk->kind->emit(s, walk, block, first, last);
	}
	walk->next = after;
	if (first < last) {
		store_block_row(block, first, &row);
		walk->next = row.number;
	}
	store_block_unref(block);
	return 0;
}

static enum step
rows_step(struct session *s, struct continuation *c)
{
	struct rows_walk *walk = &c->as.rows;
	int rc;

	while (walk->next <= walk->last) {
		rc = rows_block(s, walk);
		if (rc != 0 && walk->found)
			return STEP_FAILED;
		if (rc != 0) {
			session_reply(s, 403);
			return STEP_DONE;
		}
		if (walk->next <= walk->last && session_should_pause(s))
			return STEP_MORE;
	}
	if (walk->found)
		session_end_block(s);
	else
		session_reply(s, walk->kind->none);
	if (!walk->found && walk->kind->none == walk->kind->code)
		session_end_block(s);
	return STEP_DONE;
}

static void
rows_release(struct continuation *c)
{
	space_unref(c->as.rows.space);
}

void
rows_send(struct session *s, const struct rows_walk *walk, struct range range)
{
	struct continuation c = { .step = rows_step,
		.release = rows_release,
		.as.rows = *walk };
	struct store_space_state state = { .low = 1, .high = 0 };

	(void)store_space_state_published(session_store(s), walk->space->id,
	    &state);
	c.as.rows.next = range.first < state.low ? state.low : range.first;
	c.as.rows.last = range.last > state.high ? state.high : range.last;
	session_continue(s, &c);
}

/* One article: its row is in the block of a placement the reader may see. */
static void
rows_send_found(struct session *s, const struct rows_walk *walk,
    const struct found *found)
{
	struct store_overview_row row = { 0 };
	struct store_block *block;
	size_t i;
	int rc = session_block(s, found->space,
	    found->number / STORE_BLOCK_NUMBERS, &block);

	if (rc == 0) {
		i = store_block_find(block, found->number);
		if (i < store_block_count(block))
			store_block_row(block, i, &row);
		if (row.number != found->number) {
			store_block_unref(block);
			rc = -ENOENT;
		}
	}
	if (rc != 0) {
		session_reply(s, rc == -ENOENT ? found->missing : 403);
		return;
	}
	session_reply(s, walk->kind->code);
	walk->kind->emit_one(s, walk, found, &row);
	session_end_block(s);
	store_block_unref(block);
}

void
rows_send_argument(struct session *s, struct rows_walk *walk,
    struct span argument)
{
	struct range range;
	struct found found;

	if (argument.len == 0 || argument.bytes[0] == '<') {
		if (locate_argument(s, argument, &found))
			rows_send_found(s, walk, &found);
		return;
	}
	if (range_parse(argument, &range) != 0) {
		session_error(s, 501);
		return;
	}
	if (session_group(s) == NULL) {
		session_reply(s, 412);
		return;
	}
	walk->space = s->group;
	space_ref(walk->space);
	rows_send(s, walk, range);
}
