/* ipc.c - typed frames between kithd's processes: requests, answers, credits,
 * deadlines. The frame itself is ipc_frame.c.
 */
#include "build.h"

#include "daemon/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "daemon/ipc_frame.h"

#define FRAMES_A_TURN 16

/* How many requests may be open, per class and direction. */
static const unsigned credits[IPC_CLASSES] = {
	[IPC_CONTROL] = 64,
	[IPC_INTAKE] = 256,
	[IPC_BULK] = 32,
};
#define OPEN_MAX_ALL (64 + 256 + 32)

/* A request of ours. Its number is slot + 1 in the low half, a count above. */
struct call {
	ipc_answered answered; /* NULL: the deadline has passed */
	void *arg;
	uint64_t deadline; /* s; 0: none */
	uint32_t request;  /* 0: slot is free */
	enum ipc_class class;
};

/* A request of the other side that is not answered yet. */
struct opened {
	uint32_t request;
	enum ipc_class class;
};

struct outgoing {
	struct outgoing *next;
	struct ipc_writer *writer;
};

struct ipc {
	int fd; /* -1 after the end */
	unsigned depth;
	bool freed;
	uint16_t count; /* for request numbers */
	const struct ipc_handler *handler;
	void *arg;
	void (*credit)(void *arg, enum ipc_class class);
	void *credit_arg;
	struct outgoing *first, **last;
	struct event read_event, write_event, timer;
	unsigned call_count[IPC_CLASSES];
	unsigned opened_count[IPC_CLASSES];
	unsigned opened_total;
	struct opened opened[OPEN_MAX_ALL];
	struct call calls[OPEN_MAX_ALL];
	char frame[IPC_FRAME_MAX];
};

static uint64_t
ipc_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec;
}

/* ---- sending */

