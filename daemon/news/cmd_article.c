/* cmd_article.c - ARTICLE, HEAD, BODY, STAT (RFC 3977 6.2).
 */
#include "daemon/news/commands.h"
#include "daemon/news/copy.h"

static bool
article_locate(struct session *s, const struct nntp_args *args,
    struct found *found)
{
	return locate_argument(s,
	    args->count == 0 ? span_make(NULL, 0) : args->args[0], found);
}

static void
article_send(struct session *s, const struct nntp_args *args,
    enum copy_what what, int code)
{
	struct found found;

	if (article_locate(s, args, &found))
		copy_send(s, &found, what, code);
}

void
cmd_article(struct session *s, const struct nntp_args *args)
{
	article_send(s, args, COPY_ARTICLE, 220);
}

void
cmd_head(struct session *s, const struct nntp_args *args)
{
	article_send(s, args, COPY_HEAD, 221);
}

void
cmd_body(struct session *s, const struct nntp_args *args)
{
	article_send(s, args, COPY_BODY, 222);
}

void
cmd_stat(struct session *s, const struct nntp_args *args)
{
	struct found found;

	if (article_locate(s, args, &found))
		session_reply_text(s, 223, "%u %s", found.answer,
		    found.message_id);
}
