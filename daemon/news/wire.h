/* wire.h - articles as newsreaders get them, ready to send from the status line
 * to the final dot: made once for all who see the same, found by number or by
 * Message-ID without a look into the database. Private to daemon/news.
 *
 * Only articles of one part are kept so; longer ones are sent part by part
 * (copy.h).
 */
#ifndef KITH_NEWS_WIRE_H
#define KITH_NEWS_WIRE_H

#include "daemon/news/copy.h"
#include "daemon/news/made.h"

struct wire {
	struct made made;
	uint32_t from;    /* "220 number <message-id>" CRLF begins here */
	uint32_t id_at;   /* of "<message-id>" CRLF */
	uint32_t head_at; /* the header, without the empty line */
	uint32_t body_at;
	uint32_t end; /* behind the final dot's CRLF */
	char bytes[];
};

/* By what a command names alone: counted, or NULL. */
struct wire *wire_find(struct session *s, const struct target *target);
/* The same once the article is known, where that leads further. */
struct wire *wire_find_located(struct session *s, const struct target *target,
    const struct found *found);
/* Made of an article that was found, and kept if it is worth it; counted. NULL:
 * it is long, or something went wrong. */
struct wire *wire_make(struct session *s, struct found *found);
/* Answers 220, 221, 222 or 223 with it. Takes the reference. */
void wire_send(struct session *s, struct wire *wire,
    const struct target *target, enum copy_what what);

/* wire_read.c: one that is not kept yet, as the file has the article and with
 * these notes; found->at is known, and of one part. NULL: as wire_make;
 * found->multi is made sure of. */
struct wire *wire_read(struct session *s, const struct made *notes,
    struct found *found);

static inline void
wire_unref(struct wire *wire)
{
	if (wire != NULL)
		made_unref(&wire->made);
}

#endif
