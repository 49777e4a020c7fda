/* test_feed_role.c - the feed role against a server that says what the test wants,
 * with the test in the place of core.
 */
#include "build.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "daemon/feed/feed.h"
#include "daemon/ipc.h"
#include "daemon/loop.h"
#include "daemon/messages.h"
#include "daemon/stream.h"

#define ARTICLE "Message-ID: <x@y>\r\n\r\n..text\r\n"

struct rig {
	struct loop *loop;
	struct feed *feed;
	struct ipc *core;
	int listening;
	unsigned port;
	struct event *accept_event;
	struct stream *server;
	bool in_article;   /* the server reads up to a dot */
	const char *later; /* said behind the answers to what came with it */
	const char *const *script; /* pairs: what a line begins with, answer */
	struct buffer said;        /* all lines that the server was sent */
	/* what core was told */
	bool answered;
	char why[128];
	uint32_t outcomes[8];
	uint32_t count;
	uint32_t failed, high, settled;
	uint32_t again; /* of those to be asked for again */
	uint32_t missed[FEED_MISSED_MAX];
	uint32_t missed_count;
	uint32_t numbers[16]; /* pulled */
	unsigned pulled;
	uint32_t connections;
	const char *user; /* of pulls */
	bool clear;       /* a login may be said without TLS */
	unsigned stop_at; /* core says stop to this many; 0: never */
};

/* ---- the server */

static void
server_say(struct rig *rig, const char *text)
{
	if (strcmp(text, "HANG UP") == 0)
		stream_close(rig->server);
	else if (strncmp(text, "LATER ", 6) == 0)
		rig->later = text + 6;
	else
		stream_write(rig->server, text, strlen(text));
}

/* The first entry that the line begins with. */
static void
server_answer(struct rig *rig, const char *line)
{
	for (size_t i = 0; rig->script[i] != NULL; i += 2)
		if (strncmp(line, rig->script[i], strlen(rig->script[i])) ==
		    0) {
			server_say(rig, rig->script[i + 1]);
			return;
		}
	server_say(rig, "500 what?\r\n");
}

static void
server_line(struct rig *rig, const char *line)
{
	static char taking[520];

	if (rig->in_article) {
		if (strcmp(line, ".") != 0)
			return;
		rig->in_article = false;
		server_answer(rig, taking);
		return;
	}
	buffer_append_text(&rig->said, line);
	buffer_append_text(&rig->said, "\n");
	if (strncmp(line, "TAKETHIS", 8) == 0) {
		rig->in_article = true;
		(void)snprintf(taking, sizeof taking, "%s", line);
		return;
	}
	if (strncmp(line, "IHAVE", 5) == 0) {
		rig->in_article = true;
		(void)snprintf(taking, sizeof taking, "SENT%s", line + 5);
	}
	server_answer(rig, line);
}

static void
on_readable(void *arg)
{
	struct rig *rig = arg;
	char line[512];
	const char *end;
	struct span in;

	while (rig->server != NULL) {
		in = stream_input(rig->server);
		end = in.len == 0 ? NULL : memchr(in.bytes, '\n', in.len);
		if (end == NULL)
			break;
		(void)snprintf(line, sizeof line, "%.*s",
		    (int)(end - in.bytes) - 1, in.bytes);
		stream_consume(rig->server, (size_t)(end - in.bytes) + 1);
		server_line(rig, line);
	}
	if (rig->later != NULL && rig->server != NULL)
		server_say(rig, rig->later);
	rig->later = NULL;
}

static void
on_drained(void *arg)
{
	(void)arg;
}

static void
on_ended(void *arg, enum stream_end why)
{
	struct rig *rig = arg;

	(void)why;
	rig->server = NULL;
	rig->in_article = false;
}

static const struct stream_handler server_handler = { .readable = on_readable,
	.drained = on_drained,
	.ended = on_ended };

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct rig *rig = arg;
	int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	assert_true(accepted >= 0);
	rig->server = stream_new_socket(loop_base(rig->loop), accepted, NULL,
	    &server_handler, rig);
	assert_non_null(rig->server);
	server_answer(rig, "GREETING");
}

