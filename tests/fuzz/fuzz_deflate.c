/* fuzz_deflate.c - what a peer sends to a stream that unpacks it: the input goes
 * in as it is and, what it is like in earnest, packed; in pieces.
 */
#include "build.h"

#include <stdint.h>
#include <stdlib.h>

#include <zlib.h>

#include "daemon/stream_impl.h"
#include "tests/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reader {
	struct stream *stream;
	size_t read;
};

static void
readable(void *arg)
{
	struct reader *reader = arg;
	struct span input = stream_input(reader->stream);

	if (input.len > 65536)
		abort();
	reader->read += input.len;
	stream_consume(reader->stream, input.len / 2 + 1);
	stream_write(reader->stream, input.bytes, input.len / 8);
}

static void
drained(void *arg)
{
	(void)arg;
}

static void
ended(void *arg, enum stream_end why)
{
	struct reader *reader = arg;

	(void)why;
	reader->stream = NULL;
}

static const struct stream_handler handler = { .readable = readable,
	.drained = drained,
	.ended = ended };

static void
feed(struct loop *loop, const uint8_t *data, size_t size)
{
	struct client client;
	struct reader reader = { .stream = client_connect(&client, loop) };

	stream_set_handler(reader.stream, &handler, &reader);
	if (stream_start_deflate(reader.stream, span_make("", 0)) != 0)
		abort();
	for (size_t at = 0; at < size; at += 1 + size / 3) {
		size_t len = size - at < 1 + size / 3 ? size - at : 1 + size / 3;

		client_send_bytes(&client, data + at, len);
		client_settle(loop);
		if (reader.stream != NULL)
			stream_deflate_rest(reader.stream);
	}
	stream_free(&reader.stream);
	client_close(&client);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct loop *loop;
	z_stream pack = { 0 };
	uint8_t out[4096];

	if (loop == NULL)
		loop = loop_new();
	feed(loop, data, size);
	if (size < 2 || size > 2048 ||
	    deflateInit2(&pack, data[0] % 10, Z_DEFLATED, -15, 1 + data[1] % 9,
		Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	pack.next_in = (Bytef *)(uintptr_t)data;
	pack.avail_in = (uInt)size;
	pack.next_out = out;
	pack.avail_out = sizeof out;
	(void)deflate(&pack, data[0] % 2 == 0 ? Z_SYNC_FLUSH : Z_FINISH);
	feed(loop, out, sizeof out - pack.avail_out);
	(void)deflateEnd(&pack);
	return 0;
}