static int
ipc_transmit(struct ipc *ipc, const struct ipc_writer *writer)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(writer->fds))];
	} control;
	struct iovec bytes = { writer->bytes.bytes, writer->bytes.len };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
	ssize_t sent;

	if (writer->fd_count > 0) {
		size_t len = writer->fd_count * sizeof(writer->fds[0]);

		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(len);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(len);
		memcpy(CMSG_DATA(&control.header), writer->fds, len);
	}
	do
		sent = sendmsg(ipc->fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* The kernel lacks room for now: memory, or descriptors in flight. The socket
 * does not tell when there is some again. */
static bool
is_short_of_room(int result)
{
	return result == -ENOBUFS || result == -ENOMEM ||
	    result == -ETOOMANYREFS;
}

/* Takes the writer. What the socket does not take now is sent later, in
 * order. */
static int
ipc_send(struct ipc *ipc, struct ipc_writer *writer,
    const struct ipc_header *header)
{
	struct outgoing *outgoing = NULL;
	int result = ipc_writer_finish(writer, header);

	if (result == 0)
		result =
		    ipc->first != NULL ? -EAGAIN : ipc_transmit(ipc, writer);
	if (result == -EAGAIN || is_short_of_room(result)) {
		outgoing = malloc(sizeof(*outgoing));
		result = outgoing == NULL ? -ENOMEM : 0;
	}
	if (outgoing == NULL) {
		ipc_writer_free(&writer);
		return result;
	}
	*outgoing = (struct outgoing){ NULL, writer };
	*ipc->last = outgoing;
	ipc->last = &outgoing->next;
	(void)event_add(&ipc->write_event, NULL);
	return 0;
}

static void
ipc_drop_outgoing(struct ipc *ipc)
{
	struct outgoing *outgoing;

	while ((outgoing = ipc->first) != NULL) {
		ipc->first = outgoing->next;
		ipc_writer_free(&outgoing->writer);
		free(outgoing);
	}
	ipc->last = &ipc->first;
}

static void
ipc_on_write(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval second = { 1, 0 };
	struct ipc *ipc = arg;
	struct outgoing *outgoing;

	(void)fd;
	(void)what;
	while ((outgoing = ipc->first) != NULL) {
		int result = ipc_transmit(ipc, outgoing->writer);

		if (result == -EAGAIN) {
			(void)event_add(&ipc->write_event, NULL);
			return;
		}
		if (is_short_of_room(result)) {
			(void)event_add(&ipc->timer, &second);
			return;
		}
		if (result != 0) {
			/* the end is seen by the reading side */
			ipc_drop_outgoing(ipc);
			return;
		}
		ipc->first = outgoing->next;
		if (ipc->first == NULL)
			ipc->last = &ipc->first;
		ipc_writer_free(&outgoing->writer);
		free(outgoing);
	}
}

/* ---- the end */

static void
ipc_leave(struct ipc *ipc)
{
	if (--ipc->depth == 0 && ipc->freed)
		free(ipc);
}

/* Closes and answers every open call with nothing. */
static void
ipc_shut(struct ipc *ipc)
{
	size_t i;

	if (ipc->fd < 0)
		return;
	(void)event_del(&ipc->read_event);
	(void)event_del(&ipc->write_event);
	(void)event_del(&ipc->timer);
	(void)close(ipc->fd);
	ipc->fd = -1;
	ipc_drop_outgoing(ipc);
	ipc->opened_total = 0;
	for (i = 0; i < OPEN_MAX_ALL; i++) {
		struct call call = ipc->calls[i];

		ipc->calls[i].request = 0;
		if (call.request != 0 && call.answered != NULL)
			call.answered(call.arg, NULL);
	}
	memset(ipc->call_count, 0, sizeof(ipc->call_count));
	memset(ipc->opened_count, 0, sizeof(ipc->opened_count));
}

static void
ipc_end(struct ipc *ipc)
{
	ipc_shut(ipc);
	if (!ipc->freed && ipc->handler->closed != NULL)
		ipc->handler->closed(ipc->arg, ipc);
}

/* ---- receiving */

static void
ipc_give_back(struct ipc *ipc, enum ipc_class class)
{
	bool was_out = ipc->call_count[class] == credits[class];

	ipc->call_count[class]--;
	if (was_out && ipc->credit != NULL)
		ipc->credit(ipc->credit_arg, class);
}

static int
ipc_take_answer(struct ipc *ipc, uint32_t request, struct ipc_reader *reader)
{
	uint32_t slot = (request & 0xffff) - 1;
	struct call call;

	if (slot >= OPEN_MAX_ALL || ipc->calls[slot].request != request)
		return -EPROTO;
	call = ipc->calls[slot];
	ipc->calls[slot].request = 0;
	if (call.answered != NULL)
		call.answered(call.arg, reader);
	if (ipc->fd >= 0)
		ipc_give_back(ipc, call.class);
	return 0;
}

/* Two open requests of one number would make answers ambiguous. */
static bool
ipc_is_opened(const struct ipc *ipc, uint32_t request)
{
	unsigned i;

	for (i = 0; i < ipc->opened_total; i++)
		if (ipc->opened[i].request == request)
			return true;
	return false;
}

static int
ipc_take_request(struct ipc *ipc, const struct ipc_header *header,
    struct ipc_reader *reader)
{
	if (header->request != 0) {
		if (ipc->opened_count[header->class] >=
			credits[header->class] ||
		    ipc_is_opened(ipc, header->request))
			return -EPROTO;
		ipc->opened_count[header->class]++;
		ipc->opened[ipc->opened_total++] =
		    (struct opened){ header->request, header->class };
	}
	if (ipc->handler->request != NULL)
		ipc->handler->request(ipc->arg, ipc, header->type,
		    header->request, reader);
	return 0;
}

/* The descriptors of a message. -1: more than a frame may have. */
static int
ipc_collect_fds(struct msghdr *message, int *fds)
{
	struct cmsghdr *part;
	int count = 0;

	for (part = CMSG_FIRSTHDR(message); part != NULL;
	     part = CMSG_NXTHDR(message, part)) {
		size_t len = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level != SOL_SOCKET ||
		    part->cmsg_type != SCM_RIGHTS || count > 0 ||
		    len > IPC_FDS_MAX * sizeof(int))
			continue;
		memcpy(fds, CMSG_DATA(part), len);
		count = (int)(len / sizeof(int));
	}
	return count;
}

