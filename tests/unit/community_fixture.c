/* community_fixture.c - what the community's tests share.
 */
#include "tests/unit/community_fixture.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <event2/event.h>
#pragma GCC diagnostic pop

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

struct fixture_body {
	uint64_t id;
	char *bytes;
	struct fixture_body *next;
};

/* ---- ports */

static int
port_body(void *arg, uint64_t id, struct span bytes)
{
	struct fixture *fixture = arg;
	struct fixture_body *body = calloc(1, sizeof *body);

	assert_non_null(body);
	body->id = id;
	body->bytes = strndup(bytes.len == 0 ? "" : bytes.bytes, bytes.len);
	body->next = fixture->bodies;
	fixture->bodies = body;
	return 0;
}

static void
port_body_free(void *arg, uint64_t id)
{
	struct fixture *fixture = arg;
	struct fixture_body **at = &fixture->bodies, *gone;

	while (*at != NULL && (*at)->id != id)
		at = &(*at)->next;
	gone = *at;
	if (gone == NULL)
		return;
	*at = gone->next;
	free(gone->bytes);
	free(gone);
}

struct sending {
	struct fixture *fixture;
	size_t count;
	outgoing_done done;
	void *arg;
};

static void
port_sent(void *arg)
{
	struct outgoing_result results[OUTGOING_MAX];
	struct sending *sending = arg;

	for (size_t i = 0; i < sending->count; i++) {
		results[i].code = sending->fixture->reply_code;
		results[i].reply = sending->fixture->reply_text;
	}
	sending->done(sending->arg, results, sending->count, NULL);
	free(sending);
}

static void
mail_keep(struct fixture *fixture, const char *body, const struct outgoing *out)
{
	struct fixture_mail *mail = calloc(1, sizeof *mail),
			    **at = &fixture->mails;

	assert_non_null(mail);
	mail->envelope_from = strdup(out->envelope_from);
	mail->recipient = strdup(out->recipient);
	mail->head =
	    strndup(out->head.len == 0 ? "" : out->head.bytes, out->head.len);
	mail->body = strdup(body);
	while (*at != NULL)
		at = &(*at)->next;
	*at = mail;
	fixture->mail_count++;
}

static int
port_send(void *arg, uint64_t body, const struct outgoing *recipients,
    size_t count, outgoing_done done, void *done_arg)
{
	struct fixture *fixture = arg;
	struct sending *sending = calloc(1, sizeof *sending);
	const struct fixture_body *at = fixture->bodies;

	assert_non_null(sending);
	assert_true(count <= OUTGOING_MAX);
	while (at != NULL && at->id != body)
		at = at->next;
	assert_non_null(at);
	for (size_t i = 0; i < count; i++)
		mail_keep(fixture, at->bytes, &recipients[i]);
	sending->fixture = fixture;
	sending->count = count;
	sending->done = done;
	sending->arg = done_arg;
	return loop_post(fixture->loop, port_sent, sending);
}

static void
port_flush(void *arg)
{
	(void)arg;
}

void
fixture_forget_mail(struct fixture *fixture)
{
	struct fixture_mail *next;

	for (struct fixture_mail *mail = fixture->mails; mail != NULL;
	     mail = next) {
		next = mail->next;
		free(mail->envelope_from);
		free(mail->recipient);
		free(mail->head);
		free(mail->body);
		free(mail);
	}
	fixture->mails = NULL;
	fixture->mail_count = 0;
}

/* ---- opening and closing */

static void
on_inbox(evutil_socket_t fd, short events, void *arg)
{
	(void)fd;
	(void)events;
	store_inbox_drain(arg);
}

static void
feed_want(void *arg)
{
	(void)arg;
}

static int
feed_offer(void *arg, const struct feed_endpoint *endpoint,
    const struct feed_offer *offers, size_t count, feed_offered done,
    void *done_arg)
{
	(void)arg;
	(void)endpoint;
	(void)offers;
	(void)count;
	(void)done;
	(void)done_arg;
	return -ENOTCONN;
}

static int
feed_pull(void *arg, const struct feed_endpoint *endpoint,
    const struct feed_pull *pull, feed_pulled done, void *done_arg)
{
	(void)arg;
	(void)endpoint;
	(void)pull;
	(void)done;
	(void)done_arg;
	return -ENOTCONN;
}

static void
on_log(void *arg, enum store_log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static void
on_fatal(void *arg, const char *why)
{
	(void)arg;
	(void)fprintf(stderr, "fatal: %s\n", why);
	_exit(3);
}

static void
fixture_config(struct fixture *fixture)
{
	char path[128], *error = NULL;
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/kithd.conf", fixture->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fprintf(file,
	    "domain = \"lists.example\"\nhostname = \"news.example\"\n"
	    "store { directory = \"%s\" }\ntransport = \"maildir:%s/out\"\n"
	    "listen nntp { address = \"127.0.0.1\" port = 11119 }\n",
	    fixture->directory, fixture->directory);
	(void)fclose(file);
	if (config_read(path, &fixture->config, &error) != 0)
		fail_msg("config_read: %s", error);
}

