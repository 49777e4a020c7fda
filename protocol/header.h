/* header.h - the one table of header fields that kith knows, and helpers to
 * write header lines.
 */
#ifndef KITH_PROTOCOL_HEADER_H
#define KITH_PROTOCOL_HEADER_H

#include "protocol/buffer.h"

/* In the order of the table: by length of name, then by name. */
enum header_id {
	HEADER_UNKNOWN = 0,
	HEADER_CC,
	HEADER_TO,
	HEADER_BCC,
	HEADER_DATE,
	HEADER_FROM,
	HEADER_PATH,
	HEADER_XREF,
	HEADER_LINES,
	HEADER_SENDER,
	HEADER_ARCHIVE,
	HEADER_CONTROL,
	HEADER_EXPIRES,
	HEADER_LIST_ID,
	HEADER_SUBJECT,
	HEADER_SUMMARY,
	HEADER_APPROVED,
	HEADER_KEYWORDS,
	HEADER_RECEIVED,
	HEADER_REPLY_TO,
	HEADER_KITH_LOOP,
	HEADER_LIST_HELP,
	HEADER_LIST_POST,
	HEADER_CANCEL_KEY,
	HEADER_LIST_OWNER,
	HEADER_MESSAGE_ID,
	HEADER_NEWSGROUPS,
	HEADER_PRECEDENCE,
	HEADER_REFERENCES,
	HEADER_SUPERSEDES,
	HEADER_USER_AGENT,
	HEADER_ARCHIVED_AT,
	HEADER_CANCEL_LOCK,
	HEADER_FOLLOWUP_TO,
	HEADER_IN_REPLY_TO,
	HEADER_RETURN_PATH,
	HEADER_ALSO_CONTROL,
	HEADER_CONTENT_TYPE,
	HEADER_DELIVERED_TO,
	HEADER_DISTRIBUTION,
	HEADER_LIST_ARCHIVE,
	HEADER_MIME_VERSION,
	HEADER_ORGANIZATION,
	HEADER_THREAD_INDEX,
	HEADER_DATE_RECEIVED,
	HEADER_RELAY_VERSION,
	HEADER_AUTO_SUBMITTED,
	HEADER_DKIM_SIGNATURE,
	HEADER_INJECTION_DATE,
	HEADER_INJECTION_INFO,
	HEADER_LIST_SUBSCRIBE,
	HEADER_POSTING_VERSION,
	HEADER_LIST_UNSUBSCRIBE,
	HEADER_NNTP_POSTING_DATE,
	HEADER_NNTP_POSTING_HOST,
	HEADER_LIST_UNSUBSCRIBE_POST,
	HEADER_X_ORIGINAL_MESSAGE_ID,
	HEADER_AUTHENTICATION_RESULTS,
	HEADER_X_AUTO_RESPONSE_SUPPRESS,
	HEADER_CONTENT_TRANSFER_ENCODING,
	HEADER_JUNK, /* not in the table: a line that is no header field */
	HEADER_COUNT,
};

enum header_flag {
	HEADER_SINGLE = 1, /* at most once in an article (RFC 5536 3) */
	HEADER_NEEDED_POST =
	    2, /* a proto-article must have it (RFC 5537 3.4.1) */
	HEADER_NEEDED_NEWS = 4,     /* an article must have it (RFC 5536 3.1) */
	HEADER_NOT_FROM_POSTER = 8, /* refused in a POST */
	HEADER_OVERVIEW = 16,
	/* Of a mail: hidden from news and never obeyed. Authentication-Results is
	 * not among them: only those with our authserv-id are. */
	HEADER_HIDDEN_OF_MAIL = 32,
	/* Hidden in list copies: kith says it itself, or it is a trace of news. */
	HEADER_HIDDEN_IN_LIST = 64,
};

struct header_info {
	const char *name; /* as it is usually written */
	enum header_id id;
	unsigned flags;
};

/* NULL if unknown. Case-insensitive. */
const struct header_info *header_find(struct span name);
/* Never NULL; name "" for HEADER_UNKNOWN and HEADER_JUNK. */
extern const struct header_info header_infos[HEADER_COUNT];
static inline const struct header_info *
header_info(enum header_id id)
{
	return &header_infos[id < HEADER_COUNT ? id : HEADER_UNKNOWN];
}

/* Syntax of a field name (RFC 5536 2.2): printable, no colon, not empty. */
bool header_name_is_valid(struct span name);
/* No CR, LF or NUL: may be written into a header line. */
bool header_value_is_clean(struct span value);
/* Appends "Name: value" CRLF, folded at blanks so that lines have at most 78
 * octets where possible and at most 998 always (a longer word is cut by a fold).
 * Runs of CR, LF, NUL in the value become one space: nothing that comes in as
 * a value can begin a header of its own. */
void header_append(struct buffer *out, const char *name, struct span value);
/* Where blanks and comments (RFC 5322 3.2.2) end that begin at `at` of a
 * structured value. */
size_t header_skip_blank(struct span value, size_t at);
/* Appends a raw field value with its folding undone: each CRLF removed
 * (RFC 5322 2.2.3), blanks at both ends dropped. */
void header_unfold(struct buffer *out, struct span raw);

#endif
