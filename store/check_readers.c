/* check_readers.c - who reads the digests of a space: what is counted there
 * against the subscriptions.
 */
#include "store/check.h"

#include <errno.h>

#define TRIES 3u

struct readers {
	uint32_t digest, plain;
};

struct readers_walk {
	struct readers found;
	uint32_t rows, limit; /* of a slice */
	struct store_key next;
};

static int
subscription_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	const Kith__Subscription *subscription =
	    (const Kith__Subscription *)(const void *)message;
	struct readers_walk *walk = arg;

	if (walk->rows++ == walk->limit) {
		walk->next = *key;
		return 1;
	}
	if (subscription->state == KITH__SUBSCRIPTION_STATE__SUB_ACTIVE) {
		walk->found.digest +=
		    subscription->mode == KITH__MODE__MODE_DIGEST;
		walk->found.plain +=
		    subscription->mode == KITH__MODE__MODE_PLAIN;
	}
	return 0;
}

static int
readers_counted(struct check *check, uint32_t space, struct readers *readers_r)
{
	struct store_key key = store_key_u32(space);
	ProtobufCMessage *message = NULL;
	const Kith__DigestState *state;
	int rc = store_get(check->reader, STORE_DIGESTS, &key, &message);

	*readers_r = (struct readers){ 0 };
	if (rc == 0) {
		state = (const Kith__DigestState *)(const void *)message;
		readers_r->digest = state->digest_readers;
		readers_r->plain = state->plain_readers;
		protobuf_c_message_free_unpacked(message, NULL);
	}
	return rc == -ENOENT ? 0 : rc;
}

/* 1: they differ. In one view if the limit is never reached; else some may have
 * come and gone meanwhile. */
static int
readers_try(struct check *check, uint32_t space, uint32_t limit, bool report)
{
	struct store_key prefix = store_key_u32(space);
	struct readers_walk walk = { .limit = limit, .next = prefix };
	struct readers counted;
	int rc;

	do {
		walk.rows = 0;
		rc = check_view(check);
		if (rc == 0)
			rc = store_walk(check->reader, STORE_SUBSCRIPTIONS,
			    &prefix, &walk.next, subscription_row, &walk);
	} while (rc == 1);
	if (rc == 0)
		rc = readers_counted(check, space, &counted);
	if (rc != 0 ||
	    (counted.digest == walk.found.digest &&
		counted.plain == walk.found.plain))
		return rc;
	if (report)
		check_fault(check,
		    "digests: space %u has %u and %u readers, counted as %u and "
		    "%u",
		    space, walk.found.digest, walk.found.plain, counted.digest,
		    counted.plain);
	return 1;
}

static int
first_space(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	(void)message;
	*(uint32_t *)arg = store_key_get_u32(key, 0);
	return 1;
}

int
check_readers(struct check *check)
{
	struct store_key from = store_key_u32(0);
	uint32_t space = 0;
	int rc;

	for (;;) {
		rc = check_view(check);
		if (rc == 0)
			rc = store_walk(check->reader, STORE_SPACES, NULL,
			    &from, first_space, &space);
		if (rc != 1)
			return rc;
		for (unsigned i = 0; rc == 1 && i < TRIES; i++)
			rc = readers_try(check, space, CHECK_SLICE, false);
		if (rc == 1)
			rc = readers_try(check, space, UINT32_MAX, true);
		if (rc < 0)
			return rc;
		from = store_key_u32(space + 1);
	}
}
