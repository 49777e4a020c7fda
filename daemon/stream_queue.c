/* stream_queue.c - bytes that wait to be sent: copies and references in order.
 */
#include "build.h"

#include "daemon/stream_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* Small answers share a chunk; a larger write gets one of its own size. */
#define CHUNK_ROOM 1024u

struct stream_chunk {
	struct stream_chunk *next;
	const char *bytes; /* what is left of it */
	size_t len;
	size_t room; /* behind it, of a copy */
	void (*release)(void *arg);
	void *arg;
	char copy[];
};

static void
chunk_append(struct stream_queue *queue, struct stream_chunk *chunk)
{
	chunk->next = NULL;
	if (queue->last == NULL)
		queue->first = chunk;
	else
		queue->last->next = chunk;
	queue->last = chunk;
	queue->len += chunk->len;
}

int
stream_queue_copy(struct stream_queue *queue, const void *bytes, size_t len)
{
	struct stream_chunk *chunk = queue->last;
	size_t room;

	if (len == 0)
		return 0;
	if (chunk != NULL && chunk->room >= len) {
		size_t at = (size_t)(chunk->bytes - chunk->copy) + chunk->len;

		memcpy(chunk->copy + at, bytes, len);
		chunk->len += len;
		chunk->room -= len;
		queue->len += len;
		return 0;
	}
	/* a second chunk means that there is more to come */
	room = chunk == NULL ? CHUNK_ROOM : 8 * CHUNK_ROOM;
	if (room < len)
		room = len;
	chunk = malloc(sizeof(*chunk) + room);
	if (chunk == NULL)
		return -ENOMEM;
	memcpy(chunk->copy, bytes, len);
	chunk->bytes = chunk->copy;
	chunk->len = len;
	chunk->room = room - len;
	chunk->release = NULL;
	chunk->arg = NULL;
	chunk_append(queue, chunk);
	return 0;
}

int
stream_queue_refer(struct stream_queue *queue, const void *bytes, size_t len,
    void (*release)(void *arg), void *arg)
{
	struct stream_chunk *chunk = malloc(sizeof(*chunk));

	if (chunk == NULL)
		return -ENOMEM;
	chunk->bytes = bytes;
	chunk->len = len;
	chunk->room = 0;
	chunk->release = release;
	chunk->arg = arg;
	chunk_append(queue, chunk);
	return 0;
}

int
stream_queue_peek(const struct stream_queue *queue, struct iovec *list,
    int room)
{
	const struct stream_chunk *chunk;
	int count = 0;

	for (chunk = queue->first; chunk != NULL && count < room;
	     chunk = chunk->next) {
		if (chunk->len == 0)
			continue;
			/* writev only reads; its type has no const */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
		list[count].iov_base = (void *)chunk->bytes;
#pragma GCC diagnostic pop
		list[count++].iov_len = chunk->len;
	}
	return count;
}

size_t
stream_queue_copy_out(const struct stream_queue *queue, char *out, size_t room)
{
	const struct stream_chunk *chunk;
	size_t at = 0;

	for (chunk = queue->first; chunk != NULL && at < room;
	     chunk = chunk->next) {
		size_t len = chunk->len < room - at ? chunk->len : room - at;

		memcpy(out + at, chunk->bytes, len);
		at += len;
	}
	return at;
}

void
stream_queue_consume(struct stream_queue *queue, size_t len)
{
	struct stream_chunk *chunk;

	while ((chunk = queue->first) != NULL && len >= chunk->len) {
		len -= chunk->len;
		queue->len -= chunk->len;
		queue->first = chunk->next;
		if (queue->first == NULL)
			queue->last = NULL;
		if (chunk->release != NULL)
			chunk->release(chunk->arg);
		free(chunk);
	}
	if (chunk != NULL) {
		chunk->bytes += len;
		chunk->len -= len;
		queue->len -= len;
	}
}

void
stream_queue_clear(struct stream_queue *queue)
{
	stream_queue_consume(queue, queue->len);
}
