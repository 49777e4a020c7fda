/* test_feeds.c - what is offered to a peer, what its answers mean for the cursor,
 * and how pulled articles are counted. The feed process is played by the test.
 */
#include "tests/unit/far_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/endpoint_text.h"
#include "daemon/community/pulls.h"
#include "protocol/article.h"

/* ---- outgoing */

static void
the_cursor_follows_what_was_answered_for(void **state)
{
	struct far *far = *state;
	static const enum feed_outcome some[] = { FEED_SENT, FEED_HAD,
		FEED_REFUSED };
	long before;

	far_add_peer(far);
	far_post(far, "1", "");
	far_post(far, "2", "");
	far_post(far, "3", "");
	far_look(far);
	assert_int_equal(far->count, 1);
	assert_int_equal(far->offers[0].count, 3);
	assert_string_equal(far->offers[0].ids[0], "<1@x>");
	before = far_shown(far, "cursor");
	assert_true(far_shown(far, "lag") >= 3);
	far_answer(far, some, 3, "");
	assert_true(far_shown(far, "cursor") > before);
	assert_int_equal(far_shown(far, "lag"), 0);
	assert_int_equal(far_shown(far, "sent"), 1);
	assert_int_equal(far_shown(far, "had"), 1);
	assert_int_equal(far_shown(far, "refused"), 1);
	far_look(far);
	assert_int_equal(far->count, 0);
}

static void
what_was_not_tried_is_offered_again_after_a_while(void **state)
{
	struct far *far = *state;
	static const enum feed_outcome one[] = { FEED_SENT };

	far_add_peer(far);
	far_post(far, "1", "");
	far_post(far, "2", "");
	far_post(far, "3", "");
	far_look(far);
	far_answer(far, one, 1, "the connection was lost");
	far_look(far);
	assert_int_equal(far->count, 0); /* not at once */
	far_pass(far, 3);
	assert_int_equal(far->count, 1);
	assert_int_equal(far->offers[0].count, 2);
	assert_string_equal(far->offers[0].ids[0], "<2@x>");
	far_answer_all(far, FEED_SENT);
	assert_int_equal(far_shown(far, "sent"), 3);
}

static void
failures_in_a_row_are_waited_out_longer_and_longer(void **state)
{
	struct far *far = *state;
	uint64_t waited[4] = { 0 };

	far_add_peer(far);
	far_post(far, "1", "");
	far_look(far);
	for (size_t i = 0; i < 4; i++) {
		far_answer(far, NULL, 0, "refused");
		while (far->count == 0) {
			waited[i]++;
			far_pass(far, 1);
			assert_true(waited[i] < 100);
		}
		assert_true(i == 0 || waited[i] >= 2 * waited[i - 1] - 1);
	}
	assert_true(waited[3] >= 8);
}

static void
what_is_wanted_later_does_not_hold_up_the_others(void **state)
{
	struct far *far = *state;
	static const enum feed_outcome some[] = { FEED_SENT, FEED_LATER,
		FEED_SENT };

	far_add_peer(far);
	far_post(far, "1", "");
	far_post(far, "2", "");
	far_post(far, "3", "");
	far_look(far);
	far_answer(far, some, 3, "");
	assert_int_equal(far_shown(far, "deferred"), 1);
	assert_int_equal(far_shown(far, "lag"), 0);
	far_look(far);
	assert_int_equal(far->count, 0);
	fixture_reopen(far->fixture); /* it is on disk */
	far_pass(far, 60);
	assert_int_equal(far->count, 1);
	assert_int_equal(far->offers[0].count, 1);
	assert_string_equal(far->offers[0].ids[0], "<2@x>");
	far_answer_all(far, FEED_SENT);
	assert_int_equal(far_shown(far, "deferred"), 0);
	far_pass(far, 7200);
	assert_int_equal(far->count, 0);
}

static void
what_is_wanted_later_for_days_is_given_up(void **state)
{
	struct far *far = *state;
	unsigned rounds = 0;

	far_add_peer(far);
	far_post(far, "1", "");
	far_look(far);
	far_answer_all(far, FEED_LATER);
	while (far_shown(far, "given-up") == 0) {
		far_pass(far, 3700);
		assert_true(++rounds < 100);
		if (far->count > 0)
			far_answer_all(far, FEED_LATER);
	}
	assert_true(rounds > 70 && rounds < 80);
	assert_int_equal(far_shown(far, "deferred"), 0);
}