/* ---- core */

static void
on_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	struct ipc_writer *writer = ipc_writer_new(type);
	struct rig *rig = arg;

	(void)ipc_get_u32(fields); /* the peer */
	if (type == MESSAGE_FEED_ARTICLE) {
		bool gone = ipc_get_u64(fields) == 404;

		ipc_put_u32(writer, gone ? ENOENT : 0);
		if (!gone)
			ipc_put_payload(writer, span_of(ARTICLE));
	} else {
		struct span wire;

		(void)ipc_get_bytes(fields); /* the group */
		assert_true(rig->pulled < 16);
		rig->numbers[rig->pulled++] = ipc_get_u32(fields);
		wire = ipc_get_payload(fields);
		assert_true(span_equal(wire, span_of(ARTICLE)));
		ipc_put_u32(writer, rig->pulled == rig->stop_at ? 1 : 0);
	}
	assert_false(ipc_reader_bad(fields));
	assert_int_equal(ipc_answer(ipc, request, writer), 0);
}

static const struct ipc_handler core_handler = { on_request, NULL };

static void
on_offered(void *arg, struct ipc_reader *fields)
{
	struct rig *rig = arg;
	struct span why;

	rig->answered = true;
	if (fields == NULL)
		return;
	why = ipc_get_bytes(fields);
	(void)snprintf(rig->why, sizeof rig->why, "%.*s", SPAN_ARG(why));
	rig->count = ipc_get_u32(fields);
	assert_true(rig->count <= 8);
	for (uint32_t i = 0; i < rig->count; i++)
		rig->outcomes[i] = ipc_get_u32(fields);
	assert_false(ipc_reader_bad(fields));
}

static void
on_pulled(void *arg, struct ipc_reader *fields)
{
	struct rig *rig = arg;
	struct span why;

	rig->answered = true;
	assert_non_null(fields);
	rig->failed = ipc_get_u32(fields);
	why = ipc_get_bytes(fields);
	(void)snprintf(rig->why, sizeof rig->why, "%.*s", SPAN_ARG(why));
	rig->high = ipc_get_u32(fields);
	rig->settled = ipc_get_u32(fields);
	rig->again = ipc_get_u32(fields);
	rig->missed_count = ipc_get_u32(fields);
	assert_true(rig->missed_count <= FEED_MISSED_MAX);
	for (uint32_t i = 0; i < rig->missed_count; i++)
		rig->missed[i] = ipc_get_u32(fields);
	assert_false(ipc_reader_bad(fields));
}

static void
put_endpoint(struct rig *rig, struct ipc_writer *writer, const char *user)
{
	ipc_put_u32(writer, 1);
	ipc_put_text(writer, "127.0.0.1");
	ipc_put_u32(writer, rig->port);
	ipc_put_u32(writer, TLS_NONE);
	ipc_put_text(writer, user);
	ipc_put_text(writer, user[0] == '\0' ? "" : "secret word");
	ipc_put_u32(writer, rig->clear ? 1 : 0);
	ipc_put_u32(writer, rig->connections);
}

static void
wait_for_answer(struct rig *rig)
{
	for (unsigned i = 0; i < 100000 && !rig->answered; i++)
		(void)event_base_loop(loop_base(rig->loop), EVLOOP_ONCE);
	assert_true(rig->answered);
}

/* Offers articles 1, 2, ... with ids <1@y>, ...; 404 instead of `gone`. */
static void
offer(struct rig *rig, unsigned count, unsigned gone, const char *user)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_OFFER);
	char id[32];

	rig->answered = false;
	put_endpoint(rig, writer, user);
	ipc_put_u32(writer, count);
	for (unsigned i = 1; i <= count; i++) {
		ipc_put_u64(writer, i == gone ? 404 : i);
		(void)snprintf(id, sizeof id, "<%u@y>", i);
		ipc_put_text(writer, id);
	}
	assert_int_equal(ipc_call(rig->core, writer, IPC_INTAKE, 0, on_offered,
			     rig),
	    0);
	wait_for_answer(rig);
}

