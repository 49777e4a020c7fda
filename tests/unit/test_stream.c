/* test_stream.c - streams: the pair in memory, sockets and TLS.
 */
#include "build.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "daemon/loop.h"
#include "daemon/stream.h"
#include "daemon/tls.h"
#include "protocol/buffer.h"
#include "tests/unit/certificate.h"

#define BLOCKING (2u << 20) /* more than a socket takes at once */

/* A session that keeps what it gets and counts what happens to it. */
struct side {
	struct stream *stream;
	struct buffer got;
	unsigned drained;
	unsigned secured;
	unsigned ended;
	enum stream_end why;
	bool hold; /* leaves its input alone */
	bool pause;
	const char *answer; /* said on every readable */
};

static void
side_readable(void *arg)
{
	struct side *side = arg;
	struct span input = stream_input(side->stream);

	if (side->hold)
		return;
	buffer_append_span(&side->got, input);
	stream_consume(side->stream, input.len);
	if (side->pause)
		stream_pause(side->stream);
	if (side->answer != NULL)
		stream_write(side->stream, side->answer, strlen(side->answer));
}

static void
side_drained(void *arg)
{
	struct side *side = arg;

	side->drained++;
}

static void
side_secured(void *arg)
{
	struct side *side = arg;

	side->secured++;
}

static void
side_ended(void *arg, enum stream_end why)
{
	struct side *side = arg;

	side->ended++;
	side->why = why;
	side->stream = NULL;
}

static const struct stream_handler side_handler = {
	side_readable,
	side_drained,
	side_secured,
	side_ended,
};

struct fixture {
	struct loop *loop;
	struct side a, b;
};

static int
fixture_open(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = loop_new();
	*state = f;
	return 0;
}

static int
fixture_close(void **state)
{
	struct fixture *f = *state;

	stream_free(&f->a.stream);
	stream_free(&f->b.stream);
	buffer_fini(&f->a.got);
	buffer_fini(&f->b.got);
	loop_free(&f->loop);
	free(f);
	return 0;
}

static void
fixture_pair(struct fixture *f)
{
	assert_int_equal(0,
	    stream_new_pair(loop_base(f->loop), &f->a.stream, &f->b.stream));
	stream_set_handler(f->a.stream, &side_handler, &f->a);
	stream_set_handler(f->b.stream, &side_handler, &f->b);
}

static void
fixture_sockets(struct fixture *f)
{
	int fds[2];

	assert_int_equal(0,
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds));
	f->a.stream = stream_new_socket(loop_base(f->loop), fds[0], NULL,
	    &side_handler, &f->a);
	f->b.stream = stream_new_socket(loop_base(f->loop), fds[1], NULL,
	    &side_handler, &f->b);
	assert_non_null(f->a.stream);
	assert_non_null(f->b.stream);
}

static void
fixture_run(struct fixture *f)
{
	unsigned quiet = 0;

	while (quiet < 3)
		quiet = loop_turn(f->loop) ? 0 : quiet + 1;
}

typedef void (*fixture_opener)(struct fixture *f);
static const fixture_opener openers[] = { fixture_pair, fixture_sockets };

static void
what_one_end_writes_the_other_reads(void **state)
{
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < 2; i++) {
		openers[i](f);
		f->b.answer = "pong";
		stream_printf(f->a.stream, "ping %d", 7);
		assert_int_equal(0, f->b.got.len);
		fixture_run(f);
		assert_string_equal("ping 7", buffer_text(&f->b.got));
		assert_string_equal("pong", buffer_text(&f->a.got));
		assert_int_equal(0, stream_pending(f->a.stream));
		stream_free(&f->a.stream);
		stream_free(&f->b.stream);
		buffer_fini(&f->a.got);
		buffer_fini(&f->b.got);
	}
}

static void
a_paused_stream_reads_nothing_until_it_is_resumed(void **state)
{
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < 2; i++) {
		openers[i](f);
		stream_pause(f->b.stream);
		stream_write(f->a.stream, "x", 1);
		fixture_run(f);
		assert_int_equal(0, f->b.got.len);
		stream_resume(f->b.stream);
		fixture_run(f);
		assert_int_equal(1, f->b.got.len);
		/* left alone, then paused and resumed: handed out again */
		f->b.hold = true;
		stream_write(f->a.stream, "y", 1);
		fixture_run(f);
		stream_pause(f->b.stream);
		f->b.hold = false;
		stream_resume(f->b.stream);
		fixture_run(f);
		assert_string_equal("xy", buffer_text(&f->b.got));
		stream_free(&f->a.stream);
		stream_free(&f->b.stream);
		buffer_fini(&f->b.got);
	}
}

static void
two_ends_that_do_not_read_let_the_loop_rest(void **state)
{
	static char much[STREAM_HIGH_WATER + 1];
	struct fixture *f = *state;
	unsigned turns = 0;

	fixture_pair(f);
	fixture_run(f);
	stream_pause(f->a.stream);
	/* full, so that it does not read either */
	stream_write(f->b.stream, much, sizeof(much));
	stream_write(f->a.stream, "x", 1);
	while (turns < 100 && loop_turn(f->loop))
		turns++;
	assert_true(turns < 100);
	stream_resume(f->a.stream);
	fixture_run(f);
	assert_int_equal(f->a.got.len, sizeof(much));
	assert_int_equal(f->b.got.len, 1);
}

