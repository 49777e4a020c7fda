/* admin_op.h - a verb of kithctl as one operation of the store: parsed on the
 * loop, checked and applied on the writer, answered after the commit.
 */
#ifndef KITH_COMMUNITY_ADMIN_OP_H
#define KITH_COMMUNITY_ADMIN_OP_H

#include "daemon/community/community.h"
#include "daemon/control.h"

/* Embed it as the first member of the verb's own struct (calloc'ed). */
struct admin_op {
	struct store_op op;
	struct community *community;
	struct control_request *request;
	/* As in store_op. check refuses with `return admin_refuse(...)`. */
	int (*check)(struct store_txn *txn, struct admin_op *op);
	int (*apply)(struct store_txn *txn, struct admin_op *op);
	/* What to say on success (control_result, ...), or NULL; must end with
	 * control_done. */
	void (*done)(struct admin_op *op);
	/* Frees the struct; NULL: free(). */
	void (*release)(struct admin_op *op);
	uint64_t now;
	const char *code;
	char error[320];
};

/* A new operation of `size` bytes, zeroed; NULL (and the request failed) when
 * there is no memory. */
void *admin_op_new(struct control_request *request, size_t size);
/* Takes the operation and, with it, the request. */
void admin_op_run(struct admin_op *op);
/* Gives up before admin_op_run: code and text as in control_fail. */
void admin_op_fail(struct admin_op *op, const char *code, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
/* Sets the refusal and returns 1, for check. */
int admin_refuse(struct admin_op *op, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Fails a request for a negative errno of the store. */
void admin_fail_errno(struct control_request *request, int error);

/* The space of that name, counted, or NULL and the request failed. */
struct space *admin_space_named(struct control_request *request,
    const char *name);
/* Is there one, where one is named? False: the request failed. */
bool admin_space_exists(struct control_request *request, const char *name);

#endif