/* missed: numbers before that to be asked for again, the last of them 0. */
static void
pull_with(struct rig *rig, uint32_t from, uint32_t seconds,
    const uint32_t *missed)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_PULL);
	uint32_t count = 0;

	rig->answered = false;
	rig->pulled = 0;
	put_endpoint(rig, writer, rig->user);
	ipc_put_text(writer, "old.talk");
	ipc_put_u32(writer, from);
	ipc_put_u32(writer, seconds);
	while (missed[count] != 0)
		count++;
	ipc_put_u32(writer, count);
	for (uint32_t i = 0; i < count; i++)
		ipc_put_u32(writer, missed[i]);
	assert_int_equal(ipc_call(rig->core, writer, IPC_BULK, 0, on_pulled,
			     rig),
	    0);
	wait_for_answer(rig);
}

static void
pull_within(struct rig *rig, uint32_t from, uint32_t seconds)
{
	pull_with(rig, from, seconds, (const uint32_t[]){ 0 });
}

static void
pull(struct rig *rig, const char *const *script, uint32_t from)
{
	rig->script = script;
	pull_within(rig, from, 3600);
}

/* ---- set-up */

static int
setup(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof address;
	struct rig *rig = calloc(1, sizeof *rig);
	int fds[2];

	assert_non_null(rig);
	rig->connections = 1;
	rig->user = "";
	buffer_init(&rig->said, 0);
	rig->loop = loop_new();
	assert_non_null(rig->loop);
	rig->feed = feed_new(rig->loop, NULL);
	assert_non_null(rig->feed);
	assert_int_equal(ipc_pair(fds), 0);
	assert_int_equal(feed_connect_core(rig->feed, fds[0]), 0);
	rig->core = ipc_new(loop_base(rig->loop), fds[1], &core_handler, rig);
	assert_non_null(rig->core);
	rig->listening =
	    socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(rig->listening >= 0);
	assert_int_equal(bind(rig->listening, (struct sockaddr *)&address, len),
	    0);
	assert_int_equal(listen(rig->listening, 8), 0);
	assert_int_equal(getsockname(rig->listening,
			     (struct sockaddr *)&address, &len),
	    0);
	rig->port = ntohs(address.sin_port);
	rig->accept_event = event_new(loop_base(rig->loop), rig->listening,
	    EV_READ | EV_PERSIST, on_accept, rig);
	assert_int_equal(event_add(rig->accept_event, NULL), 0);
	*state = rig;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *rig = *state;

	feed_free(&rig->feed);
	ipc_free(&rig->core);
	stream_free(&rig->server);
	event_free(rig->accept_event);
	(void)close(rig->listening);
	loop_free(&rig->loop);
	buffer_fini(&rig->said);
	free(rig);
	return 0;
}

static bool
was_said(const struct rig *rig, const char *text)
{
	return strstr(buffer_text(&rig->said), text) != NULL;
}

/* ---- offers */

#define STREAMING "GREETING", "200 hello\r\n", "MODE STREAM", "203 go on\r\n"

static void
each_answer_is_an_outcome(void **state)
{
	static const char *const script[] = { STREAMING, "CHECK <1@y>",
		"238 <1@y>\r\n", "CHECK <2@y>", "438 <2@y> known\r\n",
		"CHECK <3@y>", "431 <3@y>\r\n", "CHECK <4@y>", "238 <4@y>\r\n",
		"CHECK <5@y>", "238 <5@y>\r\n", "TAKETHIS <1@y>",
		"239 <1@y>\r\n", "TAKETHIS <4@y>", "439 <4@y> no\r\n", NULL };
	static const uint32_t wanted[] = { FEED_SENT, FEED_HAD, FEED_LATER,
		FEED_REFUSED, FEED_GONE };
	struct rig *rig = *state;

	rig->script = script;
	offer(rig, 5, 5, "");
	assert_string_equal(rig->why, "");
	assert_int_equal(rig->count, 5);
	assert_memory_equal(rig->outcomes, wanted, sizeof wanted);
	assert_false(was_said(rig, "TAKETHIS <5@y>"));
	/* the connection serves the next offer too */
	offer(rig, 1, 0, "");
	assert_int_equal(rig->outcomes[0], FEED_SENT);
	assert_ptr_equal(strstr(strstr(buffer_text(&rig->said), "MODE") + 1,
			     "MODE"),
	    NULL);
}

