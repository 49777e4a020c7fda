/* world.c - kithd in one process, for scenarios.
 */
#include "build.h"

#include "tests/replay/world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include "daemon/community/admin.h"
#include "daemon/community/community.h"
#include "daemon/control.h"
#include "daemon/core_mail.h"
#include "daemon/loop.h"
#include "daemon/mail/engine.h"
#include "daemon/mail/parse_service.h"
#include "daemon/news/news.h"
#include "protocol/dot.h"
#include "store/store.h"
#include "tests/client.h"

#define START_TIME  1800000000u /* 2027-01-15 08:00:00 UTC */
#define RULES_MAX   32u
#define SETTLE_MAX  2000000u

struct answer_rule {
	char *recipient;
	unsigned code;
	char *text;
};

/* The outgoing mailbox in the place of a smarthost. */
struct capture {
	struct mail_transport transport;
	struct world *world;
};

struct world {
	char *folder;
	struct clock *clock;
	struct config *config;
	char *config_line;
	struct loop *loop;
	struct store *store;
	struct store_inbox *inbox;
	struct event *inbox_event;
	struct worker_pool *workers;
	struct core_mail *core_mail;
	struct core_parse *core_parse;
	struct parse_service *parse[2];
	struct community *community;
	struct news_server *news;
	struct mail_engine *engine;
	struct control *control;
	int control_fd; /* the client's end */
	struct admin_port admin;
	struct world_mail *mails;
	size_t mail_count;
	struct answer_rule rules[RULES_MAX];
	size_t rule_count;
	bool smarthost_up;
	size_t smarthost_room; /* mails it takes before it goes; 0: no end */
};

struct world_client {
	struct world *world;
	struct client end;
	struct buffer line; /* the last one taken */
};

void
world_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	exit(1);
}

/* ---- the smarthost */

static const struct answer_rule *
rule_for(const struct world *world, const char *recipient)
{
	for (size_t i = world->rule_count; i-- > 0;) {
		if (strstr(recipient, world->rules[i].recipient) != NULL)
			return &world->rules[i];
	}
	return NULL;
}

static void
capture_mail(struct world *world, const struct mail_body *body,
    const struct mail_delivery *delivery)
{
	struct world_mail *mail;
	struct buffer text;
	char *to;

	world->mails = realloc(
	    world->mails, (world->mail_count + 1) * sizeof *world->mails);
	if (world->mails == NULL)
		world_fail("out of memory");
	mail = &world->mails[world->mail_count++];
	buffer_init(&text, 0);
	buffer_append(&text, delivery->head, delivery->head_len);
	dot_unstuff(&text, body->bytes);
	mail->envelope_from = strdup(delivery->envelope_from);
	mail->recipient = strdup(delivery->recipient);
	mail->text = buffer_take(&text, NULL);
	mail->seen = false;
	if (mail->text == NULL || mail->recipient == NULL)
		world_fail("out of memory");
	/* LF, as scenarios are written */
	to = mail->text;
	for (const char *from = mail->text; *from != '\0'; from++) {
		if (*from != '\r' || from[1] != '\n')
			*to++ = *from;
	}
	*to = '\0';
}

static void
capture_send(struct mail_transport *transport, struct mail_chunk *chunk)
{
	struct world *world = ((struct capture *)(void *)transport)->world;

	if (!world->smarthost_up) {
		mail_chunk_fail(chunk, "connection refused");
		chunk->done(chunk->arg, chunk);
		return;
	}
	for (size_t i = 0; i < chunk->count; i++) {
		struct mail_delivery *delivery = &chunk->deliveries[i];
		const struct answer_rule *rule =
		    rule_for(world, delivery->recipient);

		if (rule != NULL && rule->code != 250) {
			mail_delivery_answer(delivery, rule->code, rule->text);
			continue;
		}
		if (!world->smarthost_up) {
			mail_delivery_answer(delivery, 421, "4.3.2 going down");
			continue;
		}
		capture_mail(world, chunk->body, delivery);
		mail_delivery_answer(delivery, 250, "2.0.0 taken");
		if (world->smarthost_room > 0 && --world->smarthost_room == 0)
			world->smarthost_up = false;
	}
	chunk->done(chunk->arg, chunk);
}

static void
capture_free(struct mail_transport *transport)
{
	free(transport);
}

static const struct mail_transport_methods capture_methods = {
	.send = capture_send,
	.free = capture_free,
};

void
world_smarthost(struct world *world, bool up)
{
	world->smarthost_up = up;
}

void
world_smarthost_answers(
    struct world *world, const char *recipient, unsigned code, const char *text)
{
	struct answer_rule *rule = &world->rules[world->rule_count];

