/* session.h - one NNTP connection: its state, its input and output.
 *
 * Commands are in cmd_*.c. A session parses straight out of the stream's input
 * and holds no buffer of its own; what only some commands need (an article
 * being received, a long answer under way, an identity) is allocated for them.
 * Private to daemon/news.
 */
#ifndef KITH_NEWS_SESSION_H
#define KITH_NEWS_SESSION_H

#include "daemon/community/intake.h"
#include "daemon/community/spaces.h"
#include "daemon/news/server.h"
#include "daemon/stream.h"
#include "protocol/line.h"
#include "protocol/nntp.h"
#include "store/msgid.h"
#include "store/overview.h"

struct continuation;
struct event;
struct feed_answer;
struct post;
struct sasl;

/* Octets of a line with CRLF, where AUTHINFO SASL lets one be long. */
#define SESSION_LINE_MAX 8320u
#define SESSION_ERRORS_MAX 10u /* malformed commands in a row */
/* What is gathered at most for one send to a client that keeps up; above the
 * stream's high-water mark, so that drained() follows when it no longer does. */
#define SESSION_BURST (192u * 1024u)

TAILQ_HEAD(feed_answers, feed_answer);

/* What is owed to CHECK and TAKETHIS, in order of the commands (feed.c). */
struct session_feed {
	struct feed_answers answers;
	size_t bytes;   /* of the articles at the door */
	unsigned count; /* of answers */
	unsigned limit; /* of answers, of this peer; 0: none of its own */
	bool wakes;     /* a wake-up is on its way */
	struct event *pace; /* it waits for its peer's next minute (pace.c) */
};

struct session {
	LIST_ENTRY(session) entry;
	struct news_loop *loop;
	struct stream *stream; /* NULL: the connection is gone */
	struct news_address *address;
	uint64_t id;
	unsigned references; /* the stream, requests, posted wake-ups */
	/* the newsgroup that is selected */
	struct space *group; /* counted, or NULL */
	uint64_t group_generation;
	uint32_t current; /* article number, 0: none */
	/* who it is */
	struct identity *identity; /* NULL: nobody known */
	uint32_t entered; /* the peer whose connection it counts as; 0: none */
	bool feeds;	  /* that peer may offer articles */
	bool expects;	  /* it was told to send some, once */
	char *login;               /* of AUTHINFO USER, until PASS */
	struct sasl *sasl;         /* an exchange: lines go to it */
	uint64_t identity_generation; /* auth_generation() it was read at */
	enum reader_class class;
	uint64_t posting_generation; /* 0: posting is not known */
	enum rights_post posting;
	/* what it is at */
	struct line_reader lines;
	struct store_view *view; /* of this burst */
	uint64_t turn_ends;      /* nanoseconds, monotonic */
	struct continuation *continuation;
	struct post *post; /* an article is being received */
	struct session_feed feed;
	unsigned errors;   /* malformed commands in a row */
	unsigned failed_logins;
	unsigned commands, articles, posted; /* for the log */
	uint64_t ends_at; /* seconds, monotonic (timeout.c); 0: never */
	bool line_begun;  /* part of a line has come */
	bool waiting;                        /* for the store or a worker */
	bool running;                        /* session_run is on the stack */
	bool again;                          /* it was called meanwhile */
	bool posted_wake;                    /* a wake-up is on its way */
	bool keeps_up; /* all of the last large send went out */
	bool closing;
	bool greeted;
	bool logged_in;
};

static inline struct news_server *
session_server(const struct session *s)
{
	return s->loop->server;
}

static inline struct community *
session_community(const struct session *s)
{
	return s->loop->server->community;
}

static inline struct spaces *
session_spaces(const struct session *s)
{
	return community_spaces(s->loop->server->community);
}

static inline struct store *
session_store(const struct session *s)
{
	return community_store(s->loop->server->community);
}

/* ---- output; nothing happens once the connection is gone ---- */

void session_write(struct session *s, const void *bytes, size_t len);
/* A piece of a block or blob; the reference that comes with it is taken. */
void session_write_reference(struct session *s, const void *bytes, size_t len,
    void (*release)(void *arg), void *arg);
