/* admin_member.c - kithctl member.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_list.h"
#include "daemon/community/admin_op.h"
#include "daemon/community/admin_password.h"
#include "daemon/community/admin_words.h"
#include "daemon/community/auth.h"
#include "daemon/community/members.h"
#include "daemon/community/peers.h"
#include "daemon/community/spaces.h"
#include "daemon/community/subscriptions.h"
#include "protocol/address.h"

#define MEMBER_NAME_MAX 200u
#define BOUNCES_SHOWN   100u

struct member_op {
	struct admin_op admin;
	const char *who;   /* address, or login too */
	const char *login; /* NULL: as it is */
	const char *name;
	const char *address; /* one more */
	int role, state;     /* -1 */
	bool has_password;
	struct auth_verifier verifier;
	uint32_t member;
};

/* ---- options */

static bool
read_words(struct member_op *op)
{
	const char *role = control_option(op->admin.request, "--role");
	const char *state = control_option(op->admin.request, "--state");

	op->role = role == NULL ? -1 : admin_word_value(ADMIN_WORDS_ROLE, role);
	op->state = state == NULL
	    ? -1
	    : admin_word_value(ADMIN_WORDS_MEMBER_STATE, state);
	if (role != NULL && op->role < 0)
		admin_op_fail(&op->admin, CONTROL_USAGE, "--role is one of: %s",
		    admin_word_choice(ADMIN_WORDS_ROLE));
	else if (state != NULL &&
	    (op->state < 0 ||
		op->state == (int)KITH__MEMBER_STATE__MEMBER_REMOVED))
		admin_op_fail(&op->admin, CONTROL_USAGE,
		    "--state is one of: %s",
		    admin_word_choice(ADMIN_WORDS_MEMBER_STATE));
	else
		return true;
	return false;
}

/* False: the request has failed and the operation is gone. */
static bool
read_options(struct member_op *op)
{
	op->who = control_arg(op->admin.request, 0);
	op->login = control_option(op->admin.request, "--login");
	op->name = control_option(op->admin.request, "--name");
	op->address = control_option(op->admin.request, "--add-address");
	if (op->login != NULL && !admin_text_is_login(op->login))
		admin_op_fail(&op->admin, CONTROL_USAGE,
		    "--login is at most %u octets without blanks or @",
		    ADMIN_LOGIN_MAX);
	else if (op->name != NULL &&
	    !admin_text_is_line(op->name, MEMBER_NAME_MAX))
		admin_op_fail(&op->admin, CONTROL_USAGE,
		    "--name is one line of at most %u octets", MEMBER_NAME_MAX);
	else if (op->address != NULL && !address_is_valid(span_of(op->address)))
		admin_op_fail(&op->admin, CONTROL_USAGE, "%s is not an address",
		    op->address);
	else
		return read_words(op);
	return false;
}

/* ---- on the writer */

static int
refuse_unknown(struct member_op *op)
{
	return admin_refuse(&op->admin, "not-found",
	    "there is no member %s; kithctl member list shows them", op->who);
}

static int
check_login(struct store_txn *txn, struct member_op *op)
{
	struct auth_verifier ignored;
	uint32_t other;
	int rc;

	if (op->login == NULL || op->login[0] == '\0')
		return 0;
	rc = member_find(store_txn_reader(txn), op->login, &other);
	if ((rc == 0 && other != op->member) ||
	    peers_by_login(community_peers(op->admin.community), op->login,
		&ignored) != 0)
		return admin_refuse(&op->admin, "exists",
		    "the login %s is taken; choose another", op->login);
	return rc == -ENOENT ? 0 : rc;
}

static int
change_apply(struct store_txn *txn, struct member_op *op)
{
	Kith__Member *record;
	int rc = member_get(store_txn_reader(txn), op->member, &record);

	if (rc != 0)
		return rc;
	if (op->role >= 0)
		record->role = (Kith__Role)op->role;
	if (op->state >= 0)
		record->state = (Kith__MemberState)op->state;
	if (op->login != NULL)
		rc = admin_text_put(&record->login, op->login);
	if (rc == 0 && op->name != NULL)
		rc = admin_text_put(&record->name, op->name);
	if (rc == 0 && op->has_password)
		rc = auth_verifier_write(&op->verifier, &record->salt,
		    &record->iterations, &record->stored_key,
		    &record->server_key);
	if (rc == 0)
		rc = member_put(txn, op->member, record, op->admin.now);
	kith__member__free_unpacked(record, NULL);
	if (rc == 0 && op->address != NULL)
		rc = member_add_address(txn, op->member, op->address,
		    op->admin.now);
	return rc == 0 ? auth_forget(txn, op->admin.community) : rc;
}

