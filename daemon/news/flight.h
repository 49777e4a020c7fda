/* flight.h - which articles are on their way in, over all connections: so that
 * two peers need not send the same one (RFC 4644 2.4.2). Advice, not a lock: a
 * table of fixed size, and what finds no room in it is not noted. Private to
 * daemon/news.
 *
 * A peer that asks for an id again and again, and sends nothing or rubbish, must
 * not keep it from the others: all turns at an id together end after three times
 * the first one's length, and for an hour from then on nobody is put off. That is
 * remembered in preference to all that came at once.
 *
 * In which spaces an article is nobody knows before it is read, so whoever asks
 * for an id hears that somebody else is sending it; what became of it is not
 * known here, and cannot be asked.
 */
#ifndef KITH_NEWS_FLIGHT_H
#define KITH_NEWS_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/msgid.h"

struct flights;

struct flights *flights_new(void);
void flights_free(struct flights **flights);
/* The session was told to send it, or sends it: it is expected for so many
 * seconds from now. False: another session has it under way. `now` is in seconds
 * that only grow, and not 0. Any thread. */
bool flight_begin(struct flights *flights, const uint8_t id[STORE_HASH_LEN],
    uint64_t session, uint64_t now, unsigned seconds);
/* It is here, or refused. */
void flight_end(struct flights *flights, const uint8_t id[STORE_HASH_LEN],
    uint64_t session, uint64_t now);
/* All that it was told to send will not come from there. */
void flight_end_all(struct flights *flights, uint64_t session, uint64_t now);

#endif
