/* stream_tls.c - the stream over OpenSSL, directly on the socket.
 *
 * Small writes are gathered into records of 16 KB; OpenSSL gives its buffers
 * back while the connection is idle (SSL_MODE_RELEASE_BUFFERS, tls.c).
 */
#include "build.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "daemon/stream_impl.h"
#include "protocol/buffer.h"

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
	    stream->wire->len < RECORD_ROOM ? stream->wire->len : RECORD_ROOM;
	char *gathered = NULL;
	int result;

	(void)stream_queue_peek(stream->wire, &first, 1);
	if (first.iov_len < len) {
		gathered = malloc(len);
		if (gathered == NULL)
			return -ENOMEM;
		len = stream_queue_copy_out(stream->wire, gathered, len);
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
	while (stream->wire->len > 0) {
		size_t sent = 0;
		int result = tls_write_record(stream, &sent);

		if (result != 0)
			return result;
		stream_queue_consume(stream->wire, sent);
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

/* ---- for SASL */

/* Without extended master secret two connections can share one (RFC 7627). */
static bool
tls_is_bound(SSL *ssl)
{
	return SSL_version(ssl) == TLS1_3_VERSION ||
	    SSL_get_extms_support(ssl) == 1;
}

size_t
stream_binding(const struct stream *stream, enum stream_binding kind,
    char binding_r[STREAM_BINDING_MAX])
{
	static const char label[] = "EXPORTER-Channel-Binding";
	bool first_is_ours;

	if (stream->security != STREAM_TLS || !tls_is_bound(stream->ssl))
		return 0;
	if (kind == STREAM_TLS_EXPORTER)
		return SSL_export_keying_material(stream->ssl,
			   (unsigned char *)binding_r, 32, label,
			   sizeof(label) - 1, (const unsigned char *)"", 0,
			   1) == 1
		    ? 32
		    : 0;
	if (SSL_version(stream->ssl) == TLS1_3_VERSION)
		return 0;
	/* the first Finished: the client's, the server's in a resumption */
	first_is_ours = (SSL_is_server(stream->ssl) == 1) ==
	    (SSL_session_reused(stream->ssl) == 1);
	return first_is_ours
	    ? SSL_get_finished(stream->ssl, binding_r, STREAM_BINDING_MAX)
	    : SSL_get_peer_finished(stream->ssl, binding_r, STREAM_BINDING_MAX);
}

static void
tls_append_names(const GENERAL_NAMES *list, struct buffer *names)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);
		const ASN1_STRING *text;
		size_t len;

		if (name->type != GEN_EMAIL)
			continue;
		text = name->d.rfc822Name;
		len = (size_t)ASN1_STRING_length(text);
		/* a NUL inside would hide what is behind it */
		if (len == 0 ||
		    memchr(ASN1_STRING_get0_data(text), '\0', len) != NULL)
			continue;
		buffer_append(names, ASN1_STRING_get0_data(text), len);
		buffer_append_byte(names, '\0');
	}
}

void
stream_certificate_names(const struct stream *stream, struct buffer *names)
{
	GENERAL_NAMES *list;
	X509 *certificate;

	if (stream->security != STREAM_TLS)
		return;
	certificate = SSL_get0_peer_certificate(stream->ssl);
	/* without a certificate the result is "ok" as well */
	if (certificate == NULL ||
	    SSL_get_verify_result(stream->ssl) != X509_V_OK)
		return;
	list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	tls_append_names(list, names);
	GENERAL_NAMES_free(list);
	ERR_clear_error();
}

/* ---- what sessions call */

int
stream_start_tls(struct stream *stream, struct ssl_ctx_st *ctx)
{
	if (stream->fd < 0 || stream->security != STREAM_PLAIN ||
	    stream->deflate != NULL)
		return -EINVAL;
	if (SSL_CTX_up_ref(ctx) != 1)
		return -ENOMEM;
	stream->tls_ctx = ctx;
	stream->security = STREAM_TLS_WAITS;
	/* RFC 4642 2.2.2: nothing said in plain counts from here on */
	stream->in_at = 0;
	stream->in_len = 0;
	stream_output_send(stream);
	if (stream->out.len == 0 && stream_tls_begin(stream) != 0)
		return -ENOMEM;
	stream_settle_soon(stream);
	return 0;
}

int
stream_connect_tls(struct stream *stream, struct ssl_ctx_st *ctx,
    const char *hostname)
{
	stream->tls_hostname = strdup(hostname);
	if (stream->tls_hostname == NULL)
		return -ENOMEM;
	return stream_start_tls(stream, ctx);
}

bool
stream_is_tls(const struct stream *stream)
{
	return stream->security == STREAM_TLS;
}