static void
fixture_open(struct fixture *fixture)
{
	const struct store_options store = {
		.directory = fixture->directory,
		.cache_bytes = (size_t)16 << 20,
		.object_cache_bytes = (size_t)8 << 20,
		.log = on_log,
		.fatal = on_fatal,
	};
	struct community_options options;
	char *error = NULL;

	if (store_open(&fixture->store, &store, &error) != 0)
		fail_msg("store_open: %s", error);
	fixture->loop = loop_new();
	fixture->inbox = store_inbox_new();
	fixture->workers = worker_pool_new(2);
	assert_non_null(fixture->loop);
	assert_non_null(fixture->inbox);
	assert_non_null(fixture->workers);
	fixture->inbox_event =
	    event_new(loop_base(fixture->loop), store_inbox_fd(fixture->inbox),
		EV_READ | EV_PERSIST, on_inbox, fixture->inbox);
	assert_int_equal(event_add(fixture->inbox_event, NULL), 0);
	options = (struct community_options){
		.store = fixture->store,
		.config = fixture->config,
		.clock = fixture->clock,
		.loop = fixture->loop,
		.inbox = fixture->inbox,
		.workers = fixture->workers,
		.mail = &fixture->mail,
		.parse = &fixture->parse,
		.feed = &fixture->feed,
		.admin = &fixture->admin,
	};
	if (community_new(&fixture->community, &options, &error) != 0)
		fail_msg("community_new: %s", error);
}

static void
fixture_close(struct fixture *fixture)
{
	fixture_settle(fixture);
	worker_pool_free(&fixture->workers);
	store_close(&fixture->store);
	community_free(&fixture->community);
	event_free(fixture->inbox_event);
	loop_free(&fixture->loop);
	store_inbox_free(&fixture->inbox);
}

int
fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	assert_non_null(fixture);
	(void)snprintf(fixture->directory, sizeof fixture->directory,
	    "/tmp/kith-community-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	fixture->clock = clock_new_fixed(FIXTURE_NOW);
	fixture->reply_code = 250;
	fixture->reply_text = "2.0.0 ok";
	fixture->mail = (struct mail_port){ port_body, port_body_free,
		port_send, port_flush, fixture };
	fixture->feed = (struct feed_port){ feed_want, feed_offer, feed_pull,
		fixture };
	fixture->admin.clock_allowed = true;
	fixture->admin.version = "test";
	fixture_config(fixture);
	fixture_open(fixture);
	*state = fixture;
	return 0;
}

static void
remove_folder(const char *directory)
{
	char path[512];
	const struct dirent *entry;
	DIR *dir = opendir(directory);

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		(void)snprintf(path, sizeof path, "%s/%s", directory,
		    entry->d_name);
		(void)unlink(path);
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(directory);
}

int
fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	fixture_close(fixture);
	while (fixture->bodies != NULL)
		port_body_free(fixture, fixture->bodies->id);
	fixture_forget_mail(fixture);
	config_free(&fixture->config);
	clock_free(&fixture->clock);
	remove_folder(fixture->directory);
	free(fixture);
	return 0;
}

void
fixture_reopen(struct fixture *fixture)
{
	fixture_close(fixture);
	while (fixture->bodies != NULL)
		port_body_free(fixture, fixture->bodies->id);
	fixture_open(fixture);
}

/* ---- turning the loop */

static void
on_late(evutil_socket_t fd, short events, void *arg)
{
	(void)fd;
	(void)events;
	*(bool *)arg = true;
}

static void
wait_for(struct fixture *fixture, bool (*is_over)(void *arg), void *arg)
{
	struct event_base *base = loop_base(fixture->loop);
	const struct timeval limit = { 10, 0 };
	bool late = false;
	struct event *timer = event_new(base, -1, EV_TIMEOUT, on_late, &late);

	assert_non_null(timer);
	assert_int_equal(event_add(timer, &limit), 0);
	while (!is_over(arg) && !late)
		(void)event_base_loop(base, EVLOOP_ONCE);
	event_free(timer);
	assert_false(late);
}

static bool
flag_is_set(void *arg)
{
	return *(const bool *)arg;
}

void
fixture_wait(struct fixture *fixture, const bool *flag)
{
	wait_for(fixture, flag_is_set, (void *)(uintptr_t)flag);
}

static bool
is_idle(void *arg)
{
	return community_is_idle(((struct fixture *)arg)->community);
}

void
fixture_settle(struct fixture *fixture)
{
	while (loop_turn(fixture->loop))
		;
	wait_for(fixture, is_idle, fixture);
	while (loop_turn(fixture->loop))
		;
}

struct call {
	struct store_op op;
	int (*fn)(struct store_txn *txn, void *arg);
	void *arg;
};

static int
call_apply(struct store_txn *txn, struct store_op *op)
{
	struct call *call = (struct call *)(void *)op;

	return call->fn(txn, call->arg);
}

int
fixture_run(struct fixture *fixture,
    int (*fn)(struct store_txn *txn, void *arg), void *arg)
{
	struct call call = { .op = { .apply = call_apply },
		.fn = fn,
		.arg = arg };

	return store_run(fixture->store, &call.op);
}
