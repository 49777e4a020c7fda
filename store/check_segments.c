/* check_segments.c - whether each segment has in use what extents lead to.
 */
#include "store/check.h"

#include <errno.h>
#include <stdlib.h>

#define SEGMENTS_MOST (1u << 24)

/* What extents say of each segment, by its number less `first`. */
struct segment_sums {
	uint32_t first;
	size_t count;
	uint64_t *live; /* owned */
};

static int
segment_sums_add(struct check *check, struct segment_sums *sums)
{
	struct store_extent_row row;
	struct store_cursor cursor;
	uint32_t at;
	int rc = store_cursor_open(&cursor, check->reader, STORE_FILE_EXTENTS);

	for (rc = rc == 0 ? store_cursor_seek(&cursor, NULL, 0) : rc; rc == 0;
	     rc = store_cursor_next(&cursor)) {
		if (store_extent_row_parse(cursor.key, cursor.key_len,
			cursor.bytes, cursor.len, &row) != 0)
			continue; /* told by the walk of extents */
		for (unsigned i = 0; i < row.count; i++) {
			at = row.extents[i].segment - sums->first;
			if (row.extents[i].segment < sums->first ||
			    at >= sums->count)
				check_fault(check,
				    "article %llu: there is no segment %u",
				    (unsigned long long)row.artids[i],
				    row.extents[i].segment);
			else
				sums->live[at] +=
				    store_frame_len(row.extents[i].len);
		}
	}
	store_cursor_close(&cursor);
	return rc == -ENOENT ? 0 : rc;
}

static int
segment_sums_compare(struct check *check, const struct segment_sums *sums)
{
	struct store_use use = { 0, 0 };
	uint32_t segment = sums->first;
	int rc;

	for (size_t i = 0; i < sums->count; i++, segment++) {
		rc = store_use_get(check->reader, segment, &use);
		if (rc == -EBADMSG)
			check_fault(check, "segment %u: the row does not parse",
			    segment);
		else if (rc != 0 && rc != -ENOENT)
			return rc;
		if (rc == -ENOENT)
			use.live = 0;
		if (rc != -EBADMSG && use.live != sums->live[i])
			check_fault(check,
			    "segment %u: %llu octets in use, not %llu", segment,
			    (unsigned long long)sums->live[i],
			    (unsigned long long)use.live);
	}
	return 0;
}

/* In one view, for articles move between segments; the rows are short. */
int
check_segments(struct check *check)
{
	struct segment_sums sums = { .count = 0 };
	struct store_use use;
	uint32_t last;
	uint64_t tail;
	int rc = check_view(check);

	if (rc == 0)
		rc = store_use_next(check->reader, 0, &sums.first, &use);
	if (rc == 0)
		rc = store_use_last(check->reader, &last, &tail);
	if (rc == 0 && last - sums.first >= SEGMENTS_MOST)
		rc = -EBADMSG;
	if (rc == 0) {
		sums.count = last - sums.first + 1;
		sums.live = calloc(sums.count, sizeof *sums.live);
		rc = sums.live == NULL ? -ENOMEM : 0;
	}
	if (rc == -EBADMSG)
		check_fault(check, "segments: a row does not parse");
	else if (rc == 0 || rc == -ENOENT)
		rc = segment_sums_add(check, &sums);
	if (rc == 0)
		rc = segment_sums_compare(check, &sums);
	free(sums.live);
	return rc == -EBADMSG ? 0 : rc;
}
