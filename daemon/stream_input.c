/* stream_input.c - what was received and not consumed: one buffer, allocated
 * while it holds something.
 */
#include "daemon/stream_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX    65536u
#define INPUT_LIMIT 65536u /* not consumed */

bool
stream_wants_input(const struct stream *stream)
{
	return stream->failed == 0 && !stream->paused && !stream->full &&
	    !stream->eof && !stream->closing && stream->handler != NULL &&
	    stream->in_len < INPUT_LIMIT &&
	    (stream->security == STREAM_PLAIN ||
		stream->security == STREAM_TLS);
}

/* Room behind what is buffered, at most the limit in all. 0: no memory. */
static size_t
stream_make_room(struct stream *stream)
{
	size_t want = stream->read_hint, need;
	char *grown;

	if (want > INPUT_LIMIT - stream->in_len)
		want = INPUT_LIMIT - stream->in_len;
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

void
stream_input_trim(struct stream *stream)
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
	else if (got < STREAM_READ_MIN / 4)
		stream->read_hint = STREAM_READ_MIN;
}

void
stream_input_take(struct stream *stream)
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
	stream_input_trim(stream);
}

/* ---- what sessions call */

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
