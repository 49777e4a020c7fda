/* admin_subscription.c - kithctl subscription: add, set, remove, list. Import is
 * in admin_subscription_import.c.
 */
#include "daemon/community/admin_subscription.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_list.h"
#include "daemon/community/admin_words.h"
#include "daemon/community/members.h"
#include "daemon/community/spaces.h"
#include "daemon/community/subscriptions.h"
#include "protocol/address.h"

struct subscription_op {
	struct admin_op admin;
	uint32_t space;
	const char *space_name;
	const char *address;
	int mode, state; /* -1: as it is */
	uint32_t address_id;
};

int
admin_subscription_write(struct store_txn *txn, uint32_t space,
    const char *address, int mode, int state, uint64_t now)
{
	Kith__Subscription *record = NULL;
	Kith__Subscription fresh = KITH__SUBSCRIPTION__INIT;
	uint32_t member, id;
	int rc = member_make(txn, address, NULL, now, &member, &id);

	if (rc == 0)
		rc =
		    subscription_get(store_txn_reader(txn), space, id, &record);
	if (rc != 0 && rc != -ENOENT)
		return rc;
	fresh.since = now;
	if (record != NULL)
		fresh = *record;
	if (mode >= 0)
		fresh.mode = (Kith__Mode)mode;
	if (state >= 0)
		fresh.state = (Kith__SubscriptionState)state;
	if (state == (int)KITH__SUBSCRIPTION_STATE__SUB_ACTIVE) {
		fresh.bounces = 0;
		fresh.first_bounce = 0;
	}
	rc = subscription_put(txn, space, id, &fresh, now, 0);
	kith__subscription__free_unpacked(record, NULL);
	return rc;
}

/* ---- options */

static bool
read_word(struct subscription_op *op, const char *option,
    enum admin_words words, int *value_r)
{
	const char *text = control_option(op->admin.request, option);

	*value_r = text == NULL ? -1 : admin_word_value(words, text);
	if (text == NULL || *value_r >= 0)
		return true;
	admin_op_fail(&op->admin, CONTROL_USAGE, "%s is one of: %s", option,
	    admin_word_choice(words));
	return false;
}

/* NULL: the request has failed. */
static struct subscription_op *
subscription_op_new(struct control_request *request)
{
	struct space *space =
	    admin_space_named(request, control_arg(request, 0));
	struct subscription_op *op;

	if (space == NULL)
		return NULL;
	op = admin_op_new(request, sizeof *op);
	if (op != NULL) {
		op->space = space->id;
		op->space_name = control_arg(request, 0);
		op->address = control_arg(request, 1);
	}
	space_unref(space);
	if (op == NULL ||
	    !read_word(op, "--mode", ADMIN_WORDS_MODE, &op->mode) ||
	    !read_word(op, "--state", ADMIN_WORDS_SUBSCRIPTION_STATE,
		&op->state))
		return NULL;
	if (address_is_valid(span_of(op->address)))
		return op;
	admin_op_fail(&op->admin, CONTROL_USAGE,
	    "%s is not an address (name@domain)", op->address);
	return NULL;
}

/* ---- on the writer */

static int
check_space(struct store_txn *txn, struct subscription_op *op)
{
	struct store_key key = store_key_u32(op->space);

	if (store_has(store_txn_reader(txn), STORE_SPACES, &key))
		return 0;
	return admin_refuse(&op->admin, "not-found",
	    "there is no space %s any more", op->space_name);
}

static int
add_check(struct store_txn *txn, struct admin_op *admin)
{
	return check_space(txn, (struct subscription_op *)(void *)admin);
}

static int
add_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct subscription_op *op = (struct subscription_op *)(void *)admin;

	return admin_subscription_write(txn, op->space, op->address, op->mode,
	    op->state, admin->now);
}

