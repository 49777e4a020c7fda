/* store.h - the store: everything kith keeps, in one Berkeley DB environment.
 *
 * Nobody outside store/ sees a Berkeley DB type, constant or error code. Reads
 * go through a reader (a view, or the writer's own transaction); writes happen
 * only inside operations that the writer thread runs. Errors are 0 or a
 * negative errno: -ENOENT no such row, -EEXIST, -ENOSPC no room (the batch was
 * not committed), -EBADMSG a stored row does not parse, -ENOMEM, -EIO.
 */
#ifndef KITH_STORE_STORE_H
#define KITH_STORE_STORE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/records.pb-c.h"

struct store;
struct store_reader; /* what rows are read through */
struct store_view;   /* a consistent snapshot, for one burst of reads */
struct store_txn;    /* the writer's transaction, inside an operation */
struct store_cache;  /* cache.h */
struct store_inbox;  /* where finished operations wait for their submitter */

enum store_log_level { STORE_LOG_ERR, STORE_LOG_WARNING, STORE_LOG_INFO };

struct store_options {
	const char *directory; /* exists, private to the caller, mode 0700 */
	size_t cache_bytes;    /* Berkeley DB's cache */
	size_t object_cache_bytes;   /* cache.h: articles, overview blocks */
	unsigned batch_max;	     /* operations per commit; 0: 100 */
	size_t log_file_bytes;	     /* 0: 16 MB; the reserve is four times that */
	size_t segment_bytes;	     /* 0: 64 MB; of articles in one file */
	size_t young_ids; /* 0: 32,768; Message-IDs gathered (young.h) */
	/* Called from any of the store's threads. */
	void (*log)(void *arg, enum store_log_level level, const char *line);
	/* A commit failed, or the environment panicked: only a restart mends
	 * that. Must not return: the process exits and recovers at the next
	 * start. (-ENOSPC before the commit only fails the operation.) */
	void (*fatal)(void *arg, const char *why);
	void *arg;
};

/* Takes the lock file, opens the environment with recovery, checks the schema
 * version, starts writer, flusher and checkpoint threads. On failure returns
 * negative and sets *error_r to a text for the admin (caller frees).
 * -EBUSY: another process has it. */
int store_open(
    struct store **store_r, const struct store_options *options, char **error_r);
/* Finishes what was submitted, checkpoints, closes. Accepts NULL. */
void store_close(struct store **store);

/* ---- reading ---------------------------------------------------------- */

/* A view sees exactly what was on disk when it began. Hold it for one burst of
 * commands, never across a wait for the network: a long one slows the writer
 * tenfold. One thread at a time. NULL: out of memory. */
struct store_view *store_view_begin(struct store *store);
void store_view_end(struct store_view **view);
struct store_reader *store_view_reader(struct store_view *view);
/* The commit that the reader sees; 0: a transaction of the writer. */
uint64_t store_reader_version(const struct store_reader *reader);
/* What is kept of what was read, for all loops (cache.h); others may keep there
 * what they make of it. Lives as long as the store. */
struct store_cache *store_objects(struct store *store);
/* The same for STORE_CACHE_PLACE alone. */
struct store_cache *store_places(struct store *store);
struct store_reader *store_txn_reader(struct store_txn *txn);

/* ---- writing ---------------------------------------------------------- */

/* An operation. The submitter embeds it, keeps it alive until done, and fills
 * the public fields.
 *
 * check reads and may refuse: a value other than 0 ends the operation, apply
 * is not run and done gets that value (use positive values for refusals of
 * one's own). apply writes and must not refuse; if it fails the batch is
 * aborted and its operations are run again one by one. Either can therefore
 * run more than once: check must reset whatever it left in the operation.
 * Both run on the writer thread, one operation after the other, and see what
 * earlier operations wrote, those that are not on disk yet included: the next
 * batch is run while the last one is flushed. What a reader or a published
 * state shows may be older than that.
 *
 * done runs on the thread that drains the inbox, after the commit is on disk
 * (or the operation was refused, or failed; not before what was committed
 * earlier is on disk). Operations of one inbox finish in the order of their
 * submission within their queue. */
