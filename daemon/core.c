/* core.c - the core role: joins the store, the community, the news side, the
 * channels to mail and parse, and the control socket. No rule of the community
 * and no protocol is here.
 */
#include "build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/community/admin.h"
#include "daemon/community/community.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/core_feed.h"
#include "daemon/core_listen.h"
#include "daemon/core_mail.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/news/news.h"
#include "daemon/role.h"
#include "store/admin.h"
#include "store/store.h"

#define LOOPS_MAX	64u
#define WORKERS		2u
#define TIMER_SECONDS	5
#define STOP_POLL_MS	50
#define STOP_POLLS_MAX	40 /* then sessions that linger are cut */

struct core_loop {
	struct loop *loop;
	struct store_inbox *inbox;
	struct event *inbox_event;
};

struct core {
	struct role_process *process;
	struct config *config; /* the first one; reloads belong to community */
	struct clock *clock;
	struct store *store;
	struct core_loop loops[LOOPS_MAX]; /* the first is the role's own */
	struct loop *loop_pointers[LOOPS_MAX];
	size_t loop_count;
	struct worker_pool *workers;
	struct core_mail *mail;
	struct core_parse *parse;
	struct core_feed *feed;
	struct admin_port admin;
	struct community *community;
	struct news_server *news;
	struct core_listen *listen;
	struct control *control;
	struct event *timer;
	struct event *stop_poll;
	unsigned stop_polls;
	bool offline;
};

/* ---- the store */

static void
store_line(void *arg, enum store_log_level level, const char *line)
{
	(void)arg;
	if (level == STORE_LOG_ERR)
		log_err("store: %s", line);
	else if (level == STORE_LOG_WARNING)
		log_warning("store: %s", line);
	else
		log_info("store: %s", line);
}

/* Nothing that was acknowledged is lost: recovery at the next start reads the
 * log. The parent waits for room if that is what was missing. */
static void
store_died(void *arg, const char *why)
{
	struct core *core = arg;

	log_err("store: %s; core ends and recovers at its next start", why);
	_exit(core->store != NULL && store_is_full(core->store) ?
		ROLE_EXIT_NO_ROOM :
		EX_SOFTWARE);
}

/* store.cache_mb is shared by Berkeley DB's cache and our own. */
static int
core_open_store(struct core *core)
{
	size_t cache = (size_t)core->config->cache_mb << 20;
	size_t database = (size_t)core->config->database_mb << 20;
	const struct store_options options = {
		.directory = core->config->store_directory,
		.cache_bytes = database == 0 ? cache / 2 : database,
		.object_cache_bytes = database == 0 ? cache / 2
		    : database < cache		    ? cache - database
						    : 0,
		.log = store_line,
		.fatal = store_died,
		.arg = core,
	};
	char *error = NULL;
	int rc;

	if (mkdir(core->config->store_directory, 0700) != 0 && errno != EEXIST) {
		log_err("cannot make store.directory %s: %s",
		    core->config->store_directory, strerror(errno));
		return EX_CANTCREAT;
	}
	rc = store_open(&core->store, &options, &error);
	if (rc == 0)
		return 0;
	log_err("cannot open the store in %s: %s",
	    core->config->store_directory,
	    error == NULL ? strerror(-rc) : error);
	free(error);
	return rc == -ENOSPC ? ROLE_EXIT_NO_ROOM : EX_UNAVAILABLE;
}

/* ---- loops */

static void
inbox_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	log_hold();
	store_inbox_drain(arg);
	log_release();
}

static int
core_add_loop(struct core *core, struct loop *loop)
{
	struct core_loop *entry = &core->loops[core->loop_count];

	if (loop == NULL)
		return -ENOMEM;
	entry->loop = loop;
	core->loop_pointers[core->loop_count++] = loop;
	entry->inbox = store_inbox_new();
	if (entry->inbox == NULL)
		return -ENOMEM;
	entry->inbox_event = event_new(loop_base(loop),
	    store_inbox_fd(entry->inbox), EV_READ | EV_PERSIST, inbox_cb,
	    entry->inbox);
	if (entry->inbox_event == NULL ||
	    event_add(entry->inbox_event, NULL) != 0)
		return -ENOMEM;
	return 0;
}

