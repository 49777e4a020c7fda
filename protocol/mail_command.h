/* mail_command.h - what a mail asks for: the command in its first line, and the
 * suffix of the address it was sent to.
 */
#ifndef KITH_PROTOCOL_MAIL_COMMAND_H
#define KITH_PROTOCOL_MAIL_COMMAND_H

#include "protocol/buffer.h"

enum mail_command_verb {
	MAIL_COMMAND_NONE,
	MAIL_COMMAND_APPROVE,
	MAIL_COMMAND_REJECT,
	MAIL_COMMAND_YES,
	MAIL_COMMAND_NO,
	MAIL_COMMAND_CONFIRM,
	MAIL_COMMAND_SUBSCRIBE,
	MAIL_COMMAND_UNSUBSCRIBE,
	MAIL_COMMAND_HELP,
};

enum mail_command_mode {
	MAIL_MODE_EACH,
	MAIL_MODE_DIGEST,
	MAIL_MODE_PLAIN,
	MAIL_MODE_NOMAIL,
};

struct mail_command {
	enum mail_command_verb verb;
	enum mail_command_mode mode; /* subscribe */
	bool mode_given;
	struct span argument; /* rest of the line, trimmed: reject's reason */
};

/* Looks at the first line of own text that is not empty; punctuation after the
 * word is ignored, case too. Only a line that is wholly a command counts (a word
 * table says which take an argument). Quoted lines are never read: give own
 * text. NONE if it is no command. Spans borrow from text. */
struct mail_command mail_command_parse(struct span own_text);
/* One line for the help text, by index from 0; NULL past the end. */
const char *mail_command_usage(size_t index);

enum mail_suffix {
	MAIL_SUFFIX_NONE, /* the space itself */
	MAIL_SUFFIX_SUBSCRIBE,
	MAIL_SUFFIX_UNSUBSCRIBE,
	MAIL_SUFFIX_HELP,
	MAIL_SUFFIX_OWNER,
	MAIL_SUFFIX_REQUEST,
	MAIL_SUFFIX_CONFIRM, /* +confirm, without a token */
	MAIL_SUFFIX_TOKEN,   /* +x.TOKEN */
};

struct mail_recipient {
	struct span base; /* local part of the space */
	enum mail_suffix suffix;
	enum mail_command_mode mode; /* +subscribe-digest and its like */
	char kind;	    /* TOKEN: the letter, lower case */
	struct span token; /* TOKEN: as written */
};

/* Does a space (or another mailbox of ours) have this local part? Compare
 * without case. */
typedef bool mail_local_exists_fn(void *context, struct span local);

/* Splits a local part; the longest existing base wins, so a space whose name
 * holds a '-' is found. false: no such local part (550 at RCPT). Spans borrow
 * from local. */
bool mail_recipient_parse(struct span local, mail_local_exists_fn *exists,
    void *context, struct mail_recipient *recipient_r);
/* Does this --mail local part stay clear of the suffixes: 1 to 24 octets
 * [a-z0-9._-], no '+', no '-' before a reserved word or a token? */
bool mail_local_is_usable(struct span local);

#endif
