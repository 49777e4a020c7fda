/* cancel_wait.c - cancels that came before their target.
 *
 * A waiting cancel is noted under its target's Message-ID, for little room: that
 * says only that one waits. What is looked for when the target comes is noted under
 * the Message-ID together with a lock that a key of the cancel opens: who has not
 * the key has no place there to take.
 */
#include "daemon/community/cancel_private.h"

#include <errno.h>

#include "daemon/community/locks.h"

struct waiting {
	struct community *community;
	const struct draft *draft;
	struct store_txn *txn;       /* to note */
	struct store_reader *reader; /* to look for */
	struct store_msgid_entry entry;
	const char *target_id;
};

/* No Message-ID has a blank in it. */
static int
lock_hash(const struct waiting *waiting, const char *lock,
    uint8_t hash[STORE_HASH_LEN])
{
	struct buffer text;
	int rc = 0;

	buffer_init(&text, 0);
	buffer_printf(&text, "%s %s", waiting->target_id, lock);
	if (buffer_failed(&text))
		rc = -ENOMEM;
	else
		store_hash(community_store(waiting->community), text.bytes,
		    text.len, hash);
	buffer_fini(&text);
	return rc;
}

static int
add(struct waiting *waiting, const uint8_t hash[STORE_HASH_LEN])
{
	int rc = store_msgid_add(waiting->txn, hash, &waiting->entry);

	return rc == -ENOSPC ? 0 : rc; /* enough of them wait there */
}

static int
note_lock(void *arg, const char *lock)
{
	struct waiting *waiting = arg;
	uint8_t hash[STORE_HASH_LEN];
	int rc = lock_hash(waiting, lock, hash);

	return rc == 0 ? add(waiting, hash) : rc;
}

int
cancel_wait(struct store_txn *txn, struct community *community,
    const struct draft *draft)
{
	bool peer = draft->author.peer != 0;
	struct waiting waiting = { .community = community,
		.draft = draft,
		.txn = txn,
		.target_id = draft->target_id,
		.entry = { .artid = draft->artid,
		    .about = peer ? draft->author.peer : draft->author.member,
		    .state = STORE_MSGID_WAITS,
		    .day = (uint32_t)(draft->now / 86400),
		    .content = { peer } } };
	uint8_t hash[STORE_HASH_LEN];
	int rc;

	store_msgid_hash(community_store(community), draft->target_id,
	    strlen(draft->target_id), hash);
	rc = add(&waiting, hash);
	return rc == 0
	    ? locks_each_opened(community_locks(community),
		  cancel_value(draft, &draft->key_range), note_lock, &waiting)
	    : rc;
}

static int
look_for_lock(void *arg, const char *lock)
{
	struct waiting *waiting = arg;
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	uint8_t hash[STORE_HASH_LEN];
	int count = lock_hash(waiting, lock, hash);

	if (count == 0)
		count = store_msgid_get(waiting->reader, hash, entries);
	for (int i = 0; i < count; i++)
		if (entries[i].state == STORE_MSGID_WAITS &&
		    cancel_opens(waiting->reader, waiting->community,
			waiting->draft, entries[i].artid))
			return 1;
	return count < 0 ? count : 0;
}

int
cancel_meets(struct store_reader *reader, struct community *community,
    const struct draft *draft)
{
	struct waiting waiting = { .community = community,
		.draft = draft,
		.reader = reader,
		.target_id = draft->message_id };

	return locks_each(cancel_value(draft, &draft->lock_range),
	    look_for_lock, &waiting);
}
