/* mime.h - the structure of a message (RFC 2045, 2046), by a walk without
 * recursion: linear, at most MIME_DEPTH_MAX levels, missing or wrong boundaries
 * taken as real mail has them. Input is CRLF (a bare LF is taken as a line end),
 * not dot-stuffed.
 */
#ifndef KITH_PROTOCOL_MIME_H
#define KITH_PROTOCOL_MIME_H

#include <stdint.h>

#include "protocol/buffer.h"

#define MIME_DEPTH_MAX 50u

enum mime_encoding {
	MIME_PLAIN, /* 7bit, 8bit, binary */
	MIME_BASE64,
	MIME_QP,
	MIME_UNKNOWN, /* taken as it is */
};

struct mime_entity {
	size_t header; /* offsets into the message */
	size_t body;
	size_t end;    /* of the body; without the line end before a boundary */
	struct span type;	 /* "text/plain"; never empty */
	struct span type_value; /* whole Content-Type value; may be empty */
	struct span disposition; /* whole value; may be empty */
	enum mime_encoding encoding;
	uint32_t parent; /* index of the entity that holds it; own index at the top */
	uint32_t depth;
	bool leaf; /* neither multipart nor an entered message/rfc822 */
};

struct mime_tree {
	struct mime_entity *items; /* in the order of the message */
	size_t count;
	bool truncated; /* more than the maximum: the rest was not looked at */
};

/* -EBADMSG: multipart and message nested more than MIME_DEPTH_MAX deep.
 * Spans borrow from `message`. At most max entities. */
int mime_tree_parse(struct span message, size_t max, struct mime_tree *tree);
void mime_tree_fini(struct mime_tree *tree);

/* Length of the header block, without the empty line; *body_r: where the body
 * starts. */
size_t mime_header_len(struct span message, size_t *body_r);
/* The next field of a header block from *at: name and value (folded, trimmed);
 * false at the end. Lines that are no field are skipped. */
bool mime_field_next(
    struct span header, size_t *at, struct span *name, struct span *value);
/* The first field of that name; empty span with bytes NULL if none. */
struct span mime_field(struct span header, const char *name);

/* Appends the decoded body. Junk in base64 is skipped. */
void mime_decode(
    struct buffer *out, struct span body, enum mime_encoding encoding);
/* Appends base64 in lines of 76 (line_len 0: one line), CRLF after each. */
void mime_base64_encode(struct buffer *out, struct span bytes, bool lines);
/* Appends CRLF text as quoted-printable, lines at most 76. */
void mime_qp_encode(struct buffer *out, struct span text);
/* The CTE that CRLF text needs: "7bit", "8bit", or "quoted-printable" if a line
 * is above 990 octets or holds a bare CR or NUL. */
const char *mime_encoding_for(struct span text);

#endif
