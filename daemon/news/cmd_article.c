/* cmd_article.c - ARTICLE, HEAD, BODY, STAT (RFC 3977 6.2).
 */
#include "daemon/news/commands.h"
#include "daemon/news/wire.h"

static void
article_send(struct session *s, const struct nntp_args *args,
    enum copy_what what)
{
	struct target target;
	struct found found;
	struct wire *wire;

	if (!locate_parse(s,
		args->count == 0 ? span_make(NULL, 0) : args->args[0], &target))
		return;
	wire = wire_find(s, &target);
	if (wire == NULL) {
		if (!locate_target(s, &target, &found))
			return;
		wire = wire_find_located(s, &target, &found);
	}
	if (wire == NULL && what != COPY_NOTHING)
		wire = wire_make(s, &found);
	if (wire != NULL)
		wire_send(s, wire, &target, what);
	else
		copy_send(s, &found, what);
}

void
cmd_article(struct session *s, const struct nntp_args *args)
{
	article_send(s, args, COPY_ARTICLE);
}

void
cmd_head(struct session *s, const struct nntp_args *args)
{
	article_send(s, args, COPY_HEAD);
}

void
cmd_body(struct session *s, const struct nntp_args *args)
{
	article_send(s, args, COPY_BODY);
}

void
cmd_stat(struct session *s, const struct nntp_args *args)
{
	article_send(s, args, COPY_NOTHING);
}
