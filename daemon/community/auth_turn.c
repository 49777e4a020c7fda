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
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

#define WAITING_MAX 1024u /* of those who have to */
/* The clock may be moved on meanwhile (kithd -T): looked at this often. */
#define LOOK_EVERY 250u /* milliseconds */

struct turn {
	LIST_ENTRY(turn) entry;
	struct community *community;
	struct event *timer;
	uint64_t due; /* milliseconds of the clock */
	bool granted;
	bool waits; /* counted */
	void (*call)(void *arg, bool granted);
	void *arg;
};
LIST_HEAD(turn_list, turn);

struct auth_turns {
	pthread_mutex_t lock; /* turns begin and end on any loop */
	struct turn_list list;
	unsigned count;
};

struct auth_turns *
auth_turns_new(void)
{
	struct auth_turns *turns = calloc(1, sizeof *turns);

	if (turns == NULL)
		return NULL;
	LIST_INIT(&turns->list);
	if (pthread_mutex_init(&turns->lock, NULL) != 0) {
		free(turns);
		turns = NULL;
	}
	return turns;
}

static void
turn_end(struct auth_turns *turns, struct turn *turn)
{
	void (*call)(void *arg, bool granted) = turn->call;
	bool granted = turn->granted;
	void *arg = turn->arg;

	(void)pthread_mutex_lock(&turns->lock);
	LIST_REMOVE(turn, entry);
	turns->count -= turn->waits;
	(void)pthread_mutex_unlock(&turns->lock);
	event_free(turn->timer);
	free(turn);
	call(arg, granted);
}

void
auth_turns_free(struct auth_turns **turns_p)
{
	struct auth_turns *turns = *turns_p;

	*turns_p = NULL;
	if (turns == NULL)
		return;
	while (!LIST_EMPTY(&turns->list)) {
		LIST_FIRST(&turns->list)->granted = false;
		turn_end(turns, LIST_FIRST(&turns->list));
	}
	(void)pthread_mutex_destroy(&turns->lock);
	free(turns);
}

static void
turn_look(evutil_socket_t fd, short events, void *arg)
{
	struct turn *turn = arg;
	uint64_t now = clock_milliseconds(community_clock(turn->community));
	uint64_t left = now < turn->due ? turn->due - now : 0;
	struct timeval wait = { 0 };

	(void)fd;
	(void)events;
	wait.tv_usec =
	    (suseconds_t)(left < LOOK_EVERY ? left : LOOK_EVERY) * 1000;
	if (left > 0 && event_add(turn->timer, &wait) == 0)
		return;
	turn->granted = turn->granted && left == 0;
	turn_end(auth_turns(community_auth(turn->community)), turn);
}

int
auth_turn_wait(struct community *community, struct loop *loop,
    const struct auth_try *who, void (*call)(void *arg, bool granted),
    void *arg)
{
	struct auth *auth = community_auth(community);
	struct auth_turns *turns = auth_turns(auth);
	uint64_t now = clock_milliseconds(community_clock(community));
	const struct timeval soon = { 0 };
	struct turn *turn = calloc(1, sizeof *turn);
	unsigned wait = 0;
	bool fits;

	if (turn == NULL)
		return -ENOMEM;
	*turn = (struct turn){ .community = community,
		.call = call,
		.arg = arg };
	turn->timer = evtimer_new(loop_base(loop), turn_look, turn);
	if (turn->timer == NULL || event_add(turn->timer, &soon) != 0) {
		if (turn->timer != NULL)
			event_free(turn->timer);
		free(turn);
		return -ENOMEM;
	}
	turn->granted = auth_delay_book(auth_delays(auth), who, now, &wait);
	turn->due = now + (turn->granted ? wait : AUTH_DELAY_MAX);
	/* who has not failed must not suffer for all those who have */
	turn->waits = turn->due > now;
	(void)pthread_mutex_lock(&turns->lock);
	fits = !turn->waits || turns->count < WAITING_MAX;
	if (fits) {
		LIST_INSERT_HEAD(&turns->list, turn, entry);
		turns->count += turn->waits;
	}
	(void)pthread_mutex_unlock(&turns->lock);
	if (!fits) {
		event_free(turn->timer);
		free(turn);
		return -EBUSY;
	}
	return 0;
}
