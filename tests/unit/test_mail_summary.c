/* test_mail_summary.c - what a mail means: parts, text, class, trust, reports. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/mail_summary.h"

static const struct mail_summary_options options = { .envelope_from = "a@b",
	.authserv_id = "mx.example",
	.domain = "lists.example",
	.hostname = "news.example" };

static void
build(struct mail_summary *summary, const char *message)
{
	assert_int_equal(mail_summary_build(message, strlen(message), &options,
			     summary),
	    0);
}

static void
t22_a_mail_without_any_header_is_summarised(void **state)
{
	struct mail_summary summary;

	(void)state;
	build(&summary, "\r\njust text\r\n");
	assert_int_equal(summary.from.count, 0);
	assert_string_equal(summary.message_id, "");
	assert_string_equal(summary.subject, "");
	assert_int_equal(summary.date, 0);
	assert_string_equal(summary.own_text, "just text");
	mail_summary_fini(&summary);
	build(&summary, "");
	mail_summary_fini(&summary);
}

static void
t23_several_from_are_flagged(void **state)
{
	struct mail_summary summary;

	(void)state;
	build(&summary, "From: a@b\r\nFrom: c@d\r\n\r\nx\r\n");
	assert_true(summary.several_from);
	mail_summary_fini(&summary);
	build(&summary, "From: a@b, c@d\r\n\r\nx\r\n");
	assert_true(summary.several_from);
	assert_int_equal(summary.from.count, 2);
	mail_summary_fini(&summary);
}

static void
expect_class(const char *envelope, const char *message, enum mail_class class)
{
	struct mail_summary_options other = options;
	struct mail_summary summary;

	other.envelope_from = envelope;
	assert_int_equal(mail_summary_build(message, strlen(message), &other,
			     &summary),
	    0);
	if (summary.class != class)
		fail_msg("%s: class %d (%s)", message, (int)summary.class,
		    summary.class_reason);
	mail_summary_fini(&summary);
}

static void
t40_vacation_notes_of_mail_programs_are_automatic(void **state)
{
	(void)state;
	expect_class("a@b", "Auto-Submitted: auto-replied (x)\r\n\r\nx\r\n",
	    MAIL_CLASS_AUTO);
	expect_class("a@b", "Auto-Submitted: no\r\n\r\nx\r\n",
	    MAIL_CLASS_HUMAN);
	expect_class("a@b",
	    "X-Auto-Response-Suppress: All\r\n"
	    "X-MS-Exchange-Inbox-Rules-Loop: a@b\r\n\r\nx\r\n",
	    MAIL_CLASS_AUTO);
	expect_class("a@b", "X-Auto-Response-Suppress: All\r\n\r\nx\r\n",
	    MAIL_CLASS_HUMAN);
	expect_class("a@b", "X-Autoreply: yes\r\n\r\nx\r\n", MAIL_CLASS_AUTO);
	expect_class("a@b", "Precedence: auto_reply\r\n\r\nx\r\n",
	    MAIL_CLASS_AUTO);
}

static void
t42_a_subject_alone_is_a_hint_and_counts_with_the_null_sender(void **state)
{
	static const char mail[] = "Subject: Trả lời tự động: x\r\n\r\nx\r\n";
	struct mail_summary summary;

	(void)state;
	build(&summary, mail);
	assert_true(summary.subject_hint);
	assert_int_equal(summary.class, MAIL_CLASS_HUMAN);
	mail_summary_fini(&summary);
	expect_class("", mail, MAIL_CLASS_AUTO);
}

static void
t43_a_human_may_write_out_of_office(void **state)
{
	(void)state;
	expect_class("a@b", "Subject: my out of office is broken\r\n\r\nx\r\n",
	    MAIL_CLASS_HUMAN);
}

static void
t45_our_own_mark_is_a_loop(void **state)
{
	(void)state;
	expect_class("a@b", "Kith-Loop: news.example\r\n\r\nx\r\n",
	    MAIL_CLASS_LOOP);
	expect_class("a@b", "List-Id: Help <help.Lists.example>\r\n\r\nx\r\n",
	    MAIL_CLASS_LOOP);
	expect_class("a@b", "List-Id: <x.other.example>\r\n\r\nx\r\n",
	    MAIL_CLASS_NO_ACK);
	expect_class("a@b", "Precedence: list\r\n\r\nx\r\n", MAIL_CLASS_NO_ACK);
	expect_class("a@b", "From: NoReply@x.example\r\n\r\nx\r\n",
	    MAIL_CLASS_NO_ACK);
	expect_class("", "From: x@x.example\r\n\r\nx\r\n", MAIL_CLASS_BOUNCE);
}

#define DSN_HEAD                                                        \
 "From: MAILER-DAEMON@mx\r\nContent-Type: multipart/report; "           \
 "report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nfailed\r\n" \
 "--b\r\nContent-Type: message/delivery-status\r\n\r\n"                 \
 "Reporting-MTA: dns; mx\r\nOriginal-Envelope-Id: e1\r\n\r\n"
#define DSN_TAIL                               \
 "--b\r\nContent-Type: message/rfc822\r\n\r\n" \
 "Message-ID: <1@lists.example>\r\nList-Id: "  \
 "<help.lists.example>\r\n\r\nx\r\n--b--\r\n"

static void
t46_a_dsn_tells_who_and_why(void **state)
{
	struct mail_summary summary;

	(void)state;
	build(&summary,
	    DSN_HEAD "Final-Recipient: rfc822; <u1@far.example>\r\n"
		     "Original-Recipient: rfc822;U1@far.example\r\n"
		     "Action: failed\r\nStatus: 5.1.1\r\n"
		     "Diagnostic-Code: smtp; 550 5.1.1\r\n unknown\r\n\r\n"
		     "Final-Recipient: rfc822; u2@far.example\r\n"
		     "Action: delayed\r\nStatus: 4.4.1\r\n\r\n" DSN_TAIL);
	assert_int_equal(summary.class, MAIL_CLASS_DSN);
	assert_int_equal(summary.report.count, 2);
	assert_string_equal(summary.report.recipients[0].final_recipient,
	    "u1@far.example");
	assert_string_equal(summary.report.recipients[0].diagnostic,
	    "550 5.1.1 unknown");
	assert_int_equal(summary.report.recipients[0].bounce, MAIL_BOUNCE_HARD);
	assert_int_equal(summary.report.recipients[1].bounce,
	    MAIL_BOUNCE_DELAYED);
	assert_string_equal(summary.report.original_message_id,
	    "<1@lists.example>");
	assert_string_equal(summary.report.envelope_id, "e1");
	mail_summary_fini(&summary);
}

/* as OpenSMTPD writes them */
#define MIXED                                                                \
 "Content-Type: multipart/mixed;boundary=\"1/mx\"\r\n\r\n--1/mx\r\n"       \
 "Content-Type: text/plain\r\n\r\nfailed\r\n--1/mx\r\n"                   \
 "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx"    \
 "\r\n\r\nFinal-Recipient: rfc822; u1@far.example\r\nAction: failed\r\n" \
 "Status: 5.0.0\r\n\r\n--1/mx\r\nContent-Type: text/rfc822-headers"       \
 "\r\n\r\nMessage-ID: <1@lists.example>\r\n\r\n--1/mx--\r\n"

