/* test_news_flight.c - who may keep an article from the others, and how long.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/news/flight.h"

#define START 1000000u
#define TURN  30u
#define HOUR  3600u

enum {
	HOSTILE = 7,
	OTHER
};

static int
setup(void **state)
{
	*state = flights_new();
	return *state == NULL;
}

static int
teardown(void **state)
{
	flights_free((struct flights **)state);
	return 0;
}

/* Spread over the table as keyed hashes are. */
static void
id_make(unsigned n, uint8_t id_r[STORE_HASH_LEN])
{
	uint64_t mixed = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);

	memset(id_r, 0, STORE_HASH_LEN);
	for (unsigned i = 0; i < 8; i++)
		id_r[i] = (uint8_t)(mixed >> (56 - 8 * i));
}

static bool
asks(struct flights *flights, unsigned n, uint64_t session, uint64_t now)
{
	uint8_t id[STORE_HASH_LEN];

	id_make(n, id);
	return flight_begin(flights, id, session, now, TURN);
}

static void
sent(struct flights *flights, unsigned n, uint64_t session, uint64_t now)
{
	uint8_t id[STORE_HASH_LEN];

	id_make(n, id);
	flight_end(flights, id, session, now);
}

static void
one_at_a_time_is_told_to_send_an_article(void **state)
{
	struct flights *flights = *state;

	assert_true(asks(flights, 1, HOSTILE, START));
	assert_true(asks(flights, 1, HOSTILE, START + 1));
	assert_false(asks(flights, 1, OTHER, START + 1));
	assert_true(asks(flights, 2, OTHER, START + 1));
	sent(flights, 1, OTHER, START + 1);
	assert_false(asks(flights, 1, OTHER, START + 1));
	sent(flights, 1, HOSTILE, START + 1);
	assert_true(asks(flights, 1, OTHER, START + 1));
	assert_false(asks(flights, 1, HOSTILE, START + 1));
}

static void
who_asks_again_and_again_puts_nobody_off_for_long(void **state)
{
	struct flights *flights = *state;
	uint64_t now = START;
	unsigned put_off = 0;

	for (; now < START + HOUR; now++) {
		assert_true(asks(flights, 1, HOSTILE, now));
		put_off += !asks(flights, 1, OTHER + now, now);
	}
	assert_int_equal(put_off, 3 * TURN);
}

/* By another of the id, and by what is no article. */
static void
nor_does_who_sends_rubbish_each_time(void **state)
{
	struct flights *flights = *state;
	uint64_t now = START;
	unsigned put_off = 0;

	for (; now < START + HOUR; now++) {
		if (asks(flights, 1, HOSTILE, now))
			put_off += !asks(flights, 1, OTHER, now);
		if (now % 5 == 4)
			sent(flights, 1, HOSTILE, now);
	}
	assert_in_range(put_off, TURN, 3 * TURN);
}

static void
other_ids_do_not_make_it_be_forgotten(void **state)
{
	struct flights *flights = *state;
	uint64_t now = START;
	unsigned put_off = 0;

	for (; now < START + HOUR; now++) {
		assert_true(asks(flights, 1, HOSTILE, now));
		put_off += !asks(flights, 1, OTHER, now);
		/* those of busy peers, and his own */
		for (unsigned i = 2; i < 200; i++) {
			(void)asks(flights, (unsigned)now * 200 + i, OTHER,
			    now);
			sent(flights, (unsigned)now * 200 + i, OTHER, now);
		}
		for (unsigned i = 2; i < 20; i++)
			(void)asks(flights, (unsigned)now * 20 + i, HOSTILE,
			    now);
	}
	assert_in_range(put_off, 0, 3 * TURN);
}

static void
who_is_gone_is_not_waited_for(void **state)
{
	struct flights *flights = *state;

	assert_true(asks(flights, 1, HOSTILE, START));
	assert_true(asks(flights, 2, HOSTILE, START));
	assert_true(asks(flights, 3, OTHER, START));
	flight_end_all(flights, HOSTILE, START + 1);
	assert_true(asks(flights, 1, OTHER, START + 1));
	assert_true(asks(flights, 2, OTHER, START + 1));
	assert_false(asks(flights, 3, HOSTILE, START + 1));
}

static void
a_table_that_is_full_puts_nobody_off(void **state)
{
	struct flights *flights = *state;
	unsigned put_off = 0;

	for (unsigned i = 0; i < 100000; i++)
		(void)asks(flights, i, HOSTILE, START);
	for (unsigned i = 100000; i < 101000; i++) {
		(void)asks(flights, i, OTHER, START);
		put_off += !asks(flights, i, HOSTILE, START);
	}
	assert_int_equal(put_off, 0);
	/* and not for ever */
	assert_true(asks(flights, 100000, OTHER, START + HOUR));
	assert_false(asks(flights, 100000, HOSTILE, START + HOUR));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    one_at_a_time_is_told_to_send_an_article, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    who_asks_again_and_again_puts_nobody_off_for_long, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    nor_does_who_sends_rubbish_each_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    other_ids_do_not_make_it_be_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_gone_is_not_waited_for,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_table_that_is_full_puts_nobody_off, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