static void
nothing_goes_where_it_has_been_or_must_not_go(void **state)
{
	struct far *far = *state;

	rig_do(far->fixture,
	    WORDS("peer", "add", "far", "--outgoing", "192.0.2.9:119", "--path",
		"news.example"));
	far_post(far, "1", "");
	far_look(far);
	assert_int_equal(far->count, 0); /* our own name is in every Path */
	rig_do(far->fixture,
	    WORDS("peer", "set", "far", "--path", "far.example"));
	far_post(far, "2", "Distribution: world, local\n");
	far_post(far, "3", "Distribution: world\n");
	far_look(far);
	assert_int_equal(far->count, 1);
	assert_int_equal(far->offers[0].count, 1);
	assert_string_equal(far->offers[0].ids[0], "<3@x>");
}

static void
only_what_is_on_offer_is_handed_over(void **state)
{
	struct far *far = *state;
	struct feeds *feeds = community_feeds(far->fixture->community);
	struct buffer wire;
	uint64_t artid;

	buffer_init(&wire, 0);
	far_post(far, "1", "");
	far_add_peer(far); /* what was there before is not for it */
	far_post(far, "2", "");
	far_look(far);
	assert_int_equal(far->offers[0].count, 1);
	artid = far->offers[0].artids[0];
	assert_int_equal(feeds_article(feeds, 1, artid - 1, &wire), -ENOENT);
	assert_int_equal(feeds_article(feeds, 2, artid, &wire), -ENOENT);
	assert_int_equal(feeds_article(feeds, 1, artid, &wire), 0);
	assert_non_null(strstr(buffer_text(&wire), "Message-ID: <2@x>\r\n"));
	assert_null(strstr(buffer_text(&wire), "Xref:"));
	far_answer_all(far, FEED_SENT);
	assert_int_equal(feeds_article(feeds, 1, artid, &wire), -ENOENT);
	buffer_fini(&wire);
}

static void
what_was_closed_to_a_peer_meanwhile_stays_here(void **state)
{
	struct far *far = *state;
	struct feeds *feeds = community_feeds(far->fixture->community);
	struct buffer wire;

	buffer_init(&wire, 0);
	far_add_peer(far);
	far_post(far, "1", "");
	far_look(far);
	far_answer_all(far, FEED_LATER);
	far_post(far, "2", "");
	far_look(far);
	assert_int_equal(far->count, 1);
	rig_do(far->fixture,
	    WORDS("space", "set", "a.talk", "--read", "members"));
	/* offered, but not handed over yet */
	assert_int_equal(feeds_article(feeds, 1, far->offers[0].artids[0],
			     &wire),
	    -ENOENT);
	assert_int_equal(wire.len, 0);
	far_answer_all(far, FEED_GONE);
	far_pass(far, 60); /* and what it wanted later */
	assert_int_equal(far->count, 0);
	assert_int_equal(far_shown(far, "deferred"), 0);
	buffer_fini(&wire);
}

static void
an_article_that_is_removed_is_not_offered(void **state)
{
	struct far *far = *state;

	far_add_peer(far);
	far_post(far, "1", "");
	far_post(far, "2", "");
	rig_do(far->fixture, WORDS("article", "remove", "<1@x>"));
	far_look(far);
	assert_int_equal(far->offers[0].count, 1);
	assert_string_equal(far->offers[0].ids[0], "<2@x>");
}

static void
a_peer_that_is_removed_leaves_nothing(void **state)
{
	struct far *far = *state;

	far_add_peer(far);
	far_post(far, "1", "");
	far_look(far);
	assert_int_equal(far->count, 1);
	rig_do(far->fixture, WORDS("peer", "remove", "far"));
	far_answer_all(far, FEED_LATER); /* too late */
	far_add_peer(far);
	assert_int_equal(far_shown(far, "deferred"), 0);
	far_look(far);
	assert_int_equal(far->count, 0);
}

