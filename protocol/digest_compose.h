/* digest_compose.h - an issue of a digest as one mail: multipart/digest (RFC 2046
 * 5.1.5) or plain (RFC 1153). Output is CRLF, not dot-stuffed.
 */
#ifndef KITH_PROTOCOL_DIGEST_COMPOSE_H
#define KITH_PROTOCOL_DIGEST_COMPOSE_H

#include <stdint.h>

#include "protocol/mail_compose.h"

enum digest_form {
	DIGEST_MIME,
	DIGEST_PLAIN,
};

struct digest_item {
	struct span raw; /* DIGEST_MIME: the message, CRLF, unstuffed */
	const char *subject; /* decoded UTF-8, as are all below; may be "" */
	const char *from; /* "Name <address>" to show */
	const char *to;	  /* DIGEST_PLAIN; may be NULL */
	int64_t date;
	const char *message_id; /* with brackets */
	struct span text;	/* DIGEST_PLAIN: text of the article, LF or CRLF */
};

struct digest_issue {
	const char *list_name; /* "help", as it stands in "help Digest" */
	uint32_t volume;       /* year, usually; 0: left out */
	uint32_t number;
	int64_t date;
	const char *from_name;
	const char *from;
	const char *to;
	const char *subject; /* NULL: "<list> Digest, Issue N" made here */
	const char *message_id;
	const struct mail_field *fields; /* List-*, Precedence, ... */
	size_t field_count;
	const char *intro; /* UTF-8 text under the title; may be NULL */
	const char *outro; /* how to leave, under the last item; may be NULL */
	const struct digest_item *items;
	size_t item_count;
};

/* A whole mail. -EINVAL: no items, or a bad address or id. */
int digest_compose(struct buffer *out, const struct digest_issue *issue,
    enum digest_form form);

#endif
