/* missed.c - see missed.h.
 */
#include "daemon/feed/missed.h"

#include "daemon/ipc.h"

bool
missed_read(struct missed *missed, struct ipc_reader *fields)
{
	uint32_t count = ipc_get_u32(fields);

	if (count > FEED_MISSED_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++)
		missed->before[i] = ipc_get_u32(fields);
	missed->before_count = count;
	return true;
}

void
missed_put(const struct missed *missed, struct ipc_writer *writer,
    uint32_t settled)
{
	uint32_t count = 0;

	for (size_t i = 0; i < missed->now_count; i++)
		count += missed->now[i] <= settled;
	ipc_put_u32(writer, (uint32_t)missed->again);
	ipc_put_u32(writer, count);
	for (size_t i = 0; i < missed->now_count; i++)
		if (missed->now[i] <= settled)
			ipc_put_u32(writer, missed->now[i]);
}

bool
missed_add(struct missed *missed, uint32_t number)
{
	for (size_t i = 0; i < missed->now_count; i++)
		if (missed->now[i] == number)
			return true;
	if (missed->now_count == FEED_MISSED_MAX)
		return false;
	missed->now[missed->now_count++] = number;
	return true;
}
