/* news_check.c - see news_check.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/news/session.h"
#include "tests/unit/news_check.h"

struct news_fixture fixture;

int
news_teardown(void **state)
{
	(void)state;
	news_fixture_close(&fixture);
	return 0;
}

int
news_open_with(struct news_fixture *f, const struct fixture_space *spaces,
    size_t count)
{
	if (news_fixture_open(f) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (fixture_space_add(f, &spaces[i]) != i + 1)
			return -1;
	return 0;
}

void
begins(const char *text, const char *with)
{
	if (strncmp(text, with, strlen(with)) != 0)
		fail_msg("\"%.200s\" does not begin with \"%s\"", text, with);
}

void
contains(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("\"%.2000s\" lacks \"%s\"", text, what);
}

void
lacks(const char *text, const char *what)
{
	if (strstr(text, what) != NULL)
		fail_msg("\"%.2000s\" has \"%s\"", text, what);
}

void
client_open_greeted(struct news_fixture *f, struct client *client)
{
	client_open(f, client);
	begins(client_wait(client, "\r\n"), "200 ");
	buffer_clear(&client->text);
}

void
check_answers(struct client *client, const struct answer *answers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *got = client_ask(client, answers[i].line);
		size_t len = strlen(answers[i].answer);
		bool whole = answers[i].answer[len - 1] != '*';

		if (whole ? strcmp(got, answers[i].answer) != 0
			  : strncmp(got, answers[i].answer, len - 1) != 0)
			fail_msg("%s: expected %s, got %s", answers[i].line,
			    answers[i].answer, got);
	}
}

void
check_session(const struct answer *answers, size_t count)
{
	struct client client;

	client_open_greeted(&fixture, &client);
	check_answers(&client, answers, count);
	client_close(&client);
}

/* Over sockets: a pair in memory has no half that could be closed. */
void
say_and_close(const char *said, char **text_r)
{
	struct stream *theirs;
	struct buffer heard;
	char bytes[1024];
	time_t start = time(NULL);
	ssize_t got = -1;
	int fds[2];

	buffer_init(&heard, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			     fds),
	    0);
	theirs = stream_new_socket(loop_base(fixture.loop), fds[1], NULL, NULL,
	    NULL);
	assert_non_null(theirs);
	news_session_new(fixture.server, 0, theirs, false);
	assert_int_equal(write(fds[0], said, strlen(said)), strlen(said));
	assert_int_equal(shutdown(fds[0], SHUT_WR), 0);
	while (got != 0 && time(NULL) < start + 10) {
		fixture_turn(&fixture);
		got = read(fds[0], bytes, sizeof bytes);
		if (got > 0)
			buffer_append(&heard, bytes, (size_t)got);
	}
	(void)close(fds[0]);
	*text_r = buffer_take(&heard, NULL);
}

const char *
client_post(struct client *client, const char *article)
{
	/* what came before is over */
	begins(client_ask(client, "STAT x"), "501 ");
	buffer_clear(&client->text);
	client_send(client, "POST\r\n");
	begins(client_wait(client, "\r\n"), "340 ");
	buffer_clear(&client->text);
	client_send(client, article);
	return client_wait(client, "\r\n");
}
