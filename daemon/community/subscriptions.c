/* subscriptions.c - subscriptions, with their index by address.
 */
#include "daemon/community/subscriptions.h"

#include <errno.h>

#include "daemon/community/digest.h"
#include "daemon/community/journal.h"

int
subscription_get(struct store_reader *reader, uint32_t space, uint32_t address,
    Kith__Subscription **subscription_r)
{
	struct store_key key = store_key_u32_u32(space, address);
	ProtobufCMessage *message = NULL;
	int rc = store_get(reader, STORE_SUBSCRIPTIONS, &key, &message);

	*subscription_r =
	    rc == 0 ? (Kith__Subscription *)(void *)message : NULL;
	return rc;
}

static Kith__Verb
put_verb(bool known, const Kith__Subscription *subscription)
{
	if (subscription->state == KITH__SUBSCRIPTION_STATE__SUB_SUSPENDED)
		return KITH__VERB__VERB_SUSPENDED;
	return known ? KITH__VERB__VERB_SUBSCRIPTION_CHANGED
		     : KITH__VERB__VERB_SUBSCRIBED;
}

static int
reads(const Kith__Subscription *subscription, Kith__Mode mode)
{
	return subscription != NULL && subscription->mode == mode &&
	    subscription->state == KITH__SUBSCRIPTION_STATE__SUB_ACTIVE;
}

/* The space's digests gain or lose a reader. Either may be NULL. */
static int
count_readers(struct store_txn *txn, uint32_t space,
    const Kith__Subscription *before, const Kith__Subscription *after)
{
	int digest = reads(after, KITH__MODE__MODE_DIGEST) -
	    reads(before, KITH__MODE__MODE_DIGEST);
	int plain = reads(after, KITH__MODE__MODE_PLAIN) -
	    reads(before, KITH__MODE__MODE_PLAIN);

	return digest == 0 && plain == 0
	    ? 0
	    : digest_count_readers(txn, space, digest, plain);
}

int
subscription_put(struct store_txn *txn, uint32_t space, uint32_t address,
    const Kith__Subscription *subscription, uint64_t now, uint32_t actor)
{
	struct store_key key = store_key_u32_u32(space, address);
	struct store_key of = store_key_u32_u32(address, space);
	Kith__Nothing nothing = KITH__NOTHING__INIT;
	Kith__Subscription *before;
	int rc = subscription_get(
	    store_txn_reader(txn), space, address, &before);

	if (rc != 0 && rc != -ENOENT)
		return rc;
	rc = store_put(txn, STORE_SUBSCRIPTIONS, &key, &subscription->base);
	if (rc == 0 && before == NULL)
		rc = store_put(txn, STORE_SUBSCRIPTIONS_OF, &of, &nothing.base);
	if (rc == 0)
		rc = count_readers(txn, space, before, subscription);
	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = now,
			.verb = put_verb(before != NULL, subscription),
			.actor = actor,
			.space = space,
			.object = address });
	if (before != NULL)
		kith__subscription__free_unpacked(before, NULL);
	return rc;
}

int
subscription_remove(struct store_txn *txn, uint32_t space, uint32_t address,
    uint64_t now, uint32_t actor)
{
	struct store_key key = store_key_u32_u32(space, address);
	struct store_key of = store_key_u32_u32(address, space);
	Kith__Subscription *before;
	int rc = subscription_get(
	    store_txn_reader(txn), space, address, &before);

	if (rc != 0)
		return rc;
	rc = store_delete(txn, STORE_SUBSCRIPTIONS, &key);
	if (rc == 0)
		rc = store_delete(txn, STORE_SUBSCRIPTIONS_OF, &of);
	if (rc == 0 || rc == -ENOENT)
		rc = count_readers(txn, space, before, NULL);
	kith__subscription__free_unpacked(before, NULL);
	if (rc != 0)
		return rc;
	return journal_append(txn,
	    &(struct journal_event){ .time = now,
		.verb = KITH__VERB__VERB_UNSUBSCRIBED,
		.actor = actor,
		.space = space,
		.object = address });
}

struct walk {
	int (*fn)(void *arg, uint32_t address,
	    const Kith__Subscription *subscription);
	void *arg;
};

static int
walk_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct walk *walk = arg;

	return walk->fn(walk->arg, store_key_get_u32(key, 4),
	    (const Kith__Subscription *)(const void *)message);
}

int
subscriptions_walk(struct store_reader *reader, uint32_t space, uint32_t from,
    int (*fn)(void *arg, uint32_t address,
	const Kith__Subscription *subscription),
    void *arg)
{
	struct store_key prefix = store_key_u32(space);
	struct store_key start = store_key_u32_u32(space, from);
	struct walk walk = { fn, arg };

	return store_walk(reader, STORE_SUBSCRIPTIONS, &prefix, &start,
	    walk_row, &walk);
}

int
subscriptions_upper(struct store_reader *reader, uint32_t space,
    uint32_t *address_r)
{
	struct store_key prefix = store_key_u32(space), last;
	int rc = store_last(reader, STORE_SUBSCRIPTIONS, &prefix, &last);

	*address_r = rc == 0 ? store_key_get_u32(&last, 4) : 0;
	return rc == -ENOENT ? 0 : rc;
}
