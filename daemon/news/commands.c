/* commands.c - see commands.h.
 */
#include "daemon/news/commands.h"

#include <string.h>

#include "daemon/log.h"
#include "daemon/news/post.h"

#define MID_OR_NUMBER "[<message-id>|number]"
#define MID_OR_RANGE  "[<message-id>|range]"

/* In order of keyword and variant (no variant first), as strcmp() has it. */
const struct command command_table[] = {
	{ "ARTICLE", NULL, cmd_article, 0, 1, 0, "READER", NULL,
	    MID_OR_NUMBER },
	{ "AUTHINFO", "PASS", cmd_authinfo_pass, 1, NNTP_ARGS_MAX,
	    COMMAND_NO_LOGIN | COMMAND_FREE_TEXT, NULL, NULL, "password" },
	{ "AUTHINFO", "SASL", cmd_authinfo_sasl, 1, 2,
	    COMMAND_NO_LOGIN | COMMAND_LONG, "AUTHINFO", "SASL",
	    "mechanism [initial-response]" },
	{ "AUTHINFO", "USER", cmd_authinfo_user, 1, 1, COMMAND_NO_LOGIN,
	    "AUTHINFO", "USER", "login" },
	{ "BODY", NULL, cmd_body, 0, 1, 0, "READER", NULL, MID_OR_NUMBER },
	{ "CAPABILITIES", NULL, cmd_capabilities, 0, 1, COMMAND_PLAIN, NULL,
	    NULL, "[keyword]" },
	{ "CHECK", NULL, cmd_check, 1, 1, COMMAND_PEERS | COMMAND_FEEDS,
	    "STREAMING", NULL, "<message-id>" },
	{ "COMPRESS", NULL, cmd_compress, 1, 1, COMMAND_PACKS, "COMPRESS",
	    "DEFLATE", "DEFLATE" },
	{ "DATE", NULL, cmd_date, 0, 0, 0, "READER", NULL, "" },
	{ "GROUP", NULL, cmd_group, 1, 1, 0, "READER", NULL, "newsgroup" },
	{ "HDR", NULL, cmd_hdr, 1, 2, 0, "HDR", NULL, "field " MID_OR_RANGE },
	{ "HEAD", NULL, cmd_head, 0, 1, 0, "READER", NULL, MID_OR_NUMBER },
	{ "HELP", NULL, cmd_help, 0, 0, COMMAND_PLAIN, NULL, NULL, "" },
	{ "IHAVE", NULL, cmd_ihave, 1, 1, COMMAND_PEERS, "IHAVE", NULL,
	    "<message-id>" },
	{ "LAST", NULL, cmd_last, 0, 0, COMMAND_NEEDS_GROUP, "READER", NULL,
	    "" },
	{ "LIST", NULL, cmd_list_active, 0, 0, 0, "LIST", NULL, "" },
	{ "LIST", "ACTIVE", cmd_list_active, 0, 1, 0, "LIST", "ACTIVE",
	    "[wildmat]" },
	{ "LIST", "ACTIVE.TIMES", cmd_list_active_times, 0, 1, 0, "LIST",
	    "ACTIVE.TIMES", "[wildmat]" },
	{ "LIST", "COUNTS", cmd_list_counts, 0, 1, 0, "LIST", "COUNTS",
	    "[wildmat]" },
	{ "LIST", "DISTRIB.PATS", cmd_list_distrib_pats, 0, 0, 0, "LIST",
	    "DISTRIB.PATS", "" },
	{ "LIST", "DISTRIBUTIONS", cmd_list_distributions, 0, 0, 0, "LIST",
	    "DISTRIBUTIONS", "" },
	{ "LIST", "HEADERS", cmd_list_headers, 0, 1, 0, "LIST", "HEADERS",
	    "[MSGID|RANGE]" },
	{ "LIST", "MODERATORS", cmd_list_moderators, 0, 0, 0, "LIST",
	    "MODERATORS", "" },
	{ "LIST", "MOTD", cmd_list_motd, 0, 0, 0, "LIST", "MOTD", "" },
	{ "LIST", "NEWSGROUPS", cmd_list_newsgroups, 0, 1, 0, "LIST",
	    "NEWSGROUPS", "[wildmat]" },
	{ "LIST", "OVERVIEW.FMT", cmd_list_overview_fmt, 0, 0, 0, "LIST",
	    "OVERVIEW.FMT", "" },
	{ "LIST", "SUBSCRIPTIONS", cmd_list_subscriptions, 0, 1, 0, "LIST",
	    "SUBSCRIPTIONS", "[wildmat]" },
	{ "LISTGROUP", NULL, cmd_listgroup, 0, 2, 0, "READER", NULL,
	    "[newsgroup [range]]" },
	{ "MODE", "READER", cmd_mode_reader, 0, 0, COMMAND_PLAIN, NULL, NULL,
	    "" },
	{ "MODE", "STREAM", cmd_mode_stream, 0, 0, COMMAND_PEERS, "STREAMING",
	    NULL, "" },
	{ "NEWGROUPS", NULL, cmd_newgroups, 2, 3, 0, "READER", NULL,
	    "[yy]yymmdd hhmmss [GMT]" },
	{ "NEWNEWS", NULL, cmd_newnews, 3, 4, 0, "NEWNEWS", NULL,
	    "wildmat [yy]yymmdd hhmmss [GMT]" },
	{ "NEXT", NULL, cmd_next, 0, 0, COMMAND_NEEDS_GROUP, "READER", NULL,
	    "" },
	{ "OVER", NULL, cmd_over, 0, 1, 0, "OVER", "MSGID", MID_OR_RANGE },
	{ "POST", NULL, cmd_post, 0, 0, COMMAND_POSTS, "POST", NULL, "" },
	{ "QUIT", NULL, cmd_quit, 0, 0, COMMAND_PLAIN, NULL, NULL, "" },
	{ "STARTTLS", NULL, cmd_starttls, 0, 0, COMMAND_TLS | COMMAND_PLAIN,
	    "STARTTLS", NULL, "" },
	{ "STAT", NULL, cmd_stat, 0, 1, 0, "READER", NULL, MID_OR_NUMBER },
	{ "TAKETHIS", NULL, cmd_takethis, 1, 1,
	    COMMAND_PEERS | COMMAND_FEEDS | COMMAND_ARTICLE, "STREAMING", NULL,
	    "<message-id>" },
	{ "XGTITLE", NULL, cmd_xgtitle, 0, 1, 0, NULL, NULL, "[wildmat]" },
	{ "XHDR", NULL, cmd_xhdr, 1, 2, 0, NULL, NULL, "field " MID_OR_RANGE },
	{ "XOVER", NULL, cmd_xover, 0, 1, 0, NULL, NULL, "[range]" },
	{ "XPAT", NULL, cmd_xpat, 3, NNTP_ARGS_MAX, COMMAND_FREE_TEXT, NULL,
	    NULL, "field <message-id>|range pattern ..." },
};
const size_t command_count = sizeof command_table / sizeof command_table[0];

