/* stream_queue.h - bytes that wait to be sent: copies and references in order.
 * Used by the streams only.
 */
#ifndef KITH_DAEMON_STREAM_QUEUE_H
#define KITH_DAEMON_STREAM_QUEUE_H

#include <stddef.h>

struct iovec;
struct stream_block;

struct stream_queue {
	struct stream_block *first;
	struct stream_block *last;
	size_t len;
};

/* 0 or -ENOMEM, then nothing was added. */
int stream_queue_copy(struct stream_queue *queue, const void *bytes, size_t len);
/* On failure release is not called. */
int stream_queue_refer(struct stream_queue *queue, const void *bytes, size_t len,
    void (*release)(void *arg), void *arg);
/* Fills up to `room` vectors from the front; returns how many. */
int stream_queue_peek(const struct stream_queue *queue, struct iovec *list, int room);
/* Copies up to `room` bytes from the front; returns how many. */
size_t stream_queue_copy_out(const struct stream_queue *queue, char *out, size_t room);
void stream_queue_consume(struct stream_queue *queue, size_t len);
void stream_queue_clear(struct stream_queue *queue);

#endif
