/* test_wildmat.c - wildmats and ranges. */
#include "protocol/wildmat.h"
#include "protocol/wildmat_legacy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/range.h"

static bool
matches(const char *pattern, const char *text)
{
	struct wildmat *compiled;
	bool found;

	assert_int_equal(wildmat_compile(span_of(pattern), &compiled), 0);
	found = wildmat_matches(compiled, span_of(text));
	wildmat_free(&compiled);
	return found;
}

static void
the_last_pattern_that_matches_decides(void **state)
{
	(void)state;
	assert_true(matches("a*,!*b,*c*", "aaa"));
	assert_false(matches("a*,!*b,*c*", "abb"));
	assert_true(matches("a*,!*b,*c*", "ccb"));
	assert_false(matches("a*,!*b,*c*", "xxx"));
	assert_false(matches("!a*", "abc"));
}

static void
stars_and_question_marks_count_characters(void **state)
{
	(void)state;
	assert_true(matches("comp.*", "comp."));
	assert_false(matches("comp.*", "comp"));
	assert_true(matches("*a*b*c", "xxaxxbxxabc"));
	assert_false(matches("*a*b*c", "xxaxxbxxabd"));
	assert_true(matches("a?c",
	    "a\xc3\xa4"
	    "c"));
	assert_false(matches("a??c",
	    "a\xc3\xa4"
	    "c"));
	assert_true(matches("*?", "\xe4\xb8\xad"));
	assert_false(matches("*??", "\xe4\xb8\xad"));
	assert_true(matches("**", ""));
	assert_false(matches("?", ""));
}

/* 4.4; $@ there is the pound sign */
static void
the_examples_of_rfc_3977_match(void **state)
{
	(void)state;
	assert_true(matches("abc", "abc"));
	assert_false(matches("abc", "abcd"));
	assert_true(matches("abc,def", "abc"));
	assert_true(matches("abc,def", "def"));
	assert_true(matches("\xc2\xa3", "\xc2\xa3"));
	assert_true(matches("a*", "a"));
	assert_true(matches("a*b", "ab"));
	assert_false(matches("a*b", "abc"));
	assert_true(matches("a*,*b", "ccb"));
	assert_true(matches("a*,!*b", "aa"));
	assert_false(matches("a*,!*b", "ab"));
	assert_true(matches("a*,!*b,c*", "cb"));
	assert_false(matches("a*,!*b,c*", "ab"));
	assert_true(matches("a*,c*,!*b", "cc"));
	assert_false(matches("a*,c*,!*b", "cb"));
	assert_true(matches("?a*",
	    "\xc2\xa3"
	    "a"));
	assert_false(matches("?a*", "a"));
	assert_true(matches("??a*", "bba"));
	assert_true(matches("*a?", "bba\xc2\xa3"));
	assert_true(matches("*a??", "abb"));
	assert_false(matches("*a??", "ab"));
}

static void
a_pattern_of_many_stars_takes_no_time(void **state)
{
	char pattern[401], text[2001];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof pattern; i += 2) {
		pattern[i] = '*';
		pattern[i + 1] = 'a';
	}
	pattern[sizeof pattern - 2] = 'b';
	pattern[sizeof pattern - 1] = '\0';
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_false(matches(pattern, text));
}

static void
syntax_is_that_of_rfc_3977(void **state)
{
	struct wildmat *compiled;

	(void)state;
	assert_true(wildmat_is_valid(span_of("a,!b,*?")));
	assert_false(wildmat_is_valid(span_of("")));
	assert_false(wildmat_is_valid(span_of("a,,b")));
	assert_false(wildmat_is_valid(span_of("a,")));
	assert_false(wildmat_is_valid(span_of("!")));
	assert_false(wildmat_is_valid(span_of("!!a")));
	assert_false(wildmat_is_valid(span_of("a!b")));
	assert_false(wildmat_is_valid(span_of("[a]")));
	assert_false(wildmat_is_valid(span_of("a\\b")));
	assert_false(wildmat_is_valid(span_of("\xc3")));
	assert_int_equal(wildmat_compile(span_of("a,"), &compiled), -EINVAL);
	assert_null(compiled);
}

static void
a_single_name_can_be_looked_up(void **state)
{
	struct wildmat *compiled;

	(void)state;
	assert_int_equal(wildmat_compile(span_of("a.b"), &compiled), 0);
	assert_true(span_equal(wildmat_literal(compiled), span_of("a.b")));
	wildmat_free(&compiled);
	assert_int_equal(wildmat_compile(span_of("a.*"), &compiled), 0);
	assert_int_equal(wildmat_literal(compiled).len, 0);
	wildmat_free(&compiled);
	wildmat_free(&compiled);
}

static bool
legacy(const char *pattern, const char *text)
{
	return wildmat_legacy_match(span_of(pattern), span_of(text));
}

static void
the_old_wildmat_has_sets_and_quotes(void **state)
{
	(void)state;
	assert_true(legacy("*", ""));
	assert_true(legacy("", ""));
	assert_false(legacy("", "a"));
	assert_false(legacy("a", ""));
	assert_true(legacy("*hello*", "Re: hello there"));
	assert_false(legacy("hello*", "Re: hello"));
	assert_true(legacy("[Rr]e: ?ello", "re: Hello"));
	assert_false(legacy("[^Rr]e*", "Re: hello"));
	assert_true(legacy("[0-9]*[a-z]", "7 of nine"));
	assert_true(legacy("[]x]", "]"));
	assert_true(legacy("[a-]", "-"));
	assert_true(legacy("[a", "[a"));
	assert_true(legacy("\\*[?]\\?", "*??"));
	assert_false(legacy("\\*", "x"));
	assert_true(legacy("a\\", "a\\"));
	assert_true(legacy("a?b",
	    "a\xc3\xa4"
	    "b"));
	assert_true(legacy("[\xc3\xa0-\xc3\xbf]", "\xc3\xa4"));
	assert_true(legacy("a?b",
	    "a\xe4"
	    "b"));
	assert_true(legacy("*a*b*c", "aabbcbc"));
	assert_false(legacy("*a*b*c", "aabbcbd"));
}

static void
ranges_are_read(void **state)
{
	struct range range;

	(void)state;
	assert_int_equal(range_parse(span_of("12"), &range), 0);
	assert_int_equal(range.first, 12);
	assert_int_equal(range.last, 12);
	assert_int_equal(range_parse(span_of("12-"), &range), 0);
	assert_int_equal(range.last, RANGE_NUMBER_MAX);
	assert_int_equal(range_parse(span_of("12-7"), &range), 0);
	assert_true(range.last < range.first);
	assert_int_equal(range_parse(span_of("9999999999-"), &range), 0);
	assert_int_equal(range.first, RANGE_NUMBER_MAX + 1u);
}

static void
what_is_no_range_is_refused(void **state)
{
	static const char *const texts[] = { "", "-", "-5", "a", "1-2-3", "1 ",
		"+1", "1-a", "<a@b>", "11111111111111111" };
	struct range range;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(range_parse(span_of(texts[i]), &range),
		    -EINVAL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_pattern_that_matches_decides),
		cmocka_unit_test(stars_and_question_marks_count_characters),
		cmocka_unit_test(the_examples_of_rfc_3977_match),
		cmocka_unit_test(a_pattern_of_many_stars_takes_no_time),
		cmocka_unit_test(syntax_is_that_of_rfc_3977),
		cmocka_unit_test(a_single_name_can_be_looked_up),
		cmocka_unit_test(the_old_wildmat_has_sets_and_quotes),
		cmocka_unit_test(ranges_are_read),
		cmocka_unit_test(what_is_no_range_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
