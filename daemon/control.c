/* control.c - the control socket: connections, lines, dispatch.
 */
#include "build.h"

#include "daemon/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/control_impl.h"
#include "daemon/log.h"
#include "daemon/stream.h"

#define TABLES_MAX 32u

struct control_table {
	const struct control_verb *verbs;
	size_t count;
	void *context;
};

struct control {
	struct event_base *base;
	struct event *accept;
	int listener;
	struct control_table tables[TABLES_MAX];
	size_t table_count;
	struct control_connection *first;
	unsigned connection_count;
};

struct control_connection {
	struct control_connection *next, **back;
	struct control *control;
	struct stream *stream;
	struct control_request *request; /* one at a time */
	bool running;                    /* its verb is at work */
	void (*closed)(void *arg);
	void *closed_arg;
};

struct stream *
control_connection_stream(struct control_connection *connection)
{
	return connection == NULL ? NULL : connection->stream;
}

/* ---- dispatch */

static const struct control_verb *
control_find(const struct control *control, const char *noun, const char *verb,
    void **context_r)
{
	size_t i, j;

	for (i = 0; i < control->table_count; i++) {
		const struct control_table *table = &control->tables[i];

		for (j = 0; j < table->count; j++) {
			const struct control_verb *row = &table->verbs[j];

			if (strcmp(row->noun, noun) != 0 ||
			    (row->verb != NULL &&
				(verb == NULL || strcmp(row->verb, verb) != 0)))
				continue;
			*context_r = table->context;
			return row;
		}
	}
	return NULL;
}

static void
fail_unknown(const struct control *control, struct control_request *request,
    const char *noun)
{
	struct buffer verbs;
	size_t i, j;

	buffer_init(&verbs, CONTROL_LINE_MAX);
	for (i = 0; i < control->table_count; i++)
		for (j = 0; j < control->tables[i].count; j++) {
			const struct control_verb *row =
			    &control->tables[i].verbs[j];

			if (strcmp(row->noun, noun) == 0)
				buffer_printf(&verbs, "%s%s",
				    verbs.len > 0 ? ", " : "", row->verb);
		}
	if (verbs.len > 0)
		control_fail(request, CONTROL_USAGE, "%s what? One of: %s",
		    noun, buffer_text(&verbs));
	else
		control_fail(request, CONTROL_USAGE,
		    "there is no command \"%s\"; kithctl help lists them",
		    noun);
	buffer_fini(&verbs);
}

static void
help_row(struct control_request *request, const struct control_verb *row)
{
	json_t *usage = json_sprintf("kithctl %s%s%s%s%s", row->noun,
	    row->verb == NULL ? "" : " ", row->verb == NULL ? "" : row->verb,
	    row->usage == NULL || row->usage[0] == '\0' ? "" : " ",
	    row->usage == NULL ? "" : row->usage);

	control_row(request, json_pack("{s:o}", "usage", usage));
}

static void
run_help(struct control_request *request)
{
	const struct control *control = control_context(request);
	const char *noun = control_arg(request, 0);
	bool found = noun == NULL;

	control_columns(request, "usage", (char *)NULL);
	for (size_t i = 0; i < control->table_count; i++)
		for (size_t j = 0; j < control->tables[i].count; j++) {
			const struct control_verb *row =
			    &control->tables[i].verbs[j];

			if (noun != NULL && strcmp(row->noun, noun) != 0)
				continue;
			found = true;
			help_row(request, row);
		}
	if (found)
		control_done(request);
	else
		fail_unknown(control, request, noun);
}

static const struct control_verb help_verbs[] = {
	{ "help", NULL, "[NOUN]", 0, 1, run_help, 0 },
};

static const char *
word_at(const struct control_request *request, size_t i)
{
	return json_string_value(json_array_get(request->argv, i));
}

static void
connection_run(struct control_connection *connection)
{
	struct control_request *request = connection->request;
	const struct control *control = connection->control;
	const char *noun = word_at(request, 0), *verb = word_at(request, 1);
	const struct control_verb *row =
	    control_find(control, noun, verb, &request->context);
	char *wrong;

	connection->running = true;
	stream_pause(connection->stream);
	if (row == NULL) {
		fail_unknown(control, request, noun);
		return;
	}
	request->verb = row;
	wrong = control_request_parse(request, row->verb == NULL ? 1 : 2);
	if (wrong == NULL && request->expected > 0 &&
	    (row->flags & CONTROL_TAKES_BYTES) == 0)
		wrong = strdup("nothing is read here");
	if (wrong != NULL) {
		control_fail(request, CONTROL_USAGE,
		    "%s; usage: kithctl %s%s%s%s%s", wrong, row->noun,
		    row->verb == NULL ? "" : " ",
		    row->verb == NULL ? "" : row->verb,
		    row->usage == NULL || row->usage[0] == '\0' ? "" : " ",
		    row->usage == NULL ? "" : row->usage);
		free(wrong);
		return;
	}
	row->run(request);
}

void
control_connection_next(struct control_connection *connection)
{
	control_request_free(&connection->request);
	connection->running = false;
	stream_resume(connection->stream);
}

/* ---- lines */

static bool
is_argv(const json_t *argv)
{
	size_t i, count = json_array_size(argv);

	if (count == 0 || count > CONTROL_ARGS_MAX)
		return false;
	for (i = 0; i < count; i++)
		if (!json_is_string(json_array_get(argv, i)))
			return false;
	return true;
}

