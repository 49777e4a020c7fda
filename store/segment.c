/* segment.c - the files: their names, frames, and descriptors.
 */
#include "store/segment.h"

#include "store/private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS       64u /* descriptors kept */
#define NAME_PREFIX "articles."
#define CHECK_SEED  0x6b697468u

struct slot {
	uint32_t segment; /* 0: none */
	int fd;
	unsigned users;
};

/* Written to since the last sync; 0: none. */
struct unsynced {
	uint32_t first, last;
};

struct store_segments {
	const char *directory; /* borrowed */
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
	struct unsynced unsynced;
};

int
store_segments_new(struct store_segments **segments_r, const char *directory)
{
	struct store_segments *segments = calloc(1, sizeof *segments);

	*segments_r = segments;
	if (segments == NULL)
		return -ENOMEM;
	segments->directory = directory;
	return -pthread_mutex_init(&segments->lock, NULL);
}

void
store_segments_free(struct store_segments **segments_r)
{
	struct store_segments *segments = *segments_r;

	if (segments == NULL)
		return;
	for (unsigned i = 0; i < SLOTS; i++)
		if (segments->slots[i].segment != 0)
			close(segments->slots[i].fd);
	pthread_mutex_destroy(&segments->lock);
	free(segments);
	*segments_r = NULL;
}

/* ---- names and frames ------------------------------------------------- */

void
store_segment_name(char name[STORE_SEGMENT_NAME], uint32_t segment)
{
	(void)snprintf(name, STORE_SEGMENT_NAME, NAME_PREFIX "%010" PRIu32,
	    segment);
}

bool
store_segment_is_name(const char *name, uint32_t *segment_r)
{
	char again[STORE_SEGMENT_NAME];
	uint64_t segment = 0;
	const char *digit;

	if (strncmp(name, NAME_PREFIX, sizeof NAME_PREFIX - 1) != 0)
		return false;
	digit = name + sizeof NAME_PREFIX - 1;
	for (; *digit >= '0' && *digit <= '9' && segment <= UINT32_MAX; digit++)
		segment = segment * 10 + (uint64_t)(*digit - '0');
	if (*digit != '\0' || segment == 0 || segment > UINT32_MAX)
		return false;
	store_segment_name(again, (uint32_t)segment);
	*segment_r = (uint32_t)segment;
	return strcmp(again, name) == 0;
}

uint64_t
store_frame_len(uint32_t len)
{
	uint64_t parts = ((uint64_t)len + STORE_PART_MAX - 1) / STORE_PART_MAX;

	return STORE_FRAME_HEAD + len + parts * STORE_SUM_LEN;
}

void
store_frame_head(uint8_t head[STORE_FRAME_HEAD], uint64_t artid, uint32_t len)
{
	store_write_u64(head, artid);
	store_write_u32(head + 8, len);
	store_write_u32(head + 12, store_checksum(head, 12) ^ CHECK_SEED);
}

int
store_frame_parse(const uint8_t head[STORE_FRAME_HEAD], uint64_t *artid_r,
    uint32_t *len_r)
{
	if (store_read_u32(head + 12) !=
	    (store_checksum(head, 12) ^ CHECK_SEED))
		return -EBADMSG;
	*artid_r = store_read_u64(head);
	*len_r = store_read_u32(head + 8);
	return *artid_r == 0 || *len_r == 0 ? -EBADMSG : 0;
}

uint32_t
store_part_sum(uint64_t artid, uint32_t part, const uint8_t *bytes, size_t len)
{
	uint8_t whose[12];

	store_write_u64(whose, artid);
	store_write_u32(whose + 8, part);
	return store_checksum(bytes, len) ^ store_checksum(whose, sizeof whose);
}

/* ---- descriptors ------------------------------------------------------ */

static int
directory_sync(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) != 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

static int
segment_open(const struct store_segments *segments, uint32_t segment, bool make)
{
	char name[STORE_SEGMENT_NAME], path[PATH_MAX];
	int fd, rc;

	store_segment_name(name, segment);
	rc = store_path(path, sizeof path, segments->directory, name);
	if (rc != 0)
		return rc;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 || errno != ENOENT || !make)
		return fd >= 0 ? fd : -errno;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	rc = directory_sync(segments->directory);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static struct slot *
