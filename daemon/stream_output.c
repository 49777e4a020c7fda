/* stream_output.c - what a session writes: queued, and handed to the kind of
 * stream.
 */
#include "build.h"

#include "daemon/stream_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

size_t
stream_output_left(const struct stream *stream)
{
	return stream->out.len +
	    (stream->wire != &stream->out ? stream->wire->len : 0);
}

static bool
stream_may_send(const struct stream *stream)
{
	return stream->failed == 0 && stream->security != STREAM_TLS_HANDSHAKE;
}

void
stream_output_send(struct stream *stream)
{
	size_t before = stream_output_left(stream);
	int result;

	if (before == 0 || stream->blocked || !stream_may_send(stream))
		return;
	result = stream->kind->write(stream);
	if (stream_output_left(stream) != before)
		stream->last = stream_milliseconds();
	if (result == -EAGAIN)
		stream->blocked = stream->fd >= 0;
	else if (result < 0)
		stream_fail(stream, STREAM_END_ERROR);
}

/* ---- what sessions call */

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
	stream_output_send(stream);
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
