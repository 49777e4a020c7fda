/* cmd_list.c - LIST and its variants (RFC 3977 7.6, 8.4, 8.6).
 */
#include <stdio.h>

#include "daemon/news/commands.h"
#include "daemon/news/groups.h"

static const struct groups_kind active_kind = { 215, groups_active_line };

/* The argument after the variant's name. */
static struct span
list_wildmat(const struct nntp_args *args)
{
	return args->count < 2 ? span_make(NULL, 0) : args->args[1];
}

void
cmd_list_active(struct session *s, const struct nntp_args *args)
{
	groups_send(s, &active_kind, list_wildmat(args), 0);
}

static void
newsgroups_line(struct session *s, const struct groups_walk *walk,
    const struct space *space, struct buffer *text)
{
	const char *description = space->description;

	(void)s;
	(void)walk;
	buffer_append_text(text, space->name);
	buffer_append_byte(text, '\t');
	if (description == NULL || description[0] == '\0')
		description = "(no description)";
	for (; *description != '\0'; description++)
		buffer_append_byte(text,
		    *description == '\r' || *description == '\n'
			? ' '
			: *description);
	buffer_append(text, "\r\n", 2);
}

static const struct groups_kind newsgroups_kind = { 215, newsgroups_line };

void
cmd_list_newsgroups(struct session *s, const struct nntp_args *args)
{
	groups_send(s, &newsgroups_kind, list_wildmat(args), 0);
}

static const struct groups_kind xgtitle_kind = { 282, newsgroups_line };

/* RFC 2980 2.8: without an argument the selected newsgroup. */
void
cmd_xgtitle(struct session *s, const struct nntp_args *args)
{
	char name[NNTP_ARGUMENT_MAX + 1];
	struct space *group = session_group(s);

	if (args->count > 0) {
		groups_send(s, &xgtitle_kind, args->args[0], 0);
		return;
	}
	if (group == NULL) {
		session_reply(s, 412);
		return;
	}
	(void)snprintf(name, sizeof name, "%s", group->name);
	groups_send(s, &xgtitle_kind, span_of(name), 0);
}

static const struct groups_kind counts_kind = { 215, groups_counts_line };

void
cmd_list_counts(struct session *s, const struct nntp_args *args)
{
	groups_send(s, &counts_kind, list_wildmat(args), 0);
}

/* RFC 6048 2.4: where a moderated space has an address, a mail to it waits for
 * its moderators as a POST does. A percent sign is doubled there. */
static void
moderators_line(struct session *s, const struct groups_walk *walk,
    const struct space *space, struct buffer *text)
{
	const char *at = space->mail;

	(void)walk;
	if (space->moderation != KITH__MODERATION__MODERATION_ALL ||
	    space->closed || at == NULL || at[0] == '\0')
		return;
	buffer_append_text(text, space->name);
	buffer_append_byte(text, ':');
	for (; *at != '\0'; at++) {
		if (*at == '%')
			buffer_append_byte(text, '%');
		buffer_append_byte(text, *at);
	}
	buffer_append_byte(text, '@');
	buffer_append_text(text,
	    community_config(session_community(s))->domain);
	buffer_append(text, "\r\n", 2);
}

static const struct groups_kind moderators_kind = { 215, moderators_line };

void
cmd_list_moderators(struct session *s, const struct nntp_args *args)
{
	groups_send(s, &moderators_kind, list_wildmat(args), 0);
}

static void
times_line(struct session *s, const struct groups_walk *walk,
    const struct space *space, struct buffer *text)
{
	(void)walk;
	buffer_append_text(text, space->name);
	buffer_append_byte(text, ' ');
	buffer_append_number(text, space->created);
	buffer_append_text(text, " news@");
	buffer_append_text(text,
	    community_config(session_community(s))->hostname);
	buffer_append(text, "\r\n", 2);
}

static const struct groups_kind times_kind = { 215, times_line };

void
cmd_list_active_times(struct session *s, const struct nntp_args *args)
{
	groups_send(s, &times_kind, list_wildmat(args), 0);
}

void
cmd_list_overview_fmt(struct session *s, const struct nntp_args *args)
{
	struct buffer *text = &s->loop->text;
	const char *line;

	(void)args;
	session_reply_text(s, 215, "order of fields in overview");
	buffer_clear(text);
	for (unsigned i = 0; i < OVERVIEW_FIELDS; i++) {
		line = overview_format_line((enum overview_field)i);
		buffer_printf(text, "%s\r\n", line);
	}
	session_write(s, text->bytes, text->len);
	session_end_block(s);
}

/* Every header field and both metadata items, in every form of HDR. */
void
cmd_list_headers(struct session *s, const struct nntp_args *args)
{
	static const char lines[] = ":\r\n:bytes\r\n:lines\r\n";
	char word[NNTP_KEYWORD_MAX];

	(void)nntp_args_word(args, 1, word);
	if (args->count > 1 && !span_is(span_of(word), "MSGID") &&
	    !span_is(span_of(word), "RANGE")) {
		session_error(s, 501);
		return;
	}
	session_reply_text(s, 215, "headers and metadata items supported");
	session_write(s, lines, sizeof lines - 1);
	session_end_block(s);
}
