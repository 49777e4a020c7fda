/* admin_peer.c - kithctl peer add, set, remove: who feeds articles in, who is fed,
 * and whose groups are taken. What there is to see: admin_peer_show.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_op.h"
#include "daemon/community/admin_password.h"
#include "daemon/community/admin_peer.h"
#include "daemon/community/admin_words.h"
#include "daemon/community/auth.h"
#include "daemon/community/feeds.h"
#include "daemon/community/journal.h"
#include "daemon/community/members.h"
#include "daemon/community/peers.h"
#include "daemon/community/pulls.h"

struct peer_op {
	struct admin_op admin;
	const char *name;
	struct peer_options say;
	uint32_t id;        /* found, or given */
	const char *want;   /* while looking */
	Kith__Peer *record; /* as it is and as it will be; owned */
};

/* ---- finding */

static int
find_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	const Kith__Peer *peer = (const Kith__Peer *)(const void *)message;
	struct peer_op *op = arg;

	if (strcmp(peer->name, op->want) != 0)
		return 0;
	op->id = store_key_get_u32(key, 0);
	return 1;
}

/* 1 found, 0 not. */
static int
find_by_name(struct store_reader *reader, struct peer_op *op)
{
	op->want = op->name;
	op->id = 0;
	return store_walk(reader, STORE_PEERS, NULL, NULL, find_row, op);
}

int
admin_peer_find(struct control_request *request, const char *name,
    Kith__Peer **record_r, uint32_t *id_r)
{
	struct community *community = control_context(request);
	struct store_view *view = store_view_begin(community_store(community));
	struct peer_op op = { .name = name };
	ProtobufCMessage *message = NULL;
	struct store_key key;
	int rc = -ENOMEM;

	if (view != NULL)
		rc = find_by_name(store_view_reader(view), &op);
	if (rc == 1) {
		key = store_key_u32(op.id);
		rc = store_get(store_view_reader(view), STORE_PEERS, &key,
		    &message);
	} else if (rc == 0) {
		rc = -ENOENT;
	}
	store_view_end(&view);
	if (rc == -ENOENT)
		control_fail(request, "not-found",
		    "there is no peer %s; kithctl peer list shows them", name);
	else if (rc != 0)
		admin_fail_errno(request, rc);
	*record_r = (Kith__Peer *)(void *)message;
	*id_r = op.id;
	return rc;
}

static int
login_check(struct store_txn *txn, struct peer_op *op)
{
	struct peers *peers = community_peers(op->admin.community);
	struct auth_verifier ignored;
	uint32_t member, peer;
	int rc = member_find(store_txn_reader(txn), op->say.login, &member);

	peer = peers_by_login(peers, op->say.login, &ignored);
	if (rc == 0 || (peer != 0 && peer != op->id))
		return admin_refuse(&op->admin, "exists",
		    "the login %s is taken; choose another", op->say.login);
	return rc == -ENOENT ? 0 : rc;
}

/* What it would be, beside the others. */
static int
record_check(struct store_txn *txn, struct peer_op *op)
{
	struct peers *peers = community_peers(op->admin.community);
	const Kith__Peer *record = op->record;
	uint32_t other = record->address[0] == '\0'
	    ? 0
	    : peers_by_address(peers, record->address);

	if (op->say.address != NULL && other != 0 && other != op->id)
		return admin_refuse(&op->admin, "exists",
		    "another peer has the address %s; kithctl peer list shows "
		    "it, and --login tells servers of one address apart",
		    record->address);
	if (op->say.backlog && record->outgoing[0] == '\0')
		return admin_refuse(&op->admin, "refused",
		    "--backlog is for a peer that is fed: --outgoing HOST:PORT");
	return op->say.login != NULL && record->stored_key.len > 0
	    ? login_check(txn, op)
	    : 0;
}

/* ---- add */

static void
peer_release(struct admin_op *admin)
{
	struct peer_op *op = (struct peer_op *)(void *)admin;

	if (op->record != NULL) {
		OPENSSL_cleanse(op->record->secret, strlen(op->record->secret));
		kith__peer__free_unpacked(op->record, NULL);
	}
	OPENSSL_cleanse(op, sizeof *op);
	free(op);
}

