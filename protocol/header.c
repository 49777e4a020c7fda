/* header.c - the table of header fields, and helpers to write header lines.
 */
#include "protocol/header.h"

#include <strings.h>

#define HEADER_FOLD_AT  78u
#define HEADER_LINE_MAX 998u

#define S  HEADER_SINGLE
#define NP HEADER_NEEDED_POST
#define NN HEADER_NEEDED_NEWS
#define NF HEADER_NOT_FROM_POSTER
#define OV HEADER_OVERVIEW
#define HM HEADER_HIDDEN_OF_MAIL
#define HL HEADER_HIDDEN_IN_LIST

/* By length of name, then by name: an id is also the index of its row. */
/* clang-format off */
const struct header_info header_infos[HEADER_COUNT] = {
	{ "", HEADER_UNKNOWN, 0 },
	{ "Cc", HEADER_CC, S },
	{ "To", HEADER_TO, S },
	{ "Bcc", HEADER_BCC, S | HM | HL },
	{ "Date", HEADER_DATE, S | NN | OV },
	{ "From", HEADER_FROM, S | NP | NN | OV },
	{ "Path", HEADER_PATH, S | NN | HM | HL },
	{ "Xref", HEADER_XREF, S | NF | HM | HL },
	{ "Lines", HEADER_LINES, S },
	{ "Sender", HEADER_SENDER, S },
	{ "Archive", HEADER_ARCHIVE, S },
	{ "Control", HEADER_CONTROL, S | HM },
	{ "Expires", HEADER_EXPIRES, S },
	{ "List-Id", HEADER_LIST_ID, HL },
	{ "Subject", HEADER_SUBJECT, S | NP | NN | OV },
	{ "Summary", HEADER_SUMMARY, S },
	{ "Approved", HEADER_APPROVED, S | HM | HL },
	{ "Keywords", HEADER_KEYWORDS, S },
	{ "Received", HEADER_RECEIVED, 0 },
	{ "Reply-To", HEADER_REPLY_TO, S },
	{ "Kith-Loop", HEADER_KITH_LOOP, 0 },
	{ "List-Help", HEADER_LIST_HELP, HL },
	{ "List-Post", HEADER_LIST_POST, HL },
	{ "Cancel-Key", HEADER_CANCEL_KEY, S | HM },
	{ "List-Owner", HEADER_LIST_OWNER, HL },
	{ "Message-ID", HEADER_MESSAGE_ID, S | NN | OV },
	{ "Newsgroups", HEADER_NEWSGROUPS, S | NP | NN | HM },
	{ "Precedence", HEADER_PRECEDENCE, HL },
	{ "References", HEADER_REFERENCES, S | OV },
	{ "Supersedes", HEADER_SUPERSEDES, S | HM },
	{ "User-Agent", HEADER_USER_AGENT, S },
	{ "Archived-At", HEADER_ARCHIVED_AT, HL },
	{ "Cancel-Lock", HEADER_CANCEL_LOCK, S | HM },
	{ "Followup-To", HEADER_FOLLOWUP_TO, S },
	{ "In-Reply-To", HEADER_IN_REPLY_TO, S },
	{ "Return-Path", HEADER_RETURN_PATH, HM | HL },
	{ "Also-Control", HEADER_ALSO_CONTROL, S | NF | HM },
	{ "Content-Type", HEADER_CONTENT_TYPE, S },
	{ "Delivered-To", HEADER_DELIVERED_TO, HM | HL },
	{ "Distribution", HEADER_DISTRIBUTION, S | HM },
	{ "List-Archive", HEADER_LIST_ARCHIVE, HL },
	{ "MIME-Version", HEADER_MIME_VERSION, S },
	{ "Organization", HEADER_ORGANIZATION, S },
	{ "Thread-Index", HEADER_THREAD_INDEX, 0 },
	{ "Date-Received", HEADER_DATE_RECEIVED, NF | HM | HL },
	{ "Relay-Version", HEADER_RELAY_VERSION, NF | HM | HL },
	{ "Auto-Submitted", HEADER_AUTO_SUBMITTED, 0 },
	{ "DKIM-Signature", HEADER_DKIM_SIGNATURE, 0 },
	{ "Injection-Date", HEADER_INJECTION_DATE, S | HM | HL },
	{ "Injection-Info", HEADER_INJECTION_INFO, S | NF | HM | HL },
	{ "List-Subscribe", HEADER_LIST_SUBSCRIBE, HL },
	{ "Posting-Version", HEADER_POSTING_VERSION, NF | HM | HL },
	{ "List-Unsubscribe", HEADER_LIST_UNSUBSCRIBE, HL },
	{ "NNTP-Posting-Date", HEADER_NNTP_POSTING_DATE, NF | HM | HL },
	{ "NNTP-Posting-Host", HEADER_NNTP_POSTING_HOST, NF | HM | HL },
	{ "List-Unsubscribe-Post", HEADER_LIST_UNSUBSCRIBE_POST, HL },
	{ "X-Original-Message-ID", HEADER_X_ORIGINAL_MESSAGE_ID, 0 },
	{ "Authentication-Results", HEADER_AUTHENTICATION_RESULTS, 0 },
	{ "X-Auto-Response-Suppress", HEADER_X_AUTO_RESPONSE_SUPPRESS, 0 },
	{ "Content-Transfer-Encoding", HEADER_CONTENT_TRANSFER_ENCODING, S },
	{ "", HEADER_JUNK, 0 },
};
/* clang-format on */

