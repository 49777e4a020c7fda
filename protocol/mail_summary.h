/* mail_summary.h - what a mail means, flat: the parse worker builds it from
 * hostile bytes, core receives it beside the raw ones.
 *
 * All strings are owned, NUL-terminated, valid UTF-8, never NULL after a
 * successful build or decode ("" if absent).
 */
#ifndef KITH_PROTOCOL_MAIL_SUMMARY_H
#define KITH_PROTOCOL_MAIL_SUMMARY_H

#include <stdint.h>

#include "protocol/address.h"
#include "protocol/mail_auth.h"
#include "protocol/mail_report.h"

#define MAIL_ADDRESSES_MAX  100u /* To and Cc each; From: 20 */
#define MAIL_REFERENCES_MAX 100u /* the newest are kept */
#define MAIL_PARTS_MAX	    1000u
#define MAIL_TEXT_DEFAULT   262144u /* octets of text and of own text */
#define MAIL_SUBJECT_MAX    1000u   /* octets */

/* What sort of mail it is, by its header and envelope; from the second on kith
 * never answers. */
enum mail_class {
	MAIL_CLASS_HUMAN,
	MAIL_CLASS_NO_ACK,  /* list, bulk, no-reply: accepted, never answered */
	MAIL_CLASS_AUTO,    /* automatic: stored folded, never answered */
	MAIL_CLASS_DSN,	    /* delivery status: see report */
	MAIL_CLASS_BOUNCE,  /* null sender or mailer-daemon, without a report */
	MAIL_CLASS_MDN,	    /* read receipt */
	MAIL_CLASS_ARF,	    /* abuse complaint (RFC 5965) */
	MAIL_CLASS_LOOP,    /* carries our own mark, or too many Received */
	MAIL_CLASS_LAST = MAIL_CLASS_LOOP,
};

struct mail_part {
	char *type;	/* "text/plain", lower case */
	char *charset;	/* as written; "" */
	char *filename; /* base name, no path, no control; "" */
	uint8_t encoding; /* enum mime_encoding */
	bool attachment;
	uint32_t offset; /* of the encoded body in the message */
	uint32_t len;
	uint32_t depth;
};

struct mail_ids {
	char **items; /* "<left@right>" with brackets */
	size_t count;
};

struct mail_summary {
	struct address_list from; /* count != 1: no identity */
	struct address_list sender;
	struct address_list reply_to;
	struct address_list to;
	struct address_list cc;
	char *subject;	  /* decoded; "" */
	char *message_id; /* "<...>"; "" if missing or malformed */
	struct mail_ids in_reply_to;
	struct mail_ids references; /* oldest first */
	int64_t date;		    /* seconds; 0: missing or unreadable */

	char *list_id; /* within the brackets, lower case */
	char *precedence;
	char *auto_submitted;
	char *kith_loop;    /* value of the first Kith-Loop */
	char *content_type; /* of the whole, lower case, without parameters */
	char *thread_index; /* base64 as sent, at most 100 octets */
	uint32_t received_count;
	bool list_mail; /* any List-* field */
	bool own_mark;	/* Kith-Loop or List-Id of our domain or hostname */
	bool encrypted; /* PGP/MIME, S/MIME enveloped, inline PGP message */
	bool is_signed; /* multipart/signed, S/MIME signed, inline PGP signed */
	bool calendar;	/* a text/calendar part is there */
	bool several_from; /* more than one mailbox or more than one From field */
	bool stripper_empty; /* nothing but quote was found: own_text = text */
	bool text_truncated;
	bool text_from_html;
	bool has_attachments;

	struct mail_part *parts; /* leaves, in order */
	size_t part_count;
	bool parts_truncated;

	char *text;	/* the useful body text, LF line ends */
	char *own_text; /* without quote, attribution and signature */

	enum mail_class class;
	char *class_reason; /* "auto-submitted", "precedence", ...; "" */
	bool subject_hint;  /* the subject reads like an auto-reply's */

	struct mail_auth auth;
	struct mail_report report; /* class DSN (and its like) */
};

struct mail_summary_options {
	const char *envelope_from; /* "" is <>; NULL: not known (import, news) */
	const char *authserv_id;   /* "" or NULL: Authentication-Results not read */
	const char *domain;	   /* ours, of the spaces; NULL: no loop check */
	const char *hostname;	   /* ours, as in Message-IDs; NULL: none */
	uint32_t received_max;	   /* 0: 50 */
	size_t text_max;	   /* 0: MAIL_TEXT_DEFAULT */
};

/* bytes: unstuffed, CRLF. Clears *summary first. -EBADMSG: nested too deep to be
 * looked at. -EFBIG above 2 GB. On error *summary is empty. */
int mail_summary_build(const char *bytes, size_t len,
    const struct mail_summary_options *options, struct mail_summary *summary);
void mail_summary_fini(struct mail_summary *summary); /* accepts zeroed */

/* Flat form for IPC. Check the buffer for failure. */
void mail_summary_encode(
    struct buffer *out, const struct mail_summary *summary);
/* Trusts nothing: -EBADMSG, and *summary is empty. Rejects trailing bytes. */
int mail_summary_decode(
    const char *bytes, size_t len, struct mail_summary *summary);

#endif
