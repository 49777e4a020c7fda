/* dial.c - name -> addresses -> a connected stream.
 */
#include "build.h"

#include "daemon/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/ipc.h"
#include "daemon/loop.h"
#include "daemon/messages.h"
#include "daemon/stream.h"

#define DIAL_SECONDS    15 /* per address */
#define RESOLVE_SECONDS 30u
#define ADDRESSES_MAX   8u

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct dial {
	LIST_ENTRY(dial) entry;
	struct dialer *dialer; /* NULL: dropped, the name is asked for */
	dialer_dialed dialed;
	void *arg;
	unsigned port;
	union address addresses[ADDRESSES_MAX];
	size_t count;
	size_t at;
	int fd;
	struct event *event;
	char why[160];
};

struct dialer {
	struct loop *loop;
	struct ipc *resolve;
	bool resolve_up;
	LIST_HEAD(, dial) dials;
};

static bool
address_read(union address *address, const char *text, unsigned port)
{
	memset(address, 0, sizeof *address);
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons((uint16_t)port);
		return true;
	}
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons((uint16_t)port);
		return true;
	}
	return false;
}

static void
dial_free(struct dial *dial)
{
	if (dial->dialer != NULL)
		LIST_REMOVE(dial, entry);
	if (dial->event != NULL)
		event_free(dial->event);
	if (dial->fd >= 0)
		(void)close(dial->fd);
	free(dial);
}

static void
dial_finish(struct dial *dial, struct stream *stream)
{
	dial->dialed(dial->arg, stream, dial->why);
	dial_free(dial);
}

static void dial_next(struct dial *dial);

/* The socket is connected, or is not. */
static void
dial_settle(struct dial *dial, int error)
{
	struct stream *stream;
	int fd = dial->fd;

	event_free(dial->event);
	dial->event = NULL;
	dial->fd = -1;
	if (error != 0) {
		(void)close(fd);
		(void)snprintf(dial->why, sizeof dial->why, "%s",
		    strerror(error));
		dial_next(dial);
		return;
	}
	stream = stream_new_socket(loop_base(dial->dialer->loop), fd, NULL,
	    NULL, NULL);
	if (stream == NULL)
		(void)snprintf(dial->why, sizeof dial->why, "no memory");
	dial_finish(dial, stream);
}

static void
on_connect(evutil_socket_t fd, short what, void *arg)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if ((what & EV_WRITE) == 0)
		error = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	dial_settle(arg, error);
}

