/* test_walks.c - what anybody may ask for costs no walk through a table that many
 * fill: who has to be told, which mails carry an article, and what waits in a space.
 */
#include "tests/unit/flow_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- walks through these are counted (linked with --wrap) */

static unsigned walks;

int __real_store_walk(struct store_reader *reader, enum store_table table,
    const struct store_key *prefix, const struct store_key *from,
    store_walk_fn fn, void *arg);
int __wrap_store_walk(struct store_reader *reader, enum store_table table,
    const struct store_key *prefix, const struct store_key *from,
    store_walk_fn fn, void *arg);

int
__wrap_store_walk(struct store_reader *reader, enum store_table table,
    const struct store_key *prefix, const struct store_key *from,
    store_walk_fn fn, void *arg)
{
	walks += table == STORE_MEMBERS || table == STORE_JOBS ||
	    table == STORE_HELD;
	return __real_store_walk(reader, table, prefix, from, fn, arg);
}

/* ---- */

static int
setup(void **state)
{
	int rc = rig_setup(state);
	struct fixture *f = *state;

	rig_do(f, WORDS("member", "add", "boss@a.example", "--role", "admin"));
	rig_do(f,
	    WORDS("member", "add", "mod@a.example", "--role", "moderator"));
	rig_do(f, WORDS("member", "add", "ann@a.example"));
	return rc;
}

/* A mail to that address of ours; how many copies went out. */
static unsigned
told(struct fixture *f, const char *to)
{
	const char *const recipients[] = { to, NULL };
	struct intake_reply reply = { 0 };
	static unsigned number;
	char text[200];

	(void)snprintf(text, sizeof text,
	    "From: x@y.example\nTo: %s\nSubject: a\nMessage-ID: <%u@y>\n"
	    "Date: Fri, 15 Jan 2027 08:00:00 +0000\n\nhi\n",
	    to, number++);
	fixture_forget_mail(f);
	rig_mail(f, "x@y.example", recipients, text, &reply);
	assert_int_equal(reply.code, 250);
	fixture_settle(f);
	return (unsigned)f->mail_count;
}

static void
who_is_in_charge_is_told_without_a_walk_through_all_members(void **state)
{
	struct fixture *f = *state;

	walks = 0;
	assert_int_equal(told(f, "talk+owner@lists.example"), 2);
	assert_non_null(rig_mail_to(f, "boss@a.example"));
	assert_non_null(rig_mail_to(f, "mod@a.example"));
	assert_int_equal(told(f, "postmaster@lists.example"), 1);
	assert_non_null(rig_mail_to(f, "boss@a.example"));
	assert_int_equal(walks, 0);
	rig_do(f, WORDS("check"));
}

static void
roles_are_known_as_they_change(void **state)
{
	struct fixture *f = *state;

	rig_do(f, WORDS("member", "set", "ann@a.example", "--role", "admin"));
	assert_int_equal(told(f, "postmaster@lists.example"), 2);
	assert_non_null(rig_mail_to(f, "ann@a.example"));
	rig_do(f, WORDS("member", "set", "boss@a.example", "--role", "member"));
	assert_int_equal(told(f, "postmaster@lists.example"), 1);
	rig_do(f,
	    WORDS("member", "set", "mod@a.example", "--state", "suspended"));
	assert_int_equal(told(f, "talk+owner@lists.example"), 1);
	rig_do(f, WORDS("member", "remove", "ann@a.example"));
	assert_int_equal(told(f, "postmaster@lists.example"), 0);
	rig_do(f, WORDS("check"));
	fixture_reopen(f);
	rig_do(f, WORDS("member", "set", "mod@a.example", "--state", "active"));
	assert_int_equal(told(f, "talk+owner@lists.example"), 1);
	assert_non_null(rig_mail_to(f, "mod@a.example"));
}

static void
post(struct fixture *f, const char *id, const char *more)
{
	char text[300];

	(void)snprintf(text, sizeof text,
	    "From: ann@a.example\nNewsgroups: a.talk\nSubject: a\n"
	    "Message-ID: %s\n%s\nhi\n",
	    id, more);
	(void)rig_post(f, "ann@a.example", text);
}

static void
a_cancel_finds_the_mails_that_carry_its_article(void **state)
{
	struct fixture *f = *state;

	rig_do(f, WORDS("subscription", "add", "a.talk", "u@y.example"));
	f->reply_code = 451;
	post(f, "<1@y>", "");
	post(f, "<2@y>", "");
	fixture_settle(f);
	walks = 0;
	post(f, "<c1@y>", "Control: cancel <1@y>\n");
	assert_int_equal(walks, 0);
	/* the other one is still to go */
	fixture_forget_mail(f);
	f->reply_code = 250;
	clock_advance(f->clock, 7200);
	rig_do(f, WORDS("queue", "flush"));
	fixture_settle(f);
	assert_int_equal(f->mail_count, 1);
	rig_do(f, WORDS("check"));
	post(f, "<c2@y>", "Control: cancel <2@y>\n");
	assert_int_equal(walks, 0);
}

/* Where an answer to the last mail to him goes; owned. */
static char *
reply_to(struct fixture *f, const char *recipient)
{
	const struct fixture_mail *mail = rig_mail_to(f, recipient);
	const char *at;

	assert_non_null(mail);
	at = strstr(mail->head, "Reply-To: ");
	if (at == NULL)
		at = strstr(mail->body, "Reply-To: ");
	assert_non_null(at);
	at += strlen("Reply-To: ");
	at += *at == '<';
	return strndup(at, strcspn(at, ">\r\n"));
}

static void
what_waits_in_a_space_is_found_behind_what_waits_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct intake_reply reply = { 0 };
	const char *recipients[] = { NULL, NULL };
	char *to;

	rig_do(f,
	    WORDS("space", "set", "a.talk", "--moderation", "all"));
	rig_is(rig_post(f, NULL,
		   "From: x@y.example\nNewsgroups: a.talk\nSubject: a\n"
		   "Message-ID: <1@y>\n\nhi\n"),
	    REASON_HELD);
	fixture_settle(f);
	recipients[0] = to = reply_to(f, "mod@a.example");
	fixture_forget_mail(f);
	walks = 0;
	rig_mail(f, "mod@a.example", recipients,
	    "From: mod@a.example\nSubject: Re: a\nMessage-ID: <l@y>\n"
	    "Date: Fri, 15 Jan 2027 08:00:00 +0000\n\nlist\n",
	    &reply);
	assert_int_equal(reply.code, 250);
	fixture_settle(f);
	free(to);
	recipients[0] = to = reply_to(f, "mod@a.example");
	rig_mail(f, "mod@a.example", recipients,
	    "From: mod@a.example\nSubject: Re: a\nMessage-ID: <m@y>\n"
	    "Date: Fri, 15 Jan 2027 08:00:00 +0000\n\napprove 1-9\n",
	    &reply);
	assert_int_equal(reply.code, 250);
	fixture_settle(f);
	free(to);
	assert_int_equal(rig_count(f, "a.talk"), 1);
	assert_int_equal(walks, 0);
	rig_do(f, WORDS("check"));
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(who_is_in_charge_is_told_without_a_walk_through_all_members),
		TEST(roles_are_known_as_they_change),
		TEST(what_waits_in_a_space_is_found_behind_what_waits_elsewhere),
		TEST(a_cancel_finds_the_mails_that_carry_its_article),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