static int
known_check(struct store_txn *txn, struct admin_op *admin)
{
	struct subscription_op *op = (struct subscription_op *)(void *)admin;
	struct store_reader *reader = store_txn_reader(txn);
	Kith__Subscription *record = NULL;
	struct buffer compared;
	int rc;

	buffer_init(&compared, 0);
	rc = address_compare_form(&compared, span_of(op->address));
	if (rc == 0)
		rc = address_find(reader, buffer_text(&compared),
		    &op->address_id);
	buffer_fini(&compared);
	if (rc == 0)
		rc = subscription_get(reader, op->space, op->address_id,
		    &record);
	kith__subscription__free_unpacked(record, NULL);
	if (rc == -ENOENT)
		return admin_refuse(admin, "not-found",
		    "%s is not subscribed to %s; kithctl subscription list %s shows "
		    "who is",
		    op->address, op->space_name, op->space_name);
	return rc;
}

static int
remove_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct subscription_op *op = (struct subscription_op *)(void *)admin;

	return subscription_remove(txn, op->space, op->address_id, admin->now,
	    0);
}

/* ---- verbs */

static void
run_add(struct control_request *request)
{
	struct subscription_op *op = subscription_op_new(request);

	if (op == NULL)
		return;
	/* whoever adds an address by hand vouches for it */
	op->state = (int)KITH__SUBSCRIPTION_STATE__SUB_ACTIVE;
	op->admin.check = add_check;
	op->admin.apply = add_apply;
	admin_op_run(&op->admin);
}

static void
run_set(struct control_request *request)
{
	struct subscription_op *op = subscription_op_new(request);

	if (op == NULL)
		return;
	op->admin.check = known_check;
	op->admin.apply = add_apply;
	admin_op_run(&op->admin);
}

static void
run_remove(struct control_request *request)
{
	struct subscription_op *op = subscription_op_new(request);

	if (op == NULL)
		return;
	op->admin.check = known_check;
	op->admin.apply = remove_apply;
	admin_op_run(&op->admin);
}

static json_t *
list_row(struct control_request *request, struct store_reader *reader,
    const struct store_key *key, const ProtobufCMessage *message)
{
	const Kith__Subscription *subscription =
	    (const Kith__Subscription *)(const void *)message;
	Kith__Address *address;
	json_t *row;

	(void)request;
	if (address_get(reader, store_key_get_u32(key, 4), &address) != 0)
		return NULL;
	row = json_pack("{s:s, s:s, s:s, s:I, s:I}", "address", address->text,
	    "mode", admin_word(ADMIN_WORDS_MODE, (int)subscription->mode),
	    "state",
	    admin_word(ADMIN_WORDS_SUBSCRIPTION_STATE,
		(int)subscription->state),
	    "since", (json_int_t)subscription->since, "bounces",
	    (json_int_t)subscription->bounces);
	kith__address__free_unpacked(address, NULL);
	return row;
}

static void
run_list(struct control_request *request)
{
	struct space *space =
	    admin_space_named(request, control_arg(request, 0));
	struct store_key prefix;

	if (space == NULL)
		return;
	prefix = store_key_u32(space->id);
	space_unref(space);
	control_columns(request, "address", "mode", "state", (char *)NULL);
	admin_list_run(request, STORE_SUBSCRIPTIONS, &prefix, list_row);
}

#define MODE "[--mode each|digest|plain|nomail]"

const struct control_verb admin_subscription_verbs[] = {
	{ "subscription", "add", "SPACE ADDRESS " MODE, 2, 2, run_add, 0 },
	{ "subscription", "set",
	    "SPACE ADDRESS " MODE " [--state active|suspended]", 2, 2, run_set,
	    0 },
	{ "subscription", "remove", "SPACE ADDRESS", 2, 2, run_remove, 0 },
	{ "subscription", "list", "SPACE", 1, 1, run_list, 0 },
	{ "subscription", "import", "SPACE FILE " MODE, 1, 2,
	    admin_subscription_import, CONTROL_TAKES_BYTES },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
