/* backup.c - copying the environment while it serves, and back.
 *
 * A backup is complete when its mark is there, which is written last. A restore
 * runs behind a mark as well, so that half of one is never opened.
 */
#include "store/private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK       "complete"
#define COPY_BYTES ((size_t)256 << 10)

static int
fail(char **error_r, int rc, const char *what, const char *path)
{
	if (*error_r == NULL)
		(void)store_text(error_r, "%s %s: %s", what, path,
		    strerror(-rc));
	return rc;
}

/* fsync of a file or a directory. */
static int
sync_path(const char *path, char **error_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc = fd < 0 || fsync(fd) != 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc == 0 ? 0 : fail(error_r, rc, "cannot sync", path);
}

static int
mark_make(const char *directory, const char *name, char **error_r)
{
	char path[PATH_MAX];
	int fd, rc = store_path(path, sizeof path, directory, name);

	if (rc != 0)
		return fail(error_r, rc, "cannot write to", directory);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(error_r, -errno, "cannot create", path);
	rc = fsync(fd) != 0 ? -errno : 0;
	close(fd);
	if (rc != 0)
		return fail(error_r, rc, "cannot sync", path);
	return sync_path(directory, error_r);
}

static int
mark_remove(const char *directory, const char *name, char **error_r)
{
	char path[PATH_MAX];
	int rc = store_path(path, sizeof path, directory, name);

	if (rc != 0 || unlink(path) != 0)
		return fail(error_r, rc != 0 ? rc : -errno, "cannot remove",
		    path);
	return sync_path(directory, error_r);
}

/* Calls fn for each entry but . and .. until it returns other than 0. */
static int
directory_each(const char *directory, int (*fn)(void *arg, const char *name),
    void *arg, char **error_r)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	int rc = 0;

	if (dir == NULL)
		return fail(error_r, -errno, "cannot read", directory);
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			rc = fn(arg, entry->d_name);
	closedir(dir);
	return rc;
}

static int
entry_found(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return 1;
}

