/* admin_ticket.c - kithctl ticket: what is open, what was said. Answers are
 * admin_ticket_reply.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_list.h"
#include "daemon/community/admin_op.h"
#include "daemon/community/admin_ticket.h"
#include "daemon/community/admin_words.h"
#include "daemon/community/members.h"
#include "daemon/community/meta.h"
#include "daemon/community/spaces.h"
#include "daemon/community/ticket_private.h"

/* ---- output */

static char *
address_text(struct store_reader *reader, uint32_t id)
{
	Kith__Address *address;
	char *text;

	if (id == 0 || address_get(reader, id, &address) != 0)
		return NULL;
	text = strdup(address->text);
	kith__address__free_unpacked(address, NULL);
	return text;
}

static json_t *
ticket_json(struct community *community, struct store_reader *reader,
    uint32_t number, const Kith__Ticket *ticket)
{
	struct space *space =
	    spaces_by_id(community_spaces(community), ticket->space);
	char *requester = address_text(reader, ticket->requester);
	json_t *row = json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:I}",
	    "number", (json_int_t)number, "status",
	    ticket_status_name(ticket->status), "space",
	    space == NULL ? "" : space->name, "requester",
	    requester == NULL ? "" : requester, "subject", ticket->subject,
	    "opened", (json_int_t)ticket->opened, "changed",
	    (json_int_t)ticket->changed, "articles",
	    (json_int_t)ticket->n_articles);

	if (row != NULL && ticket->linked != 0)
		json_object_set_new(row, "linked", json_integer(ticket->linked));
	free(requester);
	space_unref(space);
	return row;
}

static json_t *
list_row(struct control_request *request, struct store_reader *reader,
    const struct store_key *key, const ProtobufCMessage *message)
{
	struct community *community = control_context(request);
	const Kith__Ticket *ticket = (const void *)message;
	const char *wanted = control_arg(request, 0);
	struct space *space;
	bool skip;

	if (wanted != NULL) {
		space =
		    spaces_by_id(community_spaces(community), ticket->space);
		skip = space == NULL || strcmp(space->name, wanted) != 0;
		space_unref(space);
		if (skip)
			return NULL;
	}
	return ticket_json(
	    community, reader, store_key_get_u32(key, 0), ticket);
}

static void
run_list(struct control_request *request)
{
	if (!admin_space_exists(request, control_arg(request, 0)))
		return;
	control_columns(
	    request, "number", "status", "space", "requester", "subject", NULL);
	admin_list_run(request, STORE_TICKETS, NULL, list_row);
}

bool
admin_ticket_number(struct control_request *request, uint32_t *number_r)
{
	long number = admin_number(control_arg(request, 0), UINT32_MAX);

	if (number <= 0) {
		control_fail(request, CONTROL_USAGE,
		    "a ticket is named by its number");
		return false;
	}
	*number_r = (uint32_t)number;
	return true;
}

void
admin_ticket_fail(struct control_request *request, int error)
{
	if (error == -ENOENT)
		control_fail(request, "not-found",
		    "there is no ticket %s; `kithctl ticket list` shows them",
		    control_arg(request, 0));
	else
		control_fail(request, "failed", "%s", strerror(-error));
}

static json_t *
article_json(struct store_reader *reader, uint64_t artid)
{
	Kith__ArticleMeta *meta;
	json_t *row;

	if (meta_get(reader, artid, &meta) != 0)
		return NULL;
	row = json_pack("{s:s, s:s, s:s, s:I, s:b, s:b}", "message_id",
	    meta->message_id, "from", meta->from, "subject", meta->subject,
	    "time", (json_int_t)meta->time, "automatic", (int)meta->automatic,
	    "unverified", (int)meta->unverified);
	kith__article_meta__free_unpacked(meta, NULL);
	return row;
}

