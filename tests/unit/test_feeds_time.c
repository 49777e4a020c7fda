/* test_feeds_time.c - what is offered again and when: a clock that was wrong and is
 * set right, and articles that a peer does not get over.
 */
#include "tests/unit/far_rig.h"

#include <stdio.h>

#define YEAR (365 * 86400)

static void
far_jump(struct far *far, int64_t seconds)
{
	clock_jump(far->fixture->clock, seconds);
	far_look(far);
}

static void
a_clock_that_is_set_back_does_not_stop_a_feed(void **state)
{
	struct far *far = *state;

	far_add_peer(far);
	far_post(far, "1", "");
	far_look(far);
	far_answer(far, NULL, 0, "refused");
	far_jump(far, -YEAR);
	assert_int_equal(far->count, 0);
	far_pass(far, 3);
	assert_int_equal(far->count, 1);
}

static void
a_clock_that_is_set_back_does_not_hold_what_is_wanted_later(void **state)
{
	struct far *far = *state;

	far_add_peer(far);
	far_post(far, "1", "");
	far_look(far);
	far_answer_all(far, FEED_LATER);
	far_jump(far, -YEAR);
	far_pass(far, 3601);
	assert_int_equal(far->count, 1);
	/* as it is on disk */
	far_answer(far, NULL, 0, "refused");
	far_jump(far, -YEAR);
	fixture_reopen(far->fixture);
	far_pass(far, 3601);
	assert_int_equal(far->count, 1);
	far_answer_all(far, FEED_SENT);
	assert_int_equal(far_shown(far, "deferred"), 0);
}

static void
a_clock_that_goes_ahead_gives_nothing_up(void **state)
{
	struct far *far = *state;

	far_add_peer(far);
	far_post(far, "1", "");
	far_look(far);
	far_answer_all(far, FEED_LATER);
	far_jump(far, YEAR);
	assert_int_equal(far->count, 1);
	far_answer_all(far, FEED_LATER);
	assert_int_equal(far_shown(far, "given-up"), 0);
	far_jump(far, -YEAR);
	far_pass(far, 3601);
	assert_int_equal(far->count, 1);
	far_answer_all(far, FEED_SENT);
	assert_int_equal(far_shown(far, "sent"), 1);
}

static void
what_is_wanted_later_is_on_offer_once(void **state)
{
	struct far *far = *state;
	char id[16];

	far_add_peer(far);
	for (unsigned i = 0; i <= FEED_OFFERS_MAX; i++) {
		(void)snprintf(id, sizeof id, "%u", i);
		far_post(far, id, "");
	}
	far_look(far);
	while (far->count > 0)
		far_answer_all(far, FEED_LATER);
	far_pass(far, 60);
	assert_int_equal(far->count, 1);
	far_pass(far, 60);
	assert_int_equal(far->count, 1);
	far_answer_all(far, FEED_SENT);
	far_look(far);
	assert_int_equal(far->count, 1);
	assert_int_equal(far->offers[0].count, 1);
	far_answer_all(far, FEED_SENT);
	assert_int_equal(far_shown(far, "deferred"), 0);
}

static void
who_takes_nothing_and_hangs_up_is_waited_out_longer_and_longer(void **state)
{
	struct far *far = *state;
	static const enum feed_outcome full[] = { FEED_UNTRIED, FEED_LATER,
		FEED_HAD };
	unsigned waited = 0;

	far_add_peer(far);
	far_post(far, "1", "");
	far_post(far, "2", "");
	far_post(far, "3", "");
	far_look(far);
	for (unsigned i = 0; i < 4; i++) {
		far_answer(far, full, 3, "no room on disk");
		for (waited = 0; far->count == 0; waited++) {
			far_pass(far, 1);
			assert_true(waited < 100);
		}
	}
	assert_true(waited >= 7);
}

static void
an_article_that_a_peer_hangs_up_at_does_not_hold_up_the_others(void **state)
{
	struct far *far = *state;
	static const enum feed_outcome stuck[] = { FEED_UNTRIED, FEED_STUCK };
	unsigned waited = 0;

	far_add_peer(far);
	far_post(far, "1", "");
	far_post(far, "2", "");
	far_post(far, "3", "");
	far_look(far);
	while (far->offers[0].count == 3) {
		far_answer(far, stuck, 2, "the connection was lost");
		for (; far->count == 0; waited++)
			far_pass(far, 1);
		assert_true(waited < 100);
	}
	assert_true(waited > 10); /* it may have been the network */
	assert_int_equal(far->offers[0].count, 2);
	assert_string_equal(far->offers[0].ids[1], "<3@x>");
	far_answer_all(far, FEED_SENT);
	assert_int_equal(far_shown(far, "lag"), 0);
	assert_int_equal(far_shown(far, "deferred"), 1);
	/* it has its turns, fewer and fewer */
	far_pass(far, 10);
	assert_string_equal(far->offers[0].ids[0], "<2@x>");
	far_answer(far, stuck + 1, 1, "the connection was lost");
	far_pass(far, 4);
	assert_int_equal(far->count, 0);
	far_pass(far, 20);
	assert_int_equal(far->count, 1);
	far_answer_all(far, FEED_SENT);
	assert_int_equal(far_shown(far, "deferred"), 0);
	assert_int_equal(far_shown(far, "sent"), 3);
}

#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, far_setup, far_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_clock_that_is_set_back_does_not_stop_a_feed),
		TEST(
		    a_clock_that_is_set_back_does_not_hold_what_is_wanted_later),
		TEST(a_clock_that_goes_ahead_gives_nothing_up),
		TEST(what_is_wanted_later_is_on_offer_once),
		TEST(
		    an_article_that_a_peer_hangs_up_at_does_not_hold_up_the_others),
		TEST(
		    who_takes_nothing_and_hangs_up_is_waited_out_longer_and_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
