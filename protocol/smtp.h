/* smtp.h - the words of SMTP (RFC 5321) and LMTP (RFC 2033): command lines as a
 * server reads them, replies as a client reads them. Text only; who says what
 * when is in daemon/mail/.
 */
#ifndef KITH_PROTOCOL_SMTP_H
#define KITH_PROTOCOL_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/span.h"

/* Octets with CRLF: 512 for the command (RFC 5321 4.5.3.1.4) and 4096 for the
 * parameters that extensions add. */
#define SMTP_LINE_MAX (512u + 4096u)
/* Of local@domain. RFC 5321 4.5.3.1 wants 64 + 1 + 255; bounce addresses found
 * in the wild have longer local parts. */
#define SMTP_ADDRESS_MAX 512u

enum smtp_verb_id {
	SMTP_DATA,
	SMTP_EHLO,
	SMTP_HELO,
	SMTP_HELP,
	SMTP_LHLO,
	SMTP_MAIL,
	SMTP_NOOP,
	SMTP_QUIT,
	SMTP_RCPT,
	SMTP_RSET,
	SMTP_STARTTLS,
	SMTP_VRFY,
	SMTP_VERBS, /* how many there are */
};

enum smtp_verb_flag {
	SMTP_IN_LMTP = 1,
	SMTP_IN_SMTP = 2,
	SMTP_IN_BOTH = SMTP_IN_LMTP | SMTP_IN_SMTP,
	SMTP_NEEDS_HELLO = 4,  /* 503 before HELO, EHLO or LHLO */
	SMTP_NEEDS_MAIL = 8,   /* 503 without a MAIL that was accepted */
	SMTP_NO_ARGUMENT = 16, /* 501 with one */
	SMTP_NEEDS_TLS = 32,   /* 502 unless the listener can do TLS */
};

struct smtp_verb {
	const char *name;
	enum smtp_verb_id id;
	unsigned flags; /* enum smtp_verb_flag */
	const char *usage;
};

/* The table of commands, sorted by name; smtp_verb_at(SMTP_VERBS) is NULL. */
const struct smtp_verb *smtp_verb_at(unsigned i);
/* The verb that begins the line (any case, without its line end), and what is
 * behind it, trimmed. NULL: there is none such. */
const struct smtp_verb *smtp_verb_find(struct span line, struct span *args_r);

/* Is it a name or an address literal that HELO may carry? Lenient: no blanks
 * and no controls, 1 to 255 octets. */
bool smtp_is_hello_name(struct span name);

enum smtp_path_error {
	SMTP_PATH_OK = 0,
	SMTP_PATH_SYNTAX,   /* 501 5.1.3 (RCPT), 5.1.7 (MAIL) */
	SMTP_PATH_TOO_LONG, /* 501 likewise */
};

struct smtp_path {
	/* local@domain as written; quotes dropped from a local part that needs
	 * none; no domain for <postmaster>; "" for <> */
	char address[SMTP_ADDRESS_MAX + 1];
	size_t len;
	bool has_domain;
	bool eight_bit; /* needs SMTPUTF8 (RFC 6531); valid UTF-8 then */
};

/* "FROM:" or "TO:" (keyword) and a path in <> at the start of args; a source
 * route is read and ignored (RFC 5321 F.2). *rest_r: the parameters behind. */
enum smtp_path_error smtp_path_parse(struct span args, const char *keyword,
    struct smtp_path *path_r, struct span *rest_r);

struct smtp_mail_params {
	uint64_t size;  /* SIZE= (RFC 1870); 0: not said */
	bool eight_bit; /* BODY=8BITMIME (RFC 6152) */
	bool utf8;      /* SMTPUTF8 (RFC 6531) */
};

enum smtp_params_error {
	SMTP_PARAMS_OK = 0,
	SMTP_PARAMS_SYNTAX,  /* 501 5.5.4 */
	SMTP_PARAMS_UNKNOWN, /* 555 5.5.4 */
};

/* Parameters of MAIL. */
enum smtp_params_error smtp_mail_params_parse(struct span params,
    struct smtp_mail_params *params_r);
/* RCPT takes none: any well-formed one is SMTP_PARAMS_UNKNOWN. */
enum smtp_params_error smtp_rcpt_params_parse(struct span params);

#define SMTP_REPLY_TEXT_MAX  1024u
#define SMTP_REPLY_LINES_MAX 128u
#define SMTP_REPLY_LINE_MAX  2048u /* longer: -EPROTO */

/* A reply as it comes together, line by line (RFC 5321 4.2.1). */
struct smtp_reply {
	unsigned code;      /* 200 to 599 once the first line was read */
	unsigned status[3]; /* enhanced (RFC 2034), 0.0.0 if there is none */
	/* lines without code, '\n' between them; what is beyond is cut; control
	 * octets are blanks */
	char text[SMTP_REPLY_TEXT_MAX + 1];
	size_t text_len;
	unsigned lines;
};

void smtp_reply_init(struct smtp_reply *reply);
/* Takes the next line out of input (which may hold more than one reply).
 * *used_r: octets to drop, 0 if no whole line is there. 1: the reply is
 * complete; 0: more is needed; -EPROTO: not a reply, or without measure. */
int smtp_reply_read(struct smtp_reply *reply, struct span input,
    size_t *used_r);
/* Does a line of an EHLO reply's text name this extension? *args_r (may be
 * NULL): what is behind the keyword. Line 0 is the greeting. */
bool smtp_reply_offers(const struct smtp_reply *reply, const char *keyword,
    struct span *args_r);
/* "D.D.D" at the start of text, of the class of code: status_r, and how many
 * octets it takes with its blank; 0 if there is none. */
size_t smtp_status_parse(struct span text, unsigned code, unsigned status_r[3]);

#endif