static void
a_connection_that_ends_leaves_the_rest_untried(void **state)
{
	static const char *const script[] = { STREAMING, "CHECK <1@y>",
		"238 <1@y>\r\n", "CHECK <2@y>", "238 <2@y>\r\n",
		"TAKETHIS <1@y>", "239 <1@y>\r\n", "TAKETHIS <2@y>", "HANG UP",
		NULL };
	struct rig *rig = *state;

	rig->script = script;
	offer(rig, 2, 0, "");
	assert_string_equal(rig->why, "the server closed the connection");
	assert_int_equal(rig->outcomes[0], FEED_SENT);
	assert_int_equal(rig->outcomes[1], FEED_STUCK);
}

static void
an_answer_of_no_use_is_about_its_article_or_about_the_server(void **state)
{
	static const char *const odd[] = { STREAMING, "CHECK <1@y>",
		"238 <1@y>\r\n", "CHECK <2@y>", "501 what an id\r\n", NULL };
	static const char *const tired[] = { STREAMING, "CHECK <1@y>",
		"238 <1@y>\r\n", "TAKETHIS <1@y>", "400 no room\r\n", NULL };
	struct rig *rig = *state;

	rig->script = odd;
	offer(rig, 2, 0, "");
	assert_int_equal(rig->outcomes[0], FEED_UNTRIED);
	assert_int_equal(rig->outcomes[1], FEED_STUCK);
	rig->script = tired;
	offer(rig, 1, 0, "");
	assert_int_equal(rig->outcomes[0], FEED_UNTRIED);
}

static void
an_answer_about_another_article_is_not_believed(void **state)
{
	static const char *const script[] = { STREAMING, "CHECK <1@y>",
		"438 <2@y>\r\n", "CHECK <2@y>", "238 <2@y>\r\n", NULL };
	struct rig *rig = *state;

	rig->script = script;
	offer(rig, 2, 0, "");
	assert_non_null(strstr(rig->why, "another article"));
	assert_int_equal(rig->outcomes[0], FEED_UNTRIED);
	assert_int_equal(rig->outcomes[1], FEED_UNTRIED);
}

static void
who_does_not_stream_is_asked_by_ihave(void **state)
{
	static const char *const script[] = { "GREETING", "201 hello\r\n",
		"MODE STREAM", "500 what?\r\n", "IHAVE <1@y>", "335 go on\r\n",
		"SENT <1@y>", "235 thanks\r\n", "IHAVE <2@y>", "335 go on\r\n",
		"SENT <2@y>", "436 later\r\n", "IHAVE <3@y>", "335 go on\r\n",
		"SENT <3@y>", "437 never\r\n", NULL };
	static const uint32_t wanted[] = { FEED_SENT, FEED_LATER, FEED_REFUSED,
		FEED_GONE };
	struct rig *rig = *state;

	rig->script = script;
	offer(rig, 4, 4, "");
	assert_string_equal(rig->why, "");
	assert_memory_equal(rig->outcomes, wanted, sizeof wanted);
}

static void
what_does_not_speak_nntp_is_left(void **state)
{
	static const char *const garbage[] = { "GREETING", "SSH-2.0-x\r\n",
		NULL };
	static const char *const closed[] = { "GREETING",
		"502 \x1b[2Jgo away\r\n", NULL };
	struct rig *rig = *state;

	rig->script = garbage;
	offer(rig, 1, 0, "");
	assert_non_null(strstr(rig->why, "does not speak NNTP"));
	rig->script = closed;
	offer(rig, 1, 0, "");
	assert_non_null(strstr(rig->why, "does not let us in: ?[2Jgo away"));
	assert_int_equal(rig->outcomes[0], FEED_UNTRIED);
}