static void
a_slow_reader_fills_and_a_reader_drains(void **state)
{
	struct fixture *f = *state;
	static char block[STREAM_HIGH_WATER];
	size_t i, total;

	for (i = 0; i < 2; i++) {
		openers[i](f);
		stream_pause(f->b.stream);
		f->a.drained = 0;
		for (total = 0;
		     !stream_is_full(f->a.stream) || f->a.drained > 0;) {
			f->a.drained = 0;
			stream_write(f->a.stream, block, sizeof(block));
			total += sizeof(block);
			fixture_run(f);
			assert_true(total < 64u << 20);
		}
		assert_int_equal(0, f->a.drained);
		stream_resume(f->b.stream);
		fixture_run(f);
		assert_int_equal(1, f->a.drained);
		assert_false(stream_is_full(f->a.stream));
		assert_int_equal(total, f->b.got.len);
		stream_free(&f->a.stream);
		stream_free(&f->b.stream);
		buffer_fini(&f->b.got);
	}
}

static void
count_release(void *arg)
{
	unsigned *count = arg;

	(*count)++;
}

static void
fill_now(evutil_socket_t fd, short what, void *arg)
{
	struct side *side = arg;

	(void)fd;
	(void)what;
	/* from outside of the stream's own events: put off to the next one */
	stream_write(side->stream, "x", 1);
}

/* The event that was to send the first byte is active, and not yet run, when
 * the second answer meets a peer with no more room. */
static void
an_answer_that_blocks_while_another_is_put_off_goes_on(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(BLOCKING + 1);
	struct event *event;

	fixture_sockets(f);
	fixture_run(f);
	memset(text, 'y', BLOCKING);
	text[BLOCKING] = '\0';
	f->a.answer = text;
	stream_pause(f->b.stream);
	stream_write(f->b.stream, "go", 2);
	stream_flush(f->b.stream);
	event = event_new(loop_base(f->loop), -1, 0, fill_now, &f->a);
	event_active(event, EV_TIMEOUT, 0);
	fixture_run(f);
	assert_true(stream_pending(f->a.stream) > 0);
	f->a.answer = NULL;
	stream_resume(f->b.stream);
	fixture_run(f);
	assert_int_equal(BLOCKING + 1, f->b.got.len);
	event_free(event);
	free(text);
}

static void
a_reference_is_released_once_sent_or_given_up(void **state)
{
	struct fixture *f = *state;
	unsigned released = 0;

	fixture_sockets(f);
	stream_write(f->a.stream, "<", 1);
	stream_write_reference(f->a.stream, "body", 4, count_release,
	    &released);
	stream_write(f->a.stream, ">", 1);
	fixture_run(f);
	assert_string_equal("<body>", buffer_text(&f->b.got));
	assert_int_equal(1, released);
	stream_write_reference(f->a.stream, "body", 4, count_release,
	    &released);
	stream_free(&f->a.stream);
	assert_int_equal(2, released);
}

static void
closing_sends_what_is_queued_and_ends_both(void **state)
{
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < 2; i++) {
		openers[i](f);
		f->a.ended = f->b.ended = 0;
		stream_write(f->a.stream, "bye", 3);
		stream_close(f->a.stream);
		fixture_run(f);
		assert_string_equal("bye", buffer_text(&f->b.got));
		assert_int_equal(1, f->a.ended);
		assert_int_equal(STREAM_END_CLOSED, f->a.why);
		assert_int_equal(1, f->b.ended);
		assert_int_equal(STREAM_END_EOF, f->b.why);
		buffer_fini(&f->b.got);
	}
}