struct store_op {
	int (*check)(struct store_txn *txn, struct store_op *op); /* or NULL */
	int (*apply)(struct store_txn *txn, struct store_op *op);
	void (*done)(struct store_op *op, int result); /* or NULL */
	struct store_inbox *inbox; /* NULL: done runs on the flusher thread */
	bool bulk; /* import, expiry, progress: after people, a few ms each */
	/* the store's own */
	struct store_op *next;
	int result;
};

/* Never blocks on the disk. The operation belongs to the store until done. */
void store_submit(struct store *store, struct store_op *op);
/* Submits and waits; for start-up, offline roles and tests, never from a
 * loop. Ignores op->inbox; done is not called. */
int store_run(struct store *store, struct store_op *op);

/* An inbox belongs to one loop: poll its descriptor for reading, then drain.
 * Free it only when none of its operations is under way. */
struct store_inbox *store_inbox_new(void);
int store_inbox_fd(const struct store_inbox *inbox);
void store_inbox_drain(struct store_inbox *inbox);
void store_inbox_free(struct store_inbox **inbox);

/* From apply: run fn on the flusher thread once the batch is on disk, before
 * any done, in order of registration; forgotten if the batch is aborted. For
 * publishing to shared caches. fn must not block. arg is borrowed until then;
 * drop (may be NULL) is called instead of fn when the batch is aborted. */
int store_txn_on_commit(struct store_txn *txn, void (*fn)(void *arg),
    void (*drop)(void *arg), void *arg);

/* The next id of a kind, from 1, never reused. */
enum store_counter {
	STORE_ID_ARTICLE,
	STORE_ID_SPACE,
	STORE_ID_MEMBER,
	STORE_ID_ADDRESS,
	STORE_ID_TICKET,
	STORE_ID_JOB,
	STORE_ID_HELD,
	STORE_ID_PEER,
	STORE_ID_TOKEN,
	STORE_ID_KEY,
	STORE_COUNTERS
};
int store_id_next(
    struct store_txn *txn, enum store_counter counter, uint64_t *id_r);

/* ---- records ---------------------------------------------------------- */

/* Schema-described records (records.proto): one table each, the message type
 * follows from the table. Keys are composed of big-endian integers and text,
 * so that a walk is in key order. */
enum store_table {
	STORE_ARTICLE_META,	  /* artid u64            -> ArticleMeta */
	STORE_SPACES,		  /* space u32            -> Space */
	STORE_SPACE_NAMES,	  /* newsgroup name       -> IdRef */
	STORE_SPACE_MAIL,	  /* mail local part      -> IdRef */
	STORE_MEMBERS,		  /* member u32           -> Member */
	STORE_LOGINS,		  /* login                -> IdRef */
	STORE_ADDRESSES,	  /* address id u32       -> Address */
	STORE_ADDRESS_NAMES,	  /* compared form        -> IdRef */
	STORE_SUBSCRIPTIONS,	  /* space u32, address u32 -> Subscription */
	STORE_SUBSCRIPTIONS_OF,	  /* address u32, space u32 -> Nothing */
	STORE_TICKETS,		  /* ticket u32           -> Ticket */
	STORE_TICKET_IDS,	  /* message-id hash 16   -> IdRef (also ids only
				   * seen in References) */
	STORE_JOBS,		  /* job u64              -> Job */
	STORE_JOB_BODIES,	  /* job u64, part u16    -> Chunk */
	STORE_DEFERRED,		  /* due u64, job u64, recipient u32 -> Deferred */
	STORE_HELD,		  /* held u32             -> Held */
	STORE_HELD_BODIES,	  /* held u32, part u16   -> Chunk */
	STORE_TOKENS_USED,	  /* token hash 16        -> TokenUse */
	STORE_PEERS,		  /* peer u32             -> Peer */
	STORE_BOUNCES,		  /* address u32, job u64 * 2 + complaint -> Bounce;
				   * the end of the job's id */
	STORE_ANSWERS,		  /* address hash 16, hour u32 -> Count */
	STORE_PARSE_FAILURES,	  /* SHA-256 32           -> ParseFailure */
	STORE_KEYS,		  /* key id u32           -> Key */
	STORE_DIGESTS,		  /* space u32            -> DigestState */
	STORE_SETTINGS,		  /* name                 -> Setting */
	STORE_EXPIRES,		  /* space u32, time u64, number u32 -> Nothing,
				   * of articles with an Expires header */
	STORE_HISTORY,		  /* day u32, message-id hash 16 -> Nothing, of
				   * ids that are known without an article */
	STORE_FEEDS,		  /* peer u32             -> FeedState */
	STORE_FEED_DEFERRED,	  /* peer u32, artid u64  -> FeedDeferred */
	STORE_PULLS,		  /* peer u32, group      -> Pull */
	STORE_ASKED,		  /* space u32            -> Asked */
	STORE_FORMER_SPACES,	  /* newsgroup name       -> Count, the last
				   * number that a removed space gave */
	STORE_ROLES,		  /* member u32           -> Nothing, of those
				   * whose role is above member */
	STORE_JOBS_OF,		  /* artid u64, job u64   -> Nothing, of jobs
				   * that carry an article */
	STORE_HELD_OF,		  /* space u32, held u32  -> Nothing */
	STORE_RECORD_TABLES
};