/* Where the names of each length begin: length n is [n], up to [n + 1]. */
/* clang-format off */
static const unsigned char header_lengths[] = {
	1, 1, 1, 3, 4, 8, 9, 10, 16, 20, 23, 31, 36, 44,
	46, 51, 52, 53, 55, 55, 55, 55, 57, 58, 58, 59, 60,
};
/* clang-format on */

#define HEADER_LENGTHS (sizeof header_lengths / sizeof header_lengths[0])

static int
header_compare(struct span name, const char *known)
{
	/* mostly the first letter settles it; of known names it is one */
	int order = (name.bytes[0] | 0x20) - (known[0] | 0x20);

	return order != 0 ? order : strncasecmp(name.bytes, known, name.len);
}

const struct header_info *
header_find(struct span name)
{
	size_t low, high, middle;
	int order;

	if (name.len == 0 || name.len + 1 >= HEADER_LENGTHS)
		return NULL;
	low = header_lengths[name.len];
	high = header_lengths[name.len + 1];
	while (low < high) {
		middle = (low + high) / 2;
		order = header_compare(name, header_infos[middle].name);
		if (order == 0)
			return &header_infos[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool
header_name_is_valid(struct span name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.bytes[i] <= ' ' || name.bytes[i] >= 127 ||
		    name.bytes[i] == ':')
			return false;
	return name.len > 0;
}

bool
header_value_is_clean(struct span value)
{
	if (value.len == 0)
		return true;
	return memchr(value.bytes, '\r', value.len) == NULL &&
	    memchr(value.bytes, '\n', value.len) == NULL &&
	    memchr(value.bytes, '\0', value.len) == NULL;
}

static bool
header_is_break(char c)
{
	return c == '\r' || c == '\n' || c == '\0';
}

static bool
header_is_blank(char c)
{
	/* one comparison for most */
	return (unsigned char)c <= ' ' &&
	    (c == ' ' || c == '\t' || header_is_break(c));
}

/* A run of blanks; line breaks among them collapse to one space. */
static void
header_append_blanks(struct buffer *out, const char *at, size_t len)
{
	bool broken = false;

	for (size_t i = 0; i < len; i++) {
		if (header_is_break(at[i])) {
			if (!broken)
				buffer_append_byte(out, ' ');
			broken = true;
		} else {
			buffer_append_byte(out, at[i]);
		}
	}
}

/* A word; one that no line can hold is cut by folds. */
static size_t
header_append_word(struct buffer *out, struct span word, size_t line_len)
{
	size_t piece;

	while (line_len + word.len > HEADER_LINE_MAX) {
		piece = HEADER_LINE_MAX - line_len;
		buffer_append(out, word.bytes, piece);
		buffer_append_text(out, "\r\n ");
		word = span_make(word.bytes + piece, word.len - piece);
		line_len = 1;
	}
	buffer_append_span(out, word);
	return line_len + word.len;
}

void
header_append(struct buffer *out, const char *name, struct span value)
{
	size_t line_len = strlen(name) + 2, at = 0, from, blanks, before;
	bool first = true;

	buffer_append_text(out, name);
	buffer_append_text(out, ": ");
	for (; at < value.len; first = false) {
		from = at;
		while (at < value.len && header_is_blank(value.bytes[at]))
			at++;
		blanks = at - from;
		while (at < value.len && !header_is_blank(value.bytes[at]))
			at++;
		if (at == from + blanks)
			break;
		if (!first && line_len + (at - from) > HEADER_FOLD_AT) {
			buffer_append_text(out, "\r\n");
			line_len = 0;
		}
		before = out->len;
		if (!first)
			header_append_blanks(out, value.bytes + from, blanks);
		line_len = header_append_word(out,
		    span_make(value.bytes + from + blanks, at - from - blanks),
		    line_len + (out->len - before));
	}
	buffer_append_text(out, "\r\n");
}

size_t
header_skip_blank(struct span value, size_t at)
{
	size_t depth = 0;

	for (; at < value.len; at++) {
		char c = value.bytes[at];

		if (c == '\\' && depth > 0)
			at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (depth == 0 && !span_blank_at(value, at))
			break;
	}
	return at < value.len ? at : value.len;
}

void
header_unfold(struct buffer *out, struct span raw)
{
	const char *lf;

	raw = span_trim(raw);
	while (raw.len > 0) {
		lf = memchr(raw.bytes, '\n', raw.len);
		while (lf != NULL && (lf == raw.bytes || lf[-1] != '\r'))
			lf = memchr(lf + 1, '\n',
			    raw.len - (size_t)(lf + 1 - raw.bytes));
		if (lf == NULL) {
			buffer_append_span(out, raw);
			return;
		}
		buffer_append(out, raw.bytes, (size_t)(lf - 1 - raw.bytes));
		raw.len -= (size_t)(lf + 1 - raw.bytes);
		raw.bytes = lf + 1;
	}
}
