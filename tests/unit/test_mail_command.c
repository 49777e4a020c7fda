/* test_mail_command.c - commands in text and suffixes of addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "protocol/mail_command.h"
#include "protocol/mail_decision.h"

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

/* ---- decisions */

/* The next line of the text: its verb, and its numbers as "1-3 5-5". */
static enum mail_decision_verb
next_line(struct span *text, char numbers[100], char reason[100])
{
	struct mail_decision decision;
	uint32_t first, last;
	size_t len = 0;

	assert_true(mail_decision_next(text, &decision));
	numbers[0] = '\0';
	while (mail_decision_numbers(&decision.numbers, &first, &last))
		len += (size_t)snprintf(numbers + len, 100 - len, "%s%u-%u",
		    len == 0 ? "" : " ", first, last);
	span_copy(reason, 100, decision.reason);
	return decision.verb;
}

static void
each_line_decides_about_some_numbers(void **state)
{
	struct span text = span_of("\r\nApprove 12, 14 20-31.\r\n\nreject 5\n"
				   "REJECT 6,7 off topic\n"
				   "reject 8: 2 of them were enough\n"
				   "reject: 9 spam\naccept 4294967295\nList.\n");
	char numbers[100], reason[100];
	struct mail_decision end;

	(void)state;
	assert_int_equal(next_line(&text, numbers, reason),
	    MAIL_DECISION_APPROVE);
	assert_string_equal(numbers, "12-12 14-14 20-31");
	assert_int_equal(next_line(&text, numbers, reason),
	    MAIL_DECISION_REJECT);
	assert_string_equal(numbers, "5-5");
	assert_string_equal(reason, "");
	assert_int_equal(next_line(&text, numbers, reason),
	    MAIL_DECISION_REJECT);
	assert_string_equal(numbers, "6-6 7-7");
	assert_string_equal(reason, "off topic");
	assert_int_equal(next_line(&text, numbers, reason),
	    MAIL_DECISION_REJECT);
	assert_string_equal(numbers, "8-8");
	assert_string_equal(reason, "2 of them were enough");
	assert_int_equal(next_line(&text, numbers, reason),
	    MAIL_DECISION_REJECT);
	assert_string_equal(numbers, "9-9");
	assert_int_equal(next_line(&text, numbers, reason),
	    MAIL_DECISION_APPROVE);
	assert_string_equal(numbers, "4294967295-4294967295");
	assert_int_equal(next_line(&text, numbers, reason),
	    MAIL_DECISION_LIST);
	assert_false(mail_decision_next(&text, &end));
}

static void
a_line_that_is_not_wholly_a_decision_is_none(void **state)
{
	static const char *const lines[] = { "approve", "reject",
		"approve all of them", "approve 12 please", "approve 12-",
		"approve 31-20", "approve 4294967296", "approved 12", "12",
		"reject spam 12", "list 12", "approve 12a", "reject -", ":", "-",
		"approve12" };
	char numbers[100], reason[100];

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct span text = span_of(lines[i]);

		if (next_line(&text, numbers, reason) != MAIL_DECISION_NONE)
			fail_msg("%s", lines[i]);
	}
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
		cmocka_unit_test(each_line_decides_about_some_numbers),
		cmocka_unit_test(a_line_that_is_not_wholly_a_decision_is_none),
		cmocka_unit_test(
		    plus_and_minus_are_both_taken_and_the_longest_base_wins),
		cmocka_unit_test(t73_a_token_in_upper_case_is_found),
		cmocka_unit_test(
		    a_local_part_that_would_hide_a_suffix_is_not_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
