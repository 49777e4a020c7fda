/* maildir_role.c - the Maildir writer as a process: confined to its folder,
 * mails come over the channel from mail and are answered burst by burst.
 */
#include "build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "daemon/config.h"
#include "daemon/ipc.h"
#include "daemon/log.h"
#include "daemon/mail/maildir.h"
#include "daemon/messages.h"
#include "daemon/role.h"

struct writer {
	struct role_process *process;
	struct maildir *maildir;
	struct ipc *ipc;
	struct event *commit; /* runs once the burst was read */
	uint32_t requests[MAILDIR_BURST];
};

static void
answer(struct writer *writer, uint32_t request, int error)
{
	struct ipc_writer *fields = ipc_writer_new(MESSAGE_MAILDIR);

	ipc_put_u32(fields, (uint32_t)error);
	(void)ipc_answer(writer->ipc, request, fields);
	if (error != 0)
		log_err("the Maildir cannot be written: %s", strerror(error));
}

static void
commit(struct writer *writer)
{
	int errors[MAILDIR_BURST];
	size_t count = maildir_commit(writer->maildir, errors), i;

	for (i = 0; writer->ipc != NULL && i < count; i++)
		answer(writer, writer->requests[i], errors[i]);
}

static void
on_commit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	commit(arg);
}

static void
on_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	struct writer *writer = arg;
	struct span from = ipc_get_bytes(fields);
	struct span recipient = ipc_get_bytes(fields);
	struct span message = ipc_get_payload(fields);
	int place;

	if (type != MESSAGE_MAILDIR || ipc_reader_bad(fields) ||
	    ipc != writer->ipc)
		return;
	place = maildir_write(writer->maildir, from, recipient, message);
	if (place == -EAGAIN) {
		commit(writer);
		place =
		    maildir_write(writer->maildir, from, recipient, message);
	}
	if (place < 0) {
		answer(writer, request, -place);
		return;
	}
	writer->requests[place] = request;
	event_active(writer->commit, EV_TIMEOUT, 0);
}

static void
on_closed(void *arg, struct ipc *ipc)
{
	(void)arg;
	(void)ipc;
	log_debug("the channel to mail ended");
}

static const struct ipc_handler handler = { on_request, on_closed };

static void
role_peer(void *state, const char *peer, int fd)
{
	struct writer *writer = state;

	(void)peer;
	/* what the old mail process sent is written, nobody is told */
	ipc_free(&writer->ipc);
	commit(writer);
	writer->ipc = ipc_new(role_base(writer->process), fd, &handler, writer);
	if (writer->ipc == NULL)
		role_exit(writer->process, EX_OSERR);
}

static void
role_free(void *state)
{
	struct writer *writer = state;

	if (writer == NULL)
		return;
	if (writer->maildir != NULL)
		commit(writer);
	ipc_free(&writer->ipc);
	if (writer->commit != NULL)
		event_free(writer->commit);
	maildir_close(&writer->maildir);
	free(writer);
}

static int
role_start(struct role_process *process, struct role_start *start,
    void **state_r)
{
	const char *transport = start->config->transport;
	const char *folder = strchr(transport, ':');
	struct writer *writer = calloc(1, sizeof *writer);
	int error = ENOMEM, status = EX_OSERR;

	if (writer == NULL || folder == NULL)
		goto out;
	writer->process = process;
	writer->commit =
	    event_new(role_base(process), -1, 0, on_commit, writer);
	if (writer->commit == NULL)
		goto out;
	writer->maildir =
	    maildir_open(folder + 1, start->config->hostname, &error);
	if (writer->maildir == NULL) {
		log_err("%s: %s", folder + 1, strerror(error));
		status = EX_CANTCREAT;
		goto out;
	}
	*state_r = writer;
	writer = NULL;
	status = 0;
out:
	role_start_free(&start);
	role_free(writer);
	return status;
}

const struct role maildir_role = {
	.name = "maildir",
	.profile = SANDBOX_MAILDIR,
	.start = role_start,
	.peer = role_peer,
	.free = role_free,
};
