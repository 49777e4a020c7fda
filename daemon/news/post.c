/* post.c - see post.h.
 */
#include "daemon/news/post.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/reason.h"
#include "daemon/log.h"
#include "daemon/news/feed.h"
#include "daemon/news/timeout.h"
#include "protocol/dot.h"
#include "protocol/msgid.h"

struct post {
	struct news_server *server;
	size_t counted; /* in server->post_bytes */
	struct dot_receiver dot;
	struct buffer article;
	enum post_by by;
	int skip;                         /* the code for what is not kept */
	char text[NNTP_ARGUMENT_MAX + 1]; /* behind it */
	char message_id[MSGID_MAX + 1];   /* of IHAVE and TAKETHIS */
	struct expected expected;	  /* likewise */
};

/* What the door was asked; outlives the connection if it must. */
struct post_request {
	struct session *session; /* counted */
	enum post_by by;
	struct expected expected; /* of IHAVE */
	size_t bytes; /* in server->post_bytes */
};

/* What the article takes now. True: all of them take too much. What is at the
 * door is counted there: the door answers while the server lives. */
static bool
post_count(struct post *post)
{
	size_t room = post->article.room, more = room - post->counted, all;

	/* all loops count there: no writing without need. What goes down wraps
	 * round, and adds up */
	all = more == 0
	    ? atomic_load(&post->server->post_bytes)
	    : atomic_fetch_add(&post->server->post_bytes, more) + more;
	post->counted = room;
	return all > post->server->post_bytes_max;
}

int
post_begin(struct session *s, enum post_by by, const char *offered_id)
{
	struct post *post = malloc(sizeof *post);

	if (post == NULL)
		return -ENOMEM;
	post->server = session_server(s);
	post->counted = 0;
	post->skip = 0;
	post->text[0] = '\0';
	post->message_id[0] = '\0';
	post->expected.any = false;
	buffer_init(&post->article, 0);
	dot_receiver_init(&post->dot, &post->article,
	    community_config(session_community(s))->article_size);
	post->by = by;
	if (offered_id != NULL) {
		span_copy(post->message_id, sizeof post->message_id,
		    span_of(offered_id));
		(void)session_expects(s, span_of(post->message_id),
		    &post->expected);
	}
	s->post = post;
	timeout_article(s, true);
	return 0;
}

void
post_skip(struct session *s, int code, const char *text)
{
	if (post_begin(s, POST_BY_TAKETHIS, NULL) != 0) {
		feed_reply(s, 400, "out of memory, try again later");
		return;
	}
	dot_receiver_init(&s->post->dot, NULL, 0);
	s->post->skip = code;
	(void)snprintf(s->post->text, sizeof s->post->text, "%s", text);
}

void
post_skip_line(struct session *s, bool after_cr, int code)
{
	post_skip(s, code, "");
	if (s->post != NULL)
		dot_receiver_init_within(&s->post->dot, after_cr);
}

void
post_free(struct post **post_p)
{
	struct post *post = *post_p;

	if (post == NULL)
		return;
	*post_p = NULL;
	buffer_fini(&post->article);
	(void)post_count(post);
	free(post);
}

/* The first word of the answer to TAKETHIS is the id, except with 400. */
static const char *
post_takethis_text(const struct reason_reply *reply, const char *message_id,
    const char *detail, char text[NNTP_ARGUMENT_MAX + 1])
{
	(void)snprintf(text, NNTP_ARGUMENT_MAX + 1, "%s%s%s%s%s",
	    reply->takethis == 400 ? "" : message_id,
	    reply->takethis == 400 ? "" : " ", reply->text,
	    detail[0] == '\0' ? "" : ": ", detail);
	return text;
}

static void
post_answer(struct session *s, enum post_by by, enum reason reason,
    const char *detail)
{
	const struct reason_reply *reply = reason_reply(reason);
	unsigned code = by == POST_BY_IHAVE ? reply->ihave : reply->post;

	if (code == 240 || code == 235)
		s->posted++;
	if (detail[0] == '\0')
		session_reply_words(s, (int)code, reply->text);
	else
		session_reply_text(s, (int)code, "%s: %s", reply->text, detail);
}

/* What comes as far as the door is logged there. */
static void
post_refuse(struct session *s, const struct post *post, enum reason reason,
    const char *detail)
{
	const struct reason_reply *reply = reason_reply(reason);
	char text[NNTP_ARGUMENT_MAX + 1];

	session_expects_no_more(s, &post->expected);
	log_info("post session=%llu from=%s member=%u peer=%u result=%s%s%s",
	    (unsigned long long)s->id, stream_peer(s->stream),
	    session_identity(s)->member, session_identity(s)->peer,
	    reason_name(reason), detail[0] != '\0' ? " detail=" : "", detail);
	if (post->by == POST_BY_TAKETHIS)
		feed_reply(s, (int)reply->takethis,
		    post_takethis_text(reply, post->message_id, detail, text));
	else
		post_answer(s, post->by, reason, detail);
}

