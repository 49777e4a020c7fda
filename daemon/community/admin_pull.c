/* admin_pull.c - kithctl peer pull, unpull and groups: which groups of a peer
 * come into which spaces, and how far they got.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_list.h"
#include "daemon/community/admin_op.h"
#include "daemon/community/admin_peer.h"
#include "daemon/community/pulls.h"
#include "daemon/community/spaces.h"
#include "protocol/newsgroup.h"

struct pull_op {
	struct admin_op admin;
	uint32_t peer;
	uint32_t space;
	const char *group;
};

/* ---- rows */

static json_t *
group_json(struct community *community, uint32_t peer, const Kith__Pull *pull)
{
	struct space *space =
	    spaces_by_id(community_spaces(community), pull->space);
	bool running =
	    pulls_is_running(community_pulls(community), peer, pull->group);
	json_t *row =
	    json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s}",
		"group", pull->group, "space", space == NULL ? "" : space->name,
		"last", (json_int_t)pull->last, "high", (json_int_t)pull->high,
		"taken", (json_int_t)pull->taken, "had", (json_int_t)pull->had,
		"refused", (json_int_t)pull->refused, "time",
		(json_int_t)pull->time, "state", running ? "running" : "idle",
		"error", pull->error);

	space_unref(space);
	return row;
}

static json_t *
group_row(struct control_request *request, struct store_reader *reader,
    const struct store_key *key, const ProtobufCMessage *message)
{
	(void)reader;
	return group_json(control_context(request), store_key_get_u32(key, 0),
	    (const Kith__Pull *)(const void *)message);
}

static void
show_groups(struct control_request *request, const struct store_key *prefix)
{
	control_columns(request, "group", "space", "last", "high", "taken",
	    "had", "refused", "state", "error", (char *)NULL);
	admin_list_run(request, STORE_PULLS, prefix, group_row);
}

static void
run_groups(struct control_request *request)
{
	struct store_key prefix;
	Kith__Peer *peer;
	uint32_t id;

	if (admin_peer_find(request, control_arg(request, 0), &peer, &id) != 0)
		return;
	kith__peer__free_unpacked(peer, NULL);
	prefix = store_key_u32(id);
	show_groups(request, &prefix);
}

/* ---- a round */

struct waiting {
	struct control_request *request;
	uint32_t peer;
	const char *group; /* of the request; NULL: all */
};

/* What did not work is said, and what did is kept. */
static void
round_done(void *arg, const char *error)
{
	struct waiting *waiting = arg;
	struct store_key prefix = waiting->group == NULL
	    ? store_key_u32(waiting->peer)
	    : pulls_key(waiting->peer, waiting->group);

	if (error[0] != '\0')
		control_fail(waiting->request, "failed", "%s", error);
	else
		show_groups(waiting->request, &prefix);
	free(waiting);
}

static void
round_run(struct control_request *request, uint32_t peer, const char *group)
{
	struct community *community = control_context(request);
	struct waiting *waiting;

	if (control_option(request, "--background") != NULL) {
		pulls_run(community_pulls(community), peer, group, NULL, NULL);
		control_done(request);
		return;
	}
	waiting = calloc(1, sizeof *waiting);
	if (waiting == NULL) {
		admin_fail_errno(request, -ENOMEM);
		return;
	}
	waiting->request = request;
	waiting->peer = peer;
	waiting->group = group;
	pulls_run(community_pulls(community), peer, group, round_done, waiting);
}

/* ---- a group more */

static int
add_check(struct store_txn *txn, struct admin_op *admin)
{
	struct pull_op *op = (struct pull_op *)(void *)admin;
	struct store_key key = store_key_u32(op->peer);

	if (!store_has(store_txn_reader(txn), STORE_PEERS, &key))
		return admin_refuse(admin, "not-found", "the peer is gone");
	return 0;
}