static int
add_check(struct store_txn *txn, struct admin_op *admin)
{
	struct member_op *op = (struct member_op *)(void *)admin;
	int rc = member_find(store_txn_reader(txn), op->who, &op->member);

	if (rc == 0)
		return admin_refuse(admin, "exists",
		    "%s is a member already; kithctl member set changes it",
		    op->who);
	op->member = 0;
	return rc == -ENOENT ? check_login(txn, op) : rc;
}

static int
add_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct member_op *op = (struct member_op *)(void *)admin;
	uint32_t address;
	int rc = member_make(txn, op->who, op->name, admin->now, &op->member,
	    &address);

	return rc == 0 ? change_apply(txn, op) : rc;
}

static int
set_check(struct store_txn *txn, struct admin_op *admin)
{
	struct member_op *op = (struct member_op *)(void *)admin;
	struct store_reader *reader = store_txn_reader(txn);
	uint32_t other;
	int rc = member_find(reader, op->who, &op->member);

	if (rc == -ENOENT)
		return refuse_unknown(op);
	if (rc == 0 && op->address != NULL) {
		rc = member_find(reader, op->address, &other);
		if (rc == 0 && other != op->member)
			return admin_refuse(admin, "exists",
			    "%s is another member's address", op->address);
		rc = rc == -ENOENT ? 0 : rc;
	}
	return rc == 0 ? check_login(txn, op) : rc;
}

static int
set_apply(struct store_txn *txn, struct admin_op *admin)
{
	return change_apply(txn, (struct member_op *)(void *)admin);
}

static int
remove_check(struct store_txn *txn, struct admin_op *admin)
{
	struct member_op *op = (struct member_op *)(void *)admin;
	int rc = member_find(store_txn_reader(txn), op->who, &op->member);

	return rc == -ENOENT ? refuse_unknown(op) : rc;
}

static int
remove_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct member_op *op = (struct member_op *)(void *)admin;
	int rc = member_remove(txn, op->member, admin->now);

	return rc == 0 ? auth_forget(txn, admin->community) : rc;
}

/* ---- the verbs that change */

static void
password_made(void *arg, const struct auth_verifier *verifier)
{
	struct member_op *op = arg;

	op->has_password = true;
	op->verifier = *verifier;
	admin_op_run(&op->admin);
}

static void
run_op(struct member_op *op)
{
	if (control_option(op->admin.request, "--password-stdin") != NULL)
		admin_password_make(&op->admin, password_made);
	else
		admin_op_run(&op->admin);
}

static void
run_add(struct control_request *request)
{
	struct member_op *op = admin_op_new(request, sizeof *op);

	if (op == NULL || !read_options(op))
		return;
	if (!address_is_valid(span_of(op->who))) {
		admin_op_fail(&op->admin, CONTROL_USAGE,
		    "%s is not an address (name@domain)", op->who);
		return;
	}
	op->admin.check = add_check;
	op->admin.apply = add_apply;
	run_op(op);
}

static void
run_set(struct control_request *request)
{
	struct member_op *op = admin_op_new(request, sizeof *op);

	if (op == NULL || !read_options(op))
		return;
	op->admin.check = set_check;
	op->admin.apply = set_apply;
	run_op(op);
}

static void
run_password(struct control_request *request)
{
	struct member_op *op = admin_op_new(request, sizeof *op);

	if (op == NULL || !read_options(op))
		return;
	op->admin.check = set_check;
	op->admin.apply = set_apply;
	admin_password_make(&op->admin, password_made);
}

static void
run_remove(struct control_request *request)
{
	struct member_op *op = admin_op_new(request, sizeof *op);

	if (op == NULL)
		return;
	op->who = control_arg(request, 0);
	op->admin.check = remove_check;
	op->admin.apply = remove_apply;
	admin_op_run(&op->admin);
}

/* ---- show and list */

static json_t *
member_row(struct control_request *request, struct store_reader *reader,
    const struct store_key *key, const ProtobufCMessage *message)
{
	const Kith__Member *member =
	    (const Kith__Member *)(const void *)message;
	char *address;
	json_t *row;

	(void)request;
	if (member->state == KITH__MEMBER_STATE__MEMBER_REMOVED)
		return NULL;
	address = member_address(reader, member);
	row = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:b, s:I}", "id",
	    (json_int_t)store_key_get_u32(key, 0), "address",
	    address == NULL ? "" : address, "login", member->login, "name",
	    member->name, "role",
	    admin_word(ADMIN_WORDS_ROLE, (int)member->role), "state",
	    admin_word(ADMIN_WORDS_MEMBER_STATE, (int)member->state),
	    "password", member->salt.len > 0, "created",
	    (json_int_t)member->created);
	free(address);
	return row;
}

static void
run_list(struct control_request *request)
{
	control_columns(request, "address", "login", "role", "state", "name",
	    (char *)NULL);
	admin_list_run(request, STORE_MEMBERS, NULL, member_row);
}

