/* feed.c - the channels of the feed role, and the role itself: sandboxed like
 * mail, sockets but no files. What hostile servers say is read here, far from
 * the store.
 */
#include "build.h"

#include "daemon/feed/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/dial.h"
#include "daemon/feed/login.h"
#include "daemon/ipc.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/messages.h"
#include "daemon/role.h"
#include "daemon/tls.h"

/* ---- channels */

static void
feed_drop_all(struct feed *feed)
{
	struct push *push, *next_push;
	struct pull *pull, *next_pull;

	for (push = LIST_FIRST(&feed->pushes); push != NULL; push = next_push) {
		next_push = push_next(push);
		push_drop(push);
	}
	for (pull = LIST_FIRST(&feed->pulls); pull != NULL; pull = next_pull) {
		next_pull = pull_next(pull);
		pull_drop(pull);
	}
}

static void
on_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	struct feed *feed = arg;

	(void)ipc;
	if (type == MESSAGE_OFFER)
		push_offer(feed, request, fields);
	else if (type == MESSAGE_PULL)
		pull_begin(feed, request, fields);
	else
		log_warning("core asks type=%u", type);
}

static void
on_closed(void *arg, struct ipc *ipc)
{
	struct feed *feed = arg;

	if (ipc == feed->core)
		feed_drop_all(feed);
}

static const struct ipc_handler core_handler = { on_request, on_closed };

int
feed_connect_core(struct feed *feed, int fd)
{
	feed_drop_all(feed);
	ipc_free(&feed->core);
	feed->core = ipc_new(loop_base(feed->loop), fd, &core_handler, feed);
	return feed->core == NULL ? -ENOMEM : 0;
}

int
feed_connect_resolve(struct feed *feed, int fd)
{
	return dialer_connect_resolve(feed->dialer, fd);
}

void
feed_set_tls(struct feed *feed, struct ssl_ctx_st *ctx)
{
	/* connections hold references of their own */
	tls_free(&feed->ctx);
	feed->ctx = ctx;
}

/* ---- life */

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct feed *feed = arg;
	struct push *push, *next_push;
	struct pull *pull, *next_pull;

	(void)fd;
	(void)what;
	for (push = LIST_FIRST(&feed->pushes); push != NULL; push = next_push) {
		next_push = push_next(push);
		push_tick(push);
	}
	for (pull = LIST_FIRST(&feed->pulls); pull != NULL; pull = next_pull) {
		next_pull = pull_next(pull);
		pull_tick(pull);
	}
}

struct feed *
feed_new(struct loop *loop, struct ssl_ctx_st *ctx)
{
	const struct timeval second = { 1, 0 };
	struct feed *feed = calloc(1, sizeof *feed);

	if (feed == NULL) {
		tls_free(&ctx);
		return NULL;
	}
	feed->loop = loop;
	feed->ctx = ctx;
	LIST_INIT(&feed->pushes);
	LIST_INIT(&feed->pulls);
	feed->dialer = dialer_new(loop);
	feed->tick = event_new(loop_base(loop), -1, EV_PERSIST, on_tick, feed);
	if (feed->dialer == NULL || feed->tick == NULL ||
	    feed_login_open(&feed->sasl) != 0 ||
	    event_add(feed->tick, &second) != 0)
		feed_free(&feed);
	return feed;
}

void
feed_free(struct feed **feed_p)
{
	struct feed *feed = *feed_p;

	*feed_p = NULL;
	if (feed == NULL)
		return;
	feed_drop_all(feed);
	ipc_free(&feed->core);
	dialer_free(&feed->dialer);
	/* those that waited for a connection */
	while (!LIST_EMPTY(&feed->pushes))
		push_free(LIST_FIRST(&feed->pushes));
	while (!LIST_EMPTY(&feed->pulls))
		pull_free(LIST_FIRST(&feed->pulls));
	if (feed->tick != NULL)
		event_free(feed->tick);
	tls_free(&feed->ctx);
	feed_login_close(&feed->sasl);
	free(feed);
}

/* ---- the role */

struct feed_process {
	struct role_process *process;
	struct feed *feed;
};

/* NULL: peers that want TLS are not reached, the others are. */
static struct ssl_ctx_st *
feed_tls(const struct role_start *start)
{
	struct span ca = role_start_file(start, "feed-ca");
	struct ssl_ctx_st *ctx = NULL;
	const char *why = "";

	if (ca.len > 0)
		ctx = tls_client_new(ca, &why);
	if (ctx == NULL && ca.len > 0)
		log_err("feed tls: %s", why);
	return ctx;
}

static int
role_feed_start(struct role_process *process, struct role_start *start,
    void **state_r)
{
	struct feed_process *state = calloc(1, sizeof *state);
	int status = EX_OSERR;

	if (state != NULL) {
		state->process = process;
		state->feed = feed_new(role_loop(process), feed_tls(start));
		if (state->feed != NULL)
			status = 0;
		else
			free(state);
	}
	if (status == 0)
		*state_r = state;
	role_start_free(&start);
	return status;
}

static int
role_feed_reload(void *arg, struct role_start *start)
{
	struct feed_process *state = arg;

	feed_set_tls(state->feed, feed_tls(start));
	role_start_free(&start);
	return 0;
}

static void
role_feed_peer(void *arg, const char *peer, int fd)
{
	struct feed_process *state = arg;
	int rc = 0;

	if (strcmp(peer, "core") == 0)
		rc = feed_connect_core(state->feed, fd);
	else if (strcmp(peer, "resolve") == 0)
		rc = feed_connect_resolve(state->feed, fd);
	else
		(void)close(fd);
	if (rc != 0)
		role_exit(state->process, EX_OSERR);
}

static void
role_feed_free(void *arg)
{
	struct feed_process *state = arg;

	feed_free(&state->feed);
	free(state);
}

const struct role feed_role = {
	.name = "feed",
	.profile = SANDBOX_MAIL,
	.start = role_feed_start,
	.reload = role_feed_reload,
	.peer = role_feed_peer,
	.free = role_feed_free,
};