/* Makes the directory or finds it empty. */
static int
directory_prepare(const char *directory, char **error_r)
{
	int rc;

	if (mkdir(directory, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return fail(error_r, -errno, "cannot create", directory);
	rc = directory_each(directory, entry_found, NULL, error_r);
	if (rc == 1) {
		(void)store_text(error_r, "%s is not empty", directory);
		return -ENOTEMPTY;
	}
	return rc;
}

static int
bytes_copy(int from, int to, uint8_t *buffer)
{
	ssize_t len, done, some;

	while ((len = read(from, buffer, COPY_BYTES)) != 0) {
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		for (done = 0; done < len; done += some) {
			some = write(to, buffer + done, (size_t)(len - done));
			if (some < 0 && errno == EINTR)
				some = 0;
			if (some < 0)
				return -errno;
		}
	}
	return fsync(to) != 0 ? -errno : 0;
}

static int
file_copy(const char *from, const char *to)
{
	uint8_t *buffer = malloc(COPY_BYTES);
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = in < 0 || out < 0 ? -errno : 0;

	if (buffer == NULL)
		rc = -ENOMEM;
	if (rc == 0)
		rc = bytes_copy(in, out, buffer);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	free(buffer);
	return rc;
}

/* ---- backup ----------------------------------------------------------- */

struct place {
	const char *from; /* directories */
	const char *to;
	char **error_r;
};

static int
entry_sync(void *arg, const char *name)
{
	const struct place *place = arg;
	char path[PATH_MAX];
	int rc = store_path(path, sizeof path, place->to, name);

	if (rc == 0 && chmod(path, 0600) != 0)
		rc = -errno;
	if (rc != 0)
		return fail(place->error_r, rc, "cannot finish", path);
	return sync_path(path, place->error_r);
}

static int
segment_copy(void *arg, uint32_t segment)
{
	const struct place *place = arg;
	char name[STORE_SEGMENT_NAME], from[PATH_MAX], to[PATH_MAX];
	int rc;

	store_segment_name(name, segment);
	rc = store_path(from, sizeof from, place->from, name);
	if (rc == 0)
		rc = store_path(to, sizeof to, place->to, name);
	return rc == 0 ? file_copy(from, to) : rc;
}

/* The segments may be copied at any time after the checkpoint: what is written
 * to them since is in the log, which is copied last. */
static int
environment_copy(struct store *store, struct place *place)
{
	DB_ENV *env = store->env;
	int rc;

	/* Flush, then no further checkpoint and no removal of logs or
	 * segments. */
	(void)store_keeper_checkpoint(store, true);
	pthread_mutex_lock(&store->keeper.checkpoint);
	rc = store_segments_each(place->from, segment_copy, place);
	if (rc == 0)
		rc = store_error(env->backup(env, place->to, 0));
	pthread_mutex_unlock(&store->keeper.checkpoint);
	return rc;
}

int
store_backup(struct store *store, const char *directory, char **error_r)
{
	struct place place = { store->directory, directory, error_r };
	int rc;

	*error_r = NULL;
	rc = directory_prepare(directory, error_r);
	if (rc != 0)
		return rc;
	rc = environment_copy(store, &place);
	if (rc != 0)
		return fail(error_r, rc, "cannot copy the store to", directory);
	rc = directory_each(directory, entry_sync, &place, error_r);
	if (rc == 0)
		rc = mark_make(directory, MARK, error_r);
	return rc;
}

/* ---- restore ---------------------------------------------------------- */

static bool
is_of_store(const char *name)
{
	size_t len = strlen(name);
	uint32_t segment;

	return store_segment_is_name(name, &segment) || strncmp(name, "log.", 4) == 0 ||
	    (len > 3 && strcmp(name + len - 3, ".db") == 0);
}

static int
entry_restore(void *arg, const char *name)
{
	const struct place *place = arg;
	char from[PATH_MAX], to[PATH_MAX];
	int rc;

	if (!is_of_store(name))
		return 0;
	rc = store_path(from, sizeof from, place->from, name);
	if (rc == 0)
		rc = store_path(to, sizeof to, place->to, name);
	if (rc == 0)
		rc = file_copy(from, to);
	return rc == 0 ? 0 : fail(place->error_r, rc, "cannot copy", from);
}

/* The files of a backup were copied one after the other: what makes them one
 * state is running the log over them from its beginning. */
static int
restore_recover(const char *directory, char **error_r)
{
	struct store store;
	int rc, ret;

	memset(&store, 0, sizeof store);
	store.log_file_bytes = STORE_LOG_FILE;
	rc = store_env_new(&store, &store.env);
	if (rc != 0)
		return fail(error_r, rc, "cannot recover", directory);
	ret = store.env->open(store.env, directory,
	    store_env_open_flags() | DB_RECOVER_FATAL, 0600);
	if (ret == 0)
		ret = store.env->txn_checkpoint(store.env, 0, 0, DB_FORCE);
	rc = store_error(ret);
	ret = store.env->close(store.env, 0);
	if (rc == 0)
		rc = store_error(ret);
	return rc == 0 ? 0 : fail(error_r, rc, "cannot recover", directory);
}

int
store_restore(const char *backup_directory, const char *store_directory,
    char **error_r)
{
	struct place place = { backup_directory, store_directory, error_r };
	char mark[PATH_MAX];
	int rc = store_path(mark, sizeof mark, backup_directory, MARK);

	*error_r = NULL;
	if (rc != 0 || access(mark, F_OK) != 0) {
		(void)store_text(error_r, "%s holds no complete backup",
		    backup_directory);
		return -EINVAL;
	}
	rc = directory_prepare(store_directory, error_r);
	if (rc == 0)
		rc = mark_make(store_directory, STORE_RESTORING_FILE, error_r);
	if (rc == 0)
		rc = directory_each(backup_directory, entry_restore, &place,
		    error_r);
	if (rc == 0)
		rc = restore_recover(store_directory, error_r);
	if (rc == 0)
		rc =
		    mark_remove(store_directory, STORE_RESTORING_FILE, error_r);
	return rc;
}
