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

int
held_delete(struct store_txn *txn, uint32_t held)
{
	struct store_key key = store_key_u32(held);
	int rc = store_delete(txn, STORE_HELD, &key);

	if (rc == 0)
		rc = store_body_delete(txn, STORE_HELD_BODIES, held);
	return rc == -ENOENT ? 0 : rc;
}
