/* admin_op.c - kithctl's operations: from the loop to the writer and back.
 */
#include "daemon/community/admin_op.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/spaces.h"

void *
admin_op_new(struct control_request *request, size_t size)
{
	struct admin_op *op = calloc(1, size);

	if (op == NULL) {
		admin_fail_errno(request, -ENOMEM);
		return NULL;
	}
	op->request = request;
	op->community = control_context(request);
	op->now = community_now(op->community);
	return op;
}

static void
admin_op_free(struct admin_op *op)
{
	if (op->release != NULL)
		op->release(op);
	else
		free(op);
}

void
admin_op_fail(struct admin_op *op, const char *code, const char *format, ...)
{
	char text[320];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	control_fail(op->request, code, "%s", text);
	admin_op_free(op);
}

int
admin_refuse(struct admin_op *op, const char *code, const char *format, ...)
{
	va_list args;

	op->code = code;
	va_start(args, format);
	(void)vsnprintf(op->error, sizeof op->error, format, args);
	va_end(args);
	return 1;
}

void
admin_fail_errno(struct control_request *request, int error)
{
	switch (error) {
	case -ENOSPC:
		control_fail(request, "no-room",
		    "the disk is full: make room, then try again");
		break;
	case -ENOMEM:
		control_fail(request, "no-memory",
		    "kithd is out of memory: try again later");
		break;
	case -EBADMSG:
		control_fail(request, "bad-record",
		    "a stored record cannot be read: run kithctl check");
		break;
	default:
		control_fail(request, "error", "the store says: %s",
		    strerror(-error));
		break;
	}
}

static int
op_check(struct store_txn *txn, struct store_op *op)
{
	struct admin_op *admin = (struct admin_op *)(void *)op;

	admin->code = NULL;
	return admin->check == NULL ? 0 : admin->check(txn, admin);
}

static int
op_apply(struct store_txn *txn, struct store_op *op)
{
	struct admin_op *admin = (struct admin_op *)(void *)op;

	return admin->apply == NULL ? 0 : admin->apply(txn, admin);
}

static void
op_done(struct store_op *op, int result)
{
	struct admin_op *admin = (struct admin_op *)(void *)op;

	community_busy(admin->community, -1);
	if (result > 0)
		control_fail(admin->request, admin->code, "%s", admin->error);
	else if (result < 0)
		admin_fail_errno(admin->request, result);
	else if (admin->done != NULL)
		admin->done(admin);
	else
		control_done(admin->request);
	admin_op_free(admin);
}

void
admin_op_run(struct admin_op *op)
{
	op->op.check = op_check;
	op->op.apply = op_apply;
	op->op.done = op_done;
	op->op.inbox = community_inbox(op->community);
	community_busy(op->community, 1);
	store_submit(community_store(op->community), &op->op);
}

struct space *
admin_space_named(struct control_request *request, const char *name)
{
	struct community *community = control_context(request);
	struct space *space =
	    spaces_by_name(community_spaces(community), span_of(name));

	if (space == NULL)
		control_fail(request, "not-found",
		    "there is no space %s; kithctl space list shows them",
		    name);
	return space;
}

bool
admin_space_exists(struct control_request *request, const char *name)
{
	struct space *space =
	    name == NULL ? NULL : admin_space_named(request, name);
	bool exists = name == NULL || space != NULL;

	space_unref(space);
	return exists;
}
