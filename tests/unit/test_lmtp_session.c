/* test_lmtp_session.c - the dialogue of the LMTP and SMTP listeners.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/mail/engine_private.h"
#include "tests/unit/mail_rig.h"

#define GREETING "220 mx.example LMTP kith\r\n"
#define LHLO_REPLY                                                      \
 "250-mx.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n" \
 "250-ENHANCEDSTATUSCODES\r\n250 SIZE 100000\r\n"
#define GO_ON "354 End with a dot on a line of its own\r\n"

/* Greeted, with LHLO said. */
static void
lmtp_start(struct rig *rig)
{
	rig_start(rig, LISTEN_LMTP);
	rig_say(rig, "LHLO client\r\n");
	rig_expect(rig, GREETING LHLO_REPLY);
}

static void
each_recipient_gets_its_own_reply(void **state)
{
	struct rig rig;

	(void)state;
	lmtp_start(&rig);
	rig_say(&rig,
	    "MAIL FROM:<a@b.example> SIZE=20\r\n"
	    "RCPT TO:<help@lists.example>\r\nRCPT TO:<nobody@lists.example>\r\n"
	    "RCPT TO:<closed@lists.example>\r\nRCPT TO:<full@lists.example>\r\n"
	    "DATA\r\n");
	rig_expect(&rig,
	    "250 2.1.0 OK\r\n250 2.1.5 OK\r\n550 5.1.1 No such address\r\n"
	    "250 2.1.5 OK\r\n250 2.1.5 OK\r\n" GO_ON);
	rig_say(&rig, "Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n");
	rig_expect(&rig,
	    "250 2.0.0 Stored\r\n550 5.7.1 Closed\r\n452 4.3.1 No room\r\n"
	    "221 2.0.0 Bye\r\n");
	assert_string_equal(rig.raw, "Subject: x\r\n\r\n..dot\r\n");
	assert_string_equal(rig.plain, "Subject: x\r\n\r\n.dot\r\n");
	assert_null(rig.client.stream);
	assert_int_equal(mail_engine_session_count(rig.engine), 0);
	rig_stop(&rig);
}

static void
replies_stay_in_order_while_core_takes_its_time(void **state)
{
	struct rig rig;

	(void)state;
	lmtp_start(&rig);
	rig_say(&rig,
	    "MAIL FROM:<>\r\nRCPT TO:<late@lists.example>\r\n"
	    "RCPT TO:<nobody@lists.example>\r\nRCPT TO:<bad\r\n"
	    "RCPT TO:<help@lists.example>\r\nDATA\r\n");
	rig_expect(&rig, "250 2.1.0 OK\r\n");
	rig_late(&rig);
	rig_expect(&rig,
	    "250 2.1.5 OK, late\r\n550 5.1.1 No such address\r\n"
	    "501 5.1.3 TO:<address> is expected\r\n250 2.1.5 OK\r\n" GO_ON);
	rig_say(&rig, "a: b\r\n\r\n.\r\nNOOP\r\n");
	rig_expect(&rig,
	    "250 2.0.0 Stored\r\n250 2.0.0 Stored\r\n250 2.0.0 OK\r\n");
	rig_stop(&rig);
}

/* Who began while there was room, as many others did. */
static void
mails_that_grow_too_large_together_are_not_kept(void **state)
{
	char text[20000];
	struct rig rig;

	(void)state;
	lmtp_start(&rig);
	rig.engine->data_max = 4000;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	rig_say(&rig,
	    "MAIL FROM:<>\r\nRCPT TO:<help@lists.example>\r\nDATA\r\n");
	rig_expect(&rig, "250 2.1.0 OK\r\n250 2.1.5 OK\r\n" GO_ON);
	rig_say(&rig, text);
	rig_expect(&rig, "452 4.3.1 Busy, try again\r\n");
	assert_null(rig.client.stream);
	assert_int_equal(rig.engine->data_bytes, 0);
	rig_stop(&rig);
}

