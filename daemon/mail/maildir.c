/* maildir.c - tmp, fsync, new, fsync of the folder.
 */
#include "build.h"

#include "daemon/mail/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "protocol/buffer.h"

#define NAME_ROOM 160u

struct pending {
	int fd;
	int error;
	char name[NAME_ROOM];
};

struct maildir {
	int tmp;
	int new;
	char hostname[64];
	long pid; /* asked for before the sandbox closes */
	uint64_t counter;
	struct pending burst[MAILDIR_BURST];
	size_t count;
};

static int
folder_open(int at, const char *name)
{
	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	at = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return at < 0 ? -errno : at;
}

static void
hostname_set(struct maildir *maildir, const char *hostname)
{
	size_t i;

	/* '/' and ':' mean something in a Maildir's names */
	for (i = 0; hostname[i] != '\0' && i + 1 < sizeof maildir->hostname;
	     i++)
		maildir->hostname[i] = hostname[i] == '/' || hostname[i] == ':'
		    ? '_'
		    : hostname[i];
}

struct maildir *
maildir_open(const char *folder, const char *hostname, int *error_r)
{
	struct maildir *maildir = calloc(1, sizeof *maildir);
	int top = -1, cur = -1;

	if (maildir == NULL) {
		*error_r = ENOMEM;
		return NULL;
	}
	maildir->tmp = maildir->new = -1;
	maildir->pid = (long)getpid();
	hostname_set(maildir, hostname);
	top = folder_open(AT_FDCWD, folder);
	cur = top < 0 ? top : folder_open(top, "cur");
	maildir->new = cur < 0 ? cur : folder_open(top, "new");
	maildir->tmp =
	    maildir->new < 0 ? maildir->new : folder_open(top, "tmp");
	*error_r = maildir->tmp < 0 ? -maildir->tmp : 0;
	if (top >= 0) {
		(void)fsync(top);
		(void)close(top);
	}
	if (cur >= 0)
		(void)close(cur);
	if (maildir->tmp < 0)
		maildir_close(&maildir);
	return maildir;
}

static void
pending_drop(struct maildir *maildir, struct pending *pending, int error)
{
	pending->error = error;
	if (pending->fd >= 0)
		(void)close(pending->fd);
	pending->fd = -1;
	(void)unlinkat(maildir->tmp, pending->name, 0);
}

void
maildir_close(struct maildir **maildir_p)
{
	struct maildir *maildir = *maildir_p;
	size_t i;

	*maildir_p = NULL;
	if (maildir == NULL)
		return;
	for (i = 0; i < maildir->count; i++)
		if (maildir->burst[i].error == 0)
			pending_drop(maildir, &maildir->burst[i], EIO);
	if (maildir->tmp >= 0)
		(void)close(maildir->tmp);
	if (maildir->new >= 0)
		(void)close(maildir->new);
	free(maildir);
}

/* Of an envelope address: nothing that could begin another line. */
static void
append_address(struct buffer *out, struct span address)
{
	size_t i;

	for (i = 0; i < address.len; i++)
		if ((unsigned char)address.bytes[i] >= ' ')
			buffer_append_byte(out, address.bytes[i]);
}

static int
write_all(int fd, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t done = write(fd, bytes.bytes, bytes.len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return errno;
		bytes = span_make(bytes.bytes + done, bytes.len - (size_t)done);
	}
	return 0;
}

static void
name_make(struct maildir *maildir, char *name)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(name, NAME_ROOM, "%lld.M%06ldP%ldQ%llu.%s",
	    (long long)now.tv_sec, now.tv_nsec / 1000, maildir->pid,
	    (unsigned long long)++maildir->counter, maildir->hostname);
}

int
maildir_write(struct maildir *maildir, struct span envelope_from,
    struct span recipient, struct span message)
{
	struct pending *pending = &maildir->burst[maildir->count];
	struct buffer head;
	int error;

	if (maildir->count == MAILDIR_BURST)
		return -EAGAIN;
	name_make(maildir, pending->name);
	pending->fd = openat(maildir->tmp, pending->name,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (pending->fd < 0)
		return -errno;
	buffer_init(&head, 0);
	buffer_append_text(&head, "Return-Path: <");
	append_address(&head, envelope_from);
	buffer_append_text(&head, ">\nDelivered-To: ");
	append_address(&head, recipient);
	buffer_append_text(&head, "\n");
	error = buffer_failed(&head)
	    ? ENOMEM
	    : write_all(pending->fd, buffer_span(&head));
	buffer_fini(&head);
	if (error == 0)
		error = write_all(pending->fd, message);
	if (error != 0) {
		pending_drop(maildir, pending, error);
		return -error;
	}
	pending->error = 0;
	return (int)maildir->count++;
}

/* On disk before it gets its name in new: whoever sees it there can rely on
 * it. */
static void
pending_publish(struct maildir *maildir, struct pending *pending)
{
	if (fsync(pending->fd) < 0) {
		pending_drop(maildir, pending, errno);
		return;
	}
	(void)close(pending->fd);
	pending->fd = -1;
	if (renameat(maildir->tmp, pending->name, maildir->new, pending->name) <
	    0)
		pending_drop(maildir, pending, errno);
}

size_t
maildir_commit(struct maildir *maildir, int errors_r[MAILDIR_BURST])
{
	size_t count = maildir->count, i;
	int error = 0;

	for (i = 0; i < count; i++)
		pending_publish(maildir, &maildir->burst[i]);
	if (count > 0 && fsync(maildir->new) < 0)
		error = errno;
	for (i = 0; i < count; i++)
		errors_r[i] = maildir->burst[i].error != 0
		    ? maildir->burst[i].error
		    : error;
	maildir->count = 0;
	return count;
}
