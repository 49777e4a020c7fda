/* stream_timer.c - the one timer of a stream: never set back for a byte, only
 * looked at when it is due.
 */
#include "daemon/stream_impl.h"

#include <time.h>

uint64_t
stream_milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

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

void
stream_timer_set(struct stream *stream)
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

void
stream_timer_check(struct stream *stream)
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
