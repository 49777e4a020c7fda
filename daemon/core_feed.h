/* core_feed.h - core's end of the channel to the feed process: what the
 * community offers and pulls goes out as frames, what that process asks for is
 * answered by the community. Not the rules: those are community/'s.
 */
#ifndef KITH_DAEMON_CORE_FEED_H
#define KITH_DAEMON_CORE_FEED_H

#include "daemon/community/ports.h"

struct community;
struct core_feed;
struct event_base;

/* want: called when there is a peer to speak to. The port works from the start;
 * without a channel it answers -ENOTCONN. */
struct core_feed *core_feed_new(struct event_base *base,
    void (*want)(void *arg), void *arg);
void core_feed_free(struct core_feed **feed);
const struct feed_port *core_feed_port(struct core_feed *feed);
/* Before the first connect; from then on it looks for what is new. */
int core_feed_set_community(struct core_feed *feed,
    struct community *community);
/* Takes fd, in place of the channel before. */
void core_feed_connect(struct core_feed *feed, int fd);
/* No channel any more: what was asked for ends. */
void core_feed_close(struct core_feed *feed);

#endif
