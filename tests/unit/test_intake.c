/* test_intake.c - the doors: what is stored, what is a duplicate, what is
 * refused, and what nobody may find out.
 */
#include "tests/unit/flow_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POST(from, groups, id, body)                                        \
 "From: " from "\nNewsgroups: " groups "\nSubject: a\nMessage-ID: " id "\n" \
 "Date: Fri, 15 Jan 2027 08:00:00 +0000\n\n" body "\n"
#define MAIL(from, id, body)                                                \
 "From: " from "\nTo: talk@lists.example\nSubject: a\nMessage-ID: " id "\n" \
 "Date: Fri, 15 Jan 2027 08:00:00 +0000\n\n" body "\n"

static int
setup(void **state)
{
	int rc = rig_setup(state);
	struct fixture *f = *state;

	rig_do(f,
	    WORDS("space", "add", "a.more", "--kind", "talk", "--mail", "more",
		"--post", "anyone"));
	rig_do(f,
	    WORDS("space", "add", "a.staff", "--kind", "internal", "--mail",
		"staff"));
	rig_do(f, WORDS("member", "add", "boss@a.example", "--role", "staff"));
	return rc;
}

static void
a_post_is_stored_and_numbered(void **state)
{
	struct fixture *f = *state;
	struct intake_result r =
	    rig_post(f, NULL, POST("x@y.example", "a.talk", "<1@y>", "hi"));

	assert_int_equal(r.reason, REASON_STORED);
	assert_int_equal(r.number, 1);
	assert_int_equal(rig_count(f, "a.talk"), 1);
}

static void
a_post_without_subject_is_refused_with_the_fault(void **state)
{
	struct intake_result r = rig_post(*state, NULL,
	    "From: x@y.example\nNewsgroups: a.talk\n\nhi\n");

	assert_int_equal(r.reason, REASON_BAD_ARTICLE);
	assert_string_equal(r.detail, "no Subject header");
}

static void
a_poster_may_not_bring_what_the_injecting_agent_says(void **state)
{
	static const char *const headers[] = { "Injection-Info: x",
		"Xref: x a.talk:1", "Path: x!.POSTED!y", "Approved: me@x",
		"Control: newgroup a.new", "Control: cancel",
		"Control: cancel <1@y>\nSupersedes: <1@y>",
		"Supersedes: <h@y>", "Also-Control: cancel <1@y>",
		"Injection-Date: Sun, 17 Jan 2027 08:00:00 +0000",
		"Cancel-Lock: (none)", "Cancel-Key: what", "Archive: maybe",
		"Expires: tomorrow", "Sender: me", "NNTP-Posting-Host: x" };

	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		char text[500];

		(void)snprintf(text, sizeof text,
		    "%s\n" POST("x@y.example", "a.talk", "<h@y>", "hi"),
		    headers[i]);
		assert_int_equal(rig_post(*state, NULL, text).reason,
		    REASON_BAD_ARTICLE);
	}
	assert_int_equal(rig_count(*state, "a.talk"), 0);
}

static void
a_hidden_group_answers_like_one_that_does_not_exist(void **state)
{
	struct intake_result hidden = rig_post(*state, NULL,
	    POST("x@y.example", "a.staff", "<1@y>", "hi"));
	struct intake_result none = rig_post(*state, NULL,
	    POST("x@y.example", "a.nixes", "<1@y>", "hi"));

	assert_int_equal(hidden.reason, REASON_NO_SUCH_SPACE);
	assert_int_equal(none.reason, REASON_NO_SUCH_SPACE);
}

static void
a_post_to_groups_of_different_readers_is_refused(void **state)
{
	struct intake_result r = rig_post(*state, "boss@a.example",
	    POST("boss@a.example", "a.talk,a.staff", "<1@y>", "hi"));

	assert_int_equal(r.reason, REASON_MIXED_READERS);
}

static void
the_same_post_again_is_a_duplicate(void **state)
{
	const char *text = POST("x@y.example", "a.talk", "<1@y>", "hi");

	assert_int_equal(rig_post(*state, NULL, text).reason, REASON_STORED);
	assert_int_equal(rig_post(*state, NULL, text).reason, REASON_DUPLICATE);
	assert_int_equal(rig_count(*state, "a.talk"), 1);
}

/* DESIGN section 4: no oracle, and nobody suppresses a mail by its id. */
static void
an_id_that_is_used_in_a_hidden_space_answers_as_unknown(void **state)
{
	struct intake_result r = rig_post(*state, "boss@a.example",
	    POST("boss@a.example", "a.staff", "<s@y>", "secret"));

	assert_int_equal(r.reason, REASON_STORED);
	r = rig_post(*state, NULL,
	    POST("x@y.example", "a.talk", "<s@y>", "other"));
	assert_int_equal(r.reason, REASON_STORED);
}