static void
a_login_comes_first_and_its_words_are_not_repeated(void **state)
{
	static const char *const script[] = { STREAMING, "AUTHINFO USER us",
		"381 more\r\n", "AUTHINFO PASS", "481 secret word is wrong\r\n",
		NULL };
	struct rig *rig = *state;

	rig->script = script;
	rig->clear = true;
	offer(rig, 1, 0, "us");
	assert_true(
	    was_said(rig, "AUTHINFO USER us\nAUTHINFO PASS secret word"));
	assert_non_null(strstr(rig->why, "refused the login"));
	assert_null(strstr(rig->why, "secret"));
	assert_false(was_said(rig, "CHECK"));
}

static void
a_password_is_not_said_without_tls(void **state)
{
	static const char *const old[] = { STREAMING, NULL };
	static const char *const plain[] = { STREAMING, "CAPABILITIES",
		"101 list\r\nVERSION 2\r\nAUTHINFO USER SASL\r\n"
		"SASL PLAIN\r\n.\r\n",
		NULL };
	static const char *const scram[] = { STREAMING, "CAPABILITIES",
		"101 list\r\nSASL PLAIN SCRAM-SHA-256\r\n.\r\n",
		"AUTHINFO SASL SCRAM-SHA-256", "281 come in\r\n", NULL };
	struct rig *rig = *state;

	rig->script = old;
	offer(rig, 1, 0, "us");
	assert_non_null(strstr(rig->why, "without TLS"));
	rig->script = plain;
	offer(rig, 1, 0, "us");
	assert_non_null(strstr(rig->why, "without TLS"));
	assert_false(was_said(rig, "AUTHINFO"));
	rig->script = scram;
	offer(rig, 1, 0, "us");
	assert_non_null(strstr(rig->why, "did not prove"));
	rig->clear = true;
	rig->script = plain;
	offer(rig, 1, 0, "us");
	assert_true(was_said(rig, "AUTHINFO SASL PLAIN AHVz"));
}

/* ---- pulls */

#define READER "GREETING", "200 hello\r\n", "MODE READER", "200 hello again\r\n"
#define OLD_MARKS(count, low, high) \
 "211 " #count " " #low " " #high " old.talk\r\n"
/* What is said up to the group's count, low and high. */
#define OLD(count, low, high) \
 READER, "GROUP old.talk", OLD_MARKS(count, low, high)
#define PULLED "220 0 <x@y>\r\n" ARTICLE ".\r\n"

static void
a_group_is_taken_number_by_number(void **state)
{
	static const char *const script[] = { OLD(3, 5, 9),
		"LISTGROUP old.talk 6-9",
		"211 3 5 9 old.talk\r\n6\r\n8\r\n9\r\n4000\r\n.\r\n",
		"ARTICLE 6", PULLED, "ARTICLE 8", "423 gone\r\n", "ARTICLE 9",
		PULLED, NULL };
	struct rig *rig = *state;

	pull(rig, script, 6);
	assert_string_equal(rig->why, "");
	assert_int_equal(rig->failed, 0);
	assert_int_equal(rig->high, 9);
	assert_int_equal(rig->pulled, 2);
	assert_int_equal(rig->numbers[0], 6);
	assert_int_equal(rig->numbers[1], 9);
}

