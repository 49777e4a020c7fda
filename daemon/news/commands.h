/* commands.h - the one table of commands: it dispatches, and CAPABILITIES and
 * HELP are made from it. Private to daemon/news.
 */
#ifndef KITH_NEWS_COMMANDS_H
#define KITH_NEWS_COMMANDS_H

#include "daemon/news/session.h"

enum command_flag {
	COMMAND_NEEDS_GROUP = 1, /* 412 without one */
	COMMAND_NO_LOGIN = 2,    /* not after AUTHINFO or COMPRESS (502) */
	COMMAND_TLS = 4,         /* only where TLS can be had, and not yet is */
	COMMAND_POSTS = 8,       /* offered to who may post */
	COMMAND_PEERS = 16,      /* offered to peers */
	COMMAND_FREE_TEXT = 32,  /* the last argument may hold blanks */
	COMMAND_FEEDS = 64,      /* may overtake the door (feed.h) */
	COMMAND_ARTICLE = 128,   /* an article follows, whatever the answer */
	COMMAND_PACKS = 512,     /* offered before COMPRESS only */
	COMMAND_PLAIN = 1024,    /* also where TLS is required (483) */
	COMMAND_LONG = 256,      /* its line may be long (SESSION_LINE_MAX) */
};

struct command {
	const char *keyword; /* upper case */
	const char *variant; /* second keyword, or NULL: none or the default */
	void (*handler)(struct session *s, const struct nntp_args *args);
	/* arguments after the keyword and the variant */
	unsigned char args_min, args_max;
	unsigned flags;
	const char *capability; /* label (RFC 3977 3.3), or NULL */
	const char *argument;   /* of the capability, or NULL */
	const char *usage;      /* arguments, for HELP */
};

extern const struct command command_table[];
extern const size_t command_count;

/* Finds the row for a parsed line. 0; 500: no such command; 501: no such
 * variant, or a wrong number of arguments. For a row with a variant *first_r is
 * the index of the first argument after it. */
int command_find(const struct nntp_args *args,
    const struct command **command_r);
/* A line cut into words, once for all who ask about it. */
struct command_words {
	enum nntp_args_check check;
	struct nntp_args args; /* what nntp_args_parse() made of it */
};
/* Carries out one line. */
void command_run(struct session *s, const struct line *line,
    const struct command_words *words);
/* Does the beginning of a line name a command that an article follows? */
bool command_brings_article(struct span text);
/* Is it a command that may be carried out while the answers to others are owed
 * (feed.h)? */
bool command_is_feeding(const struct command_words *words);
/* May a line of more than 512 octets be this command? */
bool command_may_be_long(struct span text);
/* What this session may use now. */
bool command_is_offered(struct session *s, const struct command *command);

/* Handlers get the arguments as they were typed: with a variant, its word is
 * args[0]. cmd_session.c */
void cmd_capabilities(struct session *s, const struct nntp_args *args);
void cmd_date(struct session *s, const struct nntp_args *args);
void cmd_help(struct session *s, const struct nntp_args *args);
void cmd_mode_reader(struct session *s, const struct nntp_args *args);
void cmd_quit(struct session *s, const struct nntp_args *args);
/* cmd_group.c */
void cmd_group(struct session *s, const struct nntp_args *args);
void cmd_last(struct session *s, const struct nntp_args *args);
void cmd_listgroup(struct session *s, const struct nntp_args *args);
void cmd_next(struct session *s, const struct nntp_args *args);
/* cmd_article.c */
void cmd_article(struct session *s, const struct nntp_args *args);
void cmd_body(struct session *s, const struct nntp_args *args);
void cmd_head(struct session *s, const struct nntp_args *args);
void cmd_stat(struct session *s, const struct nntp_args *args);
/* cmd_over.c */
void cmd_over(struct session *s, const struct nntp_args *args);
void cmd_xover(struct session *s, const struct nntp_args *args);
/* cmd_hdr.c */
void cmd_hdr(struct session *s, const struct nntp_args *args);
void cmd_xhdr(struct session *s, const struct nntp_args *args);
void cmd_xpat(struct session *s, const struct nntp_args *args);
/* cmd_list.c */
void cmd_list_active(struct session *s, const struct nntp_args *args);
void cmd_list_active_times(struct session *s, const struct nntp_args *args);
void cmd_list_counts(struct session *s, const struct nntp_args *args);
void cmd_list_headers(struct session *s, const struct nntp_args *args);
void cmd_list_moderators(struct session *s, const struct nntp_args *args);
void cmd_list_newsgroups(struct session *s, const struct nntp_args *args);
void cmd_list_overview_fmt(struct session *s, const struct nntp_args *args);
void cmd_xgtitle(struct session *s, const struct nntp_args *args);
/* cmd_list_text.c */
void cmd_list_distrib_pats(struct session *s, const struct nntp_args *args);
void cmd_list_distributions(struct session *s, const struct nntp_args *args);
void cmd_list_motd(struct session *s, const struct nntp_args *args);
void cmd_list_subscriptions(struct session *s, const struct nntp_args *args);
/* cmd_new.c */
void cmd_newgroups(struct session *s, const struct nntp_args *args);
void cmd_newnews(struct session *s, const struct nntp_args *args);
/* cmd_feed.c */
void cmd_check(struct session *s, const struct nntp_args *args);
void cmd_mode_stream(struct session *s, const struct nntp_args *args);
void cmd_takethis(struct session *s, const struct nntp_args *args);
/* cmd_post.c */
void cmd_ihave(struct session *s, const struct nntp_args *args);
void cmd_post(struct session *s, const struct nntp_args *args);
/* cmd_auth.c */
void cmd_authinfo_pass(struct session *s, const struct nntp_args *args);
void cmd_authinfo_user(struct session *s, const struct nntp_args *args);
void cmd_starttls(struct session *s, const struct nntp_args *args);
/* cmd_compress.c */
void cmd_compress(struct session *s, const struct nntp_args *args);
/* cmd_sasl.c */
void cmd_authinfo_sasl(struct session *s, const struct nntp_args *args);

#endif
