/* far_rig.h - a fixture whose feed process is played by the test: offers wait until
 * it answers them, a pull until it says what came of it.
 */
#ifndef KITH_TESTS_FAR_RIG_H
#define KITH_TESTS_FAR_RIG_H

#include "tests/unit/flow_rig.h"

#include "daemon/community/feeds.h"

#define OFFERS_MAX 8u

/* One call of the port that is not answered yet. */
struct open_offer {
	size_t count;
	uint64_t artids[FEED_OFFERS_MAX];
	char ids[FEED_OFFERS_MAX][64];
	feed_offered done;
	void *arg;
};

struct far {
	struct fixture *fixture;
	struct open_offer offers[OFFERS_MAX];
	size_t count;
	int error;
	feed_pulled pulled;
	void *pulled_arg;
	uint32_t pull_from;
	unsigned pull_seconds;
	uint32_t pull_missed[8];
	size_t pull_missed_count;
	char pull_group[64];
	unsigned stops, goes;
};

/* With a space a.talk that anyone posts to. */
int far_setup(void **state);
int far_teardown(void **state);
/* One that is fed, "far" at 192.0.2.9. */
void far_add_peer(struct far *far);
/* An article into a.talk; extra is a header line or empty. */
void far_post(struct far *far, const char *id, const char *extra);
/* Lets the timers run, now or after some seconds. */
void far_look(struct far *far);
void far_pass(struct far *far, uint64_t seconds);
/* Answers the oldest offer: the first `count` outcomes, the rest untried. */
void far_answer(struct far *far, const enum feed_outcome *outcomes,
    size_t count, const char *why);
void far_answer_all(struct far *far, enum feed_outcome outcome);
/* A number that peer show prints, or -1. */
long far_shown(struct far *far, const char *name);

#endif
