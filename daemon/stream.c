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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/ssl.h>

#include "daemon/stream_impl.h"

#define INPUT_LIMIT 65536u
#define READ_MIN    16384u
#define READ_MAX    65536u
#define CLOSE_TIME  10000u /* ms */

uint64_t
stream_milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void
stream_fail(struct stream *stream, enum stream_end why)
{
	if (stream->failed == 0)
		stream->failed = (int)why + 1;
}

/* ---- timer: one, never set back for a byte, only looked at when it is due */

static uint64_t
stream_due(const struct stream *stream)
{
	uint64_t due = UINT64_MAX;

	if (stream->idle > 0 && !stream->closing)
		due = stream->last + stream->idle * UINT64_C(1000);
	if (stream->deadline > 0 && stream->deadline < due)
		due = stream->deadline;
	if (stream->close_by > 0 && stream->close_by < due)
		due = stream->close_by;
	if (stream->rest_at > 0 && stream->rest_at < due)
		due = stream->rest_at;
	return due;
}

static void
stream_set_timer(struct stream *stream)
{
	uint64_t due = stream_due(stream), now, wait;
	struct timeval tv;

	if (due == UINT64_MAX ||
	    (stream->timer_at != 0 && stream->timer_at <= due))
		return;
	now = stream_milliseconds();
	wait = due > now ? due - now : 1;
	tv.tv_sec = (time_t)(wait / 1000u);
	tv.tv_usec = (suseconds_t)(wait % 1000u) * 1000;
	stream->timer_at = due;
	(void)event_add(&stream->timer, &tv);
}

