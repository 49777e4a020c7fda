/* feed.c - see feed.h.
 */
#include "daemon/news/feed.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/community/peers.h"
#include "daemon/loop.h"

/* Enough to fill the commits of a fast disk, little enough to forget. */
#define FEED_ANSWERS_MAX 256u
#define FEED_BYTES_MAX   (4u * 1024u * 1024u)

void
feed_init(struct session *s)
{
	TAILQ_INIT(&s->feed.answers);
}

/* Out of the order, and freed. */
static void
feed_drop(struct feed_answer *answer)
{
	struct session *s = answer->session;

	TAILQ_REMOVE(&s->feed.answers, answer, entry);
	s->feed.count--;
	s->feed.bytes -= answer->bytes;
	free(answer->text);
	free(answer);
	session_unref(s);
}

void
feed_clear(struct session *s)
{
	struct feed_answer *answer = TAILQ_FIRST(&s->feed.answers), *next;

	for (; answer != NULL; answer = next) {
		next = TAILQ_NEXT(answer, entry);
		if (answer->code != 0)
			feed_drop(answer);
	}
}

bool
feed_may_offer(struct session *s)
{
	return peers_may_offer(community_peers(session_community(s)),
	    s->entered, community_now(session_community(s)));
}

enum reason
feed_judge(struct session *s, struct span message_id)
{
	struct store_reader *reader = session_reader(s);
	enum reason reason = REASON_BUSY;
	struct expected expected;

	if (reader != NULL)
		reason = intake_wants(session_community(s), reader,
		    session_identity(s), message_id);
	if (reason == REASON_STORED &&
	    (!feed_may_offer(s) || !session_expects(s, message_id, &expected)))
		reason = REASON_BUSY;
	return reason;
}

void
feed_note_article(struct session *s)
{
	peers_count(community_peers(session_community(s)), s->entered,
	    community_now(session_community(s)));
}

bool
feed_is_full(const struct session *s)
{
	const struct news_server *server = session_server(s);

	return s->feed.count >= FEED_ANSWERS_MAX ||
	    (s->feed.limit != 0 && s->feed.count >= s->feed.limit) ||
	    s->feed.bytes >= FEED_BYTES_MAX ||
	    (s->feed.count > 0 &&
		atomic_load(&server->post_bytes) > server->post_bytes_max / 2);
}

struct feed_answer *
feed_owe(struct session *s, const char *message_id, size_t bytes)
{
	struct feed_answer *answer = malloc(sizeof *answer);

	if (answer == NULL)
		return NULL;
	answer->code = 0;
	answer->words = NULL;
	answer->text = NULL;
	answer->expected.any = false;
	span_copy(answer->message_id, sizeof answer->message_id,
	    span_of(message_id));
	answer->bytes = bytes;
	answer->session = s;
	session_ref(s);
	TAILQ_INSERT_TAIL(&s->feed.answers, answer, entry);
	s->feed.bytes += bytes;
	if (s->feed.count++ == 0)
		stream_hold(s->stream, true);
	return answer;
}

static void
feed_count(struct session *s, int code)
{
	if (code == 239)
		s->posted++;
	if (code == 400)
		session_close(s);
}

static void
feed_send(struct session *s, int code, const char *text)
{
	if (text[0] == '\0')
		session_reply(s, code);
	else
		session_reply_text(s, code, "%s", text);
	feed_count(s, code);
}

static void
feed_send_answer(struct session *s, const struct feed_answer *answer)
{
	if (answer->text != NULL) {
		feed_send(s, answer->code, answer->text);
		return;
	}
	session_reply_about(s, answer->code, answer->message_id,
	    answer->words == NULL ? "" : answer->words);
	feed_count(s, answer->code);
}

/* Sends what is known up to the first answer that is not. */
static void
feed_flush(struct session *s)
{
	struct feed_answer *answer;

	while ((answer = TAILQ_FIRST(&s->feed.answers)) != NULL &&
	    answer->code != 0) {
		if (s->stream != NULL && !s->closing)
			feed_send_answer(s, answer);
		feed_drop(answer);
	}
	if (s->stream != NULL && !feed_is_owing(s))
		stream_hold(s->stream, false);
}

/* One for all answers of a commit. */
static void
feed_wake(void *arg)
{
	struct session *s = arg;

	s->feed.wakes = false;
	feed_flush(s);
	if (s->stream == NULL)
		;
	else if (s->waiting && !feed_is_full(s))
		session_resume(s);
	else
		session_run(s);
	session_unref(s);
}

void
feed_settle(struct feed_answer *answer, int code, const char *words,
    const char *text)
{
	struct session *s = answer->session;

	(void)atomic_fetch_sub(&session_server(s)->post_bytes, answer->bytes);
	if (s->stream == NULL) {
		feed_drop(answer);
		return;
	}
	answer->code = code;
	answer->words = words;
	/* no memory: the id will do */
	answer->text = text == NULL ? NULL : strdup(text);
	if (s->feed.wakes)
		return;
	session_ref(s);
	s->feed.wakes = true;
	if (loop_post(s->loop->loop, feed_wake, s) != 0) {
		s->feed.wakes = false;
		session_close(s);
		session_unref(s); /* the answer holds one too */
	}
}

void
feed_reply(struct session *s, int code, const char *text)
{
	struct feed_answer *answer;

	if (!feed_is_owing(s)) {
		feed_send(s, code, text);
		return;
	}
	answer = feed_owe(s, "", 0);
	if (answer == NULL)
		session_close(s);
	else
		feed_settle(answer, code, NULL, text);
}
