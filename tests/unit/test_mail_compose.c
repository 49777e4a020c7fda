/* test_mail_compose.c - notices, digests, masked copies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/digest_compose.h"
#include "protocol/mail_summary.h"
#include "protocol/mask.h"
#include "protocol/mime.h"

#define TOKEN "abcdefghijklmnop234567"
#define CROSS "xxxxxxxxxxxxxxxxxxxxxx"

static void
expect_has(const struct buffer *out, const char *text)
{
	if (strstr(buffer_text(out), text) == NULL)
		fail_msg("«%s» is not in:\n%s", text, buffer_text(out));
}

static void
a_notice_is_a_mail_that_reads_back(void **state)
{
	struct mail_summary_options options = { .envelope_from = "" };
	struct mail_field fields[] = {
		{ "List-Id", "<help.lists.example>", MAIL_FIELD_RAW },
		{ "X-Evil", "a\r\nBcc: b@c", MAIL_FIELD_RAW },
	};
	struct mail_notice notice = { .date = 1764000000,
		.from_name = "Hỗ trợ",
		.from = "help@lists.example",
		.to = "a@b.example",
		.subject = "Xác nhận đăng ký",
		.message_id = "<1@lists.example>",
		.auto_submitted = "auto-replied",
		.fields = fields,
		.field_count = 2,
		.text = span_of("Chào bạn\nFrom here: =\n.\n") };
	struct mail_summary summary;
	struct buffer out;

	(void)state;
	buffer_init(&out, 0);
	assert_int_equal(mail_notice_compose(&out, &notice), 0);
	assert_null(strstr(buffer_text(&out), "\r\nBcc"));
	assert_int_equal(mail_summary_build(out.bytes, out.len, &options,
			     &summary),
	    0);
	assert_string_equal(summary.subject, notice.subject);
	assert_string_equal(summary.from.items[0].name, notice.from_name);
	assert_string_equal(summary.text, "Chào bạn\nFrom here: =\n.\n");
	assert_int_equal(summary.class, MAIL_CLASS_AUTO);
	assert_int_equal(summary.date, notice.date);
	mail_summary_fini(&summary);
	notice.to = "not an address";
	assert_int_equal(mail_notice_compose(&out, &notice), -EINVAL);
	buffer_fini(&out);
}

static void
long_lines_are_sent_as_quoted_printable(void **state)
{
	char line[1200];
	struct buffer out, back;
	size_t body;

	(void)state;
	memset(line, 'a', sizeof line);
	buffer_init(&out, 0);
	buffer_init(&back, 0);
	mail_body_write(&out, span_make(line, sizeof line), true);
	expect_has(&out, "quoted-printable");
	(void)mime_header_len(buffer_span(&out), &body);
	mime_decode(&back, span_make(out.bytes + body, out.len - body),
	    MIME_QP);
	assert_int_equal(back.len, sizeof line + 2);
	assert_memory_equal(back.bytes, line, sizeof line);
	buffer_fini(&out);
	buffer_fini(&back);
}

static const struct digest_item items[] = {
	{ .raw = { "Subject: one\r\n\r\nfirst\r\n", 23 },
	    .subject = "one",
	    .from = "A <a@b>",
	    .date = 1764000000,
	    .message_id = "<1@x>",
	    .text = { "first\n------------------------------\nafter\n", 43 } },
	{ .raw = { "Subject: two\r\n\r\nzw\xc3\xb6lf", 22 },
	    .subject = "hai \xe1\xbb\x87",
	    .from = "C <c@d>",
	    .date = 1764000060,
	    .message_id = "<2@x>",
	    .text = { "zw\xc3\xb6lf", 6 } },
};

static struct digest_issue
issue_make(void)
{
	return (struct digest_issue){ .list_name = "help",
		.volume = 2026,
		.number = 3,
		.date = 1764000100,
		.from = "help@lists.example",
		.to = "help@lists.example",
		.message_id = "<d3@lists.example>",
		.outro = "Leave: help+unsubscribe@lists.example",
		.items = items,
		.item_count = 2 };
}

static void
a_digest_holds_each_message_as_it_is(void **state)
{
	struct digest_issue issue = issue_make();
	struct mime_tree tree;
	struct buffer out;
	size_t messages = 0;

	(void)state;
	buffer_init(&out, 0);
	assert_int_equal(digest_compose(&out, &issue, DIGEST_MIME), 0);
	assert_int_equal(mime_tree_parse(buffer_span(&out), 100, &tree), 0);
	assert_true(span_is(tree.items[0].type, "multipart/mixed"));
	assert_true(span_is(tree.items[1].type, "text/plain"));
	assert_true(span_is(tree.items[2].type, "multipart/digest"));
	for (size_t i = 0; i < tree.count; i++) {
		if (!span_is(tree.items[i].type, "message/rfc822"))
			continue;
		assert_memory_equal(out.bytes + tree.items[i].body,
		    items[messages].raw.bytes, items[messages].raw.len);
		messages++;
	}
	assert_int_equal(messages, 2);
	expect_has(&out, "Subject: help Digest, Vol 2026, Issue 3\r\n");
	mime_tree_fini(&tree);
	issue.item_count = 0;
	assert_int_equal(digest_compose(&out, &issue, DIGEST_MIME), -EINVAL);
	buffer_fini(&out);
}

static void
a_plain_digest_has_the_separators_of_rfc_1153(void **state)
{
	struct digest_issue issue = issue_make();
	struct buffer out;

	(void)state;
	buffer_init(&out, 0);
	assert_int_equal(digest_compose(&out, &issue, DIGEST_PLAIN), 0);
	expect_has(&out,
	    "\r\n\r\n---------------------------------------------------------"
	    "-------------\r\n\r\nDate: ");
	expect_has(&out,
	    "\r\n ------------------------------\r\nafter\r\n\r\n"
	    "------------------------------\r\n\r\nDate: ");
	expect_has(&out,
	    "End of help Digest, Vol 2026, Issue 3\r\n"
	    "*************************************\r\n");
	expect_has(&out, "Content-Transfer-Encoding: 8bit\r\n");
	buffer_fini(&out);
}

static void
expect_mask(const char *message, const char *expected, unsigned masked)
{
	struct buffer out;
	unsigned count = 99;

	buffer_init(&out, 0);
	assert_int_equal(mail_mask_tokens(&out, span_of(message), true, &count),
	    0);
	assert_int_equal(count, masked);
	assert_string_equal(buffer_text(&out), expected);
	buffer_fini(&out);
}

static void
reply_tokens_are_masked_in_plain_text(void **state)
{
	(void)state;
	expect_mask("To: h+r." TOKEN "@x\r\n\r\n> To: h+r." TOKEN
		    "@x, h-B." TOKEN "@x\r\nmailto:h%2Br." TOKEN "%40x\r\n",
	    "To: h+r." TOKEN "@x\r\n\r\n> To: h+r." CROSS "@x, h-B." CROSS
	    "@x\r\nmailto:h%2Br." CROSS "%40x\r\n",
	    3);
	/* as HTML writes it */
	expect_mask("A: b\r\n\r\nh&#x2b;r." TOKEN "&#x40;x h&#043;r." TOKEN
		    "&#064;x h%2br." TOKEN "%40x\r\n",
	    "A: b\r\n\r\nh&#x2b;r." CROSS "&#x40;x h&#043;r." CROSS
	    "&#064;x h%2br." CROSS "%40x\r\n",
	    3);
	expect_mask("A: b\r\n\r\nx-a.short@y and h+rr." TOKEN "@x\r\n",
	    "A: b\r\n\r\nx-a.short@y and h+rr." TOKEN "@x\r\n", 0);
}

