/* cmd_list_text.c - the lists that an admin writes: MOTD, DISTRIBUTIONS and
 * SUBSCRIPTIONS (RFC 6048), DISTRIB.PATS (RFC 3977 7.6.5).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/texts.h"
#include "daemon/news/commands.h"
#include "daemon/news/directory.h"
#include "daemon/news/groups.h"

#define SUGGESTED_MAX 500u /* newsgroups, in one answer */

static void
list_text(struct session *s, enum text text)
{
	struct store_reader *reader = session_reader(s);
	struct buffer *wire = &s->loop->text;
	int rc = -ENOMEM;

	buffer_clear(wire);
	if (reader != NULL)
		rc = text_get(reader, text, wire);
	if (rc == -ENOENT) {
		session_reply_text(s, 503, "this list is not kept here");
	} else if (rc != 0) {
		session_reply(s, 403);
	} else {
		session_reply(s, 215);
		session_write(s, wire->bytes, wire->len);
		session_end_block(s);
	}
}

void
cmd_list_motd(struct session *s, const struct nntp_args *args)
{
	(void)args;
	list_text(s, TEXT_MOTD);
}

void
cmd_list_distributions(struct session *s, const struct nntp_args *args)
{
	(void)args;
	list_text(s, TEXT_DISTRIBUTIONS);
}

void
cmd_list_distrib_pats(struct session *s, const struct nntp_args *args)
{
	(void)args;
	list_text(s, TEXT_DISTRIB_PATS);
}

/* By importance (RFC 6048 2.6.2), then by name. */
static int
suggested_compare(const void *a, const void *b)
{
	const struct space *one = *(const struct space *const *)a;
	const struct space *other = *(const struct space *const *)b;

	if (one->suggested != other->suggested)
		return one->suggested < other->suggested ? -1 : 1;
	return strcmp(one->name, other->name);
}

void
cmd_list_subscriptions(struct session *s, const struct nntp_args *args)
{
	const struct space *suggested[SUGGESTED_MAX];
	struct continuation c = { 0 };
	struct groups_walk *walk = &c.as.groups;
	struct buffer *text = &s->loop->text;
	size_t count = 0;

	if (!groups_begin(s,
		args->count < 2 ? span_make(NULL, 0) : args->args[1], walk))
		return;
	for (size_t i = 0; i < walk->directory->count && count < SUGGESTED_MAX;
	     i++)
		if (walk->directory->spaces[i]->suggested != 0 &&
		    groups_match(walk, walk->directory->spaces[i]))
			suggested[count++] = walk->directory->spaces[i];
	qsort(suggested, count, sizeof suggested[0], suggested_compare);
	session_reply(s, 215);
	buffer_clear(text);
	for (size_t i = 0; i < count; i++)
		buffer_printf(text, "%s\r\n", suggested[i]->name);
	session_write(s, text->bytes, text->len);
	session_end_block(s);
	groups_release(&c);
}
