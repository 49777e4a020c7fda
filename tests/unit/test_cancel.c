/* test_cancel.c - what an article says to cancel another one. */
#include "protocol/cancel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
target_is(const char *control, const char *id)
{
	struct span target = control_cancel_target(span_of(control));

	assert_true(span_equal(target, span_of(id)));
}

static void
a_cancel_names_one_article(void **state)
{
	(void)state;
	target_is("cancel <1@a.example>", "<1@a.example>");
	target_is("CANCEL\t <1@a.example>", "<1@a.example>");
	target_is("cancel\r\n <1@a.example>", "<1@a.example>");
	target_is("cancel", "");
	target_is("cancel 1@a.example", "");
	target_is("cancel <1@a.example> <2@a.example>", "");
	target_is("cancel <>", "");
	target_is("newgroup acme.talk", "");
	target_is("", "");
}

static void
a_control_message_has_a_verb(void **state)
{
	(void)state;
	assert_true(span_is(control_verb(span_of("rmgroup a.b")), "rmgroup"));
	assert_true(span_is(control_verb(span_of(" x-mine ")), "x-mine"));
	assert_int_equal(control_verb(span_of("a:b c")).len, 0);
	assert_int_equal(control_verb(span_of("  ")).len, 0);
}

/* The elements as "scheme=text", separated by blanks. */
static void
elements_are(const char *raw, const char *wanted)
{
	struct span rest = span_of(raw);
	struct cancel_element element;
	char text[512];
	size_t len = 0;

	while (cancel_element_next(&rest, &element)) {
		assert_true(len + element.scheme.len + element.text.len + 3 <
		    sizeof text);
		if (len > 0)
			text[len++] = ' ';
		memcpy(text + len, element.scheme.bytes, element.scheme.len);
		len += element.scheme.len;
		text[len++] = '=';
		memcpy(text + len, element.text.bytes, element.text.len);
		len += element.text.len;
	}
	text[len] = '\0';
	assert_string_equal(text, wanted);
}

static void
locks_and_keys_are_lists_with_folds_and_comments(void **state)
{
	(void)state;
	elements_are("sha256:abcd", "sha256=abcd");
	elements_are(" sha256:ab+/==\r\n\t ShA1:c (mine (\\) really)) x/1-2:d ",
	    "sha256=ab+/== ShA1=c x/1-2=d");
	elements_are("", "");
	elements_are("(only this", "");
}

/* RFC 8315 2.1: what is not understood must not hide what follows it. */
static void
what_is_no_element_is_passed_over(void **state)
{
	(void)state;
	elements_are("abcd sha256: :abcd sha256:a,b sha256:good", "sha256=good");
	assert_false(cancel_list_is_valid(span_of("abcd sha256:good")));
	assert_false(cancel_list_is_valid(span_of("(nothing)")));
	assert_true(cancel_list_is_valid(span_of("sha256:good (fine) md5:x")));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cancel_names_one_article),
		cmocka_unit_test(a_control_message_has_a_verb),
		cmocka_unit_test(
		    locks_and_keys_are_lists_with_folds_and_comments),
		cmocka_unit_test(what_is_no_element_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
