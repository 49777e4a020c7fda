/* test_control.c - the control socket: arguments, options, raw bytes, rows and
 * what a mistake gets.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/control.h"
#include "daemon/loop.h"

struct fixture {
	struct loop *loop;
	struct control *control;
	int fd;
	unsigned closed;
	struct control_request *waiting;
	char got[4096];
};

static void
run_echo(struct control_request *request)
{
	struct span input = control_input(request);

	control_columns(request, "arg", "kind", NULL);
	control_row(request,
	    json_pack("{s:s?, s:s?, s:b}", "arg", control_arg(request, 0),
		"kind", control_option(request, "--kind"), "fast",
		control_option(request, "--fast") != NULL));
	if (input.len > 0)
		control_output(request, input.bytes, input.len);
	control_done(request);
}

static void
run_wait(struct control_request *request)
{
	struct fixture *f = control_context(request);

	f->waiting = request;
}

static const struct control_verb verbs[] = {
	{ "thing", "echo", "[NAME] [--kind KIND] [--fast]", 0, 1, run_echo,
	    CONTROL_TAKES_BYTES },
	{ "thing", "wait", "", 0, 0, run_wait, 0 },
	{ "wait", NULL, "", 0, 0, run_wait, 0 },
};

static void
on_closed(void *arg)
{
	struct fixture *f = arg;

	f->closed++;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[2];

	f->loop = loop_new();
	f->control = control_new(loop_base(f->loop), -1);
	assert_int_equal(0, control_add(f->control, verbs, 3, f));
	assert_int_equal(0,
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
	assert_int_equal(0, control_serve(f->control, fds[0], on_closed, f));
	f->fd = fds[1];
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	control_free(&f->control);
	if (f->fd >= 0)
		(void)close(f->fd);
	loop_free(&f->loop);
	free(f);
	return 0;
}

static const char *
say(struct fixture *f, const char *text)
{
	unsigned quiet = 0;
	ssize_t got;

	if (text != NULL)
		assert_int_equal(strlen(text),
		    write(f->fd, text, strlen(text)));
	while (quiet < 3)
		quiet = loop_turn(f->loop) ? 0 : quiet + 1;
	got = read(f->fd, f->got, sizeof(f->got) - 1);
	f->got[got > 0 ? got : 0] = '\0';
	return f->got;
}

static void
words_reach_the_verb_as_arguments_and_options(void **state)
{
	assert_string_equal(
	    "{\"row\":{\"arg\":\"x\",\"kind\":\"--odd\",\"fast\":true}}\n"
	    "{\"ok\":true,\"columns\":[\"arg\",\"kind\"]}\n",
	    say(*state,
		"{\"argv\":[\"thing\",\"echo\",\"--fast\",\"x\",\"--kind\",\"--odd\"]}\n"));
	assert_string_equal(
	    "{\"row\":{\"arg\":\"--fast\",\"kind\":\"a=b\",\"fast\":false}}\n"
	    "{\"ok\":true,\"columns\":[\"arg\",\"kind\"]}\n",
	    say(*state,
		"{\"argv\":[\"thing\",\"echo\",\"--kind=a=b\",\"--\",\"--fast\"]}\n"));
}

static void
raw_bytes_follow_a_request_and_an_answer(void **state)
{
	assert_string_equal(
	    "{\"row\":{\"arg\":null,\"kind\":null,\"fast\":false}}\n"
	    "{\"ok\":true,\"columns\":[\"arg\",\"kind\"],\"bytes\":4}\na\nb\n",
	    say(*state, "{\"argv\":[\"thing\",\"echo\"],\"bytes\":4}\na\nb\n"));
}

static void
a_usage_error_says_how_the_verb_is_used(void **state)
{
	static const char *const lines[] = {
		"{\"argv\":[\"thing\",\"echo\",\"a\",\"b\"]}\n",
		"{\"argv\":[\"thing\",\"echo\",\"--slow\"]}\n",
		"{\"argv\":[\"thing\",\"echo\",\"--kind\"]}\n",
		"{\"argv\":[\"thing\",\"echo\",\"--fast=1\"]}\n",
		"{\"argv\":[\"thing\",\"echo\",\"--kin\"]}\n",
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *got = say(*state, lines[i]);

		assert_non_null(strstr(got, "\"usage\":true"));
		assert_non_null(strstr(got,
		    "usage: kithctl thing echo [NAME] [--kind KIND] [--fast]"));
	}
	assert_non_null(strstr(say(*state, "{\"argv\":[\"thing\",\"run\"]}\n"),
	    "One of: echo, wait"));
	assert_non_null(
	    strstr(say(*state, "{\"argv\":[\"other\"]}\n"), "\"usage\":true"));
}

static void
help_lists_the_commands_as_they_are_used(void **state)
{
	struct fixture *f = *state;
	const char *text = say(f, "{\"argv\":[\"help\"]}\n");

	assert_non_null(strstr(text,
	    "{\"row\":{\"usage\":\"kithctl thing echo [NAME] [--kind KIND]"
	    " [--fast]\"}}\n{\"row\":{\"usage\":\"kithctl thing wait\"}}\n"
	    "{\"row\":{\"usage\":\"kithctl wait\"}}\n"));
	assert_string_equal(
	    "{\"row\":{\"usage\":\"kithctl wait\"}}\n"
	    "{\"ok\":true,\"columns\":[\"usage\"]}\n",
	    say(f, "{\"argv\":[\"help\",\"wait\"]}\n"));
	assert_non_null(strstr(say(f, "{\"argv\":[\"help\",\"what\"]}\n"),
	    "there is no command"));
}

static void
requests_wait_for_the_one_before_them(void **state)
{
	struct fixture *f = *state;

	assert_string_equal("",
	    say(f,
		"{\"argv\":[\"wait\"]}\n{\"argv\":[\"thing\",\"echo\",\"y\"]}\n"));
	assert_non_null(f->waiting);
	control_text(f->waiting, "done %d", 1);
	control_done(f->waiting);
	assert_string_equal(
	    "{\"ok\":true,\"text\":\"done 1\"}\n"
	    "{\"row\":{\"arg\":\"y\",\"kind\":null,\"fast\":false}}\n"
	    "{\"ok\":true,\"columns\":[\"arg\",\"kind\"]}\n",
	    say(f, NULL));
}

static void
a_verb_may_finish_after_its_client_has_gone(void **state)
{
	struct fixture *f = *state;

	say(f, "{\"argv\":[\"wait\"]}\n");
	control_free(&f->control);
	control_row(f->waiting, json_object());
	assert_false(control_is_full(f->waiting));
	control_fail(f->waiting, "gone", "nobody hears this");
}

static void
what_is_not_a_request_ends_the_connection(void **state)
{
	struct fixture *f = *state;

	assert_non_null(
	    strstr(say(f, "{\"argv\":[1]}\n"), "\"code\":\"protocol\""));
	assert_int_equal(1, f->closed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(words_reach_the_verb_as_arguments_and_options),
		TEST(raw_bytes_follow_a_request_and_an_answer),
		TEST(a_usage_error_says_how_the_verb_is_used),
		TEST(help_lists_the_commands_as_they_are_used),
		TEST(requests_wait_for_the_one_before_them),
		TEST(a_verb_may_finish_after_its_client_has_gone),
		TEST(what_is_not_a_request_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
