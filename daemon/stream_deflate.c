/* stream_deflate.c - a layer of DEFLATE (RFC 1951, as RFC 8054 has it) on top of
 * another kind of stream: raw, without a header, flushed when all that was
 * queued is packed.
 *
 * The session's bytes wait in stream->out as ever, packed ones in a queue of
 * the layer's own, which is filled only when it is empty: the marks of the
 * stream hold. Packing needs a quarter of a megabyte, unpacking 40 KB; both are
 * let go of while a connection rests.
 */
#include "build.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <zlib.h>

#include "daemon/stream_impl.h"

/* overview rows: level 1 makes 94 MB/s of 46 %, level 3 81 of 45, level 6 44 of
 * 43 */
#define LEVEL	    1
#define WINDOW_BITS (-15) /* raw */
#define MEMORY	    8
#define PIECE	    16384u
#define PACKED_MAX  65536u /* of one go */
#define STAGE	    8192u
#define READS_MAX   8u /* that give nothing, of one go */
#define REST_AFTER  3000u /* ms */

/* zlib's own numbers: 256 KB and 32 KB, each beside a struct. */
#define PACK_ROOM   ((size_t)(256 + 16) << 10)
#define UNPACK_ROOM ((size_t)(32 + 16) << 10)

/* Pages of one z_stream, given back whole: free() would leave most of it with
 * the process, between what others hold. */
struct pages {
	char *bytes;
	size_t room, used;
};

struct stream_deflate {
	const struct stream_kind *below;
	struct stream_queue wire;
	z_stream pack, unpack;
	struct pages pack_pages, unpack_pages;
	char *stage; /* received, still packed; allocated while it holds some */
	size_t stage_at, stage_len;
	Bytef *window; /* of unpack while it rests */
	uInt window_len;
	bool packs, unpacks; /* the z_streams are there */
	bool flushing; /* a flush had no room to end */
	bool more;     /* unpack has more than there was room for */
	bool ended;    /* the peer has finished its stream */
};

/* ---- memory */

static voidpf
pages_take(voidpf arg, uInt items, uInt size)
{
	struct pages *pages = arg;
	size_t len = ((size_t)items * size + 15u) & ~(size_t)15u;
	char *at = pages->bytes + pages->used;

	if (len > pages->room - pages->used)
		return Z_NULL;
	pages->used += len;
	return at;
}

static void
pages_drop(voidpf arg, voidpf bytes)
{
	(void)arg;
	(void)bytes;
}