static void
what_a_server_cannot_give_now_is_not_gone(void **state)
{
	static const char *const script[] = { OLD(9, 1, 9),
		"LISTGROUP old.talk 5-9",
		"211 9 1 9 old.talk\r\n5\r\n6\r\n7\r\n8\r\n.\r\n", "ARTICLE 2",
		PULLED, "ARTICLE 3", "403 the disk\r\n", "ARTICLE 4",
		"423 gone\r\n", "ARTICLE 5", "403 the disk\r\n", "ARTICLE 6",
		PULLED, "ARTICLE 7", "423 gone\r\n", "ARTICLE 8",
		"403 the disk\r\n", NULL };
	struct rig *rig = *state;

	rig->script = script;
	pull_with(rig, 5, 3600, (const uint32_t[]){ 2, 3, 4, 0 });
	assert_string_equal(rig->why, "");
	assert_int_equal(rig->pulled, 2);
	assert_int_equal(rig->numbers[0], 2);
	assert_int_equal(rig->numbers[1], 6);
	assert_int_equal(rig->settled, 9);
	assert_int_equal(rig->again, 3);
	assert_int_equal(rig->missed_count, 3);
	assert_int_equal(rig->missed[0], 3);
	assert_int_equal(rig->missed[1], 5);
	assert_int_equal(rig->missed[2], 8);
}

static void
what_was_missed_before_is_missed_still_if_the_connection_is_lost(void **state)
{
	static const char *const script[] = { OLD(9, 1, 9), "ARTICLE 2",
		"403 the disk\r\n", "ARTICLE 3", "HANG UP", NULL };
	struct rig *rig = *state;

	rig->script = script;
	pull_with(rig, 5, 3600, (const uint32_t[]){ 2, 3, 0 });
	assert_int_equal(rig->failed, 1);
	assert_int_equal(rig->settled, 0);
	assert_int_equal(rig->again, 1);
	assert_int_equal(rig->missed_count, 1);
	assert_int_equal(rig->missed[0], 2);
}

static void
a_server_that_gives_nothing_now_ends_the_pull(void **state)
{
	static const char *const script[] = { OLD(900, 1, 900), "ARTICLE",
		"403 the disk\r\n", NULL };
	struct rig *rig = *state;

	pull(rig, script, 1);
	assert_int_equal(rig->failed, 1);
	assert_string_equal(rig->why, "answer to ARTICLE: the disk");
	assert_int_equal(rig->pulled, 0);
	/* the next one begins with the same */
	assert_int_equal(rig->settled, 0);
	assert_int_equal(rig->missed_count, 0);
}

static void
a_server_without_ranges_is_asked_for_each_number(void **state)
{
	static const char *const script[] = { OLD(2, 1, 3), "ARTICLE 1", PULLED,
		"ARTICLE 2", "423 no\r\n", "ARTICLE 3", PULLED, NULL };
	struct rig *rig = *state;

	pull(rig, script, 1);
	assert_string_equal(rig->why, "");
	assert_int_equal(rig->pulled, 2);
	assert_int_equal(rig->numbers[1], 3);
}

static void
a_reader_says_so_before_it_logs_in(void **state)
{
	static const char *const script[] = { READER, "CAPABILITIES",
		"101 list\r\nAUTHINFO USER\r\n.\r\n", "AUTHINFO USER",
		"281 in\r\n", "GROUP old.talk", "211 0 0 0 old.talk\r\n",
		NULL };
	struct rig *rig = *state;

	rig->user = "us";
	rig->clear = true;
	pull(rig, script, 1);
	assert_string_equal(rig->why, "");
	assert_true(was_said(rig,
	    "MODE READER\nCAPABILITIES\nAUTHINFO USER us\nGROUP"));
}

static void
a_list_that_is_none_is_asked_for_otherwise(void **state)
{
	/* what public-inbox 1.9 says */
	static const char *const script[] = { OLD(2, 1, 9), "LISTGROUP",
		"211 2 1 9 old.talk\r\nARRAY(0x5f)\r\nARRAY(0x60)\r\n.\r\n",
		"HDR Message-ID 1-9", "225 go\r\n4 <4@y>\r\n7 <7@y>\r\n.\r\n",
		"ARTICLE 4", PULLED, "ARTICLE 7", PULLED, NULL };
	static const char *const old[] = { OLD(2, 1, 9), "XHDR Message-ID 1-9",
		"221 go\r\n4 <4@y>\r\n.\r\n", "ARTICLE 4", PULLED, NULL };
	/* leafnode 1.12 */
	static const char *const leaf[] = { OLD(2, 1, 9), "LISTGROUP",
		"411 No such group: old.talk 1-9\r\n", "HDR Message-ID 1-9",
		"221 go\r\n4 <4@y>\r\n.\r\n", "ARTICLE 4", PULLED, NULL };
	struct rig *rig = *state;

	pull(rig, script, 1);
	assert_string_equal(rig->why, "");
	assert_int_equal(rig->pulled, 2);
	assert_int_equal(rig->numbers[0], 4);
	assert_int_equal(rig->numbers[1], 7);
	pull(rig, old, 1);
	assert_string_equal(rig->why, "");
	assert_int_equal(rig->pulled, 1);
	assert_int_equal(rig->settled, 9);
	pull(rig, leaf, 1);
	assert_string_equal(rig->why, "");
	assert_int_equal(rig->pulled, 1);
}