static void
data_without_a_valid_recipient_is_refused(void **state)
{
	struct rig rig;

	(void)state;
	lmtp_start(&rig);
	rig_say(&rig,
	    "MAIL FROM:<a@b>\r\nRCPT TO:<nobody@lists.example>\r\nDATA\r\n"
	    "RSET\r\nDATA\r\n");
	rig_expect(&rig,
	    "250 2.1.0 OK\r\n550 5.1.1 No such address\r\n"
	    "503 5.5.1 No valid recipients\r\n250 2.0.0 OK\r\n"
	    "503 5.5.1 MAIL first\r\n");
	rig_stop(&rig);
}

/* Says an envelope and data, expects what comes after 354. */
static void
data_gets(struct rig *rig, const char *data, const char *reply)
{
	rig_say(rig,
	    "MAIL FROM:<a@b>\r\nRCPT TO:<help@lists.example>\r\nDATA\r\n");
	rig_expect(rig, "250 2.1.0 OK\r\n250 2.1.5 OK\r\n" GO_ON);
	rig_say(rig, data);
	rig_expect(rig, reply);
}

static void
smuggled_commands_stay_text(void **state)
{
	static const char *const ends[] = { "\n.\n", "\n.\r\n", "\r\n.\n",
		"\r.\r", "\r\n.\r" };
	struct rig rig;
	size_t i;

	(void)state;
	lmtp_start(&rig);
	for (i = 0; i < sizeof ends / sizeof *ends; i++) {
		rig_say(&rig,
		    "MAIL FROM:<a@b>\r\n"
		    "RCPT TO:<help@lists.example>\r\nDATA\r\n");
		rig_expect(&rig, "250 2.1.0 OK\r\n250 2.1.5 OK\r\n" GO_ON);
		rig_say(&rig, "a: b\r\n\r\nx");
		rig_say(&rig, ends[i]);
		rig_say(&rig, "MAIL FROM:<evil@b>\r\n");
		rig_expect(&rig, "");
		rig_say(&rig, "\r\n.\r\n");
		assert_true(span_starts(buffer_span(&rig.client.text),
		    "554 5.6.0 The message "
		    "holds a bare "));
		buffer_clear(&rig.client.text);
	}
	assert_int_equal(rig.intakes, 0);
	assert_int_equal(rig.parsed, 0);
	rig_stop(&rig);
}

static void
a_mail_over_the_limit_is_refused_and_the_connection_lives(void **state)
{
	static char large[120001];
	struct rig rig;

	(void)state;
	lmtp_start(&rig);
	rig_say(&rig, "MAIL FROM:<a@b> SIZE=100001\r\n");
	rig_expect(&rig, "552 5.3.4 The message is too large\r\n");
	rig_say(&rig,
	    "MAIL FROM:<a@b>\r\nRCPT TO:<help@lists.example>\r\nDATA\r\n");
	rig_expect(&rig, "250 2.1.0 OK\r\n250 2.1.5 OK\r\n" GO_ON);
	memset(large, 'x', sizeof large - 1);
	rig_say(&rig, large);
	rig_say(&rig, "\r\n.\r\n");
	rig_expect(&rig, "552 5.3.4 The message is too large\r\n");
	data_gets(&rig, "a: b\r\n\r\n.\r\n", "250 2.0.0 Stored\r\n");
	assert_int_equal(rig.intakes, 1);
	rig_stop(&rig);
}