static void
a_dsn_that_calls_itself_mixed_counts_from_a_mailer_daemon(void **state)
{
	struct mail_summary summary;

	(void)state;
	build(&summary,
	    "From: Mailer Daemon <MAILER-DAEMON@mx.example>\r\n" MIXED);
	assert_int_equal(summary.class, MAIL_CLASS_DSN);
	assert_int_equal(summary.report.count, 1);
	assert_int_equal(summary.report.recipients[0].bounce, MAIL_BOUNCE_HARD);
	assert_string_equal(summary.report.original_message_id,
	    "<1@lists.example>");
	mail_summary_fini(&summary);
	build(&summary, "From: Bert <bert@far.example>\r\n" MIXED);
	assert_int_equal(summary.class, MAIL_CLASS_HUMAN);
	mail_summary_fini(&summary);
}

static void
t47_receipts_and_complaints_are_told_apart(void **state)
{
	(void)state;
	expect_class("a@b",
	    "Content-Type: multipart/report; boundary=b; "
	    "report-type=\"disposition-notification\"\r\n\r\n--b--\r\n",
	    MAIL_CLASS_MDN);
	expect_class("",
	    "Content-Type: multipart/report; report-type=feedback-report; "
	    "boundary=b\r\n\r\n--b--\r\n",
	    MAIL_CLASS_ARF);
}

