/* expiry.c - rows that time makes worthless, deleted in bulk slices.
 */
#include "daemon/community/timers.h"

#include <stdlib.h>

#include "daemon/community/bounce.h"

#define SLICE        200u /* rows looked at per operation */
#define HOUR         3600u
#define FAILURE_LIFE (7u * 24u * HOUR)

struct expiry {
	struct store_op op;
	struct community *community;
	void (*done)(void *arg);
	void *arg;
	uint64_t now;
	size_t rule;
	struct store_key from; /* where the next slice begins */
	struct store_key next;
	bool resume;
	bool more;
	unsigned seen;
	unsigned dead_count;
	struct store_key dead[SLICE];
};

static bool
token_is_dead(const struct expiry *expiry, const struct store_key *key,
    const ProtobufCMessage *message)
{
	const Kith__TokenUse *use =
	    (const Kith__TokenUse *)(const void *)message;

	(void)key;
	return use->expires < expiry->now;
}

static bool
answer_is_dead(const struct expiry *expiry, const struct store_key *key,
    const ProtobufCMessage *message)
{
	(void)message;
	return store_key_get_u32(key, 16) + 1 < expiry->now / HOUR;
}

static bool
failure_is_dead(const struct expiry *expiry, const struct store_key *key,
    const ProtobufCMessage *message)
{
	const Kith__ParseFailure *failure =
	    (const Kith__ParseFailure *)(const void *)message;

	(void)key;
	return failure->time + FAILURE_LIFE < expiry->now;
}

static bool
bounce_is_dead(const struct expiry *expiry, const struct store_key *key,
    const ProtobufCMessage *message)
{
	(void)key;
	return bounce_is_old(expiry->community,
	    (const Kith__Bounce *)(const void *)message, expiry->now);
}

static const struct expiry_rule {
	enum store_table table;
	bool (*is_dead)(const struct expiry *expiry,
	    const struct store_key *key, const ProtobufCMessage *message);
} expiry_rules[] = {
	{ STORE_TOKENS_USED, token_is_dead },
	{ STORE_ANSWERS, answer_is_dead },
	{ STORE_PARSE_FAILURES, failure_is_dead },
	{ STORE_BOUNCES, bounce_is_dead },
};
#define RULE_COUNT (sizeof expiry_rules / sizeof expiry_rules[0])

static int
expiry_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct expiry *expiry = arg;

	if (expiry->seen++ == SLICE) {
		expiry->next = *key;
		expiry->more = true;
		return 1;
	}
	if (expiry_rules[expiry->rule].is_dead(expiry, key, message))
		expiry->dead[expiry->dead_count++] = *key;
	return 0;
}

static int
expiry_check(struct store_txn *txn, struct store_op *op)
{
	struct expiry *expiry = (struct expiry *)(void *)op;
	int rc;

	expiry->seen = expiry->dead_count = 0;
	expiry->more = false;
	rc = store_walk(store_txn_reader(txn), expiry_rules[expiry->rule].table,
	    NULL, expiry->resume ? &expiry->from : NULL, expiry_row, expiry);
	return rc < 0 ? rc : 0;
}

static int
expiry_apply(struct store_txn *txn, struct store_op *op)
{
	struct expiry *expiry = (struct expiry *)(void *)op;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < expiry->dead_count; i++)
		rc = store_delete(txn, expiry_rules[expiry->rule].table,
		    &expiry->dead[i]);
	return rc;
}

static void
expiry_done(struct store_op *op, int result)
{
	struct expiry *expiry = (struct expiry *)(void *)op;
	struct community *community = expiry->community;

	expiry->resume = result == 0 && expiry->more;
	expiry->from = expiry->next;
	if (!expiry->resume)
		expiry->rule++;
	if (expiry->rule < RULE_COUNT) {
		store_submit(community_store(community), &expiry->op);
		return;
	}
	expiry->done(expiry->arg);
	free(expiry);
}

void
expiry_run_due(struct community *community, void (*done)(void *arg), void *arg)
{
	uint64_t now = community_now(community);
	struct expiry *expiry = NULL;

	if (community_is_due(community, COMMUNITY_DUE_EXPIRY, HOUR))
		expiry = calloc(1, sizeof *expiry);
	if (expiry == NULL) { /* not due, or the next hour will do */
		done(arg);
		return;
	}
	expiry->community = community;
	expiry->done = done;
	expiry->arg = arg;
	expiry->now = now;
	expiry->op.check = expiry_check;
	expiry->op.apply = expiry_apply;
	expiry->op.done = expiry_done;
	expiry->op.inbox = community_inbox(community);
	expiry->op.bulk = true;
	store_submit(community_store(community), &expiry->op);
}
