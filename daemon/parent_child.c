/* parent_child.c - the parent's children: started, linked with each other,
 * started again with back-off when they die.
 */
#include "build.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/ipc.h"
#include "daemon/log.h"
#include "daemon/messages.h"
#include "daemon/parent_impl.h"
#include "daemon/stream_impl.h"

#define DELAY_MIN   100u   /* ms */
#define DELAY_MAX   30000u /* ms */
#define END_TIME    1000u  /* ms, from the end of its channel to its own */
#define LIVED_LONG  60000u /* ms: the back-off begins anew */
#define RELOAD_TIME 60u    /* s */
#define CHANNEL_FD  3
#define ROOM_WAIT   10000u /* ms */
/* The reserve of the store (four log files of 16 MB) and something beside. */
#define ROOM_NEEDED (UINT64_C(80) << 20)

static bool
wants_maildir(const struct config *config)
{
	return strncmp(config->transport, "maildir:", 8) == 0;
}

static bool
wants_resolve(const struct config *config)
{
	unsigned char address[16];
	const char *host = config->smarthost_host;

	return !wants_maildir(config) && host != NULL &&
	    inet_pton(AF_INET, host, address) != 1 &&
	    inet_pton(AF_INET6, host, address) != 1;
}

/* Peers are data: core asks for it. */
static bool
wants_feed(const struct config *config)
{
	(void)config;
	return false;
}

static const struct parent_seat seats[SEATS] = {
	[SEAT_CORE] = { "core", NULL, GETS_NEWS | GETS_KEY },
	[SEAT_MAIL] = { "mail", NULL, GETS_MAIL | GETS_KEY | GETS_SMARTHOST },
	[SEAT_PARSE_MAIL] = { "parse", NULL, 0 },
	[SEAT_PARSE_CORE] = { "parse", NULL, 0 },
	[SEAT_MAILDIR] = { "maildir", wants_maildir, 0 },
	[SEAT_RESOLVE] = { "resolve", wants_resolve, 0 },
	[SEAT_FEED] = { "feed", wants_feed, GETS_FEED_CA },
};

static bool
child_is_wanted(const struct child *child)
{
	return child->asked_for || child->seat->wanted == NULL ||
	    child->seat->wanted(child->parent->config);
}

/* Who talks to whom. */
static const struct link {
	enum parent_seats a, b;
} links[] = {
	{ SEAT_CORE, SEAT_MAIL },
	{ SEAT_MAIL, SEAT_PARSE_MAIL },
	{ SEAT_CORE, SEAT_PARSE_CORE },
	{ SEAT_MAIL, SEAT_MAILDIR },
	{ SEAT_MAIL, SEAT_RESOLVE },
	{ SEAT_CORE, SEAT_FEED },
	{ SEAT_FEED, SEAT_RESOLVE },
};
#define LINKS (sizeof(links) / sizeof(links[0]))

/* ---- what a child is told */

static bool
child_gets_listener(const struct child *child, unsigned index)
{
	const struct config *config = child->parent->config;
	unsigned need = GETS_NEWS;

	if (index != ROLE_CONTROL &&
	    (config->listeners[index].protocol == LISTEN_LMTP ||
		config->listeners[index].protocol == LISTEN_SMTP))
		need = GETS_MAIL;
	return (child->seat->gets & need) != 0;
}

static bool
child_gets_file(const struct child *child, const char *name)
{
	unsigned need = GETS_SMARTHOST;

	if (strcmp(name, "certificate") == 0 || strcmp(name, "key") == 0)
		need = GETS_KEY;
	else if (strcmp(name, "feed-ca") == 0)
		need = GETS_FEED_CA;
	else if (strcmp(name, "client_ca") == 0)
		need = GETS_NEWS;
	return (child->seat->gets & need) != 0;
}

/* The lists borrow what the parent owns. */
static int
child_encode(const struct child *child, bool listeners,
    struct ipc_writer *writer)
{
	const struct parent *parent = child->parent;
	struct role_listener sockets[PARENT_SOCKETS_MAX];
	struct role_file files[PARENT_FILES_MAX];
	struct role_start start = { .config = parent->config,
		.listeners = sockets,
		.files = files,
		.flags = parent->options->test_clock ? ROLE_TEST_CLOCK : 0,
		.control_fd = -1 };
	size_t i;