static void
stream_check_timeouts(struct stream *stream)
{
	uint64_t now = stream_milliseconds();

	if (stream->rest_at > 0 && stream->rest_at <= now) {
		stream->rest_at = 0;
		stream_deflate_rest(stream);
	}
	if (now < stream_due(stream))
		return;
	stream_fail(stream,
	    stream->closing ? STREAM_END_CLOSED : STREAM_END_TIMEOUT);
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

/* ---- output */

/* What is queued, here and in a layer. */
static size_t
stream_unsent(const struct stream *stream)
{
	return stream->out.len +
	    (stream->wire != &stream->out ? stream->wire->len : 0);
}

static bool
stream_may_send(const struct stream *stream)
{
	return stream->failed == 0 && stream->security != STREAM_TLS_HANDSHAKE;
}

static void
stream_send(struct stream *stream)
{
	size_t before = stream_unsent(stream);
	int result;

	if (before == 0 || stream->blocked || !stream_may_send(stream))
		return;
	result = stream->kind->write(stream);
	if (stream_unsent(stream) != before)
		stream->last = stream_milliseconds();
	if (result == -EAGAIN)
		stream->blocked = stream->fd >= 0;
	else if (result < 0)
		stream_fail(stream, STREAM_END_ERROR);
}

/* Moves a TLS handshake on, then sends what is queued. */
static void
stream_push(struct stream *stream)
{
	int result;

	stream_send(stream);
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
	stream_send(stream);
}

/* ---- input */

bool
stream_wants_input(const struct stream *stream)
{
	return stream->failed == 0 && !stream->paused && !stream->full &&
	    !stream->eof && !stream->closing && stream->handler != NULL &&
	    stream->in_len < stream->in_limit &&
	    (stream->security == STREAM_PLAIN ||
		stream->security == STREAM_TLS);
}

/* Shall the socket say when there is something to read? */
static bool
stream_wants_events(const struct stream *stream)
{
	return stream_wants_input(stream) ||
	    (stream->security == STREAM_TLS_HANDSHAKE &&
		!stream->tls_wants_write);
}

/* Room behind what is buffered, at most `limit` in all. 0: no memory. */
static size_t
stream_make_room(struct stream *stream)
{
	size_t want = stream->read_hint, need;
	char *grown;

	if (want > stream->in_limit - stream->in_len)
		want = stream->in_limit - stream->in_len;
	if (stream->in_at > 0) {
		memmove(stream->in, stream->in + stream->in_at, stream->in_len);
		stream->in_at = 0;
	}
	need = stream->in_len + want;
	if (need <= stream->in_room)
		return want;
	grown = realloc(stream->in, need);
	if (grown == NULL)
		return 0;
	stream->in = grown;
	stream->in_room = need;
	return want;
}

/* What waits for more keeps no more memory than it needs. */
static void
stream_trim_input(struct stream *stream)
{
	char *trimmed;

	if (stream->in_len > stream->in_room / 4)
		return;
	if (stream->in_len == 0) {
		free(stream->in);
		stream->in = NULL;
		stream->in_at = 0;
		stream->in_room = 0;
		return;
	}
	trimmed = malloc(stream->in_len);
	if (trimmed == NULL)
		return;
	memcpy(trimmed, stream->in + stream->in_at, stream->in_len);
	free(stream->in);
	stream->in = trimmed;
	stream->in_at = 0;
	stream->in_room = stream->in_len;
}

/* Busy connections get large reads, the others small buffers. */
static void
stream_learn(struct stream *stream, size_t room, size_t got)
{
	if (got == room && stream->read_hint < READ_MAX)
		stream->read_hint *= 4;
	else if (got < READ_MIN / 4)
		stream->read_hint = READ_MIN;
}

static void
stream_take_input(struct stream *stream)
{
	size_t room;
	ssize_t got;

	if (!stream_wants_input(stream))
		return;
	room = stream_make_room(stream);
	got = room == 0
	    ? -ENOMEM
	    : stream->kind->read(stream, stream->in + stream->in_len, room);
	if (got == 0) {
		stream->eof = true;
	} else if (got > 0) {
		stream->in_len += (size_t)got;
		stream->last = stream_milliseconds();
		stream_learn(stream, room, (size_t)got);
		stream->handler->readable(stream->arg);
	} else if (got != -EAGAIN) {
		stream_fail(stream, STREAM_END_ERROR);
	}
	stream_trim_input(stream);
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
		stream_trim_input(stream);
	}
	if (stream->kind->holds_input(stream))
		stream_take_input(stream);
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
	if (stream->failed == 0 && stream_unsent(stream) == 0) {
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
	stream_set_timer(stream);
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
		stream_take_input(stream);
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
	stream_check_timeouts(stream);
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
	stream->in_limit = INPUT_LIMIT;
	stream->read_hint = READ_MIN;
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

struct span
stream_input(struct stream *stream)
{
	if (stream->in_len == 0)
		return span_make("", 0);
	return span_make(stream->in + stream->in_at, stream->in_len);
}

void
stream_consume(struct stream *stream, size_t len)
{
	if (len > stream->in_len)
		len = stream->in_len;
	stream->in_at += len;
	stream->in_len -= len;
	if (stream->in_len == 0)
		stream->in_at = 0;
	stream_settle_soon(stream);
}

void
stream_set_input_limit(struct stream *stream, size_t limit)
{
	stream->in_limit = limit;
	stream_settle_soon(stream);
}

void
stream_pause(struct stream *stream)
{
	stream->paused = true;
	stream_settle_soon(stream);
}

void
stream_resume(struct stream *stream)
{
	if (!stream->paused)
		return;
	stream->paused = false;
	stream->again = true;
	stream_kick(stream);
}

void
stream_hold(struct stream *stream, bool held)
{
	stream->held = held;
	stream_settle_soon(stream);
}

static bool
stream_accepts(struct stream *stream, size_t len)
{
	return len > 0 && stream->failed == 0 && !stream->freed;
}

static void
stream_queued(struct stream *stream, int result)
{
	if (result != 0)
		stream_fail(stream, STREAM_END_ERROR);
	if (stream->out.len >= STREAM_HIGH_WATER)
		stream->full = true;
	stream_settle_soon(stream);
}

void
stream_write(struct stream *stream, const void *bytes, size_t len)
{
	if (stream_accepts(stream, len))
		stream_queued(stream,
		    stream_queue_copy(&stream->out, bytes, len));
}

void
stream_printf(struct stream *stream, const char *format, ...)
{
	char line[1024], *text = line;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len >= (int)sizeof(line)) {
		va_start(args, format);
		len = vasprintf(&text, format, args);
		va_end(args);
	}
	if (len < 0) {
		stream_fail(stream, STREAM_END_ERROR);
		stream_settle_soon(stream);
		return;
	}
	stream_write(stream, text, (size_t)len);
	if (text != line)
		free(text);
}

void
stream_write_reference(struct stream *stream, const void *bytes, size_t len,
    void (*release)(void *arg), void *arg)
{
	int result = -EPIPE;

	if (stream_accepts(stream, len)) {
		result =
		    stream_queue_refer(&stream->out, bytes, len, release, arg);
		stream_queued(stream, result);
	}
	if (result != 0 && release != NULL)
		release(arg);
}

void
stream_flush(struct stream *stream)
{
	stream_send(stream);
	stream_settle_soon(stream);
}

bool
stream_drain(struct stream *stream)
{
	stream_flush(stream);
	if (stream->out.len < STREAM_LOW_WATER)
		stream->full = false;
	return !stream->full;
}

bool
stream_is_full(const struct stream *stream)
{
	return stream->full;
}

size_t
stream_pending(const struct stream *stream)
{
	return stream->out.len;
}

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
	stream_send(stream);
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

void
stream_set_idle_timeout(struct stream *stream, unsigned seconds)
{
	stream->idle = seconds;
	stream->last = stream_milliseconds();
	stream_settle_soon(stream);
}

void
stream_set_deadline(struct stream *stream, unsigned seconds)
{
	stream->deadline =
	    seconds == 0 ? 0 : stream_milliseconds() + seconds * UINT64_C(1000);
	stream_settle_soon(stream);
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