static void
reply_tokens_are_masked_across_soft_breaks_and_in_base64(void **state)
{
	struct buffer message, out, body;
	unsigned count;
	size_t at;

	(void)state;
	expect_mask("Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		    "h=2Br.abcdefghijkl=\r\nmnop234567=40x =C3=B6\r\n",
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "h+r." CROSS "@x =C3=B6\r\n",
	    1);
	buffer_init(&message, 0);
	buffer_init(&out, 0);
	buffer_init(&body, 0);
	buffer_append_text(&message,
	    "Content-Transfer-Encoding: base64\r\n\r\n");
	mime_base64_encode(&message, span_of("see h+r." TOKEN "@x\r\n"), true);
	assert_int_equal(mail_mask_tokens(&out, buffer_span(&message), true,
			     &count),
	    0);
	assert_int_equal(count, 1);
	(void)mime_header_len(buffer_span(&out), &at);
	mime_decode(&body, span_make(out.bytes + at, out.len - at),
	    MIME_BASE64);
	assert_string_equal(buffer_text(&body), "see h+r." CROSS "@x\r\n");
	buffer_fini(&message);
	buffer_fini(&out);
	buffer_fini(&body);
}

static void
a_message_without_tokens_is_copied_byte_for_byte(void **state)
{
	static const char message[] =
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nSGk=junk!\r\n\r\n--b\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=41=\r\n=zz\r\n"
	    "--b--\r\nepilogue";

	(void)state;
	expect_mask(message, message, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notice_is_a_mail_that_reads_back),
		cmocka_unit_test(long_lines_are_sent_as_quoted_printable),
		cmocka_unit_test(a_digest_holds_each_message_as_it_is),
		cmocka_unit_test(a_plain_digest_has_the_separators_of_rfc_1153),
		cmocka_unit_test(reply_tokens_are_masked_in_plain_text),
		cmocka_unit_test(
		    reply_tokens_are_masked_across_soft_breaks_and_in_base64),
		cmocka_unit_test(
		    a_message_without_tokens_is_copied_byte_for_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
