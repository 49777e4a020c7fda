/* admin_text.c - kithctl text: the message of the day and its like (texts.h).
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_op.h"
#include "daemon/community/journal.h"
#include "daemon/community/texts.h"
#include "protocol/dot.h"

#define NAMES "motd|distributions|distrib-pats"

struct text_op {
	struct admin_op admin;
	enum text text;
	struct buffer wire;
	bool remove;
};

/* False: the request has failed. */
static bool
text_of(struct control_request *request, enum text *text_r)
{
	*text_r = text_named(control_arg(request, 0));
	if (*text_r != TEXTS)
		return true;
	control_fail(request, CONTROL_USAGE,
	    "there is no text %s; it is one of %s", control_arg(request, 0),
	    NAMES);
	return false;
}

static int
text_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct text_op *op = (struct text_op *)(void *)admin;
	int rc = op->remove ? text_delete(txn, op->text)
			    : text_put(txn, op->text, buffer_span(&op->wire));

	/* what was not there is gone, as was wanted */
	if (rc == -ENOENT)
		return 0;
	return rc != 0 ? rc
		       : journal_append(txn,
			     &(struct journal_event){ .time = admin->now,
				 .verb = KITH__VERB__VERB_TEXT_CHANGED,
				 .object = (uint64_t)op->text,
				 .text = text_name(op->text) });
}

static void
text_release(struct admin_op *admin)
{
	struct text_op *op = (struct text_op *)(void *)admin;

	buffer_fini(&op->wire);
	free(op);
}

static struct text_op *
text_op_new(struct control_request *request, enum text text)
{
	struct text_op *op = admin_op_new(request, sizeof *op);

	if (op != NULL) {
		buffer_init(&op->wire, 0);
		op->text = text;
		op->admin.apply = text_apply;
		op->admin.release = text_release;
	}
	return op;
}

static void
run_set(struct control_request *request)
{
	struct text_fault fault;
	struct text_op *op;
	enum text text;
	int rc;

	if (!text_of(request, &text))
		return;
	op = text_op_new(request, text);
	if (op == NULL)
		return;
	rc = text_compose(text, control_input(request), &op->wire, &fault);
	if (rc == 0)
		admin_op_run(&op->admin);
	else if (rc > 0 && fault.line > 0)
		admin_op_fail(&op->admin, "refused", "line %u: %s", fault.line,
		    fault.why);
	else
		admin_op_fail(&op->admin, rc > 0 ? "refused" : "no-memory",
		    "%s: %s; it is at most %u octets of UTF-8", text_name(text),
		    rc > 0 ? fault.why : "no memory", TEXT_OCTETS_MAX);
}

static void
run_remove(struct control_request *request)
{
	struct text_op *op;
	enum text text;

	if (!text_of(request, &text))
		return;
	op = text_op_new(request, text);
	if (op == NULL)
		return;
	op->remove = true;
	admin_op_run(&op->admin);
}

/* Out of the store, as a file: lines with LF. */
static int
text_read(struct community *community, enum text text, struct buffer *plain)
{
	struct store_view *view = store_view_begin(community_store(community));
	struct buffer wire;
	size_t kept = 0;
	int rc = -ENOMEM;

	buffer_init(&wire, 0);
	if (view != NULL)
		rc = text_get(store_view_reader(view), text, &wire);
	store_view_end(&view);
	if (rc == 0)
		dot_unstuff(plain, buffer_span(&wire));
	buffer_fini(&wire);
	if (rc != 0 || buffer_failed(plain))
		return rc != 0 ? rc : -ENOMEM;
	for (size_t i = 0; i < plain->len; i++)
		if (plain->bytes[i] != '\r')
			plain->bytes[kept++] = plain->bytes[i];
	plain->len = kept;
	return 0;
}

static void
run_show(struct control_request *request)
{
	struct buffer plain;
	enum text text;
	int rc;

	if (!text_of(request, &text))
		return;
	buffer_init(&plain, 0);
	rc = text_read(control_context(request), text, &plain);
	if (rc == 0) {
		control_output(request, plain.bytes, plain.len);
		control_done(request);
	} else if (rc == -ENOENT) {
		control_fail(request, "not-found",
		    "no %s was written; kithctl text set %s does",
		    text_name(text), text_name(text));
	} else {
		admin_fail_errno(request, rc);
	}
	buffer_fini(&plain);
}

const struct control_verb admin_text_verbs[] = {
	{ "text", "set", NAMES " [FILE]", 1, 2, run_set, CONTROL_TAKES_BYTES },
	{ "text", "show", NAMES, 1, 1, run_show, 0 },
	{ "text", "remove", NAMES, 1, 1, run_remove, 0 },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
