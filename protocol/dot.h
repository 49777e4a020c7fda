/* dot.h - dot-terminated blocks (RFC 3977 3.1.1, RFC 5321 4.5.2).
 *
 * Wire form: CRLF lines, dots stuffed, without the final lone dot; either empty
 * or ending in CRLF. It is what articles are received, stored and sent in.
 */
#ifndef KITH_PROTOCOL_DOT_H
#define KITH_PROTOCOL_DOT_H

#include <stdint.h>

#include "protocol/buffer.h"

/* What a block holds; the same however it was cut into chunks. */
struct dot_facts {
	uint64_t bytes; /* wire form */
	uint64_t lines;
	uint64_t stuffed; /* lines that begin with a stuffed dot */
	bool bare_cr;     /* a CR not before LF */
	bool bare_lf;     /* a LF not after CR */
	bool nul;
	bool eight_bit; /* an octet above 127 */
};

enum dot_state {
	DOT_LINE_START = 0,
	DOT_TEXT,
	DOT_CR,     /* after CR within a line */
	DOT_DOT,    /* a dot at the start of a line, held back */
	DOT_DOT_CR, /* that dot and CR, held back */
	DOT_ENDED,
};

/* Open, so that a session can embed it; set by the functions below only. */
struct dot_receiver {
	struct dot_facts facts;
	struct buffer *out; /* borrowed; NULL: count only */
	uint64_t limit;     /* octets of wire form; 0: none */
	enum dot_state state;
	uint64_t crs, lfs; /* seen so far */
	bool too_large; /* over the limit: out was freed, the rest only counted */
	bool failed;    /* no memory, likewise */
};

/* Appends to out (NULL: nothing is kept), which must live until the end. */
void dot_receiver_init(struct dot_receiver *dot, struct buffer *out,
    uint64_t limit);
/* The same for what follows the beginning of a line, whose last octet was a CR
 * or was not; nothing of it is kept. */
void dot_receiver_init_within(struct dot_receiver *dot, bool after_cr);
/* Feeds what came from the network. True when CRLF . CRLF was met: then *used_r
 * octets of the chunk were taken, the rest belongs to what follows. Otherwise
 * the whole chunk was taken. Goes on to the end of the block whatever happens,
 * so that the connection lives. */
bool dot_receive(struct dot_receiver *dot, struct span chunk, size_t *used_r);

/* True if a line of the block in wire form has more than max octets, without its
 * stuffed dot and CRLF. Looks at few of them: backwards, a line length at a
 * time. */
bool dot_has_long_line(struct span wire, size_t max);

/* Whole blocks. plain: CRLF lines; a last line without CRLF gets one. */
void dot_stuff(struct buffer *out, struct span plain);
/* Wire form -> CRLF lines as they were meant. */
void dot_unstuff(struct buffer *out, struct span wire);
/* Bytes of a file (LF or CRLF lines) -> wire form. A CR elsewhere is kept (see
 * facts->bare_cr). facts may be NULL. */
void dot_from_file(struct buffer *out, struct span file,
    struct dot_facts *facts);
/* The facts of a block in wire form. */
void dot_examine(struct span wire, struct dot_facts *facts_r);

#endif