static void
a_mail_to_two_lists_names_only_what_the_peer_may_know(void **state)
{
	static const char *const lists[] = { "talk@lists.example",
		"inner@lists.example", NULL };
	struct far *far = *state;
	struct fixture *f = far->fixture;
	struct intake_reply replies[2];
	struct buffer wire;

	rig_do(f,
	    WORDS("space", "add", "b.talk", "--kind", "talk", "--mail", "talk",
		"--post", "anyone"));
	rig_do(f,
	    WORDS("space", "add", "b.inner", "--kind", "talk", "--mail",
		"inner", "--post", "anyone", "--read", "members"));
	far_add_peer(far);
	rig_mail(f, "x@y.example", lists,
	    "From: x@y.example\nTo: talk@lists.example\nSubject: a\n"
	    "Message-ID: <m@x>\nDate: Fri, 15 Jan 2027 08:00:00 +0000\n\nhi\n",
	    replies);
	assert_int_equal(replies[0].code, 250);
	assert_int_equal(replies[1].code, 250);
	far_look(far);
	assert_int_equal(far->count, 1);
	assert_int_equal(far->offers[0].count, 1);
	buffer_init(&wire, 0);
	assert_int_equal(feeds_article(community_feeds(f->community), 1,
			     far->offers[0].artids[0], &wire),
	    0);
	assert_non_null(strstr(buffer_text(&wire), "Newsgroups: b.talk\r\n"));
	assert_null(strstr(buffer_text(&wire), "inner"));
	buffer_fini(&wire);
}

static void
a_feed_that_was_taken_away_begins_anew(void **state)
{
	struct far *far = *state;

	far_add_peer(far);
	far_post(far, "1", "");
	rig_do(far->fixture,
	    WORDS("peer", "set", "far", "--outgoing", "none", "--address",
		"192.0.2.9"));
	far_post(far, "2", "");
	far_look(far);
	assert_int_equal(far->count, 0);
	rig_do(far->fixture,
	    WORDS("peer", "set", "far", "--outgoing", "192.0.2.9:119"));
	far_post(far, "3", "");
	far_look(far);
	assert_int_equal(far->offers[0].count, 1);
	assert_string_equal(far->offers[0].ids[0], "<3@x>");
	rig_do(far->fixture, WORDS("peer", "set", "far", "--backlog"));
	far_answer_all(far, FEED_SENT); /* of the feed before */
	far_look(far);
	assert_int_equal(far->offers[0].count, 3);
}

/* What a mailing list carries and no news server takes. */
#define UGLY                                                     \
 "ARC-Seal:i=1; a=rsa\nFrom: x@y.example\nTo: one@y.example\n"   \
 "To: two@y.example\nX-Empty:\nSubject : a\nno header at all\n"  \
 "Message-ID: <ugly@x>\nDate: Fri, 15 Jan 2027 08:00:00 +0000\n" \
 "Expires: when it is over\nSender: nobody knows\n"              \
 "X-Folded: one\n \n two\n\n.body stays:as it is\n"

static void
the_header_of_a_mail_is_made_fit_for_news(void **state)
{
	struct far *far = *state;
	struct article_header header;
	struct buffer wire;

	far_add_peer(far);
	assert_int_equal(rig_import(far->fixture, "a.talk", UGLY).reason,
	    REASON_STORED);
	far_look(far);
	buffer_init(&wire, 0);
	assert_int_equal(feeds_article(community_feeds(far->fixture->community),
			     1, far->offers[0].artids[0], &wire),
	    0);
	article_header_init(&header);
	assert_int_equal(article_scan(&header, buffer_span(&wire), ARTICLE_PEER,
			     NULL),
	    0);
	article_header_fini(&header);
	assert_non_null(strstr(buffer_text(&wire), "\r\nSubject: a\r\n"));
	assert_non_null(
	    strstr(buffer_text(&wire), "\r\nARC-Seal: i=1; a=rsa\r\n"));
	assert_non_null(
	    strstr(buffer_text(&wire), "\r\n\r\n..body stays:as it is\r\n"));
	assert_null(strstr(buffer_text(&wire), "X-Empty"));
	buffer_fini(&wire);
}

/* ---- pulls */

