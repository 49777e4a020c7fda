/* admin_list.c - a view per slice, resumed by key.
 */
#include "daemon/community/admin_list.h"

#include <errno.h>
#include <stdlib.h>

#define SLICE 100u

struct admin_list {
	struct control_request *request;
	struct community *community;
	enum store_table table;
	bool has_prefix;
	struct store_key prefix;
	bool resume;
	struct store_key from;
	admin_list_row row;
	struct store_reader *reader; /* of the present slice */
	unsigned count;
};

static int
list_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct admin_list *list = arg;
	json_t *row;

	if (list->count++ == SLICE) {
		list->from = *key;
		list->resume = true;
		return 1;
	}
	row = list->row(list->request, list->reader, key, message);
	if (row != NULL)
		control_row(list->request, row);
	return 0;
}

static void
list_slice(void *arg)
{
	struct admin_list *list = arg;
	struct store_view *view =
	    store_view_begin(community_store(list->community));
	int rc = -ENOMEM;

	list->count = 0;
	if (view != NULL) {
		list->reader = store_view_reader(view);
		rc = store_walk(list->reader, list->table,
		    list->has_prefix ? &list->prefix : NULL,
		    list->resume ? &list->from : NULL, list_row, list);
		store_view_end(&view);
	}
	if (rc == 1 && control_is_full(list->request)) {
		control_when_drained(list->request, list_slice, list);
		return;
	}
	/* others get their turn on this loop in between */
	if (rc == 1)
		rc = loop_post(community_loop(list->community), list_slice,
		    list);
	else if (rc == 0) {
		control_done(list->request);
		free(list);
		return;
	}
	if (rc < 0) {
		admin_fail_errno(list->request, rc);
		free(list);
	}
}

void
admin_list_run(struct control_request *request, enum store_table table,
    const struct store_key *prefix, admin_list_row row)
{
	struct admin_list *list = calloc(1, sizeof *list);

	if (list == NULL) {
		admin_fail_errno(request, -ENOMEM);
		return;
	}
	list->request = request;
	list->community = control_context(request);
	list->table = table;
	list->has_prefix = prefix != NULL;
	if (prefix != NULL)
		list->prefix = *prefix;
	list->row = row;
	list_slice(list);
}
