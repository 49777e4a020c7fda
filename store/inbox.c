/* inbox.c - finished operations on their way back to a loop.
 */
#include "store/private.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct store_inbox {
	pthread_mutex_t lock;
	struct store_op *first;
	struct store_op **last;
	int fd;
};

struct store_inbox *
store_inbox_new(void)
{
	struct store_inbox *inbox = calloc(1, sizeof *inbox);

	if (inbox == NULL)
		return NULL;
	inbox->last = &inbox->first;
	inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inbox->fd < 0 || pthread_mutex_init(&inbox->lock, NULL) != 0) {
		if (inbox->fd >= 0)
			close(inbox->fd);
		free(inbox);
		return NULL;
	}
	return inbox;
}

int
store_inbox_fd(const struct store_inbox *inbox)
{
	return inbox->fd;
}

void
store_inbox_free(struct store_inbox **inbox)
{
	if (*inbox == NULL)
		return;
	close((*inbox)->fd);
	pthread_mutex_destroy(&(*inbox)->lock);
	free(*inbox);
	*inbox = NULL;
}

void
store_inbox_deliver(struct store_inbox *inbox, struct store_op *first,
    struct store_op *last)
{
	uint64_t one = 1;
	ssize_t len;

	last->next = NULL;
	/* Signalled under the lock: once it is let go the owner may find all
	 * its operations done and free the inbox. */
	pthread_mutex_lock(&inbox->lock);
	*inbox->last = first;
	inbox->last = &last->next;
	/* EAGAIN: 2^64 - 2 signals unread, so it is readable anyway. */
	len = write(inbox->fd, &one, sizeof one);
	(void)len;
	pthread_mutex_unlock(&inbox->lock);
}

void
store_inbox_drain(struct store_inbox *inbox)
{
	struct store_op *op, *next;
	uint64_t count;
	ssize_t len;

	pthread_mutex_lock(&inbox->lock);
	len = read(inbox->fd, &count, sizeof count);
	(void)len;
	op = inbox->first;
	inbox->first = NULL;
	inbox->last = &inbox->first;
	pthread_mutex_unlock(&inbox->lock);
	for (; op != NULL; op = next) {
		next = op->next; /* done may free the operation */
		if (op->done != NULL)
			op->done(op, op->result);
	}
}
