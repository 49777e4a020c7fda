/* article.h - scans the header of an article or mail in wire form.
 *
 * One pass; nothing is copied: spans are borrowed from the scanned bytes. A
 * line ends at CRLF only; a bare CR or LF never starts a field. Lenient for
 * mail, strict for news (RFC 5536). Not MIME: bodies are not looked at.
 */
#ifndef KITH_PROTOCOL_ARTICLE_H
#define KITH_PROTOCOL_ARTICLE_H

#include <stdint.h>

#include "protocol/header.h"

#define ARTICLE_FIELDS_MAX 1000u /* default limits */
#define ARTICLE_HEADER_MAX 65536u
#define ARTICLE_REFERENCES_MAX 1000u /* ids, in what is strict */

enum article_mode {
	/* Mail: takes obsolete forms (no space after the colon, blanks before it,
	 * empty values), a first line "From " or ">From ", lines that are no field
	 * (HEADER_JUNK), no body, no header at all. Only the limits refuse. */
	ARTICLE_MAIL,
	ARTICLE_POST, /* a proto-article (RFC 5537 3.4.1): Date, id, Path may miss */
	ARTICLE_PEER, /* an article from a peer: all of RFC 5536 3.1 */
};

enum article_fault {
	ARTICLE_FINE = 0,
	ARTICLE_EMPTY,
	ARTICLE_HEADER_TOO_LARGE,
	ARTICLE_TOO_MANY_FIELDS,
	ARTICLE_HAS_NUL,
	ARTICLE_HAS_BARE,      /* CR or LF alone in the header */
	ARTICLE_LINE_TOO_LONG, /* 998 octets */
	ARTICLE_NO_COLON,
	ARTICLE_BAD_NAME,
	ARTICLE_NO_SPACE, /* after the colon */
	ARTICLE_BLANK_VALUE,
	ARTICLE_BLANK_LINE,   /* a continuation of blanks alone */
	ARTICLE_FOLDED_FIRST, /* the header begins with a continuation */
	ARTICLE_NO_BODY,      /* no empty line after the header */
	ARTICLE_REPEATED,
	ARTICLE_MISSING,
	ARTICLE_FORBIDDEN, /* not from a poster */
	ARTICLE_TOO_MANY_REFERENCES,
	ARTICLE_BAD_VALUE, /* of a header with a syntax of its own */
};

struct article_field {
	enum header_id id;
	struct span name; /* unstuffed, without blanks; empty for HEADER_JUNK */
	struct span value; /* raw: folded as received, blanks at the ends cut */
	size_t offset;	   /* of the field in the article */
	size_t len;	   /* all its lines, last CRLF included */
};

struct article_limits {
	size_t fields;
	size_t header; /* octets, without the empty line */
};

/* Reused from article to article without allocating again. */
struct article_header {
	struct article_field *fields; /* owned, unless lent */
	size_t count;
	size_t room;
	bool lent;
	struct span wire;   /* what was scanned, borrowed */
	size_t header_len;  /* all fields, without the empty line */
	size_t lines;       /* before the body, the empty one included */
	size_t body_offset; /* wire.len if there is no body */
	bool has_junk;
	bool eight_bit; /* octets above 127 in the header */
	enum article_fault fault;
	enum header_id fault_id; /* which one is missing, repeated, forbidden */
	struct span fault_name;  /* or its name as written; borrowed */
	uint32_t first[HEADER_COUNT]; /* index + 1 of the first of each kind */
};

void article_header_init(struct article_header *header);
void article_header_fini(struct article_header *header);
/* Room for the first fields, which the caller keeps, and which lives as long as
 * the header; for one that is new. */
void article_header_lend(struct article_header *header,
    struct article_field *fields, size_t room);
/* limits NULL: the defaults. 0; -EBADMSG with header->fault set (fields found
 * so far are there); -ENOMEM. */
int article_scan(struct article_header *header, struct span wire,
    enum article_mode mode, const struct article_limits *limits);
/* The reason in words, such as "no Subject header", into text; returns text.
 * Plain ASCII without CR, LF, whatever was posted. */
const char *article_fault_text(const struct article_header *header, char *text,
    size_t size);

/* The nth (0 ...) field of a kind; NULL if there is none. */
const struct article_field *
article_field_find(const struct article_header *header, enum header_id id,
    size_t nth);
/* The same by name, for fields that are not in the table. */
const struct article_field *
article_field_named(const struct article_header *header, struct span name,
    size_t nth);
/* Raw value of the first; an empty span (bytes NULL) if there is none. */
struct span article_value(const struct article_header *header,
    enum header_id id);
struct span article_body(const struct article_header *header);

#endif
