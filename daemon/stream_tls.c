/* stream_tls.c - the stream over OpenSSL, directly on the socket.
 *
 * Small writes are gathered into records of 16 KB; OpenSSL gives its buffers
 * back while the connection is idle (SSL_MODE_RELEASE_BUFFERS, tls.c).
 */
#include "build.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "daemon/stream_impl.h"

#define RECORD_ROOM 16384u

/* What OpenSSL's result means: -EAGAIN, 0 for a clean end, or an error. */
static int
tls_result(struct stream *stream, int result)
{
	int saved = errno;

	switch (SSL_get_error(stream->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		stream->tls_wants_write = false;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		stream->tls_wants_write = true;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return saved != 0 ? -saved : -ECONNRESET;
	default:
		return -EPROTO;
	}
}

static ssize_t
tls_read(struct stream *stream, char *out, size_t room)
{
	size_t total = 0;

	while (total < room) {
		size_t got = 0;
		int result;

		ERR_clear_error();
		errno = 0;
		result =
		    SSL_read_ex(stream->ssl, out + total, room - total, &got);
		if (result != 1) {
			int error = tls_result(stream, result);

			/* an end behind data is met again by the next read */
			return total > 0 ? (ssize_t)total : error;
		}
		total += got;
	}
	return (ssize_t)total;
}

/* One record: the first bytes of the queue, contiguous. */
static int
tls_write_record(struct stream *stream, size_t *sent_r)
{
	struct iovec first;
	size_t len =
	    stream->out.len < RECORD_ROOM ? stream->out.len : RECORD_ROOM;
	char *gathered = NULL;
	int result;

	(void)stream_queue_peek(&stream->out, &first, 1);
	if (first.iov_len < len) {
		gathered = malloc(len);
		if (gathered == NULL)
			return -ENOMEM;
		len = stream_queue_copy_out(&stream->out, gathered, len);
		first.iov_base = gathered;
	}
	ERR_clear_error();
	errno = 0;
	result = SSL_write_ex(stream->ssl, first.iov_base, len, sent_r);
	if (result == 1) {
		result = 0;
	} else {
		result = tls_result(stream, result);
		if (result == 0)
			result = -EPIPE;
	}
	free(gathered);
	return result;
}

static int
tls_write(struct stream *stream)
{
	while (stream->out.len > 0) {
		size_t sent = 0;
		int result = tls_write_record(stream, &sent);

		if (result != 0)
			return result;
		stream_queue_consume(&stream->out, sent);
	}
	return 0;
}

static bool
tls_holds_input(const struct stream *stream)
{
	/* whole records only: the rest of one is an event of the socket */
	return SSL_pending(stream->ssl) > 0;
}

static void
tls_finish(struct stream *stream)
{
	ERR_clear_error();
	(void)SSL_shutdown(stream->ssl);
	ERR_clear_error();
	stream_socket_kind.finish(stream);
}

static void
tls_free_socket(struct stream *stream)
{
	stream_socket_kind.free(stream);
}

const struct stream_kind stream_tls_kind = {
	tls_read,
	tls_write,
	tls_holds_input,
	tls_finish,
	tls_free_socket,
};

/* The name or address that the server's certificate must carry. */
static int
tls_expect(SSL *ssl, const char *hostname)
{
	unsigned char address[16];

	if (inet_pton(AF_INET, hostname, address) == 1 ||
	    inet_pton(AF_INET6, hostname, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
			   hostname) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, hostname) == 1 &&
	    SSL_set_tlsext_host_name(ssl, hostname) == 1;
}

int
stream_tls_begin(struct stream *stream)
{
	SSL *ssl;

	ERR_clear_error();
	ssl = SSL_new(stream->tls_ctx);
	SSL_CTX_free(stream->tls_ctx);
	stream->tls_ctx = NULL;
	if (ssl == NULL)
		return -ENOMEM;
	stream->ssl = ssl;
	if (SSL_set_fd(ssl, stream->fd) != 1)
		return -ENOMEM;
	if (stream->tls_hostname == NULL) {
		SSL_set_accept_state(ssl);
	} else {
		if (!tls_expect(ssl, stream->tls_hostname))
			return -EINVAL;
		SSL_set_connect_state(ssl);
	}
	stream->kind = &stream_tls_kind;
	stream->security = STREAM_TLS_HANDSHAKE;
	return 0;
}

int
stream_tls_handshake(struct stream *stream)
{
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(stream->ssl);
	if (result == 1) {
		stream->tls_wants_write = false;
		return 0;
	}
	result = tls_result(stream, result);
	return result == 0 ? -EPROTO : result;
}