slot_of(struct store_segments *segments, uint32_t segment)
{
	return &segments->slots[segment % SLOTS];
}

/* With the lock held: lets go of a file that nobody reads at the moment. */
static void
slot_clear(struct slot *slot)
{
	if (slot->segment != 0)
		close(slot->fd);
	slot->segment = 0;
	slot->fd = -1;
}

/* A descriptor, until segment_release; or negative errno. */
static int
segment_acquire(struct store_segments *segments, uint32_t segment, bool make)
{
	struct slot *slot = slot_of(segments, segment);
	int fd;

	pthread_mutex_lock(&segments->lock);
	if (slot->segment == segment) {
		slot->users++;
		fd = slot->fd;
		pthread_mutex_unlock(&segments->lock);
		return fd;
	}
	pthread_mutex_unlock(&segments->lock);
	fd = segment_open(segments, segment, make);
	if (fd < 0)
		return fd;
	pthread_mutex_lock(&segments->lock);
	if (slot->users == 0 && slot->segment != segment) {
		slot_clear(slot);
		*slot = (struct slot){ segment, fd, 1 };
	}
	pthread_mutex_unlock(&segments->lock);
	return fd;
}

static void
segment_release(struct store_segments *segments, uint32_t segment, int fd)
{
	struct slot *slot = slot_of(segments, segment);
	bool kept;

	pthread_mutex_lock(&segments->lock);
	kept = slot->segment == segment && slot->fd == fd;
	if (kept)
		slot->users--;
	pthread_mutex_unlock(&segments->lock);
	if (!kept)
		close(fd);
}

/* ---- octets ----------------------------------------------------------- */

static int
write_all(int fd, uint64_t offset, const uint8_t *bytes, size_t len)
{
	ssize_t done;

	for (; len > 0;
	     bytes += done, len -= (size_t)done, offset += (uint64_t)done) {
		done = pwrite(fd, bytes, len, (off_t)offset);
		if (done < 0 && errno == EINTR)
			done = 0;
		if (done < 0)
			return -errno;
	}
	return 0;
}

/* The file is to be synced. They are written to one after the other, so that
 * those that wait for it are neighbours. */
static void
unsynced_note(struct store_segments *segments, uint32_t segment)
{
	struct unsynced *unsynced = &segments->unsynced;

	pthread_mutex_lock(&segments->lock);
	if (unsynced->first == 0 || segment < unsynced->first)
		unsynced->first = segment;
	if (segment > unsynced->last)
		unsynced->last = segment;
	pthread_mutex_unlock(&segments->lock);
}

int
store_segment_write(struct store_segments *segments, uint32_t segment,
    uint64_t offset, const uint8_t *bytes, size_t len)
{
	int fd = segment_acquire(segments, segment, true);
	int rc;

	if (fd < 0)
		return fd;
	rc = write_all(fd, offset, bytes, len);
	/* Noted after the write, so that a sync that takes the note covers it;
	 * and before the log record, which the checkpoint that skips this file
	 * would have to keep. */
	if (rc == 0)
		unsynced_note(segments, segment);
	segment_release(segments, segment, fd);
	return rc;
}

int
store_segment_read(struct store_segments *segments, uint32_t segment,
    uint64_t offset, uint8_t *bytes, size_t len)
{
	int fd = segment_acquire(segments, segment, false);
	ssize_t done = 0;
	int rc = fd < 0 ? fd : 0;

	for (; rc == 0 && len > 0;
	     bytes += done, len -= (size_t)done, offset += (uint64_t)done) {
		done = pread(fd, bytes, len, (off_t)offset);
		if (done < 0 && errno == EINTR)
			done = 0;
		else if (done <= 0)
			rc = done < 0 ? -errno : -EBADMSG;
		if (rc != 0)
			break;
	}
	if (fd >= 0)
		segment_release(segments, segment, fd);
	return rc;
}