static void
a_group_that_began_anew_is_taken_from_its_beginning(void **state)
{
	static const char *const script[] = { OLD(1, 1, 1), "ARTICLE 1", PULLED,
		NULL };
	static const char *const empty[] = { OLD(0, 0, 0), NULL };
	struct rig *rig = *state;

	pull(rig, script, 500);
	assert_int_equal(rig->pulled, 1);
	assert_int_equal(rig->high, 1);
	pull(rig, empty, 2);
	assert_string_equal(rig->why, "");
	assert_int_equal(rig->pulled, 0);
}

static void
articles_in_another_order_are_not_taken(void **state)
{
	static const char *const script[] = { OLD(2, 1, 2), "ARTICLE 1",
		"220 2 <x@y>\r\n" ARTICLE ".\r\n", NULL };
	struct rig *rig = *state;

	pull(rig, script, 1);
	assert_int_equal(rig->failed, 1);
	assert_non_null(strstr(rig->why, "another article"));
	assert_int_equal(rig->pulled, 0);
}

static void
who_answers_in_disorder_is_asked_one_at_a_time(void **state)
{
	/* what is not there is said at once, the articles behind it */
	static const char *const script[] = { OLD(3, 1, 4), "LISTGROUP",
		"211 3 1 4 old.talk\r\n1\r\n2\r\n3\r\n4\r\n.\r\n", "ARTICLE 1",
		"220 1 <x@y>\r\n" ARTICLE ".\r\n", "ARTICLE 2",
		"LATER 220 2 <x@y>\r\n" ARTICLE ".\r\n", "ARTICLE 3",
		"423 no\r\n", "ARTICLE 4", "220 4 <x@y>\r\n" ARTICLE ".\r\n",
		NULL };
	struct rig *rig = *state;

	pull(rig, script, 1);
	assert_string_equal(rig->why, "");
	assert_int_equal(rig->pulled, 3);
	assert_int_equal(rig->numbers[0], 1);
	assert_int_equal(rig->numbers[1], 2);
	assert_int_equal(rig->numbers[2], 4);
	assert_int_equal(rig->settled, 4);
}

static void
core_can_stop_a_pull(void **state)
{
	static const char *const script[] = { OLD(3, 1, 3), "ARTICLE", PULLED,
		NULL };
	struct rig *rig = *state;

	rig->stop_at = 1;
	pull(rig, script, 1);
	assert_int_equal(rig->failed, 1);
	assert_string_equal(rig->why, "stopped");
}

static void
a_group_that_is_not_there_is_said_so(void **state)
{
	static const char *const script[] = { READER, "GROUP old.talk",
		"411 no such group\r\n", NULL };
	struct rig *rig = *state;

	pull(rig, script, 1);
	assert_int_equal(rig->failed, 1);
	assert_string_equal(rig->why, "answer to GROUP: no such group");
}

/* ---- servers that mean harm */

