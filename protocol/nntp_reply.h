/* nntp_reply.h - what an NNTP server says, as a client reads it: hostile text.
 *
 * Lines come from line.h, multi-line blocks of articles go through dot.h; no
 * state is kept here.
 */
#ifndef KITH_PROTOCOL_NNTP_REPLY_H
#define KITH_PROTOCOL_NNTP_REPLY_H

#include "protocol/buffer.h"

/* Octets of a line with CRLF: twice what RFC 3977 3.1 allows, for servers say
 * more than they should. */
#define NNTP_REPLY_MAX 1024u

struct nntp_reply {
	unsigned code;    /* 100 ... 599 */
	struct span text; /* behind the code, trimmed; borrowed from the line */
};

/* A status line without its CRLF. False: it is none (RFC 3977 3.2). */
bool nntp_reply_parse(struct span line, struct nntp_reply *reply_r);
/* Takes the next word off the text; empty: there is none. */
struct span nntp_reply_word(struct span *rest);
/* The Message-ID that the text begins with, as answers to CHECK and TAKETHIS
 * must (RFC 4644 2.4.1); empty: none. */
struct span nntp_reply_id(const struct nntp_reply *reply);

struct nntp_reply_group {
	uint32_t low, high; /* high below low: nothing is there */
};

/* The text of 211: "count low high name". Numbers above what articles may have
 * are cut to that. */
bool nntp_reply_group(const struct nntp_reply *reply,
    struct nntp_reply_group *group_r);
/* A line of LISTGROUP's block: one number. */
bool nntp_reply_number(struct span line, uint32_t *number_r);
/* The text for a log or a status line: at most size - 1 octets, control octets
 * and what is not ASCII as '?'. Returns out. */
const char *nntp_reply_printable(struct span text, char *out, size_t size);

#endif
