/* control_impl.h - connections and requests of the control socket; for
 * control*.c only.
 */
#ifndef KITH_DAEMON_CONTROL_IMPL_H
#define KITH_DAEMON_CONTROL_IMPL_H

#include "daemon/control.h"
#include "protocol/buffer.h"

#define CONTROL_ARGS_MAX 64u

struct control_connection;
struct stream;

struct control_option_value {
	const char *name;
	const char *value;
};

struct control_request {
	struct event_base *base;
	struct control_connection *connection; /* NULL: the client is gone */
	const struct control_verb *verb;
	void *context;
	json_t *argv; /* owns the strings below */
	const char *args[CONTROL_ARGS_MAX];
	unsigned arg_count;
	struct control_option_value options[CONTROL_ARGS_MAX];
	unsigned option_count;
	struct buffer input;
	size_t expected; /* raw bytes that follow */
	json_t *columns;
	json_t *result;
	struct buffer text;
	struct buffer output;
	void (*drained)(void *arg);
	void *drained_arg;
};

/* Takes a reference of argv. NULL: no memory. */
struct control_request *control_request_new(struct event_base *base, json_t *argv);
void control_request_free(struct control_request **request);
/* Splits what follows noun and verb into arguments and options of the verb's
 * usage. NULL, or what is wrong: text for the caller to free. */
char *control_request_parse(struct control_request *request, size_t from);

/* control.c: the stream of the client, NULL if it is gone. */
struct stream *control_connection_stream(struct control_connection *connection);
/* The request is answered: the next one may come. Frees it. */
void control_connection_next(struct control_connection *connection);

#endif
