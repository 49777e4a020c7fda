/* texts.h - what an admin writes for everybody with a newsreader: the message of
 * the day, and what is known of distributions. Kept as settings of the store, as
 * the block of lines that LIST sends.
 */
#ifndef KITH_COMMUNITY_TEXTS_H
#define KITH_COMMUNITY_TEXTS_H

#include "protocol/buffer.h"
#include "store/store.h"

#define TEXT_OCTETS_MAX 8000u /* in wire form: one answer, one row */

enum text {
	TEXT_MOTD,	    /* RFC 6048 2.5 */
	TEXT_DISTRIBUTIONS, /* RFC 6048 2.3 */
	TEXT_DISTRIB_PATS,  /* RFC 3977 7.6.5 */
	TEXTS
};

/* As kithctl calls it. */
const char *text_name(enum text text);
/* TEXTS if there is none of that name. */
enum text text_named(const char *name);

/* Appends the block in wire form, without the final dot. -ENOENT: none was
 * written; -EBADMSG: the row is damaged; or another negative errno. */
int text_get(struct store_reader *reader, enum text text, struct buffer *out);

struct text_fault {
	unsigned line; /* from 1; 0: the whole */
	const char *why;
};
/* What a file says, as the block that is kept: appended to wire. 0; 1: fault_r
 * says what is wrong with it; -ENOMEM. */
int text_compose(enum text text, struct span file, struct buffer *wire,
    struct text_fault *fault_r);
/* In apply. */
int text_put(struct store_txn *txn, enum text text, struct span wire);
/* In apply. -ENOENT if there is none. */
int text_delete(struct store_txn *txn, enum text text);

#endif
