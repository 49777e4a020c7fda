/* space_arrays.h - what jobs of the community keep of spaces while they go over
 * them: a list of ids, and a row for each id. Grown as needed, never shrunk.
 */
#ifndef KITH_COMMUNITY_SPACE_ARRAYS_H
#define KITH_COMMUNITY_SPACE_ARRAYS_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed to begin with; free(ids). */
struct space_ids {
	uint32_t *ids;
	size_t count, room;
};
/* 0 or -ENOMEM. */
int space_ids_add(struct space_ids *spaces, uint32_t space);

/* Rows of `size` octets by id of space, which are dense. `size` is set to begin
 * with, all else zeroed; free(rows). */
struct space_rows {
	void *rows;
	size_t size;
	size_t count;
};
/* That of a space, zeroed the first time; borrowed until the next call. NULL:
 * no memory. */
void *space_rows_at(struct space_rows *rows, uint32_t space);

#endif
