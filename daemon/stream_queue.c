/* stream_queue.c - bytes that wait to be sent: copies and references in order.
 *
 * Pieces lie in blocks, and short copies beside them: a burst of a hundred
 * answers takes a few allocations, a single short one takes one.
 */
#include "build.h"

#include "daemon/stream_queue.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* The first block of a queue is small: most answers are. Its size is one that
 * malloc() keeps at hand. */
#define PIECES_FIRST 6u
#define COPY_FIRST   760u
#define PIECES_NEXT  64u
#define COPY_NEXT    4096u

struct stream_piece {
	const char *bytes; /* what is left of it */
	size_t len;
	void (*release)(void *arg);
	void *arg;
};

struct stream_block {
	struct stream_block *next;
	char *copy;		  /* behind the pieces */
	uint32_t copied, copy_room;
	uint32_t first, count, room; /* of the pieces */
	struct stream_piece pieces[];
};

static struct stream_block *
block_new(struct stream_queue *queue)
{
	uint32_t pieces = queue->last == NULL ? PIECES_FIRST : PIECES_NEXT;
	uint32_t copy = queue->last == NULL ? COPY_FIRST : COPY_NEXT;
	struct stream_block *block = malloc(sizeof(*block) +
	    pieces * sizeof(struct stream_piece) + copy);

	if (block == NULL)
		return NULL;
	block->next = NULL;
	block->copy = (char *)&block->pieces[pieces];
	block->copied = 0;
	block->copy_room = copy;
	block->first = 0;
	block->count = 0;
	block->room = pieces;
	if (queue->last == NULL)
		queue->first = block;
	else
		queue->last->next = block;
	queue->last = block;
	return block;
}

static int
queue_append(struct stream_queue *queue, const struct stream_piece *piece)
{
	struct stream_block *block = queue->last;

	if (block == NULL || block->count == block->room)
		block = block_new(queue);
	if (block == NULL)
		return -ENOMEM;
	block->pieces[block->count++] = *piece;
	queue->len += piece->len;
	return 0;
}

/* Into the last block, behind its last copy if that is its last piece. */
static bool
block_copy(struct stream_queue *queue, const void *bytes, size_t len)
{
	struct stream_block *block = queue->last;
	struct stream_piece *piece;
	char *to;

	if (block == NULL || len > block->copy_room - block->copied)
		return false;
	to = block->copy + block->copied;
	piece = block->count == 0 ? NULL : &block->pieces[block->count - 1];
	if (piece == NULL || piece->bytes + piece->len != to) {
		if (block->count == block->room)
			return false;
		piece = &block->pieces[block->count++];
		*piece = (struct stream_piece){ .bytes = to };
	}
	memcpy(to, bytes, len);
	piece->len += len;
	block->copied += (uint32_t)len;
	queue->len += len;
	return true;
}

int
stream_queue_copy(struct stream_queue *queue, const void *bytes, size_t len)
{
	struct stream_piece piece = { .len = len, .release = free };
	char *copy;
	int result;

	if (len == 0 || block_copy(queue, bytes, len))
		return 0;
	if (len <= COPY_NEXT / 4) {
		if (block_new(queue) == NULL)
			return -ENOMEM;
		if (block_copy(queue, bytes, len))
			return 0;
	}
	copy = malloc(len);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, bytes, len);
	piece.bytes = piece.arg = copy;
	result = queue_append(queue, &piece);
	if (result != 0)
		free(copy);
	return result;
}

int
stream_queue_refer(struct stream_queue *queue, const void *bytes, size_t len,
    void (*release)(void *arg), void *arg)
{
	struct stream_piece piece = { bytes, len, release, arg };

	return queue_append(queue, &piece);
}

int
stream_queue_peek(const struct stream_queue *queue, struct iovec *list,
    int room)
{
	const struct stream_block *block;
	int count = 0;

	for (block = queue->first; block != NULL; block = block->next) {
		for (uint32_t i = block->first; i < block->count; i++) {
			if (count == room)
				return count;
			/* writev only reads; its type has no const */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
			list[count].iov_base = (void *)block->pieces[i].bytes;
#pragma GCC diagnostic pop
			list[count++].iov_len = block->pieces[i].len;
		}
	}
	return count;
}

size_t
stream_queue_copy_out(const struct stream_queue *queue, char *out, size_t room)
{
	const struct stream_block *block;
	const struct stream_piece *piece;
	size_t at = 0, len;

	for (block = queue->first; block != NULL; block = block->next) {
		for (uint32_t i = block->first; i < block->count; i++) {
			piece = &block->pieces[i];
			len = piece->len < room - at ? piece->len : room - at;
			memcpy(out + at, piece->bytes, len);
			at += len;
			if (at == room)
				return at;
		}
	}
	return at;
}

/* As much of the block as is gone; what of `len` is left. */
static size_t
block_consume(struct stream_queue *queue, struct stream_block *block,
    size_t len)
{
	struct stream_piece *piece;

	while (block->first < block->count) {
		piece = &block->pieces[block->first];
		if (len < piece->len) {
			piece->bytes += len;
			piece->len -= len;
			queue->len -= len;
			return 0;
		}
		len -= piece->len;
		queue->len -= piece->len;
		block->first++;
		if (piece->release != NULL)
			piece->release(piece->arg);
	}
	return len;
}

void
stream_queue_consume(struct stream_queue *queue, size_t len)
{
	struct stream_block *block;

	while ((block = queue->first) != NULL) {
		len = block_consume(queue, block, len);
		if (block->first < block->count)
			return;
		queue->first = block->next;
		if (queue->first == NULL)
			queue->last = NULL;
		free(block);
	}
}

void
stream_queue_clear(struct stream_queue *queue)
{
	stream_queue_consume(queue, queue->len);
}
