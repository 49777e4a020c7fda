/* session.c - see session.h.
 */
#include "daemon/news/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/community/auth.h"
#include "daemon/community/sasl.h"
#include "daemon/log.h"
#include "daemon/news/commands.h"
#include "daemon/news/continuation.h"
#include "daemon/news/feed.h"
#include "daemon/news/login.h"
#include "daemon/news/pace.h"
#include "daemon/news/post.h"
#include "daemon/news/timeout.h"

#define TURN_NANOSECONDS 2000000u
#define CLOCK_COMMANDS   8u /* between two looks at the clock */

static uint64_t
monotonic(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- life ---- */

void
session_ref(struct session *s)
{
	s->references++;
}

static void
session_drop_continuation(struct session *s)
{
	if (s->continuation == NULL)
		return;
	if (s->continuation->release != NULL)
		s->continuation->release(s->continuation);
	free(s->continuation);
	s->continuation = NULL;
}

void
session_unref(struct session *s)
{
	if (--s->references == 0)
		free(s);
}

/* The connection is gone: everything but the struct itself, for which a request
 * or a wake-up may still hold a reference, even beyond the server's life. */
static void
session_clear(struct session *s)
{
	session_drop_continuation(s);
	post_free(&s->post);
	pace_end(s);
	feed_clear(s);
	store_view_end(&s->view);
	session_select(s, NULL, 0);
	(void)session_become(s, NULL);
	free(s->login);
	s->login = NULL;
	sasl_free(&s->sasl);
	news_address_leave(session_server(s), &s->address);
	LIST_REMOVE(s, entry);
	(void)atomic_fetch_sub(&session_server(s)->sessions, 1);
}

static const char *
end_name(enum stream_end why)
{
	switch (why) {
	case STREAM_END_EOF:
		return "eof";
	case STREAM_END_ERROR:
		return "error";
	case STREAM_END_TIMEOUT:
		return "timeout";
	case STREAM_END_CLOSED:
	default:
		return "closed";
	}
}

static void
session_ended(void *arg, enum stream_end why)
{
	struct session *s = arg;

	log_info("session=%llu event=end why=%s peer=%s member=%u commands=%u"
		 " articles=%u posted=%u",
	    (unsigned long long)s->id, end_name(why), stream_peer(s->stream),
	    session_identity(s)->member, s->commands, s->articles, s->posted);
	s->stream = NULL;
	s->closing = true;
	session_expects_nothing(s);
	session_clear(s);
	session_unref(s);
}

void
session_abandon(struct session *s)
{
	stream_free(&s->stream);
	s->closing = true;
	session_clear(s);
	session_unref(s);
}

static void
session_readable(void *arg)
{
	session_run(arg);
}

static void
session_secured(void *arg)
{
	struct session *s = arg;

	timeout_handshake(s, false);
	if (!s->greeted)
		session_greet(s);
	session_run(s);
}

static const struct stream_handler session_handler = {
	.readable = session_readable,
	.drained = session_readable,
	.secured = session_secured,
	.ended = session_ended,
};

void
news_session_new(struct news_server *server, size_t loop, struct stream *stream,
    bool implicit_tls)
{
	struct session *s = calloc(1, sizeof *s);
	bool fits;

	if (s == NULL) {
		stream_free(&stream);
		return;
	}
	s->loop = &server->loops[loop];
	s->stream = stream;
	s->references = 1;
	feed_init(s);
	s->id = atomic_fetch_add(&server->last_id, 1) + 1;
	line_reader_init(&s->lines, LINE_NNTP_MAX, LINE_LF_ENDS);
	LIST_INSERT_HEAD(&s->loop->sessions, s, entry);
	(void)atomic_fetch_add(&server->sessions, 1);
	stream_set_handler(stream, &session_handler, s);
	timeout_begin(s, implicit_tls);
	session_ref(s);
	fits = news_address_enter(server, stream_peer(stream), &s->address);
	log_debug("session=%llu event=start peer=%s tls=%d",
	    (unsigned long long)s->id, stream_peer(stream), implicit_tls);
	if (!fits || atomic_load(&server->stopping)) {
		s->greeted = true;
		session_reply_text(s, 400, "%s",
		    fits ? "going down, try again later"
			 : "too many connections from your address");
		session_close(s);
	} else {
		struct identity peer = {
			.peer = auth_peer_by_address(server->community,
			    stream_peer(stream))
		};

		if (session_become(s, peer.peer == 0 ? NULL : &peer) ==
		    -EUSERS) {
			s->greeted = true;
			session_reply_text(s, 400,
			    "too many connections of this peer");
			session_close(s);
		} else if (!implicit_tls) {
			session_greet(s);
		}
		session_run(s);
	}
	if (s->stream != NULL)
		stream_flush(s->stream);
	session_unref(s);
}

void
session_close(struct session *s)
{
	if (s->closing || s->stream == NULL)
		return;
	s->closing = true;
	stream_close(s->stream);
}

/* ---- output ---- */

void
session_write(struct session *s, const void *bytes, size_t len)
{
	if (s->stream != NULL && len > 0)
		stream_write(s->stream, bytes, len);
}

void
session_write_reference(struct session *s, const void *bytes, size_t len,
    void (*release)(void *arg), void *arg)
{
	if (s->stream == NULL || len == 0)
		release(arg);
	else
		stream_write_reference(s->stream, bytes, len, release, arg);
}

void
session_reply(struct session *s, int code)
{
	struct buffer *line = &s->loop->line;

	buffer_clear(line);
	nntp_respond(line, code);
	session_write(s, line->bytes, line->len);
}

void
session_reply_text(struct session *s, int code, const char *format, ...)
{
	struct buffer *line = &s->loop->line;
	va_list args;

	buffer_clear(line);
	va_start(args, format);
	nntp_respond_vtext(line, code, format, args);
	va_end(args);
	session_write(s, line->bytes, line->len);
}

void
session_reply_words(struct session *s, int code, const char *text)
{
	struct buffer *line = &s->loop->line;

	buffer_clear(line);
	nntp_respond_words(line, code, text);
	session_write(s, line->bytes, line->len);
}

void
session_reply_about(struct session *s, int code, const char *about,
    const char *text)
{
	struct buffer *line = &s->loop->line;

	buffer_clear(line);
	nntp_respond_about(line, code, about, text);
	session_write(s, line->bytes, line->len);
}

void
session_error(struct session *s, int code)
{
	if (++s->errors < SESSION_ERRORS_MAX) {
		session_reply(s, code);
		return;
	}
	session_reply_text(s, 400, "too many errors");
	session_close(s);
}

void
session_end_block(struct session *s)
{
	session_write(s, ".\r\n", 3);
}

/* ---- work in small pieces ---- */

/* What is gathered for one send: more for who took all of the last one. */
static size_t
session_burst(const struct session *s)
{
	return s->keeps_up ? SESSION_BURST : STREAM_HIGH_WATER;
}

bool
session_should_pause(struct session *s)
{
	return s->stream == NULL ||
	    stream_pending(s->stream) >= session_burst(s) ||
	    monotonic() >= s->turn_ends;
}

static void
session_failed(struct session *s)
{
	log_err("session=%llu event=broken-answer", (unsigned long long)s->id);
	session_close(s);
}

void
session_start(struct session *s, struct continuation *c, enum step first)
{
	if (first == STEP_MORE && s->stream != NULL) {
		s->continuation = malloc(sizeof *c);
		if (s->continuation != NULL) {
			memcpy(s->continuation, c, sizeof *c);
			return;
		}
		first = STEP_FAILED;
	}
	if (c->release != NULL)
		c->release(c);
	if (first == STEP_FAILED)
		session_failed(s);
}

void
session_continue(struct session *s, const struct continuation *start)
{
	struct continuation c = *start;

	session_start(s, &c, c.step(s, &c));
}

/* Goes on with the answer under way; true if it is done. */
static bool
session_step(struct session *s)
{
	enum step step = s->continuation->step(s, s->continuation);

	if (step == STEP_MORE)
		return false;
	session_drop_continuation(s);
	if (step == STEP_FAILED)
		session_failed(s);
	return true;
}

static void
session_wake(void *arg)
{
	struct session *s = arg;

	s->posted_wake = false;
	if (s->stream != NULL && !s->waiting)
		stream_resume(s->stream);
	session_run(s);
	session_unref(s);
}

/* The turn is over, others have theirs before this session goes on. */
static void
session_yield(struct session *s)
{
	if (s->posted_wake)
		return;
	session_ref(s);
	s->posted_wake = true;
	/* a client that has said all and closed its side still gets its answer */
	stream_pause(s->stream);
	if (loop_post(s->loop->loop, session_wake, s) != 0) {
		s->posted_wake = false;
		session_unref(s); /* the caller holds one too */
		session_close(s);
	}
}

/* While answers to a feed are owed, only what belongs to it may overtake the
 * door. */
static bool
session_must_wait(const struct session *s, enum line_status status,
    const struct command_words *words)
{
	return status != LINE_MORE && feed_is_owing(s) &&
	    (feed_is_full(s) || status != LINE_OK ||
		!command_is_feeding(words));
}

/* Only SASL has long lines (RFC 4643 2.4.2); others are refused at once. */
static size_t
session_line_limit(const struct session *s, struct span window)
{
	return s->sasl != NULL || span_starts(window, "AUTHINFO")
	    ? SESSION_LINE_MAX
	    : LINE_NNTP_MAX;
}

static void
session_take_line(struct session *s, enum line_status status,
    const struct line *line, const struct command_words *words)
{
	if (s->sasl != NULL)
		sasl_receive(s,
		    status == LINE_OK ? line->text : span_make("", 0));
	else if (status == LINE_TOO_LONG ||
	    (line->text.len + 2 > LINE_NNTP_MAX &&
		!command_may_be_long(line->text)))
		session_error(s, 501);
	else
		command_run(s, line, words);
}

/* One command line, if there is one. False: none yet. */
static bool
session_command(struct session *s)
{
	struct span window = stream_input(s->stream);
	struct line_reader before = s->lines;
	struct command_words words = { .check = NNTP_ARGS_EMPTY };
	char copy[SESSION_LINE_MAX];
	struct line line;
	size_t used = 0;
	enum line_status status;
	bool article;

	s->lines.limit = session_line_limit(s, window);
	status = line_next(&s->lines, window, &used, &line);
	if (status == LINE_OK) {
		/* the window does not outlive the answer's first write */
		memcpy(copy, line.text.bytes, line.text.len);
		line.text.bytes = copy;
		words.check = nntp_args_parse(line.text, &words.args);
	}
	if (session_must_wait(s, status, &words) ||
	    (status == LINE_OK && pace_holds(s, line.text))) {
		s->lines = before;
		session_wait(s);
		return false;
	}
	article = status == LINE_TOO_LONG && s->sasl == NULL &&
	    command_brings_article(window);
	stream_consume(s->stream, used);
	if (status == LINE_MORE) {
		if (window.len > used || s->lines.skipping)
			timeout_line(s);
		return false;
	}
	s->commands++;
	timeout_command(s);
	session_refresh(s);
	if (article) {
		/* it comes, though its line was no command */
		post_skip_line(s, s->lines.after_cr, 501);
		line_reader_init(&s->lines, LINE_NNTP_MAX, LINE_LF_ENDS);
	} else {
		session_take_line(s, status, &line, &words);
	}
	return true;
}

/* The next thing to do. False: nothing, until the stream or a request calls. */
static bool
session_advance(struct session *s)
{
	if (s->continuation != NULL)
		return session_step(s);
	if (s->waiting)
		return false;
	if (s->post != NULL)
		return post_receive(s);
	if (atomic_load(&session_server(s)->stopping)) {
		if (feed_is_owing(s)) {
			session_wait(s);
			return false;
		}
		session_reply_text(s, 400, "going down, try again later");
		session_close(s);
		return false;
	}
	return session_command(s);
}

static bool
session_lives(const struct session *s)
{
	return s->stream != NULL && !s->closing;
}

/* Sends what has gathered; false: the client is slow, drained() goes on. */
static bool
session_flush(struct session *s)
{
	bool room = stream_drain(s->stream);

	s->keeps_up = session_lives(s) && stream_pending(s->stream) == 0;
	return room && session_lives(s);
}

static void
session_work(struct session *s)
{
	bool more = session_lives(s) &&
	    (!stream_is_full(s->stream) || session_flush(s));

	s->turn_ends = monotonic() + TURN_NANOSECONDS;
	for (unsigned i = 0; more && session_lives(s); i++) {
		if (stream_pending(s->stream) >= session_burst(s) &&
		    !session_flush(s))
			break;
		if ((i % CLOCK_COMMANDS == 0 || s->continuation != NULL) &&
		    monotonic() >= s->turn_ends) {
			session_yield(s);
			break;
		}
		/* a step that did not finish: full, or out of time */
		more = session_advance(s) || s->continuation != NULL;
	}
	store_view_end(&s->view);
	if (s->stream != NULL)
		(void)session_flush(s);
}

void
session_run(struct session *s)
{
	if (s->running) {
		s->again = true;
		return;
	}
	if (!s->greeted)
		return;
	session_ref(s);
	s->running = true;
	do {
		s->again = false;
		session_work(s);
	} while (s->again && session_lives(s));
	s->running = false;
	session_unref(s);
}

void
session_wait(struct session *s)
{
	s->waiting = true;
	stream_pause(s->stream);
}

void
session_resume(struct session *s)
{
	s->waiting = false;
	if (s->stream != NULL && !s->posted_wake)
		stream_resume(s->stream);
	session_run(s);
}

/* ---- reading ---- */

struct store_reader *
session_reader(struct session *s)
{
	if (s->view == NULL)
		s->view = store_view_begin(session_store(s));
	return s->view == NULL ? NULL : store_view_reader(s->view);
}

int
session_block(struct session *s, uint32_t space, uint32_t block,
    struct store_block **block_r)
{
	struct store_reader *reader;

	if (store_block_cached(session_store(s), space, block, block_r) == 0)
		return 0;
	reader = session_reader(s);
	if (reader == NULL)
		return -ENOMEM;
	return store_block_get(reader, space, block, block_r);
}

int
session_part(struct session *s, uint64_t artid, uint16_t part, bool keep,
    struct store_blob **blob_r)
{
	struct store_reader *reader;

	if (store_article_part_cached(session_store(s), artid, part, blob_r) ==
	    0)
		return 0;
	reader = session_reader(s);
	if (reader == NULL)
		return -ENOMEM;
	return keep ? store_article_part_get(reader, artid, part, blob_r)
		    : store_article_part_read(reader, artid, part, blob_r);
}
