/* space_arrays.c - growing arrays of spaces.
 */
#include "daemon/community/space_arrays.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
space_ids_add(struct space_ids *spaces, uint32_t space)
{
	size_t room = spaces->room == 0 ? 16 : spaces->room * 2;
	uint32_t *grown;

	if (spaces->count == spaces->room) {
		grown = reallocarray(spaces->ids, room, sizeof *grown);
		if (grown == NULL)
			return -ENOMEM;
		spaces->ids = grown;
		spaces->room = room;
	}
	spaces->ids[spaces->count++] = space;
	return 0;
}

void *
space_rows_at(struct space_rows *rows, uint32_t space)
{
	size_t count = rows->count == 0 ? 64 : rows->count;
	char *grown = rows->rows;

	if (space >= rows->count) {
		while (count <= space)
			count *= 2;
		grown = reallocarray(grown, count, rows->size);
		if (grown == NULL)
			return NULL;
		memset(grown + rows->count * rows->size, 0,
		    (count - rows->count) * rows->size);
		rows->rows = grown;
		rows->count = count;
	}
	return grown + space * rows->size;
}