struct store_key {
	uint8_t bytes[512];
	size_t len;
};
struct store_key store_key_u32(uint32_t a);
struct store_key store_key_u64(uint64_t a);
struct store_key store_key_u32_u32(uint32_t a, uint32_t b);
struct store_key store_key_u32_u64(uint32_t a, uint64_t b);
struct store_key store_key_u64_u16(uint64_t a, uint16_t b);
struct store_key store_key_u32_u16(uint32_t a, uint16_t b);
struct store_key store_key_u64_u64(uint64_t a, uint64_t b);
struct store_key store_key_u64_u64_u32(uint64_t a, uint64_t b, uint32_t c);
struct store_key store_key_u32_u64_u32(uint32_t a, uint64_t b, uint32_t c);
struct store_key store_key_u32_hash(uint32_t a, const uint8_t hash[16]);
struct store_key store_key_hash_u32(const uint8_t hash[16], uint32_t b);
/* Longer than 512 octets: cut (kith's names are far shorter). */
struct store_key store_key_bytes(const void *bytes, size_t len);
uint32_t store_key_get_u32(const struct store_key *key, size_t offset);
uint64_t store_key_get_u64(const struct store_key *key, size_t offset);

/* *message_r is owned by the caller: protobuf_c_message_free_unpacked. */
int store_get(struct store_reader *reader, enum store_table table,
    const struct store_key *key, ProtobufCMessage **message_r);
bool store_has(struct store_reader *reader, enum store_table table,
    const struct store_key *key);
int store_put(struct store_txn *txn, enum store_table table,
    const struct store_key *key, const ProtobufCMessage *message);
/* -ENOENT if there was none. */
int store_delete(
    struct store_txn *txn, enum store_table table, const struct store_key *key);

/* Walks rows in key order from `from` (inclusive; NULL: the first) while the
 * key starts with `prefix` (NULL: to the end). fn returns 0 to go on, 1 to
 * stop, negative to fail; it borrows key and message, and must not write to the
 * same table. Returns 0 at the end, 1 if stopped, or negative. Neither this nor
 * store_last() is for STORE_ARTICLE_META. */
typedef int (*store_walk_fn)(
    void *arg, const struct store_key *key, const ProtobufCMessage *message);
int store_walk(struct store_reader *reader, enum store_table table,
    const struct store_key *prefix, const struct store_key *from,
    store_walk_fn fn, void *arg);

/* The last key that starts with `prefix` (not empty). -ENOENT. */
int store_last(struct store_reader *reader, enum store_table table,
    const struct store_key *prefix, struct store_key *key_r);

/* Bytes too long for a record, in rows of at most 15,000 (STORE_JOB_BODIES,
 * STORE_HELD_BODIES). The id is the first part of the key: u64 for jobs, u32
 * for held. get returns owned bytes (free). */
int store_body_put(struct store_txn *txn, enum store_table table, uint64_t id,
    const void *bytes, size_t len);
int store_body_get(struct store_reader *reader, enum store_table table,
    uint64_t id, uint8_t **bytes_r, size_t *len_r);
int store_body_delete(struct store_txn *txn, enum store_table table, uint64_t id);

#endif