/* One frame. -EAGAIN: none now; other negative: the channel is of no use. */
static int
ipc_receive(struct ipc *ipc)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
	} control;
	struct iovec bytes = { ipc->frame, sizeof(ipc->frame) };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
	struct ipc_header header = { 0 };
	struct ipc_reader *reader;
	int fds[IPC_FDS_MAX], count, result;
	ssize_t got;

	message.msg_control = &control;
	message.msg_controllen = sizeof(control);
	do
		got = recvmsg(ipc->fd, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got == 0 ? -EPIPE : -errno;
	count = ipc_collect_fds(&message, fds);
	result = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0
	    ? -EPROTO
	    : ipc_header_decode(ipc->frame, (size_t)got, &header);
	if (result != 0) {
		while (count > 0)
			(void)close(fds[--count]);
		return result;
	}
	reader = ipc_reader_new(&header, ipc->frame, fds, (unsigned)count);
	if (reader == NULL)
		return -ENOMEM;
	if (header.type == IPC_ANSWER)
		result = ipc_take_answer(ipc, header.request, reader);
	else
		result = ipc_take_request(ipc, &header, reader);
	ipc_reader_release(&reader);
	return result;
}

static void
ipc_on_read(evutil_socket_t fd, short what, void *arg)
{
	struct ipc *ipc = arg;
	int result = 0, i;

	(void)fd;
	(void)what;
	ipc->depth++;
	for (i = 0; i < FRAMES_A_TURN && result == 0 && ipc->fd >= 0; i++)
		result = ipc_receive(ipc);
	if (result != 0 && result != -EAGAIN && ipc->fd >= 0)
		ipc_end(ipc);
	ipc_leave(ipc);
}

static void
ipc_on_timer(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval second = { 1, 0 };
	struct ipc *ipc = arg;
	uint64_t now = ipc_seconds();
	bool more = false;
	size_t i;

	(void)fd;
	(void)what;
	ipc->depth++;
	if (ipc->first != NULL)
		(void)event_add(&ipc->write_event, NULL);
	for (i = 0; i < OPEN_MAX_ALL && ipc->fd >= 0; i++) {
		struct call *call = &ipc->calls[i];
		ipc_answered answered = call->answered;

		if (call->request == 0 || answered == NULL ||
		    call->deadline == 0)
			continue;
		if (now <= call->deadline) {
			more = true;
			continue;
		}
		/* the slot and its credit stay taken until the answer comes */
		call->answered = NULL;
		answered(call->arg, NULL);
	}
	if (more && ipc->fd >= 0)
		(void)event_add(&ipc->timer, &second);
	ipc_leave(ipc);
}

/* ---- interface */

int
ipc_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0
	    ? 0
	    : -errno;
}

struct ipc *
ipc_new(struct event_base *base, int fd, const struct ipc_handler *handler,
    void *arg)
{
	struct ipc *ipc = calloc(1, sizeof(*ipc));

	if (ipc == NULL) {
		(void)close(fd);
		return NULL;
	}
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	ipc->fd = fd;
	ipc->handler = handler;
	ipc->arg = arg;
	ipc->last = &ipc->first;
	(void)event_assign(&ipc->read_event, base, fd, EV_READ | EV_PERSIST,
	    ipc_on_read, ipc);
	(void)event_assign(&ipc->write_event, base, fd, EV_WRITE, ipc_on_write,
	    ipc);
	(void)event_assign(&ipc->timer, base, -1, 0, ipc_on_timer, ipc);
	if (event_add(&ipc->read_event, NULL) != 0) {
		(void)close(fd);
		free(ipc);
		return NULL;
	}
	return ipc;
}

