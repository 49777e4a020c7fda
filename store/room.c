/* room.c - space on the disk: when to stop taking, and the reserve.
 *
 * An environment on a full disk cannot be reopened, for recovery writes. So a
 * reserve file is kept that is given up when a commit fails for lack of room,
 * and intake is told to stop well before that.
 */
#include "store/private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RESERVE_FILES 4u /* log files that the reserve stands for */
#define STOP_FILES    4u /* free log files below which nothing is taken */
#define RESUME_FILES  6u
#define RECOVER_FILES 4u /* what a recovery may need: see keeper.c */

static bool
free_space(struct store *store, uint64_t *free_r)
{
	struct statvfs fs;

	if (statvfs(store->directory, &fs) != 0)
		return false;
	*free_r = (uint64_t)fs.f_bavail * fs.f_frsize;
	return true;
}

static uint64_t
files_size(struct store *store, unsigned count)
{
	return (uint64_t)store->log_file_bytes * count;
}

static void
reserve_give_up(struct store *store)
{
	char path[PATH_MAX];

	if (store_path(path, sizeof path, store->directory,
		STORE_RESERVE_FILE) != 0)
		return;
	(void)unlink(path);
	atomic_store(&store->room.reserve_bytes, 0);
}

static void
reserve_make(struct store *store)
{
	uint64_t size = files_size(store, RESERVE_FILES);
	char path[PATH_MAX];
	struct stat st;
	int fd, ret;

	if (store_path(path, sizeof path, store->directory,
		STORE_RESERVE_FILE) != 0)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	ret = fstat(fd, &st) == 0 && (uint64_t)st.st_blocks * 512 >= size
	    ? 0
	    : posix_fallocate(fd, 0, (off_t)size);
	close(fd);
	/* asked when the file is there: who ends takes it away after saying so */
	if (ret == 0 && !atomic_load(&store->room.ending))
		atomic_store(&store->room.reserve_bytes, size);
	else
		reserve_give_up(store);
}

void
store_room_commit_failed(struct store *store, int ret)
{
	if (ret == ENOSPC) {
		/* the keeper must not make it again before the end */
		atomic_store(&store->room.ending, true);
		reserve_give_up(store);
	}
	store_fatal(store, "a commit failed: %s", db_strerror(ret));
}

bool
store_room_is_short(struct store *store)
{
	uint64_t left;

	return free_space(store, &left) &&
	    left < files_size(store, RESERVE_FILES);
}

void
store_room_before_open(struct store *store)
{
	uint64_t left;

	if (free_space(store, &left) && left < files_size(store, RECOVER_FILES))
		reserve_give_up(store);
}

static void
room_tell(struct store *store, uint64_t left)
{
	int64_t now = store_now();
	int64_t told = atomic_load(&store->room.told);

	if (told != 0 && now - told < 60)
		return;
	atomic_store(&store->room.told, now);
	store_log(store, STORE_LOG_ERR,
	    "only %llu MB left in %s: nothing new is taken until there is room",
	    (unsigned long long)(left >> 20), store->directory);
}

void
store_room_judge(struct store *store, uint64_t left)
{
	struct store_room *room = &store->room;
	bool full = atomic_load(&room->full);
	uint64_t missing = atomic_load(&room->reserve_bytes) == 0
	    ? files_size(store, RESERVE_FILES)
	    : 0;

	atomic_store(&room->free_bytes, left);
	if (left <
	    missing + files_size(store, full ? RESUME_FILES : STOP_FILES)) {
		atomic_store(&room->full, true);
		room_tell(store, left);
		return;
	}
	if (missing > 0)
		reserve_make(store);
	if (full) {
		atomic_store(&room->full, false);
		atomic_store(&room->told, 0);
		store_log(store, STORE_LOG_INFO, "there is room again in %s",
		    store->directory);
	}
}

void
store_room_look(struct store *store)
{
	uint64_t left;

	if (free_space(store, &left))
		store_room_judge(store, left);
}

int
store_room_init(struct store *store)
{
	char path[PATH_MAX];
	struct stat st;

	/* One that is there already needs no room. */
	if (store_path(path, sizeof path, store->directory,
		STORE_RESERVE_FILE) == 0 &&
	    stat(path, &st) == 0)
		reserve_make(store);
	store_room_look(store);
	return 0;
}

void
store_room_out(struct store *store)
{
	atomic_store(&store->room.full, true);
	room_tell(store, atomic_load(&store->room.free_bytes));
}

bool
store_is_full(struct store *store)
{
	return atomic_load_explicit(&store->room.full, memory_order_relaxed);
}