static void
an_answer_that_is_under_way_reaches_a_half_closed_peer(void **state)
{
	struct fixture *f = *state;
	char got[8] = "";
	int fds[2];

	assert_int_equal(0,
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
	f->a.stream = stream_new_socket(loop_base(f->loop), fds[0], NULL,
	    &side_handler, &f->a);
	assert_int_equal(4, write(fds[1], "HELP", 4));
	assert_int_equal(0, shutdown(fds[1], SHUT_WR));
	f->a.pause = true; /* waits for the store */
	fixture_run(f);
	assert_string_equal("HELP", buffer_text(&f->a.got));
	assert_int_equal(0, f->a.ended);
	stream_write(f->a.stream, "100", 3);
	stream_resume(f->a.stream);
	fixture_run(f);
	assert_int_equal(3, read(fds[1], got, sizeof(got)));
	assert_int_equal(STREAM_END_EOF, f->a.why);
	assert_int_equal(1, f->a.ended);
	(void)close(fds[1]);
}

static void
input_beyond_the_limit_stays_with_the_peer(void **state)
{
	struct fixture *f = *state;
	static char much[65536];

	fixture_pair(f);
	f->b.hold = true;
	stream_write(f->a.stream, much, sizeof much);
	stream_write(f->a.stream, "abcdef", 6);
	fixture_run(f);
	assert_int_equal(sizeof much, stream_input(f->b.stream).len);
	f->b.hold = false;
	stream_consume(f->b.stream, sizeof much);
	fixture_run(f);
	assert_string_equal("abcdef", buffer_text(&f->b.got));
}

/* ---- TLS */

struct contexts {
	struct ssl_ctx_st *server, *client;
};

static struct contexts
contexts_make(void)
{
	struct contexts contexts;

	certificate_contexts("mail.example", &contexts.server,
	    &contexts.client);
	return contexts;
}

static void
contexts_free(struct contexts *contexts)
{
	tls_free(&contexts->server);
	tls_free(&contexts->client);
}

static void
large_answers_cross_tls_whole(void **state)
{
	struct fixture *f = *state;
	struct contexts contexts = contexts_make();
	char *large = malloc(1u << 20);
	size_t i;

	for (i = 0; i < 1u << 20; i++)
		large[i] = (char)('a' + i % 23);
	fixture_sockets(f);
	assert_int_equal(0, stream_start_tls(f->a.stream, contexts.server));
	assert_int_equal(0,
	    stream_connect_tls(f->b.stream, contexts.client, "mail.example"));
	fixture_run(f);
	assert_int_equal(1, f->a.secured);
	assert_int_equal(1, f->b.secured);
	assert_true(stream_is_tls(f->a.stream));
	for (i = 0; i < 1u << 20; i += 1000)
		stream_write(f->a.stream, large + i,
		    (1u << 20) - i < 1000 ? (1u << 20) - i : 1000);
	fixture_run(f);
	assert_int_equal(1u << 20, f->b.got.len);
	assert_memory_equal(large, f->b.got.bytes, 1u << 20);
	stream_write(f->b.stream, "QUIT", 4);
	stream_close(f->b.stream);
	fixture_run(f);
	assert_string_equal("QUIT", buffer_text(&f->a.got));
	assert_int_equal(STREAM_END_EOF, f->a.why);
	free(large);
	contexts_free(&contexts);
}

static void
a_server_with_another_name_is_not_trusted(void **state)
{
	struct fixture *f = *state;
	struct contexts contexts = contexts_make();

	fixture_sockets(f);
	stream_start_tls(f->a.stream, contexts.server);
	stream_connect_tls(f->b.stream, contexts.client, "other.example");
	fixture_run(f);
	assert_int_equal(0, f->b.secured);
	assert_int_equal(1, f->b.ended);
	assert_int_equal(STREAM_END_ERROR, f->b.why);
	contexts_free(&contexts);
}

static void
plaintext_after_starttls_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct contexts contexts = contexts_make();

	fixture_sockets(f);
	f->a.hold = true;
	stream_write(f->b.stream, "STARTTLS\r\nPOST\r\n", 16);
	fixture_run(f);
	assert_int_equal(16, stream_input(f->a.stream).len);
	stream_consume(f->a.stream, 10);
	stream_write(f->a.stream, "382 go\r\n", 8);
	f->a.hold = false;
	stream_start_tls(f->a.stream, contexts.server);
	fixture_run(f);
	assert_string_equal("382 go\r\n", buffer_text(&f->b.got));
	stream_connect_tls(f->b.stream, contexts.client, "mail.example");
	stream_write(f->b.stream, "DATE\r\n", 6);
	fixture_run(f);
	assert_string_equal("DATE\r\n", buffer_text(&f->a.got));
	contexts_free(&contexts);
}

static void
a_key_of_another_certificate_is_refused(void **state)
{
	char *certificate, *key, *other, *other_key;
	struct ssl_ctx_st *ctx;
	const char *why = NULL;

	(void)state;
	certificate_make("a.example", &certificate, &key);
	certificate_make("a.example", &other, &other_key);
	ctx = tls_server_new(span_of(certificate), span_of(other_key), &why);
	assert_null(ctx);
	assert_non_null(why);
	ctx = tls_server_new(span_of("rubbish"), span_of(key), &why);
	assert_null(ctx);
	ctx = tls_client_new(span_of(""), &why);
	assert_null(ctx);
	assert_non_null(why);
	free(certificate);
	free(key);
	free(other);
	free(other_key);
}

#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_one_end_writes_the_other_reads),
		TEST(a_paused_stream_reads_nothing_until_it_is_resumed),
		TEST(two_ends_that_do_not_read_let_the_loop_rest),
		TEST(a_slow_reader_fills_and_a_reader_drains),
		TEST(an_answer_that_blocks_while_another_is_put_off_goes_on),
		TEST(a_reference_is_released_once_sent_or_given_up),
		TEST(closing_sends_what_is_queued_and_ends_both),
		TEST(an_answer_that_is_under_way_reaches_a_half_closed_peer),
		TEST(input_beyond_the_limit_stays_with_the_peer),
		TEST(large_answers_cross_tls_whole),
		TEST(a_server_with_another_name_is_not_trusted),
		TEST(plaintext_after_starttls_is_dropped),
		cmocka_unit_test(a_key_of_another_certificate_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
