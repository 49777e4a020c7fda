/* control_request.c - one request of the control socket: its arguments, and
 * what the verb says to it.
 */
#include "build.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/control_impl.h"
#include "daemon/stream.h"

#define OUTPUT_MAX (256u * 1024u * 1024u)

struct control_request *
control_request_new(struct event_base *base, json_t *argv)
{
	struct control_request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->base = base;
	request->argv = json_incref(argv);
	buffer_init(&request->input, CONTROL_BYTES_MAX);
	buffer_init(&request->text, OUTPUT_MAX);
	buffer_init(&request->output, OUTPUT_MAX);
	return request;
}

void
control_request_free(struct control_request **request_p)
{
	struct control_request *request = *request_p;

	if (request == NULL)
		return;
	json_decref(request->argv);
	json_decref(request->columns);
	json_decref(request->result);
	/* it may be a password */
	if (request->input.bytes != NULL)
		explicit_bzero(request->input.bytes, request->input.len);
	buffer_fini(&request->input);
	buffer_fini(&request->text);
	buffer_fini(&request->output);
	free(request);
	*request_p = NULL;
}

/* ---- arguments */

enum option_form {
	OPTION_UNKNOWN,
	OPTION_FLAG,
	OPTION_VALUE
};

static bool
is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* How the usage text names this option ("--kind"). */
static enum option_form
option_form(const char *usage, struct span name)
{
	const char *at = usage;

	while (at != NULL && (at = strstr(at, "--")) != NULL) {
		size_t len = 2;

		while (is_letter(at[len]) || at[len] == '-')
			len++;
		if (span_equal(span_make(at, len), name))
			return at[len] == ' ' && is_letter(at[len + 1])
			    ? OPTION_VALUE
			    : OPTION_FLAG;
		at += len;
	}
	return OPTION_UNKNOWN;
}

__attribute__((format(printf, 1, 2))) static char *
complaint(const char *format, ...)
{
	struct buffer text;
	va_list args;

	buffer_init(&text, 0);
	va_start(args, format);
	buffer_vprintf(&text, format, args);
	va_end(args);
	return buffer_take(&text, NULL);
}

/* The option at argv[*i]; moves *i on if its value is the next word. */
static char *
parse_option(struct control_request *request, size_t *i)
{
	const char *word = json_string_value(json_array_get(request->argv, *i));
	const char *equals = strchr(word, '=');
	struct span name = equals == NULL
	    ? span_of(word)
	    : span_make(word, (size_t)(equals - word));
	struct control_option_value *option =
	    &request->options[request->option_count];
	enum option_form form = option_form(request->verb->usage, name);

	if (form == OPTION_UNKNOWN || name.len < 3)
		return complaint("there is no option %.*s here",
		    SPAN_ARG(name));
	option->name = word;
	option->value = "";
	if (form == OPTION_FLAG && equals != NULL)
		return complaint("%.*s takes no value", SPAN_ARG(name));
	if (form == OPTION_VALUE && equals != NULL)
		option->value = equals + 1;
	else if (form == OPTION_VALUE &&
	    *i + 1 < json_array_size(request->argv))
		option->value =
		    json_string_value(json_array_get(request->argv, ++*i));
	else if (form == OPTION_VALUE)
		return complaint("%.*s needs a value", SPAN_ARG(name));
	request->option_count++;
	return NULL;
}

char *
control_request_parse(struct control_request *request, size_t from)
{
	const struct control_verb *verb = request->verb;
	bool options = true;
	char *wrong = NULL;
	size_t i;

	for (i = from; i < json_array_size(request->argv) && wrong == NULL;
	     i++) {
		const char *word =
		    json_string_value(json_array_get(request->argv, i));

		if (options && strcmp(word, "--") == 0)
			options = false;
		else if (options && strncmp(word, "--", 2) == 0)
			wrong = parse_option(request, &i);
		else
			request->args[request->arg_count++] = word;
	}
	if (wrong == NULL && request->arg_count < verb->args_min)
		wrong = complaint("too few arguments");
	else if (wrong == NULL && request->arg_count > verb->args_max)
		wrong = complaint("too many arguments");
	return wrong;
}

void *
control_context(const struct control_request *request)
{
	return request->context;
}

const char *
control_arg(const struct control_request *request, unsigned i)
{
	return i < request->arg_count ? request->args[i] : NULL;
}