static void
show_text(struct control_request *request, const json_t *result)
{
	static const char *const names[] = { "status", "space", "requester",
		"subject" };
	size_t i;
	json_t *row;

	control_text(request, "ticket: %lld\n",
	    (long long)json_integer_value(json_object_get(result, "number")));
	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		control_text(request, "%s: %s\n", names[i],
		    json_string_value(json_object_get(result, names[i])));
	if (json_object_get(result, "linked") != NULL)
		control_text(request, "continues: %lld\n",
		    (long long)json_integer_value(
			json_object_get(result, "linked")));
	json_array_foreach (json_object_get(result, "thread"), i, row)
		control_text(request, "  %s  %s%s%s\n",
		    json_string_value(json_object_get(row, "message_id")),
		    json_string_value(json_object_get(row, "from")),
		    json_is_true(json_object_get(row, "automatic")) ?
			" (automatic)" :
			"",
		    json_is_true(json_object_get(row, "unverified")) ?
			" (unverified)" :
			"");
}

static void
run_show(struct control_request *request)
{
	struct community *community = control_context(request);
	struct store_view *view;
	Kith__Ticket *ticket = NULL;
	json_t *result, *thread;
	uint32_t number;
	int error = -ENOMEM;

	if (!admin_ticket_number(request, &number))
		return;
	view = store_view_begin(community_store(community));
	if (view != NULL)
		error = ticket_get(store_view_reader(view), number, &ticket);
	if (error != 0) {
		store_view_end(&view);
		admin_ticket_fail(request, error);
		return;
	}
	result = ticket_json(
	    community, store_view_reader(view), number, ticket);
	thread = json_array();
	for (size_t i = 0; i < ticket->n_articles; i++) {
		json_t *row = article_json(
		    store_view_reader(view), ticket->articles[i]);

		if (row != NULL)
			json_array_append_new(thread, row);
	}
	json_object_set_new(result, "thread", thread);
	kith__ticket__free_unpacked(ticket, NULL);
	store_view_end(&view);
	show_text(request, result);
	control_result(request, result);
	control_done(request);
}

/* ---- set */

struct set_op {
	struct admin_op admin;
	uint32_t number;
	Kith__TicketStatus status;
};

static int
set_check(struct store_txn *txn, struct admin_op *op)
{
	const struct set_op *set = (const struct set_op *)(void *)op;
	struct store_key key = store_key_u32(set->number);

	if (store_has(store_txn_reader(txn), STORE_TICKETS, &key))
		return 0;
	return admin_refuse(op, "not-found",
	    "there is no ticket %u; `kithctl ticket list` shows them",
	    set->number);
}

static int
set_apply(struct store_txn *txn, struct admin_op *op)
{
	const struct set_op *set = (const struct set_op *)(void *)op;
	Kith__Ticket *ticket;
	int error;

	error = ticket_get(store_txn_reader(txn), set->number, &ticket);
	if (error != 0)
		return error;
	ticket->status = set->status;
	ticket->changed = op->now;
	ticket->solved = set->status == KITH__TICKET_STATUS__TICKET_SOLVED ?
	    op->now :
	    0;
	error = ticket_put(txn, set->number, ticket);
	if (error == 0)
		error = ticket_event(txn, set->number, ticket,
		    KITH__VERB__VERB_TICKET_CHANGED, op->now, 0);
	kith__ticket__free_unpacked(ticket, NULL);
	return error;
}

static void
run_set(struct control_request *request)
{
	const char *name = control_option(request, "--status");
	struct set_op *set;
	uint32_t number;

	if (!admin_ticket_number(request, &number))
		return;
	if (name == NULL ||
	    ticket_status_by_name(name) == KITH__TICKET_STATUS__TICKET_NONE) {
		control_fail(request, CONTROL_USAGE,
		    "--status takes open, pending or solved");
		return;
	}
	set = admin_op_new(request, sizeof *set);
	if (set == NULL)
		return;
	set->admin.check = set_check;
	set->admin.apply = set_apply;
	set->number = number;
	set->status = ticket_status_by_name(name);
	admin_op_run(&set->admin);
}

const struct control_verb admin_ticket_verbs[] = {
	{ "ticket", "list", "[SPACE]", 0, 1, run_list, 0 },
	{ "ticket", "show", "N", 1, 1, run_show, 0 },
	{ "ticket", "set", "N --status open|pending|solved", 1, 1, run_set, 0 },
	{ "ticket", "reply", "N", 1, 1, admin_ticket_reply,
	    CONTROL_TAKES_BYTES },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
