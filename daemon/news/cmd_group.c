/* cmd_group.c - GROUP, LISTGROUP, LAST, NEXT (RFC 3977 6.1).
 */
#include "daemon/news/commands.h"
#include "daemon/news/rows.h"

static struct store_space_state
group_state(struct session *s, const struct space *space)
{
	struct store_space_state state = { .low = 1, .high = 0 };

	(void)store_space_state_published(session_store(s), space->id, &state);
	return state;
}

/* Selects a space and says so. */
static void
group_enter(struct session *s, struct space *space, const char *rest)
{
	struct store_space_state state = group_state(s, space);

	session_select(s, space, state.count == 0 ? 0 : state.low);
	session_reply_text(s, 211, "%u %u %u %s%s", state.count, state.low,
	    state.high, space->name, rest);
}

void
cmd_group(struct session *s, const struct nntp_args *args)
{
	struct space *space = session_find_space(s, args->args[0]);

	if (space == NULL) {
		session_reply(s, 411);
		return;
	}
	group_enter(s, space, "");
	space_unref(space);
}

static size_t
listgroup_emit(struct session *s, const struct rows_walk *walk,
    const struct store_block *block, size_t first, size_t last)
{
	struct buffer *text = &s->loop->text;
	struct store_overview_row row;

	(void)walk;
	buffer_clear(text);
	for (size_t i = first; i < last; i++) {
		store_block_row(block, i, &row);
		buffer_append_number(text, row.number);
		buffer_append(text, "\r\n", 2);
	}
	session_write(s, text->bytes, text->len);
	return last;
}

static const struct rows_kind listgroup_kind = { 211, 211, listgroup_emit,
	NULL };

void
cmd_listgroup(struct session *s, const struct nntp_args *args)
{
	struct rows_walk walk = { .kind = &listgroup_kind, .found = true };
	struct range range = { 1, RANGE_NUMBER_MAX };

	if (args->count > 1 && range_parse(args->args[1], &range) != 0) {
		session_error(s, 501);
		return;
	}
	if (args->count > 0) {
		walk.space = session_find_space(s, args->args[0]);
	} else {
		walk.space = session_group(s);
		if (walk.space != NULL)
			space_ref(walk.space);
	}
	if (walk.space == NULL) {
		session_reply(s, args->count > 0 ? 411 : 412);
		return;
	}
	group_enter(s, walk.space, " list follows");
	rows_send(s, &walk, range);
}

/* The nearest row of a block on one side of seek->number, bounded by
 * seek->end. False: none here; seek->number has moved on. */
static bool
seek_block(struct seek *seek, const struct store_block *block,
    struct store_overview_row *row)
{
	uint32_t number = seek->number / STORE_BLOCK_NUMBERS;
	size_t i = store_block_find(block, seek->number);

	if (i < store_block_count(block))
		store_block_row(block, i, row);
	if (seek->back &&
	    (i == store_block_count(block) || row->number > seek->number)) {
		if (i == 0) {
			seek->number = number * STORE_BLOCK_NUMBERS;
			seek->number -= seek->number > 0 ? 1 : 0;
			return false;
		}
		store_block_row(block, i - 1, row);
	} else if (i == store_block_count(block)) {
		seek->number = (number + 1) * STORE_BLOCK_NUMBERS;
		return false;
	}
	return true;
}

static bool
seek_is_over(const struct seek *seek, uint32_t number)
{
	return number == 0 ||
	    (seek->back ? number < seek->end : number > seek->end);
}

static enum step
seek_answer(struct session *s, const struct seek *seek,
    const struct store_overview_row *row)
{
	struct span id = overview_row_field(span_make(row->text, row->text_len),
	    OVERVIEW_MESSAGE_ID);

	/* the reader may have lost the space while this was under way */
	if (s->group != NULL && s->group->id == seek->space->id)
		s->current = row->number;
	session_reply_text(s, 223, "%u %.*s", row->number, SPAN_ARG(id));
	return STEP_DONE;
}

static enum step
seek_step(struct session *s, struct continuation *c)
{
	struct seek *seek = &c->as.seek;
	struct store_overview_row row;
	struct store_block *block;
	enum step step = STEP_MORE;
	bool found;

	while (!seek_is_over(seek, seek->number)) {
		if (session_block(s, seek->space->id,
			seek->number / STORE_BLOCK_NUMBERS, &block) != 0) {
			session_reply(s, 403);
			return STEP_DONE;
		}
		found = seek_block(seek, block, &row);
		if (found && seek_is_over(seek, row.number))
			seek->number = 0;
		else if (found)
			step = seek_answer(s, seek, &row);
		store_block_unref(block);
		if (step == STEP_DONE)
			return step;
		if (session_should_pause(s))
			return STEP_MORE;
	}
	session_reply(s, seek->back ? 422 : 421);
	return STEP_DONE;
}

static void
seek_release(struct continuation *c)
{
	space_unref(c->as.seek.space);
}

static void
group_seek(struct session *s, bool back)
{
	struct continuation c = { .step = seek_step, .release = seek_release };
	struct store_space_state state = group_state(s, s->group);

	if (s->current == 0) {
		session_reply(s, 420);
		return;
	}
	c.as.seek.space = s->group;
	space_ref(s->group);
	c.as.seek.back = back;
	c.as.seek.number = back ? s->current - 1 : s->current + 1;
	c.as.seek.end = back ? state.low : state.high;
	session_continue(s, &c);
}

void
cmd_last(struct session *s, const struct nntp_args *args)
{
	(void)args;
	group_seek(s, true);
}

void
cmd_next(struct session *s, const struct nntp_args *args)
{
	(void)args;
	group_seek(s, false);
}
