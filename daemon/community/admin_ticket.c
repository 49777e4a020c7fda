/* admin_ticket.c - kithctl ticket: what is open, what was said, answers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_list.h"
#include "daemon/community/admin_op.h"
#include "daemon/community/members.h"
#include "daemon/community/spaces.h"
#include "daemon/community/ticket_private.h"
#include "protocol/dot.h"
#include "protocol/mail_compose.h"

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
	const char *name = control_arg(request, 0);
	struct space *space;

	if (name != NULL) {
		space = admin_space_named(request, name);
		if (space == NULL)
			return;
		space_unref(space);
	}
	control_columns(
	    request, "number", "status", "space", "requester", "subject", NULL);
	admin_list_run(request, STORE_TICKETS, NULL, list_row);
}

static bool
number_of(struct control_request *request, uint32_t *number_r)
{
	const char *text = control_arg(request, 0);
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno == 0 && *end == '\0' && end != text && number > 0 &&
	    number <= UINT32_MAX) {
		*number_r = (uint32_t)number;
		return true;
	}
	control_fail(request, CONTROL_USAGE, "a ticket is named by its number");
	return false;
}

static void
fail_ticket(struct control_request *request, int error)
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
	struct store_key key = store_key_u64(artid);
	ProtobufCMessage *message;
	const Kith__ArticleMeta *meta;
	json_t *row;

	if (store_get(reader, STORE_ARTICLE_META, &key, &message) != 0)
		return NULL;
	meta = (const void *)message;
	row = json_pack("{s:s, s:s, s:s, s:I, s:b, s:b}", "message_id",
	    meta->message_id, "from", meta->from, "subject", meta->subject,
	    "time", (json_int_t)meta->time, "automatic", (int)meta->automatic,
	    "unverified", (int)meta->unverified);
	protobuf_c_message_free_unpacked(message, NULL);
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

	if (!number_of(request, &number))
		return;
	view = store_view_begin(community_store(community));
	if (view != NULL)
		error = ticket_get(store_view_reader(view), number, &ticket);
	if (error != 0) {
		store_view_end(&view);
		fail_ticket(request, error);
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

	if (!number_of(request, &number))
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

/* ---- reply */

struct reply_op {
	struct store_op op;
	struct control_request *request;
	struct community *community;
	struct draft draft;
	uint32_t number;
};

/* What the answer belongs to. */
struct reply_thread {
	uint32_t number;
	char root[300]; /* "": the parent is the first article, or it is gone */
	char parent[300]; /* "": none of its articles is there any more */
};

/* The answer as a mail of the support address, in wire form. */
static char *
reply_compose(struct community *community, const struct space *space,
    const Kith__Ticket *ticket, const struct reply_thread *thread,
    struct span text, size_t *len_r)
{
	const struct config *config = community_config(community);
	uint64_t now = community_now(community);
	const char *parent = thread->parent[0] == '\0' ? NULL : thread->parent;
	bool again = strncasecmp(ticket->subject, "re:", 3) == 0;
	char address[300], id[600], subject[600], references[1100];
	struct buffer mail, wire;
	const struct mail_field fields[] = {
		{ "In-Reply-To", parent, MAIL_FIELD_RAW },
		{ "References", parent == NULL ? NULL : references,
		    MAIL_FIELD_IDS },
	};
	struct mail_notice notice = { .date = (int64_t)now,
		.from_name = space->name,
		.from = address,
		.to = address,
		.subject = subject,
		.message_id = id,
		.fields = fields,
		.field_count = 2,
		.text = text };

	(void)snprintf(
	    address, sizeof address, "%s@%s", space->mail, config->domain);
	(void)snprintf(id, sizeof id, "<reply.%x.%zx.%llx@%s>", thread->number,
	    ticket->n_articles, (unsigned long long)now, config->hostname);
	(void)snprintf(subject, sizeof subject, "%s%s", again ? "" : "Re: ",
	    ticket->subject);
	(void)snprintf(references, sizeof references, "%s%s%s", thread->root,
	    thread->root[0] == '\0' ? "" : " ", thread->parent);
	buffer_init(&mail, 0);
	buffer_init(&wire, 0);
	if (mail_notice_compose(&mail, &notice) != 0)
		mail.failed = true;
	else
		dot_stuff(&wire, buffer_span(&mail));
	if (buffer_failed(&mail))
		wire.failed = true;
	buffer_fini(&mail);
	return buffer_take(&wire, len_r);
}

static int
reply_check(struct store_txn *txn, struct store_op *op)
{
	struct reply_op *reply = (struct reply_op *)(void *)op;

	return draft_check_id(txn, reply->community, &reply->draft) ==
		REASON_STORED ?
	    0 :
	    -EEXIST;
}

static int
reply_apply(struct store_txn *txn, struct store_op *op)
{
	struct reply_op *reply = (struct reply_op *)(void *)op;
	return ticket_store(txn, reply->community, &reply->draft);
}

