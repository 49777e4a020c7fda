/* cmd_feed.c - CHECK, TAKETHIS and MODE STREAM (RFC 4644): what peers send
 * without waiting for answers.
 */
#include "daemon/news/commands.h"
#include "daemon/news/feed.h"
#include "daemon/news/post.h"

void
cmd_mode_stream(struct session *s, const struct nntp_args *args)
{
	(void)args;
	/* to everybody: it is the commands that need a peer (2.3.2) */
	session_reply(s, 203);
}

void
cmd_check(struct session *s, const struct nntp_args *args)
{
	struct span id = args->args[0];
	char text[NNTP_ARGUMENT_MAX + 1];

	if (!s->feeds) {
		feed_reply(s, s->logged_in ? 502 : 480, "");
		return;
	}
	span_copy(text, sizeof text, id);
	/* RFC 4644 has no 501 for what is no Message-ID */
	if (!msgid_is_valid(id)) {
		feed_reply(s, 438, text);
		return;
	}
	feed_reply(s, (int)reason_reply(feed_judge(s, id))->check, text);
}

void
cmd_takethis(struct session *s, const struct nntp_args *args)
{
	struct span id = args->args[0];
	char text[NNTP_ARGUMENT_MAX + 1];

	if (!s->feeds) {
		post_skip(s, s->logged_in ? 502 : 480, "");
		return;
	}
	/* an id that cannot be is refused when the article is there */
	span_copy(text, sizeof text, id);
	if (!msgid_is_valid(id))
		post_skip(s, 439, text);
	else if (post_begin(s, POST_BY_TAKETHIS, text) != 0)
		feed_reply(s, 400, "out of memory, try again later");
	else
		feed_note_article(s);
}
