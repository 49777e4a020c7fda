/* mail_report.h - what a report says: delivery status (RFC 3464), and the
 * judgement whether a bounce counts against its reader; a complaint (RFC 5965).
 */
#ifndef KITH_PROTOCOL_MAIL_REPORT_H
#define KITH_PROTOCOL_MAIL_REPORT_H

#include "protocol/buffer.h"

#define MAIL_REPORT_RECIPIENTS_MAX 100u

enum mail_bounce {
	MAIL_BOUNCE_NONE,    /* delivered, relayed, expanded, unknown: not counted */
	MAIL_BOUNCE_DELAYED, /* will be tried again: not counted */
	MAIL_BOUNCE_SOFT, /* about the message or for now (full, policy): not hard */
	MAIL_BOUNCE_HARD, /* the address does not work */
};

struct mail_report_recipient {
	char *final_recipient; /* address without its type; "" if absent */
	char *original_recipient;
	char *action; /* lower case */
	char *status; /* "5.1.1" */
	char *diagnostic; /* one line, at most 500 octets */
	enum mail_bounce bounce;
};

struct mail_report {
	struct mail_report_recipient *recipients;
	size_t count;
	bool truncated;
	char *envelope_id;	    /* Original-Envelope-Id */
	char *original_message_id; /* of the embedded message or headers; "" */
	char *feedback_type;	   /* "abuse", lower case; "": no complaint */
	char *original_mail_from;  /* what is complained about; "" */
};

/* Reads the body of a message/delivery-status part (decoded). May be called for
 * a zeroed report only. -ENOMEM. */
int mail_report_parse(struct span body, struct mail_report *report);
/* Reads the body of a message/feedback-report part (decoded) into a report that
 * was parsed. -ENOMEM. */
int mail_report_parse_feedback(struct span body, struct mail_report *report);
/* The address of an Original-Mail-From or Return-Path; "" if there is none.
 * Owned, NULL: no memory. */
char *mail_report_address(struct span value);
void mail_report_fini(struct mail_report *report);

/* Only `failed` counts, 5.x.x is hard save 5.7.x
 * (policy, spam) and 5.2.2 (full), 5.3.4 and 5.6.x (about the message), 4.x.x
 * soft. action may be empty (an SMTP reply): judged by status alone. */
enum mail_bounce mail_bounce_judge(struct span action, struct span status,
    struct span diagnostic);

#endif