static void
t47_a_complaint_names_its_type_and_what_it_is_about(void **state)
{
	static const char original[] =
	    "--b\r\nContent-Type: message/rfc822\r\n\r\n"
	    "Return-Path: <talk+b.y@lists.example>\r\n"
	    "Message-ID: <1@c.example>\r\n\r\nx\r\n--b--\r\n";
	char text[2000];
	struct mail_summary summary;

	(void)state;
	for (int named = 0; named < 2; named++) {
		(void)snprintf(text, sizeof text,
		    "Content-Type: multipart/report; boundary=b; "
		    "report-type=feedback-report\r\n\r\n"
		    "--b\r\nContent-Type: text/plain\r\n\r\n"
		    "Feedback-Type: not-spam\r\n"
		    "--b\r\nContent-Type: message/feedback-report\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n%s\r\n%s",
		    /* Feedback-Type: Abuse (x), and Original-Mail-From:
		     * <talk+b.x@lists.example> */
		    named ? "RmVlZGJhY2stVHlwZTogQWJ1c2UgKHgpDQpPcmlnaW5hbC1NYWl"
			    "sLUZyb206IDx0YWxr\r\nK2IueEBsaXN0cy5leGFtcGxlPg0K"
			  : "RmVlZGJhY2stVHlwZTogQWJ1c2UgKHgpDQo=",
		    original);
		build(&summary, text);
		assert_int_equal(summary.class, MAIL_CLASS_ARF);
		assert_string_equal(summary.report.feedback_type, "abuse");
		assert_string_equal(summary.report.original_mail_from,
		    named ? "talk+b.x@lists.example"
			  : "talk+b.y@lists.example");
		assert_string_equal(summary.report.original_message_id,
		    "<1@c.example>");
		mail_summary_fini(&summary);
	}
	build(&summary, "Content-Type: text/plain\r\n\r\nFeedback-Type: abuse\r\n");
	assert_string_equal(summary.report.feedback_type, "");
	assert_string_equal(summary.report.original_mail_from, "");
	mail_summary_fini(&summary);
}

static enum mail_bounce
judge(const char *action, const char *status, const char *diagnostic)
{
	return mail_bounce_judge(span_of(action), span_of(status),
	    span_of(diagnostic));
}

static void
a_policy_refusal_or_a_full_mailbox_is_not_hard(void **state)
{
	(void)state;
	assert_int_equal(judge("failed", "5.1.1", ""), MAIL_BOUNCE_HARD);
	assert_int_equal(judge("failed", "5.2.1", ""), MAIL_BOUNCE_HARD);
	assert_int_equal(judge("failed", "5.7.26", ""), MAIL_BOUNCE_SOFT);
	assert_int_equal(judge("failed", "5.2.2", ""), MAIL_BOUNCE_SOFT);
	assert_int_equal(judge("failed", "5.2.20", ""), MAIL_BOUNCE_HARD);
	assert_int_equal(judge("failed", "4.4.1", ""), MAIL_BOUNCE_SOFT);
	assert_int_equal(judge("delayed", "4.4.1", ""), MAIL_BOUNCE_DELAYED);
	assert_int_equal(judge("delivered", "2.0.0", ""), MAIL_BOUNCE_NONE);
	assert_int_equal(judge("relayed", "5.1.1", ""), MAIL_BOUNCE_NONE);
	assert_int_equal(judge("failed", "5.0.0", "smtp; 550 5.7.1 spam"),
	    MAIL_BOUNCE_SOFT);
	assert_int_equal(judge("", "", "550 no such user"), MAIL_BOUNCE_HARD);
	assert_int_equal(judge("", "", "552 full"), MAIL_BOUNCE_SOFT);
}

