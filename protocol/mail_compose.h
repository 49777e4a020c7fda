/* mail_compose.h - kith's own mails: a header wholly ours and a text/plain UTF-8
 * body. Output is CRLF, not dot-stuffed.
 */
#ifndef KITH_PROTOCOL_MAIL_COMPOSE_H
#define KITH_PROTOCOL_MAIL_COMPOSE_H

#include <stdint.h>

#include "protocol/buffer.h"

enum mail_field_kind {
	MAIL_FIELD_RAW,	 /* value is ready, ASCII; only CR and LF are taken out */
	MAIL_FIELD_TEXT, /* unstructured UTF-8: encoded words, folded */
	MAIL_FIELD_IDS,	 /* "<a@b> <c@d>": folded between ids (References) */
};

struct mail_field {
	const char *name;
	const char *value; /* NULL: field left out */
	enum mail_field_kind kind;
};

/* Appends one field with its CRLF. A name with other than printable ASCII, or a
 * line that would exceed 998 octets, marks the buffer failed. */
void mail_field_write(struct buffer *out, const struct mail_field *field);
/* From, To, ...: name UTF-8 or empty. */
void mail_field_write_address(struct buffer *out, const char *field,
    const char *name, const char *address);
/* RFC 5322 Date in UTC. */
void mail_field_write_date(struct buffer *out, const char *field, int64_t time);

/* Appends MIME-Version, Content-Type and CTE for the text, the empty line and the
 * body. text: UTF-8 with LF or CRLF; invalid octets become U+FFFD. 8bit if
 * allowed and lines are short, else quoted-printable. */
void mail_body_write(struct buffer *out, struct span text, bool allow_8bit);

struct mail_notice {
	int64_t date;
	const char *from_name; /* may be NULL */
	const char *from;
	const char *to_name; /* may be NULL */
	const char *to;
	const char *subject;
	const char *message_id; /* with brackets */
	const char *auto_submitted; /* "auto-replied", "auto-generated"; NULL: none */
	const struct mail_field *fields; /* further ones */
	size_t field_count;
	struct span text;
};

/* A whole mail. -EINVAL (nothing appended) for a bad address or Message-ID. */
int mail_notice_compose(struct buffer *out, const struct mail_notice *notice);

#endif
