/* parse.c - the parse worker: one mail at a time from mail and from core, its
 * meaning back. Has no file, no network, no key. A mail that costs too much time
 * or memory kills the worker, and only the worker: who asked counts that.
 */
#include "build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sysexits.h>

#include "daemon/config.h"
#include "daemon/ipc.h"
#include "daemon/log.h"
#include "daemon/messages.h"
#include "daemon/role.h"
#include "protocol/mail_summary.h"
#include "protocol/mask.h"

#define PARSE_CPU_SECONDS 8 /* a mail; less than the asker's patience */
#define PARSE_MEMORY      (UINT64_C(1) << 30)
#define PARSE_PEERS       4u

struct parse {
	struct role_process *process;
	char *hostname;
	struct {
		char *name;
		struct ipc *ipc;
	} peers[PARSE_PEERS];
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
on_parse(struct parse *parse, struct ipc *ipc, uint32_t request,
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
		.hostname = parse->hostname,
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

static void
role_peer(void *state, const char *peer, int fd)
{
	struct parse *parse = state;
	size_t i = 0;

	while (i < PARSE_PEERS && parse->peers[i].name != NULL &&
	    strcmp(parse->peers[i].name, peer) != 0)
		i++;
	if (i == PARSE_PEERS) {
		log_err("too many peers");
		role_exit(parse->process, EX_SOFTWARE);
		return;
	}
	if (parse->peers[i].name == NULL)
		parse->peers[i].name = strdup(peer);
	ipc_free(&parse->peers[i].ipc);
	parse->peers[i].ipc =
	    ipc_new(role_base(parse->process), fd, &handler, parse);
	if (parse->peers[i].ipc == NULL || parse->peers[i].name == NULL)
		role_exit(parse->process, EX_OSERR);
}

static void
role_free(void *state)
{
	struct parse *parse = state;
	size_t i;

	if (parse == NULL)
		return;
	for (i = 0; i < PARSE_PEERS; i++) {
		ipc_free(&parse->peers[i].ipc);
		free(parse->peers[i].name);
	}
	free(parse->hostname);
	free(parse);
}

static void
memory_limit(void)
{
#ifndef KITH_SANITIZERS /* their shadow is larger than any limit */
	const struct rlimit limit = { PARSE_MEMORY, PARSE_MEMORY };

	if (setrlimit(RLIMIT_AS, &limit) < 0)
		log_warning("no memory limit: %s", strerror(errno));
#endif
}

static int
role_start(struct role_process *process, struct role_start *start,
    void **state_r)
{
	struct parse *parse = calloc(1, sizeof *parse);

	if (parse != NULL) {
		parse->process = process;
		parse->hostname = strdup(start->config->hostname);
	}
	role_start_free(&start);
	if (parse == NULL || parse->hostname == NULL) {
		role_free(parse);
		return EX_OSERR;
	}
	memory_limit();
	*state_r = parse;
	return 0;
}

const struct role parse_role = {
	.name = "parse",
	.profile = SANDBOX_PARSE,
	.start = role_start,
	.peer = role_peer,
	.free = role_free,
};
