/* test_auth_delay.c - what wrong passwords cost.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/community/auth_delay.h"

#define START  1000000u
#define MINUTE 60000u

static int
setup(void **state)
{
	*state = auth_delay_new();
	return *state == NULL;
}

static int
teardown(void **state)
{
	auth_delay_free((struct auth_delay **)state);
	return 0;
}

static struct auth_try
who(unsigned address, unsigned account)
{
	struct auth_try who;

	memset(&who, 0, sizeof who);
	(void)snprintf((char *)who.address, sizeof who.address, "%05ua",
	    address * 7919u % 65536u);
	(void)snprintf((char *)who.account, sizeof who.account, "%05um",
	    account * 7919u % 65536u);
	(void)snprintf((char *)who.pair, sizeof who.pair, "%05u%u",
	    (address * 31u + account) * 7919u % 65536u, address);
	return who;
}

/* -1: not to be looked at. */
static int
wait_of(struct auth_delay *delays, struct auth_try try, uint64_t now)
{
	unsigned wait;

	return auth_delay_book(delays, &try, now, &wait) ? (int)wait : -1;
}

static void
wrong(struct auth_delay *delays, struct auth_try try, uint64_t now, int times)
{
	while (times-- > 0)
		auth_delay_note(delays, &try, false, now);
}

static void
a_few_mistakes_are_free_then_each_costs_twice_as_much(void **state)
{
	struct auth_delay *delays = *state;
	uint64_t now = START;
	int last = 0, wait;

	wrong(delays, who(1, 1), now, 2);
	assert_int_equal(wait_of(delays, who(1, 1), now), 0);
	for (int i = 3; i <= 8; i++) {
		wrong(delays, who(1, 1), now, 1);
		wait = wait_of(delays, who(1, 1), now);
		assert_int_equal(wait, last == 0 ? 250 : 2 * last);
		last = wait;
		now += 60000 / 4; /* the queue has gone, the failures not */
	}
	assert_int_equal(last, 8000);
	wrong(delays, who(1, 1), now, 20);
	assert_in_range(wait_of(delays, who(1, 1), now), 8000, 8001);
}

static void
an_address_pays_for_all_accounts_it_tries(void **state)
{
	struct auth_delay *delays = *state;

	for (unsigned i = 0; i < 10; i++)
		wrong(delays, who(1, i), START, 1);
	assert_int_equal(wait_of(delays, who(1, 50), START), 8000);
	assert_int_equal(wait_of(delays, who(2, 51), START), 0);
}

static void
an_account_is_delayed_wherever_the_next_one_comes_from(void **state)
{
	struct auth_delay *delays = *state;

	for (unsigned i = 0; i < 10; i++)
		wrong(delays, who(i, 1), START, 1);
	assert_int_equal(wait_of(delays, who(77, 1), START), 8000);
	assert_int_equal(wait_of(delays, who(78, 2), START), 0);
}

static void
a_stranger_does_not_delay_a_member_where_he_is_known(void **state)
{
	struct auth_delay *delays = *state;
	struct auth_try member = who(1, 1);

	auth_delay_note(delays, &member, true, START);
	for (unsigned i = 2; i < 40; i++)
		wrong(delays, who(i, 1), START, 1);
	assert_int_equal(wait_of(delays, member, START), 0);
	/* and somewhere new he waits, but never longer than the maximum */
	for (int i = 0; i < 100; i++)
		assert_in_range(wait_of(delays, who(100, 1), START), 0,
		    AUTH_DELAY_MAX);
	assert_int_equal(wait_of(delays, who(101, 1), START), AUTH_DELAY_MAX);
}

static void
a_neighbour_behind_the_same_address_does_not_delay_him_either(void **state)
{
	struct auth_delay *delays = *state;
	struct auth_try member = who(1, 1);

	auth_delay_note(delays, &member, true, START);
	for (unsigned i = 2; i < 40; i++)
		wrong(delays, who(1, i), START, 1);
	while (wait_of(delays, who(1, 50), START) >= 0)
		continue;
	assert_int_equal(wait_of(delays, member, START), 0);
	/* but guessing at his own account costs, there too */
	wrong(delays, member, START, 6);
	assert_int_equal(wait_of(delays, member, START), 2000);
}

static void
attempts_side_by_side_queue_up(void **state)
{
	struct auth_delay *delays = *state;
	int last = 0, wait, count = 0;

	wrong(delays, who(1, 1), START, 8);
	while ((wait = wait_of(delays, who(1, 2), START)) >= 0) {
		assert_true(wait > last);
		last = wait;
		count++;
	}
	/* the address is told no beyond the maximum */
	assert_in_range(count, 2, 4);
	assert_int_equal(wait_of(delays, who(1, 3), START), -1);
	assert_int_equal(wait_of(delays, who(1, 3), START + MINUTE), 0);
}

static void
a_right_password_forgives_ones_own_mistakes_only(void **state)
{
	struct auth_delay *delays = *state;
	struct auth_try own = who(1, 1);

	wrong(delays, own, START, 6);
	auth_delay_note(delays, &own, true, START);
	assert_int_equal(wait_of(delays, own, START), 0);
	/* who owns an account gains nothing for guessing at another */
	wrong(delays, who(1, 2), START, 8);
	auth_delay_note(delays, &own, true, START);
	assert_int_equal(wait_of(delays, who(1, 2), START), 8000);
}

static void
time_halves_what_was_done(void **state)
{
	struct auth_delay *delays = *state;

	wrong(delays, who(1, 1), START, 16);
	wrong(delays, who(1, 1), START + 21 * MINUTE, 1); /* 16 -> 4, and 1 */
	assert_int_equal(wait_of(delays, who(1, 1), START + 21 * MINUTE), 1000);
	assert_int_equal(wait_of(delays, who(1, 1), START + 90 * MINUTE), 0);
	wrong(delays, who(1, 1), START + 90 * MINUTE, 2);
	assert_int_equal(wait_of(delays, who(1, 1), START + 90 * MINUTE), 0);
}

static void
a_flood_of_names_does_not_wash_the_guilty_away(void **state)
{
	struct auth_delay *delays = *state;

	wrong(delays, who(1, 1), START, 10);
	for (unsigned i = 100; i < 60000; i++)
		wrong(delays, who(i, i + 5), START, 1);
	assert_int_equal(wait_of(delays, who(1, 2), START), 8000);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_few_mistakes_are_free_then_each_costs_twice_as_much),
		T(an_address_pays_for_all_accounts_it_tries),
		T(an_account_is_delayed_wherever_the_next_one_comes_from),
		T(a_stranger_does_not_delay_a_member_where_he_is_known),
		T(a_neighbour_behind_the_same_address_does_not_delay_him_either),
		T(attempts_side_by_side_queue_up),
		T(a_right_password_forgives_ones_own_mistakes_only),
		T(time_halves_what_was_done),
		T(a_flood_of_names_does_not_wash_the_guilty_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