static int
core_open_loops(struct core *core)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned wanted = core->config->loops;
	int rc;

	if (wanted == 0)
		wanted = processors < 1 ? 1 : (unsigned)processors;
	if (wanted > LOOPS_MAX)
		wanted = LOOPS_MAX;
	if (core->offline)
		wanted = 1;
	rc = core_add_loop(core, role_loop(core->process));
	for (unsigned i = 1; rc == 0 && i < wanted; i++)
		rc = core_add_loop(core, loop_new());
	return rc;
}

static void
core_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* ---- timers */

static void
timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct core *core = arg;

	(void)fd;
	(void)what;
	community_run_timers(core->community, NULL, NULL);
}

static int
core_start_timer(struct core *core)
{
	const struct timeval period = { .tv_sec = TIMER_SECONDS };

	core->timer = event_new(loop_base(core->loops[0].loop), -1, EV_PERSIST,
	    timer_cb, core);
	if (core->timer == NULL || event_add(core->timer, &period) != 0)
		return -ENOMEM;
	return 0;
}

/* ---- control */

static void
admin_stop(void *arg)
{
	struct core *core = arg;

	role_stop_all(core->process);
}

static void
offline_closed(void *arg)
{
	struct core *core = arg;

	role_exit(core->process, 0);
}

static int
core_open_control(struct core *core, struct role_start *start)
{
	int listener = -1, fd, rc;

	for (size_t i = 0; i < start->listener_count; i++) {
		if (start->listeners[i].index == ROLE_CONTROL)
			listener = role_start_take_listener(start, i);
	}
	core->control = control_new(loop_base(core->loops[0].loop), listener);
	if (core->control == NULL)
		return -ENOMEM;
	rc = admin_add_verbs(core->control, core->community);
	if (rc != 0 || !core->offline)
		return rc;
	fd = start->control_fd;
	start->control_fd = -1;
	return control_serve(core->control, fd, offline_closed, core);
}

/* ---- news */

static int
core_set_tls(struct core *core, const struct role_start *start)
{
	const char *why = "";
	int rc = core_listen_set_tls(core->listen,
	    role_start_file(start, "certificate"), role_start_file(start, "key"),
	    role_start_file(start, "client_ca"), &why);

	if (rc != 0)
		log_err("tls: certificate, key or client_ca cannot be used: %s",
		    why);
	return rc;
}

static int
core_open_listeners(struct core *core, struct role_start *start)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < start->listener_count; i++) {
		const struct config_listener *listener;

		if (start->listeners[i].index >= core->config->listener_count)
			continue;
		listener = &core->config->listeners[start->listeners[i].index];
		if (listener->protocol != LISTEN_NNTP &&
		    listener->protocol != LISTEN_NNTPS)
			continue;
		rc = core_listen_add(core->listen,
		    role_start_take_listener(start, i),
		    listener->protocol == LISTEN_NNTPS);
	}
	return rc;
}

static int
core_open_news(struct core *core, struct role_start *start)
{
	struct news_loop_options loops[LOOPS_MAX];
	struct news_options options = { .community = core->community,
		.loops = loops,
		.loop_count = core->loop_count,
		.tls = core_listen_tls };
	const struct core_listen_options listen = {
		.loops = core->loop_pointers, .loop_count = core->loop_count
	};
	int rc;

	for (size_t i = 0; i < core->loop_count; i++) {
		loops[i].loop = core->loops[i].loop;
		loops[i].inbox = core->loops[i].inbox;
	}
	core->listen = core_listen_new(&listen);
	if (core->listen == NULL)
		return -ENOMEM;
	rc = core_set_tls(core, start);
	if (rc != 0)
		return rc;
	options.tls_arg = core->listen;
	core->news = news_server_new(&options);
	if (core->news == NULL)
		return -ENOMEM;
	core_listen_set_server(core->listen, core->news);
	return core_open_listeners(core, start);
}

