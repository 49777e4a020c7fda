/* admin_space_remove.c - kithctl space remove: the space is closed, articles and
 * subscriptions go in bulk slices, then the record. A kill in between leaves a
 * closed space with fewer articles: the same command again finishes it.
 */
#include "daemon/community/admin_space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/journal.h"
#include "daemon/community/removal.h"
#include "daemon/community/subscriptions.h"
#include "store/overview.h"

#define ARTICLE_SLICE      20u
#define SUBSCRIPTION_SLICE 200u

struct remove_op {
	struct admin_op admin;
	const char *name;
	bool force;
	uint32_t id;
	bool more;
	unsigned count;
	uint32_t items[SUBSCRIPTION_SLICE]; /* numbers or address ids */
};

static int
collect_number(void *arg, const struct store_overview_row *row)
{
	struct remove_op *op = arg;

	op->items[op->count++] = row->number;
	return op->count == ARTICLE_SLICE ? 1 : 0;
}

static int
collect_address(void *arg, uint32_t address,
    const Kith__Subscription *subscription)
{
	struct remove_op *op = arg;

	(void)subscription;
	op->items[op->count++] = address;
	return op->count == SUBSCRIPTION_SLICE ? 1 : 0;
}

static int
slice_articles(struct store_txn *txn, struct remove_op *op)
{
	int rc;

	op->count = 0;
	rc = store_rows_walk(store_txn_reader(txn), op->id, 0,
	    collect_number, op);
	op->more = rc == 1;
	for (unsigned i = 0; rc >= 0 && i < op->count; i++)
		rc = removal_placement(txn, op->admin.community, op->id,
		    op->items[i], KITH__VERB__VERB_REMOVED, 0);
	return rc < 0 ? rc : 0;
}

static int
slice_subscriptions(struct store_txn *txn, struct remove_op *op)
{
	int rc;

	op->count = 0;
	rc = subscriptions_walk(store_txn_reader(txn), op->id, 0,
	    collect_address, op);
	op->more = rc == 1;
	for (unsigned i = 0; rc >= 0 && i < op->count; i++)
		rc = subscription_remove(txn, op->id, op->items[i],
		    op->admin.now, 0);
	return rc < 0 ? rc : 0;
}

static int
name_delete(struct store_txn *txn, enum store_table table, const char *name)
{
	struct store_key key = store_key_bytes(name, strlen(name));
	int rc = name[0] == '\0' ? 0 : store_delete(txn, table, &key);

	return rc == -ENOENT ? 0 : rc;
}

/* A space that is made again by that name is the same newsgroup: its numbers go
 * on (RFC 3977 6.1.1.2). */
static int
number_remember(struct store_txn *txn, uint32_t id, const char *name)
{
	struct store_key key = store_key_bytes(name, strlen(name));
	struct store_space_state state = { .low = 1 };
	Kith__Count last;
	int rc = store_space_state_get(store_txn_reader(txn), id, &state);

	if (rc == -ENOENT || (rc == 0 && state.high == 0))
		return 0;
	kith__count__init(&last);
	last.count = state.high;
	return rc == 0
	    ? store_put(txn, STORE_FORMER_SPACES, &key, &last.base)
	    : rc;
}

static int
finish_apply(struct store_txn *txn, struct remove_op *op)
{
	struct store_key key = store_key_u32(op->id);
	struct spaces *spaces = community_spaces(op->admin.community);
	Kith__Space *record;
	int rc = space_record_get(store_txn_reader(txn), op->id, &record);

	if (rc != 0)
		return rc;
	rc = number_remember(txn, op->id, record->name);
	if (rc == 0)
		rc = name_delete(txn, STORE_SPACE_NAMES, record->name);
	if (rc == 0)
		rc = name_delete(txn, STORE_SPACE_MAIL, record->mail);
	kith__space__free_unpacked(record, NULL);
	if (rc == 0)
		rc = store_delete(txn, STORE_SPACES, &key);
	if (rc == 0) {
		rc = store_delete(txn, STORE_DIGESTS, &key);
		rc = rc == -ENOENT ? 0 : rc;
	}
	if (rc == 0)
		rc = spaces_publish(spaces, txn, op->id, NULL);
	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = op->admin.now,
			.verb = KITH__VERB__VERB_SPACE_REMOVED,
			.space = op->id,
			.object = op->id,
			.text = op->name });
	return rc;
}

