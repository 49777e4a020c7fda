/* test_moderation.c - what is held, who decides, and how often.
 */
#include "tests/unit/flow_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POST(id)                                                           \
 "From: x@y.example\nNewsgroups: a.talk\nSubject: a\nMessage-ID: " id "\n" \
 "Date: Fri, 15 Jan 2027 08:00:00 +0000\n\nhi\n"
#define MAIL(from, id, body)                                                \
 "From: " from "\nTo: talk@lists.example\nSubject: a\nMessage-ID: " id "\n" \
 "Date: Fri, 15 Jan 2027 08:00:00 +0000\n\n" body "\n"

static int
setup(void **state)
{
	int rc = fixture_setup(state);
	struct fixture *f = *state;

	rig_do(f,
	    WORDS("space", "add", "a.talk", "--kind", "talk", "--mail", "talk",
		"--post", "anyone", "--moderation", "all"));
	rig_do(f,
	    WORDS("member", "add", "boss@a.example", "--role", "moderator"));
	rig_do(f, WORDS("member", "add", "anna@a.example"));
	return rc;
}

static unsigned
held_count(struct fixture *f)
{
	char *answer = rig_ask(f, WORDS("held", "list"));
	unsigned count = 0;

	for (const char *at = answer; (at = strstr(at, "\"row\"")) != NULL;
	     at++)
		count++;
	free(answer);
	return count;
}

/* The address that the moderator's mail is to be answered to. */
static void
moderator_address(struct fixture *f, char *address, size_t room)
{
	const struct fixture_mail *mail;
	const char *at, *end;

	fixture_settle(f);
	mail = rig_mail_to(f, "boss@a.example");
	assert_non_null(mail);
	at = strstr(mail->body, "Reply-To: ");
	assert_non_null(at);
	at += strlen("Reply-To: ");
	end = strstr(at, "\r\n");
	(void)snprintf(address, room, "%.*s", (int)(end - at), at);
}

/* The Message-ID of the mail itself, owned. */
static char *
mail_id(const struct fixture_mail *mail)
{
	const char *at;

	assert_non_null(mail);
	at = strstr(mail->body, "Message-ID: ");
	assert_non_null(at);
	return strndup(at, strcspn(at, "\r"));
}

static void
a_post_to_a_moderated_space_has_no_number_until_released(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rig_post(f, NULL, POST("<1@y>")).reason, REASON_HELD);
	assert_int_equal(rig_count(f, "a.talk"), 0);
	rig_do(f, WORDS("held", "release", "1"));
	assert_int_equal(rig_count(f, "a.talk"), 1);
	assert_int_equal(held_count(f), 0);
	assert_true(
	    rig_says(f, WORDS("article", "show", "<1@y>"), "Approved: "));
	assert_int_equal(rig_post(f, NULL, POST("<1@y>")).reason,
	    REASON_DUPLICATE);
}

static void
what_waits_is_not_held_twice(void **state)
{
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(rig_post(*state, NULL, POST("<1@y>")).reason,
		    REASON_HELD);
	assert_int_equal(held_count(*state), 1);
}

static void
a_moderator_approves_by_mail_and_nobody_else_can(void **state)
{
	struct fixture *f = *state;
	char address[300];
	const char *to[] = { address, NULL };
	struct intake_reply reply;

	(void)rig_post(f, NULL, POST("<1@y>"));
	moderator_address(f, address, sizeof address);
	rig_mail(f, "anna@a.example", to,
	    MAIL("anna@a.example", "<m1@y>", "approve"), &reply);
	assert_int_equal(reply.code, 550);
	assert_int_equal(rig_count(f, "a.talk"), 0);
	/* an auto-reply decides nothing */
	rig_mail(f, "", to, MAIL("boss@a.example", "<m2@y>", "approve"),
	    &reply);
	assert_int_equal(rig_count(f, "a.talk"), 0);
	rig_mail(f, "boss@a.example", to,
	    MAIL("boss@a.example", "<m3@y>", "approve"), &reply);
	assert_int_equal(reply.code, 250);
	assert_int_equal(rig_count(f, "a.talk"), 1);
	/* the same answer once more is no error, and no second article */
	rig_mail(f, "boss@a.example", to,
	    MAIL("boss@a.example", "<m3@y>", "approve"), &reply);
	assert_int_equal(reply.code, 250);
	assert_int_equal(rig_count(f, "a.talk"), 1);
}