static void
a_high_mark_with_nothing_below_it_ends_the_pull(void **state)
{
	static const char *const each[] = { OLD(9, 1, 4000000000), "LISTGROUP",
		"500 what?\r\n", "ARTICLE", "423 none\r\n", NULL };
	static const char *const lists[] = { OLD(9, 1, 4000000000), "LISTGROUP",
		"211 9 1 4000000000 old.talk\r\n.\r\n", NULL };
	struct rig *rig = *state;

	pull(rig, each, 1);
	assert_int_equal(rig->failed, 1);
	assert_non_null(strstr(rig->why, "in vain"));
	/* the next one goes on behind what was asked for */
	assert_int_equal(rig->settled, PULL_VAIN_MAX);
	pull(rig, lists, rig->settled + 1);
	assert_non_null(strstr(rig->why, "in vain"));
	assert_true(rig->settled > 100 * PULL_VAIN_MAX);
}

static void
a_line_without_end_in_a_list_ends_the_pull(void **state)
{
	static char answer[8192] = "211 9 1 9 old.talk\r\n1\r\n";
	static const char *const script[] = { OLD(9, 1, 9), "LISTGROUP", answer,
		NULL };
	struct rig *rig = *state;

	memset(answer + strlen(answer), '7',
	    sizeof answer - 1 - strlen(answer));
	pull(rig, script, 1);
	assert_int_equal(rig->failed, 1);
	assert_string_equal(rig->why, "the server's line is too long");
	assert_int_equal(rig->settled, 0);
}

static void
a_list_in_any_order_is_taken_in_order(void **state)
{
	static const char *const script[] = { OLD(3, 1, 9), "LISTGROUP",
		"211 3 1 9 old.talk\r\n9\r\n2\r\n9\r\n5\r\n.\r\n", "ARTICLE 9",
		"HANG UP", "ARTICLE", PULLED, NULL };
	struct rig *rig = *state;

	pull(rig, script, 1);
	assert_int_equal(rig->failed, 1);
	assert_int_equal(rig->pulled, 2);
	assert_int_equal(rig->numbers[0], 2);
	assert_int_equal(rig->numbers[1], 5);
	assert_int_equal(rig->settled, 5);
}

static void
a_server_that_takes_too_long_is_left(void **state)
{
	static const char *const script[] = { OLD(2, 1, 2), "LISTGROUP",
		"211 2 1 2 old.talk\r\n1\r\n2\r\n.\r\n", "ARTICLE 1", PULLED,
		"ARTICLE 2", "220 2 <x@y>\r\nSubject: to be cont", NULL };
	struct rig *rig = *state;

	rig->script = script;
	pull_within(rig, 1, 1);
	assert_int_equal(rig->failed, 1);
	assert_non_null(strstr(rig->why, "too long"));
	assert_int_equal(rig->settled, 1);
	assert_int_equal(rig->pulled, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_answer_is_an_outcome),
		TEST(a_connection_that_ends_leaves_the_rest_untried),
		TEST(
		    an_answer_of_no_use_is_about_its_article_or_about_the_server),
		TEST(an_answer_about_another_article_is_not_believed),
		TEST(who_does_not_stream_is_asked_by_ihave),
		TEST(what_does_not_speak_nntp_is_left),
		TEST(a_login_comes_first_and_its_words_are_not_repeated),
		TEST(a_password_is_not_said_without_tls),
		TEST(a_group_is_taken_number_by_number),
		TEST(what_a_server_cannot_give_now_is_not_gone),
		TEST(
		    what_was_missed_before_is_missed_still_if_the_connection_is_lost),
		TEST(a_server_that_gives_nothing_now_ends_the_pull),
		TEST(a_server_without_ranges_is_asked_for_each_number),
		TEST(a_reader_says_so_before_it_logs_in),
		TEST(a_list_that_is_none_is_asked_for_otherwise),
		TEST(a_group_that_began_anew_is_taken_from_its_beginning),
		TEST(articles_in_another_order_are_not_taken),
		TEST(who_answers_in_disorder_is_asked_one_at_a_time),
		TEST(core_can_stop_a_pull),
		TEST(a_group_that_is_not_there_is_said_so),
		TEST(a_high_mark_with_nothing_below_it_ends_the_pull),
		TEST(a_line_without_end_in_a_list_ends_the_pull),
		TEST(a_list_in_any_order_is_taken_in_order),
		TEST(a_server_that_takes_too_long_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
