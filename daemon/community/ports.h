/* ports.h - what the community needs from outside the core: somebody who takes
 * mail, somebody who parses it, and somebody who speaks to other news servers.
 * Core fills them with channels to the mail, parse and feed processes, replay
 * and unit tests with their own.
 *
 * All calls and callbacks on the community's loop.
 */
#ifndef KITH_COMMUNITY_PORTS_H
#define KITH_COMMUNITY_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/messages.h"
#include "protocol/span.h"

struct mail_summary;

/* One recipient of a chunk. */
struct outgoing {
	const char *envelope_from; /* "" is the null sender */
	const char *recipient;
	struct span head; /* header lines, CRLF, that go before the body */
};

struct outgoing_result {
	unsigned code; /* SMTP reply code; 0: not tried, or its fate is unknown */
	const char *reply; /* text with enhanced status code, borrowed */
};

#define OUTGOING_MAX 100u /* recipients a chunk */

/* results: one per recipient; or count 0 and `unreachable` says why the
 * smarthost could not be reached at all. */
typedef void (*outgoing_done)(void *arg, const struct outgoing_result *results,
    size_t count, const char *unreachable);

struct mail_port {
	/* Keeps a message body (wire form, without the final dot) under an id
	 * until body_free. Borrows bytes for the call. 0 or -EAGAIN. */
	int (*body)(void *arg, uint64_t id, struct span bytes);
	void (*body_free)(void *arg, uint64_t id);
	/* Borrows recipients for the call. -EAGAIN: no credit now; resumed by
	 * jobs_wake(). -ENOTCONN: the mail process is away; jobs_wake() again.
	 * -ENOENT: it does not hold that body (it was started anew): hand the
	 * body in again. */
	int (*send)(void *arg, uint64_t body, const struct outgoing *recipients,
	    size_t count, outgoing_done done, void *done_arg);
	void (*flush)(void *arg);
	void *arg;
};

struct parse_port {
	/* message: unstuffed CRLF, borrowed for the call. done gets a borrowed
	 * summary, or NULL if it could not be parsed. */
	int (*parse)(void *arg, struct span message, const char *envelope_from,
	    void (*done)(void *arg, const struct mail_summary *summary),
	    void *done_arg);
	/* The message with every token address in its text masked. done gets
	 * borrowed bytes, or an empty span if it could not be done. */
	int (*mask)(void *arg, struct span message,
	    void (*done)(void *arg, struct span masked), void *done_arg);
	void *arg;
};

/* The server of a peer, and how it is reached. */
struct feed_endpoint {
	uint32_t peer;
	const char *host;
	unsigned port;
	enum config_tls tls;
	const char *user; /* "": no login */
	struct span secret;
	bool clear; /* that may be said without TLS */
	unsigned connections; /* at a time, 1 to FEED_CONNECTIONS_MAX */
};

struct feed_offer {
	uint64_t artid;
	const char *message_id;
};

/* outcomes: one per offer; count 0: nothing is known of any. why: "" unless
 * some are FEED_UNTRIED or FEED_STUCK. */
typedef void (*feed_offered)(void *arg, const enum feed_outcome *outcomes,
    size_t count, const char *why);
/* Of a group: the articles from a number on. */
struct feed_pull {
	const char *group;
	uint32_t from;
	unsigned seconds; /* then it ends, as far as it got */
	/* numbers before that to be asked for first, once more; borrowed */
	const uint32_t *missed;
	size_t missed_count; /* at most FEED_MISSED_MAX */
};
/* How far it got. */
struct feed_progress {
	uint32_t high;	  /* the group's highest number, 0: unknown */
	uint32_t settled; /* numbers up to this one were handed over or hold
			   * nothing, but for those missed; 0: it got nowhere */
	size_t again; /* so many of those to be asked for again were answered */
	/* what the server could not give now */
	uint32_t missed[FEED_MISSED_MAX];
	size_t missed_count;
};

/* why: "" if the group was taken whole. */
typedef void (*feed_pulled)(void *arg, const char *why,
    const struct feed_progress *progress);

struct feed_port {
	/* There is a peer to speak to: the calls below work some time after. */
	void (*want)(void *arg);
	/* At most FEED_OFFERS_MAX; borrowed for the call. The bytes of those that
	 * the peer wants are asked for by feeds_article(). -ENOTCONN, -EAGAIN:
	 * try again later. */
	int (*offer)(void *arg, const struct feed_endpoint *endpoint,
	    const struct feed_offer *offers, size_t count, feed_offered done,
	    void *done_arg);
	/* Each article by pulls_take(). */
	int (*pull)(void *arg, const struct feed_endpoint *endpoint,
	    const struct feed_pull *pull, feed_pulled done, void *done_arg);
	void *arg;
};

#endif
