/* pace.c - see pace.h.
 */
#include "daemon/news/pace.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <event2/event.h>
#pragma GCC diagnostic pop

#include "daemon/loop.h"
#include "daemon/news/commands.h"
#include "daemon/news/feed.h"
#include "daemon/news/timeout.h"

/* The clock may be moved on meanwhile, the limit be changed, the server stop:
 * looked at this often. */
static const struct timeval look_every = { 0, 250000 };

static void
pace_look(evutil_socket_t fd, short events, void *arg)
{
	struct session *s = arg;

	(void)fd;
	(void)events;
	if (!feed_may_offer(s) && !atomic_load(&session_server(s)->stopping) &&
	    event_add(s->feed.pace, &look_every) == 0)
		return;
	pace_end(s);
	/* what is full for another reason goes on by itself */
	if (s->waiting && !feed_is_full(s))
		session_resume(s);
}

bool
pace_holds(struct session *s, struct span line)
{
	if (s->entered == 0 || feed_may_offer(s) || !command_brings_article(line))
		return false;
	if (s->feed.pace != NULL)
		return true;
	s->feed.pace =
	    evtimer_new(loop_base(s->loop->loop), pace_look, s);
	if (s->feed.pace == NULL || event_add(s->feed.pace, &look_every) != 0) {
		pace_end(s);
		return false; /* rather too fast than never again */
	}
	timeout_held(s);
	return true;
}

void
pace_end(struct session *s)
{
	if (s->feed.pace != NULL)
		event_free(s->feed.pace);
	s->feed.pace = NULL;
}