	for (i = 0; listeners && i < parent->sockets.count; i++)
		if (child_gets_listener(child, parent->sockets.list[i].index))
			sockets[start.listener_count++] =
			    parent->sockets.list[i];
	for (i = 0; i < parent->files.count; i++)
		if (child_gets_file(child, parent->files.list[i].name))
			files[start.file_count++] = parent->files.list[i];
	return role_start_encode(&start, writer);
}

static void
on_started(void *arg, struct ipc_reader *fields)
{
	struct child *child = arg;

	if (fields == NULL)
		return;
	child->ready = true;
	child->was_ready = true;
	log_debug("%s is ready, pid %ld", child->seat->role, (long)child->pid);
	parent_check_ready(child->parent);
}

static int
child_tell_start(struct child *child)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_START);

	ipc_put_text(writer, child->seat->role);
	(void)child_encode(child, true, writer);
	return ipc_call(child->ipc, writer, IPC_CONTROL, 0, on_started, child);
}

static void
child_tell_peer(struct child *child, const struct child *peer, int fd)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_PEER);

	ipc_put_text(writer, peer->seat->role);
	ipc_put_fd(writer, fd);
	(void)ipc_tell(child->ipc, writer);
}

/* ---- what a child says */

static void
child_kill_peer(struct child *child, struct span name)
{
	struct parent *parent = child->parent;
	size_t i;

	for (i = 0; i < LINKS; i++) {
		struct child *a = &parent->children[links[i].a];
		struct child *b = &parent->children[links[i].b];
		struct child *peer = a == child ? b : a;

		/* only the workers may be killed by who uses them */
		if ((a != child && b != child) ||
		    !span_is(name, peer->seat->role) ||
		    !span_is(name, "parse") || peer->pid == 0)
			continue;
		log_warning("%s[%ld] hangs and is killed, as %s asks",
		    peer->seat->role, (long)peer->pid, child->seat->role);
		peer->hangs = true;
		(void)kill(peer->pid, SIGKILL);
	}
}

static void child_start(struct child *child);

/* Core alone may ask, and only for what is started by being asked for. */
static void
parent_want(struct parent *parent, struct span name)
{
	static const enum parent_seats askable[] = { SEAT_FEED, SEAT_RESOLVE };

	for (size_t i = 0; i < sizeof(askable) / sizeof(askable[0]); i++) {
		struct child *child = &parent->children[askable[i]];

		if (!span_is(name, child->seat->role) || child->asked_for)
			continue;
		child->asked_for = true;
		child_start(child);
	}
}

static void
on_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	struct child *child = arg;

	(void)ipc;
	(void)request;
	if (type == MESSAGE_KILL)
		child_kill_peer(child, ipc_get_bytes(fields));
	else if (type == MESSAGE_STOP && child->seat == &seats[SEAT_CORE])
		parent_stop(child->parent, 0);
	else if (type == MESSAGE_WANT && child->seat == &seats[SEAT_CORE])
		parent_want(child->parent, ipc_get_bytes(fields));
}

static void
child_again(struct child *child, unsigned delay)
{
	struct timeval tv = { (time_t)(delay / 1000u),
		(suseconds_t)(delay % 1000u) * 1000 };

	(void)event_add(&child->again, &tv);
}

/* It dies, or it sent what it should not: both end with its death. One that
 * ends by itself gets the time to, for its status says why. */
static void
on_closed(void *arg, struct ipc *ipc)
{
	struct child *child = arg;

	(void)ipc;
	ipc_free(&child->ipc);
	if (child->pid != 0 && !child->parent->stopping)
		child_again(child, END_TIME);
}

/* ---- start */

static void
child_drop_privileges(const struct parent *parent)
{
	if (!parent->drops)
		return;
	if (setgroups(0, NULL) != 0 ||
	    setresgid(parent->gid, parent->gid, parent->gid) != 0 ||
	    setresuid(parent->uid, parent->uid, parent->uid) != 0)
		_exit(EX_NOPERM);
}

