/* pace.h - a peer that sends articles faster than its rate allows: RFC 4644 has no
 * "later" for TAKETHIS, so kithd reads no further from that connection until the
 * minute is over, and the peer's sends wait. Private to daemon/news.
 */
#ifndef KITH_NEWS_PACE_H
#define KITH_NEWS_PACE_H

#include "daemon/news/session.h"

/* Is this line, which was not taken yet, an article too many? Then the session
 * has to wait, and is resumed when the line may be looked at again. */
bool pace_holds(struct session *s, struct span line);
/* The connection is gone. */
void pace_end(struct session *s);

#endif