static void
reply_done(struct store_op *op, int result)
{
	struct reply_op *reply = (struct reply_op *)(void *)op;

	if (result != 0)
		control_fail(
		    reply->request, "failed", "%s", strerror(-result));
	else
		control_done(reply->request);
	draft_fini(&reply->draft);
	free(reply);
}

static int
article_id(
    struct store_reader *reader, uint64_t artid, char *id, size_t room)
{
	struct store_key key = store_key_u64(artid);
	ProtobufCMessage *message;
	int error = store_get(reader, STORE_ARTICLE_META, &key, &message);

	if (error != 0)
		return error;
	(void)snprintf(id, room, "%s",
	    ((const Kith__ArticleMeta *)(void *)message)->message_id);
	protobuf_c_message_free_unpacked(message, NULL);
	return 0;
}

/* The ticket's first article and its last one that are still there. */
static int
thread_load(struct store_reader *reader, const Kith__Ticket *ticket,
    struct reply_thread *thread)
{
	size_t last = ticket->n_articles;
	int error = -ENOENT;

	while (error == -ENOENT && last > 0)
		error = article_id(reader, ticket->articles[--last],
		    thread->parent, sizeof thread->parent);
	if (error == 0 && last > 0)
		(void)article_id(reader, ticket->articles[0], thread->root,
		    sizeof thread->root);
	return error == -ENOENT ? 0 : error;
}

/* Prepares the draft as an answer to the ticket's last article. Negative, or 0. */
static int
reply_prepare(struct reply_op *reply, struct store_reader *reader,
    const Kith__Ticket *ticket, struct span text, char *detail, size_t room)
{
	struct community *community = reply->community;
	struct space *space =
	    spaces_by_id(community_spaces(community), ticket->space);
	struct reply_thread thread = { .number = reply->number };
	struct draft *draft = &reply->draft;
	struct draft_bytes bytes = { 0 };
	int error = -ENOENT;

	if (space == NULL)
		return error;
	error = thread_load(reader, ticket, &thread);
	if (error != 0)
		goto out;
	error = -ENOMEM;
	bytes.bytes = reply_compose(
	    community, space, ticket, &thread, text, &bytes.len);
	if (bytes.bytes == NULL)
		goto out;
	dot_examine(span_make(bytes.bytes, bytes.len), &bytes.facts);
	draft->ticket = reply->number;
	draft->spaces[0] = space->id;
	draft->space_count = 1;
	draft->channel = KITH__CHANNEL__CHANNEL_LOCAL;
	draft->author.role = KITH__ROLE__ROLE_ADMIN;
	draft->author.active = true;
	draft->author.trust = TRUST_SESSION;
	error = draft_from_mail(community, draft, &bytes, detail, room) ==
		REASON_STORED ?
	    0 :
	    -EBADMSG;
out:
	space_unref(space);
	return error;
}

static void
run_reply(struct control_request *request)
{
	struct community *community = control_context(request);
	struct span text = control_input(request);
	struct reply_op *reply;
	struct store_view *view;
	Kith__Ticket *ticket;
	char detail[200] = "";
	uint32_t number;
	int error = -ENOMEM;

	if (!number_of(request, &number))
		return;
	if (span_trim(text).len == 0) {
		control_fail(request, "refused",
		    "the answer is empty: give its text on standard input");
		return;
	}
	reply = calloc(1, sizeof *reply);
	view = store_view_begin(community_store(community));
	if (reply == NULL || view == NULL)
		goto fail;
	reply->op.check = reply_check;
	reply->op.apply = reply_apply;
	reply->op.done = reply_done;
	reply->op.inbox = community_inbox(community);
	reply->request = request;
	reply->community = community;
	reply->number = number;
	error = ticket_get(store_view_reader(view), number, &ticket);
	if (error != 0)
		goto fail;
	error = reply_prepare(reply, store_view_reader(view), ticket, text,
	    detail, sizeof detail);
	kith__ticket__free_unpacked(ticket, NULL);
	if (error != 0)
		goto fail;
	store_view_end(&view);
	store_submit(community_store(community), &reply->op);
	return;
fail:
	store_view_end(&view);
	if (detail[0] != '\0')
		control_fail(request, "refused", "%s", detail);
	else
		fail_ticket(request, error);
	if (reply != NULL)
		draft_fini(&reply->draft);
	free(reply);
}

const struct control_verb admin_ticket_verbs[] = {
	{ "ticket", "list", "[SPACE]", 0, 1, run_list, 0 },
	{ "ticket", "show", "N", 1, 1, run_show, 0 },
	{ "ticket", "set", "N --status open|pending|solved", 1, 1, run_set, 0 },
	{ "ticket", "reply", "N", 1, 1, run_reply, CONTROL_TAKES_BYTES },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
