/* test_nntp_reply.c - what a server says to our client. */
#include "protocol/nntp_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/range.h"

static void
a_status_line_is_a_code_and_a_text(void **state)
{
	struct nntp_reply reply;

	(void)state;
	assert_true(
	    nntp_reply_parse(span_of("200 news.example ready "), &reply));
	assert_int_equal(reply.code, 200);
	assert_true(span_equal(reply.text, span_of("news.example ready")));
	assert_true(nntp_reply_parse(span_of("281"), &reply));
	assert_int_equal(reply.text.len, 0);
}

static void
what_is_no_status_line_is_refused(void **state)
{
	static const char *const lines[] = { "", "20", "20x hello", "2000 x",
		"099 x", "600 x", "200-hello", "hello there" };
	struct nntp_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		assert_false(nntp_reply_parse(span_of(lines[i]), &reply));
}

static void
an_answer_to_check_begins_with_the_id(void **state)
{
	struct nntp_reply reply;

	(void)state;
	assert_true(nntp_reply_parse(span_of("238 <a@b> send it"), &reply));
	assert_true(span_equal(nntp_reply_id(&reply), span_of("<a@b>")));
	assert_true(nntp_reply_parse(span_of("400 going down"), &reply));
	assert_int_equal(nntp_reply_id(&reply).len, 0);
	assert_true(nntp_reply_parse(span_of("438 <>"), &reply));
	assert_int_equal(nntp_reply_id(&reply).len, 0);
}

static void
a_group_is_three_numbers(void **state)
{
	struct nntp_reply_group group;
	struct nntp_reply reply;

	(void)state;
	assert_true(nntp_reply_parse(span_of("211 12 3 20 acme.talk"), &reply));
	assert_true(nntp_reply_group(&reply, &group));
	assert_int_equal(group.low, 3);
	assert_int_equal(group.high, 20);
	assert_true(
	    nntp_reply_parse(span_of("211 0 1 99999999999999999999999 x"),
		&reply));
	assert_true(nntp_reply_group(&reply, &group));
	assert_int_equal(group.high, RANGE_NUMBER_MAX);
	assert_true(nntp_reply_parse(span_of("211 12 3"), &reply));
	assert_false(nntp_reply_group(&reply, &group));
	assert_true(nntp_reply_parse(span_of("211 12 -3 4 x"), &reply));
	assert_false(nntp_reply_group(&reply, &group));
}

static void
a_number_of_listgroup_stands_alone(void **state)
{
	uint32_t number = 0;

	(void)state;
	assert_true(nntp_reply_number(span_of("0017"), &number));
	assert_int_equal(number, 17);
	assert_true(nntp_reply_number(span_of(" 18 "), &number));
	assert_int_equal(number, 18);
	assert_false(nntp_reply_number(span_of(""), &number));
	assert_false(nntp_reply_number(span_of("x"), &number));
}

static void
text_of_a_server_cannot_write_a_line_of_the_log(void **state)
{
	char out[8];

	(void)state;
	assert_string_equal(nntp_reply_printable(span_of("a\x1b\r\nb"), out,
				sizeof out),
	    "a???b");
	assert_string_equal(nntp_reply_printable(span_of("0123456789"), out,
				sizeof out),
	    "0123456");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_line_is_a_code_and_a_text),
		cmocka_unit_test(what_is_no_status_line_is_refused),
		cmocka_unit_test(an_answer_to_check_begins_with_the_id),
		cmocka_unit_test(a_group_is_three_numbers),
		cmocka_unit_test(a_number_of_listgroup_stands_alone),
		cmocka_unit_test(
		    text_of_a_server_cannot_write_a_line_of_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
