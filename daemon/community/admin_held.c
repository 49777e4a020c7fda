/* admin_held.c - kithctl held: list, show, release, reject.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_list.h"
#include "daemon/community/held.h"
#include "daemon/community/moderation.h"
#include "daemon/community/spaces.h"
#include "protocol/dot.h"
#include "protocol/range.h"

/* ---- list */

static json_t *
held_spaces(struct community *community, const Kith__Held *record)
{
	json_t *names = json_array();

	for (size_t i = 0; i < record->n_spaces; i++) {
		struct space *space = spaces_by_id(community_spaces(community),
		    record->spaces[i]);

		if (space != NULL)
			(void)json_array_append_new(names,
			    json_string(space->name));
		space_unref(space);
	}
	return names;
}

static bool
held_is_in(const json_t *spaces, const char *name)
{
	for (size_t i = 0; name != NULL && i < json_array_size(spaces); i++)
		if (strcmp(json_string_value(json_array_get(spaces, i)),
			name) == 0)
			return true;
	return name == NULL;
}

static json_t *
held_row(struct control_request *request, struct store_reader *reader,
    const struct store_key *key, const ProtobufCMessage *message)
{
	const Kith__Held *record = (const Kith__Held *)message;
	json_t *spaces = held_spaces(control_context(request), record);
	const char *first = json_string_value(json_array_get(spaces, 0));

	(void)reader;
	if (!held_is_in(spaces, control_arg(request, 0))) {
		json_decref(spaces);
		return NULL;
	}
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "id",
	    (json_int_t)store_key_get_u32(key, 0), "cause",
	    held_cause_name(record->cause), "space",
	    first == NULL ? "" : first, "from", record->from, "subject",
	    record->subject, "message_id", record->message_id, "time",
	    (json_int_t)record->time, "spaces", spaces);
}

static void
run_list(struct control_request *request)
{
	if (!admin_space_exists(request, control_arg(request, 0)))
		return;
	control_columns(request, "id", "cause", "space", "from", "subject",
	    NULL);
	admin_list_run(request, STORE_HELD, NULL, held_row);
}

/* ---- show */

static bool
held_id(struct control_request *request, uint32_t *id_r)
{
	if (range_parse_number(span_of(control_arg(request, 0)), id_r) == 0)
		return true;
	control_fail(request, CONTROL_USAGE,
	    "ID is the number that `kithctl held list` shows");
	return false;
}

static void
fail_not_held(struct control_request *request, uint32_t id)
{
	control_fail(request, "not-found",
	    "nothing is held as %u; see `kithctl held list`", id);
}

static void
run_show(struct control_request *request)
{
	struct community *community = control_context(request);
	struct store_view *view;
	uint8_t *body = NULL;
	struct buffer plain;
	uint32_t id;
	size_t len = 0;
	int rc = -ENOMEM;

	if (!held_id(request, &id))
		return;
	view = store_view_begin(community_store(community));
	if (view != NULL)
		rc = store_body_get(store_view_reader(view), STORE_HELD_BODIES,
		    id, &body, &len);
	store_view_end(&view);
	buffer_init(&plain, 0);
	if (rc == 0)
		dot_unstuff(&plain, span_make((const char *)body, len));
	if (rc == -ENOENT) {
		fail_not_held(request, id);
	} else if (rc != 0 || buffer_failed(&plain)) {
		admin_fail_errno(request, rc == 0 ? -ENOMEM : rc);
	} else {
		control_output(request, plain.bytes, plain.len);
		control_done(request);
	}
	buffer_fini(&plain);
	free(body);
}

/* ---- release, reject */

struct decide_op {
	struct admin_op admin;
	struct held_decision decision;
};

static struct decide_op *
decide_op_of(struct admin_op *admin)
{
	return (struct decide_op *)(void *)admin;
}

static int
decide_check(struct store_txn *txn, struct admin_op *admin)
{
	struct held_decision *decision = &decide_op_of(admin)->decision;
	int rc = held_decision_check(txn, admin->community, decision);

	if (rc == -ENOENT)
		return admin_refuse(admin, "not-found",
		    "nothing is held as %u; see `kithctl held list`",
		    decision->held);
	if (rc == 1)
		return admin_refuse(admin, reason_name(decision->outcome),
		    "cannot be released: %s%s%s",
		    reason_reply(decision->outcome)->text,
		    decision->detail[0] != '\0' ? ": " : "", decision->detail);
	return rc;
}

static int
decide_apply(struct store_txn *txn, struct admin_op *admin)
{
	return held_decision_apply(txn, admin->community,
	    &decide_op_of(admin)->decision);
}

static void
decide_release(struct admin_op *admin)
{
	held_decision_fini(&decide_op_of(admin)->decision);
	free(admin);
}

static void
run_decide(struct control_request *request, bool release)
{
	struct community *community = control_context(request);
	struct decide_op *op;
	uint32_t id;

	if (!held_id(request, &id))
		return;
	op = admin_op_new(request, sizeof *op);
	if (op == NULL)
		return;
	op->decision.held = id;
	op->decision.release = release;
	op->decision.reason =
	    release ? NULL : control_option(request, "--reason");
	op->decision.actor.role = KITH__ROLE__ROLE_ADMIN;
	op->decision.actor.active = true;
	(void)snprintf(op->decision.actor.compared,
	    sizeof op->decision.actor.compared, "postmaster@%s",
	    community_config(community)->domain);
	op->admin.check = decide_check;
	op->admin.apply = decide_apply;
	op->admin.release = decide_release;
	admin_op_run(&op->admin);
}

static void
run_release(struct control_request *request)
{
	run_decide(request, true);
}

static void
run_reject(struct control_request *request)
{
	run_decide(request, false);
}

const struct control_verb admin_held_verbs[] = {
	{ "held", "list", "[SPACE]", 0, 1, run_list, 0 },
	{ "held", "show", "ID", 1, 1, run_show, 0 },
	{ "held", "release", "ID", 1, 1, run_release, 0 },
	{ "held", "reject", "ID [--reason TEXT]", 1, 1, run_reject, 0 },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
