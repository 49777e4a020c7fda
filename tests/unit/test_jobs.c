/* test_jobs.c - fan-out: everybody gets it once, later if not now, and a large
 * job holds up nobody.
 */
#include "tests/unit/flow_rig.h"

#include <stdio.h>
#include <string.h>

#include "daemon/community/jobs.h"
#include "daemon/community/members.h"
#include "daemon/community/subscriptions.h"

#define POST(id)                                                           \
 "From: x@y.example\nNewsgroups: a.talk\nSubject: a\nMessage-ID: " id "\n" \
 "\n.hi\nthere\n"

struct many {
	uint32_t space;
	unsigned count;
};

static int
subscribe_many(struct store_txn *txn, void *arg)
{
	const struct many *many = arg;
	int rc = 0;

	for (unsigned i = 0; i < many->count && rc == 0; i++) {
		Kith__Subscription subscription;
		char address[64];
		uint32_t id;

		kith__subscription__init(&subscription);
		(void)snprintf(address, sizeof address, "u%u@y.example", i);
		rc = address_make(txn, address, &id);
		if (rc == 0)
			rc = subscription_put(txn, many->space, id,
			    &subscription, FIXTURE_NOW, 0);
	}
	return rc;
}

static void
subscribe(struct fixture *f, unsigned count)
{
	struct space *space =
	    spaces_by_name(community_spaces(f->community), span_of("a.talk"));
	struct many many = { space->id, count };

	space_unref(space);
	assert_int_equal(fixture_run(f, subscribe_many, &many), 0);
}

static bool
queue_is_empty(struct fixture *f)
{
	return !rig_says(f, WORDS("queue", "list"), "\"row\"");
}

static void
every_subscriber_gets_a_post_once_with_an_envelope_of_his_own(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 250);
	assert_int_equal(rig_post(f, NULL, POST("<1@y>")).reason,
	    REASON_STORED);
	fixture_settle(f);
	assert_int_equal(f->mail_count, 250);
	for (const struct fixture_mail *mail = f->mails; mail != NULL;
	     mail = mail->next) {
		assert_memory_equal(mail->envelope_from, "talk+b.", 7);
		assert_non_null(
		    strstr(mail->head, "List-Unsubscribe: <mailto:talk+u."));
		if (mail->next != NULL)
			assert_string_not_equal(mail->recipient,
			    mail->next->recipient);
	}
	assert_true(queue_is_empty(f));
}

static void
a_copy_has_the_headers_of_a_list_and_the_bytes_of_its_author(void **state)
{
	struct fixture *f = *state;
	const char *body;

	subscribe(f, 1);
	(void)rig_post(f, NULL, POST("<1@y>"));
	fixture_settle(f);
	body = f->mails->body;
	assert_non_null(strstr(body, "List-Id: <talk.lists.example>\r\n"));
	assert_non_null(
	    strstr(body, "List-Post: <mailto:talk@lists.example>\r\n"));
	assert_non_null(
	    strstr(body, "Archived-At: <news://news.example/1@y>\r\n"));
	assert_non_null(strstr(body, "To: talk@lists.example\r\n"));
	assert_non_null(strstr(body, "Message-ID: <1@y>\r\n"));
	assert_non_null(strstr(body, "\r\n\r\n..hi\r\nthere\r\n"));
	assert_null(strstr(body, "Injection-Info"));
	assert_null(strstr(body, "Path:"));
}

static void
who_cannot_be_reached_now_is_tried_again(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 120);
	f->reply_code = 451;
	f->reply_text = "4.2.0 later";
	(void)rig_post(f, NULL, POST("<1@y>"));
	fixture_settle(f);
	assert_int_equal(f->mail_count, 120);
	assert_false(queue_is_empty(f));
	/* also when kithd was stopped meanwhile */
	fixture_reopen(f);
	fixture_forget_mail(f);
	f->reply_code = 250;
	clock_advance(f->clock, 120);
	jobs_run_due(community_jobs(f->community), false);
	fixture_settle(f);
	assert_int_equal(f->mail_count, 120);
	assert_true(queue_is_empty(f));
}