static void
t51_the_useful_text_is_shown(void **state)
{
	struct mail_summary summary;

	(void)state;
	build(&summary,
	    "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
	    "Content-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: "
	    "text/html\r\n\r\n<b>html</b>\r\n--b--\r\n");
	assert_string_equal(summary.text, "plain");
	assert_false(summary.text_from_html);
	mail_summary_fini(&summary);
	build(&summary,
	    "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
	    "Content-Type: text/plain\r\n\r\n  \r\n--b\r\nContent-Type: "
	    "text/html\r\n\r\n<b>html</b>\r\n--b--\r\n");
	assert_string_equal(summary.text, "html\n");
	assert_true(summary.text_from_html);
	mail_summary_fini(&summary);
	build(&summary, "Content-Type: text/html\r\n\r\n<p>only</p>\r\n");
	assert_string_equal(summary.own_text, "only");
	mail_summary_fini(&summary);
}

static void
t60_broken_mime_loses_nothing(void **state)
{
	struct mail_summary summary;

	(void)state;
	build(&summary,
	    "Content-Type: multipart/mixed; boundary=----=_x_y\r\n"
	    "Content-Type: text/html\r\n\r\n------=_x_y\r\n\r\n"
	    "no end boundary\r\n");
	assert_string_equal(summary.own_text, "no end boundary");
	mail_summary_fini(&summary);
	build(&summary,
	    "Content-Transfer-Encoding: base64\r\n\r\nSGV*sb\r\nG8=\r\n");
	assert_string_equal(summary.own_text, "Hello");
	mail_summary_fini(&summary);
	build(&summary, "Content-Type: ;;=\"\r\n\r\nx\r\n");
	assert_string_equal(summary.own_text, "x");
	mail_summary_fini(&summary);
}

static void
nest(struct buffer *out, unsigned levels, const char *head)
{
	for (unsigned i = 0; i < levels; i++)
		buffer_append_text(out, head);
	buffer_append_text(out, "\r\nx\r\n");
}

static void
t60_fifty_levels_are_read_and_more_refused(void **state)
{
	struct mail_summary summary;
	struct buffer out;

	(void)state;
	buffer_init(&out, 0);
	nest(&out, 50, "Content-Type: message/rfc822\r\n\r\n");
	assert_int_equal(mail_summary_build(out.bytes, out.len, &options,
			     &summary),
	    0);
	mail_summary_fini(&summary);
	buffer_clear(&out);
	nest(&out, 100000, "Content-Type: message/rfc822\r\n\r\n");
	assert_int_equal(mail_summary_build(out.bytes, out.len, &options,
			     &summary),
	    -EBADMSG);
	buffer_fini(&out);
}

