/* client.c - see client.h.
 */
#include "build.h"

#include "tests/client.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>
#include <sys/socket.h>

#define SECONDS_MAX 10

static void
client_readable(void *arg)
{
	struct client *client = arg;
	struct span input = stream_input(client->stream);

	if (client->limit != 0 && client->text.len >= client->limit) {
		stream_pause(client->stream);
		return;
	}
	buffer_append_span(&client->text, input);
	stream_consume(client->stream, input.len);
}

static void
client_drained(void *arg)
{
	(void)arg;
}

static void
client_ended(void *arg, enum stream_end why)
{
	struct client *client = arg;

	(void)why;
	client->stream = NULL;
}

static const struct stream_handler client_handler = {
	.readable = client_readable,
	.drained = client_drained,
	.ended = client_ended,
};

static void
client_init(struct client *client, struct loop *loop)
{
	memset(client, 0, sizeof *client);
	client->loop = loop;
	buffer_init(&client->text, 0);
}

struct stream *
client_connect(struct client *client, struct loop *loop)
{
	struct stream *theirs = NULL;

	client_init(client, loop);
	if (stream_new_pair(loop_base(loop), &client->stream, &theirs) != 0)
		abort();
	stream_set_handler(client->stream, &client_handler, client);
	return theirs;
}

struct stream *
client_connect_socket(struct client *client, struct loop *loop,
    struct ssl_ctx_st *tls)
{
	struct event_base *base = loop_base(loop);
	struct stream *theirs;
	int fds[2];

	client_init(client, loop);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) != 0)
		abort();
	client->stream =
	    stream_new_socket(base, fds[0], NULL, &client_handler, client);
	theirs = stream_new_socket(base, fds[1], tls, NULL, NULL);
	if (client->stream == NULL || theirs == NULL)
		abort();
	return theirs;
}

void
client_settle(struct loop *loop)
{
	for (int i = 0; i < 1000 && loop_turn(loop); i++)
		continue;
}

void
client_close(struct client *client)
{
	stream_free(&client->stream);
	client_settle(client->loop);
	buffer_fini(&client->text);
}

void
client_send_bytes(struct client *client, const void *bytes, size_t len)
{
	if (client->stream != NULL)
		stream_write(client->stream, bytes, len);
}

void
client_send(struct client *client, const char *text)
{
	client_send_bytes(client, text, strlen(text));
}

/* Waits for an event; false when too much time has passed since `start`. */
static bool
client_pump(struct client *client, time_t start)
{
	struct timeval tick = { 0, 100000 };

	if (loop_turn(client->loop))
		return true;
	if (time(NULL) > start + SECONDS_MAX)
		return false;
	/* a worker or the writer has it: wait until something comes */
	(void)event_base_loopexit(loop_base(client->loop), &tick);
	(void)event_base_loop(loop_base(client->loop), EVLOOP_ONCE);
	return true;
}

const char *
client_wait(struct client *client, const char *text)
{
	time_t start = time(NULL);
	size_t len = strlen(text), from = 0;

	/* only what is new is searched: answers can be long */
	while (client->text.len < from + len ||
	    memmem(client->text.bytes + from, client->text.len - from, text,
		len) == NULL) {
		from = client->text.len < len ? 0 : client->text.len - len;
		if (client->stream == NULL || !client_pump(client, start))
			break;
	}
	return buffer_text(&client->text);
}

const char *
client_wait_end(struct client *client)
{
	time_t start = time(NULL);

	while (client->stream != NULL && client_pump(client, start))
		continue;
	return buffer_text(&client->text);
}
