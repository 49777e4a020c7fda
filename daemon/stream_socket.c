/* stream_socket.c - the stream over a plain socket.
 */
#include "build.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "daemon/stream_impl.h"

#define VECTORS 128

/* A session that is closed with bytes unread would be reset, and the last
 * answer lost: at most so much is read away first. */
#define DISCARD_MAX (256 * 1024)

static ssize_t
socket_read(struct stream *stream, char *out, size_t room)
{
	ssize_t got;

	do
		got = recv(stream->fd, out, room, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return got;
}

static int
socket_write(struct stream *stream)
{
	struct iovec list[VECTORS];
	struct msghdr message = { .msg_iov = list };

	while (stream->wire->len > 0) {
		int count = stream_queue_peek(stream->wire, list, VECTORS);
		ssize_t sent;

		message.msg_iovlen = (size_t)count;
		/* one piece, which most answers are, is cheaper without a
		 * message around it */
		sent = count == 1
		    ? send(stream->fd, list[0].iov_base, list[0].iov_len,
			  MSG_NOSIGNAL)
		    : sendmsg(stream->fd, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
		stream_queue_consume(stream->wire, (size_t)sent);
	}
	return 0;
}

static bool
socket_holds_input(const struct stream *stream)
{
	(void)stream;
	return false;
}

static void
socket_finish(struct stream *stream)
{
	char away[4096];
	size_t total = 0;
	int unread = 0;
	ssize_t got;

	if (ioctl(stream->fd, FIONREAD, &unread) != 0 || unread == 0)
		return;
	(void)shutdown(stream->fd, SHUT_WR);
	while (total < DISCARD_MAX &&
	    (got = recv(stream->fd, away, sizeof(away), MSG_DONTWAIT)) > 0)
		total += (size_t)got;
}

static void
socket_free(struct stream *stream)
{
	(void)close(stream->fd);
}

const struct stream_kind stream_socket_kind = {
	socket_read,
	socket_write,
	socket_holds_input,
	socket_finish,
	socket_free,
};

/* Text of the address, without the IPv4-in-IPv6 disguise. */
static void
socket_name_peer(struct stream *stream)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage storage;
	} from;
	socklen_t len = sizeof(from);
	char *text = stream->peer_text;

	memset(&from, 0, sizeof(from));
	if (getpeername(stream->fd, &from.any, &len) != 0)
		return;
	if (from.any.sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &from.in.sin_addr, text,
		    INET6_ADDRSTRLEN);
		stream->loopback = ntohl(from.in.sin_addr.s_addr) >> 24 == 127;
	} else if (from.any.sa_family == AF_INET6) {
		const struct in6_addr *in6 = &from.in6.sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(in6)) {
			(void)inet_ntop(AF_INET, &in6->s6_addr[12], text,
			    INET6_ADDRSTRLEN);
			stream->loopback = in6->s6_addr[12] == 127;
		} else {
			(void)inet_ntop(AF_INET6, in6, text, INET6_ADDRSTRLEN);
			stream->loopback = IN6_IS_ADDR_LOOPBACK(in6);
		}
	} else if (from.any.sa_family == AF_UNIX) {
		stream->loopback = true;
	}
}

struct stream *
stream_new_socket(struct event_base *base, int fd, struct ssl_ctx_st *ctx,
    const struct stream_handler *handler, void *arg)
{
	struct stream *stream = stream_alloc(base, fd, &stream_socket_kind);
	int one = 1;

	if (stream == NULL) {
		(void)close(fd);
		return NULL;
	}
	socket_name_peer(stream);
	/* fails on Unix sockets, which need none */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	stream->handler = handler;
	stream->arg = arg;
	if (ctx != NULL && stream_start_tls(stream, ctx) != 0) {
		stream_free(&stream);
		return NULL;
	}
	stream_settle_soon(stream);
	return stream;
}
