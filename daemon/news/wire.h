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
	uint32_t space, number;
	uint32_t id_at;   /* of "<message-id>" CRLF behind "220 number " */
	uint32_t head_at; /* the header, without the empty line */
	uint32_t body_at;
	uint32_t len;
	char bytes[];
};

/* Counted, or NULL: not kept, whether there is such an article or not. */
struct wire *wire_find(struct session *s, const struct target *target);
/* Made of an article that was found, and kept; counted. NULL: it is long, or
 * something went wrong. */
struct wire *wire_make(struct session *s, struct found *found);
/* Answers 220, 221, 222 or 223 with it. Takes the reference. */
void wire_send(struct session *s, struct wire *wire,
    const struct target *target, enum copy_what what);

static inline void
wire_unref(struct wire *wire)
{
	if (wire != NULL)
		made_unref(&wire->made);
}

#endif
