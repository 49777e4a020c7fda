/* community_kithctl.c - the verbs of kithctl, asked over a socket pair.
 */
#include "tests/unit/community_fixture.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <event2/event.h>
#pragma GCC diagnostic pop

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/community/admin.h"

struct talk {
	int fd;
	struct buffer answer;
	bool over;
};

/* The line that says how it went has come, to its end. */
static bool
answer_is_whole(const struct buffer *answer)
{
	const char *ok = strstr(buffer_text(answer), "\"ok\"");

	return ok != NULL && strchr(ok, '\n') != NULL;
}

static void
on_answer(evutil_socket_t fd, short events, void *arg)
{
	struct talk *talk = arg;
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof bytes);

	(void)events;
	if (n > 0)
		buffer_append(&talk->answer, bytes, (size_t)n);
	if (n <= 0 || answer_is_whole(&talk->answer))
		talk->over = true;
}

static char *
request_line(const char *const *words, size_t input_len)
{
	json_t *argv = json_array(), *request;
	char *text;

	for (; *words != NULL; words++)
		(void)json_array_append_new(argv, json_string(*words));
	request = json_pack("{s:o}", "argv", argv);
	if (input_len > 0)
		(void)json_object_set_new(request, "bytes",
		    json_integer((json_int_t)input_len));
	text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	return text;
}

static struct control *
control_open(struct fixture *fixture)
{
	struct control *control = control_new(loop_base(fixture->loop), -1);

	assert_non_null(control);
	assert_int_equal(admin_add_verbs(control, fixture->community), 0);
	return control;
}

int
fixture_kithctl(struct fixture *fixture, const char *const *words,
    const char *input, char **answer_r)
{
	struct control *control = control_open(fixture);
	struct talk talk = { .over = false };
	size_t input_len = input == NULL ? 0 : strlen(input);
	char *line = request_line(words, input_len);
	struct event *event;
	int pair[2], rc;

	assert_non_null(line);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	(void)evutil_make_socket_nonblocking(pair[1]);
	buffer_init(&talk.answer, 0);
	assert_int_equal(control_serve(control, pair[1], NULL, NULL), 0);
	event = event_new(loop_base(fixture->loop), pair[0],
	    EV_READ | EV_PERSIST, on_answer, &talk);
	assert_int_equal(event_add(event, NULL), 0);
	assert_true(dprintf(pair[0], "%s\n", line) > 0);
	if (input_len > 0)
		assert_int_equal(write(pair[0], input, input_len), input_len);
	fixture_wait(fixture, &talk.over);
	rc = strstr(buffer_text(&talk.answer), "\"ok\":true") != NULL ||
	    strstr(buffer_text(&talk.answer), "\"ok\": true") != NULL;
	event_free(event);
	(void)close(pair[0]);
	control_free(&control);
	free(line);
	if (answer_r != NULL)
		*answer_r = buffer_take(&talk.answer, NULL);
	buffer_fini(&talk.answer);
	return rc ? 0 : 1;
}