	if (world->rule_count++ == RULES_MAX)
		world_fail("too many rules for the smarthost");
	rule->recipient = strdup(recipient);
	rule->code = code;
	rule->text = strdup(text);
}

void
world_smarthost_fails_after(struct world *world, size_t mails)
{
	world->smarthost_room = mails;
}

size_t
world_mail_count(const struct world *world)
{
	return world->mail_count;
}

struct world_mail *
world_mail_get(struct world *world, size_t i)
{
	return &world->mails[i];
}

/* ---- start and stop */

static void
inbox_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	store_inbox_drain(arg);
}

static void
store_line(void *arg, enum store_log_level level, const char *line)
{
	(void)arg;
	if (level == STORE_LOG_ERR)
		(void)fprintf(stderr, "store: %s\n", line);
}

static void
store_died(void *arg, const char *why)
{
	(void)arg;
	world_fail("store: %s", why);
}

static void
pair_of_sockets(int fds[2])
{
	/* what ipc.h wants of a channel */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) != 0)
		world_fail("socketpair: %s", strerror(errno));
}

static void
write_config(const struct world *world, const char *path)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		world_fail("%s: %s", path, strerror(errno));
	(void)fprintf(file,
	    "domain = \"lists.example\"\nhostname = \"news.example\"\n"
	    "store { directory = \"%s/store\" cache_mb = 16 }\n"
	    "control { path = \"%s/control.sock\" }\n"
	    "transport = \"maildir:%s/out\"\n"
	    "auth_without_tls = true\n"
	    "limits { answers_per_hour = 20 }\n"
	    "bounce { suspend_after = 3 }\n",
	    world->folder, world->folder, world->folder);
	if (world->config_line != NULL)
		(void)fprintf(file, "%s\n", world->config_line);
	(void)fclose(file);
}

static void
read_config(struct world *world)
{
	char *path = NULL, *error = NULL;

	if (asprintf(&path, "%s/kithd.conf", world->folder) < 0)
		world_fail("out of memory");
	write_config(world, path);
	config_free(&world->config);
	if (config_read(path, &world->config, &error) != 0)
		world_fail("%s", error);
	free(path);
}

static void
open_store(struct world *world)
{
	char *path = NULL, *error = NULL;
	struct store_options options = { .cache_bytes = 8u << 20,
		.object_cache_bytes = (size_t)8 << 20,
		.log = store_line,
		.fatal = store_died };

	if (asprintf(&path, "%s/store", world->folder) < 0)
		world_fail("out of memory");
	(void)mkdir(path, 0700);
	options.directory = path;
	if (store_open(&world->store, &options, &error) != 0)
		world_fail("store: %s", error);
	free(path);
	world->inbox = store_inbox_new();
	world->inbox_event = event_new(loop_base(world->loop),
	    store_inbox_fd(world->inbox), EV_READ | EV_PERSIST, inbox_cb,
	    world->inbox);
	(void)event_add(world->inbox_event, NULL);
}

static void
open_community(struct world *world)
{
	struct event_base *base = loop_base(world->loop);
	struct community_options options = { .store = world->store,
		.config = world->config,
		.clock = world->clock,
		.loop = world->loop,
		.inbox = world->inbox,
		.admin = &world->admin };
	char *error = NULL;

	world->admin.clock_allowed = true;
	world->admin.version = "replay";
	world->workers = worker_pool_new(1);
	world->core_mail = core_mail_new(base);
	world->core_parse = core_parse_new(base);
	options.workers = world->workers;
	options.mail = core_mail_port(world->core_mail);
	options.parse = core_parse_port(world->core_parse);
	if (community_new(&world->community, &options, &error) != 0)
		world_fail("community: %s", error);
	core_mail_set_community(world->core_mail, world->community);
	core_parse_set_config(world->core_parse, world->config);
}

static void
open_mail(struct world *world)
{
	struct event_base *base = loop_base(world->loop);
	struct capture *capture = calloc(1, sizeof *capture);
	int fds[2];

	if (capture == NULL)
		world_fail("out of memory");
	capture->transport.methods = &capture_methods;
	capture->world = world;
	world->engine = mail_engine_new(world->loop, world->config);
	mail_engine_set_transport(world->engine, &capture->transport);
	pair_of_sockets(fds);
	(void)mail_engine_connect_core(world->engine, fds[0]);
	core_mail_connect(world->core_mail, fds[1]);
	pair_of_sockets(fds);
	(void)mail_engine_connect_parse(world->engine, fds[0]);
	world->parse[0] = parse_service_new(base, fds[1], "news.example");
	pair_of_sockets(fds);
	core_parse_connect(world->core_parse, fds[0]);
	world->parse[1] = parse_service_new(base, fds[1], "news.example");
}

