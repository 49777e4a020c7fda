/* missed.h - the numbers of a pull whose articles the server could not give now
 * (403): those of earlier pulls, which are asked for first, and those of this one.
 * How long they are asked for is core's business.
 */
#ifndef KITH_DAEMON_FEED_MISSED_H
#define KITH_DAEMON_FEED_MISSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/messages.h"

struct ipc_reader;
struct ipc_writer;

struct missed {
	uint32_t before[FEED_MISSED_MAX];
	size_t before_count;
	size_t again; /* of those, that were answered */
	uint32_t now[FEED_MISSED_MAX];
	size_t now_count;
};

/* The end of MESSAGE_PULL. False: it is none. */
bool missed_read(struct missed *missed, struct ipc_reader *fields);
/* The end of the answer. What is behind `settled` is asked for in any case. */
void missed_put(const struct missed *missed, struct ipc_writer *writer,
    uint32_t settled);
/* Notes one. False: there are too many. */
bool missed_add(struct missed *missed, uint32_t number);

#endif
