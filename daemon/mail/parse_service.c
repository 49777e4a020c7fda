/* parse_service.c - answers to MESSAGE_PARSE and MESSAGE_MASK on one channel.
 */
#include "build.h"

#include "daemon/mail/parse_service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "daemon/ipc.h"
#include "daemon/log.h"
#include "daemon/messages.h"
#include "protocol/mail_summary.h"
#include "protocol/mask.h"

#define PARSE_CPU_SECONDS 8 /* a mail; less than the asker's patience */

struct parse_service {
	struct ipc *ipc;
	char *hostname;
};

/* SIGPROF ends the process when this much CPU time has gone; 0: it may take
 * what it wants. */
static void
cpu_limit(time_t seconds)
{
	const struct itimerval timer = { .it_value = { seconds, 0 } };

	(void)setitimer(ITIMER_PROF, &timer, NULL);
}

/* A field as a string; NULL: no memory. */
static char *
text_of(struct span field)
{
	return strndup(field.len == 0 ? "" : field.bytes, field.len);
}

static void
on_parse(struct parse_service *service, struct ipc *ipc, uint32_t request,
    struct ipc_reader *fields)
{
	struct span message = ipc_get_payload(fields);
	char *from = text_of(ipc_get_bytes(fields));
	char *authserv = text_of(ipc_get_bytes(fields));
	char *domain = text_of(ipc_get_bytes(fields));
	struct mail_summary_options options = {
		.envelope_from = from,
		.authserv_id = authserv,
		.domain = domain,
		.hostname = service->hostname,
		.text_max = ipc_get_u32(fields),
	};
	struct mail_summary summary;
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_PARSE);
	struct buffer out;

	buffer_init(&out, 0);
	/* empty: it cannot be parsed, without any crash */
	if (!ipc_reader_bad(fields) && from != NULL && authserv != NULL &&
	    domain != NULL &&
	    mail_summary_build(message.bytes, message.len, &options,
		&summary) == 0) {
		mail_summary_encode(&out, &summary);
		mail_summary_fini(&summary);
	}
	ipc_put_payload(writer,
	    buffer_failed(&out) ? span_make("", 0) : buffer_span(&out));
	(void)ipc_answer(ipc, request, writer);
	buffer_fini(&out);
	free(from);
	free(authserv);
	free(domain);
}

static void
on_mask(struct ipc *ipc, uint32_t request, struct ipc_reader *fields)
{
	struct span message = ipc_get_payload(fields);
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_MASK);
	struct buffer out;
	int rc = -EBADMSG;

	buffer_init(&out, 0);
	if (!ipc_reader_bad(fields))
		rc = mail_mask_tokens(&out, message, false, NULL);
	/* empty: it could not be masked and must not go out */
	ipc_put_payload(writer,
	    rc < 0 || buffer_failed(&out) ? span_make("", 0)
					  : buffer_span(&out));
	(void)ipc_answer(ipc, request, writer);
	buffer_fini(&out);
}

static void
on_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	cpu_limit(PARSE_CPU_SECONDS);
	if (type == MESSAGE_PARSE)
		on_parse(arg, ipc, request, fields);
	else if (type == MESSAGE_MASK)
		on_mask(ipc, request, fields);
	cpu_limit(0);
}

static void
on_closed(void *arg, struct ipc *ipc)
{
	(void)arg;
	(void)ipc;
	log_debug("a channel ended");
}

static const struct ipc_handler handler = { on_request, on_closed };

struct parse_service *
parse_service_new(struct event_base *base, int fd, const char *hostname)
{
	struct parse_service *service = calloc(1, sizeof *service);

	if (service == NULL)
		return NULL;
	service->hostname = strdup(hostname);
	service->ipc = ipc_new(base, fd, &handler, service);
	if (service->hostname == NULL || service->ipc == NULL)
		parse_service_free(&service);
	return service;
}

void
parse_service_free(struct parse_service **service)
{
	if (*service == NULL)
		return;
	ipc_free(&(*service)->ipc);
	free((*service)->hostname);
	free(*service);
	*service = NULL;
}