static void
open_control(struct world *world)
{
	int fds[2];

	world->control = control_new(loop_base(world->loop), -1);
	(void)admin_add_verbs(world->control, world->community);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) != 0)
		world_fail("socketpair: %s", strerror(errno));
	(void)control_serve(world->control, fds[0], NULL, NULL);
	world->control_fd = fds[1];
}

static void
world_open(struct world *world)
{
	struct news_loop_options loop;
	struct news_options news = { .loops = &loop, .loop_count = 1 };

	world->loop = loop_new();
	if (world->loop == NULL)
		world_fail("out of memory");
	open_store(world);
	open_community(world);
	open_mail(world);
	open_control(world);
	loop.loop = world->loop;
	loop.inbox = world->inbox;
	news.community = world->community;
	world->news = news_server_new(&news);
}

static void
world_close(struct world *world)
{
	world_settle(world);
	mail_engine_free(&world->engine);
	news_server_free(&world->news);
	control_free(&world->control);
	(void)close(world->control_fd);
	core_mail_close(world->core_mail);
	core_parse_free(&world->core_parse);
	parse_service_free(&world->parse[0]);
	parse_service_free(&world->parse[1]);
	worker_pool_free(&world->workers);
	community_free(&world->community);
	store_close(&world->store);
	core_mail_free(&world->core_mail);
	event_free(world->inbox_event);
	store_inbox_free(&world->inbox);
	loop_free(&world->loop);
}

struct world *
world_new(const char *folder)
{
	struct world *world = calloc(1, sizeof *world);

	if (world == NULL)
		world_fail("out of memory");
	world->folder = strdup(folder);
	world->smarthost_up = true;
	world->clock = clock_new_fixed(START_TIME);
	read_config(world);
	world_open(world);
	return world;
}

void
world_restart(struct world *world)
{
	world_close(world);
	world_open(world);
}

void
world_configure(struct world *world, const char *line)
{
	world_close(world);
	free(world->config_line);
	world->config_line = strdup(line);
	read_config(world);
	world_open(world);
}

void
world_free(struct world **world_p)
{
	struct world *world = *world_p;

	world_close(world);
	for (size_t i = 0; i < world->mail_count; i++) {
		free(world->mails[i].envelope_from);
		free(world->mails[i].recipient);
		free(world->mails[i].text);
	}
	free(world->mails);
	for (size_t i = 0; i < world->rule_count; i++) {
		free(world->rules[i].recipient);
		free(world->rules[i].text);
	}
	config_free(&world->config);
	clock_free(&world->clock);
	free(world->config_line);
	free(world->folder);
	free(world);
	*world_p = NULL;
}

/* ---- time */

/* Another thread writes to disk: what is under way shows in is_idle, and its
 * end arrives as an event, which one blocking pass waits for. */
static void
wait_for_event(struct world *world)
{
	(void)event_base_loop(loop_base(world->loop), EVLOOP_ONCE);
}

void
world_settle(struct world *world)
{
	for (unsigned i = 0; i < SETTLE_MAX; i++) {
		while (loop_turn(world->loop))
			continue;
		if (community_is_idle(world->community))
			return;
		wait_for_event(world);
	}
	world_fail("the world does not come to rest");
}

static void
set_flag(void *arg)
{
	*(bool *)arg = true;
}

void
world_advance(struct world *world, uint64_t seconds)
{
	bool done = false;

	world_settle(world);
	clock_advance(world->clock, seconds);
	community_run_timers(world->community, set_flag, &done);
	while (!done)
		wait_for_event(world);
	world_settle(world);
}

/* ---- clients */

static struct world_client *
client_new(struct world *world, struct stream **server_end)
{
	struct world_client *client = calloc(1, sizeof *client);

	if (client == NULL)
		world_fail("out of memory");
	client->world = world;
	buffer_init(&client->line, 0);
	*server_end = client_connect(&client->end, world->loop);
	return client;
}

struct world_client *
world_connect_news(struct world *world)
{
	struct stream *end;
	struct world_client *client = client_new(world, &end);

	news_session_new(world->news, 0, end, false);
	return client;
}

struct world_client *
world_connect_lmtp(struct world *world)
{
	struct stream *end;
	struct world_client *client = client_new(world, &end);

	if (mail_engine_accept_stream(world->engine, end, LISTEN_LMTP) != 0)
		world_fail("the mail engine takes no session");
	return client;
}

