/* overview.h - rows of the overview (RFC 3977 8.3) as the store keeps them:
 * "\tSubject\tFrom\tDate\tMessage-ID\tReferences\tbytes\tlines\t", after which
 * the caller appends "Xref: ..." and CRLF. The number is not part of it.
 */
#ifndef KITH_PROTOCOL_OVERVIEW_H
#define KITH_PROTOCOL_OVERVIEW_H

#include <stdint.h>

#include "protocol/article.h"

#define OVERVIEW_ROW_MAX 8000u /* octets of what overview_append() writes */

enum overview_field {
	OVERVIEW_SUBJECT = 0,
	OVERVIEW_FROM,
	OVERVIEW_DATE,
	OVERVIEW_MESSAGE_ID,
	OVERVIEW_REFERENCES,
	OVERVIEW_BYTES,
	OVERVIEW_LINES,
	OVERVIEW_XREF, /* without "Xref: " */
	OVERVIEW_FIELDS,
};

/* What kith's added block says in place of, or for want of, the article's own:
 * an empty span means the article's own. */
struct overview_added {
	struct span subject;
	struct span from;
	struct span date;
	struct span message_id;
	struct span references;
	uint64_t bytes; /* of the news copy, unstuffed (RFC 3977 8.1) */
	uint64_t lines; /* of its body */
};

/* Always one whole row below OVERVIEW_ROW_MAX: References lose ids after the
 * first, then Subject and From are cut at a UTF-8 boundary. TAB, CR, LF, NUL
 * become a space each, CRLF is removed (8.3.2). Failure shows in out. */
void overview_append(struct buffer *out, const struct article_header *header,
    const struct overview_added *added);
/* Appends a raw header value as an overview or HDR row wants it (8.3.2, 8.5.2). */
void overview_append_value(struct buffer *out, struct span raw);

/* Field of a stored row (text after the number, CRLF at its end or not).
 * Empty if the row has no such field. Borrowed. */
struct span overview_row_field(struct span row, enum overview_field field);
/* Can a field of that length be less than the article's own? */
bool overview_may_be_cut(enum overview_field field, size_t len);
/* The field that a HDR name stands for ("Subject", ":bytes", ...), or
 * OVERVIEW_FIELDS if the rows do not hold it. */
enum overview_field overview_field_named(struct span name);
/* The names for LIST OVERVIEW.FMT (RFC 3977 8.4): "Subject:" ... "Xref:full".
 * NULL at OVERVIEW_FIELDS. */
const char *overview_format_line(enum overview_field field);

#endif