int
store_segment_part_to(struct store_segments *segments,
    const struct store_extent *extent, uint64_t artid, uint32_t part,
    uint8_t *bytes, size_t len)
{
	uint64_t offset = extent->offset + STORE_FRAME_HEAD +
	    (uint64_t)part * (STORE_PART_MAX + STORE_SUM_LEN);
	int rc = store_segment_read(segments, extent->segment, offset, bytes,
	    len + STORE_SUM_LEN);

	if (rc == 0 &&
	    store_read_u32(bytes + len) !=
		store_part_sum(artid, part, bytes, len))
		rc = -EBADMSG;
	return rc == -ENOENT ? -EBADMSG : rc;
}

int
store_segment_part(struct store_segments *segments,
    const struct store_extent *extent, uint64_t artid, uint32_t part,
    uint8_t **bytes_r, size_t *len_r)
{
	uint64_t before = (uint64_t)part * STORE_PART_MAX;
	uint8_t *bytes;
	size_t len;
	int rc;

	if (before >= extent->len)
		return -ENOENT;
	len = extent->len - before < STORE_PART_MAX
	    ? (size_t)(extent->len - before)
	    : STORE_PART_MAX;
	bytes = malloc(len + STORE_SUM_LEN);
	if (bytes == NULL)
		return -ENOMEM;
	rc = store_segment_part_to(segments, extent, artid, part, bytes, len);
	if (rc != 0) {
		free(bytes);
		return rc;
	}
	*bytes_r = bytes;
	*len_r = len;
	return 0;
}

/* ---- all of them ------------------------------------------------------ */

int
store_segments_sync(struct store_segments *segments)
{
	struct unsynced unsynced;
	int fd, rc = 0;

	pthread_mutex_lock(&segments->lock);
	unsynced = segments->unsynced;
	segments->unsynced = (struct unsynced){ 0, 0 };
	pthread_mutex_unlock(&segments->lock);
	if (unsynced.first == 0)
		return 0;
	for (uint64_t i = unsynced.first; rc == 0 && i <= unsynced.last; i++) {
		fd = segment_acquire(segments, (uint32_t)i, false);
		if (fd == -ENOENT) /* removed meanwhile */
			continue;
		rc = fd < 0 ? fd : fdatasync(fd) != 0 ? -errno : 0;
		if (fd >= 0)
			segment_release(segments, (uint32_t)i, fd);
	}
	return rc;
}

int
store_segment_remove(struct store_segments *segments, uint32_t segment)
{
	struct slot *slot = slot_of(segments, segment);
	char name[STORE_SEGMENT_NAME], path[PATH_MAX];
	int rc;

	store_segment_name(name, segment);
	rc = store_path(path, sizeof path, segments->directory, name);
	if (rc == 0 && unlink(path) != 0)
		rc = -errno;
	pthread_mutex_lock(&segments->lock);
	if (slot->segment == segment && slot->users == 0)
		slot_clear(slot);
	pthread_mutex_unlock(&segments->lock);
	return rc;
}

int
store_segments_each(const char *directory,
    int (*fn)(void *arg, uint32_t segment), void *arg)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	uint32_t segment;
	int rc = 0;

	if (dir == NULL)
		return -errno;
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (store_segment_is_name(entry->d_name, &segment))
			rc = fn(arg, segment);
	closedir(dir);
	return rc;
}

struct size {
	const char *directory;
	uint64_t bytes;
};

static int
size_add(void *arg, uint32_t segment)
{
	struct size *size = arg;
	char name[STORE_SEGMENT_NAME], path[PATH_MAX];
	struct stat st;

	store_segment_name(name, segment);
	if (store_path(path, sizeof path, size->directory, name) == 0 &&
	    stat(path, &st) == 0)
		size->bytes += (uint64_t)st.st_size;
	return 0;
}

uint64_t
store_segments_size(const char *directory)
{
	struct size size = { directory, 0 };

	(void)store_segments_each(directory, size_add, &size);
	return size.bytes;
}
