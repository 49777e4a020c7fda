/* private.h - what the files of store/ share. Nobody outside includes it (the
 * tests of the store do).
 *
 * Who may touch what: the writer thread alone runs a struct store_txn and has
 * the committed counters; the flusher thread publishes what a transaction
 * gathered once it is on disk; views are of one thread at a time; all else that
 * is shared is atomic or behind the lock named beside it.
 */
#ifndef KITH_STORE_PRIVATE_H
#define KITH_STORE_PRIVATE_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <db.h>
#pragma GCC diagnostic pop
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "store/admin.h"
#include "store/append.h"
#include "store/article.h"
#include "store/cache.h"
#include "store/extent.h"
#include "store/known.h"
#include "store/logs.h"
#include "store/memo.h"
#include "store/meta_rows.h"
#include "store/msgid.h"
#include "store/overview.h"
#include "store/sequence.h"
#include "store/store.h"
#include "store/use.h"
#include "store/young.h"

#define STORE_SCHEMA     11u
#define STORE_BATCH_MAX  100u
#define STORE_LOG_FILE   ((size_t)16 << 20)
#define STORE_LOG_BUFFER ((size_t)4 << 20)
#define STORE_EVENTS_MAX 900u /* octets of a row: four to a page */
#define STORE_ROW_MAX    ((size_t)16 << 20) /* no row is near that long */
#define STORE_TEXT_MAX   65536u             /* overview text of one row */
#define STORE_SPACES_MAX (1u << 22)

#define STORE_LOCK_FILE      "lock"
#define STORE_RESERVE_FILE   "reserve"
#define STORE_RESTORING_FILE "restoring" /* there while a restore runs */

/* One Berkeley DB file each; the schema-described tables share `records`, the
 * table's number being the first octet of the key. */
enum store_file {
	STORE_FILE_SYSTEM,
	STORE_FILE_EXTENTS,
	STORE_FILE_SEGMENTS,
	STORE_FILE_NUMBERS,
	STORE_FILE_MSGID,
	STORE_FILE_YOUNG,
	STORE_FILE_SPACE_STATE,
	STORE_FILE_SEQUENCE,
	STORE_FILE_META,
	STORE_FILE_RECORDS,
	STORE_FILES
};

/* The one row that every batch rewrites. */
struct store_system {
	uint64_t commit;              /* batches that wrote something */
	uint64_t sequence;            /* the last number given */
	uint64_t articles;            /* stored now */
	uint64_t ids[STORE_COUNTERS]; /* the last id given */
};

struct store_reader {
	struct store *store;
	DB_TXN *txn;
	struct store_txn *writing; /* NULL: a view */
	uint64_t version;          /* the commit that it sees, 0: a txn */
	bool uncached;             /* neither reads nor fills the caches */
	uint8_t *scratch;          /* of store_row_get */
	size_t scratch_room;
	struct store_system system; /* a view's; a txn has its own */
};

struct store_view {
	struct store_reader reader;
	struct store_view *next; /* among the idle, or those in use */
	struct store_view *previous; /* in use */
};

/* Idle views of the version on disk: see view.c for why there is a pool. */
struct store_views {
	pthread_mutex_t lock;
	pthread_cond_t landed; /* a commit is on disk */
	struct store_view *idle;
	struct store_view *in_use;
	unsigned idle_count;
	unsigned busy, busy_most; /* in use now, and at most so far */
	bool committing;
	_Atomic uint64_t version; /* the newest commit on disk */
};

struct store_hook {
	void (*fn)(void *arg);
	void (*drop)(void *arg);
	void *arg;
};

struct store_changed_state {
	uint32_t space;
	struct store_space_state state;
};

struct store_txn {
	struct store_reader reader;
	bool wrote;
	bool deadlocked; /* run the batch again, whatever the operation says */
	int broken; /* a write or read failed: the operation cannot stand */
	struct store_system system;
	struct store_changed_state *states;
	size_t states_count, states_room;
	struct store_cache_key *drops; /* due when the batch is on disk */
	size_t drops_count, drops_room;
	struct store_hook *hooks;
	size_t hooks_count, hooks_room;
	struct store_use_change *uses; /* of segments */
	size_t uses_count, uses_room;
	uint64_t events_first; /* the number of the first of these */
	size_t events_len;
	uint8_t events[STORE_EVENTS_MAX]; /* not yet put: sequence.c */
};

