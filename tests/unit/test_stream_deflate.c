/* test_stream_deflate.c - the layer of DEFLATE on streams, against itself and
 * against zlib.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "daemon/stream_impl.h"
#include "tests/client.h"

#define LARGE (5u << 20)

/* The server's end: keeps what it reads, or leaves it where it is. */
struct server {
	struct stream *stream;
	struct buffer got;
	bool hold;
	bool ended;
	enum stream_end why;
};

static void
server_readable(void *arg)
{
	struct server *server = arg;
	struct span input = stream_input(server->stream);

	if (server->hold)
		return;
	buffer_append_span(&server->got, input);
	stream_consume(server->stream, input.len);
}

static void
server_drained(void *arg)
{
	(void)arg;
}

static void
server_ended(void *arg, enum stream_end why)
{
	struct server *server = arg;

	server->ended = true;
	server->why = why;
	server->stream = NULL;
}

static const struct stream_handler server_handler = { .readable =
							  server_readable,
	.drained = server_drained,
	.ended = server_ended };

struct fixture {
	struct loop *loop;
	struct client client;
	struct server server;
};

static struct fixture *
open_over(void **state, bool socket)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->loop = loop_new();
	buffer_init(&f->server.got, 0);
	f->server.stream = socket
	    ? client_connect_socket(&f->client, f->loop, NULL)
	    : client_connect(&f->client, f->loop);
	stream_set_handler(f->server.stream, &server_handler, &f->server);
	*state = f;
	return f;
}

static int
over_a_pair(void **state)
{
	(void)open_over(state, false);
	return 0;
}

static int
over_a_socket(void **state)
{
	(void)open_over(state, true);
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	stream_free(&f->server.stream);
	client_close(&f->client);
	buffer_fini(&f->server.got);
	loop_free(&f->loop);
	free(f);
	return 0;
}

static void
both_deflate(struct fixture *f)
{
	assert_int_equal(
	    stream_start_deflate(f->server.stream, span_of("206 go\r\n")), 0);
	assert_string_equal(client_wait(&f->client, "\r\n"), "206 go\r\n");
	assert_int_equal(
	    stream_start_deflate(f->client.stream, span_make("", 0)), 0);
	buffer_clear(&f->client.text);
}

static char *
noise(size_t len)
{
	uint32_t random = 1;
	char *bytes = malloc(len);

	for (size_t i = 0; i < len; i++) {
		random = random * 1664525u + 1013904223u;
		/* half of it repeats itself */
		bytes[i] = (i >> 12) % 2 == 0 ? (char)(random >> 24) : 'x';
	}
	return bytes;
}

static void
what_is_said_crosses_both_ways(void **state)
{
	struct fixture *f = *state;

	both_deflate(f);
	for (int i = 0; i < 3; i++) {
		buffer_clear(&f->client.text);
		client_send(&f->client, "hello, hello, hello\r\n");
		client_settle(f->loop);
		assert_string_equal(buffer_text(&f->server.got),
		    "hello, hello, hello\r\n");
		buffer_clear(&f->server.got);
		stream_write(f->server.stream, "211 1 1 1 x\r\n", 13);
		assert_string_equal(client_wait(&f->client, "\r\n"),
		    "211 1 1 1 x\r\n");
	}
}

static void
much_crosses_whole(void **state)
{
	struct fixture *f = *state;
	char *bytes = noise(LARGE);

	both_deflate(f);
	for (size_t at = 0; at < LARGE; at += LARGE / 5)
		stream_write(f->server.stream, bytes + at, LARGE / 5);
	stream_write(f->server.stream, "the end", 7);
	(void)client_wait(&f->client, "the end");
	assert_int_equal(f->client.text.len, LARGE + 7);
	assert_memory_equal(f->client.text.bytes, bytes, LARGE);
	client_send_bytes(&f->client, bytes, LARGE);
	client_settle(f->loop);
	assert_int_equal(f->server.got.len, LARGE);
	assert_memory_equal(f->server.got.bytes, bytes, LARGE);
	free(bytes);
}

static void
a_connection_that_rested_goes_on(void **state)
{
	static const char *const lines[] = {
		"what was said before is still referred to\r\n",
		"what was said before is still referred to, after it\r\n",
		"and so on: what was said before is still referred to\r\n",
	};
	struct fixture *f = *state;

	both_deflate(f);
	for (size_t i = 0; i < 3; i++) {
		buffer_clear(&f->server.got);
		buffer_clear(&f->client.text);
		client_send(&f->client, lines[i]);
		client_settle(f->loop);
		assert_string_equal(buffer_text(&f->server.got), lines[i]);
		stream_write(f->server.stream, lines[i], strlen(lines[i]));
		assert_string_equal(client_wait(&f->client, "\r\n"), lines[i]);
		stream_deflate_rest(f->server.stream);
		if (i == 1)
			stream_deflate_rest(f->client.stream);
	}
}

static void
a_session_that_closes_says_its_last_words(void **state)
{
	struct fixture *f = *state;

	both_deflate(f);
	stream_write(f->server.stream, "205 goodbye\r\n", 13);
	stream_close(f->server.stream);
	assert_string_equal(client_wait_end(&f->client), "205 goodbye\r\n");
	assert_true(f->server.ended);
	assert_int_equal(f->server.why, STREAM_END_CLOSED);
}

/* ---- against zlib */