static void
overlong_and_malformed_lines_are_named(void **state)
{
	static char line[6000];
	struct rig rig;

	(void)state;
	lmtp_start(&rig);
	memset(line, 'x', sizeof line - 3);
	memcpy(line + sizeof line - 3, "\r\n", 3);
	rig_say(&rig, line);
	rig_expect(&rig, "500 5.5.2 Line too long\r\n");
	rig_say(&rig, "NOOP\nNOOP\r\n");
	rig_expect(&rig,
	    "500 5.5.2 A line ends with CRLF and holds no CR, LF or "
	    "NUL\r\n");
	rig_say(&rig,
	    "EHLO x\r\nMAIL FROM:<a@b> RET=FULL\r\nMAIL <a@b>\r\n"
	    "MAIL FROM:<\xc3\xa1@b>\r\nNOOP\r\n");
	rig_expect(&rig,
	    "500 5.5.1 No such command\r\n"
	    "555 5.5.4 Parameter not known here\r\n"
	    "501 5.1.7 FROM:<address> is expected\r\n"
	    "553 5.6.7 SMTPUTF8 is needed\r\n250 2.0.0 OK\r\n");
	rig_stop(&rig);
}

static void
ten_errors_in_a_row_end_the_session(void **state)
{
	struct rig rig;
	unsigned i;

	(void)state;
	lmtp_start(&rig);
	for (i = 0; i < 9; i++)
		rig_say(&rig, "XYZZY\r\n");
	rig_say(&rig, "NOOP\r\n");
	buffer_clear(&rig.client.text);
	for (i = 0; i < 10 && rig.client.stream != NULL; i++)
		rig_say(&rig, "XYZZY\r\n");
	assert_int_equal(i, 10);
	assert_null(rig.client.stream);
	assert_non_null(strstr(buffer_text(&rig.client.text),
	    "421 4.7.0 Too many errors, closing\r\n"));
	rig_stop(&rig);
}

static void
a_mail_that_crashes_the_parser_twice_is_taken_without_summary(void **state)
{
	struct rig rig;

	(void)state;
	lmtp_start(&rig);
	rig.parse_crashes = true;
	data_gets(&rig, "a: b\r\n\r\n.\r\n",
	    "451 4.3.0 The message could not be parsed, try again\r\n");
	assert_int_equal(rig.intakes, 0);
	rig_restart_parse(&rig);
	data_gets(&rig, "a: b\r\n\r\n.\r\n", "250 2.0.0 Stored\r\n");
	assert_int_equal(rig.parse_failures, 2);
	assert_int_equal(rig.intakes, 1);
	assert_int_equal(rig.summary_len, 0);
	rig_stop(&rig);
}

static void
mail_waits_for_a_parser_that_is_being_restarted(void **state)
{
	struct rig rig;

	(void)state;
	lmtp_start(&rig);
	ipc_free(&rig.parse);
	data_gets(&rig, "a: b\r\n\r\n.\r\n", "");
	rig_restart_parse(&rig);
	rig_expect(&rig, "250 2.0.0 Stored\r\n");
	assert_int_equal(rig.summary_len, 7);
	rig_stop(&rig);
}

static void
without_core_everything_is_for_later(void **state)
{
	struct rig rig;

	(void)state;
	lmtp_start(&rig);
	rig_say(&rig,
	    "MAIL FROM:<a@b>\r\nRCPT TO:<help@lists.example>\r\n"
	    "RCPT TO:<late@lists.example>\r\n");
	rig_expect(&rig, "250 2.1.0 OK\r\n250 2.1.5 OK\r\n");
	rig_lose_core(&rig);
	rig_expect(&rig,
	    "451 4.3.0 The recipient cannot be checked, try again\r\n");
	rig_say(&rig, "DATA\r\n");
	rig_say(&rig, "a: b\r\n\r\n.\r\n");
	rig_expect(&rig,
	    GO_ON
	    "451 4.3.0 The message store is not available, try again\r\n");
	rig_stop(&rig);
}

