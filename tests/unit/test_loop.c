/* test_loop.c - loops, posts from other threads, workers, the clock, log text.
 */
#include "build.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/loop.h"

struct trace {
	struct loop *loop;
	char text[64];
	unsigned count;
	pthread_t thread;
};

static void
trace_a(void *arg)
{
	struct trace *trace = arg;

	trace->text[trace->count++] = 'a';
}

static void
trace_b(void *arg)
{
	struct trace *trace = arg;

	trace->text[trace->count++] = 'b';
	trace->thread = pthread_self();
}

static void
trace_nested(void *arg)
{
	struct trace *trace = arg;

	assert_int_equal(0, loop_post(trace->loop, trace_b, trace));
	trace->text[trace->count++] = 'n';
}

static void
posts_run_in_order_and_after_the_present_callback(void **state)
{
	struct trace trace = { .loop = loop_new() };

	(void)state;
	assert_false(loop_turn(trace.loop));
	loop_post(trace.loop, trace_nested, &trace);
	loop_post(trace.loop, trace_a, &trace);
	assert_int_equal(0, trace.count);
	while (loop_turn(trace.loop))
		;
	assert_string_equal("nab", trace.text);
	assert_false(loop_turn(trace.loop));
	loop_free(&trace.loop);
	assert_null(trace.loop);
}

static void
posts_that_are_pending_are_run_when_the_loop_is_freed(void **state)
{
	struct trace trace = { .loop = loop_new() };

	(void)state;
	loop_post(trace.loop, trace_nested, &trace);
	loop_free(&trace.loop);
	assert_string_equal("nb", trace.text);
}

static void
worker_work(void *arg)
{
	struct trace *trace = arg;

	trace->text[trace->count++] = 'w';
}

static void
worker_done(void *arg)
{
	struct trace *trace = arg;

	trace_b(trace);
	loop_stop(trace->loop);
}

static void
work_is_done_elsewhere_and_reported_on_the_loop(void **state)
{
	struct trace trace = { .loop = loop_new() };
	struct worker_pool *pool = worker_pool_new(2);

	(void)state;
	assert_non_null(pool);
	assert_int_equal(0,
	    worker_submit(pool, trace.loop, worker_work, worker_done, &trace));
	loop_run(trace.loop);
	assert_string_equal("wb", trace.text);
	assert_true(pthread_equal(pthread_self(), trace.thread));
	worker_pool_free(&pool);
	loop_free(&trace.loop);
}

static void
a_loop_in_a_thread_ends_when_it_is_stopped(void **state)
{
	struct trace trace = { .loop = loop_new() };

	(void)state;
	assert_int_equal(0, loop_run_thread(trace.loop));
	loop_post(trace.loop, trace_b, &trace);
	loop_stop(trace.loop);
	loop_join(trace.loop);
	assert_string_equal("b", trace.text);
	assert_false(pthread_equal(pthread_self(), trace.thread));
	loop_free(&trace.loop);
}

static void
a_fixed_clock_moves_only_when_it_is_told(void **state)
{
	struct clock *clock = clock_new_fixed(1000);

	(void)state;
	assert_int_equal(1000, clock_now(clock));
	clock_advance(clock, 500);
	assert_int_equal(1500, clock_now(clock));
	clock_free(&clock);
	clock = clock_new();
	clock_advance(clock, 1000000000);
	assert_true(clock_now(clock) > 2500000000u);
	clock_free(&clock);
}

static void
text_of_clients_cannot_forge_a_log_line(void **state)
{
	char out[LOG_TEXT_ROOM];

	(void)state;
	assert_string_equal("a\\x0d\\x0ab\\\"\\\\\\x1b",
	    log_text(out, sizeof(out), "a\r\nb\"\\\x1b", 7));
	assert_string_equal("Vi\xe1\xbb\x87t \\xff\\xc2\\x85",
	    log_text(out, sizeof(out), "Vi\xe1\xbb\x87t \xff\xc2\x85", 10));
	assert_string_equal("abcd", log_text(out, 8, "abcdefgh", 8));
}

/* Is exactly this in the pipe, where each '#' stands for the moment and the
 * process? */
static void
assert_logged(int fd, const char *expected)
{
	char text[1024], want[1024], prefix[64];
	ssize_t len = read(fd, text, sizeof(text) - 1);
	size_t at = 0, prefix_len;

	text[len > 0 ? len : 0] = '\0';
	(void)snprintf(prefix, sizeof(prefix), " test[%ld]", (long)getpid());
	prefix_len = strlen("2026-11-22T01:30:00Z") + strlen(prefix);
	for (const char *c = expected; *c != '\0'; c++) {
		if (*c != '#') {
			want[at++] = *c;
			continue;
		}
		assert_true(strlen(text) >= at + prefix_len);
		memcpy(want + at, text + at, prefix_len);
		at += prefix_len;
		assert_memory_equal(want + at - strlen(prefix), prefix,
		    strlen(prefix));
	}
	want[at] = '\0';
	assert_string_equal(text, want);
}

static void
lines_held_are_written_together_and_errors_do_not_wait(void **state)
{
	int before = dup(STDERR_FILENO), ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	(void)dup2(ends[1], STDERR_FILENO);
	log_start("test", LOG_LEVEL_INFO);
	log_info("at %s", "once");
	assert_logged(ends[0], "# info: at once\n");
	log_hold();
	log_hold();
	log_info("one");
	log_debug("nobody asked");
	log_release();
	log_info("two\nlines");
	assert_logged(ends[0], "");
	log_err("three");
	assert_logged(ends[0],
	    "# info: one\n# info: two lines\n# err: three\n");
	log_info("four");
	log_release();
	assert_logged(ends[0], "# info: four\n");
	(void)dup2(before, STDERR_FILENO);
	(void)close(before);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    posts_run_in_order_and_after_the_present_callback),
		cmocka_unit_test(
		    posts_that_are_pending_are_run_when_the_loop_is_freed),
		cmocka_unit_test(
		    work_is_done_elsewhere_and_reported_on_the_loop),
		cmocka_unit_test(a_loop_in_a_thread_ends_when_it_is_stopped),
		cmocka_unit_test(a_fixed_clock_moves_only_when_it_is_told),
		cmocka_unit_test(text_of_clients_cannot_forge_a_log_line),
		cmocka_unit_test(
		    lines_held_are_written_together_and_errors_do_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
