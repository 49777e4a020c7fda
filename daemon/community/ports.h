/* ports.h - what the community needs from outside the core: somebody who takes
 * mail, and somebody who parses it. Core fills them with channels to the mail
 * and parse processes, replay and unit tests with their own.
 *
 * All calls and callbacks on the community's loop.
 */
#ifndef KITH_COMMUNITY_PORTS_H
#define KITH_COMMUNITY_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