/* "CODE text" from protocol/nntp.h's table, or with a text of one's own. */
void session_reply(struct session *s, int code);
void session_reply_text(struct session *s, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "CODE text", "CODE ABOUT text": where printf would cost as much as all else. */
void session_reply_words(struct session *s, int code, const char *text);
void session_reply_about(struct session *s, int code, const char *about,
    const char *text);
/* A malformed command: 500 or 501, and 400 if there were too many. */
void session_error(struct session *s, int code);
void session_end_block(struct session *s); /* "." CRLF */
/* Sends what is queued, and ends. */
void session_close(struct session *s);

/* ---- work in small pieces ---- */

enum step {
	STEP_DONE,
	STEP_MORE,   /* the output is full, or the turn is over */
	STEP_FAILED, /* the answer cannot be finished: the connection ends */
};

/* True if a long answer should stop here and go on in a later turn. */
bool session_should_pause(struct session *s);
/* Runs the steps of an answer now; what is left when the output is full is
 * moved to the heap (a continuation holds no pointer into itself) and goes on
 * later. Later commands wait. Takes c's contents. */
void session_continue(struct session *s, const struct continuation *c);
/* The same where the first step was done by other means. */
void session_start(struct session *s, struct continuation *c, enum step first);
/* Parses and answers until there is nothing to do but wait. */
void session_run(struct session *s);
/* Brackets what happens off the session's own callbacks. */
void session_ref(struct session *s);
void session_unref(struct session *s);
/* Ends the session at once; the loop has stopped. */
void session_abandon(struct session *s);
/* Later commands wait until session_resume(): a request was made. The stream
 * does not end meanwhile because the client closed its side. */
void session_wait(struct session *s);
void session_resume(struct session *s);

/* ---- reading ---- */

/* The view of this burst, begun when first asked for. NULL: no memory. */
struct store_reader *session_reader(struct session *s);
/* A block of a space's overview, from the cache or the view. The reference is
 * the caller's. 0 or negative. */
int session_block(struct session *s, uint32_t space, uint32_t block,
    struct store_block **block_r);
/* The same for a part of an article, put into the cache if it is to be kept.
 * -ENOENT: past the end. */
int session_part(struct session *s, uint64_t artid, uint16_t part, bool keep,
    struct store_blob **blob_r);

/* ---- articles of peers ---- */

/* An id, hashed once for all who ask whether its article is on its way. */
struct expected {
	bool any; /* false: nothing is expected */
	uint8_t hash[STORE_HASH_LEN];
};

/* One is about to come. False: another session is sending it. */
bool session_expects(struct session *s, struct span message_id,
    struct expected *expected_r);
/* It came, or does not come. */
void session_expects_no_more(struct session *s,
    const struct expected *expected);
/* It ended, and so does not send what it was told to. */
void session_expects_nothing(struct session *s);

/* ---- who and where ---- */

/* Nobody known, if the session has no identity. Borrowed. */
const struct identity *session_identity(const struct session *s);
/* Takes on an identity (copied; NULL: nobody) and its reader class. -EUSERS: a
 * peer that has as many connections as it may. */
int session_become(struct session *s, const struct identity *identity);
/* Before each command and article: if members have changed, who this one is
 * now. A role that was taken away ends with it, not with the connection. */
void session_refresh(struct session *s);
/* A space that the reader may see, counted, or NULL. */
struct space *session_find_space(struct session *s, struct span name);
bool session_may_read(const struct session *s, const struct space *space);
/* The selected newsgroup if it still exists for this reader, else NULL. */
struct space *session_group(struct session *s);
void session_select(struct session *s, struct space *space, uint32_t current);
/* What may be posted by this session anywhere: the best of all spaces. */
enum rights_post session_posting(struct session *s);
/* Neither a login nor COMPRESS (RFC 8054 2.2.2) has been. */
bool session_may_log_in(const struct session *s);
/* AUTHINFO may be used now as far as privacy goes. */
bool session_is_private(const struct session *s);
/* The configuration wants TLS before anything else, and there is none yet. */
bool session_must_have_tls(const struct session *s);
/* TLS can be had here. */
bool session_offers_tls(const struct session *s);
void session_greet(struct session *s);

#endif
