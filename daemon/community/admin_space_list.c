/* admin_space_list.c - kithctl space show, space list.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/admin_space.h"
#include "daemon/community/admin_words.h"
#include "daemon/community/kinds.h"
#include "daemon/community/members.h"
#include "store/overview.h"

#define LIST_SLICE 100u

static json_t *
space_limits_row(json_t *row, const struct space_limits *limits)
{
	if (row != NULL)
		(void)json_object_update_new(row,
		    json_pack("{s:I, s:I, s:b, s:I}", "expire_after",
			(json_int_t)limits->expire_days, "expire_count",
			(json_int_t)limits->expire_count, "expire_header",
			(int)limits->expire_header, "max_size",
			(json_int_t)limits->max_size));
	return row;
}

static json_t *
space_row(struct community *community, const struct space *space)
{
	struct store_space_state state = { .low = 1 };

	(void)store_space_state_published(community_store(community), space->id,
	    &state);
	return space_limits_row(json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I}", "name",
	    space->name, "mail", space->mail, "kind",
	    kind_of(space->kind) == NULL ? "?" : kind_of(space->kind)->name,
	    "description", space->description, "read",
	    admin_word(ADMIN_WORDS_AUDIENCE, (int)space->read), "post",
	    admin_word(ADMIN_WORDS_AUDIENCE, (int)space->post), "moderation",
	    admin_word(ADMIN_WORDS_MODERATION, (int)space->moderation),
	    "closed", (int)space->closed, "low", (json_int_t)state.low, "high",
	    (json_int_t)state.high, "count", (json_int_t)state.count),
	    &space->limits);
}

static json_t *
moderator_names(struct community *community, const struct space *space)
{
	struct store_view *view = store_view_begin(community_store(community));
	json_t *names = json_array();
	Kith__Member *member;
	char *address;

	for (size_t i = 0; view != NULL && i < space->moderator_count; i++) {
		if (member_get(store_view_reader(view), space->moderators[i],
			&member) != 0)
			continue;
		address = member_address(store_view_reader(view), member);
		if (address != NULL)
			(void)json_array_append_new(names,
			    json_string(address));
		free(address);
		kith__member__free_unpacked(member, NULL);
	}
	if (view != NULL)
		store_view_end(&view);
	return names;
}

void
admin_space_show(struct control_request *request)
{
	struct community *community = control_context(request);
	struct space *space =
	    admin_space_named(request, control_arg(request, 0));
	json_t *row;

	if (space == NULL)
		return;
	row = space_row(community, space);
	if (row != NULL) {
		(void)json_object_set_new(row, "moderators",
		    moderator_names(community, space));
		(void)json_object_set_new(row, "created",
		    json_integer((json_int_t)space->created));
		(void)json_object_set_new(row, "suggested",
		    json_integer(space->suggested));
		(void)json_object_set_new(row, "digest_hour",
		    json_integer(space->digest_hour));
		(void)json_object_set_new(row, "digest_articles",
		    json_integer(space->digest_articles));
		(void)json_object_set_new(row, "digest_kilobytes",
		    json_integer(space->digest_kilobytes));
	}
	space_unref(space);
	control_result(request, row);
	control_done(request);
}

/* A list in slices: the entries are counted, so nothing is held meanwhile. */
struct space_list {
	struct control_request *request;
	struct space **items;
	size_t count;
	size_t room;
	size_t at;
};

static int
list_collect(void *arg, const struct space *space)
{
	struct space_list *list = arg;
	struct space **bigger;

	if (list->count == list->room) {
		list->room = list->room == 0 ? 64 : list->room * 2;
		bigger = realloc(list->items, list->room * sizeof *bigger);
		if (bigger == NULL)
			return -ENOMEM;
		list->items = bigger;
	}
	/* counting does not change what the entry says */
	list->items[list->count] = (struct space *)(uintptr_t)space;
	space_ref(list->items[list->count++]);
	return 0;
}

static void
list_free(struct space_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		space_unref(list->items[i]);
	free(list->items);
	free(list);
}

static void
list_send(void *arg)
{
	struct space_list *list = arg;
	struct community *community = control_context(list->request);

	while (list->at < list->count) {
		if (control_is_full(list->request)) {
			control_when_drained(list->request, list_send, list);
			return;
		}
		for (size_t i = 0; i < LIST_SLICE && list->at < list->count;
		     i++)
			control_row(list->request,
			    space_row(community, list->items[list->at++]));
	}
	control_done(list->request);
	list_free(list);
}

void
admin_space_list(struct control_request *request)
{
	struct community *community = control_context(request);
	struct space_list *list = calloc(1, sizeof *list);
	int rc = -ENOMEM;

	if (list != NULL)
		rc = spaces_each(community_spaces(community), list_collect,
		    list);
	if (rc != 0) {
		if (list != NULL)
			list_free(list);
		admin_fail_errno(request, rc);
		return;
	}
	list->request = request;
	control_columns(request, "name", "mail", "kind", "count", "description",
	    (char *)NULL);
	list_send(list);
}
