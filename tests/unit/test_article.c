/* test_article.c - the header scanner, lenient and strict. */
#include "protocol/article.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define GOOD \
 "From: A <a@example.com>\r\nNewsgroups: test.a\r\nSubject: hello\r\n"

static void
check_fault(const char *text, enum article_mode mode, const char *expected)
{
	struct article_header header;
	char words[100];
	int rc;

	article_header_init(&header);
	rc = article_scan(&header, span_of(text), mode, NULL);
	assert_int_equal(rc, expected == NULL ? 0 : -EBADMSG);
	if (expected != NULL)
		assert_string_equal(article_fault_text(&header, words,
					sizeof words),
		    expected);
	article_header_fini(&header);
}

static void
a_plain_post_is_fine(void **state)
{
	(void)state;
	check_fault(GOOD "\r\nbody\r\n", ARTICLE_POST, NULL);
	check_fault(GOOD "\r\n", ARTICLE_POST, NULL);
	check_fault(GOOD "X-Two: a\r\n\tb\r\n\r\n", ARTICLE_POST, NULL);
}

static void
a_post_is_refused_for_what_it_lacks(void **state)
{
	(void)state;
	check_fault("", ARTICLE_POST, "the article is empty");
	check_fault("From: a@b\r\nNewsgroups: test\r\n\r\n", ARTICLE_POST,
	    "no Subject header");
	check_fault("Subject: x\r\nNewsgroups: test\r\n\r\n", ARTICLE_POST,
	    "no From header");
	check_fault(GOOD, ARTICLE_POST, "no empty line after the header");
	check_fault(GOOD "\r\n", ARTICLE_PEER, "no Date header");
}

static void
a_post_is_refused_for_what_it_has(void **state)
{
	(void)state;
	check_fault(GOOD "Subject: x\r\n\r\n", ARTICLE_POST,
	    "more than one Subject header");
	check_fault(GOOD "Xref: a b:1\r\n\r\n", ARTICLE_POST,
	    "Xref header is not allowed here");
	check_fault(GOOD "nonsense\r\n\r\n", ARTICLE_POST,
	    "header line without a colon");
	check_fault(GOOD "a b: c\r\n\r\n", ARTICLE_POST, "bad header name");
	check_fault(GOOD "Summary:x\r\n\r\n", ARTICLE_POST,
	    "no space after the colon of Summary header");
	check_fault(GOOD "X-Mine: \r\n\r\n", ARTICLE_POST,
	    "X-Mine header is empty");
	check_fault(GOOD "X-Mine: a\r\n \r\n b\r\n\r\n", ARTICLE_POST,
	    "blank line within X-Mine header");
	check_fault(" x\r\n" GOOD "\r\n", ARTICLE_POST,
	    "the header begins with a folded line");
	check_fault(GOOD "X-Mine: a\nBcc: b\r\n\r\n", ARTICLE_POST,
	    "CR or LF alone in X-Mine header");
	check_fault(GOOD "Path: a!.POSTED!b\r\n\r\n", ARTICLE_POST,
	    "bad Path header");
	check_fault(GOOD "Date: yesterday\r\n\r\n", ARTICLE_POST,
	    "bad Date header");
	check_fault(GOOD "Message-ID: <a b@c>\r\n\r\n", ARTICLE_POST,
	    "bad Message-ID header");
}

