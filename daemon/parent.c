/* parent.c - the process that starts the others: signals, reload, stop.
 */
#include "build.h"

#include "daemon/parent.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/parent_impl.h"

#define STOP_TIME 4 /* s, then they are killed */

/* systemd's protocol is one datagram (sd_notify(3)). */
static void
notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = path == NULL ? 0 : strlen(path);
	union {
		const struct sockaddr_un *un;
		const struct sockaddr *any;
	} to = { &address };
	int fd;

	if (len < 2 || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0'; /* abstract */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, to.any,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	(void)close(fd);
}

void
parent_check_ready(struct parent *parent)
{
	if (parent->announced || parent->stopping || !children_ready(parent))
		return;
	parent->announced = true;
	log_info("ready");
	notify("READY=1");
}

void
parent_stop(struct parent *parent, int status)
{
	static const struct timeval time = { STOP_TIME, 0 };

	if (parent->stopping)
		return;
	parent->stopping = true;
	parent->status = status;
	log_info("stopping");
	notify("STOPPING=1");
	children_stop(parent);
	(void)event_add(&parent->stop_timer, &time);
	if (children_gone(parent))
		(void)event_base_loopbreak(parent->base);
}

static void
on_stop_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	log_warning("not everybody ended in time: killed");
	children_kill(arg);
}

/* ---- reload */

static void
parent_log_restart(const struct config *before, const struct config *after)
{
	char *names = config_restart_needed(before, after);

	if (names != NULL && names[0] != '\0')
		log_warning("reload: only a restart applies: %s", names);
	free(names);
}

static void
parent_reload(struct parent *parent)
{
	struct config *config;
	struct parent_files files;
	char *error;

	if (config_read(parent->options->config_path, &config, &error) != 0) {
		log_err("reload: %s; the old configuration stays", error);
		free(error);
		return;
	}
	if (parent_files_load(config, &files) != 0) {
		log_err("reload: the old configuration stays");
		config_free(&config);
		return;
	}
	parent_log_restart(parent->config, config);
	config_carry(parent->config, config);
	if (parent->options->verbose)
		config->log_level = LOG_LEVEL_DEBUG;
	config_free(&parent->config);
	parent_files_free(&parent->files);
	parent->config = config;
	parent->files = files;
	log_set_level((enum log_level)config->log_level);
	children_reload(parent);
	log_info("reloaded");
}

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	struct parent *parent = arg;

	(void)what;
	if (number == SIGHUP) {
		if (!parent->stopping)
			parent_reload(parent);
		return;
	}
	if (number == SIGCHLD) {
		children_reap(parent);
		if (parent->stopping && children_gone(parent))
			(void)event_base_loopbreak(parent->base);
		return;
	}
	parent_stop(parent, 0);
}

/* ---- start */

static int
parent_find_user(struct parent *parent)
{
	const struct passwd *user;

	parent->uid = geteuid();
	parent->gid = getegid();
	if (parent->uid != 0 || parent->options->own_user)
		return 0;
	user = getpwnam(parent->config->user);
	if (user == NULL || user->pw_uid == 0) {
		log_err("user %s: %s", parent->config->user,
		    user == NULL ? "there is none of that name; kithd(8) "
				   "says how to make one"
				 : "must not be root");
		return -ENOENT;
	}
	parent->uid = user->pw_uid;
	parent->gid = user->pw_gid;
	parent->drops = true;
	return 0;
}

static void
parent_watch(struct parent *parent)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGTERM, SIGCHLD };
	size_t i;

	(void)signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)event_assign(&parent->signals[i], parent->base,
		    numbers[i], EV_SIGNAL | EV_PERSIST, on_signal, parent);
		(void)event_add(&parent->signals[i], NULL);
	}
	(void)event_assign(&parent->stop_timer, parent->base, -1, 0,
	    on_stop_time, parent);
}

static void
parent_unwatch(struct parent *parent)
{
	size_t i;

	for (i = 0; i < sizeof(parent->signals) / sizeof(parent->signals[0]);
	     i++)
		(void)event_del(&parent->signals[i]);
	(void)event_del(&parent->stop_timer);
}

static void
parent_serve(struct parent *parent)
{
	parent_watch(parent);
	children_init(parent);
	children_start(parent);
	(void)event_base_loop(parent->base, EVLOOP_NO_EXIT_ON_EMPTY);
	children_free(parent);
	parent_unwatch(parent);
}

int
parent_run(struct config *config, const struct parent_options *options)
{
	struct parent *parent = calloc(1, sizeof(*parent));
	int status = 1;

	if (parent == NULL) {
		config_free(&config);
		return status;
	}
	parent->config = config;
	parent->options = options;
	if (options->verbose)
		config->log_level = LOG_LEVEL_DEBUG;
	log_start("kithd", (enum log_level)config->log_level);
	parent->base = event_base_new();
	if (parent->base != NULL && parent_find_user(parent) == 0 &&
	    parent_files_load(config, &parent->files) == 0 &&
	    parent_listen(config, parent->uid, parent->gid, &parent->sockets) ==
		0) {
		parent_serve(parent);
		status = parent->status;
		parent_listen_close(parent->config, &parent->sockets);
	}
	parent_files_free(&parent->files);
	if (parent->base != NULL)
		event_base_free(parent->base);
	config_free(&parent->config);
	free(parent);
	return status;
}
