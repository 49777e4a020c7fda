/* admin_queue.c - kithctl queue: what is on its way out.
 */
#include <stdlib.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_list.h"
#include "daemon/community/jobs.h"
#include "daemon/community/spaces.h"
#include "protocol/range.h"

static const char *const kind_names[] = { "none", "list", "digest", "mail" };

static const char *
kind_name(Kith__JobKind kind)
{
	return (size_t)kind < sizeof kind_names / sizeof kind_names[0]
	    ? kind_names[kind]
	    : "none";
}

static json_t *
queue_row(struct control_request *request, struct store_reader *reader,
    const struct store_key *key, const ProtobufCMessage *message)
{
	struct community *community = control_context(request);
	const Kith__Job *job = (const Kith__Job *)message;
	struct space *space = job->space == 0
	    ? NULL
	    : spaces_by_id(community_spaces(community), job->space);
	json_t *row = json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:I}",
	    "id", (json_int_t)store_key_get_u64(key, 0), "kind",
	    kind_name(job->kind), "purpose", job->purpose, "space",
	    space == NULL ? "" : space->name, "state",
	    job->walked ? "deferred" : "running", "deferred",
	    (json_int_t)job->deferred, "created", (json_int_t)job->created,
	    "recipients", (json_int_t)job->n_recipients);

	(void)reader;
	space_unref(space);
	return row;
}

static void
run_list(struct control_request *request)
{
	control_columns(request, "id", "kind", "purpose", "space", "state",
	    "deferred", NULL);
	admin_list_run(request, STORE_JOBS, NULL, queue_row);
}

static void
run_flush(struct control_request *request)
{
	struct community *community = control_context(request);

	jobs_run_due(community_jobs(community), true);
	control_done(request);
}

/* ---- remove */

struct remove_op {
	struct admin_op admin;
	uint64_t id;
};

static int
remove_check(struct store_txn *txn, struct admin_op *admin)
{
	struct remove_op *op = (struct remove_op *)(void *)admin;
	struct store_key key = store_key_u64(op->id);

	if (!store_has(store_txn_reader(txn), STORE_JOBS, &key))
		return admin_refuse(admin, "not-found",
		    "no such job; see `kithctl queue list`");
	return 0;
}

static int
remove_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct remove_op *op = (struct remove_op *)(void *)admin;

	return job_remove(txn, admin->community, op->id);
}

static void
run_remove(struct control_request *request)
{
	struct remove_op *op;
	uint32_t id;

	if (range_parse_number(span_of(control_arg(request, 0)), &id) != 0) {
		control_fail(request, CONTROL_USAGE,
		    "ID is the number that `kithctl queue list` shows");
		return;
	}
	op = admin_op_new(request, sizeof *op);
	if (op == NULL)
		return;
	op->id = id;
	op->admin.check = remove_check;
	op->admin.apply = remove_apply;
	admin_op_run(&op->admin);
}

const struct control_verb admin_queue_verbs[] = {
	{ "queue", "list", "", 0, 0, run_list, 0 },
	{ "queue", "flush", "", 0, 0, run_flush, 0 },
	{ "queue", "remove", "ID", 1, 1, run_remove, 0 },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
