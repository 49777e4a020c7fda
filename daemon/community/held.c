/* held.c - the rows of what is held.
 */
#include "daemon/community/held.h"

#include <errno.h>

static const char *const cause_names[] = {
	[KITH__HELD_CAUSE__HELD_NONE] = "none",
	[KITH__HELD_CAUSE__HELD_MODERATION] = "moderation",
	[KITH__HELD_CAUSE__HELD_AUTH_FAIL] = "auth-fail",
	[KITH__HELD_CAUSE__HELD_BAD_MIME] = "bad-mime",
	[KITH__HELD_CAUSE__HELD_LOOP_SUSPECT] = "loop-suspect",
	[KITH__HELD_CAUSE__HELD_MEMBER_MISMATCH] = "member-mismatch",
	[KITH__HELD_CAUSE__HELD_THREAD_CONFLICT] = "thread-conflict",
	[KITH__HELD_CAUSE__HELD_UNKNOWN_SENDER] = "unknown-sender",
	[KITH__HELD_CAUSE__HELD_NOT_MEMBER] = "not-member",
	[KITH__HELD_CAUSE__HELD_TOO_LARGE] = "too-large",
	[KITH__HELD_CAUSE__HELD_EXPIRED_TOKEN] = "expired-token",
	[KITH__HELD_CAUSE__HELD_FOREIGN_TOKEN] = "foreign-token",
	[KITH__HELD_CAUSE__HELD_DUPLICATE_DIFFERS] = "duplicate-differs",
	[KITH__HELD_CAUSE__HELD_TOO_MANY_RECIPIENTS] = "too-many-recipients",
	[KITH__HELD_CAUSE__HELD_BLANK] = "blank",
	[KITH__HELD_CAUSE__HELD_RATE] = "rate",
};

const char *
held_cause_name(Kith__HeldCause cause)
{
	if ((size_t)cause >= sizeof cause_names / sizeof cause_names[0])
		return "none";
	return cause_names[cause];
}

int
held_get(struct store_reader *reader, uint32_t held, Kith__Held **record_r)
{
	struct store_key key = store_key_u32(held);
	ProtobufCMessage *message = NULL;
	int rc = store_get(reader, STORE_HELD, &key, &message);

	*record_r = (Kith__Held *)message;
	return rc;
}

struct held_walk {
	struct store_reader *reader;
	int (*fn)(void *arg, uint32_t held, const Kith__Held *record);
	void *arg;
};

static int
walk_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	const struct held_walk *walk = arg;
	uint32_t held = store_key_get_u32(key, 4);
	Kith__Held *record;
	int rc = held_get(walk->reader, held, &record);

	(void)message;
	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	rc = walk->fn(walk->arg, held, record);
	kith__held__free_unpacked(record, NULL);
	return rc;
}

int
held_walk(struct store_reader *reader, uint32_t space, uint32_t from,
    int (*fn)(void *arg, uint32_t held, const Kith__Held *record), void *arg)
{
	struct held_walk walk = { .reader = reader, .fn = fn, .arg = arg };
	struct store_key prefix = store_key_u32(space);
	struct store_key first = store_key_u32_u32(space, from);

	return store_walk(reader, STORE_HELD_OF, &prefix, &first, walk_row,
	    &walk);
}

int
held_put_row(struct store_txn *txn, uint32_t held, const Kith__Held *record)
{
	const Kith__Nothing nothing = KITH__NOTHING__INIT;
	struct store_key key = store_key_u32(held);
	int rc = store_put(txn, STORE_HELD, &key, &record->base);

	for (size_t i = 0; rc == 0 && i < record->n_spaces; i++) {
		key = store_key_u32_u32(record->spaces[i], held);
		rc = store_put(txn, STORE_HELD_OF, &key, &nothing.base);
	}
	return rc;
}

/* A space can be named twice. */
static int
delete_of(struct store_txn *txn, uint32_t held)
{
	Kith__Held *record;
	int rc = held_get(store_txn_reader(txn), held, &record);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < record->n_spaces && (rc == 0 || rc == -ENOENT);
	     i++) {
		struct store_key key =
		    store_key_u32_u32(record->spaces[i], held);

		rc = store_delete(txn, STORE_HELD_OF, &key);
	}
	kith__held__free_unpacked(record, NULL);
	return rc == -ENOENT ? 0 : rc;
}

int
held_delete(struct store_txn *txn, uint32_t held)
{
	struct store_key key = store_key_u32(held);
	int rc = delete_of(txn, held);

	if (rc == 0)
		rc = store_delete(txn, STORE_HELD, &key);
	if (rc == 0)
		rc = store_body_delete(txn, STORE_HELD_BODIES, held);
	return rc == -ENOENT ? 0 : rc;
}
