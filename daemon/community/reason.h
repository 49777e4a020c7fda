/* reason.h - why the door said no, or how: one table with a reply for each
 * protocol, so that no session invents texts.
 */
#ifndef KITH_COMMUNITY_REASON_H
#define KITH_COMMUNITY_REASON_H

enum reason {
	REASON_STORED,
	REASON_HELD,
	REASON_DONE, /* a command was carried out */
	REASON_IGNORED, /* accepted and dropped on purpose: loop, automatic */
	REASON_DUPLICATE,
	REASON_CANCELLED, /* before it came */
	REASON_BAD_ARTICLE, /* with a detail: "no Subject header" */
	REASON_BAD_MESSAGE_ID,
	REASON_NO_SUCH_SPACE,
	REASON_NOT_ALLOWED,
	REASON_LOGIN_NEEDED,
	REASON_CLOSED,
	REASON_MIXED_READERS, /* spaces of different read classes */
	REASON_TOO_LARGE,
	REASON_TOO_OLD, /* would expire at once, or is beyond the cutoff */
	REASON_TOO_MANY_SPACES,
	REASON_TOKEN_INVALID,
	REASON_TOKEN_EXPIRED,
	REASON_TOKEN_USED,
	REASON_LOOP,
	REASON_NO_ROOM, /* the disk */
	REASON_BUSY,	/* temporary: try again */
	REASONS
};

struct reason_reply {
	enum reason reason;
	unsigned post;	     /* RFC 3977 6.3.1: 240 or 441; 480 */
	unsigned ihave;	     /* 6.3.2: 235, 436, 437 */
	unsigned check;	     /* RFC 4644 2.4: 238, 431, 438 */
	unsigned takethis;   /* 2.5: 239, 439; 400: again later, and close */
	unsigned smtp;	     /* RFC 5321 */
	const char *enhanced; /* RFC 3463 */
	const char *text;
};
/* Never NULL. */
const struct reason_reply *reason_reply(enum reason reason);
/* "stored", "held", ... for logs and kithctl. */
const char *reason_name(enum reason reason);

#endif
