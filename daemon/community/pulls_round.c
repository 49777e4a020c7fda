/* pulls_round.c - the rows that a round stands on: its peer, its groups, and how
 * far each got.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/pulls_private.h"
#include "daemon/log.h"

#define MISSED_LIFE 86400u /* what cannot be had for a day is given up */

/* ---- keys */

struct store_key
pulls_key(uint32_t peer, const char *group)
{
	struct store_key key = store_key_u32(peer);
	size_t len = strlen(group);

	if (len > NEWSGROUP_MAX)
		len = NEWSGROUP_MAX;
	memcpy(key.bytes + key.len, group, len);
	key.len += len;
	return key;
}

struct keys {
	struct store_key *keys;
	size_t count;
};

static int
keys_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct keys *keys = arg;

	(void)message;
	if (keys->count == PULL_GROUPS_MAX)
		return 1;
	keys->keys[keys->count++] = *key;
	return 0;
}

int
pulls_forget(struct store_txn *txn, uint32_t peer)
{
	struct store_key prefix = store_key_u32(peer);
	struct keys keys = { calloc(PULL_GROUPS_MAX, sizeof *keys.keys), 0 };
	int rc = keys.keys == NULL ? -ENOMEM : 0;

	if (rc == 0)
		rc = store_walk(store_txn_reader(txn), STORE_PULLS, &prefix,
		    NULL, keys_row, &keys);
	for (size_t i = 0; i < keys.count && rc >= 0; i++)
		rc = store_delete(txn, STORE_PULLS, &keys.keys[i]);
	free(keys.keys);
	return rc < 0 ? rc : 0;
}

/* ---- the peer */

static void
round_forget_peer(struct round *round)
{
	for (size_t i = 0; i < round->count; i++)
		free(round->groups[i].name);
	free(round->groups);
	round->groups = NULL;
	round->count = 0;
	if (round->secret != NULL)
		explicit_bzero(round->secret, strlen(round->secret));
	free(round->secret);
	free(round->login);
	round->secret = round->login = NULL;
}

void
round_free(struct round *round)
{
	struct pull_waiter *waiter;

	while ((waiter = STAILQ_FIRST(&round->waiters)) != NULL) {
		STAILQ_REMOVE_HEAD(&round->waiters, entry);
		free(waiter);
	}
	round_forget_peer(round);
	free(round->only);
	free(round);
}

static int
groups_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	const Kith__Pull *pull = (const Kith__Pull *)(const void *)message;
	struct round *round = arg;
	char *name;

	(void)key;
	if (round->count == PULL_GROUPS_MAX)
		return 1;
	if (round->only != NULL && strcmp(round->only, pull->group) != 0)
		return 0;
	name = strdup(pull->group);
	if (name == NULL)
		return -ENOMEM;
	round->groups[round->count].name = name;
	round->groups[round->count++].time = pull->time;
	return 0;
}

static int
group_compare(const void *a, const void *b)
{
	const struct round_group *one = a, *other = b;

	if (one->time != other->time)
		return one->time < other->time ? -1 : 1;
	return strcmp(one->name, other->name);
}

/* Those that waited longest come first: a round may end before it came to all
 * of them. */
static int
round_read_groups(struct round *round, struct store_reader *reader)
{
	struct store_key prefix = store_key_u32(round->peer);
	int rc;

	round->groups = calloc(PULL_GROUPS_MAX, sizeof *round->groups);
	if (round->groups == NULL)
		return -ENOMEM;
	rc = store_walk(reader, STORE_PULLS, &prefix, NULL, groups_row, round);
	qsort(round->groups, round->count, sizeof *round->groups,
	    group_compare);
	return rc < 0 ? rc : 0;
}

static int
round_read_peer(struct round *round, struct store_reader *reader)
{
	struct store_key key = store_key_u32(round->peer);
	ProtobufCMessage *message = NULL;
	const Kith__Peer *peer;
	int rc = store_get(reader, STORE_PEERS, &key, &message);

	if (rc != 0)
		return rc;
	peer = (const Kith__Peer *)(const void *)message;
	rc = endpoint_text_parse(peer->pull, round->host, &round->port);
	round->tls = peer->tls <= TLS_IMPLICIT ? (enum config_tls)peer->tls
					       : TLS_IMPLICIT;
	round->clear = peer->clear || endpoint_host_is_loopback(round->host);
	round->login = strdup(peer->secret[0] == '\0' ? "" : peer->login);
	round->secret = strdup(peer->secret);
	if (round->login == NULL || round->secret == NULL)
		rc = -ENOMEM;
	protobuf_c_message_free_unpacked(message, NULL);
	return rc;
}

int
round_read(struct round *round)
{
	struct store_view *view =
	    store_view_begin(community_store(round->pulls->community));
	int rc = -ENOMEM;

	if (view != NULL) {
		rc = round_read_peer(round, store_view_reader(view));
		if (rc == 0)
			rc = round_read_groups(round, store_view_reader(view));
	}
	store_view_end(&view);
	return rc;
}

