/* segment.h - the octets of articles: files beside Berkeley DB's, written
 * through its log.
 *
 * In a page of Berkeley DB's cache an article costs the writer more than all its
 * rows together: room in the cache must be found, what is in the way written, the
 * page logged, written and read again as a whole. So articles are appended to
 * files of their own, articles.NUMBER; rows say where each is (extent.h). What is
 * appended is a record of Berkeley DB's log as well, in the same transaction:
 * one flush makes both sure, a recovery writes what was flushed once more
 * (segment_log.c), and a checkpoint syncs the files before it lets the log go
 * (keeper.c).
 *
 * A file is a row of frames, each
 *
 *   artid u64, len u32, check u32; then the article in parts of STORE_PART_MAX
 *   octets (the last is shorter), each followed by its sum u32
 *
 * and is never changed, but for what follows the last committed frame. Room comes
 * back when what is left in a file has been moved on and the file removed
 * (sweep.c).
 */
#ifndef KITH_STORE_SEGMENT_H
#define KITH_STORE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

#define STORE_SEGMENT_BYTES ((size_t)64 << 20) /* then the next is begun */
#define STORE_FRAME_HEAD    16u
#define STORE_SUM_LEN	    4u
#define STORE_SEGMENT_NAME  24u /* room for a file's name */

/* Where a frame begins, and how long its article is. */
struct store_extent {
	uint32_t segment;
	uint32_t offset;
	uint32_t len;
};

/* The files of a store; for any thread. */
struct store_segments;

int store_segments_new(struct store_segments **segments_r,
    const char *directory);
void store_segments_free(struct store_segments **segments_r);

void store_segment_name(char name[STORE_SEGMENT_NAME], uint32_t segment);
/* Whether it is the name of a segment, and of which. */
bool store_segment_is_name(const char *name, uint32_t *segment_r);

/* Octets that a frame takes. */
uint64_t store_frame_len(uint32_t len);
void store_frame_head(uint8_t head[STORE_FRAME_HEAD], uint64_t artid,
    uint32_t len);
/* -EBADMSG. */
int store_frame_parse(const uint8_t head[STORE_FRAME_HEAD], uint64_t *artid_r,
    uint32_t *len_r);
/* Of a part: an article's own, so that another's is not taken for it. */
uint32_t store_part_sum(uint64_t artid, uint32_t part, const uint8_t *bytes,
    size_t len);

/* Writes; a file that is not there is made, for good. -ENOSPC, -EIO, ... */
int store_segment_write(struct store_segments *segments, uint32_t segment,
    uint64_t offset, const uint8_t *bytes, size_t len);
/* Exactly len octets. -EBADMSG: it is shorter; -ENOENT: no such file. */
int store_segment_read(struct store_segments *segments, uint32_t segment,
    uint64_t offset, uint8_t *bytes, size_t len);
/* Part `part`, of len octets, to bytes, where there is room for STORE_SUM_LEN more.
 * -EBADMSG: it is not what was written. */
int store_segment_part_to(struct store_segments *segments,
    const struct store_extent *extent, uint64_t artid, uint32_t part,
    uint8_t *bytes, size_t len);
/* Part `part` in memory of its own (free). -ENOENT past the last one; -EBADMSG:
 * it is not what was written. */
int store_segment_part(struct store_segments *segments,
    const struct store_extent *extent, uint64_t artid, uint32_t part,
    uint8_t **bytes_r, size_t *len_r);
/* What was written before this call is on the disk after it. A failure is final:
 * what the system could not write it may have dropped, and a second call would
 * know nothing of it. */
int store_segments_sync(struct store_segments *segments);
int store_segment_remove(struct store_segments *segments, uint32_t segment);
/* Calls fn for each file until it returns other than 0. */
int store_segments_each(const char *directory,
    int (*fn)(void *arg, uint32_t segment), void *arg);
/* Octets of all of them. */
uint64_t store_segments_size(const char *directory);

#endif