void
ipc_free(struct ipc **ipc_p)
{
	struct ipc *ipc = *ipc_p;

	if (ipc == NULL)
		return;
	*ipc_p = NULL;
	ipc->freed = true;
	ipc->depth++;
	ipc_shut(ipc);
	ipc_leave(ipc);
}

static struct call *
ipc_free_slot(struct ipc *ipc)
{
	size_t i;

	for (i = 0; i < OPEN_MAX_ALL; i++)
		if (ipc->calls[i].request == 0) {
			ipc->calls[i].request =
			    (uint32_t)++ipc->count << 16 | (uint32_t)(i + 1);
			return &ipc->calls[i];
		}
	return NULL;
}

int
ipc_call(struct ipc *ipc, struct ipc_writer *writer, enum ipc_class class,
    unsigned deadline_seconds, ipc_answered answered, void *arg)
{
	static const struct timeval second = { 1, 0 };
	struct ipc_header header = { .class = class };
	struct call *call;
	int result;

	if (writer == NULL || ipc == NULL || ipc->fd < 0 ||
	    !ipc_has_credit(ipc, class)) {
		if (writer == NULL)
			result = -ENOMEM;
		else
			result =
			    ipc == NULL || ipc->fd < 0 ? -ENOTCONN : -EAGAIN;
		ipc_writer_free(&writer);
		return result;
	}
	call = ipc_free_slot(ipc); /* as many as all credits */
	call->class = class;
	call->answered = answered;
	call->arg = arg;
	call->deadline =
	    deadline_seconds == 0 ? 0 : ipc_seconds() + deadline_seconds;
	header.type = writer->type;
	header.request = call->request;
	result = ipc_send(ipc, writer, &header);
	if (result != 0) {
		call->request = 0;
		return result;
	}
	ipc->call_count[class]++;
	if (deadline_seconds != 0 &&
	    !event_pending(&ipc->timer, EV_TIMEOUT, NULL))
		(void)event_add(&ipc->timer, &second);
	return 0;
}

int
ipc_answer(struct ipc *ipc, uint32_t request, struct ipc_writer *writer)
{
	struct ipc_header header = { .type = IPC_ANSWER, .request = request };
	unsigned i = 0;

	/* The request must end, or its credit is lost for good. */
	if (writer == NULL)
		writer = ipc_writer_new(IPC_ANSWER);
	if (ipc == NULL || writer == NULL) {
		ipc_writer_free(&writer);
		return ipc == NULL ? -ENOTCONN : -ENOMEM;
	}
	while (i < ipc->opened_total && ipc->opened[i].request != request)
		i++;
	if (i == ipc->opened_total || ipc->fd < 0) {
		ipc_writer_free(&writer);
		return ipc->fd < 0 ? -ENOTCONN : -ENOENT;
	}
	ipc->opened_count[ipc->opened[i].class]--;
	ipc->opened[i] = ipc->opened[--ipc->opened_total];
	return ipc_send(ipc, writer, &header);
}

int
ipc_tell(struct ipc *ipc, struct ipc_writer *writer)
{
	struct ipc_header header = { .class = IPC_CONTROL };

	if (ipc == NULL || ipc->fd < 0 || writer == NULL) {
		ipc_writer_free(&writer);
		return -ENOTCONN;
	}
	header.type = writer->type;
	return ipc_send(ipc, writer, &header);
}

bool
ipc_has_credit(const struct ipc *ipc, enum ipc_class class)
{
	return ipc->call_count[class] < credits[class];
}

void
ipc_set_credit_cb(struct ipc *ipc, void (*fn)(void *arg, enum ipc_class class),
    void *arg)
{
	ipc->credit = fn;
	ipc->credit_arg = arg;
}
