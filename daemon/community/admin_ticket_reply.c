/* admin_ticket_reply.c - kithctl ticket reply: an answer of the support address to
 * what was said last.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/admin_ticket.h"
#include "daemon/community/meta.h"
#include "daemon/community/spaces.h"
#include "daemon/community/ticket_private.h"
#include "protocol/dot.h"
#include "protocol/mail_compose.h"
#include "protocol/overview.h"
#include "protocol/references.h"
#include "store/overview.h"

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
	char *parent; /* owned; NULL: none of its articles is there any more */
	struct buffer
	    references; /* of the answer; empty if there is no parent */
};

/* The answer as a mail of the support address, in wire form. */
static char *
reply_compose(struct community *community, const struct space *space,
    const Kith__Ticket *ticket, const struct reply_thread *thread,
    struct span text, size_t *len_r)
{
	const struct config *config = community_config(community);
	uint64_t now = community_now(community);
	bool again = strncasecmp(ticket->subject, "re:", 3) == 0;
	char address[300], id[600], subject[600];
	struct buffer mail, wire;
	const struct mail_field fields[] = {
		{ "In-Reply-To", thread->parent, MAIL_FIELD_RAW },
		{ "References",
		    thread->parent == NULL ? NULL
					   : buffer_text(&thread->references),
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

	(void)snprintf(address, sizeof address, "%s@%s", space->mail,
	    config->domain);
	(void)snprintf(id, sizeof id, "<reply.%x.%zx.%llx@%s>", thread->number,
	    ticket->n_articles, (unsigned long long)now, config->hostname);
	(void)snprintf(subject, sizeof subject, "%s%s",
	    again ? "" : "Re: ", ticket->subject);
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
		REASON_STORED
	    ? 0
	    : -EEXIST;
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
		control_fail(reply->request, "failed", "%s", strerror(-result));
	else
		control_done(reply->request);
	draft_fini(&reply->draft);
	free(reply);
}

/* The References of an article in its row of the overview, owned; "" if there are
 * none. */
static char *
references_of(struct store_reader *reader, uint32_t space,
    const Kith__ArticleMeta *meta)
{
	struct span references = span_make("", 0);
	struct store_overview_row row;
	char *copy = NULL, *text;

	for (size_t i = 0; i < meta->n_placements; i++)
		if (meta->placements[i]->space == space &&
		    store_overview_get(reader, space,
			meta->placements[i]->number, &row, &copy) == 0) {
			references = overview_row_field(span_make(row.text,
							    row.text_len),
			    OVERVIEW_REFERENCES);
			break;
		}
	text = strndup(references.bytes, references.len);
	free(copy);
	return text;
}

/* The ticket's first article, as a thread that says nothing of it begins there. */
static char *
root_of(struct store_reader *reader, const Kith__Ticket *ticket)
{
	Kith__ArticleMeta *meta;
	char *id;

	if (meta_get(reader, ticket->articles[0], &meta) != 0)
		return strdup("");
	id = strdup(meta->message_id);
	kith__article_meta__free_unpacked(meta, NULL);
	return id;
}

/* The answer is to the ticket's last article that is still there. */
static int
thread_load(struct store_reader *reader, const Kith__Ticket *ticket,
    struct reply_thread *thread)
{
	size_t last = ticket->n_articles;
	Kith__ArticleMeta *meta = NULL;
	char *references;
	int rc = -ENOENT;

	while (rc == -ENOENT && last > 0)
		rc = meta_get(reader, ticket->articles[--last], &meta);
	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	thread->parent = strdup(meta->message_id);
	references = references_of(reader, ticket->space, meta);
	kith__article_meta__free_unpacked(meta, NULL);
	if (references != NULL && references[0] == '\0' && last > 0) {
		free(references);
		references = root_of(reader, ticket);
	}
	rc = -ENOMEM;
	if (thread->parent != NULL && references != NULL)
		rc = references_append(&thread->references, span_of(references),
		    span_make("", 0), span_of(thread->parent));
	free(references);
	return rc;
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
	buffer_init(&thread.references, 0);
	error = thread_load(reader, ticket, &thread);
	if (error != 0)
		goto out;
	error = -ENOMEM;
	bytes.bytes =
	    reply_compose(community, space, ticket, &thread, text, &bytes.len);
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
		REASON_STORED
	    ? 0
	    : -EBADMSG;
out:
	buffer_fini(&thread.references);
	free(thread.parent);
	space_unref(space);
	return error;
}

void
admin_ticket_reply(struct control_request *request)
{
	struct community *community = control_context(request);
	struct span text = control_input(request);
	struct reply_op *reply;
	struct store_view *view;
	Kith__Ticket *ticket;
	char detail[200] = "";
	uint32_t number;
	int error = -ENOMEM;

	if (!admin_ticket_number(request, &number))
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
		admin_ticket_fail(request, error);
	if (reply != NULL)
		draft_fini(&reply->draft);
	free(reply);
}
