/* clock.c - the time, which tests can move on.
 */
#include "build.h"

#include "daemon/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct clock {
	bool fixed;
	_Atomic uint64_t offset; /* the whole time if fixed */
	_Atomic uint64_t jumped; /* of the time of day alone; wraps */
};

struct clock *
clock_new(void)
{
	return calloc(1, sizeof(struct clock));
}

struct clock *
clock_new_fixed(uint64_t seconds)
{
	struct clock *clock = clock_new();

	if (clock == NULL)
		return NULL;
	clock->fixed = true;
	atomic_init(&clock->offset, seconds);
	return clock;
}

void
clock_free(struct clock **clock)
{
	free(*clock);
	*clock = NULL;
}

uint64_t
clock_now(const struct clock *clock)
{
	uint64_t offset =
	    atomic_load_explicit(&clock->offset, memory_order_relaxed) +
	    atomic_load_explicit(&clock->jumped, memory_order_relaxed);
	time_t now;

	if (clock->fixed)
		return offset;
	now = time(NULL);
	return (now > 0 ? (uint64_t)now : 0) + offset;
}

uint64_t
clock_milliseconds(const struct clock *clock)
{
	uint64_t offset = atomic_load_explicit(&clock->offset, memory_order_relaxed);
	struct timespec now = { 0 };

	if (!clock->fixed)
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return offset * 1000u + (uint64_t)now.tv_sec * 1000u +
	    (uint64_t)now.tv_nsec / 1000000u;
}

void
clock_advance(struct clock *clock, uint64_t seconds)
{
	atomic_fetch_add(&clock->offset, seconds);
}

void
clock_jump(struct clock *clock, int64_t seconds)
{
	atomic_fetch_add(&clock->jumped, (uint64_t)seconds);
}
