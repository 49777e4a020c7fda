/* numbers.h - which numbers of a group hold an article, a window of them at a
 * time: by LISTGROUP with a range, by HDR Message-ID, by XHDR, or all of them, as
 * the server can. Composes commands and reads answers, has no connection.
 */
#ifndef KITH_DAEMON_FEED_NUMBERS_H
#define KITH_DAEMON_FEED_NUMBERS_H

#include <stdbool.h>

#include "protocol/newsgroup.h"
#include "protocol/nntp_reply.h"

#define NUMBERS_WINDOW 10000u

enum numbers_way {
	NUMBERS_LISTGROUP,
	NUMBERS_HDR,
	NUMBERS_XHDR,
	NUMBERS_EACH, /* nothing is asked */
};

struct numbers {
	char group[NEWSGROUP_MAX + 1];
	uint32_t next; /* the window to come begins here; at least 1 */
	uint32_t high; /* the last of all; below next: no more windows */
	enum numbers_way way;
	bool unsound; /* the list is not one of numbers */
	size_t lines; /* of all lists, those of no use too */
	size_t count; /* of the window's numbers, in rising order, each once */
	uint32_t *at; /* room for NUMBERS_WINDOW */
};

enum numbers_step {
	NUMBERS_ASK,   /* numbers_ask(): the same window, another way */
	NUMBERS_LINES, /* each line to numbers_line() */
	NUMBERS_READY, /* the window is known, and next behind it */
	NUMBERS_FAILED,
};

/* 0, -ENOMEM. */
int numbers_init(struct numbers *numbers);
/* Accepts zeroed. */
void numbers_fini(struct numbers *numbers);
/* The command for the window into line (NNTP_REPLY_MAX); NUMBERS_LINES: say it.
 * NUMBERS_READY: there is none to be said. */
enum numbers_step numbers_ask(struct numbers *numbers, char *line);
/* What was answered to it. */
enum numbers_step numbers_reply(struct numbers *numbers,
    const struct nntp_reply *reply);
/* A line of the list; bytes NULL: its end. */
enum numbers_step numbers_line(struct numbers *numbers, struct span line);

#endif