static void
t60_ten_thousand_parts_are_cut_and_said_so(void **state)
{
	struct mail_summary summary;
	struct buffer out;

	(void)state;
	buffer_init(&out, 0);
	buffer_append_text(&out,
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (unsigned i = 0; i < 10000; i++)
		buffer_append_text(&out,
		    "--b\r\nContent-Type: a/b\r\n\r\n\r\n");
	assert_int_equal(mail_summary_build(out.bytes, out.len, &options,
			     &summary),
	    0);
	assert_true(summary.parts_truncated);
	assert_in_range(summary.part_count, 900, MAIL_PARTS_MAX);
	mail_summary_fini(&summary);
	buffer_fini(&out);
}

static void
t61_paths_nul_and_long_subjects_are_harmless(void **state)
{
	static const char nul[] = "Subject: a\0b\r\n\r\nc\0d\r\n";
	struct mail_summary summary;
	struct buffer out;

	(void)state;
	build(&summary,
	    "Content-Type: application/x; name=\"..\\\\..\\\\evil\"\r\n"
	    "Content-Disposition: attachment; "
	    "filename=\"../../etc/passwd\"\r\n\r\nx\r\n");
	assert_string_equal(summary.parts[0].filename, "passwd");
	assert_true(summary.has_attachments);
	mail_summary_fini(&summary);
	assert_int_equal(mail_summary_build(nul, sizeof nul - 1, &options,
			     &summary),
	    0);
	assert_string_equal(summary.text,
	    "c\xef\xbf\xbd"
	    "d\n");
	mail_summary_fini(&summary);
	buffer_init(&out, 0);
	buffer_append_text(&out, "Subject: ");
	for (unsigned i = 0; i < 100000; i++)
		buffer_append_text(&out, "0123456789");
	buffer_append_text(&out, "\r\n\r\nx\r\n");
	assert_int_equal(mail_summary_build(out.bytes, out.len, &options,
			     &summary),
	    0);
	assert_int_equal(strlen(summary.subject), MAIL_SUBJECT_MAX);
	mail_summary_fini(&summary);
	buffer_fini(&out);
}

static void
t62_flowed_text_with_delsp_is_joined(void **state)
{
	struct mail_summary summary;

	(void)state;
	build(&summary,
	    "Content-Type: text/plain; format=Flowed; DelSp=yes\r\n\r\n"
	    "ab \r\ncd\r\n");
	assert_string_equal(summary.text, "abcd\n");
	mail_summary_fini(&summary);
}

static void
t63_signed_and_encrypted_mails_are_flagged(void **state)
{
	struct mail_summary summary;

	(void)state;
	build(&summary,
	    "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n"
	    "body\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n"
	    "x\r\n--b--\r\n");
	assert_true(summary.is_signed);
	assert_false(summary.has_attachments);
	assert_string_equal(summary.own_text, "body");
	mail_summary_fini(&summary);
	build(&summary,
	    "Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b--\r\n");
	assert_true(summary.encrypted);
	mail_summary_fini(&summary);
	build(&summary, "A: b\r\n\r\n-----BEGIN PGP MESSAGE-----\r\nx\r\n");
	assert_true(summary.encrypted);
	mail_summary_fini(&summary);
}

static void
expect_auth(const char *results, bool found, bool pass)
{
	struct mail_summary summary;
	struct buffer out;

	buffer_init(&out, 0);
	buffer_printf(&out, "%sFrom: s@Example.com\r\n\r\nx\r\n", results);
	assert_int_equal(mail_summary_build(out.bytes, out.len, &options,
			     &summary),
	    0);
	assert_int_equal(summary.auth.found, found);
	assert_int_equal(summary.auth.aligned_pass, pass);
	mail_summary_fini(&summary);
	buffer_fini(&out);
}

#define AR "Authentication-Results: "

static void
t27_only_the_topmost_field_with_our_id_counts(void **state)
{
	(void)state;
	expect_auth(AR "mx.example; dmarc=fail\r\n" AR
		       "mx.example; dmarc=pass\r\n",
	    true, false);
	expect_auth(AR "mx.example 1; (dmarc=pass) dmarc=fail\r\n", true,
	    false);
	expect_auth(AR "mx.example; spf=fail reason=\"; dmarc=pass\"\r\n", true,
	    false);
	expect_auth(AR "mx.example;\r\n dmarc=pass (p=none) "
		       "header.from=example.com\r\n",
	    true, true);
}

static void
t28_a_foreign_authserv_id_is_ignored(void **state)
{
	(void)state;
	expect_auth(AR "mx.evil; dmarc=pass\r\n", false, false);
	expect_auth(AR "mx.example.evil; dmarc=pass\r\n", false, false);
	expect_auth("", false, false);
}

static void
t29_a_pass_of_another_domain_is_not_aligned(void **state)
{
	(void)state;
	expect_auth(AR "mx.example; dkim=pass header.d=evil.com; "
		       "spf=pass smtp.mailfrom=x@example.com\r\n",
	    true, false);
	expect_auth(AR "mx.example; dkim=pass header.d=notexample.com\r\n",
	    true, false);
	expect_auth(AR "mx.example; dkim=pass header.i=@example.com\r\n", true,
	    true);
	expect_auth(AR "mx.example; dmarc=pass header.from=evil.com\r\n", true,
	    false);
	expect_auth(AR "mx.example; dkim=pass header.d=com\r\n", true, false);
}

static void
a_summary_survives_the_wire_and_every_cut_is_refused(void **state)
{
	struct mail_summary summary, again;
	struct buffer out, twice;

	(void)state;
	build(&summary,
	    "From: A <a@b>\r\nTo: c@d\r\nSubject: s\r\nMessage-ID: <1@x>\r\n"
	    "References: <2@x> <3@x>\r\nDate: Sat, 21 Nov 2026 22:31:00 +0000"
	    "\r\n\r\ntext\r\n");
	assert_int_equal(summary.references.count, 2);
	buffer_init(&out, 0);
	buffer_init(&twice, 0);
	mail_summary_encode(&out, &summary);
	assert_false(buffer_failed(&out));
	for (size_t i = 0; i < out.len; i++)
		assert_int_equal(mail_summary_decode(out.bytes, i, &again),
		    -EBADMSG);
	assert_int_equal(mail_summary_decode(out.bytes, out.len, &again), 0);
	mail_summary_encode(&twice, &again);
	assert_int_equal(out.len, twice.len);
	assert_memory_equal(out.bytes, twice.bytes, out.len);
	assert_string_equal(again.subject, "s");
	mail_summary_fini(&again);
	mail_summary_fini(&summary);
	buffer_append_byte(&out, 'x');
	assert_int_equal(mail_summary_decode(out.bytes, out.len, &again),
	    -EBADMSG);
	buffer_fini(&out);
	buffer_fini(&twice);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t22_a_mail_without_any_header_is_summarised),
		cmocka_unit_test(t23_several_from_are_flagged),
		cmocka_unit_test(
		    t40_vacation_notes_of_mail_programs_are_automatic),
		cmocka_unit_test(
		    t42_a_subject_alone_is_a_hint_and_counts_with_the_null_sender),
		cmocka_unit_test(t43_a_human_may_write_out_of_office),
		cmocka_unit_test(t45_our_own_mark_is_a_loop),
		cmocka_unit_test(t46_a_dsn_tells_who_and_why),
		cmocka_unit_test(
		    a_dsn_that_calls_itself_mixed_counts_from_a_mailer_daemon),
		cmocka_unit_test(t47_receipts_and_complaints_are_told_apart),
		cmocka_unit_test(
		    t47_a_complaint_names_its_type_and_what_it_is_about),
		cmocka_unit_test(
		    a_policy_refusal_or_a_full_mailbox_is_not_hard),
		cmocka_unit_test(t51_the_useful_text_is_shown),
		cmocka_unit_test(t60_broken_mime_loses_nothing),
		cmocka_unit_test(t60_fifty_levels_are_read_and_more_refused),
		cmocka_unit_test(t60_ten_thousand_parts_are_cut_and_said_so),
		cmocka_unit_test(t61_paths_nul_and_long_subjects_are_harmless),
		cmocka_unit_test(t62_flowed_text_with_delsp_is_joined),
		cmocka_unit_test(t63_signed_and_encrypted_mails_are_flagged),
		cmocka_unit_test(t27_only_the_topmost_field_with_our_id_counts),
		cmocka_unit_test(t28_a_foreign_authserv_id_is_ignored),
		cmocka_unit_test(t29_a_pass_of_another_domain_is_not_aligned),
		cmocka_unit_test(
		    a_summary_survives_the_wire_and_every_cut_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
