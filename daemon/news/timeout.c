/* timeout.c - see timeout.h.
 */
#include "daemon/news/timeout.h"

#include <time.h>

static uint64_t
seconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec;
}

static const struct config *
timeout_config(const struct session *s)
{
	return community_config(session_community(s));
}

/* The stream knows one deadline: the nearer of this one and the session's. */
static void
timeout_set(struct session *s, unsigned seconds)
{
	uint64_t now, left;

	if (s->ends_at != 0) {
		now = seconds_now();
		left = s->ends_at > now ? s->ends_at - now : 1;
		if (seconds == 0 || left < seconds)
			seconds = (unsigned)left;
	}
	stream_set_deadline(s->stream, seconds);
}

void
timeout_begin(struct session *s, bool handshake)
{
	const struct config *config = timeout_config(s);

	if (config->session_timeout != 0)
		s->ends_at = seconds_now() + config->session_timeout;
	stream_set_idle_timeout(s->stream, config->command_timeout);
	timeout_handshake(s, handshake);
}

void
timeout_handshake(struct session *s, bool begins)
{
	timeout_set(s, begins ? timeout_config(s)->command_timeout : 0);
}

void
timeout_command(struct session *s)
{
	if (s->commands == 1)
		stream_set_idle_timeout(s->stream,
		    timeout_config(s)->idle_timeout);
	if (s->line_begun)
		timeout_set(s, 0);
	s->line_begun = false;
}

void
timeout_held(struct session *s)
{
	stream_set_idle_timeout(s->stream, timeout_config(s)->idle_timeout);
	if (s->line_begun)
		timeout_set(s, 0);
	s->line_begun = false;
}

void
timeout_line(struct session *s)
{
	if (!s->line_begun)
		timeout_set(s, timeout_config(s)->command_timeout);
	s->line_begun = true;
}

void
timeout_article(struct session *s, bool begins)
{
	timeout_set(s, begins ? timeout_config(s)->article_timeout : 0);
}