static void
smtp_says_one_reply_and_prefers_a_retry_to_a_loss(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, LISTEN_SMTP);
	rig_say(&rig,
	    "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<help@lists.example>\r\n"
	    "RCPT TO:<closed@lists.example>\r\nDATA\r\n");
	buffer_clear(&rig.client.text);
	rig_say(&rig, "a: b\r\n\r\n.\r\n");
	/* nor is a refusal lost */
	rig_expect(&rig,
	    "550 5.7.1 Closed (other recipients of this mail have it)\r\n");
	rig_say(&rig,
	    "MAIL FROM:<a@b>\r\nRCPT TO:<help@lists.example>\r\n"
	    "RCPT TO:<full@lists.example>\r\nDATA\r\n");
	buffer_clear(&rig.client.text);
	rig_say(&rig, "a: b\r\n\r\n.\r\n");
	rig_expect(&rig, "452 4.3.1 No room\r\n");
	rig_say(&rig,
	    "LHLO x\r\nRCPT TO:<postmaster>\r\nMAIL FROM:<a@b>\r\n"
	    "RCPT TO:<Postmaster>\r\nRCPT TO:<other>\r\n");
	rig_expect(&rig,
	    "500 5.5.1 No such command\r\n503 5.5.1 MAIL first\r\n"
	    "250 2.1.0 OK\r\n250 2.1.5 OK\r\n"
	    "501 5.1.3 local@domain is expected\r\n");
	rig_stop(&rig);
}

static void
the_hundred_and_first_recipient_is_for_the_next_mail(void **state)
{
	struct rig rig;
	unsigned i;

	(void)state;
	lmtp_start(&rig);
	rig_say(&rig, "MAIL FROM:<a@b>\r\n");
	for (i = 0; i < 100; i++)
		rig_say(&rig, "RCPT TO:<help@lists.example>\r\n");
	buffer_clear(&rig.client.text);
	rig_say(&rig, "RCPT TO:<help@lists.example>\r\n");
	rig_expect(&rig, "452 4.5.3 Too many recipients\r\n");
	rig_stop(&rig);
}

static void
a_client_that_goes_away_leaves_nothing_behind(void **state)
{
	struct rig rig;

	(void)state;
	lmtp_start(&rig);
	rig_say(&rig, "MAIL FROM:<a@b>\r\nRCPT TO:<late@lists.example>\r\n");
	stream_free(&rig.client.stream);
	rig_settle(&rig);
	assert_int_equal(mail_engine_session_count(rig.engine), 0);
	rig_late(&rig);
	rig_stop(&rig);
}

static void
a_shutdown_is_told_to_idle_sessions(void **state)
{
	struct rig rig;

	(void)state;
	lmtp_start(&rig);
	mail_engine_shut(rig.engine);
	rig_settle(&rig);
	rig_expect(&rig, "421 4.3.2 Shutting down\r\n");
	assert_null(rig.client.stream);
	rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_recipient_gets_its_own_reply),
		cmocka_unit_test(
		    replies_stay_in_order_while_core_takes_its_time),
		cmocka_unit_test(mails_that_grow_too_large_together_are_not_kept),
		cmocka_unit_test(data_without_a_valid_recipient_is_refused),
		cmocka_unit_test(smuggled_commands_stay_text),
		cmocka_unit_test(
		    a_mail_over_the_limit_is_refused_and_the_connection_lives),
		cmocka_unit_test(overlong_and_malformed_lines_are_named),
		cmocka_unit_test(ten_errors_in_a_row_end_the_session),
		cmocka_unit_test(
		    a_mail_that_crashes_the_parser_twice_is_taken_without_summary),
		cmocka_unit_test(
		    mail_waits_for_a_parser_that_is_being_restarted),
		cmocka_unit_test(without_core_everything_is_for_later),
		cmocka_unit_test(
		    smtp_says_one_reply_and_prefers_a_retry_to_a_loss),
		cmocka_unit_test(
		    the_hundred_and_first_recipient_is_for_the_next_mail),
		cmocka_unit_test(a_client_that_goes_away_leaves_nothing_behind),
		cmocka_unit_test(a_shutdown_is_told_to_idle_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