/* The next address, always by way of the loop. */
static void
dial_next(struct dial *dial)
{
	struct timeval limit = { DIAL_SECONDS, 0 };
	union address *address;

	for (; dial->at < dial->count; dial->at++) {
		address = &dial->addresses[dial->at];
		dial->fd = socket(address->any.sa_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (dial->fd < 0)
			continue;
		if (connect(dial->fd, &address->any,
			address->any.sa_family == AF_INET
			    ? sizeof address->v4
			    : sizeof address->v6) < 0 &&
		    errno != EINPROGRESS) {
			(void)snprintf(dial->why, sizeof dial->why, "%s",
			    strerror(errno));
			(void)close(dial->fd);
			dial->fd = -1;
			continue;
		}
		dial->at++;
		dial->event = event_new(loop_base(dial->dialer->loop), dial->fd,
		    EV_WRITE, on_connect, dial);
		if (dial->event != NULL && event_add(dial->event, &limit) == 0)
			return;
		break;
	}
	if (dial->why[0] == '\0')
		(void)snprintf(dial->why, sizeof dial->why, "no address");
	dial_finish(dial, NULL);
}

static void
on_resolved(void *arg, struct ipc_reader *fields)
{
	struct dial *dial = arg;
	struct span why;
	char text[INET6_ADDRSTRLEN];
	uint32_t count = 0, i;

	if (dial->dialer == NULL) {
		dial_free(dial);
		return;
	}
	(void)snprintf(dial->why, sizeof dial->why,
	    "the name cannot be resolved");
	if (fields != NULL) {
		if (ipc_get_u32(fields) == 0) {
			count = ipc_get_u32(fields);
		} else {
			why = ipc_get_bytes(fields);
			(void)snprintf(dial->why, sizeof dial->why, "%.*s",
			    SPAN_ARG(why));
		}
		for (i = 0; i < count && dial->count < ADDRESSES_MAX; i++) {
			struct span address = ipc_get_bytes(fields);

			if (ipc_reader_bad(fields))
				break;
			(void)snprintf(text, sizeof text, "%.*s",
			    SPAN_ARG(address));
			if (address_read(&dial->addresses[dial->count], text,
				dial->port))
				dial->count++;
		}
	}
	dial_next(dial);
}

static int
resolve(struct dial *dial, const char *host)
{
	struct dialer *dialer = dial->dialer;
	struct ipc_writer *writer;

	if (!dialer->resolve_up)
		return -ENOTCONN;
	writer = ipc_writer_new(MESSAGE_RESOLVE);
	ipc_put_text(writer, host);
	return ipc_call(dialer->resolve, writer, IPC_CONTROL, RESOLVE_SECONDS,
	    on_resolved, dial);
}

static void
on_start(evutil_socket_t fd, short what, void *arg)
{
	struct dial *dial = arg;

	(void)fd;
	(void)what;
	event_free(dial->event);
	dial->event = NULL;
	dial_next(dial);
}

int
dialer_dial(struct dialer *dialer, const char *host, unsigned port,
    dialer_dialed dialed, void *arg)
{
	struct dial *dial = calloc(1, sizeof *dial);
	int rc = 0;

	if (dial == NULL)
		return -ENOMEM;
	dial->dialer = dialer;
	dial->dialed = dialed;
	dial->arg = arg;
	dial->port = port;
	dial->fd = -1;
	LIST_INSERT_HEAD(&dialer->dials, dial, entry);
	if (!address_read(&dial->addresses[0], host, port)) {
		rc = resolve(dial, host);
	} else {
		dial->count = 1;
		dial->event =
		    event_new(loop_base(dialer->loop), -1, 0, on_start, dial);
		if (dial->event == NULL)
			rc = -ENOMEM;
		else
			event_active(dial->event, EV_TIMEOUT, 0);
	}
	if (rc < 0)
		dial_free(dial);
	return rc;
}

void
dialer_free(struct dialer **dialer_p)
{
	struct dialer *dialer = *dialer_p;
	struct dial *dial;

	*dialer_p = NULL;
	if (dialer == NULL)
		return;
	while ((dial = LIST_FIRST(&dialer->dials)) != NULL) {
		if (dial->count > 0) {
			dial_free(dial);
			continue;
		}
		/* its name is being asked for: freed by the answer */
		LIST_REMOVE(dial, entry);
		dial->dialer = NULL;
	}
	ipc_free(&dialer->resolve);
	free(dialer);
}

struct dialer *
dialer_new(struct loop *loop)
{
	struct dialer *dialer = calloc(1, sizeof *dialer);

	if (dialer != NULL)
		dialer->loop = loop;
	return dialer;
}

static void
resolve_closed(void *arg, struct ipc *ipc)
{
	struct dialer *dialer = arg;

	if (ipc == dialer->resolve)
		dialer->resolve_up = false;
}

static const struct ipc_handler resolve_handler = { NULL, resolve_closed };

int
dialer_connect_resolve(struct dialer *dialer, int fd)
{
	dialer->resolve_up = false;
	ipc_free(&dialer->resolve);
	dialer->resolve =
	    ipc_new(loop_base(dialer->loop), fd, &resolve_handler, dialer);
	if (dialer->resolve == NULL)
		return -ENOMEM;
	dialer->resolve_up = true;
	return 0;
}