static void
nobody_is_tried_for_ever(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 2);
	f->reply_code = 451;
	(void)rig_post(f, NULL, POST("<1@y>"));
	fixture_settle(f);
	for (unsigned i = 0; i < 40; i++) {
		clock_advance(f->clock, 14400);
		jobs_run_due(community_jobs(f->community), false);
		fixture_settle(f);
	}
	assert_true(queue_is_empty(f));
}

static void
a_refused_recipient_is_not_tried_again(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 1);
	f->reply_code = 550;
	f->reply_text = "5.1.1 no such user";
	for (unsigned i = 0; i < 5; i++) {
		char text[200];

		(void)snprintf(text, sizeof text,
		    "From: x@y.example\nNewsgroups: a.talk\nSubject: a\n"
		    "Message-ID: <%u@y>\n\nhi\n",
		    i);
		assert_int_equal(rig_post(f, NULL, text).reason, REASON_STORED);
		fixture_settle(f);
		assert_true(queue_is_empty(f));
	}
	/* bounce.suspend_after is 5 */
	assert_true(
	    rig_says(f, WORDS("subscription", "list", "a.talk"), "suspended"));
}

static void
a_new_post_overtakes_a_large_job(void **state)
{
	struct fixture *f = *state;
	bool seen = false;
	unsigned before = 0;

	rig_do(f,
	    WORDS("space", "add", "a.small", "--kind", "talk", "--mail",
		"small", "--post", "anyone"));
	rig_do(f, WORDS("subscription", "add", "a.small", "me@z.example"));
	subscribe(f, 5000);
	(void)rig_post(f, NULL, POST("<1@y>"));
	(void)rig_post(f, NULL,
	    "From: x@y.example\nNewsgroups: a.small\nSubject: b\n\nhi\n");
	fixture_settle(f);
	assert_int_equal(f->mail_count, 5001);
	for (const struct fixture_mail *mail = f->mails; mail != NULL && !seen;
	     mail = mail->next) {
		seen = strcmp(mail->recipient, "me@z.example") == 0;
		before++;
	}
	assert_true(seen);
	assert_true(before < 3000);
}

static void
an_unsubscribed_reader_gets_no_late_copy(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 2);
	f->reply_code = 451;
	(void)rig_post(f, NULL, POST("<1@y>"));
	fixture_settle(f);
	rig_do(f, WORDS("subscription", "remove", "a.talk", "u0@y.example"));
	fixture_forget_mail(f);
	f->reply_code = 250;
	rig_do(f, WORDS("queue", "flush"));
	fixture_settle(f);
	assert_int_equal(f->mail_count, 1);
	assert_null(rig_mail_to(f, "u0@y.example"));
	assert_true(queue_is_empty(f));
}

static void
a_job_that_is_taken_out_sends_nothing_more(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 2);
	f->reply_code = 451;
	(void)rig_post(f, NULL, POST("<1@y>"));
	fixture_settle(f);
	rig_do(f, WORDS("queue", "remove", "1"));
	fixture_forget_mail(f);
	assert_true(queue_is_empty(f));
	rig_do(f, WORDS("queue", "flush"));
	fixture_settle(f);
	assert_int_equal(f->mail_count, 0);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, rig_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(
		    every_subscriber_gets_a_post_once_with_an_envelope_of_his_own),
		TEST(
		    a_copy_has_the_headers_of_a_list_and_the_bytes_of_its_author),
		TEST(who_cannot_be_reached_now_is_tried_again),
		TEST(nobody_is_tried_for_ever),
		TEST(a_refused_recipient_is_not_tried_again),
		TEST(a_new_post_overtakes_a_large_job),
		TEST(an_unsubscribed_reader_gets_no_late_copy),
		TEST(a_job_that_is_taken_out_sends_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
