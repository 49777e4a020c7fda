/* core_parse.c - core's end of the channel to its parse worker.
 */
#include "build.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/config.h"
#include "daemon/core_mail.h"
#include "daemon/ipc.h"
#include "daemon/log.h"
#include "daemon/messages.h"
#include "protocol/mail_summary.h"

#define PARSE_SECONDS 10u

struct core_parse {
	struct event_base *base;
	struct ipc *ipc;
	const struct config *config;
	struct parse_port port;
	void (*kill)(void *arg);
	void *kill_arg;
};

struct parse_request {
	struct core_parse *parse;
	struct ipc *ipc; /* as it was: a worker that was replaced is not killed */
	time_t begun;	 /* monotonic seconds */
	void (*parsed)(void *arg, const struct mail_summary *summary);
	void (*masked)(void *arg, struct span masked);
	void *arg;
};

static time_t
monotonic_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* No answer: the worker hangs, or it died, and then the parent knows already
 * and whoever it started since must not be killed for it. */
static void
worker_failed(const struct parse_request *request)
{
	const struct core_parse *parse = request->parse;

	if (parse->ipc != request->ipc || parse->kill == NULL ||
	    monotonic_seconds() - request->begun < (time_t)PARSE_SECONDS)
		return;
	log_warning("the parse worker hangs, it is started anew");
	parse->kill(parse->kill_arg);
}

static void
parse_answered(void *arg, struct ipc_reader *fields)
{
	struct parse_request *request = arg;
	struct mail_summary summary = { 0 };
	bool good = false;

	if (fields != NULL) {
		struct span encoded = ipc_get_payload(fields);

		good = !ipc_reader_bad(fields) && encoded.len > 0 &&
		    mail_summary_decode(encoded.bytes, encoded.len, &summary) == 0;
	} else {
		worker_failed(request);
	}
	request->parsed(request->arg, good ? &summary : NULL);
	if (good)
		mail_summary_fini(&summary);
	free(request);
}

static void
mask_answered(void *arg, struct ipc_reader *fields)
{
	struct parse_request *request = arg;
	struct span masked = { NULL, 0 };

	if (fields != NULL) {
		masked = ipc_get_payload(fields);
		if (ipc_reader_bad(fields))
			masked = span_make(NULL, 0);
	} else {
		worker_failed(request);
	}
	request->masked(request->arg, masked);
	free(request);
}

/* Asks the worker; the frame's fields after the message are the caller's. Takes
 * the writer. */
static int
request_begin(struct core_parse *parse, const struct parse_request *wanted,
    struct ipc_writer *writer, ipc_answered answered)
{
	struct parse_request *request = malloc(sizeof *request);
	int error;

	if (request == NULL)
		return -ENOMEM;
	*request = *wanted;
	request->parse = parse;
	request->ipc = parse->ipc;
	request->begun = monotonic_seconds();
	error = ipc_call(parse->ipc, writer, IPC_INTAKE, PARSE_SECONDS,
	    answered, request);
	if (error != 0)
		free(request);
	return error;
}

static int
port_parse(void *arg, struct span message, const char *envelope_from,
    void (*done)(void *arg, const struct mail_summary *summary), void *done_arg)
{
	struct core_parse *parse = arg;
	const struct parse_request request = { .parsed = done, .arg = done_arg };
	struct ipc_writer *writer;

	if (parse->ipc == NULL)
		return -ENOTCONN;
	writer = ipc_writer_new(MESSAGE_PARSE);
	ipc_put_payload(writer, message);
	ipc_put_text(writer, envelope_from == NULL ? "" : envelope_from);
	ipc_put_text(writer, parse->config->authserv_id);
	ipc_put_text(writer, parse->config->domain);
	ipc_put_u32(writer, MAIL_TEXT_DEFAULT);
	return request_begin(parse, &request, writer, parse_answered);
}

static int
port_mask(void *arg, struct span message,
    void (*done)(void *arg, struct span masked), void *done_arg)
{
	struct core_parse *parse = arg;
	const struct parse_request request = { .masked = done, .arg = done_arg };
	struct ipc_writer *writer;

	if (parse->ipc == NULL)
		return -ENOTCONN;
	writer = ipc_writer_new(MESSAGE_MASK);
	ipc_put_payload(writer, message);
	ipc_put_text(writer, parse->config->domain);
	return request_begin(parse, &request, writer, mask_answered);
}

static void
channel_closed(void *arg, struct ipc *ipc)
{
	struct core_parse *parse = arg;

	if (parse->ipc == ipc)
		ipc_free(&parse->ipc);
}

static const struct ipc_handler channel_handler = {
	.closed = channel_closed,
};

struct core_parse *
core_parse_new(struct event_base *base)
{
	struct core_parse *parse = calloc(1, sizeof *parse);

	if (parse == NULL)
		return NULL;
	parse->base = base;
	parse->port = (struct parse_port){
		.parse = port_parse, .mask = port_mask, .arg = parse
	};
	return parse;
}

void
core_parse_free(struct core_parse **parse_p)
{
	if (*parse_p == NULL)
		return;
	ipc_free(&(*parse_p)->ipc);
	free(*parse_p);
	*parse_p = NULL;
}

const struct parse_port *
core_parse_port(struct core_parse *parse)
{
	return &parse->port;
}

void
core_parse_set_config(struct core_parse *parse, const struct config *config)
{
	parse->config = config;
}

void
core_parse_set_kill(
    struct core_parse *parse, void (*fn)(void *arg), void *arg)
{
	parse->kill = fn;
	parse->kill_arg = arg;
}

void
core_parse_connect(struct core_parse *parse, int fd)
{
	ipc_free(&parse->ipc);
	parse->ipc = ipc_new(parse->base, fd, &channel_handler, parse);
	if (parse->ipc == NULL)
		log_err("no channel to the parse worker: out of memory");
}
