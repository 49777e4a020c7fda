/* admin_peer.c - kithctl peer: who may feed articles in by IHAVE.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_list.h"
#include "daemon/community/admin_op.h"
#include "daemon/community/admin_password.h"
#include "daemon/community/admin_words.h"
#include "daemon/community/auth.h"
#include "daemon/community/journal.h"
#include "daemon/community/members.h"
#include "daemon/community/peers.h"
#include "protocol/wildmat.h"

#define NAME_OCTETS 64u

struct peer_op {
	struct admin_op admin;
	const char *name;
	const char *address;
	const char *login;
	const char *spaces;
	bool incoming;
	struct auth_verifier verifier;
	uint32_t id;      /* found */
	const char *want; /* while looking */
};

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
peer_find(struct store_txn *txn, struct peer_op *op)
{
	op->want = op->name;
	op->id = 0;
	return store_walk(store_txn_reader(txn), STORE_PEERS, NULL, NULL,
	    find_row, op);
}

static int
add_check(struct store_txn *txn, struct admin_op *admin)
{
	struct peer_op *op = (struct peer_op *)(void *)admin;
	struct auth_verifier ignored;
	uint32_t member;
	int rc = peer_find(txn, op);

	if (rc == 1)
		return admin_refuse(admin, "exists",
		    "there is a peer %s already; kithctl peer remove %s first",
		    op->name, op->name);
	if (rc == 0 && op->login != NULL) {
		rc = member_find(store_txn_reader(txn), op->login, &member);
		if (rc == 0 ||
		    peers_by_login(community_peers(admin->community), op->login,
			&ignored) != 0)
			return admin_refuse(admin, "exists",
			    "the login %s is taken; choose another", op->login);
	}
	return rc == -ENOENT ? 0 : rc;
}

static int
add_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct peer_op *op = (struct peer_op *)(void *)admin;
	struct auth_verifier *verifier = &op->verifier;
	struct store_key key;
	Kith__Peer record;
	uint64_t id;
	int rc = store_id_next(txn, STORE_ID_PEER, &id);

	if (rc != 0)
		return rc;
	kith__peer__init(&record);
	record.name = (char *)(uintptr_t)op->name;
	record.spaces = (char *)(uintptr_t)op->spaces;
	record.incoming = op->incoming;
	if (op->address != NULL)
		record.address = (char *)(uintptr_t)op->address;
	if (op->login != NULL) {
		record.login = (char *)(uintptr_t)op->login;
		record.salt.data = verifier->salt;
		record.salt.len = sizeof verifier->salt;
		record.iterations = verifier->iterations;
		record.stored_key.data = verifier->stored_key;
		record.stored_key.len = sizeof verifier->stored_key;
		record.server_key.data = verifier->server_key;
		record.server_key.len = sizeof verifier->server_key;
	}
	key = store_key_u32((uint32_t)id);
	rc = store_put(txn, STORE_PEERS, &key, &record.base);
	if (rc == 0)
		rc = peers_publish(community_peers(admin->community), txn,
		    (uint32_t)id, &record);
	if (rc == 0)
		rc = auth_forget(txn, admin->community);
	if (rc == 0)
		rc = journal_append(txn, admin->now,
		    KITH__VERB__VERB_PEER_CHANGED, 0, 0, id, op->name);
	return rc;
}

static int
remove_check(struct store_txn *txn, struct admin_op *admin)
{
	struct peer_op *op = (struct peer_op *)(void *)admin;
	int rc = peer_find(txn, op);

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
		rc = peers_publish(community_peers(admin->community), txn,
		    op->id, NULL);
	if (rc == 0)
		rc = auth_forget(txn, admin->community);
	if (rc == 0)
		rc = journal_append(txn, admin->now,
		    KITH__VERB__VERB_PEER_CHANGED, 0, 0, op->id, op->name);
	return rc;
}

/* ---- verbs */

static void
password_made(void *arg, const struct auth_verifier *verifier)
{
	struct peer_op *op = arg;

	op->verifier = *verifier;
	admin_op_run(&op->admin);
}

static bool
is_ip(const char *text)
{
	uint8_t address[16];

	return inet_pton(AF_INET, text, address) == 1 ||
	    inet_pton(AF_INET6, text, address) == 1;
}

/* What is wrong with the options, or NULL. */
static const char *
add_fault(const struct peer_op *op)
{
	if (!admin_text_is_line(op->name, NAME_OCTETS))
		return "NAME is one line of at most 64 octets";
	if ((op->address == NULL) == (op->login == NULL))
		return "a peer is known by --address or by --login: give one";
	if (op->address != NULL && !is_ip(op->address))
		return "--address is an IP address";
	if (op->login != NULL &&
	    (strpbrk(op->login, "@ ") != NULL || op->login[0] == '\0' ||
		!admin_text_is_line(op->login, NAME_OCTETS)))
		return "--login is at most 64 octets without blanks or @";
	if (!wildmat_is_valid(span_of(op->spaces)))
		return "--spaces is a pattern as in acme.*,!acme.internal.*";
	return NULL;
}

static void
run_add(struct control_request *request)
{
	struct peer_op *op = admin_op_new(request, sizeof *op);
	const char *fault;

	if (op == NULL)
		return;
	op->name = control_arg(request, 0);
	op->address = control_option(request, "--address");
	op->login = control_option(request, "--login");
	op->spaces = control_option(request, "--spaces");
	if (op->spaces == NULL)
		op->spaces = "*";
	op->incoming = control_option(request, "--incoming") != NULL;
	op->admin.check = add_check;
	op->admin.apply = add_apply;
	fault = add_fault(op);
	if (fault != NULL)
		admin_op_fail(&op->admin, CONTROL_USAGE, "%s", fault);
	else if (control_option(request, "--outgoing") != NULL)
		admin_op_fail(&op->admin, "refused",
		    "feeding peers is not built yet; leave out --outgoing");
	else if (op->login != NULL)
		admin_password_make(&op->admin, password_made);
	else
		admin_op_run(&op->admin);
}

static void
run_remove(struct control_request *request)
{
	struct peer_op *op = admin_op_new(request, sizeof *op);

	if (op == NULL)
		return;
	op->name = control_arg(request, 0);
	op->admin.check = remove_check;
	op->admin.apply = remove_apply;
	admin_op_run(&op->admin);
}

static json_t *
peer_row(struct control_request *request, struct store_reader *reader,
    const struct store_key *key, const ProtobufCMessage *message)
{
	const Kith__Peer *peer = (const Kith__Peer *)(const void *)message;

	(void)request;
	(void)reader;
	(void)key;
	return json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", peer->name,
	    "address", peer->address, "login", peer->login, "spaces",
	    peer->spaces, "incoming", (int)peer->incoming);
}

static void
run_list(struct control_request *request)
{
	control_columns(request, "name", "address", "login", "spaces",
	    "incoming", (char *)NULL);
	admin_list_run(request, STORE_PEERS, NULL, peer_row);
}

const struct control_verb admin_peer_verbs[] = {
	{ "peer", "add",
	    "NAME [--address ADDR] [--login NAME] [--password-stdin] "
	    "[--spaces WILDMAT] [--incoming] [--outgoing HOST:PORT]",
	    1, 1, run_add, CONTROL_TAKES_BYTES },
	{ "peer", "list", "", 0, 0, run_list, 0 },
	{ "peer", "remove", "NAME", 1, 1, run_remove, 0 },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
