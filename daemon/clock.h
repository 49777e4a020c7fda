/* clock.h - the time, which tests can move on.
 *
 * Wall time in seconds for what is written down and for what takes days;
 * timeouts of connections use the event loop's own time instead.
 */
#ifndef KITH_DAEMON_CLOCK_H
#define KITH_DAEMON_CLOCK_H

#include <stdint.h>

struct clock;

/* The running wall clock. */
struct clock *clock_new(void);
/* A clock that stands still at `seconds` until advanced (replay, unit). */
struct clock *clock_new_fixed(uint64_t seconds);
void clock_free(struct clock **clock);
/* Seconds since 1970. Any thread. */
uint64_t clock_now(const struct clock *clock);
/* Milliseconds from some point in the past, which only grow; moved on with the
 * clock. For short waits that tests shall be able to move. Any thread. */
uint64_t clock_milliseconds(const struct clock *clock);
/* Moves the clock on; never back. Any thread. */
void clock_advance(struct clock *clock, uint64_t seconds);
/* What an admin or NTP does to the time of day, for tests: forth or back, while
 * clock_milliseconds() goes on as it did. Any thread. */
void clock_jump(struct clock *clock, int64_t seconds);

#endif
