/* test_bounce.c - reports to VERP addresses.
 */
#include "tests/unit/flow_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
setup(void **state)
{
	int rc = rig_setup(state);
	struct fixture *f = *state;

	rig_do(f, WORDS("subscription", "add", "a.talk", "u@y.example"));
	assert_int_equal(rig_post(f, NULL,
			     "From: x@y.example\nNewsgroups: a.talk\n"
			     "Subject: a\nMessage-ID: <1@y>\n\nhi\n")
			     .reason,
	    REASON_STORED);
	fixture_settle(f);
	assert_int_equal(f->mail_count, 1);
	return rc;
}

static unsigned
report(struct fixture *f, const char *to, const char *action,
    const char *status, unsigned times)
{
	const char *const recipients[] = { to, NULL };
	struct intake_reply reply = { 0 };
	char text[1500];

	for (unsigned i = 0; i < times; i++) {
		(void)snprintf(text, sizeof text,
		    "From: MAILER-DAEMON@mx.example\nTo: %s\n"
		    "Subject: Undelivered\nMessage-ID: <r%u%s@mx>\n"
		    "Date: Fri, 15 Jan 2027 08:00:00 +0000\n"
		    "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
		    "Content-Type: multipart/report; "
		    "report-type=delivery-status; boundary=b\n\n"
		    "--b\nContent-Type: text/plain\n\nsorry\n"
		    "--b\nContent-Type: message/delivery-status\n\n"
		    "Reporting-MTA: dns; mx.example\n\n"
		    "Final-Recipient: rfc822; u@y.example\n"
		    "Action: %s\nStatus: %s\n\n--b--\n",
		    to, i, status, action, status);
		rig_mail(f, "", recipients, text, &reply);
	}
	return reply.code;
}

static bool
is_suspended(struct fixture *f)
{
	return rig_says(f, WORDS("subscription", "list", "a.talk"),
	    "suspended");
}

/* A new mail to the reader; its envelope, owned. */
static char *
send_one(struct fixture *f, unsigned i)
{
	const struct fixture_mail *mail;
	char text[200];

	(void)snprintf(text, sizeof text,
	    "From: x@y.example\nNewsgroups: a.talk\nSubject: a\n"
	    "Message-ID: <more%u@y>\n\nhi\n",
	    i);
	assert_int_equal(rig_post(f, NULL, text).reason, REASON_STORED);
	fixture_settle(f);
	for (mail = f->mails; mail->next != NULL; mail = mail->next)
		continue;
	return strdup(mail->envelope_from);
}

static void
bounce_mails(struct fixture *f, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++) {
		char *verp = send_one(f, i);

		assert_int_equal(report(f, verp, "failed", "5.1.1", 1), 250);
		free(verp);
	}
}

static void
hard_bounces_suspend_at_the_limit(void **state)
{
	struct fixture *f = *state;

	bounce_mails(f, 0, 4);
	assert_false(is_suspended(f));
	bounce_mails(f, 4, 1);
	assert_true(is_suspended(f));
	/* never posted, never answered */
	fixture_settle(f);
	assert_int_equal(f->mail_count, 6);
	assert_int_equal(rig_count(f, "a.talk"), 6);
}

static void
one_mail_that_comes_back_often_is_one_bounce(void **state)
{
	struct fixture *f = *state;
	char *verp = strdup(f->mails->envelope_from);

	(void)report(f, verp, "failed", "5.1.1", 10);
	assert_false(is_suspended(f));
	free(verp);
}

static void
delays_and_policy_refusals_do_not_count(void **state)
{
	struct fixture *f = *state;
	char *verp = strdup(f->mails->envelope_from);

	(void)report(f, verp, "delayed", "4.4.1", 6);
	(void)report(f, verp, "failed", "5.7.1", 6);
	(void)report(f, verp, "delivered", "2.0.0", 6);
	assert_false(is_suspended(f));
	free(verp);
}

static unsigned
rows_of(struct fixture *f, const char *kind)
{
	char *text = rig_ask(f, WORDS("member", "show", "u@y.example"));
	char wanted[40];
	unsigned count = 0;

	(void)snprintf(wanted, sizeof wanted, "\"kind\":\"%s\"", kind);
	for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++)
		count++;
	free(text);
	return count;
}

/* Whoever got a mail has its envelope, and may report about it as often as he
 * likes: that must not cost more than the mail did. */
static void
what_is_said_of_one_mail_is_one_row(void **state)
{
	struct fixture *f = *state;
	char *verp = strdup(f->mails->envelope_from);

	(void)report(f, verp, "failed", "5.7.1", 5);
	(void)report(f, verp, "failed", "4.2.2", 5);
	assert_int_equal(rows_of(f, "soft"), 1);
	/* worse than was known */
	(void)report(f, verp, "failed", "5.1.1", 5);
	assert_int_equal(rows_of(f, "hard"), 1);
	assert_int_equal(rows_of(f, "soft"), 0);
	(void)report(f, verp, "failed", "5.7.1", 5);
	assert_int_equal(rows_of(f, "hard"), 1);
	assert_int_equal(rows_of(f, "soft"), 0);
	free(verp);
	/* of another mail it is another */
	verp = send_one(f, 1);
	(void)report(f, verp, "failed", "5.7.1", 5);
	assert_int_equal(rows_of(f, "hard"), 1);
	assert_int_equal(rows_of(f, "soft"), 1);
	free(verp);
}

static void
old_bounces_are_forgotten(void **state)
{
	struct fixture *f = *state;

	bounce_mails(f, 0, 4);
	clock_advance(f->clock, 604801);
	bounce_mails(f, 4, 4);
	assert_false(is_suspended(f));
}

static void
a_forged_address_is_refused(void **state)
{
	struct fixture *f = *state;
	char *verp = strdup(f->mails->envelope_from);

	verp[8] = verp[8] == 'a' ? 'b' : 'a';
	assert_int_equal(report(f, verp, "failed", "5.1.1", 6), 550);
	assert_false(is_suspended(f));
	free(verp);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(hard_bounces_suspend_at_the_limit),
		TEST(one_mail_that_comes_back_often_is_one_bounce),
		TEST(delays_and_policy_refusals_do_not_count),
		TEST(what_is_said_of_one_mail_is_one_row),
		TEST(old_bounces_are_forgotten),
		TEST(a_forged_address_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