const char *
control_option(const struct control_request *request, const char *name)
{
	size_t len = strlen(name);
	unsigned i = request->option_count;

	while (i-- > 0) {
		const char *given = request->options[i].name;

		if (strncmp(given, name, len) == 0 &&
		    (given[len] == '\0' || given[len] == '='))
			return request->options[i].value;
	}
	return NULL;
}

struct span
control_input(const struct control_request *request)
{
	return buffer_span(&request->input);
}

/* ---- answers */

/* Takes the object. */
static void
say(struct control_request *request, json_t *line)
{
	struct stream *stream = control_connection_stream(request->connection);
	char *text = stream == NULL || line == NULL
	    ? NULL
	    : json_dumps(line, JSON_COMPACT);

	if (text != NULL) {
		stream_write(stream, text, strlen(text));
		stream_write(stream, "\n", 1);
	} else if (stream != NULL) {
		/* nothing is better than an answer with a hole in it */
		stream_close(stream);
	}
	free(text);
	json_decref(line);
}

void
control_columns(struct control_request *request, const char *first, ...)
{
	const char *name;
	va_list args;

	json_decref(request->columns);
	request->columns = json_array();
	va_start(args, first);
	for (name = first; name != NULL; name = va_arg(args, const char *))
		(void)json_array_append_new(request->columns,
		    json_string(name));
	va_end(args);
}

void
control_row(struct control_request *request, json_t *row)
{
	say(request, json_pack("{s:o}", "row", row));
}

bool
control_is_full(const struct control_request *request)
{
	const struct stream *stream =
	    control_connection_stream(request->connection);

	return stream != NULL && stream_is_full(stream);
}

static void
drained_soon(evutil_socket_t fd, short what, void *arg)
{
	struct control_request *request = arg;
	void (*fn)(void *arg) = request->drained;

	(void)fd;
	(void)what;
	request->drained = NULL;
	if (fn != NULL)
		fn(request->drained_arg);
}

void
control_when_drained(struct control_request *request, void (*fn)(void *arg),
    void *arg)
{
	static const struct timeval now = { 0, 0 };

	request->drained = fn;
	request->drained_arg = arg;
	if (!control_is_full(request))
		(void)event_base_once(request->base, -1, EV_TIMEOUT,
		    drained_soon, request, &now);
}

void
control_result(struct control_request *request, json_t *result)
{
	json_decref(request->result);
	request->result = result;
}

void
control_text(struct control_request *request, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buffer_vprintf(&request->text, format, args);
	va_end(args);
}

void
control_output(struct control_request *request, const void *bytes, size_t len)
{
	buffer_append(&request->output, bytes, len);
}

static void
finish(struct control_request *request)
{
	if (request->connection != NULL)
		control_connection_next(request->connection);
	else
		control_request_free(&request);
}

void
control_done(struct control_request *request)
{
	struct stream *stream = control_connection_stream(request->connection);
	json_t *line = json_pack("{s:b}", "ok", 1);

	if (buffer_failed(&request->text) || buffer_failed(&request->output)) {
		json_decref(line);
		control_fail(request, "too-large", "the answer is too large");
		return;
	}
	if (request->columns != NULL)
		(void)json_object_set(line, "columns", request->columns);
	if (request->result != NULL)
		(void)json_object_set(line, "result", request->result);
	if (request->text.len > 0)
		(void)json_object_set_new(line, "text",
		    json_stringn(request->text.bytes, request->text.len));
	if (request->output.len > 0)
		(void)json_object_set_new(line, "bytes",
		    json_integer((json_int_t)request->output.len));
	say(request, line);
	if (stream != NULL && request->output.len > 0)
		stream_write(stream, request->output.bytes,
		    request->output.len);
	finish(request);
}

void
control_fail(struct control_request *request, const char *code,
    const char *format, ...)
{
	struct buffer text;
	json_t *line;
	va_list args;

	buffer_init(&text, CONTROL_LINE_MAX);
	va_start(args, format);
	buffer_vprintf(&text, format, args);
	va_end(args);
	line = json_pack("{s:b, s:s}", "ok", 0, "code", code);
	/* what of the client is in it may be no UTF-8 */
	if (json_object_set_new(line, "error",
		json_string(buffer_text(&text))) != 0)
		(void)json_object_set_new(line, "error",
		    json_string("refused"));
	if (strcmp(code, CONTROL_USAGE) == 0)
		(void)json_object_set_new(line, "usage", json_true());
	buffer_fini(&text);
	say(request, line);
	finish(request);
}