static int
add_check(struct store_txn *txn, struct admin_op *admin)
{
	struct peer_op *op = (struct peer_op *)(void *)admin;
	int rc = find_by_name(store_txn_reader(txn), op);

	if (rc == 1)
		return admin_refuse(admin, "exists",
		    "there is a peer %s already; kithctl peer set changes it",
		    op->name);
	return rc == 0 ? record_check(txn, op) : rc;
}

static int
peer_write(struct store_txn *txn, struct peer_op *op)
{
	struct peers *peers = community_peers(op->admin.community);
	struct store_key key = store_key_u32(op->id);
	int rc = store_put(txn, STORE_PEERS, &key, &op->record->base);

	if (rc == 0 && op->record->outgoing[0] == '\0')
		rc = feeds_forget(txn, op->id);
	else if (rc == 0 &&
	    (op->say.backlog ||
		!store_has(store_txn_reader(txn), STORE_FEEDS, &key)))
		rc = feeds_begin(txn, op->id, op->say.backlog);
	if (rc == 0)
		rc = peers_publish(peers, txn, op->id, op->record);
	if (rc == 0)
		rc = auth_forget(txn, op->admin.community);
	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = op->admin.now,
			.verb = KITH__VERB__VERB_PEER_CHANGED,
			.object = op->id,
			.text = op->name });
	return rc;
}

static int
add_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct peer_op *op = (struct peer_op *)(void *)admin;
	uint64_t id;
	int rc = store_id_next(txn, STORE_ID_PEER, &id);

	if (rc != 0)
		return rc;
	op->id = (uint32_t)id;
	return peer_write(txn, op);
}

/* Feeds and pulls go on with what it is now. */
static void
peer_done(struct admin_op *admin)
{
	struct peer_op *op = (struct peer_op *)(void *)admin;

	feeds_peer_changed(community_feeds(admin->community), op->id);
	pulls_peer_changed(community_pulls(admin->community), op->id);
	control_done(admin->request);
}

/* ---- set */

static int
set_check(struct store_txn *txn, struct admin_op *admin)
{
	struct peer_op *op = (struct peer_op *)(void *)admin;
	ProtobufCMessage *message = NULL;
	struct store_key key;
	const char *fault;
	int rc = find_by_name(store_txn_reader(txn), op);

	if (rc == 0)
		return admin_refuse(admin, "not-found",
		    "there is no peer %s; kithctl peer list shows them",
		    op->name);
	if (rc < 0)
		return rc;
	if (op->record != NULL) /* check may run again */
		kith__peer__free_unpacked(op->record, NULL);
	op->record = NULL;
	key = store_key_u32(op->id);
	rc = store_get(store_txn_reader(txn), STORE_PEERS, &key, &message);
	op->record = (Kith__Peer *)(void *)message;
	if (rc == 0)
		rc = admin_peer_apply(op->record, &op->say);
	if (rc != 0)
		return rc;
	fault = admin_peer_fault(op->record);
	if (fault != NULL)
		return admin_refuse(admin, "refused", "%s", fault);
	return record_check(txn, op);
}

static int
set_apply(struct store_txn *txn, struct admin_op *admin)
{
	return peer_write(txn, (struct peer_op *)(void *)admin);
}

/* ---- remove */

static int
remove_check(struct store_txn *txn, struct admin_op *admin)
{
	struct peer_op *op = (struct peer_op *)(void *)admin;
	int rc = find_by_name(store_txn_reader(txn), op);

	if (rc == 0)
		return admin_refuse(admin, "not-found",
		    "there is no peer %s; kithctl peer list shows them",
		    op->name);
	return rc < 0 ? rc : 0;
}

static int
remove_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct peer_op *op = (struct peer_op *)(void *)admin;
	struct store_key key = store_key_u32(op->id);
	int rc = store_delete(txn, STORE_PEERS, &key);

	if (rc == 0)
		rc = feeds_forget(txn, op->id);
	if (rc == 0)
		rc = pulls_forget(txn, op->id);
	if (rc == 0)
		rc = peers_publish(community_peers(admin->community), txn,
		    op->id, NULL);
	if (rc == 0)
		rc = auth_forget(txn, admin->community);
	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = admin->now,
			.verb = KITH__VERB__VERB_PEER_CHANGED,
			.object = op->id,
			.text = op->name });
	return rc;
}

