/* env.c - opening and closing: lock file, environment, recovery, files.
 *
 * Page sizes: of the file per article, measured with store_bench: numbers 343
 * octets with 8 KB, 335 with 16; msgid 93, 90, 87 with 1, 2, 4 KB. A changed page is
 * copied whole for snapshots, so where the octets hardly differ it is small; but a
 * batch adds to one page of meta, and splits fewer of 16 KB than of 8 (the writer
 * 14.0 -> 12.9 us an article of TAKETHIS). Articles are not in pages: segment.h.
 *
 * Priorities: a full cache must have pages that may go before all others, or the
 * search for room looks at more than 500 buckets at times and then takes old
 * versions that views still need, which Berkeley DB writes to files of their own
 * (__db.freezer). First go the rows of the overview, of which there are most, and
 * above which there is a cache of their own; then Message-IDs, which are met at
 * random, so that their pages fill a cache that they do not fit.
 */
#include "build.h"

#include "store/private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCKS_MAX     20000u
#define SNAPSHOTS_MAX 4096u
#define CACHE_LEAST   ((size_t)8 << 20)
#define PLACES_SHARE  6u
#define ERROR_LINES   10u /* of Berkeley DB's own, per minute */
#define NANOSECONDS   1000000000u

static const struct {
	const char *name;
	uint32_t page;
	DB_CACHE_PRIORITY priority;
} files[STORE_FILES] = {
	[STORE_FILE_SYSTEM] = { "system.db", 4096, DB_PRIORITY_HIGH },
	[STORE_FILE_EXTENTS] = { "extents.db", 4096, DB_PRIORITY_HIGH },
	[STORE_FILE_SEGMENTS] = { "segments.db", 4096, DB_PRIORITY_HIGH },
	[STORE_FILE_NUMBERS] = { "numbers.db", 8192, DB_PRIORITY_VERY_LOW },
	[STORE_FILE_MSGID] = { "msgid.db", 2048, DB_PRIORITY_LOW },
	[STORE_FILE_YOUNG] = { "young.db", 4096, DB_PRIORITY_HIGH },
	[STORE_FILE_SPACE_STATE] = { "space_state.db", 4096, DB_PRIORITY_HIGH },
	[STORE_FILE_SEQUENCE] = { "sequence.db", 4096, DB_PRIORITY_HIGH },
	[STORE_FILE_META] = { "meta.db", 16384, DB_PRIORITY_HIGH },
	[STORE_FILE_RECORDS] = { "records.db", 8192, DB_PRIORITY_HIGH },
};

#ifdef KITH_SANITIZERS
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

/* Berkeley DB does not free a transaction's details at the end while pages in
 * the cache still refer to them (what it allocates for us is __os_umalloc). */
const char *
__lsan_default_suppressions(void)
{
	return "leak:__os_malloc\n";
}

const char *
__lsan_default_options(void)
{
	return "print_suppressions=0";
}
#endif

const char *
store_file_name(enum store_file file)
{
	return files[file].name;
}

int
store_error(int db_error)
{
	if (db_error >= 0)
		return -db_error;
	switch (db_error) {
	case DB_NOTFOUND:
	case DB_KEYEMPTY:
		return -ENOENT;
	case DB_KEYEXIST:
		return -EEXIST;
	case DB_LOCK_DEADLOCK:
	case DB_LOCK_NOTGRANTED:
		return -EAGAIN;
	default:
		return -EIO;
	}
}

uint64_t
store_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

int64_t
store_now(void)
{
	return (int64_t)(store_now_ns() / NANOSECONDS);
}

void
store_log(struct store *store, enum store_log_level level, const char *format,
    ...)
{
	char line[512];
	va_list args;

	if (store->options.log == NULL)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof line, format, args);
	va_end(args);
	store->options.log(store->options.arg, level, line);
}

void
store_fatal(struct store *store, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof line, format, args);
	va_end(args);
	/* Once: what other threads meet meanwhile is the same failure. */
	if (!atomic_exchange(&store->dead, true) &&
	    store->options.fatal != NULL)
		store->options.fatal(store->options.arg, line);
	/* Going on could acknowledge what is not on disk. */
	abort();
}

