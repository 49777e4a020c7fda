/* test_mail_command.c - commands in text and suffixes of addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/mail_command.h"

static void
expect_command(const char *text, enum mail_command_verb verb)
{
	assert_int_equal(mail_command_parse(span_of(text)).verb, verb);
}

static void
a_line_that_is_wholly_a_command_is_one(void **state)
{
	struct mail_command command;

	(void)state;
	expect_command("\n  Approve.\n", MAIL_COMMAND_APPROVE);
	expect_command("yes", MAIL_COMMAND_YES);
	expect_command("UNSUBSCRIBE!\nplease", MAIL_COMMAND_UNSUBSCRIBE);
	expect_command("yes but not today", MAIL_COMMAND_NONE);
	expect_command("help me, it burns", MAIL_COMMAND_NONE);
	expect_command("", MAIL_COMMAND_NONE);
	command = mail_command_parse(span_of("reject: off topic here \r\nx"));
	assert_int_equal(command.verb, MAIL_COMMAND_REJECT);
	assert_true(span_is(command.argument, "off topic here"));
	command = mail_command_parse(span_of("subscribe digest"));
	assert_int_equal(command.verb, MAIL_COMMAND_SUBSCRIBE);
	assert_int_equal(command.mode, MAIL_MODE_DIGEST);
	assert_true(command.mode_given);
	expect_command("subscribe everything", MAIL_COMMAND_NONE);
}

static void
every_command_has_one_line_of_usage(void **state)
{
	size_t count = 0;

	(void)state;
	while (mail_command_usage(count) != NULL)
		count++;
	assert_int_equal(count, 8);
}

static bool
exists(void *context, struct span local)
{
	(void)context;
	return span_is(local, "help") || span_is(local, "dev") ||
	    span_is(local, "dev-help");
}

static void
expect_suffix(const char *local, const char *base, enum mail_suffix suffix)
{
	struct mail_recipient recipient;
	bool found;

	found = mail_recipient_parse(span_of(local), exists, NULL, &recipient);
	assert_int_equal(found, base != NULL);
	if (base == NULL)
		return;
	assert_true(span_is(recipient.base, base));
	assert_int_equal(recipient.suffix, suffix);
}

static void
plus_and_minus_are_both_taken_and_the_longest_base_wins(void **state)
{
	(void)state;
	expect_suffix("Help", "help", MAIL_SUFFIX_NONE);
	expect_suffix("help+subscribe", "help", MAIL_SUFFIX_SUBSCRIBE);
	expect_suffix("help-UNSUBSCRIBE", "help", MAIL_SUFFIX_UNSUBSCRIBE);
	expect_suffix("dev-help", "dev-help", MAIL_SUFFIX_NONE);
	expect_suffix("dev+help", "dev", MAIL_SUFFIX_HELP);
	expect_suffix("dev-help-help", "dev-help", MAIL_SUFFIX_HELP);
	expect_suffix("dev-subscribe-digest", "dev", MAIL_SUFFIX_SUBSCRIBE);
	expect_suffix("dev+nothing", NULL, MAIL_SUFFIX_NONE);
	expect_suffix("nobody+subscribe", NULL, MAIL_SUFFIX_NONE);
	expect_suffix("", NULL, MAIL_SUFFIX_NONE);
	expect_suffix("+subscribe", NULL, MAIL_SUFFIX_NONE);
}

static void
t73_a_token_in_upper_case_is_found(void **state)
{
	struct mail_recipient recipient;

	(void)state;
	assert_true(mail_recipient_parse(span_of("dev-help-R.ABCDEFGH234567"),
	    exists, NULL, &recipient));
	assert_int_equal(recipient.suffix, MAIL_SUFFIX_TOKEN);
	assert_int_equal(recipient.kind, 'r');
	assert_true(span_equal(recipient.token, span_of("ABCDEFGH234567")));
	assert_true(span_is(recipient.base, "dev-help"));
	expect_suffix("dev+r.abc1abcabc", NULL, MAIL_SUFFIX_NONE);
}

static void
a_local_part_that_would_hide_a_suffix_is_not_usable(void **state)
{
	(void)state;
	assert_true(mail_local_is_usable(span_of("dev-team.2")));
	assert_false(mail_local_is_usable(span_of("dev-help")));
	assert_false(mail_local_is_usable(span_of("dev-c.abcdefgh")));
	assert_false(mail_local_is_usable(span_of("a+b")));
	assert_false(mail_local_is_usable(span_of("")));
	assert_false(
	    mail_local_is_usable(span_of("abcdefghijklmnopqrstuvwxy")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_that_is_wholly_a_command_is_one),
		cmocka_unit_test(every_command_has_one_line_of_usage),
		cmocka_unit_test(
		    plus_and_minus_are_both_taken_and_the_longest_base_wins),
		cmocka_unit_test(t73_a_token_in_upper_case_is_found),
		cmocka_unit_test(
		    a_local_part_that_would_hide_a_suffix_is_not_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
