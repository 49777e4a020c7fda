/* stream.c - a connection as a session sees it: when to read, write, call the
 * session and end. The kinds of stream (stream_impl.h) only move bytes.
 *
 * Every event ends in stream_settle(), the one place that flushes, registers
 * events and ends the stream; so whatever a session does in a callback is done
 * once, when the callback has returned.
 */
#include "build.h"

#include "daemon/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "daemon/stream_impl.h"

#define CLOSE_TIME  10000u /* ms */

void
stream_fail(struct stream *stream, enum stream_end why)
{
	if (stream->failed == 0)
		stream->failed = (int)why + 1;
}

void
stream_kick(struct stream *stream)
{
	struct timeval now = { 0, 0 };

	if (stream->kicked)
		return;
	stream->kicked = true;
	if (stream->fd < 0) {
		event_active(&stream->read_event, EV_TIMEOUT, 0);
		return;
	}
	/* a timer of no time, unlike an active event, lets others go first */
	stream->timer_at = 1;
	(void)event_add(&stream->timer, &now);
}

void
stream_settle_soon(struct stream *stream)
{
	if (stream->depth > 0 || stream->settles)
		return;
	stream->settles = true;
	event_active(&stream->write_event, EV_TIMEOUT, 0);
}

/* Moves a TLS handshake on, then sends what is queued. */
static void
stream_push(struct stream *stream)
{
	int result;

	stream_output_send(stream);
	if (stream->security == STREAM_TLS_WAITS && stream->out.len == 0 &&
	    stream->failed == 0 && stream_tls_begin(stream) != 0)
		stream_fail(stream, STREAM_END_ERROR);
	if (stream->security != STREAM_TLS_HANDSHAKE || stream->failed != 0)
		return;
	result = stream_tls_handshake(stream);
	if (result == -EAGAIN)
		return;
	if (result < 0) {
		stream_fail(stream, STREAM_END_ERROR);
		return;
	}
	stream->last = stream_milliseconds();
	stream->security = STREAM_TLS;
	if (stream->handler != NULL && stream->handler->secured != NULL &&
	    !stream->closing)
		stream->handler->secured(stream->arg);
	stream_output_send(stream);
}

/* Shall the socket say when there is something to read? */
static bool
stream_wants_events(const struct stream *stream)
{
	return stream_wants_input(stream) ||
	    (stream->security == STREAM_TLS_HANDSHAKE &&
		!stream->tls_wants_write);
}

/* What was put off to this turn. */
static void
stream_do_duties(struct stream *stream)
{
	bool again = stream->again;

	stream->kicked = false;
	stream->again = false;
	if (stream->handler == NULL || stream->failed != 0 || stream->closing)
		return;
	if (stream->full && stream->out.len < STREAM_LOW_WATER) {
		stream->full = false;
		stream->handler->drained(stream->arg);
		again = true;
	}
	if (stream->handler == NULL || stream->closing || stream->paused ||
	    stream->full)
		return;
	if (again && stream->in_len > 0) {
		stream->handler->readable(stream->arg);
		stream_input_trim(stream);
	}
	if (stream->kind->holds_input(stream))
		stream_input_take(stream);
}

/* ---- the end of every event */

static void
stream_destroy(struct stream *stream)
{
	(void)event_del(&stream->read_event);
	(void)event_del(&stream->write_event);
	(void)event_del(&stream->timer);
	stream->kind->free(stream);
	stream_queue_clear(&stream->out);
	SSL_free(stream->ssl);
	SSL_CTX_free(stream->tls_ctx);
	free(stream->tls_hostname);
	free(stream->in);
	free(stream);
}

static void
stream_register(struct stream *stream)
{
	bool handshake = stream->security == STREAM_TLS_HANDSHAKE;
	bool reads = stream_wants_events(stream);
	bool writes = stream->blocked || (handshake && stream->tls_wants_write);

	if (stream_wants_input(stream) && stream->kind->holds_input(stream))
		stream_kick(stream);
	if (stream->fd < 0)
		return;
	/* taken out when it fires unwanted: see stream_on_read() */
	if (reads && !stream->reading) {
		stream->reading = true;
		(void)event_add(&stream->read_event, NULL);
	}
	if (writes != stream->writing) {
		stream->writing = writes;
		/* event_add() does not register an event that is active, as
		 * stream_settle_soon() makes it; and this is that settling */
		(void)event_del(&stream->write_event);
		if (writes)
			(void)event_add(&stream->write_event, NULL);
	}
}

