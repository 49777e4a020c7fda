/* cmd_post.c - POST (RFC 3977 6.3.1) and IHAVE (6.3.2).
 */
#include <stdio.h>

#include "daemon/news/commands.h"
#include "daemon/news/feed.h"
#include "daemon/news/post.h"
#include "protocol/msgid.h"

void
cmd_post(struct session *s, const struct nntp_args *args)
{
	(void)args;
	switch (session_posting(s)) {
	case POST_ALLOWED:
	case POST_MODERATED:
		break;
	case POST_LOGIN:
		session_reply(s, session_is_private(s) ? 480 : 483);
		return;
	case POST_REFUSED:
	case POST_CLOSED:
	default:
		session_reply(s, 440);
		return;
	}
	if (post_begin(s, POST_BY_POST, NULL) != 0)
		session_reply_text(s, 440, "out of memory, try again later");
	else
		session_reply(s, 340);
}

void
cmd_ihave(struct session *s, const struct nntp_args *args)
{
	struct span id = args->args[0];
	char message_id[MSGID_MAX + 1];
	enum reason reason;
	unsigned code;

	if (!msgid_is_valid(id)) {
		session_error(s, 501);
		return;
	}
	if (!s->feeds) {
		session_reply(s, s->logged_in ? 502 : 480);
		return;
	}
	reason = feed_judge(s, id);
	if (reason != REASON_STORED) {
		code = reason_reply(reason)->ihave;
		session_reply_text(s, code == 436 ? 436 : 435, "%s",
		    reason_reply(reason)->text);
		return;
	}
	(void)snprintf(message_id, sizeof message_id, "%.*s", SPAN_ARG(id));
	if (post_begin(s, POST_BY_IHAVE, message_id) != 0)
		session_reply(s, 436);
	else {
		feed_note_article(s);
		session_reply(s, 335);
	}
}
