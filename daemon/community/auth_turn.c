/* auth_turn.c - attempts to log in wait here for their turn (auth_delay.h)
 * without anybody's loop standing still.
 */
#include "daemon/community/auth_private.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <event2/event.h>
#pragma GCC diagnostic pop

#include <errno.h>
#include <stdlib.h>

/* The clock may be moved on meanwhile (kithd -T): looked at this often. */
#define LOOK_EVERY 250u /* milliseconds */

struct turn {
	struct community *community;
	struct loop *loop;
	uint64_t due; /* milliseconds of the clock */
	bool granted;
	void (*turn)(void *arg, bool granted);
	void *arg;
};

static void
turn_come(void *arg)
{
	struct turn *turn = arg;
	void (*call)(void *arg, bool granted) = turn->turn;
	void *of = turn->arg;
	bool granted = turn->granted;

	auth_waiting(community_auth(turn->community), -1);
	free(turn);
	call(of, granted);
}

static void
turn_look(evutil_socket_t fd, short events, void *arg)
{
	struct turn *turn = arg;
	uint64_t now = clock_milliseconds(community_clock(turn->community));
	struct timeval wait = { 0 };

	(void)fd;
	(void)events;
	if (now < turn->due) {
		uint64_t left = turn->due - now;

		wait.tv_usec =
		    (suseconds_t)(left < LOOK_EVERY ? left : LOOK_EVERY) * 1000;
		if (event_base_once(loop_base(turn->loop), -1, EV_TIMEOUT,
			turn_look, turn, &wait) == 0)
			return;
		turn->granted = false;
	}
	turn_come(turn);
}

static void
turn_begin(void *arg)
{
	turn_look(-1, 0, arg);
}

int
auth_turn_wait(struct community *community, struct loop *loop,
    const struct auth_try *who, void (*call)(void *arg, bool granted),
    void *arg)
{
	struct auth *auth = community_auth(community);
	uint64_t now = clock_milliseconds(community_clock(community));
	struct turn *turn;
	unsigned wait;
	int rc;

	if (!auth_waiting(auth, 1)) {
		auth_waiting(auth, -1);
		return -EBUSY;
	}
	turn = malloc(sizeof *turn);
	rc = turn == NULL ? -ENOMEM : 0;
	if (rc == 0) {
		*turn = (struct turn){ .community = community,
			.loop = loop,
			.turn = call,
			.arg = arg };
		turn->granted =
		    auth_delay_book(auth_delays(auth), who, now, &wait);
		turn->due = now + (turn->granted ? wait : AUTH_DELAY_MAX);
		rc = loop_post(loop, turn_begin, turn);
	}
	if (rc != 0) {
		auth_waiting(auth, -1);
		free(turn);
	}
	return rc;
}
