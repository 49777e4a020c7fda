/* timers.h - what the community does when its time has come: one table of
 * functions, each of which ends by itself.
 */
#ifndef KITH_COMMUNITY_TIMERS_H
#define KITH_COMMUNITY_TIMERS_H

#include "daemon/community/community.h"

struct timers;

int timers_new(struct timers **timers_r, struct community *community);
void timers_free(struct timers **timers);
/* See community_run_timers. A call while one is running joins the next run. */
void timers_run(struct timers *timers, void (*done)(void *arg), void *arg);
bool timers_are_running(const struct timers *timers);

/* ---- the functions of the table */

/* Used tokens, counts of answers, failures of the parser, and who bounced, that
 * nobody needs any more, once an hour, in slices. */
void expiry_run_due(struct community *community, void (*done)(void *arg),
    void *arg);

/* Ids of what was refused, cancelled or expired are forgotten after
 * history.days, once an hour, in slices. */
void history_run_due(struct community *community, void (*done)(void *arg),
    void *arg);

/* Moderators hear of what they were not asked about in an hour that is over. */
void moderation_run_due(struct community *community, void (*done)(void *arg),
    void *arg);

#endif