struct store_queue {
	struct store_op *first;
	struct store_op **last;
	size_t count;
};

/* Operations that share a transaction. Of the two, one is run by the writer
 * while the flusher has the other. */
struct store_batch {
	struct store_txn txn;
	struct store_op **ops;
	size_t count;
	uint64_t bulk_until; /* no more bulk after that; 0: none yet */
	bool gathered;	     /* those just answered had their chance */
	bool committed;	     /* in the log, to be flushed */
};
#define STORE_BATCHES 2u

struct store_writer {
	pthread_t thread, flusher;
	bool started, flusher_started;
	pthread_mutex_t lock; /* from here to the next such line */
	pthread_cond_t work;  /* the writer waits for work or the flusher */
	pthread_cond_t handed;
	struct store_queue people, bulk;
	bool closing;
	size_t wake_at; /* operations waiting that are worth waking for */
	struct store_batch *flushing; /* the flusher's; NULL: it is idle */
	bool wants_flushed;	      /* wake the writer when it is idle */
	bool flushed_all;	      /* nothing will be handed over again */
	size_t answered;	      /* operations of the last batch flushed */
	size_t away;		      /* of those, not followed by another yet */
	uint64_t answered_at;	      /* when, monotonic */
	/* the flusher's own; read by the writer when that is idle */
	uint64_t flush_ns; /* running mean of a flush's duration */
	/* the writer thread's own */
	size_t batch_max;
	struct store_batch batches[STORE_BATCHES];
	unsigned turn; /* whose batch is run */
	struct store_op **alone;
	struct store_memo *memo; /* of ArticleMeta */
	struct store_meta_rows metas;
	struct store_system committed; /* by the newest commit in the log */
	struct store_extents extents;
	struct store_append append;
	unsigned unlucky;	       /* batches for which not to wait */
	uint64_t run_ns; /* running mean of an operation's duration */
	_Atomic uint64_t operations;
};

struct store_keeper { /* checkpoint thread */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool closing;
	bool nudged;
	pthread_mutex_t checkpoint; /* held while one runs, or a backup */
	/* with that lock */
	uint64_t checkpoint_commit; /* the newest at the last one */
	int64_t checkpoint_at;	    /* monotonic second */
};

struct store_room {
	atomic_bool full;
	_Atomic uint64_t free_bytes;
	_Atomic uint64_t reserve_bytes;
	_Atomic int64_t told; /* monotonic second of the last log line */
	atomic_bool ending;   /* no reserve is made any more */
};

struct store_published; /* states.c */

struct store {
	struct store_options options;
	char *directory;
	size_t log_file_bytes;
	int lock_fd;
	DB_ENV *env;
	DB *files[STORE_FILES];
	uint8_t hash_key[16], msgid_key[16];
	struct store_views views;
	struct store_writer writer;
	struct store_keeper keeper;
	struct store_room room;
	struct store_logs logs;
	struct store_cache *objects;
	struct store_cache *places; /* of Message-IDs: small, not to be driven
				     * out by articles */
	struct store_published *published;
	struct store_young *young; /* Message-IDs, not in their table yet */
	struct store_known *known;
	_Atomic uint64_t blocks_built;
	struct store_segments *segments;
	struct store_sweep *sweep;
	atomic_bool sweep_due; /* some segment is mostly waste */
	atomic_bool dead;   /* fatal was called */
	atomic_bool compacting;
	atomic_bool opened; /* a panic before is an error of store_open */
	_Atomic int64_t errors_told;
	_Atomic unsigned errors_count;
};

