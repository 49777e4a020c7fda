/* line.h - cuts command lines out of a window of unread bytes.
 *
 * Nothing is copied or kept: the window stays with the caller, who drops what
 * was used. A line over the limit is reported once, and the rest of it is
 * skipped without being gathered. Not for article data (dot.h).
 */
#ifndef KITH_PROTOCOL_LINE_H
#define KITH_PROTOCOL_LINE_H

#include "protocol/span.h"

#define LINE_NNTP_MAX 512u /* octets with CRLF (RFC 3977 3.1) */

enum line_flag {
	LINE_LF_ENDS =
	    1, /* a bare LF ends a line too (somebody typing by hand) */
};

enum line_status {
	LINE_MORE = 0, /* no whole line in the window */
	LINE_OK,
	LINE_TOO_LONG, /* reported once; the rest of it is skipped */
};

struct line_reader {
	size_t limit; /* octets, terminator included */
	unsigned flags;
	size_t seen;   /* of the window, known to hold no end of line */
	bool skipping; /* within a line that was too long */
	bool after_cr; /* skipping: the last octet dropped was CR */
};

struct line {
	struct span text; /* without terminator, borrowed from the window */
	bool has_nul;
	bool has_bare; /* a CR or LF that ends nothing */
};

void line_reader_init(struct line_reader *reader, size_t limit, unsigned flags);
/* The next line of the window. *used_r: how many octets of the window to drop
 * (may be above 0 with LINE_MORE while skipping); the next window must begin
 * right after them. line_r is set with LINE_OK only. Each octet is looked at
 * once, however the line arrives. */
enum line_status line_next(struct line_reader *reader, struct span window,
    size_t *used_r, struct line *line_r);

#endif
