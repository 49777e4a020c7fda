/* msgid.h - the index of Message-IDs: what kith has seen under an id.
 */
#ifndef KITH_STORE_MSGID_H
#define KITH_STORE_MSGID_H

#include "store/cache.h"
#include "store/store.h"

#define STORE_HASH_LEN	  16u
#define STORE_MSGID_MAX 8u /* entries under one id */

enum store_msgid_state {
	STORE_MSGID_STORED = 1,
	STORE_MSGID_HELD,
	STORE_MSGID_REFUSED, /* by a moderator */
	STORE_MSGID_CANCELLED,
	STORE_MSGID_EXPIRED,
	STORE_MSGID_UNWANTED, /* refused to a peer */
	STORE_MSGID_CONTROL,  /* a control message, kept without a number */
	STORE_MSGID_WAITS,    /* to be cancelled when it comes */
};

struct store_msgid_entry {
	uint64_t artid; /* 0: none; of WAITS: of who wants to cancel it */
	uint32_t about; /* HELD, REFUSED: the held id; CANCELLED, EXPIRED and
			 * CONTROL: a space that it is of; UNWANTED: the peer;
			 * WAITS: the peer or member that it came from */
	enum store_msgid_state state;
	uint32_t day; /* days since 1970 */
	uint8_t content[STORE_HASH_LEN]; /* of body, From, Date, Subject; of
					  * WAITS the first octet is 1 if it
					  * came from a peer */
};

/* The keyed hash of a Message-ID including its angle brackets; keyed, so that
 * nobody can make two ids meet. Any thread. */
void store_msgid_hash(struct store *store, const char *msgid, size_t len,
    uint8_t hash_r[STORE_HASH_LEN]);
/* Plain keyed hash for other purposes (content, addresses, tokens). */
void store_hash(struct store *store, const void *bytes, size_t len,
    uint8_t hash_r[STORE_HASH_LEN]);
/* The same for bodies, which are long: half the time. */
void store_hash_body(struct store *store, const void *bytes, size_t len,
    uint8_t hash_r[STORE_HASH_LEN]);
/* The number of entries (0 ... STORE_MSGID_MAX) or negative. */
int store_msgid_get(struct store_reader *reader,
    const uint8_t hash[STORE_HASH_LEN],
    struct store_msgid_entry entries_r[STORE_MSGID_MAX]);
/* The key under which something made of these entries may be cached. */
struct store_cache_key store_msgid_key(const uint8_t hash[STORE_HASH_LEN]);
/* Replaces all entries; count 0 deletes. What is known without an article that
 * somebody could read is noted under its day, so that it can be forgotten
 * without a walk through all ids. */
int store_msgid_put(struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN],
    const struct store_msgid_entry *entries, unsigned count);
/* Adds one to what is under an id, and returns how many there are then. Of
 * UNWANTED an id has two entries at most, and the older one makes room; of WAITS
 * five, and of one source the first and the newest, so that nobody pushes out what
 * came from another. Both make room for others when there is none left. -ENOSPC:
 * there is none for this one. */
int store_msgid_insert(struct store_msgid_entry entries[STORE_MSGID_MAX],
    unsigned count, const struct store_msgid_entry *entry);
/* In apply: that, and put. 0 or negative. */
int store_msgid_add(struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN],
    const struct store_msgid_entry *entry);
/* Whether a STORED one could be inserted. */
bool store_msgid_has_room(const struct store_msgid_entry *entries,
    unsigned count);
/* True for all states but STORED and HELD. */
bool store_msgid_is_memory(enum store_msgid_state state);
/* In apply: forgets memories of days before `day` (and drops the control
 * messages among them), of STORE_FORGET_MAX ids at
 * most; how many in *count_r. 1: there are more of them; 0; or negative. */
#define STORE_FORGET_MAX 200u
int store_msgid_forget(struct store_txn *txn, uint32_t day, unsigned *count_r);

#endif