/* The first row of a keyword, or command_count. */
static size_t
command_first(const char *keyword)
{
	size_t low = 0, high = command_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(command_table[middle].keyword, keyword) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < command_count &&
	    strcmp(command_table[low].keyword, keyword) == 0)
		return low;
	return command_count;
}

static bool
command_is_variant(const struct command *command, const char *word)
{
	return command->variant == NULL ? word[0] == '\0'
					: strcmp(command->variant, word) == 0;
}

int
command_find(const struct nntp_args *args, const struct command **command_r)
{
	size_t first = command_first(args->keyword), skip, last = first;
	const struct command *command = NULL;
	char word[NNTP_KEYWORD_MAX];

	if (first == command_count)
		return 500;
	while (last + 1 < command_count &&
	    strcmp(command_table[last + 1].keyword, args->keyword) == 0)
		last++;
	if (first == last && command_table[first].variant == NULL) {
		command = &command_table[first];
	} else {
		(void)nntp_args_word(args, 0, word);
		for (size_t i = first; i <= last && command == NULL; i++)
			if (command_is_variant(&command_table[i], word))
				command = &command_table[i];
		if (command == NULL)
			return 501;
	}
	skip = command->variant == NULL ? 0 : 1;
	if ((command->flags & COMMAND_FREE_TEXT) != 0
		? args->count < skip + command->args_min
		: !nntp_args_fit(args, skip + command->args_min,
		      skip + command->args_max))
		return 501;
	*command_r = command;
	return 0;
}

