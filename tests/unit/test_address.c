/* test_address.c - addresses, lists of them, words and charsets in headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/address.h"
#include "protocol/utf8.h"
#include "protocol/words.h"

static void
expect_list(const char *value, size_t count, const char *name,
    const char *address, bool malformed)
{
	struct address_list list;

	assert_int_equal(address_list_parse(span_of(value), 20, &list), 0);
	assert_int_equal(list.count, count);
	assert_int_equal(list.malformed, malformed);
	if (count > 0) {
		assert_string_equal(list.items[0].name, name);
		assert_string_equal(list.items[0].text, address);
	}
	address_list_fini(&list);
}

static void
a_plain_mailbox_is_known_without_a_list(void **state)
{
	static const char *const plain[] = { "a@b", " Ann B. C <a.b+c@d.e> ",
		"<a@b>", "=?utf-8?Q?J?= <j@x.example>" };
	static const char *const others[] = { "", "a", "Ann", "<>", "<a@b",
		"a@b>", "a@b, c@d", "A (B) <a@b>", "\"A\" <a@b>", "a@b <c@d>",
		"<a@b> <c@d>", "<a@b> x", "g: a@b;", "<@r:a@b>", "a b@c",
		"\"a\"@b", "a@[127.0.0.1]", "J\xc3\xb8rn <j@x>", "a@b." };

	(void)state;
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
		assert_true(address_is_plain_mailbox(span_of(plain[i])));
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_false(address_is_plain_mailbox(span_of(others[i])));
}

static void
an_address_list_goes_on_after_an_empty_item(void **state)
{
	(void)state;
	expect_list("a@b, , c@d", 2, "", "a@b", false);
	expect_list(",,a@b;,", 1, "", "a@b", false);
}

static void
t23_two_from_addresses_are_both_seen(void **state)
{
	(void)state;
	expect_list("One <one@a.example>, two@b.example", 2, "One",
	    "one@a.example", false);
}

static void
t23_comments_encoded_commas_and_utf8_stay_one_identity(void **state)
{
	(void)state;
	expect_list("jdoe@example.net (John (Jr.) Doe)", 1, "John (Jr.) Doe",
	    "jdoe@example.net", false);
	expect_list("=?utf-8?Q?Doe=2C_J=C3=B8rn?= <j@x.example>", 1,
	    "Doe, J\xc3\xb8rn", "j@x.example", false);
	expect_list("\"Doe, John\" <j(c)@x.example(d)>", 1, "Doe, John",
	    "j@x.example", false);
	expect_list("Nguy\xe1\xbb\x85n <nguy\xe1\xbb\x85n@v\xc3\xad.example>",
	    1, "Nguy\xe1\xbb\x85n", "nguy\xe1\xbb\x85n@v\xc3\xad.example",
	    false);
}

static void
groups_routes_and_folds_are_read(void **state)
{
	(void)state;
	expect_list("friends: a@b, C <c@d>;, e@f", 3, "", "a@b", false);
	expect_list("undisclosed-recipients:;", 0, "", "", false);
	expect_list("X <@r1,@r2:x@y>", 1, "X", "x@y", false);
	expect_list("X\r\n <x @\r\n\ty . example>", 1, "X", "x@y.example",
	    false);
}

static void
words_before_a_bare_address_do_not_become_part_of_it(void **state)
{
	(void)state;
	expect_list("John Smith j@x.example", 0, "", "", true);
	expect_list("no address here, a@b", 1, "", "a@b", true);
}

static void
quotes_and_a_dot_at_the_end_that_say_nothing_are_dropped(void **state)
{
	(void)state;
	expect_list("\"joe\"@x.example", 1, "", "joe@x.example", false);
	expect_list("joe@x.example.", 1, "", "joe@x.example", false);
	expect_list("\"joe\"@x.example.", 1, "", "joe@x.example", false);
	expect_list("<\"joe b\"@x.example.>", 1, "", "\"joe b\"@x.example",
	    false);
}

static void
a_list_is_cut_at_its_limit_and_says_so(void **state)
{
	struct address_list list;

	(void)state;
	assert_int_equal(address_list_parse(span_of("a@b,c@d,e@f"), 2, &list),
	    0);
	assert_int_equal(list.count, 2);
	assert_true(list.truncated);
	address_list_fini(&list);
}

static void
deep_comments_cost_no_stack(void **state)
{
	static char value[200000];
	struct address_list list;

	(void)state;
	memset(value, '(', sizeof value);
	assert_int_equal(address_list_parse(span_make(value, sizeof value), 2,
			     &list),
	    0);
	assert_int_equal(list.count, 0);
	address_list_fini(&list);
}

static void
expect_compared(const char *address, const char *compared)
{
	struct buffer out;
	int rc;

	buffer_init(&out, 0);
	rc = address_compare_form(&out, span_of(address));
	assert_int_equal(rc, compared == NULL ? -22 : 0);
	assert_string_equal(buffer_text(&out),
	    compared == NULL ? "" : compared);
	buffer_fini(&out);
}

static void
the_compared_form_folds_case_and_domain_and_nothing_else(void **state)
{
	(void)state;
	expect_compared("Joe.Bloggs+Tag@Example.COM",
	    "joe.bloggs+tag@example.com");
	expect_compared("a@B\xc3\x9c"
			"CHER.example",
	    "a@xn--bcher-kva.example");
	expect_compared("NGUY\xe1\xbb\x84N@x", "nguy\xe1\xbb\x85n@x");
	expect_compared("no-at.example", NULL);
	expect_compared("a b@x", NULL);
	expect_compared("a@-x", NULL);
	expect_compared("a@x..y", NULL);
}

static void
limits_of_rfc_5321_hold(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'a', sizeof text);
	text[64] = '@';
	assert_true(address_is_valid(span_make(text, 66)));
	text[64] = 'a';
	text[65] = '@';
	assert_false(address_is_valid(span_make(text, 67)));
}

static void
expect_format(const char *name, const char *address, const char *expected)
{
	struct buffer out;

	buffer_init(&out, 0);
	address_format(&out, span_of(name), span_of(address), 6);
	assert_string_equal(buffer_text(&out), expected);
	buffer_fini(&out);
}

static void
names_are_quoted_or_encoded_for_output(void **state)
{
	(void)state;
	expect_format("", "a@b", "a@b");
	expect_format("Joe Q", "a@b", "Joe Q <a@b>");
	expect_format("Doe, \"J\"", "a@b", "\"Doe, \\\"J\\\"\" <a@b>");
	expect_format("J\xc3\xb8rn", "a@b", "=?UTF-8?Q?J=C3=B8rn?= <a@b>");
	expect_format("x\r\nBcc: y", "a@b", "\"xBcc: y\" <a@b>");
}

static void
expect_words(const char *value, const char *text)
{
	struct buffer out;

	buffer_init(&out, 0);
	words_decode(&out, span_of(value));
	assert_string_equal(buffer_text(&out), text);
	assert_true(utf8_valid(buffer_span(&out)));
	buffer_fini(&out);
}

static void
t59_encoded_words_of_real_charsets_become_utf8(void **state)
{
	(void)state;
	expect_words("=?windows-1258?Q?Vi=EAt_Nam?=", "Vi\xc3\xaat Nam");
	expect_words("=?gb2312?B?xOO6ww==?=", "\xe4\xbd\xa0\xe5\xa5\xbd");
	expect_words("=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=",
	    "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88");
	expect_words("=?big5?B?p0Gmbg==?=", "\xe4\xbd\xa0\xe5\xa5\xbd");
	expect_words("=?koi8-r?B?8NLJ18XU?=",
	    "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82");
	expect_words("=?utf-8*vi?Q?Vi=E1=BB=87t?=", "Vi\xe1\xbb\x87t");
	expect_words("=?ks_c_5601-1987?B?sO24?=", "\xea\xb3\xa0\xef\xbf\xbd");
}

static void
t59_mislabelled_and_raw_headers_are_not_lost(void **state)
{
	(void)state;
	expect_words("=?iso-8859-1?Q?Vi=E1=BB=87t?=", "Vi\xe1\xbb\x87t");
	expect_words("caf\xe9", "caf\xc3\xa9");
	expect_words("caf\xc3\xa9", "caf\xc3\xa9");
	expect_words("=?no-such-charset?Q?caf=E9?=", "caf\xc3\xa9");
	expect_words("=?utf-8?Q?broken", "=?utf-8?Q?broken");
}

static void
a_character_split_over_two_words_is_joined(void **state)
{
	(void)state;
	expect_words("=?utf-8?B?4bs=?=\r\n =?utf-8?B?h3Q=?= x =?utf-8?Q?y?=",
	    "\xe1\xbb\x87t x y");
}

static void
text_survives_encoding_within_75_octets(void **state)
{
	static const char text[] = "Th\xc6\xb0 t\xe1\xbb\xab kh\xc3\xa1"
				   "ch h\xc3\xa0ng v\xe1\xbb\x81 "
				   "\xe8\xae\xa2\xe5\x8d\x95\xe7\x9a\x84"
				   "\xe9\x97\xae\xe9\xa2\x98 and much more "
				   "text after it, \xf0\x9f\x98\x80 and so on";
	struct buffer encoded, decoded;
	size_t line = 9;

	(void)state;
	buffer_init(&encoded, 0);
	buffer_init(&decoded, 0);
	words_encode(&encoded, span_of(text), 9);
	for (size_t i = 0; i < encoded.len; i++) {
		line = encoded.bytes[i] == '\n' ? 0 : line + 1;
		assert_in_range(line, 0, 77);
	}
	words_decode(&decoded, buffer_span(&encoded));
	assert_string_equal(buffer_text(&decoded), text);
	buffer_fini(&encoded);
	buffer_fini(&decoded);
}

static void
expect_param(const char *value, const char *name, const char *text)
{
	struct buffer out;
	int rc;

	buffer_init(&out, 0);
	rc = words_param(&out, span_of(value), name);
	assert_int_equal(rc, text == NULL ? -2 : 0);
	if (text != NULL)
		assert_string_equal(buffer_text(&out), text);
	buffer_fini(&out);
}

static void
t61_split_file_names_are_joined(void **state)
{
	(void)state;
	expect_param("attachment; filename*1*=%87t.pdf;\r\n"
		     " filename*0*=utf-8'vi'Vi%E1%BB",
	    "filename", "Vi\xe1\xbb\x87t.pdf");
	expect_param("a; filename*0=\"one \"; filename*1=two", "filename",
	    "one two");
	expect_param("a; filename*=iso-8859-1''caf%E9; filename=x", "filename",
	    "caf\xc3\xa9");
	expect_param("a; filename=\"=?utf-8?B?w6k=?=\"", "filename",
	    "\xc3\xa9");
	expect_param("t/p (c; name=no) ; Name = \"a;b\\\"c\"; x", "name",
	    "a;b\"c");
	expect_param("t/p; format", "name", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_mailbox_is_known_without_a_list),
		cmocka_unit_test(an_address_list_goes_on_after_an_empty_item),
		cmocka_unit_test(t23_two_from_addresses_are_both_seen),
		cmocka_unit_test(
		    t23_comments_encoded_commas_and_utf8_stay_one_identity),
		cmocka_unit_test(groups_routes_and_folds_are_read),
		cmocka_unit_test(
		    words_before_a_bare_address_do_not_become_part_of_it),
		cmocka_unit_test(
		    quotes_and_a_dot_at_the_end_that_say_nothing_are_dropped),
		cmocka_unit_test(a_list_is_cut_at_its_limit_and_says_so),
		cmocka_unit_test(deep_comments_cost_no_stack),
		cmocka_unit_test(
		    the_compared_form_folds_case_and_domain_and_nothing_else),
		cmocka_unit_test(limits_of_rfc_5321_hold),
		cmocka_unit_test(names_are_quoted_or_encoded_for_output),
		cmocka_unit_test(
		    t59_encoded_words_of_real_charsets_become_utf8),
		cmocka_unit_test(t59_mislabelled_and_raw_headers_are_not_lost),
		cmocka_unit_test(a_character_split_over_two_words_is_joined),
		cmocka_unit_test(text_survives_encoding_within_75_octets),
		cmocka_unit_test(t61_split_file_names_are_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
