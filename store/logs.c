/* logs.c - the next log files, and what becomes of the old ones.
 *
 * A file with records of the past must never get the name of one to come: some could
 * be taken for new ones after a crash. So a spare is filled with zeros, and these are
 * on the disk, before it is linked to the name; and it is linked, not renamed, so
 * that a file that Berkeley DB made meanwhile stays.
 */
#include "store/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/private.h"

#define AHEAD	   2u /* files */
#define DUE_SHARE  4u /* not before a quarter of the file is used */
#define LOG_NAME   32u
#define ZEROS_LEN  65536u

static const uint8_t zeros[ZEROS_LEN];

int
store_logs_init(struct store *store)
{
	int ret = pthread_mutex_init(&store->logs.naming, NULL);

	return ret != 0 ? -ret : -pthread_mutex_init(&store->logs.spare, NULL);
}

int
store_logs_flush(struct store *store)
{
	int ret;

	pthread_mutex_lock(&store->logs.naming);
	ret = store->env->log_flush(store->env, NULL);
	pthread_mutex_unlock(&store->logs.naming);
	return ret;
}

struct store_logs_end
store_logs_end(struct store *store)
{
	struct store_logs_end end = { 0, 0, 0 };
	DB_LOG_STAT *stat;

	if (store->env->log_stat(store->env, &stat, 0) != 0)
		return end;
	end.file = stat->st_cur_file;
	end.offset = stat->st_cur_offset;
	end.written =
	    ((uint64_t)stat->st_wc_mbytes << 20) + stat->st_wc_bytes;
	free(stat);
	return end;
}

static int
log_path(struct store *store, uint32_t file, char path[PATH_MAX])
{
	char name[LOG_NAME];

	(void)snprintf(name, sizeof name, "log.%010u", file);
	return store_path(path, PATH_MAX, store->directory, name);
}

/* The first that is missing of those that come next; 0: none, or not yet, for a
 * quiet store needs no more of them. */
static uint32_t
missing_file(struct store *store, const struct store_logs_end *end)
{
	uint32_t made = atomic_load(&store->logs.made);

	if (end->offset < store->log_file_bytes / DUE_SHARE ||
	    end->file > UINT32_MAX - AHEAD || made >= end->file + AHEAD ||
	    atomic_load(&store->logs.off) || store_is_full(store))
		return 0;
	return made <= end->file ? end->file + 1 : made + 1;
}

static int
zeros_write(int fd, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t some = len - at < ZEROS_LEN ? len - at : ZEROS_LEN;
		ssize_t done = pwrite(fd, zeros, some, (off_t)at);

		if (done < 0 && errno != EINTR)
			return -errno;
		at += done < 0 ? 0 : (size_t)done;
	}
	return 0;
}

/* A second name: of a log file, if the process died between the two. */
static bool
is_shared(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_nlink != 1;
}

static int
spare_make(struct store *store, const char *path)
{
	int fd, rc;

	if (is_shared(path) && unlink(path) != 0)
		return -errno;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	rc = ftruncate(fd, (off_t)store->log_file_bytes) != 0 ? -errno : 0;
	if (rc == 0)
		rc = zeros_write(fd, store->log_file_bytes);
	if (rc == 0 && fsync(fd) != 0)
		rc = -errno;
	if (close(fd) != 0 && rc == 0)
		rc = -errno;
	if (rc != 0)
		(void)unlink(path);
	return rc;
}

static int
directory_sync(struct store *store)
{
	int fd = open(store->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = fsync(fd) != 0 ? -errno : 0;
	close(fd);
	return rc;
}

/* If Berkeley DB was faster, the spare stays. */
static int
spare_name(struct store *store, const char *spare, uint32_t file)
{
	char path[PATH_MAX];
	int rc = log_path(store, file, path);

	if (rc != 0)
		return rc;
	pthread_mutex_lock(&store->logs.naming);
	rc = link(spare, path) != 0 ? -errno : 0;
	/* It could be written to, and answered for, from now on. */
	if (rc == 0 && directory_sync(store) != 0)
		store_room_commit_failed(store, EIO);
	pthread_mutex_unlock(&store->logs.naming);
	if (rc == 0)
		(void)unlink(spare);
	return rc == -EEXIST ? 0 : rc;
}

bool
store_logs_are_due(struct store *store, const struct store_logs_end *end)
{
	return missing_file(store, end) != 0;
}

static int
file_prepare(struct store *store, uint32_t file)
{
	char spare[PATH_MAX], path[PATH_MAX];
	int rc = store_path(spare, sizeof spare, store->directory,
	    STORE_SPARE_FILE);

	if (rc == 0)
		rc = log_path(store, file, path);
	if (rc == 0 && access(path, F_OK) != 0) {
		pthread_mutex_lock(&store->logs.spare);
		rc = spare_make(store, spare);
		if (rc == 0)
			rc = spare_name(store, spare, file);
		pthread_mutex_unlock(&store->logs.spare);
	}
	return rc;
}

void
store_logs_prepare(struct store *store)
{
	int rc = 0;

	for (unsigned i = 0; i < AHEAD; i++) {
		struct store_logs_end end = store_logs_end(store);
		uint32_t file = missing_file(store, &end);

		if (file == 0)
			return;
		rc = file_prepare(store, file);
		if (rc != 0)
			break;
		atomic_store(&store->logs.made, file);
	}
	if (rc == 0 || rc == -ENOSPC)
		return;
	atomic_store(&store->logs.off, true);
	store_log(store, STORE_LOG_WARNING,
	    "log files are not made in advance: %s", strerror(-rc));
}

/* The oldest of those that go, unless there is a spare. Without one a file is made. */
static bool
spare_keep(struct store *store, const char *spare)
{
	char **names = NULL, path[PATH_MAX];
	bool kept;

	if (access(spare, F_OK) == 0)
		return true;
	if (store->env->log_archive(store->env, &names, 0) != 0 ||
	    names == NULL)
		return false;
	kept = store_path(path, sizeof path, store->directory, names[0]) == 0 &&
	    link(path, spare) == 0;
	free(names);
	return kept;
}

int
store_logs_remove(struct store *store)
{
	char spare[PATH_MAX];
	bool kept;
	int rc = store_path(spare, sizeof spare, store->directory,
	    STORE_SPARE_FILE);

	if (rc != 0)
		return rc;
	pthread_mutex_lock(&store->logs.spare);
	kept = spare_keep(store, spare);
	rc = store_error(
	    store->env->log_archive(store->env, NULL, DB_ARCH_REMOVE));
	/* The log file stays after all. */
	if (kept && is_shared(spare))
		(void)unlink(spare);
	pthread_mutex_unlock(&store->logs.spare);
	return rc;
}