/* Another space: from the beginning, for what is there is known. */
static int
add_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct pull_op *op = (struct pull_op *)(void *)admin;
	struct store_key key = pulls_key(op->peer, op->group);
	ProtobufCMessage *message = NULL;
	Kith__Pull row;
	bool same;
	int rc = store_get(store_txn_reader(txn), STORE_PULLS, &key, &message);

	if (rc == 0) {
		same = ((Kith__Pull *)(void *)message)->space == op->space;
		protobuf_c_message_free_unpacked(message, NULL);
		if (same)
			return 0;
	} else if (rc != -ENOENT) {
		return rc;
	}
	kith__pull__init(&row);
	row.group = (char *)(uintptr_t)op->group;
	row.space = op->space;
	return store_put(txn, STORE_PULLS, &key, &row.base);
}

static void
add_done(struct admin_op *admin)
{
	const struct pull_op *op = (const struct pull_op *)(const void *)admin;

	round_run(admin->request, op->peer, op->group);
}

static void
add_group(struct control_request *request, uint32_t peer, const char *group)
{
	const char *name = control_arg(request, 2);
	struct space *space;
	struct pull_op *op;

	if (strlen(group) > NEWSGROUP_MAX ||
	    !newsgroup_is_valid(span_of(group))) {
		control_fail(request, CONTROL_USAGE,
		    "GROUP is the name of a newsgroup");
		return;
	}
	space = admin_space_named(request, name == NULL ? group : name);
	if (space == NULL)
		return;
	op = admin_op_new(request, sizeof *op);
	if (op != NULL) {
		op->peer = peer;
		op->space = space->id;
		op->group = group;
		op->admin.check = add_check;
		op->admin.apply = add_apply;
		op->admin.done = add_done;
		admin_op_run(&op->admin);
	}
	space_unref(space);
}

/* ---- one less */

static int
unpull_check(struct store_txn *txn, struct admin_op *admin)
{
	struct pull_op *op = (struct pull_op *)(void *)admin;
	struct store_key key = pulls_key(op->peer, op->group);

	if (store_has(store_txn_reader(txn), STORE_PULLS, &key))
		return 0;
	return admin_refuse(admin, "not-found",
	    "that group is not taken; kithctl peer groups shows them");
}

static int
unpull_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct pull_op *op = (struct pull_op *)(void *)admin;
	struct store_key key = pulls_key(op->peer, op->group);

	return store_delete(txn, STORE_PULLS, &key);
}

static void
unpull_done(struct admin_op *admin)
{
	const struct pull_op *op = (const struct pull_op *)(const void *)admin;

	if (pulls_is_running(community_pulls(admin->community), op->peer,
		op->group))
		pulls_peer_changed(community_pulls(admin->community), op->peer);
	control_done(admin->request);
}

/* ---- verbs */

static void
run_pull(struct control_request *request)
{
	const char *group = control_arg(request, 1);
	Kith__Peer *peer;
	uint32_t id;
	bool has_server;

	if (admin_peer_find(request, control_arg(request, 0), &peer, &id) != 0)
		return;
	has_server = peer->pull[0] != '\0';
	kith__peer__free_unpacked(peer, NULL);
	if (!has_server)
		control_fail(request, "refused",
		    "the peer has no server to take from; kithctl peer set "
		    "NAME --pull HOST:PORT");
	else if (group != NULL)
		add_group(request, id, group);
	else
		round_run(request, id, NULL);
}

static void
run_unpull(struct control_request *request)
{
	struct pull_op *op;
	Kith__Peer *peer;
	uint32_t id;

	if (admin_peer_find(request, control_arg(request, 0), &peer, &id) != 0)
		return;
	kith__peer__free_unpacked(peer, NULL);
	op = admin_op_new(request, sizeof *op);
	if (op == NULL)
		return;
	op->peer = id;
	op->group = control_arg(request, 1);
	op->admin.check = unpull_check;
	op->admin.apply = unpull_apply;
	op->admin.done = unpull_done;
	admin_op_run(&op->admin);
}

const struct control_verb admin_pull_verbs[] = {
	{ "peer", "groups", "NAME", 1, 1, run_groups, 0 },
	{ "peer", "pull", "NAME [GROUP [SPACE]] [--background]", 1, 3, run_pull,
	    0 },
	{ "peer", "unpull", "NAME GROUP", 2, 2, run_unpull, 0 },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
