/* reason.c - the one table of answers at the door.
 */
#include "daemon/community/reason.h"

#include <stddef.h>

/* IHAVE: 436 means "again later", 437 "never again" (RFC 3977 6.3.2), and so
 * do CHECK's 431 and 438 and TAKETHIS's 400 and 439 (RFC 4644 2.4, 2.5). After a
 * POST 480 says that a login could change the answer (RFC 3977 3.2.1). */
/* clang-format off */
static const struct reason_reply reason_table[REASONS] = {
	{ REASON_STORED, 240, 235, 238, 239, 250, "2.0.0", "Article received" },
	{ REASON_HELD, 240, 235, 238, 239, 250, "2.0.0", "Held for approval" },
	{ REASON_DONE, 240, 235, 238, 239, 250, "2.0.0", "Done" },
	{ REASON_IGNORED, 240, 235, 238, 239, 250, "2.0.0", "Accepted, nothing to do" },
	{ REASON_DUPLICATE, 441, 437, 438, 439, 250, "2.0.0", "Already here" },
	{ REASON_CANCELLED, 441, 437, 438, 439, 250, "2.0.0", "Cancelled" },
	{ REASON_BAD_ARTICLE, 441, 437, 438, 439, 554, "5.6.0", "Not an acceptable article" },
	{ REASON_BAD_MESSAGE_ID, 441, 437, 438, 439, 554, "5.6.0", "Message-ID cannot be used" },
	{ REASON_NO_SUCH_SPACE, 441, 437, 438, 439, 550, "5.1.1", "No such newsgroup or list" },
	{ REASON_NOT_ALLOWED, 441, 437, 438, 439, 550, "5.7.1", "You may not post here" },
	{ REASON_LOGIN_NEEDED, 480, 437, 438, 439, 550, "5.7.1", "You may not post here without a login" },
	{ REASON_CLOSED, 441, 437, 438, 439, 550, "5.7.1", "This space is closed" },
	{ REASON_MIXED_READERS, 441, 437, 438, 439, 550, "5.7.1", "These newsgroups have different readers; post to one of them" },
	{ REASON_TOO_LARGE, 441, 437, 438, 439, 552, "5.3.4", "Too large" },
	{ REASON_TOO_OLD, 441, 437, 438, 439, 554, "5.6.0", "Too old" },
	{ REASON_TOO_MANY_SPACES, 441, 437, 438, 439, 550, "5.5.3", "Too many newsgroups" },
	{ REASON_TOKEN_INVALID, 441, 437, 438, 439, 550, "5.1.1", "No such address" },
	{ REASON_TOKEN_EXPIRED, 441, 437, 438, 439, 550, "5.1.6", "This address has expired" },
	{ REASON_TOKEN_USED, 441, 437, 438, 439, 250, "2.0.0", "This was done before" },
	{ REASON_LOOP, 441, 437, 438, 439, 250, "2.0.0", "Came round in a loop" },
	{ REASON_NO_ROOM, 441, 436, 431, 400, 452, "4.3.1", "No room on disk, try again later" },
	{ REASON_BUSY, 441, 436, 431, 400, 451, "4.3.0", "Temporary trouble, try again later" },
};
/* clang-format on */

const struct reason_reply *
reason_reply(enum reason reason)
{
	if ((unsigned)reason >= REASONS)
		reason = REASON_BUSY;
	return &reason_table[reason];
}

static const char *const reason_names[REASONS] = {
	[REASON_STORED] = "stored",
	[REASON_HELD] = "held",
	[REASON_DONE] = "done",
	[REASON_IGNORED] = "ignored",
	[REASON_DUPLICATE] = "duplicate",
	[REASON_CANCELLED] = "cancelled",
	[REASON_BAD_ARTICLE] = "bad-article",
	[REASON_BAD_MESSAGE_ID] = "bad-message-id",
	[REASON_NO_SUCH_SPACE] = "no-such-space",
	[REASON_NOT_ALLOWED] = "not-allowed",
	[REASON_LOGIN_NEEDED] = "login-needed",
	[REASON_CLOSED] = "closed",
	[REASON_MIXED_READERS] = "mixed-readers",
	[REASON_TOO_LARGE] = "too-large",
	[REASON_TOO_OLD] = "too-old",
	[REASON_TOO_MANY_SPACES] = "too-many-spaces",
	[REASON_TOKEN_INVALID] = "token-invalid",
	[REASON_TOKEN_EXPIRED] = "token-expired",
	[REASON_TOKEN_USED] = "token-used",
	[REASON_LOOP] = "loop",
	[REASON_NO_ROOM] = "no-room",
	[REASON_BUSY] = "busy",
};

const char *
reason_name(enum reason reason)
{
	return (unsigned)reason < REASONS ? reason_names[reason] : "unknown";
}
