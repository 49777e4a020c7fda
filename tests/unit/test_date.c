/* test_date.c - dates in headers and commands. */
#include "protocol/date.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MOMENT 1795300260 /* Sat, 21 Nov 2026 22:31:00 UTC */

static void
check_date(const char *text, int64_t expected)
{
	int64_t seconds = -1;

	if (date_parse(span_of(text), &seconds) != 0 || seconds != expected)
		print_error("%s: %lld\n", text, (long long)seconds);
	assert_int_equal(seconds, expected);
}

static void
dates_of_rfc_5322_are_read(void **state)
{
	(void)state;
	check_date("Sat, 21 Nov 2026 22:31:00 +0000", MOMENT);
	check_date("Sat, 21 Nov 2026 23:31:00 +0100 (CET)", MOMENT);
	check_date("21 Nov 2026 17:31 -0500", MOMENT);
	check_date("Sat, 21 Nov 26 22:31:00 GMT", MOMENT);
	check_date("Sat, 21 Nov 2026 17:31:00 EST", MOMENT);
	check_date(
	    "Sat,\r\n 21 (a (nested\\) comment)) Nov 2026 22:31:00 -0000",
	    MOMENT);
	check_date("Thu, 1 Jan 70 00:00:00 +0000", 0);
	check_date("31 Dec 2016 23:59:60 +0000", 1483228800);
	check_date("29 Feb 2000 00:00:00 +0000", 951782400);
}

static void
dates_as_mail_has_them_are_read(void **state)
{
	(void)state;
	check_date("Sat Nov 21 22:31:00 2026", MOMENT);
	check_date("Sat Nov 21 22:31:00 UTC 2026", MOMENT);
	check_date("Sat Nov 21 23:31:00 2026 +0100", MOMENT);
	check_date("2026-11-21T22:31:00Z", MOMENT);
	check_date("2026-11-21 23:31:00.123+01:00", MOMENT);
	check_date("Saturday, 21-Nov-26 22:31:00 GMT", MOMENT);
	check_date("Saturday, November 21, 2026 10:31:00 PM", MOMENT);
	check_date("Mon, 21 Nov 2026 23:31:00 GMT+0100", MOMENT);
	check_date("21 Nov 2026 22.31.00", MOMENT);
	check_date("\"Sat, 21 Nov 2026 22:31:00 +0000\"", MOMENT);
}

static void
what_is_no_moment_is_refused(void **state)
{
	static const char *const texts[] = { "", "yesterday", "21 Nov",
		"21 Nov 2026 25:00:00 +0000", "31 Feb 2026 00:00:00 +0000",
		"29 Feb 2100 00:00:00 +0000", "1 Jan 1969 00:00:00 +0000",
		"1 Jan 1970 00:00:00 +0100", "1 Jan 10000 00:00:00 +0000",
		"21 Nov 2026 22:31:00 +0160", "21 Nov 2026 22:60:00",
		"99999999999999999999 Nov 2026", "21 Nov 2026 22:31:00 @",
		"2026-13-01T00:00:00Z", "(", ")", "+", "21 Foo 2026 00:00" };
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (date_parse(span_of(texts[i]), &seconds) == 0)
			print_error("%s: taken\n", texts[i]);
		assert_true(date_parse(span_of(texts[i]), &seconds) < 0);
	}
}

static void
a_written_date_reads_back(void **state)
{
	char text[DATE_TEXT_SIZE];

	(void)state;
	assert_string_equal(date_format(MOMENT, text),
	    "Sat, 21 Nov 2026 22:31:00 +0000");
	assert_string_equal(date_format(-5, text),
	    "Thu, 01 Jan 1970 00:00:00 +0000");
	for (int64_t at = 0; at < 253402300800; at += 86400 * 97 + 12345)
		check_date(date_format(at, text), at);
	assert_string_equal(date_format(253402300799, text),
	    "Fri, 31 Dec 9999 23:59:59 +0000");
}

static void
command_dates_know_the_century(void **state)
{
	char text[DATE_NNTP_SIZE];
	int64_t at;

	(void)state;
	assert_string_equal(date_format_nntp(MOMENT, text), "20261121223100");
	assert_int_equal(date_parse_nntp(span_of("20261121"), span_of("223100"),
			     MOMENT, &at),
	    0);
	assert_int_equal(at, MOMENT);
	assert_int_equal(date_parse_nntp(span_of("261121"), span_of("223100"),
			     MOMENT, &at),
	    0);
	assert_int_equal(at, MOMENT);
	assert_int_equal(date_parse_nntp(span_of("990101"), span_of("000000"),
			     MOMENT, &at),
	    0);
	assert_int_equal(at, 915148800);
	assert_int_equal(date_parse_nntp(span_of("19600101"), span_of("000000"),
			     MOMENT, &at),
	    0);
	assert_int_equal(at, 0);
	assert_int_equal(date_parse_nntp(span_of("20261321"), span_of("223100"),
			     MOMENT, &at),
	    -EINVAL);
	assert_int_equal(date_parse_nntp(span_of("2026112"), span_of("223100"),
			     MOMENT, &at),
	    -EINVAL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_of_rfc_5322_are_read),
		cmocka_unit_test(dates_as_mail_has_them_are_read),
		cmocka_unit_test(what_is_no_moment_is_refused),
		cmocka_unit_test(a_written_date_reads_back),
		cmocka_unit_test(command_dates_know_the_century),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