static void
a_rejection_tells_the_author_its_reason_only_if_there_is_one(void **state)
{
	struct fixture *f = *state;
	const char *const to[] = { "talk@lists.example", NULL };
	struct intake_reply reply;

	rig_mail(f, "x@y.example", to, MAIL("x@y.example", "<1@y>", "one"),
	    &reply);
	assert_int_equal(reply.code, 250);
	rig_do(f, WORDS("held", "reject", "1"));
	fixture_settle(f);
	assert_null(rig_mail_to(f, "x@y.example"));
	rig_mail(f, "x@y.example", to, MAIL("x@y.example", "<2@y>", "two"),
	    &reply);
	rig_do(f, WORDS("held", "reject", "2", "--reason", "not here"));
	fixture_settle(f);
	assert_non_null(rig_mail_to(f, "x@y.example"));
	assert_non_null(
	    strstr(rig_mail_to(f, "x@y.example")->body, "not here"));
	assert_int_equal(rig_count(f, "a.talk"), 0);
}

/* With a moderator at one of two lists. */
static void
a_mail_to_an_open_and_a_moderated_list_waits_only_for_one(void **state)
{
	struct fixture *f = *state;
	const char *const to[] = { "talk@lists.example", "open@lists.example",
		NULL };
	struct intake_reply replies[2];

	rig_do(f,
	    WORDS("space", "add", "a.open", "--kind", "talk", "--mail", "open",
		"--post", "anyone"));
	rig_mail(f, "x@y.example", to, MAIL("x@y.example", "<1@y>", "one"),
	    replies);
	assert_int_equal(replies[0].code, 250);
	assert_int_equal(replies[1].code, 250);
	assert_int_equal(rig_count(f, "a.open"), 1);
	assert_int_equal(rig_count(f, "a.talk"), 0);
	rig_do(f, WORDS("held", "release", "1"));
	assert_int_equal(rig_count(f, "a.talk"), 1);
	assert_int_equal(held_count(f), 0);
}

static void
who_is_named_for_a_space_is_asked_instead_of_who_may_by_role(void **state)
{
	struct fixture *f = *state;

	rig_do(f,
	    WORDS("space", "set", "a.talk", "--moderator", "anna@a.example"));
	(void)rig_post(f, NULL, POST("<1@y>"));
	fixture_settle(f);
	assert_non_null(rig_mail_to(f, "anna@a.example"));
	assert_null(rig_mail_to(f, "boss@a.example"));
}

static void
a_moderator_who_is_suspended_is_not_asked(void **state)
{
	struct fixture *f = *state;

	rig_do(f,
	    WORDS("space", "set", "a.talk", "--moderator", "anna@a.example"));
	rig_do(f,
	    WORDS("member", "set", "anna@a.example", "--state", "suspended"));
	(void)rig_post(f, NULL, POST("<1@y>"));
	fixture_settle(f);
	assert_null(rig_mail_to(f, "anna@a.example"));
	assert_non_null(rig_mail_to(f, "boss@a.example"));
}

static void
the_owners_of_a_staff_space_are_staff(void **state)
{
	struct fixture *f = *state;
	const char *const to[] = { "inner+owner@lists.example", NULL };
	struct intake_reply reply;

	rig_do(f,
	    WORDS("space", "add", "a.inner", "--kind", "talk", "--mail",
		"inner", "--read", "staff"));
	rig_do(f, WORDS("member", "add", "chief@a.example", "--role", "staff"));
	rig_mail(f, "x@y.example", to, MAIL("x@y.example", "<1@y>", "one"),
	    &reply);
	assert_int_equal(reply.code, 250);
	fixture_settle(f);
	assert_non_null(rig_mail_to(f, "chief@a.example"));
	assert_null(rig_mail_to(f, "boss@a.example"));
}

static void
what_is_handed_on_in_one_second_has_two_ids(void **state)
{
	struct fixture *f = *state;
	const char *const to[] = { "talk+owner@lists.example", NULL };
	char *first, *second;
	struct intake_reply reply;

	rig_mail(f, "x@y.example", to, MAIL("x@y.example", "<1@y>", "one"),
	    &reply);
	fixture_settle(f);
	first = mail_id(rig_mail_to(f, "boss@a.example"));
	fixture_forget_mail(f);
	rig_mail(f, "x@y.example", to, MAIL("x@y.example", "<2@y>", "two"),
	    &reply);
	fixture_settle(f);
	second = mail_id(rig_mail_to(f, "boss@a.example"));
	assert_string_not_equal(first, second);
	free(first);
	free(second);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_post_to_a_moderated_space_has_no_number_until_released),
		TEST(what_waits_is_not_held_twice),
		TEST(a_moderator_approves_by_mail_and_nobody_else_can),
		TEST(
		    a_rejection_tells_the_author_its_reason_only_if_there_is_one),
		TEST(a_mail_to_an_open_and_a_moderated_list_waits_only_for_one),
		TEST(
		    who_is_named_for_a_space_is_asked_instead_of_who_may_by_role),
		TEST(a_moderator_who_is_suspended_is_not_asked),
		TEST(the_owners_of_a_staff_space_are_staff),
		TEST(what_is_handed_on_in_one_second_has_two_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