int
store_text(char **text_r, const char *format, ...)
{
	char text[PATH_MAX + 512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	*text_r = strdup(text);
	return *text_r == NULL ? -ENOMEM : 0;
}

int
store_path(char *path, size_t size, const char *directory, const char *name)
{
	int len = snprintf(path, size, "%s/%s", directory, name);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

/* ---- the environment -------------------------------------------------- */

static void
env_error(const DB_ENV *env, const char *prefix, const char *message)
{
	struct store *store = env->app_private;
	int64_t minute = store_now() / 60;
	int64_t told;

	(void)prefix;
	if (store == NULL)
		return;
	told = atomic_load(&store->errors_told);
	if (told != minute &&
	    atomic_compare_exchange_strong(&store->errors_told, &told, minute))
		atomic_store(&store->errors_count, 0);
	/* A full disk says the same hundreds of times. */
	if (atomic_fetch_add(&store->errors_count, 1) < ERROR_LINES)
		store_log(store, STORE_LOG_WARNING, "Berkeley DB: %s", message);
}

static void
env_event(DB_ENV *env, u_int32_t event, void *info)
{
	struct store *store = env->app_private;

	(void)info;
	if (store != NULL && event == DB_EVENT_PANIC &&
	    atomic_load(&store->opened))
		store_fatal(store, "the database environment panicked");
}

uint32_t
store_env_open_flags(void)
{
	return DB_CREATE | DB_PRIVATE | DB_THREAD | DB_INIT_LOCK | DB_INIT_LOG |
	    DB_INIT_MPOOL | DB_INIT_TXN;
}

int
store_env_new(struct store *store, DB_ENV **env_r)
{
	size_t cache = store->options.cache_bytes;
	size_t buffer = store->log_file_bytes / 4;
	DB_ENV *env;
	int ret;

	if (cache < CACHE_LEAST)
		cache = CACHE_LEAST;
	if (buffer > STORE_LOG_BUFFER)
		buffer = STORE_LOG_BUFFER;
	ret = store_checksum_test();
	if (ret != 0)
		return ret;
	ret = db_env_create(&env, 0);
	if (ret != 0)
		return store_error(ret);
	env->app_private = store;
	env->set_errcall(env, env_error);
	ret = env->set_event_notify(env, env_event);
	if (ret == 0)
		ret = env->set_app_dispatch(env, store_segment_dispatch);
	if (ret == 0)
		ret = env->set_cachesize(env, (u_int32_t)(cache >> 30),
		    (u_int32_t)(cache & 0x3fffffff), 1);
	if (ret == 0)
		ret = env->set_lg_max(env, (u_int32_t)store->log_file_bytes);
	if (ret == 0)
		ret = env->set_lg_bsize(env, (u_int32_t)buffer);
	if (ret == 0)
		ret = env->set_lk_max_locks(env, LOCKS_MAX);
	if (ret == 0)
		ret = env->set_lk_max_lockers(env, LOCKS_MAX);
	if (ret == 0)
		ret = env->set_lk_max_objects(env, LOCKS_MAX);
	if (ret == 0)
		ret = env->set_lk_detect(env, DB_LOCK_DEFAULT);
	if (ret == 0)
		ret = env->set_tx_max(env, SNAPSHOTS_MAX);
	if (ret != 0) {
		env->close(env, 0);
		return store_error(ret);
	}
	*env_r = env;
	return 0;
}

static int
files_open(struct store *store, char **error_r)
{
	DB_TXN *txn = NULL;
	int ret = store->env->txn_begin(store->env, NULL, &txn, 0);
	unsigned i = 0;

	/* One transaction: a store has all its files or none. */
	for (; ret == 0 && i < STORE_FILES; i++) {
		ret = db_create(&store->files[i], store->env, 0);
		if (ret != 0) {
			store->files[i] = NULL;
			break;
		}
		ret = store->files[i]->set_pagesize(store->files[i],
		    files[i].page);
		if (ret == 0)
			ret = store->files[i]->set_flags(store->files[i],
			    DB_CHKSUM);
		if (ret == 0)
			ret = store->files[i]->set_priority(store->files[i],
			    files[i].priority);
		if (ret == 0)
			ret = store->files[i]->open(store->files[i], txn,
			    files[i].name, NULL, DB_BTREE,
			    DB_CREATE | DB_THREAD | DB_MULTIVERSION, 0600);
		if (ret != 0)
			break;
	}
	if (ret == 0) {
		ret = txn->commit(txn, 0);
		txn = NULL;
	}
	if (ret == 0)
		return 0;
	if (txn != NULL)
		(void)txn->abort(txn);
	(void)store_text(error_r, "cannot open %s/%s: %s", store->directory,
	    i < STORE_FILES ? files[i].name : "", db_strerror(ret));
	return store_error(ret);
}

static void
files_close(struct store *store)
{
	for (unsigned i = 0; i < STORE_FILES; i++) {
		if (store->files[i] != NULL)
			(void)store->files[i]->close(store->files[i], 0);
		store->files[i] = NULL;
	}
}

/* ---- the lock file ---------------------------------------------------- */

static int
lock_take(struct store *store, char **error_r)
{
	char path[PATH_MAX];
	int rc =
	    store_path(path, sizeof path, store->directory, STORE_LOCK_FILE);

	if (rc != 0)
		return rc;
	store->lock_fd =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock_fd < 0) {
		rc = -errno;
		(void)store_text(error_r, "cannot open %s: %s", path,
		    strerror(-rc));
		return rc;
	}
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (rc == -EBUSY)
		(void)store_text(error_r,
		    "%s is in use by another process (it holds %s)",
		    store->directory, path);
	else
		(void)store_text(error_r, "cannot lock %s: %s", path,
		    strerror(-rc));
	return rc;
}

static int
restore_check(struct store *store, char **error_r)
{
	char path[PATH_MAX];
	int rc = store_path(path, sizeof path, store->directory,
	    STORE_RESTORING_FILE);

	if (rc != 0)
		return rc;
	if (access(path, F_OK) != 0)
		return 0;
	(void)store_text(error_r,
	    "%s holds half of a restore: empty it and restore again",
	    store->directory);
	return -EINVAL;
}

/* ---- open and close --------------------------------------------------- */

static int
store_setup(struct store *store, const struct store_options *options)
{
	int rc;

	store->lock_fd = -1;
	store->options = *options;
	if (store->options.batch_max == 0)
		store->options.batch_max = STORE_BATCH_MAX;
	store->log_file_bytes = options->log_file_bytes == 0
	    ? STORE_LOG_FILE
	    : options->log_file_bytes;
	atomic_init(&store->errors_told, -1);
	store->directory = strdup(options->directory);
	store->options.directory = store->directory;
	rc = store_views_init(store);
	if (rc == 0)
		rc = store_logs_init(store);
	if (rc == 0)
		rc = store_writer_init(store);
	if (rc == 0)
		rc = store_keeper_init(store);
	if (rc == 0)
		rc = store_published_new(&store->published);
	if (rc == 0)
		rc = store_young_new(&store->young,
		    store->options.young_ids);
	if (rc == 0)
		rc = store_known_new(&store->known);
	if (rc == 0)
		rc = store_sweep_new(&store->sweep);
	if (rc == 0)
		rc = store_segments_new(&store->segments, store->directory);
	if (rc != 0)
		return rc;
	store->places =
	    store_cache_new(options->object_cache_bytes / PLACES_SHARE);
	store->objects = store_cache_new(options->object_cache_bytes -
	    options->object_cache_bytes / PLACES_SHARE);
	if (store->directory == NULL || store->objects == NULL ||
	    store->places == NULL)
		return -ENOMEM;
	return 0;
}

static int
env_open(struct store *store, char **error_r)
{
	int rc = store_env_new(store, &store->env);
	int ret;

	if (rc != 0)
		return rc;
	ret = store->env->open(store->env, store->directory,
	    store_env_open_flags() | DB_RECOVER, 0600);
	if (ret == 0)
		return 0;
	if (store_room_is_short(store)) {
		(void)store_text(error_r,
		    "cannot open the store in %s: the disk is full (recovery "
		    "needs %llu MB)",
		    store->directory,
		    (unsigned long long)(4 * store->log_file_bytes >> 20));
		return -ENOSPC;
	}
	(void)store_text(error_r, "cannot open the store in %s: %s",
	    store->directory, db_strerror(ret));
	return store_error(ret);
}

static int
store_bring_up(struct store *store, char **error_r)
{
	int rc = lock_take(store, error_r);

	if (rc == 0)
		rc = restore_check(store, error_r);
	if (rc != 0)
		return rc;
	store_room_before_open(store);
	rc = env_open(store, error_r);
	if (rc == 0)
		rc = files_open(store, error_r);
	if (rc == 0)
		rc = store_system_open(store, error_r);
	if (rc == 0)
		rc = store_published_load(store);
	if (rc == 0)
		store_known_open(store);
	if (rc == 0)
		rc = store_young_open(store);
	if (rc == 0)
		rc = store_extent_open(store);
	if (rc == 0)
		rc = store_meta_rows_open(store);
	if (rc == 0)
		rc = store_append_open(store);
	if (rc == 0)
		rc = store_sweep_open(store);
	if (rc == 0)
		rc = store_room_init(store);
	if (rc == 0)
		rc = store_writer_start(store);
	if (rc == 0)
		rc = store_keeper_start(store);
	atomic_store(&store->opened, rc == 0);
	return rc;
}

int
store_open(struct store **store_r, const struct store_options *options,
    char **error_r)
{
	struct store *store = calloc(1, sizeof *store);
	int rc;

	*error_r = NULL;
	*store_r = NULL;
	if (store == NULL)
		return -ENOMEM;
	rc = store_setup(store, options);
	if (rc == 0)
		rc = store_bring_up(store, error_r);
	if (rc != 0) {
		if (*error_r == NULL)
			(void)store_text(error_r,
			    "cannot open the store in %s: %s",
			    options->directory, strerror(-rc));
		store_close(&store);
		return rc;
	}
	*store_r = store;
	return 0;
}

void
store_close(struct store **store_r)
{
	struct store *store = *store_r;

	if (store == NULL)
		return;
	/* The keeper waits for operations of its own. */
	store_keeper_stop(store);
	store_writer_stop(store);
	store_views_fini(store);
	if (store->keeper.started) {
		(void)store_keeper_checkpoint(store, true);
		store_known_close(store);
	}
	files_close(store);
	if (store->env != NULL)
		(void)store->env->close(store->env, 0);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	store_cache_free(&store->objects);
	store_cache_free(&store->places);
	store_published_free(&store->published);
	store_young_free(&store->young);
	store_known_free(&store->known);
	store_append_close(store);
	store_meta_rows_close(store);
	store_segments_free(&store->segments);
	store_sweep_free(&store->sweep);
	store_writer_fini(store);
	free(store->directory);
	free(store);
	*store_r = NULL;
}