/* ---- verbs */

static struct peer_op *
peer_op_new(struct control_request *request)
{
	struct peer_op *op = admin_op_new(request, sizeof *op);

	if (op == NULL)
		return NULL;
	op->name = control_arg(request, 0);
	op->admin.release = peer_release;
	op->admin.done = peer_done;
	admin_peer_options_read(request, &op->say);
	return op;
}

/* With the verifier, if there is a password. */
static void
add_run(struct peer_op *op)
{
	const char *fault;
	int rc = -ENOMEM;

	op->record = calloc(1, sizeof *op->record);
	if (op->record != NULL) {
		kith__peer__init(op->record);
		rc = admin_text_put(&op->record->name, op->name);
	}
	if (rc == 0)
		rc = admin_text_put(&op->record->spaces, "*");
	if (rc == 0)
		rc = admin_peer_apply(op->record, &op->say);
	if (rc != 0) {
		admin_op_fail(&op->admin, "no-memory",
		    "kithd is out of memory");
		return;
	}
	fault = admin_peer_fault(op->record);
	if (fault != NULL)
		admin_op_fail(&op->admin, CONTROL_USAGE, "%s", fault);
	else
		admin_op_run(&op->admin);
}

static void
password_made(void *arg, const struct auth_verifier *verifier)
{
	struct peer_op *op = arg;

	op->say.verifier = *verifier;
	op->say.has_password =
	    admin_password_read(op->admin.request, op->say.password);
	if (op->admin.apply == add_apply)
		add_run(op);
	else
		admin_op_run(&op->admin);
}

static void
run_add(struct control_request *request)
{
	struct peer_op *op = peer_op_new(request);
	const char *fault;

	if (op == NULL)
		return;
	op->admin.check = add_check;
	op->admin.apply = add_apply;
	fault = op->name[0] != '\0' &&
		admin_text_is_line(op->name, ADMIN_PEER_NAME_MAX)
	    ? admin_peer_options_fault(&op->say)
	    : "NAME is one line of 1 to 64 octets";
	if (fault != NULL)
		admin_op_fail(&op->admin, CONTROL_USAGE, "%s", fault);
	else if (op->say.login != NULL)
		admin_password_make(&op->admin, password_made);
	else
		add_run(op);
}

static void
run_set(struct control_request *request)
{
	struct peer_op *op = peer_op_new(request);
	const char *fault;

	if (op == NULL)
		return;
	op->admin.check = set_check;
	op->admin.apply = set_apply;
	fault = admin_peer_options_fault(&op->say);
	if (fault != NULL)
		admin_op_fail(&op->admin, CONTROL_USAGE, "%s", fault);
	else if (op->say.login != NULL ||
	    control_option(request, "--password-stdin") != NULL)
		admin_password_make(&op->admin, password_made);
	else
		admin_op_run(&op->admin);
}

static void
run_remove(struct control_request *request)
{
	struct peer_op *op = peer_op_new(request);

	if (op == NULL)
		return;
	op->admin.check = remove_check;
	op->admin.apply = remove_apply;
	admin_op_run(&op->admin);
}

#define PEER_OPTIONS                                                  \
 "NAME [--address ADDR] [--login NAME] [--password-stdin] "           \
 "[--spaces WILDMAT] [--incoming] [--connections N] [--in-flight N] " \
 "[--rate N] [--outgoing HOST:PORT] [--outgoing-connections N] "       \
 "[--backlog] [--pull HOST:PORT] "                                     \
 "[--every SECONDS] [--tls none|starttls|implicit] [--clear-password] "   \
 "[--path IDENTITY]"

const struct control_verb admin_peer_verbs[] = {
	{ "peer", "add", PEER_OPTIONS, 1, 1, run_add, CONTROL_TAKES_BYTES },
	{ "peer", "set", PEER_OPTIONS " [--no-incoming] [--no-clear-password]", 1, 1, run_set,
	    CONTROL_TAKES_BYTES },
	{ "peer", "remove", "NAME", 1, 1, run_remove, 0 },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
