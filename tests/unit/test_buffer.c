/* test_buffer.c - memory that a buffer begins with and does not own. */
#include "protocol/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void
what_fits_stays_in_lent_room(void **state)
{
	struct buffer buffer;
	char room[8] = "xxxxxxx";

	(void)state;
	buffer_init(&buffer, 0);
	buffer_lend(&buffer, room, sizeof room);
	assert_string_equal(buffer_text(&buffer), "");
	buffer_append_text(&buffer, "1234");
	buffer_append_byte(&buffer, '5');
	buffer_printf(&buffer, "%d", 67);
	assert_ptr_equal(buffer_text(&buffer), room);
	assert_string_equal(room, "1234567");
	buffer_fini(&buffer);
}

static void
what_does_not_fit_moves_out_of_lent_room(void **state)
{
	struct buffer buffer;
	char room[8];

	(void)state;
	buffer_init(&buffer, 0);
	buffer_lend(&buffer, room, sizeof room);
	buffer_append_text(&buffer, "1234567");
	buffer_append_byte(&buffer, '8');
	assert_ptr_not_equal(buffer_text(&buffer), room);
	for (unsigned i = 0; i < 1000; i++)
		buffer_printf(&buffer, "%s", " and more");
	assert_memory_equal(buffer_text(&buffer), "12345678 and more and", 21);
	assert_int_equal(buffer.len, 8 + 9 * 1000);
	buffer_fini(&buffer);
}

static void
what_is_taken_is_owned_whoever_lent_the_room(void **state)
{
	struct buffer buffer;
	char room[8], *taken;
	size_t len;

	(void)state;
	buffer_init(&buffer, 0);
	buffer_lend(&buffer, room, sizeof room);
	buffer_append_text(&buffer, "1234567");
	taken = buffer_take(&buffer, &len);
	assert_ptr_not_equal(taken, room);
	assert_string_equal(taken, "1234567");
	assert_int_equal(len, 7);
	free(taken);
	buffer_append_text(&buffer, "again");
	assert_ptr_not_equal(buffer_text(&buffer), room);
	buffer_fini(&buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_stays_in_lent_room),
		cmocka_unit_test(what_does_not_fit_moves_out_of_lent_room),
		cmocka_unit_test(what_is_taken_is_owned_whoever_lent_the_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
