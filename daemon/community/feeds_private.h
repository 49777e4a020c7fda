/* feeds_private.h - for feeds*.c: a peer that is fed, and what is on offer.
 */
#ifndef KITH_COMMUNITY_FEEDS_PRIVATE_H
#define KITH_COMMUNITY_FEEDS_PRIVATE_H

#include <sys/queue.h>

#include "daemon/community/endpoint_text.h"
#include "daemon/community/feeds.h"
#include "protocol/msgid.h"

/* s, before a deferred article is offered again; doubled each time */
#define FEEDS_DEFERRED_SHORTEST 5u
#define FEEDS_DEFERRED_LONGEST  3600u

struct fed_peer;
struct space;
struct wildmat;

struct fed_offer {
	uint64_t seq; /* 0: one that was deferred */
	uint64_t artid;
	uint32_t attempts; /* so far, of a deferred one */
	uint64_t first;    /* when it was deferred first */
	enum feed_outcome outcome;
	char message_id[MSGID_MAX + 1];
};

/* Some articles on offer, and the stretch of the sequence they are from. */
struct fed_batch {
	TAILQ_ENTRY(fed_batch) entry;
	struct fed_peer *fed;
	bool retry; /* deferred ones: no cursor */
	bool answered;
	bool stale;    /* the cursor went back: what it says does not count */
	uint64_t upto; /* the last event that was looked at */
	char why[256];
	size_t count;
	struct fed_offer offers[FEED_OFFERS_MAX];
};
TAILQ_HEAD(fed_batches, fed_batch);

struct fed_peer {
	LIST_ENTRY(fed_peer) entry;
	struct feeds *feeds;
	uint32_t id;
	bool gone; /* freed when nothing is open any more */
	char *name;
	char *login;
	char *secret;
	char *path; /* path-identity; "": none known */
	char *patterns;
	struct wildmat *spaces;
	char host[ENDPOINT_HOST_ROOM];
	unsigned port;
	enum config_tls tls;
	bool clear;           /* as in struct feed_endpoint, */
	unsigned connections; /* and these too */
	Kith__FeedState state;      /* as it is on disk */
	uint64_t walked;            /* events up to here were looked at */
	struct fed_batches batches; /* oldest first */
	unsigned open;              /* batches */
	unsigned deferred;          /* rows */
	uint64_t retry_at;          /* deferred rows are looked at again */
	bool retrying;              /* some of them are on offer */
	uint64_t stuck;             /* the article that connections end over */
	unsigned stuck_times;       /* in a row */
	bool more;             /* to be walked, when others had their turn */
	bool writing;          /* an operation is under way */
	unsigned failures;     /* in a row */
	uint64_t next_attempt; /* s of clock_milliseconds(); 0: now */
	char error[256];
};

struct feeds {
	struct community *community;
	LIST_HEAD(, fed_peer) peers;
	bool wanted; /* the port was told */
};

/* feeds_peer.c: into the list, with its state. 0 or negative. */
int fed_load(struct feeds *feeds, struct store_reader *reader, uint32_t id,
    const Kith__Peer *record);
/* Out of the list; what is under way ends by itself, and then it is freed. */
void fed_leave(struct fed_peer *fed);
void fed_check_free(struct fed_peer *fed);
void fed_free(struct fed_peer *fed);
void fed_batch_free(struct fed_batch *batch);

/* feeds_walk.c: fills a batch from the sequence behind fed->walked, and moves
 * that. 1: there is more behind it; 0: not now; negative. */
int fed_walk(struct fed_peer *fed, struct store_reader *reader,
    struct fed_batch *batch);
/* The same from the deferred rows that are due. */
int fed_walk_deferred(struct fed_peer *fed, struct store_reader *reader,
    struct fed_batch *batch);
/* What of that space may go to the peer: what anyone may read by pattern,
 * everything else only by its full name. */
bool fed_may_have(const struct fed_peer *fed, const struct space *space);
/* Whether the article is in such a space now, or of a control message: was
 * meant for one. */
bool fed_may_have_article(const struct fed_peer *fed,
    const Kith__ArticleMeta *meta);

/* feeds_copy.c: true if the article must not go to the peer: it has been there
 * (Path), or is not to leave (Distribution: local). */
int fed_must_not_have(const struct fed_peer *fed, struct store_reader *reader,
    uint64_t artid, bool *r);
int fed_copy(const struct fed_peer *fed, struct store_reader *reader,
    uint64_t artid, struct buffer *out);

/* feeds_header.c: a whole article that news would not take for its header gets
 * one that it takes, if that can be. */
void feeds_header_mend(struct buffer *wire);

/* feeds_progress.c: writes down what the answered batches at the head of the
 * queue say, and frees them. feeds.c is told when it is on disk. */
void fed_record(struct fed_peer *fed);
/* feeds.c */
void fed_recorded(struct fed_peer *fed, int result);
void fed_pump(struct fed_peer *fed);

#endif