void
world_client_free(struct world_client **client)
{
	if (*client == NULL)
		return;
	client_close(&(*client)->end);
	buffer_fini(&(*client)->line);
	free(*client);
	*client = NULL;
}

void
world_client_send(struct world_client *client, struct span bytes)
{
	if (client->end.stream == NULL)
		world_fail("the connection has ended");
	client_send_bytes(&client->end, bytes.bytes, bytes.len);
	stream_flush(client->end.stream);
}

const char *
world_client_line(struct world_client *client)
{
	struct buffer *text = &client->end.text;
	const char *end;
	size_t len;

	while ((end = memchr(buffer_text(text), '\n', text->len)) == NULL) {
		if (client->end.stream == NULL)
			return NULL;
		wait_for_event(client->world);
	}
	len = (size_t)(end - text->bytes);
	buffer_clear(&client->line);
	buffer_append(&client->line, text->bytes, len);
	if (client->line.len > 0 &&
	    client->line.bytes[client->line.len - 1] == '\r')
		client->line.bytes[--client->line.len] = '\0';
	buffer_consume(text, len + 1);
	return buffer_text(&client->line);
}

/* ---- kithctl */

static void
control_write(struct world *world, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(world->control_fd, bytes.bytes, bytes.len);

		if (n < 0 && errno != EAGAIN)
			world_fail("control: %s", strerror(errno));
		if (n > 0)
			bytes = span_make(
			    bytes.bytes + n, bytes.len - (size_t)n);
		while (loop_turn(world->loop))
			continue;
	}
}

static char *
control_line(struct world *world, struct buffer *pending)
{
	char chunk[4096], *line;
	const char *end;
	size_t len;

	while ((end = memchr(buffer_text(pending), '\n', pending->len)) == NULL) {
		ssize_t n = read(world->control_fd, chunk, sizeof chunk);

		if (n > 0)
			buffer_append(pending, chunk, (size_t)n);
		else if (n == 0 || errno != EAGAIN)
			world_fail("control: the connection ended");
		else
			wait_for_event(world);
	}
	len = (size_t)(end - pending->bytes);
	line = strndup(pending->bytes, len);
	buffer_consume(pending, len + 1);
	return line;
}

static void
control_raw(struct world *world, struct buffer *pending, size_t len,
    struct buffer *out)
{
	char chunk[4096];

	while (pending->len < len) {
		ssize_t n = read(world->control_fd, chunk, sizeof chunk);

		if (n > 0)
			buffer_append(pending, chunk, (size_t)n);
		else if (n == 0 || errno != EAGAIN)
			world_fail("control: the connection ended");
		else
			wait_for_event(world);
	}
	buffer_append(out, pending->bytes, len);
	buffer_consume(pending, len);
}

/* One line of an answer: true if it was the last. */
static bool
control_answer(struct world *world, const char *line, struct buffer *pending,
    struct buffer *out, bool *ok_r)
{
	json_t *answer = json_loads(line, 0, NULL), *bytes;
	const char *text;

	if (answer == NULL)
		world_fail("control said: %s", line);
	if (json_object_get(answer, "row") != NULL) {
		buffer_printf(out, "%s\n", line);
		json_decref(answer);
		return false;
	}
	*ok_r = json_is_true(json_object_get(answer, "ok"));
	text = json_string_value(
	    json_object_get(answer, *ok_r ? "text" : "error"));
	buffer_append_text(out, text == NULL ? "" : text);
	if (json_object_get(answer, "result") != NULL)
		buffer_printf(out, "%s\n", line);
	bytes = json_object_get(answer, "bytes");
	if (bytes != NULL)
		control_raw(world, pending, (size_t)json_integer_value(bytes),
		    out);
	json_decref(answer);
	return true;
}

bool
world_control(struct world *world, int argc, const char *const *argv,
    struct span input, struct buffer *out)
{
	json_t *request = json_object(), *list = json_array();
	struct buffer pending;
	bool ok = false, last = false;
	char *line;

	for (int i = 0; i < argc; i++)
		json_array_append_new(list, json_string(argv[i]));
	json_object_set_new(request, "argv", list);
	if (input.len > 0)
		json_object_set_new(
		    request, "bytes", json_integer((json_int_t)input.len));
	line = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	control_write(world, span_of(line));
	control_write(world, span_of("\n"));
	control_write(world, input);
	free(line);
	buffer_init(&pending, 0);
	buffer_clear(out);
	while (!last) {
		line = control_line(world, &pending);
		last = control_answer(world, line, &pending, out, &ok);
		free(line);
	}
	buffer_fini(&pending);
	world_settle(world);
	return ok;
}