/* False: not a request; the connection is of no use any more. */
static bool
connection_take_line(struct control_connection *connection, struct span line)
{
	json_t *root =
	    json_loadb(line.bytes, line.len, JSON_REJECT_DUPLICATES, NULL);
	json_t *argv = json_object_get(root, "argv");
	const json_t *bytes = json_object_get(root, "bytes");
	json_int_t expected = json_integer_value(bytes);
	bool good = is_argv(argv) && expected >= 0 &&
	    expected <= CONTROL_BYTES_MAX &&
	    (bytes == NULL || json_is_integer(bytes));

	if (good) {
		connection->request =
		    control_request_new(connection->control->base, argv);
		good = connection->request != NULL;
	}
	if (good) {
		connection->request->connection = connection;
		connection->request->expected = (size_t)expected;
	}
	json_decref(root);
	return good;
}

static void
connection_refuse(struct control_connection *connection)
{
	static const char answer[] =
	    "{\"ok\":false,\"error\":\"not a request\",\"code\":\"protocol\"}\n";

	stream_write(connection->stream, answer, sizeof(answer) - 1);
	stream_close(connection->stream);
}

/* One line, if it is whole. False: nothing more to do now. */
static bool
connection_read_line(struct control_connection *connection)
{
	struct span input = stream_input(connection->stream);
	const char *end = memchr(input.bytes, '\n', input.len);
	size_t len = end == NULL ? 0 : (size_t)(end - input.bytes);

	if (end == NULL && input.len < CONTROL_LINE_MAX)
		return false;
	if (end == NULL ||
	    !connection_take_line(connection, span_make(input.bytes, len))) {
		connection_refuse(connection);
		return false;
	}
	stream_consume(connection->stream, len + 1);
	return true;
}

static bool
connection_read_bytes(struct control_connection *connection)
{
	struct control_request *request = connection->request;
	struct span input = stream_input(connection->stream);
	size_t missing = request->expected - request->input.len;

	if (input.len > missing)
		input.len = missing;
	buffer_append_span(&request->input, input);
	stream_consume(connection->stream, input.len);
	if (buffer_failed(&request->input)) {
		stream_close(connection->stream);
		return false;
	}
	return request->input.len == request->expected;
}

static void
on_readable(void *arg)
{
	struct control_connection *connection = arg;

	if (connection->running)
		return;
	if (connection->request == NULL && !connection_read_line(connection))
		return;
	if (connection_read_bytes(connection))
		connection_run(connection);
}

static void
on_drained(void *arg)
{
	struct control_connection *connection = arg;
	struct control_request *request = connection->request;
	void (*fn)(void *arg);

	if (request == NULL || request->drained == NULL)
		return;
	fn = request->drained;
	request->drained = NULL;
	fn(request->drained_arg);
}

/* ---- connections */

/* Gives up the request: a verb at work frees it when it has finished. */
static void
connection_free(struct control_connection *connection)
{
	struct control_request *request = connection->request;

	*connection->back = connection->next;
	if (connection->next != NULL)
		connection->next->back = connection->back;
	connection->control->connection_count--;
	connection->request = NULL;
	if (request != NULL) {
		request->connection = NULL;
		if (!connection->running)
			control_request_free(&request);
		else if (request->drained != NULL)
			control_when_drained(request, request->drained,
			    request->drained_arg);
	}
	stream_free(&connection->stream);
	free(connection);
}

static void
on_ended(void *arg, enum stream_end why)
{
	struct control_connection *connection = arg;
	void (*closed)(void *arg) = connection->closed;
	void *closed_arg = connection->closed_arg;

	(void)why;
	connection->stream = NULL;
	connection_free(connection);
	if (closed != NULL)
		closed(closed_arg);
}

static const struct stream_handler control_handler = {
	.readable = on_readable,
	.drained = on_drained,
	.ended = on_ended,
};

int
control_serve(struct control *control, int fd, void (*closed)(void *arg),
    void *arg)
{
	struct control_connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	connection->control = control;
	connection->stream = stream_new_socket(control->base, fd, NULL,
	    &control_handler, connection);
	if (connection->stream == NULL) {
		free(connection);
		return -ENOMEM;
	}
	connection->closed = closed;
	connection->closed_arg = arg;
	connection->next = control->first;
	connection->back = &control->first;
	if (connection->next != NULL)
		connection->next->back = &connection->next;
	control->first = connection;
	control->connection_count++;
	return 0;
}

static void
on_accept(evutil_socket_t listener, short what, void *arg)
{
	struct control *control = arg;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd < 0)
		return;
	if (control->connection_count >= CONTROL_CONNECTIONS) {
		log_warning("control: more than %u connections",
		    CONTROL_CONNECTIONS);
		(void)close(fd);
		return;
	}
	(void)control_serve(control, fd, NULL, NULL);
}

struct control *
control_new(struct event_base *base, int listener)
{
	struct control *control = calloc(1, sizeof(*control));

	if (control == NULL)
		goto fail;
	control->base = base;
	control->listener = listener;
	(void)control_add(control, help_verbs, 1, control);
	if (listener < 0)
		return control;
	control->accept =
	    event_new(base, listener, EV_READ | EV_PERSIST, on_accept, control);
	if (control->accept != NULL && event_add(control->accept, NULL) == 0)
		return control;
	control_free(&control);
	return NULL;
fail:
	if (listener >= 0)
		(void)close(listener);
	return NULL;
}

void
control_free(struct control **control_p)
{
	struct control *control = *control_p;

	if (control == NULL)
		return;
	while (control->first != NULL)
		connection_free(control->first);
	if (control->accept != NULL)
		event_free(control->accept);
	if (control->listener >= 0)
		(void)close(control->listener);
	free(control);
	*control_p = NULL;
}

int
control_add(struct control *control, const struct control_verb *verbs,
    size_t count, void *context)
{
	if (control->table_count == TABLES_MAX)
		return -E2BIG;
	control->tables[control->table_count++] =
	    (struct control_table){ verbs, count, context };
	return 0;
}
