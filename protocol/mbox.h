/* mbox.h - splits an mbox file into messages, fed in chunks of any size.
 *
 * A separator is a line "From " with a plausible date at its end, at the start
 * of the file or after an empty line; a "From " line in a body that is neither
 * quoted nor dated stays body. Memory is bounded by the limit of one message.
 */
#ifndef KITH_PROTOCOL_MBOX_H
#define KITH_PROTOCOL_MBOX_H

#include <stdint.h>

#include "protocol/buffer.h"

enum mbox_flag {
	MBOX_UNQUOTE = 1, /* mboxrd: ">From ", ">>From ", ... lose one '>' */
};

struct mbox_message {
	struct span bytes; /* file bytes (LF or CRLF) without separator and
				* without the empty line before the next one */
	struct span
	    separator;   /* "From ..." without line end; empty: none seen */
	uint64_t offset; /* of the message's separator in the file */
	uint64_t index;  /* 0 ... */
	bool too_large;  /* over the limit: bytes is the first part only */
};

/* Spans are borrowed until it returns. Not 0 stops and is passed on. */
typedef int mbox_fn(void *arg, const struct mbox_message *message);

struct mbox;
/* limit: octets of one message, 0 for 64 MB. NULL: no memory. */
struct mbox *mbox_new(size_t limit, unsigned flags, mbox_fn *fn, void *arg);
void mbox_free(struct mbox **mbox);
/* 0, -ENOMEM, -EBADMSG (the file does not begin with a separator and is not
 * empty), or what fn returned. */
int mbox_feed(struct mbox *mbox, struct span chunk);
/* The end of the file: hands over the last message. */
int mbox_finish(struct mbox *mbox);

#endif
