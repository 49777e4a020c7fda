/* stream_pair.c - two streams in memory that are each other's peer: the
 * transport of replay and fuzzing. Nothing is in flight: bytes stay in the
 * writer's queue until the reader takes them, so a slow reader is felt at once.
 */
#include "build.h"

#include <errno.h>

#include "daemon/stream_impl.h"

static ssize_t
pair_read(struct stream *stream, char *out, size_t room)
{
	struct stream *peer = stream->peer;
	size_t got;

	if (peer == NULL)
		return 0;
	got = stream_queue_copy_out(peer->wire, out, room);
	if (got == 0)
		return -EAGAIN;
	stream_queue_consume(peer->wire, got);
	stream_settle_soon(peer);
	return (ssize_t)got;
}

static int
pair_write(struct stream *stream)
{
	if (stream->wire->len == 0)
		return 0;
	if (stream->peer == NULL)
		return -EPIPE;
	/* one that does not looks itself once it does: stream_register() */
	if (stream_wants_input(stream->peer))
		stream_kick(stream->peer);
	return -EAGAIN;
}

static bool
pair_holds_input(const struct stream *stream)
{
	return stream->peer == NULL || stream->peer->wire->len > 0;
}

static void
pair_finish(struct stream *stream)
{
	(void)stream;
}

static void
pair_free(struct stream *stream)
{
	struct stream *peer = stream->peer;

	if (peer == NULL)
		return;
	stream->peer = NULL;
	peer->peer = NULL;
	stream_kick(peer);
}

const struct stream_kind stream_pair_kind = {
	pair_read,
	pair_write,
	pair_holds_input,
	pair_finish,
	pair_free,
};

int
stream_new_pair(struct event_base *base, struct stream **a_r,
    struct stream **b_r)
{
	struct stream *a = stream_alloc(base, -1, &stream_pair_kind);
	struct stream *b = stream_alloc(base, -1, &stream_pair_kind);

	if (a == NULL || b == NULL) {
		stream_free(&a);
		stream_free(&b);
		return -ENOMEM;
	}
	a->peer = b;
	b->peer = a;
	*a_r = a;
	*b_r = b;
	return 0;
}