static void
on_taken(void *arg, bool stop)
{
	struct far *far = arg;

	if (stop)
		far->stops++;
	else
		far->goes++;
}

static void
hand_over(struct far *far, uint32_t number, const char *wire)
{
	struct pulls_article article = { .peer = 1,
		.group = "old.talk",
		.number = number,
		.wire = span_of(wire) };

	pulls_take(community_pulls(far->fixture->community), &article, on_taken,
	    far);
}

static void
hand_in(struct far *far, uint32_t number, const char *id, const char *path)
{
	char wire[512];
	unsigned before = far->stops + far->goes;

	(void)snprintf(wire, sizeof wire,
	    "Path: %s\r\nFrom: x@y.example\r\nNewsgroups: old.talk\r\n"
	    "Subject: a\r\nMessage-ID: <%s@x>\r\n"
	    "Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n\r\nhi\r\n",
	    path, id);
	hand_over(far, number, wire);
	while (far->stops + far->goes == before)
		(void)loop_turn(far->fixture->loop);
}

struct ended {
	bool is;
	char error[128];
};

static void
on_round(void *arg, const char *error)
{
	struct ended *ended = arg;

	ended->is = true;
	(void)snprintf(ended->error, sizeof ended->error, "%s", error);
}

/* A group to take from peer 1; a round of it is under way. */
static void
begin_round(struct far *far, struct ended *ended)
{
	struct pulls *pulls = community_pulls(far->fixture->community);

	memset(ended, 0, sizeof *ended);
	far->pulled = NULL;
	pulls_run(pulls, 1, NULL, on_round, ended);
	assert_non_null(far->pulled);
}

static void
add_group(struct far *far)
{
	rig_do(far->fixture,
	    WORDS("peer", "add", "far", "--pull", "192.0.2.9:119"));
	rig_do(far->fixture,
	    WORDS("peer", "pull", "far", "old.talk", "a.talk", "--background"));
	assert_non_null(far->pulled);
	assert_string_equal(far->pull_group, "old.talk");
	far->pulled(far->pulled_arg, "",
	    &(struct feed_progress){ .high = 0, .settled = 0 });
	fixture_settle(far->fixture);
}

/* Asked for again with each round, for a day. */
static void
what_a_server_could_not_give_is_asked_for_again(void **state)
{
	struct far *far = *state;
	struct ended ended;

	add_group(far);
	begin_round(far, &ended);
	assert_int_equal(far->pull_missed_count, 0);
	hand_in(far, 5, "5", "old.example!x");
	far->pulled(far->pulled_arg, "",
	    &(struct feed_progress){ .high = 5,
		.settled = 5,
		.missed = { 2, 3, 4 },
		.missed_count = 3 });
	fixture_wait(far->fixture, &ended.is);
	fixture_reopen(far->fixture);
	clock_advance(far->fixture->clock, 80000);
	begin_round(far, &ended);
	assert_int_equal(far->pull_from, 6);
	assert_int_equal(far->pull_missed_count, 3);
	assert_int_equal(far->pull_missed[1], 3);
	/* one comes, one does not, and then the connection is lost */
	hand_in(far, 2, "2", "old.example!x");
	far->pulled(far->pulled_arg, "the connection was lost",
	    &(struct feed_progress){ .high = 9,
		.again = 2,
		.missed = { 3 },
		.missed_count = 1 });
	fixture_wait(far->fixture, &ended.is);
	assert_int_equal(rig_count(far->fixture, "a.talk"), 2);
	begin_round(far, &ended);
	assert_int_equal(far->pull_from, 6);
	assert_int_equal(far->pull_missed_count, 2);
	assert_int_equal(far->pull_missed[0], 4);
	assert_int_equal(far->pull_missed[1], 3);
	clock_advance(far->fixture->clock, 7000);
	far->pulled(far->pulled_arg, "",
	    &(struct feed_progress){ .high = 9,
		.settled = 9,
		.again = 2,
		.missed = { 3, 8 },
		.missed_count = 2 });
	fixture_wait(far->fixture, &ended.is);
	begin_round(far, &ended);
	assert_int_equal(far->pull_from, 10);
	assert_int_equal(far->pull_missed_count, 1);
	assert_int_equal(far->pull_missed[0], 8);
	far->pulled(far->pulled_arg, "",
	    &(struct feed_progress){ .high = 9, .settled = 9, .again = 1 });
	fixture_wait(far->fixture, &ended.is);
	begin_round(far, &ended);
	assert_int_equal(far->pull_missed_count, 0);
	far->pulled(far->pulled_arg, "",
	    &(struct feed_progress){ .high = 9, .settled = 9 });
	fixture_wait(far->fixture, &ended.is);
}