/* One slice: articles, then subscriptions, then the space itself. */
static int
remove_apply(struct store_txn *txn, struct store_op *base)
{
	struct remove_op *op = (struct remove_op *)(void *)base;
	int rc = slice_articles(txn, op);

	if (rc != 0 || op->more)
		return rc;
	rc = slice_subscriptions(txn, op);
	if (rc != 0 || op->more)
		return rc;
	return finish_apply(txn, op);
}

static void
remove_done(struct store_op *base, int result)
{
	struct remove_op *op = (struct remove_op *)(void *)base;

	if (result == 0 && op->more) {
		store_submit(community_store(op->admin.community), base);
		return;
	}
	community_busy(op->admin.community, -1);
	if (result == 0)
		control_done(op->admin.request);
	else
		admin_fail_errno(op->admin.request, result);
	free(op);
}

/* ---- the first operation: closes it, so that nothing new comes in */

static int
count_held(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct remove_op *op = arg;

	(void)key;
	(void)message;
	op->count++;
	return 0;
}

static int
close_check(struct store_txn *txn, struct admin_op *admin)
{
	struct remove_op *op = (struct remove_op *)(void *)admin;
	struct store_space_state state = { .low = 1 };
	struct store_key space;
	int rc = space_find(txn, admin, op->name, &op->id);

	if (rc != 0)
		return rc;
	rc = store_space_state_get(store_txn_reader(txn), op->id, &state);
	if ((rc == 0 || rc == -ENOENT) && state.count > 0 && !op->force)
		return admin_refuse(admin, "refused",
		    "%s has %u articles; --force removes them too, or close it: "
		    "kithctl space set %s --closed yes",
		    op->name, state.count, op->name);
	if ((rc != 0 && rc != -ENOENT) || op->force)
		return rc == -ENOENT ? 0 : rc;
	op->count = 0;
	space = store_key_u32(op->id);
	rc = store_walk(store_txn_reader(txn), STORE_HELD_OF, &space, NULL,
	    count_held, op);
	if (rc == 0 && op->count > 0)
		return admin_refuse(admin, "refused",
		    "%u articles wait for a decision: kithctl held list %s; "
		    "--force leaves them without a space",
		    op->count, op->name);
	return rc;
}

static int
close_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct remove_op *op = (struct remove_op *)(void *)admin;
	struct store_key key = store_key_u32(op->id);
	Kith__Space *record;
	int rc = space_record_get(store_txn_reader(txn), op->id, &record);

	if (rc != 0)
		return rc;
	record->closed = true;
	rc = store_put(txn, STORE_SPACES, &key, &record->base);
	if (rc == 0)
		rc = spaces_publish(community_spaces(admin->community), txn,
		    op->id, record);
	kith__space__free_unpacked(record, NULL);
	return rc;
}

static void
close_done(struct admin_op *admin)
{
	struct remove_op *op = calloc(1, sizeof *op);

	if (op == NULL) {
		admin_fail_errno(admin->request, -ENOMEM);
		return;
	}
	/* the closing operation is freed by its runner: go on with a copy */
	*op = *(struct remove_op *)(void *)admin;
	memset(&op->admin.op, 0, sizeof op->admin.op);
	op->admin.op.apply = remove_apply;
	op->admin.op.done = remove_done;
	op->admin.op.inbox = community_inbox(admin->community);
	op->admin.op.bulk = true;
	community_busy(admin->community, 1);
	store_submit(community_store(admin->community), &op->admin.op);
}

void
admin_space_remove(struct control_request *request)
{
	struct remove_op *op = admin_op_new(request, sizeof *op);

	if (op == NULL)
		return;
	op->name = control_arg(request, 0);
	op->force = control_option(request, "--force") != NULL;
	op->admin.check = close_check;
	op->admin.apply = close_apply;
	op->admin.done = close_done;
	admin_op_run(&op->admin);
}