/* ---- start */

static void
parse_kill(void *arg)
{
	struct core *core = arg;

	role_kill_peer(core->process, "parse");
}

/* Peers may be named, so it needs somebody who knows names. */
static void
feed_want(void *arg)
{
	struct core *core = arg;

	role_want(core->process, "resolve");
	role_want(core->process, "feed");
}

static int
core_open_community(struct core *core)
{
	struct event_base *base = loop_base(core->loops[0].loop);
	struct community_options options = { .store = core->store,
		.config = core->config,
		.clock = core->clock,
		.loop = core->loops[0].loop,
		.inbox = core->loops[0].inbox,
		.admin = &core->admin };
	char *error = NULL;
	int rc;

	core->workers = worker_pool_new(WORKERS);
	core->mail = core_mail_new(base);
	core->parse = core_parse_new(base);
	core->feed = core_feed_new(base, feed_want, core);
	if (core->workers == NULL || core->mail == NULL ||
	    core->parse == NULL || core->feed == NULL)
		return -ENOMEM;
	options.workers = core->workers;
	options.mail = core_mail_port(core->mail);
	options.parse = core_parse_port(core->parse);
	if (!core->offline)
		options.feed = core_feed_port(core->feed);
	rc = community_new(&core->community, &options, &error);
	if (rc != 0) {
		log_err("%s", error == NULL ? strerror(-rc) : error);
		free(error);
		return rc;
	}
	core_mail_set_community(core->mail, core->community);
	core_parse_set_config(core->parse, core->config);
	core_parse_set_kill(core->parse, parse_kill, core);
	return core->offline
	    ? 0
	    : core_feed_set_community(core->feed, core->community);
}

static int
core_open(struct core *core, struct role_start *start)
{
	int rc = core_open_loops(core);

	if (rc == 0)
		rc = core_open_community(core);
	if (rc == 0 && !core->offline)
		rc = core_open_news(core, start);
	if (rc == 0)
		rc = core_open_control(core, start);
	if (rc == 0 && !core->offline)
		rc = core_start_timer(core);
	for (size_t i = 1; rc == 0 && i < core->loop_count; i++)
		rc = loop_run_thread(core->loops[i].loop);
	if (rc != 0)
		log_err("core cannot start: %s", strerror(-rc));
	else if (!core->offline && core->config->authserv_id[0] == '\0')
		log_warning("authserv_id is not set: mail of staff rests on "
			    "reply tokens alone");
	return rc == 0 ? 0 : EX_OSERR;
}

static void core_free(void *state);

static int
core_start(struct role_process *process, struct role_start *start, void **state_r)
{
	struct core *core = calloc(1, sizeof *core);
	int status = EX_OSERR;

	if (core == NULL)
		goto out;
	core->process = process;
	core->config = start->config;
	start->config = NULL;
	core->offline = (start->flags & ROLE_OFFLINE) != 0;
	core->admin = (struct admin_port){ .stop = admin_stop,
		.clock_allowed = (start->flags & ROLE_TEST_CLOCK) != 0,
		.offline = core->offline,
		.version = PACKAGE_VERSION,
		.arg = core };
	core_raise_limits();
	core->clock = clock_new();
	if (core->clock == NULL)
		goto out;
	status = core_open_store(core);
	if (status == 0)
		status = core_open(core, start);
out:
	role_start_free(&start);
	if (status == 0)
		*state_r = core;
	else if (core != NULL)
		core_free(core);
	return status;
}

static int
core_reload(void *state, struct role_start *start)
{
	struct core *core = state;
	int rc = core_set_tls(core, start);

	if (rc == 0) {
		core_parse_set_config(core->parse, start->config);
		community_reload(core->community, start->config);
		start->config = NULL;
	}
	role_start_free(&start);
	return rc;
}