static void
a_pull_goes_on_behind_the_last_number(void **state)
{
	struct far *far = *state;
	struct ended ended;

	add_group(far);
	begin_round(far, &ended);
	assert_int_equal(far->pull_from, 1);
	hand_in(far, 3, "1", "old.example!x");
	hand_in(far, 7, "2", "old.example!x");
	hand_in(far, 8, "3", "old.example!news.example!x"); /* our own */
	far->pulled(far->pulled_arg, "",
	    &(struct feed_progress){ .high = 20, .settled = 20 });
	fixture_wait(far->fixture, &ended.is);
	assert_string_equal(ended.error, "");
	assert_int_equal(rig_count(far->fixture, "a.talk"), 2);
	begin_round(far, &ended);
	assert_int_equal(far->pull_from, 21);
	hand_in(far, 22, "2", "old.example!x"); /* known */
	far->pulled(far->pulled_arg, "the connection was lost",
	    &(struct feed_progress){ .high = 30, .settled = 0 });
	fixture_wait(far->fixture, &ended.is);
	assert_string_equal(ended.error, "the connection was lost");
	assert_int_equal(rig_count(far->fixture, "a.talk"), 2);
	fixture_reopen(far->fixture);
	begin_round(far, &ended);
	assert_int_equal(far->pull_from, 23);
	/* empty numbers that were looked at are not looked at again */
	hand_in(far, 24, "4", "old.example!x");
	far->pulled(far->pulled_arg, "the connection was lost",
	    &(struct feed_progress){ .high = 30, .settled = 28 });
	fixture_wait(far->fixture, &ended.is);
	begin_round(far, &ended);
	assert_int_equal(far->pull_from, 29);
	far->pulled(far->pulled_arg, "",
	    &(struct feed_progress){ .high = 30, .settled = 30 });
	fixture_wait(far->fixture, &ended.is);
	assert_int_equal(far->stops, 0);
}

static void
a_round_has_an_end_and_the_next_begins_with_the_rest(void **state)
{
	struct far *far = *state;
	struct ended ended;

	add_group(far);
	rig_do(far->fixture,
	    WORDS("peer", "pull", "far", "second.talk", "a.talk",
		"--background"));
	assert_string_equal(far->pull_group, "second.talk");
	far->pulled(far->pulled_arg, "",
	    &(struct feed_progress){ .high = 0, .settled = 0 });
	fixture_settle(far->fixture);
	clock_advance(far->fixture->clock, 5);
	begin_round(far, &ended);
	assert_string_equal(far->pull_group, "old.talk");
	assert_int_equal(far->pull_seconds, PULLS_ROUND_SECONDS);
	clock_advance(far->fixture->clock, PULLS_ROUND_SECONDS);
	far->pulled(far->pulled_arg, "it takes too long",
	    &(struct feed_progress){ .high = 100, .settled = 50 });
	fixture_wait(far->fixture, &ended.is);
	assert_string_equal(ended.error, "it takes too long");
	begin_round(far, &ended);
	assert_string_equal(far->pull_group, "second.talk");
	clock_advance(far->fixture->clock, 100);
	far->pulled(far->pulled_arg, "",
	    &(struct feed_progress){ .high = 0, .settled = 0 });
	while (strcmp(far->pull_group, "second.talk") == 0)
		(void)loop_turn(far->fixture->loop);
	assert_string_equal(far->pull_group, "old.talk");
	assert_int_equal(far->pull_from, 51);
	assert_int_equal(far->pull_seconds, PULLS_ROUND_SECONDS - 100);
	far->pulled(far->pulled_arg, "",
	    &(struct feed_progress){ .high = 60, .settled = 60 });
	fixture_wait(far->fixture, &ended.is);
	assert_string_equal(ended.error, "");
}