/* env.c */
int store_error(int db_error);
void store_log(struct store *store, enum store_log_level level,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
void store_fatal(struct store *store, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int store_path(char *path, size_t size, const char *directory,
    const char *name);
/* Creates and configures an environment handle, not yet opened. */
int store_env_new(struct store *store, DB_ENV **env_r);
uint32_t store_env_open_flags(void);
const char *store_file_name(enum store_file file);
int store_text(char **text_r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int64_t store_now(void);     /* monotonic seconds */
uint64_t store_now_ns(void); /* monotonic */

/* checksum.c: of Berkeley DB's pages and log records. */
uint32_t store_checksum(const void *bytes, size_t len);
/* 0, or -EIO: it is not what it should be. */
int store_checksum_test(void);

/* row.c: rows by raw key. Errors are negative errno. */
/* The value, borrowed until the reader's next store_row_get. */
int store_row_get(struct store_reader *reader, enum store_file file,
    const void *key, size_t key_len, const uint8_t **bytes_r, size_t *len_r);
/* The value in memory of its own (free). */
int store_row_take(struct store_reader *reader, enum store_file file,
    const void *key, size_t key_len, uint8_t **bytes_r, size_t *len_r);
/* The first row whose key is not below this one, which becomes that row's; all
 * keys of the file are as long. Borrowed likewise. */
int store_row_at_or_after(struct store_reader *reader, enum store_file file,
    void *key, size_t key_len, const uint8_t **bytes_r, size_t *len_r);
/* The last key of a file whose keys are u64. 0: it is empty. */
int store_row_newest(struct store_reader *reader, enum store_file file,
    uint64_t *key_r);
int store_row_has(struct store_reader *reader, enum store_file file,
    const void *key, size_t key_len);
int store_row_put(struct store_txn *txn, enum store_file file, const void *key,
    size_t key_len, const void *bytes, size_t len);
int store_row_delete(struct store_txn *txn, enum store_file file,
    const void *key, size_t key_len);

struct store_cursor {
	struct store_reader *reader;
	DBC *cursor;
	uint8_t *key;
	size_t key_len;
	uint8_t *bytes;
	size_t len;
};
int store_cursor_open(struct store_cursor *cursor, struct store_reader *reader,
    enum store_file file);
void store_cursor_close(struct store_cursor *cursor);
/* The first row with a key >= key; then key and bytes are the cursor's until
 * its next move. -ENOENT at the end. */
int store_cursor_seek(struct store_cursor *cursor, const void *key,
    size_t key_len);
int store_cursor_next(struct store_cursor *cursor);
int store_cursor_previous(struct store_cursor *cursor);
int store_cursor_last(struct store_cursor *cursor);
/* In a file whose keys are u64: the last row whose key is not above that one.
 * -ENOENT: there is none. */
int store_cursor_at_or_before(struct store_cursor *cursor, uint64_t key);
/* A reader met a Berkeley DB error: to errno, and noted in its transaction. */
int store_reader_error(struct store_reader *reader, int db_error);

static inline void
store_write_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
store_write_u32(uint8_t *p, uint32_t v)
{
	store_write_u16(p, (uint16_t)(v >> 16));
	store_write_u16(p + 2, (uint16_t)v);
}

static inline void
store_write_u64(uint8_t *p, uint64_t v)
{
	store_write_u32(p, (uint32_t)(v >> 32));
	store_write_u32(p + 4, (uint32_t)v);
}

static inline uint16_t
store_read_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
store_read_u32(const uint8_t *p)
{
	return (uint32_t)store_read_u16(p) << 16 | store_read_u16(p + 2);
}

static inline uint64_t
store_read_u64(const uint8_t *p)
{
	return (uint64_t)store_read_u32(p) << 32 | store_read_u32(p + 4);
}

/* records.c: what a table is. */
struct store_table_info {
	const char *name;
	const ProtobufCMessageDescriptor *message;
	uint8_t number; /* in the key; never changed once released */
	uint8_t key_min, key_max;
};
const struct store_table_info *store_table_info(enum store_table table);

/* sequence.c */
struct store_events { /* of one row, which it borrows */
	uint64_t next;
	const uint8_t *at;
	size_t left;
};
struct store_event_bytes {
	uint64_t seq;
	const uint8_t *bytes;
	size_t len;
};
/* -EBADMSG. */
int store_events_begin(struct store_events *events, const uint8_t *key,
    size_t key_len, const uint8_t *bytes, size_t len);
/* 1: one more, borrowed; 0: that was all; -EBADMSG. */
int store_events_next(struct store_events *events,
    struct store_event_bytes *one_r);
/* What was appended goes to its row: before the commit. */
int store_sequence_flush(struct store_txn *txn);

/* system.c */
int store_system_parse(const uint8_t *bytes, size_t len,
    struct store_system *system_r);
int store_system_read(struct store_reader *reader,
    struct store_system *system_r);
int store_system_write(struct store_txn *txn);
/* Schema version and secret, made if the store is new. */
int store_system_open(struct store *store, char **error_r);

/* view.c */
int store_views_init(struct store *store);
void store_views_fini(struct store *store);
/* Around a commit: from _hold (by the writer) to _publish (by the flusher) no
 * new snapshot is taken. A commit that fails ends the process, so nothing lets
 * go of it else. */
void store_views_hold(struct store *store);
void store_views_publish(struct store *store, uint64_t version);
/* Idle snapshots are replaced by new ones of the same version, so that pages
 * that were moved since need not be kept for them. */
void store_views_renew(struct store *store);
/* No view in use, or to come, sees an older commit. */
uint64_t store_views_oldest(struct store *store);

/* inbox.c: hands over a chain of finished operations with one signal. */
void store_inbox_deliver(struct store_inbox *inbox, struct store_op *first,
    struct store_op *last);

/* queue.c: the writer's batches. */
/* Waits for work; false: closing, and nothing left. */
bool store_batch_begin(struct store_writer *writer, struct store_batch *batch);
/* After all of the batch was run: more of what waits. While the last batch is
 * flushed this waits for it; false: to be committed now. */
bool store_batch_more(struct store_writer *writer, struct store_batch *batch);

/* flusher.c */
int store_flusher_start(struct store *store);
void store_flusher_stop(struct store *store);
/* By the writer: waits until the flusher is idle; gives it a batch then. */
void store_flusher_await(struct store_writer *writer);
void store_flusher_take(struct store_writer *writer, struct store_batch *batch);

/* writer.c */
/* A thread that takes no signals. */
int store_thread_start(pthread_t *thread, void *(*fn)(void *arg), void *arg);
int store_writer_init(struct store *store);
/* What was remembered of rows may have been undone. */
void store_writer_forget(struct store *store);
int store_writer_start(struct store *store);
void store_writer_stop(struct store *store);
void store_writer_fini(struct store *store);

/* txn.c */
/* Room for one more element of an array. NULL: no memory, it is as before. */
void *store_array_grow(void *array, size_t count, size_t *room, size_t size);
int store_txn_begin(struct store *store, struct store_txn *txn,
    const struct store_system *committed);
/* What the batch changed in memory goes to its rows. */
int store_txn_flush(struct store_txn *txn);
/* What the key stands for is out of date when the batch is on disk. */
int store_txn_drop(struct store_txn *txn, struct store_cache_key key);
/* The same for all that was made of an article. */
int store_txn_drop_article(struct store_txn *txn, uint64_t artid);
/* No batch before this one had it: nobody can have made anything of it. */
bool store_txn_is_new(const struct store_txn *txn, uint64_t artid);
struct store_space_state *store_txn_state(struct store_txn *txn,
    uint32_t space);
int store_txn_state_set(struct store_txn *txn, uint32_t space,
    const struct store_space_state *state);
/* After the commit: caches, views, states, hooks, in that order. */
void store_txn_publish(struct store_txn *txn);
/* After an abort or for one without writes. */
void store_txn_forget(struct store_txn *txn);
void store_txn_fini(struct store_txn *txn);

/* states.c */
int store_published_new(struct store_published **published_r);
void store_published_free(struct store_published **published);
int store_published_load(struct store *store);
void store_published_set(struct store *store, uint32_t space,
    const struct store_space_state *state);
int store_state_parse(const uint8_t *bytes, size_t len,
    struct store_space_state *state_r);
#define STORE_STATE_LEN 20u
void store_state_encode(const struct store_space_state *state,
    uint8_t bytes_r[STORE_STATE_LEN]);

/* article_head.c */
#define STORE_HEAD_MAX (40u + 2u * STORE_HIDDEN_MAX * 10u)
size_t store_head_encode(const struct store_article_head *head,
    uint8_t bytes_r[STORE_HEAD_MAX]);
/* 0, or -EINVAL: a head that must not be stored. */
int store_head_check(const struct store_article_head *head);
int store_head_parse(const uint8_t *bytes, size_t len,
    struct store_article_head *head_r);

/* overview.c: rows as stored. */
#define STORE_ROW_HEAD 28u
/* text borrowed from bytes. -EBADMSG. */
int store_overview_parse(const uint8_t *bytes, size_t len,
    struct store_overview_row *row_r);
bool store_overview_text_ok(const char *text, size_t len);

/* overview_block.c */
static inline struct store_cache_key
store_block_key(uint32_t space, uint32_t block)
{
	return (struct store_cache_key){ STORE_CACHE_BLOCK, block, space };
}

/* msgid.c */
#define STORE_MSGID_ENTRY (1u + 8u + 4u + 4u + STORE_HASH_LEN)
void store_msgid_entry_encode(const struct store_msgid_entry *entry,
    uint8_t bytes_r[STORE_MSGID_ENTRY]);
/* 0 or -EBADMSG. */
int store_msgid_entry_parse(const uint8_t bytes[STORE_MSGID_ENTRY],
    struct store_msgid_entry *entry_r);
/* Of the table alone, wherever the id is else. */
int store_msgid_row_put(struct store_txn *txn,
    const uint8_t hash[STORE_HASH_LEN], const struct store_msgid_entry *entries,
    unsigned count);
int store_msgid_parse(const uint8_t *bytes, size_t len,
    struct store_msgid_entry entries_r[STORE_MSGID_MAX]);

/* room.c */
int store_room_init(struct store *store);
/* Whether recovery may have failed for lack of room. */
bool store_room_is_short(struct store *store);
/* Before the environment is opened: makes room for its recovery. */
void store_room_before_open(struct store *store);
void store_room_look(struct store *store);
void store_room_judge(struct store *store, uint64_t free_bytes);
/* A commit failed with this code of Berkeley DB: ends the process. If there was
 * no room, the reserve is left to the recovery. */
void store_room_commit_failed(struct store *store, int ret);
/* A write met ENOSPC. */
void store_room_out(struct store *store);

/* segment_log.c */
/* What was written there, as a record of the log: `len` octets, behind
 * STORE_RECORD_HEAD others that this fills. */
#define STORE_RECORD_HEAD 28u
int store_segment_log(struct store_txn *txn, uint32_t segment, uint64_t offset,
    uint8_t *record, size_t len);
/* One as it is read back. */
struct store_segment_record {
	uint32_t type;
	DB_LSN before; /* of the same transaction */
	uint32_t segment, offset, len;
	const uint8_t *bytes; /* borrowed */
};
/* -EBADMSG. */
int store_segment_record_parse(const uint8_t *bytes, size_t len,
    struct store_segment_record *record_r);
/* For DB_ENV->set_app_dispatch. */
int store_segment_dispatch(DB_ENV *env, DBT *record, DB_LSN *lsn,
    db_recops what);
/* From here to _let_go a checkpoint does not count what is logged as done: the
 * segments are synced in between, for a record that the sync may have missed is
 * behind the hold. */
int store_segment_hold(struct store *store, DB_TXN **hold_r);
int store_segment_let_go(DB_TXN *hold);

/* sweep.c */
int store_sweep_new(struct store_sweep **sweep_r);
void store_sweep_free(struct store_sweep **sweep_r);
/* Removes files that no row knows. */
int store_sweep_open(struct store *store);
/* Moves what is left in segments that are mostly waste; if all, in the one that
 * is written to, too. Between two slices stop is asked (may be NULL): -ECANCELED. Not on the writer
 * thread. */
int store_sweep(struct store *store, enum store_sweep_what what,
    bool (*stop)(void *arg), void *arg);
/* Removes those that were moved from and that no view needs any more. Without
 * `wait` not while there is a sweep, a checkpoint or a backup. */
void store_sweep_remove(struct store *store, bool wait);

/* keeper.c */
int store_keeper_init(struct store *store);
int store_keeper_start(struct store *store);
void store_keeper_stop(struct store *store);
int store_keeper_checkpoint(struct store *store, bool force);
/* By the flusher after each commit: a checkpoint is due early if much was
 * written. */
void store_keeper_nudge(struct store *store);

#endif