/* In the new process, until it is another program. */
__attribute__((noreturn)) static void
child_become(const struct child *child, int channel)
{
	char name[] = "kithd", flag[] = "--role", role[16] = "";
	char *const argv[] = { name, flag, role, NULL };
	sigset_t none;

	memcpy(role, child->seat->role, strlen(child->seat->role));
	/* a channel that is 3 already would keep its close-on-exec flag */
	if (channel == CHANNEL_FD ? fcntl(channel, F_SETFD, 0) < 0
				  : dup2(channel, CHANNEL_FD) < 0)
		_exit(EX_OSERR);
	(void)syscall(SYS_close_range, CHANNEL_FD + 1, ~0U, 0);
	child_drop_privileges(child->parent);
	/* after the change of user, which forgets it */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execv("/proc/self/exe", argv);
	_exit(EX_OSERR);
}

static void
child_link(struct child *child)
{
	struct parent *parent = child->parent;
	size_t i;

	for (i = 0; i < LINKS; i++) {
		struct child *a = &parent->children[links[i].a];
		struct child *b = &parent->children[links[i].b];
		int fds[2];

		if ((a != child && b != child) || a->ipc == NULL ||
		    b->ipc == NULL)
			continue;
		if (ipc_pair(fds) != 0) {
			log_err("no channel between %s and %s: %s",
			    a->seat->role, b->seat->role, strerror(errno));
			continue;
		}
		child_tell_peer(a, b, fds[0]);
		child_tell_peer(b, a, fds[1]);
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
}

static void
child_start(struct child *child)
{
	static const struct ipc_handler handler = { on_request, on_closed };
	struct parent *parent = child->parent;
	int fds[2];
	pid_t pid;

	if (child->pid != 0 || parent->stopping)
		return;
	if (ipc_pair(fds) != 0) {
		log_err("cannot start %s: %s", child->seat->role,
		    strerror(errno));
		child_again(child, DELAY_MAX);
		return;
	}
	pid = fork();
	if (pid == 0)
		child_become(child, fds[1]);
	(void)close(fds[1]);
	if (pid < 0) {
		log_err("cannot start %s: %s", child->seat->role,
		    strerror(errno));
		(void)close(fds[0]);
		child_again(child, DELAY_MAX);
		return;
	}
	child->pid = pid;
	child->started = stream_milliseconds();
	child->ready = false;
	child->hangs = false;
	child->ipc = ipc_new(parent->base, fds[0], &handler, child);
	if (child->ipc == NULL || child_tell_start(child) != 0) {
		(void)kill(pid, SIGKILL);
		return;
	}
	child_link(child);
}

/* Recovery on a disk without room would only fail again. */
static bool
has_room(const struct config *config)
{
	struct statvfs disk;

	return statvfs(config->store_directory, &disk) != 0 ||
	    (uint64_t)disk.f_bavail * disk.f_frsize >= ROOM_NEEDED;
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct child *child = arg;

	(void)fd;
	(void)what;
	if (child->pid != 0 && child->ipc == NULL)
		(void)kill(child->pid, SIGKILL);
	else
		child_start(child);
}

static void
on_room(evutil_socket_t fd, short what, void *arg)
{
	struct child *child = arg;
	struct parent *parent = child->parent;

	(void)fd;
	(void)what;
	if (has_room(parent->config)) {
		child_start(child);
		(void)event_assign(&child->again, parent->base, -1, 0, on_again,
		    child);
		return;
	}
	if (parent->waited++ % 6 == 0)
		log_err("core waits: less than %u MB are free in %s",
		    (unsigned)(ROOM_NEEDED >> 20),
		    parent->config->store_directory);
	child_again(child, ROOM_WAIT);
}

/* ---- death */

static void
child_log_death(const struct child *child, int status)
{
	const char *role = child->seat->role;

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		log_err(
		    "%s[%ld] asked for what its sandbox forbids and was killed",
		    role, (long)child->pid);
	else if (WIFSIGNALED(status))
		log_err("%s[%ld] died of signal %d", role, (long)child->pid,
		    WTERMSIG(status));
	else if (!child->parent->stopping || WEXITSTATUS(status) != 0)
		log_err("%s[%ld] ended with status %d", role, (long)child->pid,
		    WEXITSTATUS(status));
}

static unsigned
child_delay(struct child *child)
{
	unsigned delay;

	if (child->hangs || stream_milliseconds() - child->started > LIVED_LONG)
		child->delay = DELAY_MIN;
	delay = child->delay;
	child->delay = delay * 2 < DELAY_MAX ? delay * 2 : DELAY_MAX;
	return delay;
}

static void
child_died(struct child *child, int status)
{
	struct parent *parent = child->parent;
	bool no_room =
	    WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_NO_ROOM;

	if (!child->hangs)
		child_log_death(child, status);
	child->pid = 0;
	child->ready = false;
	ipc_free(&child->ipc);
	(void)event_del(&child->again);
	if (parent->stopping)
		return;
	if (!child->was_ready && !parent->announced && WIFEXITED(status) &&
	    !no_room) {
		log_err("%s cannot start", child->seat->role);
		parent_stop(parent, 1);
		return;
	}
	if (no_room) {
		parent->waited = 0;
		(void)event_assign(&child->again, parent->base, -1, 0, on_room,
		    child);
	}
	child_again(child, child_delay(child));
}

void
children_reap(struct parent *parent)
{
	int status;
	size_t i;

	for (i = 0; i < SEATS; i++) {
		struct child *child = &parent->children[i];

		if (child->pid != 0 &&
		    waitpid(child->pid, &status, WNOHANG) == child->pid)
			child_died(child, status);
	}
}

/* ---- all of them */

void
children_init(struct parent *parent)
{
	size_t i;

	for (i = 0; i < SEATS; i++) {
		struct child *child = &parent->children[i];

		child->parent = parent;
		child->seat = &seats[i];
		child->delay = DELAY_MIN;
		(void)event_assign(&child->again, parent->base, -1, 0, on_again,
		    child);
	}
}

void
children_start(struct parent *parent)
{
	size_t i;

	for (i = 0; i < SEATS; i++)
		if (child_is_wanted(&parent->children[i]))
			child_start(&parent->children[i]);
}

static void
on_reloaded(void *arg, struct ipc_reader *fields)
{
	const struct child *child = arg;
	uint32_t error = fields == NULL ? ETIMEDOUT : ipc_get_u32(fields);

	if (error != 0)
		log_err("%s keeps its old configuration: %s", child->seat->role,
		    strerror((int)error));
}

void
children_reload(struct parent *parent)
{
	size_t i;

	for (i = 0; i < SEATS; i++) {
		struct child *child = &parent->children[i];
		struct ipc_writer *writer;

		if (child->ipc == NULL)
			continue;
		writer = ipc_writer_new(MESSAGE_RELOAD);
		(void)child_encode(child, false, writer);
		(void)ipc_call(child->ipc, writer, IPC_CONTROL, RELOAD_TIME,
		    on_reloaded, child);
	}
	/* the smarthost may have become a name */
	children_start(parent);
}

void
children_stop(struct parent *parent)
{
	size_t i;

	for (i = 0; i < SEATS; i++) {
		(void)event_del(&parent->children[i].again);
		(void)ipc_tell(parent->children[i].ipc,
		    ipc_writer_new(MESSAGE_STOP));
	}
}

void
children_kill(struct parent *parent)
{
	size_t i;

	for (i = 0; i < SEATS; i++)
		if (parent->children[i].pid != 0)
			(void)kill(parent->children[i].pid, SIGKILL);
}

bool
children_ready(const struct parent *parent)
{
	size_t i;

	for (i = 0; i < SEATS; i++)
		if (!parent->children[i].ready &&
		    child_is_wanted(&parent->children[i]))
			return false;
	return true;
}

bool
children_gone(const struct parent *parent)
{
	size_t i;

	for (i = 0; i < SEATS; i++)
		if (parent->children[i].pid != 0)
			return false;
	return true;
}

void
children_free(struct parent *parent)
{
	size_t i;

	for (i = 0; i < SEATS; i++) {
		(void)event_del(&parent->children[i].again);
		ipc_free(&parent->children[i].ipc);
	}
}
