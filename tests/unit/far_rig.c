/* far_rig.c - see far_rig.h.
 */
#include "tests/unit/far_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
far_offer(void *arg, const struct feed_endpoint *endpoint,
    const struct feed_offer *offers, size_t count, feed_offered done,
    void *done_arg)
{
	struct far *far = arg;
	struct open_offer *open = &far->offers[far->count];

	assert_string_equal(endpoint->host, "192.0.2.9");
	assert_int_equal(endpoint->port, 119);
	if (far->error != 0)
		return far->error;
	assert_true(far->count < OFFERS_MAX);
	far->count++;
	open->count = count;
	open->done = done;
	open->arg = done_arg;
	for (size_t i = 0; i < count; i++) {
		open->artids[i] = offers[i].artid;
		(void)snprintf(open->ids[i], sizeof open->ids[i], "%s",
		    offers[i].message_id);
	}
	return 0;
}

static int
far_pull(void *arg, const struct feed_endpoint *endpoint,
    const struct feed_pull *pull, feed_pulled done, void *done_arg)
{
	struct far *far = arg;

	assert_string_equal(endpoint->host, "192.0.2.9");
	far->pulled = done;
	far->pulled_arg = done_arg;
	far->pull_from = pull->from;
	far->pull_seconds = pull->seconds;
	assert_true(pull->missed_count <= 8);
	far->pull_missed_count = pull->missed_count;
	for (size_t i = 0; i < pull->missed_count; i++)
		far->pull_missed[i] = pull->missed[i];
	(void)snprintf(far->pull_group, sizeof far->pull_group, "%s",
	    pull->group);
	return 0;
}

void
far_answer(struct far *far, const enum feed_outcome *outcomes, size_t count,
    const char *why)
{
	enum feed_outcome all[FEED_OFFERS_MAX] = { FEED_UNTRIED };
	struct open_offer open = far->offers[0];

	assert_true(far->count > 0);
	for (size_t i = 0; i < count; i++)
		all[i] = outcomes[i];
	far->count--;
	memmove(far->offers, far->offers + 1,
	    far->count * sizeof far->offers[0]);
	open.done(open.arg, all, open.count, why);
	fixture_settle(far->fixture);
}

void
far_answer_all(struct far *far, enum feed_outcome outcome)
{
	enum feed_outcome all[FEED_OFFERS_MAX];

	for (size_t i = 0; i < FEED_OFFERS_MAX; i++)
		all[i] = outcome;
	far_answer(far, all, far->offers[0].count, "");
}

int
far_setup(void **state)
{
	int rc = fixture_setup(state);
	struct fixture *f = *state;
	struct far *far = calloc(1, sizeof *far);

	assert_non_null(far);
	far->fixture = f;
	f->feed.offer = far_offer;
	f->feed.pull = far_pull;
	f->feed.arg = far;
	rig_do(f,
	    WORDS("space", "add", "a.talk", "--kind", "talk", "--post",
		"anyone"));
	*state = far;
	return rc;
}

int
far_teardown(void **state)
{
	struct far *far = *state;
	void *fixture = far->fixture;
	int rc;

	/* as when the feed process goes with core */
	far->error = -ENOTCONN;
	while (far->count > 0)
		far_answer(far, NULL, 0, "gone");
	rc = fixture_teardown(&fixture);
	free(far);
	return rc;
}

void
far_add_peer(struct far *far)
{
	rig_do(far->fixture,
	    WORDS("peer", "add", "far", "--outgoing", "192.0.2.9:119"));
}

void
far_post(struct far *far, const char *id, const char *extra)
{
	char text[512];
	struct intake_result result;

	(void)snprintf(text, sizeof text,
	    "From: x@y.example\nNewsgroups: a.talk\nSubject: a\n"
	    "Message-ID: <%s@x>\nDate: Fri, 15 Jan 2027 08:00:00 +0000\n"
	    "%s\nhi\n",
	    id, extra);
	result = rig_post(far->fixture, NULL, text);
	assert_int_equal(result.reason, REASON_STORED);
}

void
far_look(struct far *far)
{
	feeds_run_due(community_feeds(far->fixture->community));
	fixture_settle(far->fixture);
}

void
far_pass(struct far *far, uint64_t seconds)
{
	clock_advance(far->fixture->clock, seconds);
	far_look(far);
}

long
far_shown(struct far *far, const char *name)
{
	char *answer = rig_ask(far->fixture, WORDS("peer", "show", "far"));
	char key[64];
	const char *at;
	long value = -1;

	(void)snprintf(key, sizeof key, "\"%s\"", name);
	at = strstr(answer, key);
	if (at != NULL) {
		at += strlen(key) + 1; /* and a colon */
		value = strtol(at + strspn(at, " "), NULL, 10);
	}
	free(answer);
	return value;
}