static void
a_clock_that_is_set_back_does_not_stop_pulls(void **state)
{
	struct far *far = *state;

	add_group(far);
	rig_do(far->fixture, WORDS("peer", "set", "far", "--every", "600"));
	far->pulled = NULL;
	clock_jump(far->fixture->clock, -100 * 86400);
	pulls_run_due(community_pulls(far->fixture->community));
	assert_non_null(far->pulled);
	far->pulled(far->pulled_arg, "",
	    &(struct feed_progress){ .high = 0, .settled = 0 });
	fixture_settle(far->fixture);
	far->pulled = NULL;
	pulls_run_due(community_pulls(far->fixture->community));
	assert_null(far->pulled);
}

static void
what_could_end_an_answer_early_is_not_taken(void **state)
{
	static const char *const wires[] = { "", "A: b\r\n\r\nx\r\n.\r\n",
		".\r\nA: b\r\n", "A: b\r\n\r\n.x\r\n", "A: b\r\n\r\nx",
		"A: b\r\n\r\nx\n.\ny\r\n" };
	struct far *far = *state;
	struct ended ended;

	add_group(far);
	begin_round(far, &ended);
	for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++)
		hand_over(far, 1, wires[i]);
	assert_int_equal(far->goes, sizeof wires / sizeof wires[0]);
	far->pulled(far->pulled_arg, "",
	    &(struct feed_progress){ .high = 9, .settled = 9 });
	fixture_wait(far->fixture, &ended.is);
	assert_int_equal(rig_count(far->fixture, "a.talk"), 0);
}

static void
what_nobody_asked_for_is_not_taken(void **state)
{
	struct far *far = *state;

	add_group(far);
	hand_in(far, 1, "1", "old.example!x"); /* no round is under way */
	assert_int_equal(far->stops, 1);
	assert_int_equal(rig_count(far->fixture, "a.talk"), 0);
}

/* ---- words */

static void
an_endpoint_is_a_host_and_a_port(void **state)
{
	static const char *const bad[] = { "", "host", "host:", ":119",
		"host:0", "host:65536", "host:x", "::1:119", "[::1]119",
		"[host]:119", "ho st:119", "host:119 ", "-h:119" };
	char host[ENDPOINT_HOST_ROOM];
	unsigned port;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(endpoint_text_parse(bad[i], host, &port),
		    -EINVAL);
	assert_int_equal(endpoint_text_parse("news.example:119", host, &port),
	    0);
	assert_string_equal(host, "news.example");
	assert_int_equal(port, 119);
	assert_int_equal(endpoint_text_parse("[2001:db8::1]:563", host, &port),
	    0);
	assert_string_equal(host, "2001:db8::1");
	assert_int_equal(port, 563);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, far_setup, far_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_cursor_follows_what_was_answered_for),
		TEST(what_was_not_tried_is_offered_again_after_a_while),
		TEST(failures_in_a_row_are_waited_out_longer_and_longer),
		TEST(what_is_wanted_later_does_not_hold_up_the_others),
		TEST(what_is_wanted_later_for_days_is_given_up),
		TEST(nothing_goes_where_it_has_been_or_must_not_go),
		TEST(only_what_is_on_offer_is_handed_over),
		TEST(what_was_closed_to_a_peer_meanwhile_stays_here),
		TEST(an_article_that_is_removed_is_not_offered),
		TEST(a_peer_that_is_removed_leaves_nothing),
		TEST(a_mail_to_two_lists_names_only_what_the_peer_may_know),
		TEST(the_header_of_a_mail_is_made_fit_for_news),
		TEST(a_feed_that_was_taken_away_begins_anew),
		TEST(what_a_server_could_not_give_is_asked_for_again),
		TEST(a_pull_goes_on_behind_the_last_number),
		TEST(a_round_has_an_end_and_the_next_begins_with_the_rest),
		TEST(a_clock_that_is_set_back_does_not_stop_pulls),
		TEST(what_could_end_an_answer_early_is_not_taken),
		TEST(what_nobody_asked_for_is_not_taken),
		cmocka_unit_test(an_endpoint_is_a_host_and_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
