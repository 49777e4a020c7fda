/* stream.h - a connection as a session sees it: bytes in, bytes out.
 *
 * Three implementations behind one interface: a plain socket, OpenSSL, and a
 * pair in memory for replay and fuzzing. A session never sees a descriptor.
 * All calls on the loop's thread.
 *
 * Output is queued and written once at the end of the burst (when the handler
 * returns, or by stream_flush); EV_WRITE is only asked for on EAGAIN. Above the
 * high-water mark stream_is_full() is true: a streaming command stops and goes
 * on in drained(). While it is full, reading stops by itself.
 * Idle connections hold no buffers.
 */
#ifndef KITH_DAEMON_STREAM_H
#define KITH_DAEMON_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/span.h"

struct buffer;
struct event_base;
struct ssl_ctx_st;
struct stream;

#define STREAM_HIGH_WATER (64u * 1024u)
#define STREAM_LOW_WATER  (16u * 1024u)

enum stream_end {
	STREAM_END_EOF,	    /* the peer closed */
	STREAM_END_ERROR,   /* reset, TLS alert, ... */
	STREAM_END_TIMEOUT, /* idle, or the absolute limit */
	STREAM_END_CLOSED,  /* we asked for it and everything was sent */
};

/* The session's callbacks. None of them may free the stream except `ended`,
 * which is called exactly once and after which the stream is gone. */
struct stream_handler {
	/* new bytes in stream_input() (or EOF is near); consume what is whole */
	void (*readable)(void *arg);
	/* output fell below the low-water mark after having been full; what is
	 * still in stream_input is handed to readable after it */
	void (*drained)(void *arg);
	/* the TLS handshake that was asked for is done; may be NULL */
	void (*secured)(void *arg);
	void (*ended)(void *arg, enum stream_end why);
};

/* Takes the connected, non-blocking descriptor; sets TCP_NODELAY on TCP. With
 * ctx the stream begins with a TLS handshake (server side). NULL on failure,
 * the descriptor is closed then. Handler and arg are borrowed for its life. */
struct stream *stream_new_socket(struct event_base *base, int fd,
    struct ssl_ctx_st *ctx, const struct stream_handler *handler, void *arg);
/* Two ends in memory: what one writes the other reads, on later turns of the
 * base. The second end is driven by its own handler. */
int stream_new_pair(struct event_base *base, struct stream **a_r,
    struct stream **b_r);
void stream_set_handler(
    struct stream *stream, const struct stream_handler *handler, void *arg);

/* Everything received and not consumed, contiguous, borrowed until the next
 * call on the stream; at most 64 KB: the rest stays with the peer. */
struct span stream_input(struct stream *stream);
void stream_consume(struct stream *stream, size_t len);
/* Reading stops (the peer is slowed down) until resume; what is already in
 * stream_input is handed to readable again after resume. */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);
/* While held, reading goes on, but the stream does not end because the peer
 * closed its side: answers are owed. */
void stream_hold(struct stream *stream, bool held);

void stream_write(struct stream *stream, const void *bytes, size_t len);
void stream_printf(struct stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Sends without copying; release(arg) once the bytes are no longer needed. */
void stream_write_reference(struct stream *stream, const void *bytes,
    size_t len, void (*release)(void *arg), void *arg);
void stream_flush(struct stream *stream);
/* The same for who goes on at once where that made room: true, and no drained()
 * follows. False: it does. */
bool stream_drain(struct stream *stream);
bool stream_is_full(const struct stream *stream);
size_t stream_pending(const struct stream *stream);

/* Server side STARTTLS: what was received in plain and not consumed is dropped
 * (RFC 4642 2.2.2); what was queued before is sent in plain first. Then
 * secured(); nothing may be written before it. stream_connect_tls is the client side: verifies the chain and
 * `hostname` (SSL_set1_host) as ctx demands. */
int stream_start_tls(struct stream *stream, struct ssl_ctx_st *ctx);
int stream_connect_tls(
    struct stream *stream, struct ssl_ctx_st *ctx, const char *hostname);
bool stream_is_tls(const struct stream *stream);

/* Channel binding data of this TLS connection, for SASL; 0 octets: it has none
 * of that kind, or none that can be relied on (RFC 5929 3, RFC 9266 2). */
enum stream_binding { STREAM_TLS_UNIQUE, STREAM_TLS_EXPORTER };
#define STREAM_BINDING_MAX 64u
size_t stream_binding(const struct stream *stream, enum stream_binding kind,
    char binding_r[STREAM_BINDING_MAX]);
/* Appends the rfc822Names of the peer's certificate, each ended by a NUL;
 * nothing if there is no certificate or it was not verified. */
void stream_certificate_names(
    const struct stream *stream, struct buffer *names);

/* Queues `reply` and packs everything from then on; what comes from the peer,
 * also what is in stream_input now, is unpacked (RFC 8054; raw DEFLATE). For
 * good: TLS has to come before. On failure nothing has changed: -EINVAL, -ENOMEM. */
int stream_start_deflate(struct stream *stream, struct span reply);
bool stream_is_deflated(const struct stream *stream);

/* Seconds without a byte received or sent; 0: none. And from now, whatever
 * happens; 0: none. */
void stream_set_idle_timeout(struct stream *stream, unsigned seconds);
void stream_set_deadline(struct stream *stream, unsigned seconds);
/* Textual IP address of the peer ("" for Unix sockets and pairs). */
const char *stream_peer(const struct stream *stream);
bool stream_peer_is_loopback(const struct stream *stream);

/* Sends what is queued (for at most 10 s), then ended(STREAM_END_CLOSED). No
 * readable is called any more. */
void stream_close(struct stream *stream);
/* At once, and without ended: for clean-up by the owner. Accepts NULL. */
void stream_free(struct stream **stream);

#endif