/* ---- a group */

/* The row's values, into the group's own. */
static void
group_set(struct pull_group *group, const Kith__Pull *row)
{
	size_t missed = row->n_missed < FEED_MISSED_MAX ? row->n_missed
							: FEED_MISSED_MAX;

	if (missed > row->n_missed_since)
		missed = row->n_missed_since;
	if (missed > 0) {
		memmove(group->missed, row->missed,
		    missed * sizeof group->missed[0]);
		memmove(group->missed_since, row->missed_since,
		    missed * sizeof group->missed_since[0]);
	}
	kith__pull__init(&group->row);
	group->row.space = row->space;
	group->row.last = row->last;
	group->row.high = row->high;
	group->row.taken = row->taken;
	group->row.had = row->had;
	group->row.refused = row->refused;
	group->row.time = row->time;
	group->row.group = group->name;
	group->row.error = group->error;
	group->row.n_missed = group->row.n_missed_since = missed;
	group->row.missed = group->missed;
	group->row.missed_since = group->missed_since;
}

/* Since when it is missed, or now. */
static uint64_t
missed_since(const struct pull_group *group, uint32_t number, uint64_t now)
{
	for (size_t i = 0; i < group->row.n_missed; i++)
		if (group->missed[i] == number)
			return group->missed_since[i];
	return now;
}

static void
missed_append(struct pull_group *group, uint32_t number, uint64_t since)
{
	size_t at = group->row.n_missed;

	if (at == FEED_MISSED_MAX)
		return;
	group->missed[at] = number;
	group->missed_since[at] = since;
	group->row.n_missed = group->row.n_missed_since = at + 1;
}

void
round_note_missed(struct round *round)
{
	const struct feed_progress *progress = &round->progress;
	uint64_t now = community_now(round->pulls->community);
	struct pull_group before = round->group, *group = &round->group;

	group->row.n_missed = group->row.n_missed_since = 0;
	/* of the old ones those that it did not come to */
	for (size_t i = progress->again; i < before.row.n_missed; i++)
		missed_append(group, before.missed[i], before.missed_since[i]);
	for (size_t i = 0; i < progress->missed_count; i++) {
		uint32_t number = progress->missed[i];
		uint64_t since = missed_since(&before, number, now);

		if (since + MISSED_LIFE > now) {
			missed_append(group, number, since);
			continue;
		}
		log_warning("pull peer=%u group=%s number=%u cannot be had",
		    round->peer, group->name, number);
		group->row.refused++;
	}
}

int
round_read_group(struct round *round)
{
	struct pull_group *group = &round->group;
	struct store_view *view =
	    store_view_begin(community_store(round->pulls->community));
	ProtobufCMessage *message = NULL;
	struct store_key key;
	int rc = -ENOMEM;

	(void)snprintf(group->name, sizeof group->name, "%s",
	    round->groups[round->at].name);
	group->error[0] = '\0';
	key = pulls_key(round->peer, group->name);
	if (view != NULL)
		rc = store_get(store_view_reader(view), STORE_PULLS, &key,
		    &message);
	store_view_end(&view);
	if (rc != 0)
		return rc;
	group_set(group, (const Kith__Pull *)(const void *)message);
	protobuf_c_message_free_unpacked(message, NULL);
	return 0;
}

struct pull_write {
	struct store_op op;
	struct community *community;
	struct round *round;
	uint32_t peer;
	struct pull_group group;
};

static int
write_check(struct store_txn *txn, struct store_op *op)
{
	const struct pull_write *write =
	    (const struct pull_write *)(const void *)op;
	struct store_key key = pulls_key(write->peer, write->group.name);

	/* taken off meanwhile: it must not come back */
	return store_has(store_txn_reader(txn), STORE_PULLS, &key) ? 0 : 1;
}

static int
write_apply(struct store_txn *txn, struct store_op *op)
{
	struct pull_write *write = (struct pull_write *)(void *)op;
	struct store_key key = pulls_key(write->peer, write->group.name);

	return store_put(txn, STORE_PULLS, &key, &write->group.row.base);
}

static void
write_done(struct store_op *op, int result)
{
	struct pull_write *write = (struct pull_write *)(void *)op;
	struct round *round = write->round;

	community_busy(write->community, -1);
	free(write);
	round_written(round, result);
}

int
round_write(struct round *round)
{
	struct pull_write *write = calloc(1, sizeof *write);

	if (write == NULL)
		return -ENOMEM;
	write->community = round->pulls->community;
	write->round = round;
	write->peer = round->peer;
	memcpy(write->group.name, round->group.name, sizeof write->group.name);
	memcpy(write->group.error, round->group.error,
	    sizeof write->group.error);
	group_set(&write->group, &round->group.row);
	write->op = (struct store_op){ .check = write_check,
		.apply = write_apply,
		.done = write_done,
		.inbox = community_inbox(write->community),
		.bulk = true };
	community_busy(write->community, 1);
	store_submit(community_store(write->community), &write->op);
	return 0;
}