static void
core_peer(void *state, const char *peer, int fd)
{
	struct core *core = state;

	if (strcmp(peer, "mail") == 0)
		core_mail_connect(core->mail, fd);
	else if (strcmp(peer, "parse") == 0)
		core_parse_connect(core->parse, fd);
	else if (strcmp(peer, "feed") == 0)
		core_feed_connect(core->feed, fd);
	else
		(void)close(fd);
}

/* ---- stop */

static void
stop_poll_cb(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval soon = { .tv_usec = STOP_POLL_MS * 1000 };
	struct core *core = arg;

	(void)fd;
	(void)what;
	if (news_server_sessions(core->news) == 0 ||
	    ++core->stop_polls == STOP_POLLS_MAX)
		role_exit(core->process, 0);
	else
		(void)event_add(core->stop_poll, &soon);
}

/* New connections end, idle sessions are told, busy ones finish their command;
 * what was submitted to the store is finished by store_close. */
static void
core_stop(void *state)
{
	struct core *core = state;

	if (core->news == NULL || core->stop_poll != NULL) {
		role_exit(core->process, 0);
		return;
	}
	core_listen_stop(core->listen);
	news_server_stop(core->news);
	core->stop_poll = evtimer_new(
	    loop_base(core->loops[0].loop), stop_poll_cb, core);
	if (core->stop_poll == NULL)
		role_exit(core->process, 0);
	else
		stop_poll_cb(-1, 0, core);
}

static void
core_stop_loops(struct core *core)
{
	for (size_t i = 1; i < core->loop_count; i++) {
		loop_stop(core->loops[i].loop);
		loop_join(core->loops[i].loop);
	}
	worker_pool_stop(core->workers);
	/* what the workers have done is heard of while the community lives */
	for (size_t i = 0; i < core->loop_count; i++)
		(void)loop_turn(core->loops[i].loop);
}

static int
apply_nothing(struct store_txn *txn, struct store_op *op)
{
	(void)txn;
	(void)op;
	return 0;
}

/* Everything that was submitted is on disk and its submitter has heard of it,
 * while those who wait are still there. An answer may submit again (a job
 * records how far it got), hence the rounds. */
static void
core_finish_operations(struct core *core)
{
	struct store_op last = { .apply = apply_nothing, .bulk = true };

	for (int round = 0; round < 3 && core->store != NULL; round++) {
		(void)store_run(core->store, &last);
		for (size_t i = 0; i < core->loop_count; i++) {
			if (core->loops[i].inbox != NULL)
				store_inbox_drain(core->loops[i].inbox);
		}
	}
}

static void
core_free(void *state)
{
	struct core *core = state;

	if (core->timer != NULL)
		event_free(core->timer);
	if (core->stop_poll != NULL)
		event_free(core->stop_poll);
	core_stop_loops(core);
	if (core->mail != NULL)
		core_mail_close(core->mail);
	if (core->feed != NULL)
		core_feed_close(core->feed);
	core_parse_free(&core->parse);
	core_finish_operations(core);
	news_server_free(&core->news);
	core_listen_free(&core->listen);
	control_free(&core->control);
	/* the writer ends first: its operations use the community */
	store_close(&core->store);
	community_free(&core->community);
	worker_pool_free(&core->workers);
	core_mail_free(&core->mail);
	core_feed_free(&core->feed);
	for (size_t i = 0; i < core->loop_count; i++) {
		if (core->loops[i].inbox_event != NULL)
			event_free(core->loops[i].inbox_event);
		store_inbox_free(&core->loops[i].inbox);
		if (i > 0)
			loop_free(&core->loops[i].loop);
	}
	clock_free(&core->clock);
	config_free(&core->config);
	free(core);
}

const struct role core_role = {
	.name = "core",
	.profile = SANDBOX_CORE,
	.start = core_start,
	.reload = core_reload,
	.peer = core_peer,
	.stop = core_stop,
	.free = core_free,
};