bool
command_is_offered(struct session *s, const struct command *command)
{
	enum rights_post posting;

	if ((command->flags & COMMAND_PLAIN) == 0 && session_must_have_tls(s))
		return false;
	if ((command->flags & COMMAND_NO_LOGIN) != 0 && !session_may_log_in(s))
		return false;
	if ((command->flags & COMMAND_TLS) != 0)
		return session_offers_tls(s) && session_may_log_in(s) &&
		    !stream_is_tls(s->stream);
	if ((command->flags & COMMAND_PACKS) != 0)
		return !stream_is_deflated(s->stream);
	if ((command->flags & COMMAND_PEERS) != 0)
		return s->feeds;
	if ((command->flags & COMMAND_POSTS) != 0) {
		posting = session_posting(s);
		return posting == POST_ALLOWED || posting == POST_MODERATED ||
		    posting == POST_LOGIN;
	}
	return true;
}

bool
command_brings_article(struct span text)
{
	struct span word = text;
	struct nntp_args args;
	size_t row, len = 0;

	while (len < text.len && !span_blank_at(text, len))
		len++;
	word.len = len;
	if (nntp_args_parse(word, &args) != NNTP_ARGS_OK)
		return false;
	row = command_first(args.keyword);
	return row < command_count &&
	    (command_table[row].flags & COMMAND_ARTICLE) != 0;
}

bool
command_is_feeding(const struct command_words *words)
{
	const struct command *command = NULL;

	/* a malformed one waits: its answer is made at once */
	return words->check == NNTP_ARGS_OK &&
	    command_find(&words->args, &command) == 0 &&
	    (command->flags & COMMAND_FEEDS) != 0;
}

bool
command_may_be_long(struct span text)
{
	const struct command *command;
	struct nntp_args args;

	return nntp_args_parse(text, &args) == NNTP_ARGS_OK &&
	    command_find(&args, &command) == 0 &&
	    (command->flags & COMMAND_LONG) != 0;
}

/* 501 to what is known by its keyword; what comes behind it is no command. */
static void
command_malformed(struct session *s, const char *keyword)
{
	size_t row = command_first(keyword);

	if (row == command_count)
		session_error(s, 500);
	else if ((command_table[row].flags & COMMAND_ARTICLE) != 0)
		post_skip(s, 501, "");
	else
		session_error(s, 501);
}

static void
command_trace(const struct session *s, const char *keyword)
{
	log_debug("session=%llu command=%s", (unsigned long long)s->id,
	    keyword[0] == '\0' ? "?" : keyword);
}

void
command_run(struct session *s, const struct line *line,
    const struct command_words *words)
{
	const struct nntp_args *args = &words->args;
	const struct command *command = NULL;
	int code;

	if (line->has_nul || line->has_bare) {
		if (command_brings_article(line->text))
			post_skip(s, 501, "");
		else
			session_error(s, 501);
		return;
	}
	switch (words->check) {
	case NNTP_ARGS_OK:
		break;
	case NNTP_ARGS_SYNTAX:
		/* of an unknown command it is not the syntax that is wrong */
		command_malformed(s, args->keyword);
		return;
	case NNTP_ARGS_EMPTY:
	case NNTP_ARGS_UNKNOWN:
	default:
		session_error(s, 500);
		return;
	}
	command_trace(s, args->keyword);
	code = command_find(args, &command);
	if (code != 0) {
		if (code == 501)
			command_malformed(s, args->keyword);
		else
			session_error(s, code);
		return;
	}
	if (args->has_long && (command->flags & COMMAND_LONG) == 0) {
		command_malformed(s, args->keyword);
		return;
	}
	if ((command->flags & COMMAND_PLAIN) == 0 &&
	    session_must_have_tls(s)) {
		if ((command->flags & COMMAND_ARTICLE) != 0)
			post_skip(s, 483, "");
		else
			session_reply(s, 483);
		return;
	}
	if ((command->flags & COMMAND_NO_LOGIN) != 0 &&
	    !session_may_log_in(s)) {
		session_reply(s, 502);
		return;
	}
	if ((command->flags & COMMAND_NEEDS_GROUP) != 0 &&
	    session_group(s) == NULL) {
		session_reply(s, 412);
		return;
	}
	s->errors = 0;
	command->handler(s, args);
}