struct show {
	struct community *community;
	struct store_reader *reader;
	const char *address; /* at hand */
	json_t *subscriptions;
	json_t *bounces;
};

static int
show_subscription(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct show *show = arg;
	uint32_t id = store_key_get_u32(key, 4);
	struct space *space =
	    spaces_by_id(community_spaces(show->community), id);
	Kith__Subscription *subscription;

	(void)message;
	if (space == NULL)
		return 0;
	if (subscription_get(show->reader, id, store_key_get_u32(key, 0),
		&subscription) == 0) {
		(void)json_array_append_new(show->subscriptions,
		    json_pack("{s:s, s:s, s:s}", "space", space->name, "mode",
			admin_word(ADMIN_WORDS_MODE, (int)subscription->mode),
			"state",
			admin_word(ADMIN_WORDS_SUBSCRIPTION_STATE,
			    (int)subscription->state)));
		kith__subscription__free_unpacked(subscription, NULL);
	}
	space_unref(space);
	return 0;
}

static int
show_bounce(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	const Kith__Bounce *bounce =
	    (const Kith__Bounce *)(const void *)message;
	struct show *show = arg;
	struct space *space =
	    spaces_by_id(community_spaces(show->community), bounce->space);

	(void)key;
	(void)json_array_append_new(show->bounces,
	    json_pack("{s:s, s:s, s:I, s:s, s:s, s:s}", "address",
		show->address, "space", space == NULL ? "" : space->name,
		"time", (json_int_t)bounce->time, "kind",
		bounce->complaint	? "complaint"
		    : bounce->hard	? "hard"
					: "soft",
		"status", bounce->status, "text", bounce->text));
	space_unref(space);
	if (json_array_size(show->bounces) > BOUNCES_SHOWN)
		(void)json_array_remove(show->bounces, 0); /* the oldest */
	return 0;
}

static json_t *
show_row(struct control_request *request, struct store_reader *reader,
    uint32_t id, const Kith__Member *member)
{
	struct show show = { .community = control_context(request),
		.reader = reader,
		.subscriptions = json_array(),
		.bounces = json_array() };
	struct store_key key = store_key_u32(id);
	json_t *row = member_row(request, reader, &key, &member->base);
	json_t *addresses = json_array();
	Kith__Address *address;

	for (size_t i = 0; i < member->n_addresses; i++) {
		if (address_get(reader, member->addresses[i], &address) != 0)
			continue;
		(void)json_array_append_new(addresses,
		    json_string(address->text));
		key = store_key_u32(member->addresses[i]);
		(void)store_walk(reader, STORE_SUBSCRIPTIONS_OF, &key, NULL,
		    show_subscription, &show);
		show.address = address->text;
		(void)store_walk(reader, STORE_BOUNCES, &key, NULL, show_bounce,
		    &show);
		kith__address__free_unpacked(address, NULL);
	}
	(void)json_object_set_new(row, "addresses", addresses);
	(void)json_object_set_new(row, "subscriptions", show.subscriptions);
	(void)json_object_set_new(row, "bounces", show.bounces);
	return row;
}

static void
run_show(struct control_request *request)
{
	struct community *community = control_context(request);
	struct store_view *view = store_view_begin(community_store(community));
	const char *who = control_arg(request, 0);
	Kith__Member *member = NULL;
	json_t *row = NULL;
	uint32_t id;
	int rc = -ENOMEM;

	if (view != NULL) {
		rc = member_find(store_view_reader(view), who, &id);
		if (rc == 0)
			rc = member_get(store_view_reader(view), id, &member);
		if (rc == 0)
			row = show_row(request, store_view_reader(view), id,
			    member);
		kith__member__free_unpacked(member, NULL);
		store_view_end(&view);
	}
	if (rc == -ENOENT)
		control_fail(request, "not-found",
		    "there is no member %s; kithctl member list shows them",
		    who);
	else if (rc != 0)
		admin_fail_errno(request, rc);
	else {
		control_result(request, row);
		control_done(request);
	}
}

#define OPTIONS                                                        \
 "[--login NAME] [--name TEXT] [--role member|moderator|staff|admin] " \
 "[--password-stdin]"

const struct control_verb admin_member_verbs[] = {
	{ "member", "add", "ADDRESS " OPTIONS, 1, 1, run_add,
	    CONTROL_TAKES_BYTES },
	{ "member", "set",
	    "MEMBER " OPTIONS
	    " [--state active|suspended] [--add-address ADDRESS]",
	    1, 1, run_set, CONTROL_TAKES_BYTES },
	{ "member", "show", "MEMBER", 1, 1, run_show, 0 },
	{ "member", "list", "", 0, 0, run_list, 0 },
	{ "member", "remove", "MEMBER", 1, 1, run_remove, 0 },
	{ "member", "password", "MEMBER [--password-stdin]", 1, 1, run_password,
	    CONTROL_TAKES_BYTES },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
