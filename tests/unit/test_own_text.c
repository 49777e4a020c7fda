/* test_own_text.c - quotes, signatures, HTML and flowed text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/html_text.h"
#include "protocol/own_text.h"

static void
expect_own(const char *text, const char *own)
{
	struct buffer out;

	buffer_init(&out, 0);
	assert_false(own_text_extract(&out, span_of(text)));
	assert_string_equal(buffer_text(&out), own);
	buffer_fini(&out);
}

static void
t52_answers_between_quoted_lines_are_kept(void **state)
{
	(void)state;
	expect_own("On Mon, 5 May 2025 at 10:11, A <a@b> wrote:\n"
		   "> one?\n\nYes.\n\n> two?\nNo.\n",
	    "Yes.\n\nNo.");
	expect_own("> asked\n> at length\n\nbottom answer\n-- \nsig\n",
	    "bottom answer");
}

static void
t54_own_words_that_look_like_headers_are_not_cut(void **state)
{
	(void)state;
	expect_own("On 5 May I wrote to you:\nno answer came.\n",
	    "On 5 May I wrote to you:\nno answer came.");
	expect_own("Look here.\nFrom: the manual\nit says so.\n",
	    "Look here.\nFrom: the manual\nit says so.");
}

static void
t55_outlook_blocks_of_four_languages_are_quotes(void **state)
{
	(void)state;
	expect_own("Hallo\n\nVon: A <a@b>\nGesendet: Montag\nAn: C\n"
		   "Betreff: x\n\nalt\n",
	    "Hallo");
	expect_own("Bonjour\n\nDe\xc2\xa0: A\nEnvoyé\xc2\xa0: lundi\n"
		   "À\xc2\xa0: C\nObjet\xc2\xa0: x\n\nvieux\n",
	    "Bonjour");
	expect_own(
	    "好\n\n发件人: a\n发送时间: 2025年\n收件人: c\n主题: x\n\n旧\n",
	    "好");
	expect_own("Chào\n\nTừ: A\nĐã gửi: Thứ Hai\nĐến: C\n"
		   "Chủ đề: x\n\ncũ\n",
	    "Chào");
}

static void
t55_attributions_of_clients_are_quotes(void **state)
{
	(void)state;
	expect_own("Ok\n\nAm 05.05.2025 um 10:11 schrieb A <a@b>:\n> x\n",
	    "Ok");
	expect_own("Ok\n\nLe lun. 5 mai 2025 à 10:11, A <a@b> a écrit :\n> x\n",
	    "Ok");
	expect_own("Ok\n\nEl lun, 5 may 2025 a las 10:11, A (<a@b>) "
		   "escribió:\n> x\n",
	    "Ok");
	expect_own("Ok\n\nVào Th 2, 5 thg 5, 2025 lúc 10:11 A <a@b> "
		   "đã viết:\n\n> x\n",
	    "Ok");
	expect_own("好\n\nA <a@b> 于2025年5月5日周一 10:11写道：\n> x\n", "好");
	expect_own("好\n\n------------------ 原始邮件 ------------------\n"
		   "发件人: a\n时间: 2025\n\n旧\n",
	    "好");
	expect_own("Ok\n\nOn Mon, 5 May 2025 at 10:11 Somebody Long\n"
		   "<a@b> wrote:\n\n> x\n",
	    "Ok");
	expect_own("Ok\n\n-----Original Message-----\nFrom: A\n\nold\n", "Ok");
}

static void
a_forwarded_mail_is_kept(void **state)
{
	static const char text[] = "See this.\n\n"
				   "---------- Forwarded message ---------\n"
				   "From: A <a@b>\nDate: Mon\nSubject: x\n\n"
				   "please help";

	(void)state;
	expect_own(text, text);
}

static void
t56_only_a_quote_is_kept_whole_and_flagged(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 0);
	assert_true(own_text_extract(&out, span_of("> all\n> quoted\n")));
	assert_string_equal(buffer_text(&out), "> all\n> quoted");
	buffer_fini(&out);
}

static void
t57_signatures_go(void **state)
{
	(void)state;
	expect_own("Text\n-- \nJoe\nACME\n", "Text");
	expect_own("Text\n--\nJoe\n", "Text");
	expect_own("Text\n\nSent from my iPhone\n", "Text");
	expect_own("Text\n\n发自我的iPhone\n", "Text");
	expect_own("Sent from my house, the parcel\nnever came.\n",
	    "Sent from my house, the parcel\nnever came.");
}

static void
t58_code_stays_intact(void **state)
{
	static const char diff[] =
	    "Try this:\n\n5c5\n< old\n---\n> new\nFrom here on it works";
	static const char prompt[] = "I type\n\n>>> print(1)\n1";

	(void)state;
	expect_own(diff, diff);
	expect_own(prompt, prompt);
}

static void
expect_html(const char *html, const char *text)
{
	struct buffer out;

	buffer_init(&out, 0);
	html_to_text(&out, span_of(html));
	assert_string_equal(buffer_text(&out), text);
	buffer_fini(&out);
}

static void
html_becomes_paragraphs_with_quote_depth(void **state)
{
	(void)state;
	expect_html("<p>A &amp; b</p><style>x{}</style><p>c<br>d</p>",
	    "A & b\n\nc\nd\n");
	expect_html("x<blockquote type=\"cite\">q<blockquote type=cite>r"
		    "</blockquote></blockquote>y",
	    "x\n\n> q\n\n> > r\n\ny\n");
	expect_html("Vi&#7879;t &#x4e2d; &lt;b&gt;", "Việt 中 <b>\n");
	expect_html("a < b <!-- c --> d <unclosed", "a < b d <unclosed\n");
}

static void
t53_a_blockquote_used_as_format_is_no_quote(void **state)
{
	(void)state;
	expect_html("a<blockquote>b</blockquote>", "a\n\n  b\n");
}

static void
expect_flowed(const char *in, bool delsp, const char *text)
{
	struct buffer out;

	buffer_init(&out, 0);
	flowed_to_text(&out, span_of(in), delsp);
	assert_string_equal(buffer_text(&out), text);
	buffer_fini(&out);
}

static void
t62_flowed_text_is_reflowed(void **state)
{
	(void)state;
	expect_flowed("one \ntwo\n>q \n>r\n>>s\n from\n-- \nsig\n", false,
	    "one two\n> q r\n>> s\nfrom\n-- \nsig\n");
	expect_flowed("\xe4\xbd\xa0 \n\xe5\xa5\xbd\n", true,
	    "\xe4\xbd\xa0\xe5\xa5\xbd\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t52_answers_between_quoted_lines_are_kept),
		cmocka_unit_test(
		    t54_own_words_that_look_like_headers_are_not_cut),
		cmocka_unit_test(
		    t55_outlook_blocks_of_four_languages_are_quotes),
		cmocka_unit_test(t55_attributions_of_clients_are_quotes),
		cmocka_unit_test(a_forwarded_mail_is_kept),
		cmocka_unit_test(t56_only_a_quote_is_kept_whole_and_flagged),
		cmocka_unit_test(t57_signatures_go),
		cmocka_unit_test(t58_code_stays_intact),
		cmocka_unit_test(html_becomes_paragraphs_with_quote_depth),
		cmocka_unit_test(t53_a_blockquote_used_as_format_is_no_quote),
		cmocka_unit_test(t62_flowed_text_is_reflowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