static void
stream_settle(struct stream *stream)
{
	stream->depth++;
	/* libevent does not register an event that is active: what was put off
	 * is done now, and stream_register() must find it idle */
	if (stream->settles) {
		stream->settles = false;
		stream->writing = false;
		(void)event_del(&stream->write_event);
	}
	stream_push(stream);
	if (stream->full && stream->out.len < STREAM_LOW_WATER &&
	    !stream->closing)
		stream_kick(stream);
	if (stream->failed == 0 && stream_output_left(stream) == 0) {
		if (stream->closing) {
			stream->kind->finish(stream);
			stream_fail(stream, STREAM_END_CLOSED);
		} else if (stream->eof && !stream->paused && !stream->held &&
		    !stream->kicked) {
			stream_fail(stream, STREAM_END_EOF);
		}
	}
	if (stream->failed != 0 && stream->handler != NULL && !stream->freed)
		stream->handler->ended(stream->arg,
		    (enum stream_end)(stream->failed - 1));
	if (stream->freed || stream->failed != 0) {
		stream_destroy(stream);
		return;
	}
	stream_register(stream);
	stream_timer_set(stream);
	stream->depth--;
}

static void
stream_on_read(evutil_socket_t fd, short what, void *arg)
{
	struct stream *stream = arg;

	(void)fd;
	stream->depth++;
	if ((what & EV_TIMEOUT) != 0)
		stream_do_duties(stream);
	/* A session that waits for a moment mostly hears nothing meanwhile:
	 * only one that does costs two system calls. */
	if ((what & EV_READ) != 0 && stream->reading &&
	    !stream_wants_events(stream)) {
		stream->reading = false;
		(void)event_del(&stream->read_event);
	} else if ((what & EV_READ) != 0) {
		stream_input_take(stream);
	}
	stream->depth--;
	stream_settle(stream);
}

static void
stream_on_write(evutil_socket_t fd, short what, void *arg)
{
	struct stream *stream = arg;

	(void)fd;
	stream->settles = false; /* or rather: it is happening */
	if ((what & EV_WRITE) != 0)
		stream->blocked = false;
	stream_settle(stream);
}

static void
stream_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct stream *stream = arg;

	(void)fd;
	(void)what;
	stream->timer_at = 0;
	stream->depth++;
	if (stream->kicked && stream->fd >= 0)
		stream_do_duties(stream);
	stream_timer_check(stream);
	stream->depth--;
	stream_settle(stream);
}

struct stream *
stream_alloc(struct event_base *base, int fd, const struct stream_kind *kind)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return NULL;
	stream->kind = kind;
	stream->wire = &stream->out;
	stream->base = base;
	stream->fd = fd;
	stream->read_hint = STREAM_READ_MIN;
	stream->last = stream_milliseconds();
	stream->loopback = fd < 0;
	(void)event_assign(&stream->read_event, base, fd, EV_READ | EV_PERSIST,
	    stream_on_read, stream);
	(void)event_assign(&stream->write_event, base, fd,
	    EV_WRITE | EV_PERSIST, stream_on_write, stream);
	(void)event_assign(&stream->timer, base, -1, 0, stream_on_timer,
	    stream);
	return stream;
}

/* ---- what sessions call */

void
stream_set_handler(struct stream *stream, const struct stream_handler *handler,
    void *arg)
{
	stream->handler = handler;
	stream->arg = arg;
	stream->again = true;
	stream_kick(stream);
}

const char *
stream_peer(const struct stream *stream)
{
	return stream->peer_text;
}

bool
stream_peer_is_loopback(const struct stream *stream)
{
	return stream->loopback;
}

void
stream_close(struct stream *stream)
{
	if (stream->closing)
		return;
	stream->closing = true;
	stream->close_by = stream_milliseconds() + CLOSE_TIME;
	stream_settle_soon(stream);
}

void
stream_free(struct stream **stream_p)
{
	struct stream *stream = *stream_p;

	if (stream == NULL)
		return;
	*stream_p = NULL;
	if (stream->depth > 0) {
		stream->freed = true;
		stream->handler = NULL;
		return;
	}
	stream_destroy(stream);
}