static void
post_done(void *arg, const struct intake_result *result)
{
	struct post_request *request = arg;
	struct session *s = request->session;

	(void)atomic_fetch_sub(&session_server(s)->post_bytes, request->bytes);
	if (s->stream != NULL) {
		session_expects_no_more(s, &request->expected);
		post_answer(s, request->by, result->reason, result->detail);
		session_resume(s);
	}
	session_unref(s);
	free(request);
}

static void
post_feed_done(void *arg, const struct intake_result *result)
{
	struct feed_answer *answer = arg;
	const struct reason_reply *reply = reason_reply(result->reason);
	char text[NNTP_ARGUMENT_MAX + 1];

	if (answer->session->stream != NULL)
		session_expects_no_more(answer->session, &answer->expected);
	if (reply->takethis != 400 && result->detail[0] == '\0') {
		feed_settle(answer, (int)reply->takethis, reply->text, NULL);
		return;
	}
	feed_settle(answer, (int)reply->takethis, NULL,
	    post_takethis_text(reply, answer->message_id, result->detail,
		text));
}

/* Why the bytes themselves cannot be an article, or NULL. */
static const char *
post_fault(const struct dot_facts *facts)
{
	if (facts->nul)
		return "the article holds a NUL octet";
	if (facts->bare_cr)
		return "the article holds a CR that is not before a LF";
	if (facts->bare_lf)
		return "the article holds a LF that is not after a CR";
	return NULL;
}

/* The other commands of the session wait for the door. */
static bool
post_submit_alone(struct session *s, struct post *post,
    const struct intake_news *news)
{
	struct post_request *request = malloc(sizeof *request);

	if (request == NULL)
		return false;
	request->session = s;
	request->by = post->by;
	request->expected = post->expected;
	request->bytes = post->counted;
	post->counted = 0; /* but by the request */
	session_ref(s);
	session_wait(s);
	intake_news(session_community(s), news, post_done, request);
	return true;
}

/* The session goes on to read while the article is at the door. */
static bool
post_submit_feed(struct session *s, struct post *post,
    const struct intake_news *news)
{
	struct feed_answer *answer = feed_owe(s, post->message_id, post->counted);

	if (answer == NULL)
		return false;
	post->counted = 0; /* but by the answer */
	answer->expected = post->expected;
	intake_news(session_community(s), news, post_feed_done, answer);
	return true;
}

static void
post_submit(struct session *s, struct post *post)
{
	struct intake_news news;
	bool taken;

	/* an article may take an hour to come in */
	session_refresh(s);
	news = (struct intake_news){
		.facts = post->dot.facts,
		.identity = *session_identity(s),
		.channel = post->by == POST_BY_POST
		    ? KITH__CHANNEL__CHANNEL_POST
		    : KITH__CHANNEL__CHANNEL_PEER,
		.offered_id =
		    post->by == POST_BY_POST ? NULL : post->message_id,
		.client = stream_peer(s->stream),
		.session = s->id,
		.inbox = s->loop->inbox,
	};
	/* a peer's host posts like any other: only what is offered is a feed,
	 * and that is of nobody who is logged in */
	if (post->by == POST_BY_POST)
		news.identity.peer = 0;
	else
		news.identity = (struct identity){
			.peer = session_identity(s)->peer,
			.trust = session_identity(s)->trust };
	news.bytes = buffer_take(&post->article, &news.len);
	if (news.bytes == NULL) {
		post_refuse(s, post, REASON_BUSY, "");
		return;
	}
	taken = post->by == POST_BY_TAKETHIS
	    ? post_submit_feed(s, post, &news)
	    : post_submit_alone(s, post, &news);
	if (!taken) {
		free(news.bytes);
		post_refuse(s, post, REASON_BUSY, "");
	}
}

static void
post_finish(struct session *s, struct post *post)
{
	const char *fault = post_fault(&post->dot.facts);

	timeout_article(s, false);
	if (post->skip != 0)
		feed_reply(s, post->skip, post->text);
	else if (fault != NULL)
		post_refuse(s, post, REASON_BAD_ARTICLE, fault);
	else if (post->dot.too_large)
		post_refuse(s, post, REASON_TOO_LARGE, "");
	else if (post->dot.failed)
		post_refuse(s, post, REASON_BUSY, "");
	else if (post->article.len == 0)
		post_refuse(s, post, REASON_BAD_ARTICLE,
		    "the article is empty");
	else
		post_submit(s, post);
}

bool
post_receive(struct session *s)
{
	struct span window = stream_input(s->stream);
	struct post *post = s->post;
	size_t used = 0;
	bool whole;

	if (window.len == 0)
		return false;
	whole = dot_receive(&post->dot, window, &used);
	stream_consume(s->stream, used);
	if (post_count(post) && !post->dot.failed) {
		/* the rest is read and dropped, the answer is to try again */
		post->dot.failed = true;
		buffer_fini(&post->article);
		(void)post_count(post);
	}
	if (whole) {
		s->post = NULL;
		post_finish(s, post);
		post_free(&post);
	}
	return true;
}