static size_t
packed(const char *bytes, size_t len, int flush, char **out_r)
{
	z_stream pack = { 0 };
	size_t room;

	assert_int_equal(deflateInit2(&pack, 9, Z_DEFLATED, -15, 9,
			     Z_DEFAULT_STRATEGY),
	    Z_OK);
	room = deflateBound(&pack, len) + 64;
	*out_r = malloc(room);
	pack.next_in = (Bytef *)(uintptr_t)bytes;
	pack.avail_in = (uInt)len;
	pack.next_out = (Bytef *)*out_r;
	pack.avail_out = (uInt)room;
	(void)deflate(&pack, flush);
	room -= pack.avail_out;
	(void)deflateEnd(&pack);
	return room;
}

static void
what_comes_behind_the_command_is_unpacked(void **state)
{
	struct fixture *f = *state;
	char *bytes;
	size_t len = packed("DATE\r\n", 6, Z_SYNC_FLUSH, &bytes);

	f->server.hold = true;
	client_send_bytes(&f->client, bytes, len);
	client_settle(f->loop);
	f->server.hold = false;
	assert_int_equal(stream_start_deflate(f->server.stream, span_of("")),
	    0);
	client_settle(f->loop);
	assert_string_equal(buffer_text(&f->server.got), "DATE\r\n");
	free(bytes);
}

static void
octet_by_octet_is_as_good(void **state)
{
	struct fixture *f = *state;
	char *bytes;
	size_t len = packed("GROUP a\r\n", 9, Z_SYNC_FLUSH, &bytes);

	assert_int_equal(stream_start_deflate(f->server.stream, span_of("")),
	    0);
	for (size_t i = 0; i < len; i++) {
		client_send_bytes(&f->client, bytes + i, 1);
		client_settle(f->loop);
		stream_deflate_rest(f->server.stream);
	}
	assert_string_equal(buffer_text(&f->server.got), "GROUP a\r\n");
	free(bytes);
}

static void
a_bomb_costs_a_buffer(void **state)
{
	struct fixture *f = *state;
	size_t zeros_len = 50u << 20, len;
	char *zeros = calloc(1, zeros_len), *bytes;

	len = packed(zeros, zeros_len, Z_SYNC_FLUSH, &bytes);
	assert_int_equal(stream_start_deflate(f->server.stream, span_of("")),
	    0);
	f->server.hold = true;
	client_send_bytes(&f->client, bytes, len);
	client_settle(f->loop);
	assert_in_range(stream_input(f->server.stream).len, 1, 65536);
	assert_in_range(f->server.stream->in_room, 1, 65536);
	/* the rest of it waits with the client, in a pair, and is not lost */
	f->server.hold = false;
	for (int i = 0; i < 100000 && f->server.got.len < zeros_len; i++) {
		server_readable(&f->server);
		(void)loop_turn(f->loop);
	}
	assert_int_equal(f->server.got.len, zeros_len);
	free(zeros);
	free(bytes);
}

static void
what_is_no_deflate_ends_the_connection(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(stream_start_deflate(f->server.stream, span_of("")),
	    0);
	client_send(&f->client, "\xff\xff this is no such thing\r\n");
	client_settle(f->loop);
	assert_true(f->server.ended);
	assert_int_equal(f->server.why, STREAM_END_ERROR);
	assert_int_equal(f->server.got.len, 0);
}

static void
a_stream_that_was_finished_is_the_end(void **state)
{
	struct fixture *f = *state;
	char *bytes;
	size_t len = packed("QUIT\r\n", 6, Z_FINISH, &bytes);

	assert_int_equal(stream_start_deflate(f->server.stream, span_of("")),
	    0);
	client_send_bytes(&f->client, bytes, len);
	client_settle(f->loop);
	assert_string_equal(buffer_text(&f->server.got), "QUIT\r\n");
	assert_true(f->server.ended);
	assert_int_equal(f->server.why, STREAM_END_EOF);
	free(bytes);
}

static void
it_begins_once_and_tls_comes_before(void **state)
{
	struct fixture *f = *state;

	both_deflate(f);
	assert_true(stream_is_deflated(f->server.stream));
	assert_int_not_equal(
	    stream_start_deflate(f->server.stream, span_of("")), 0);
	assert_int_not_equal(stream_start_tls(f->server.stream, NULL), 0);
}

int
main(void)
{
#define PAIR(test)   cmocka_unit_test_setup_teardown(test, over_a_pair, teardown)
#define SOCKET(test)                                                     \
	{ #test " (socket)", test, over_a_socket, teardown, NULL }
	const struct CMUnitTest tests[] = {
		PAIR(what_is_said_crosses_both_ways),
		SOCKET(what_is_said_crosses_both_ways),
		PAIR(much_crosses_whole),
		SOCKET(much_crosses_whole),
		PAIR(a_connection_that_rested_goes_on),
		SOCKET(a_connection_that_rested_goes_on),
		PAIR(a_session_that_closes_says_its_last_words),
		SOCKET(a_session_that_closes_says_its_last_words),
		PAIR(what_comes_behind_the_command_is_unpacked),
		SOCKET(what_comes_behind_the_command_is_unpacked),
		PAIR(octet_by_octet_is_as_good),
		SOCKET(octet_by_octet_is_as_good),
		PAIR(a_bomb_costs_a_buffer),
		SOCKET(a_bomb_costs_a_buffer),
		PAIR(what_is_no_deflate_ends_the_connection),
		SOCKET(what_is_no_deflate_ends_the_connection),
		PAIR(a_stream_that_was_finished_is_the_end),
		SOCKET(a_stream_that_was_finished_is_the_end),
		SOCKET(it_begins_once_and_tls_comes_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