static void
mail_is_taken_as_it_comes(void **state)
{
	static const char mail[] =
	    ">From x Thu Jan  1 00:00:00 1970\r\n"
	    "Subject:no space\r\nTo : blank before\r\n"
	    "Cc:\r\nthis is no field\r\nX-A: 1\r\n  2\r\n"
	    "X-A: 3\nX-B: no field\r\n\r\nbody";
	struct article_header header;
	const struct article_field *field;

	(void)state;
	article_header_init(&header);
	assert_int_equal(article_scan(&header, span_of(mail), ARTICLE_MAIL,
			     NULL),
	    0);
	assert_int_equal(header.count, 7);
	assert_true(header.has_junk);
	assert_int_equal(header.fields[0].id, HEADER_JUNK);
	assert_true(span_equal(article_value(&header, HEADER_SUBJECT),
	    span_of("no space")));
	assert_true(span_equal(article_value(&header, HEADER_TO),
	    span_of("blank before")));
	assert_non_null(article_field_find(&header, HEADER_CC, 0));
	assert_int_equal(article_value(&header, HEADER_CC).len, 0);
	field = article_field_named(&header, span_of("x-a"), 1);
	assert_non_null(field);
	assert_true(span_equal(field->value, span_of("3\nX-B: no field")));
	field = article_field_named(&header, span_of("X-A"), 0);
	assert_int_equal(field->len, strlen("X-A: 1\r\n  2\r\n"));
	assert_true(span_equal(article_body(&header), span_of("body")));
	article_header_fini(&header);
}

static void
fields_cover_the_header_without_a_gap(void **state)
{
	static const char *const texts[] = { "", "\r\n", "\r\nbody\r\n", "A: b",
		"A: b\r\n", "A: b\r\n\r\n", " x\r\nA: b\r\n c\r\n\r\nbody\r\n",
		"junk\r\n", "..name: stuffed\r\n\r\n", "\r", "\n" };
	struct article_header header;
	size_t at;

	(void)state;
	article_header_init(&header);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_int_equal(article_scan(&header, span_of(texts[i]),
				     ARTICLE_MAIL, NULL),
		    0);
		at = 0;
		for (size_t f = 0; f < header.count; f++) {
			assert_int_equal(header.fields[f].offset, at);
			at += header.fields[f].len;
		}
		assert_int_equal(at, header.header_len);
		assert_true(header.body_offset >= at);
	}
	article_header_fini(&header);
}

static void
fields_beyond_the_lent_room_are_kept_too(void **state)
{
	static const char text[] = "A: 1\r\nB: 2\r\nC: 3\r\n\r\n";
	struct article_header header;
	struct article_field room[2];

	(void)state;
	article_header_init(&header);
	article_header_lend(&header, room, 2);
	for (unsigned again = 0; again < 2; again++) {
		assert_int_equal(
		    article_scan(&header, span_of(text), ARTICLE_MAIL, NULL), 0);
		assert_int_equal(header.count, 3);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(header.fields[i].value.bytes[0],
			    '1' + (int)i);
	}
	article_header_fini(&header);
}

static void
limits_hold_in_every_mode(void **state)
{
	static const struct article_limits two = { 2, 1000 }, small = { 10, 8 };
	struct article_header header;

	(void)state;
	article_header_init(&header);
	assert_int_equal(article_scan(&header, span_of("A: b\r\nC: d\r\n"),
			     ARTICLE_MAIL, &two),
	    0);
	assert_int_equal(article_scan(&header,
			     span_of("A: b\r\nC: d\r\nE: f\r\n"), ARTICLE_MAIL,
			     &two),
	    -EBADMSG);
	assert_int_equal(header.fault, ARTICLE_TOO_MANY_FIELDS);
	assert_int_equal(article_scan(&header, span_of("A: b\r\nC: d\r\n"),
			     ARTICLE_MAIL, &small),
	    -EBADMSG);
	assert_int_equal(header.fault, ARTICLE_HEADER_TOO_LARGE);
	article_header_fini(&header);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_post_is_fine),
		cmocka_unit_test(a_post_is_refused_for_what_it_lacks),
		cmocka_unit_test(a_post_is_refused_for_what_it_has),
		cmocka_unit_test(mail_is_taken_as_it_comes),
		cmocka_unit_test(fields_cover_the_header_without_a_gap),
		cmocka_unit_test(fields_beyond_the_lent_room_are_kept_too),
		cmocka_unit_test(limits_hold_in_every_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
