/* role.c - a child of kithd: waits for its start, closes the sandbox, serves.
 */
#include "build.h"

#include "daemon/role.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/ipc.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/messages.h"

struct role_process {
	const struct role *role;
	struct loop *loop;
	struct ipc *parent; /* NULL: alone */
	void *state;        /* of the role, once it has started */
	_Atomic int status;
	bool started;
	bool stopping;
};

struct loop *
role_loop(struct role_process *process)
{
	return process->loop;
}

struct event_base *
role_base(struct role_process *process)
{
	return loop_base(process->loop);
}

void
role_exit(struct role_process *process, int status)
{
	atomic_store(&process->status, status);
	loop_stop(process->loop);
}

void
role_kill_peer(struct role_process *process, const char *peer)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_KILL);

	ipc_put_text(writer, peer);
	(void)ipc_tell(process->parent, writer);
}

void
role_want(struct role_process *process, const char *role)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_WANT);

	ipc_put_text(writer, role);
	(void)ipc_tell(process->parent, writer);
}

void
role_stop_all(struct role_process *process)
{
	if (process->parent == NULL)
		role_exit(process, 0);
	else
		(void)ipc_tell(process->parent, ipc_writer_new(MESSAGE_STOP));
}

/* ---- what the parent says */

/* Takes start. The exit status, 0: go on. */
static int
role_begin(struct role_process *process, struct role_start *start)
{
	const struct role *role = process->role;
	char *folder = NULL;
	int status, result;

	log_start(role->name, (enum log_level)start->config->log_level);
	if (role->profile == SANDBOX_MAILDIR &&
	    strncmp(start->config->transport, "maildir:", 8) == 0)
		folder = strdup(start->config->transport + 8);
	sandbox_preload();
	status = role->start(process, start, &process->state);
	process->started = status == 0;
	if (status == 0) {
		result = sandbox_enter(role->profile, folder);
		if (result != 0) {
			log_err("the sandbox cannot be closed: %s",
			    strerror(-result));
			status = EX_OSERR;
		}
	}
	free(folder);
	return status;
}

static void
on_start(struct role_process *process, struct ipc_reader *fields,
    uint32_t request)
{
	struct span name = ipc_get_bytes(fields);
	struct role_start *start = role_start_decode(fields);
	int status = EX_PROTOCOL;

	if (start == NULL || process->started ||
	    !span_is(name, process->role->name))
		role_start_free(&start);
	else
		status = role_begin(process, start);
	if (status != 0) {
		role_exit(process, status);
		return;
	}
	(void)ipc_answer(process->parent, request,
	    ipc_writer_new(MESSAGE_START));
}

static void
on_reload(struct role_process *process, struct ipc_reader *fields,
    uint32_t request)
{
	struct role_start *start = role_start_decode(fields);
	struct ipc_writer *answer = ipc_writer_new(MESSAGE_RELOAD);
	int result = start == NULL ? -EPROTO : 0;

	if (start != NULL) {
		log_set_level((enum log_level)start->config->log_level);
		if (process->started && process->role->reload != NULL)
			result = process->role->reload(process->state, start);
		else
			role_start_free(&start);
	}
	ipc_put_u32(answer, (uint32_t)-result);
	(void)ipc_answer(process->parent, request, answer);
}

static void
on_peer(struct role_process *process, struct ipc_reader *fields)
{
	struct span name = ipc_get_bytes(fields);
	int fd = ipc_get_fd(fields);
	char peer[32];

	if (fd < 0)
		return;
	if (!process->started || process->role->peer == NULL ||
	    name.len >= sizeof(peer)) {
		(void)close(fd);
		return;
	}
	memcpy(peer, name.bytes, name.len);
	peer[name.len] = '\0';
	process->role->peer(process->state, peer, fd);
}

static void
on_stop(struct role_process *process)
{
	if (process->stopping)
		return;
	process->stopping = true;
	if (process->started && process->role->stop != NULL)
		process->role->stop(process->state);
	else
		role_exit(process, 0);
}

static void
on_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	struct role_process *process = arg;

	(void)ipc;
	if (type == MESSAGE_START)
		on_start(process, fields, request);
	else if (type == MESSAGE_RELOAD)
		on_reload(process, fields, request);
	else if (type == MESSAGE_PEER)
		on_peer(process, fields);
	else if (type == MESSAGE_STOP)
		on_stop(process);
}

/* The parent died: nothing that is on disk needs more than to end. */
static void
on_closed(void *arg, struct ipc *ipc)
{
	struct role_process *process = arg;

	(void)ipc;
	role_exit(process, EX_UNAVAILABLE);
}

/* ---- running */

/* The terminal and systemd signal whole groups: the parent alone decides. */
static void
role_ignore_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_IGN);
}

static void
role_serve(struct role_process *process)
{
	loop_run(process->loop);
	if (process->started && process->role->free != NULL)
		process->role->free(process->state);
}

int
role_run(const struct role *role, int channel)
{
	static const struct ipc_handler handler = { on_request, on_closed };
	struct role_process process = { .role = role };

	char name[16];

	(void)snprintf(name, sizeof(name), "kithd-%s", role->name);
	(void)prctl(PR_SET_NAME, name); /* for ps and top */
	role_ignore_signals();
	log_start(role->name, LOG_LEVEL_INFO);
	process.loop = loop_new();
	if (process.loop == NULL)
		return EX_OSERR;
	process.parent =
	    ipc_new(loop_base(process.loop), channel, &handler, &process);
	if (process.parent != NULL)
		role_serve(&process);
	else
		process.status = EX_OSERR;
	ipc_free(&process.parent);
	loop_free(&process.loop);
	return process.status;
}

int
role_run_alone(const struct role *role, struct role_start *start)
{
	struct role_process process = { .role = role };
	int status;

	(void)signal(SIGPIPE, SIG_IGN);
	process.loop = loop_new();
	if (process.loop == NULL) {
		role_start_free(&start);
		return EX_OSERR;
	}
	status = role_begin(&process, start);
	if (status == 0) {
		role_serve(&process);
		status = process.status;
	}
	loop_free(&process.loop);
	return status;
}