static void
a_mail_with_an_id_that_was_used_before_keeps_its_content(void **state)
{
	const char *const to[] = { "talk@lists.example", NULL };
	struct intake_reply reply;

	assert_int_equal(rig_post(*state, NULL,
			     POST("x@y.example", "a.talk", "<1@y>", "hi"))
			     .reason,
	    REASON_STORED);
	/* both are kept; handed in again it is a duplicate of itself */
	for (unsigned i = 0; i < 2; i++) {
		rig_mail(*state, "z@y.example", to,
		    MAIL("z@y.example", "<1@y>", "something else"), &reply);
		assert_int_equal(reply.code, 250);
		assert_int_equal(rig_count(*state, "a.talk"), 2);
	}
}

static void
a_mail_to_two_lists_is_one_article_in_two_places(void **state)
{
	const char *const to[] = { "talk@lists.example", "more@lists.example",
		"nobody@lists.example", NULL };
	struct intake_reply replies[3];
	char *one, *two;

	rig_mail(*state, "z@y.example", to, MAIL("z@y.example", "<2@y>", "hi"),
	    replies);
	assert_int_equal(replies[0].code, 250);
	assert_int_equal(replies[1].code, 250);
	assert_int_equal(replies[2].code, 550);
	one = rig_ask(*state, WORDS("article", "show", "a.talk:1"));
	two = rig_ask(*state, WORDS("article", "show", "a.more:1"));
	assert_string_equal(one, two);
	free(one);
	free(two);
}

static void
a_mail_that_reaches_a_second_list_later_gets_a_second_place(void **state)
{
	const char *const talk[] = { "talk@lists.example", NULL };
	const char *const more[] = { "more+x@lists.example", NULL };
	const char *const again[] = { "more@lists.example", NULL };
	const char *text = MAIL("z@y.example", "<3@y>", "hi");
	struct intake_reply reply;

	rig_mail(*state, "z@y.example", talk, text, &reply);
	rig_mail(*state, "z@y.example", more, text, &reply);
	assert_int_equal(reply.code, 550);
	rig_mail(*state, "z@y.example", again, text, &reply);
	assert_int_equal(reply.code, 250);
	assert_int_equal(rig_count(*state, "a.more"), 1);
	rig_do(*state, WORDS("article", "remove", "<3@y>"));
	assert_int_equal(rig_count(*state, "a.more"), 0);
	assert_int_equal(rig_count(*state, "a.talk"), 0);
	/* what was taken away does not come back */
	rig_mail(*state, "z@y.example", talk, text, &reply);
	assert_int_equal(reply.code, 250);
	assert_int_equal(rig_count(*state, "a.talk"), 0);
}

static void
a_mail_without_any_header_is_taken_and_the_same_again_is_not(void **state)
{
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(rig_import(*state, "a.talk", "\nonly a body\n")
				     .reason,
		    i == 0 ? REASON_STORED : REASON_DUPLICATE);
}

static void
received_bytes_are_kept_and_mail_control_headers_are_hidden(void **state)
{
	static const char text[] =
	    "Return-Path: <x@y.example>\nSubject:  odd   spaces\n"
	    "X-Old:\nFrom: x@y.example\nControl: cancel <1@y>\n"
	    "Message-ID: <k@y>\nDate: Fri, 15 Jan 2027 08:00:00 +0000\n\n"
	    "..dots\n.\nFrom here\n";
	char *shown;

	assert_int_equal(rig_import(*state, "a.talk", text).reason,
	    REASON_STORED);
	shown = rig_ask(*state, WORDS("article", "show", "<k@y>"));
	assert_non_null(strstr(shown, "Subject:  odd   spaces"));
	assert_non_null(strstr(shown, "X-Old:"));
	assert_null(strstr(shown, "Control:"));
	assert_null(strstr(shown, "Return-Path:"));
	free(shown);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_post_is_stored_and_numbered),
		TEST(a_post_without_subject_is_refused_with_the_fault),
		TEST(a_poster_may_not_bring_what_the_injecting_agent_says),
		TEST(a_hidden_group_answers_like_one_that_does_not_exist),
		TEST(a_post_to_groups_of_different_readers_is_refused),
		TEST(the_same_post_again_is_a_duplicate),
		TEST(an_id_that_is_used_in_a_hidden_space_answers_as_unknown),
		TEST(a_mail_with_an_id_that_was_used_before_keeps_its_content),
		TEST(a_mail_to_two_lists_is_one_article_in_two_places),
		TEST(
		    a_mail_that_reaches_a_second_list_later_gets_a_second_place),
		TEST(
		    a_mail_without_any_header_is_taken_and_the_same_again_is_not),
		TEST(
		    received_bytes_are_kept_and_mail_control_headers_are_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