static int
pages_begin(struct pages *pages, size_t room, z_stream *z)
{
	void *bytes = mmap(NULL, room, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return -ENOMEM;
	*pages = (struct pages){ bytes, room, 0 };
	memset(z, 0, sizeof(*z));
	z->zalloc = pages_take;
	z->zfree = pages_drop;
	z->opaque = pages;
	return 0;
}

static void
pages_end(struct pages *pages)
{
	if (pages->bytes != NULL)
		(void)munmap(pages->bytes, pages->room);
	pages->bytes = NULL;
}

/* ---- out */

static int
deflate_ready(struct stream_deflate *layer)
{
	if (layer->packs)
		return 0;
	if (pages_begin(&layer->pack_pages, PACK_ROOM, &layer->pack) != 0)
		return -ENOMEM;
	/* the peer sees no difference: only what came before is not referred to */
	if (deflateInit2(&layer->pack, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY,
		Z_DEFAULT_STRATEGY) != Z_OK) {
		pages_end(&layer->pack_pages);
		return -ENOMEM;
	}
	layer->packs = true;
	return 0;
}

static void
pack_end(struct stream_deflate *layer)
{
	if (!layer->packs)
		return;
	(void)deflateEnd(&layer->pack);
	pages_end(&layer->pack_pages);
	layer->packs = false;
}

/* Packs what is first in the queue, as far as one piece of output goes. */
static int
deflate_piece(struct stream *stream)
{
	struct stream_deflate *layer = stream->deflate;
	unsigned char piece[PIECE];
	struct iovec first = { NULL, 0 };
	bool last;
	int result;

	(void)stream_queue_peek(&stream->out, &first, 1);
	if (first.iov_len > UINT_MAX)
		first.iov_len = UINT_MAX;
	last = first.iov_len == stream->out.len;
	layer->pack.next_in = first.iov_base;
	layer->pack.avail_in = (uInt)first.iov_len;
	layer->pack.next_out = piece;
	layer->pack.avail_out = PIECE;
	result = deflate(&layer->pack, last ? Z_SYNC_FLUSH : Z_NO_FLUSH);
	if (result != Z_OK && result != Z_BUF_ERROR)
		return -EIO;
	layer->flushing = last && layer->pack.avail_out == 0;
	result = stream_queue_copy(&layer->wire, piece,
	    PIECE - layer->pack.avail_out);
	stream_queue_consume(&stream->out,
	    first.iov_len - layer->pack.avail_in);
	return result;
}

static int
deflate_write(struct stream *stream)
{
	struct stream_deflate *layer = stream->deflate;
	int result;

	for (;;) {
		result = layer->below->write(stream);
		if (result != 0)
			return result;
		if (stream->out.len == 0 && !layer->flushing)
			return 0;
		result = deflate_ready(layer);
		while (result == 0 && layer->wire.len < PACKED_MAX &&
		    (stream->out.len > 0 || layer->flushing))
			result = deflate_piece(stream);
		if (result != 0)
			return result;
		stream->rest_at = stream_milliseconds() + REST_AFTER;
	}
}

/* ---- in */

static int
inflate_ready(struct stream_deflate *layer)
{
	if (layer->unpacks)
		return 0;
	if (pages_begin(&layer->unpack_pages, UNPACK_ROOM, &layer->unpack) != 0)
		return -ENOMEM;
	if (inflateInit2(&layer->unpack, WINDOW_BITS) != Z_OK) {
		pages_end(&layer->unpack_pages);
		return -ENOMEM;
	}
	layer->unpacks = true;
	if (layer->window != NULL &&
	    inflateSetDictionary(&layer->unpack, layer->window,
		layer->window_len) != Z_OK)
		return -ENOMEM;
	free(layer->window);
	layer->window = NULL;
	return 0;
}

static void
unpack_end(struct stream_deflate *layer)
{
	if (!layer->unpacks)
		return;
	(void)inflateEnd(&layer->unpack);
	pages_end(&layer->unpack_pages);
	layer->unpacks = false;
}

static void
stage_trim(struct stream_deflate *layer)
{
	if (layer->stage_len > 0)
		return;
	free(layer->stage);
	layer->stage = NULL;
	layer->stage_at = 0;
}

/* 0: there is something to unpack; 1: the end; negative. */
static int
stage_fill(struct stream *stream)
{
	struct stream_deflate *layer = stream->deflate;
	ssize_t got;

	if (layer->stage_len > 0 || layer->more)
		return 0;
	layer->stage = malloc(STAGE);
	if (layer->stage == NULL)
		return -ENOMEM;
	layer->stage_at = 0;
	got = layer->below->read(stream, layer->stage, STAGE);
	if (got > 0)
		layer->stage_len = (size_t)got;
	else
		stage_trim(layer);
	return got > 0 ? 0 : got == 0 ? 1 : (int)got;
}

/* How much was unpacked, or negative: it is no DEFLATE. */
static ssize_t
inflate_some(struct stream_deflate *layer, char *out, size_t room)
{
	int result;

	layer->unpack.next_in =
	    (Bytef *)layer->stage + (layer->stage == NULL ? 0 : layer->stage_at);
	layer->unpack.avail_in = (uInt)layer->stage_len;
	layer->unpack.next_out = (Bytef *)out;
	layer->unpack.avail_out = (uInt)(room < UINT_MAX ? room : UINT_MAX);
	room = layer->unpack.avail_out;
	result = inflate(&layer->unpack, Z_SYNC_FLUSH);
	layer->stage_at += layer->stage_len - layer->unpack.avail_in;
	layer->stage_len = layer->unpack.avail_in;
	layer->more = layer->unpack.avail_out == 0;
	if (result == Z_STREAM_END) {
		layer->ended = true;
		layer->more = false;
		layer->stage_len = 0;
	} else if (result != Z_OK && result != Z_BUF_ERROR) {
		return result == Z_MEM_ERROR ? -ENOMEM : -EPROTO;
	}
	return (ssize_t)(room - layer->unpack.avail_out);
}

static ssize_t
deflate_read(struct stream *stream, char *out, size_t room)
{
	struct stream_deflate *layer = stream->deflate;
	ssize_t got = 0;
	int result = inflate_ready(layer);

	for (unsigned i = 0; result == 0 && got == 0 && i < READS_MAX; i++) {
		if (layer->ended)
			return 0;
		result = stage_fill(stream);
		if (result == 0)
			got = inflate_some(layer, out, room);
		stage_trim(layer);
	}
	stream->rest_at = stream_milliseconds() + REST_AFTER;
	if (result != 0)
		return result == 1 ? 0 : result;
	return got == 0 ? -EAGAIN : got;
}

static bool
deflate_holds_input(const struct stream *stream)
{
	const struct stream_deflate *layer = stream->deflate;

	return layer->stage_len > 0 || layer->more || layer->ended ||
	    layer->below->holds_input(stream);
}

/* ---- rest */

/* Between two blocks, on a whole octet, the window is all that unpacking has to
 * remember. */
static void
inflate_rest(struct stream_deflate *layer)
{
	Bytef *window;
	uInt len = 0;

	if (!layer->unpacks || layer->stage_len > 0 || layer->more ||
	    layer->unpack.data_type != 128 ||
	    inflateGetDictionary(&layer->unpack, NULL, &len) != Z_OK)
		return;
	window = malloc(len + 1);
	if (window == NULL)
		return;
	(void)inflateGetDictionary(&layer->unpack, window, &len);
	unpack_end(layer);
	layer->window = window;
	layer->window_len = len;
}

void
stream_deflate_rest(struct stream *stream)
{
	struct stream_deflate *layer = stream->deflate;

	if (layer == NULL)
		return;
	/* after a flush the packed stream goes on with any other packer */
	if (stream->out.len == 0 && !layer->flushing)
		pack_end(layer);
	inflate_rest(layer);
}

/* ---- life */

static void
deflate_finish(struct stream *stream)
{
	stream->deflate->below->finish(stream);
}

static void
deflate_free(struct stream *stream)
{
	struct stream_deflate *layer = stream->deflate;

	layer->below->free(stream);
	pack_end(layer);
	unpack_end(layer);
	stream_queue_clear(&layer->wire);
	free(layer->stage);
	free(layer->window);
	free(layer);
	stream->deflate = NULL;
}

static const struct stream_kind stream_deflate_kind = {
	deflate_read,
	deflate_write,
	deflate_holds_input,
	deflate_finish,
	deflate_free,
};

bool
stream_is_deflated(const struct stream *stream)
{
	return stream->deflate != NULL;
}

int
stream_start_deflate(struct stream *stream, struct span reply)
{
	struct stream_deflate *layer;
	int result;

	if (stream->deflate != NULL || stream->failed != 0 ||
	    (stream->security != STREAM_PLAIN && stream->security != STREAM_TLS))
		return -EINVAL;
	layer = calloc(1, sizeof(*layer));
	if (layer == NULL)
		return -ENOMEM;
	result = deflate_ready(layer);
	if (result == 0)
		result = inflate_ready(layer);
	if (result == 0 && stream->in_len > 0) {
		layer->stage = malloc(stream->in_len);
		result = layer->stage == NULL ? -ENOMEM : 0;
	}
	if (result == 0)
		result =
		    stream_queue_copy(&stream->out, reply.bytes, reply.len);
	if (result != 0) {
		pack_end(layer);
		unpack_end(layer);
		free(layer->stage);
		free(layer);
		return result;
	}
	/* what was said before goes out as it is; what came behind the command
	 * is packed already */
	layer->wire = stream->out;
	memset(&stream->out, 0, sizeof(stream->out));
	if (stream->in_len > 0)
		memcpy(layer->stage, stream->in + stream->in_at, stream->in_len);
	layer->stage_len = stream->in_len;
	stream->in_at = 0;
	stream->in_len = 0;
	layer->below = stream->kind;
	stream->kind = &stream_deflate_kind;
	stream->deflate = layer;
	stream->wire = &layer->wire;
	stream->rest_at = stream_milliseconds() + REST_AFTER;
	stream_settle_soon(stream);
	return 0;
}
