/* feed.h - the answers that a session owes to CHECK and TAKETHIS (RFC 4644):
 * several articles are at the door at once, answers leave in the order of the
 * commands. Private to daemon/news.
 */
#ifndef KITH_NEWS_FEED_H
#define KITH_NEWS_FEED_H

#include "daemon/news/session.h"
#include "protocol/msgid.h"

struct feed_answer {
	TAILQ_ENTRY(feed_answer) entry;
	struct session *session; /* counted */
	size_t bytes;            /* of its article, in server->post_bytes */
	int code;                /* 0: not known yet */
	const char *words;       /* behind the id; borrowed for ever, or NULL */
	char *text;              /* instead of id and words; owned, or NULL */
	struct expected expected;
	char message_id[MSGID_MAX + 1];
};

void feed_init(struct session *s);
/* The connection is gone: what is at the door frees itself when it returns. */
void feed_clear(struct session *s);
/* Answers are owed: what is no part of a feed has to wait. */
static inline bool
feed_is_owing(const struct session *s)
{
	return s->feed.count > 0;
}
/* The peer's rate allows another article in this minute. */
bool feed_may_offer(struct session *s);
/* What CHECK and IHAVE of a valid id are to be told: REASON_STORED, it may be
 * sent; REASON_BUSY, later; or why not. */
enum reason feed_judge(struct session *s, struct span message_id);
/* It sends one, which its rate counts. */
void feed_note_article(struct session *s);
/* So many, or so much is at the door from all sessions, that the next command
 * waits: for answers of this session, so one at least is owed. */
bool feed_is_full(const struct session *s);
/* A place in the order for an article at the door, whose bytes are counted in
 * server->post_bytes until it is settled. NULL: no memory. */
struct feed_answer *feed_owe(struct session *s, const char *message_id,
    size_t bytes);
/* What the door said: "CODE ID words", where words are a literal, or "CODE text"
 * unless text is NULL. The session may be gone. Takes the answer. */
void feed_settle(struct feed_answer *answer, int code, const char *words,
    const char *text);
/* An answer that is known at once: sent, or put behind what is owed. 400 ends
 * the connection. */
void feed_reply(struct session *s, int code, const char *text);

#endif
