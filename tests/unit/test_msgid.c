/* test_msgid.c - Message-IDs and References. */
#include "protocol/msgid.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/header.h"
#include "protocol/references.h"

static void
strict_ids_are_those_of_rfc_5536(void **state)
{
	(void)state;
	assert_true(msgid_is_strict(span_of("<a.b-1@example.com>")));
	assert_true(msgid_is_strict(span_of("<a@[127.0.0.1]>")));
	assert_false(msgid_is_strict(span_of("<a..b@example.com>")));
	assert_false(msgid_is_strict(span_of("<a@b@c>")));
	assert_false(msgid_is_strict(span_of("<@b>")));
	assert_false(msgid_is_strict(span_of("<a@>")));
	assert_false(msgid_is_strict(span_of("a@b")));
	assert_false(msgid_is_strict(span_of("<\"a\"@b>")));
}

static void
an_id_that_the_wire_can_carry_is_valid(void **state)
{
	char text[300];

	(void)state;
	assert_true(msgid_is_valid(span_of("<[172.31.24.11]/x@host>")));
	assert_true(msgid_is_valid(span_of("<x>")));
	assert_false(msgid_is_valid(span_of("<>")));
	assert_false(msgid_is_valid(span_of("<a b@c>")));
	assert_false(msgid_is_valid(span_of("<a>b@c>")));
	memset(text, 'x', sizeof text);
	text[0] = '<';
	text[249] = '>';
	assert_true(msgid_is_valid(span_make(text, 250)));
	text[249] = 'x';
	text[250] = '>';
	assert_false(msgid_is_valid(span_make(text, 251)));
}

static void
check_ids(const char *raw, size_t max, const char *expected)
{
	struct msgid_list list;

	msgid_list_init(&list);
	assert_int_equal(msgid_list_parse(&list, span_of(raw), max), 0);
	assert_string_equal(buffer_text(&list.text), expected);
	for (size_t i = 0; i < list.count; i++)
		assert_true(msgid_is_valid(list.ids[i]));
	msgid_list_fini(&list);
}

static void
ids_are_found_in_what_mail_really_holds(void **state)
{
	(void)state;
	check_ids("<a@b> <c@d>", 10, "<a@b><c@d>");
	check_ids("<a@b>,<c@d>;\"<e@f>\"\r\n\t<g@h>", 10,
	    "<a@b><c@d><e@f><g@h>");
	check_ids("a@b, 'c@d'", 10, "<a@b><c@d>");
	check_ids("Your message of \"Tue\" x@y <a@b>", 10, "<a@b>");
	check_ids("<very.long\r\n .id@host>", 10, "<very.long.id@host>");
	check_ids("<broken <a@b> >", 10, "<a@b>");
	check_ids("<\x01@b> <> < > nothing", 10, "");
	check_ids("", 10, "");
}

static void
of_too_many_ids_the_first_and_the_newest_are_kept(void **state)
{
	(void)state;
	check_ids("<1@a> <2@a> <3@a> <4@a> <5@a>", 3, "<1@a><4@a><5@a>");
	check_ids("<1@a> <2@a> <3@a>", 1, "<3@a>");
}

static void
check_references(const char *references, const char *in_reply_to,
    const char *expected)
{
	struct buffer out;

	buffer_init(&out, 0);
	assert_int_equal(references_append(&out, span_of(references),
			     span_of(in_reply_to), span_of("<p@x>")),
	    0);
	assert_string_equal(buffer_text(&out), expected);
	buffer_fini(&out);
}

static void
a_follow_up_refers_to_root_and_parent(void **state)
{
	(void)state;
	check_references("<r@x>\r\n <q@x>", "<q@x>",
	    "<r@x> <q@x> <p@x>");
	check_references("", "<q@x>", "<q@x> <p@x>");
	check_references("", "<q@x> <s@x>", "<p@x>");
	check_references("<r@x> <p@x> <r@x>", "",
	    "<r@x> <p@x>");
}

static void
long_references_keep_the_root_and_the_last_three(void **state)
{
	struct buffer raw, out;
	struct msgid_list list;

	(void)state;
	buffer_init(&raw, 0);
	buffer_init(&out, 0);
	msgid_list_init(&list);
	for (int i = 0; i < 300; i++)
		buffer_printf(&raw, "<%0100d@x>\r\n ", i);
	assert_int_equal(references_append(&out, buffer_span(&raw), span_of(""),
			     span_of("<p@x>")),
	    0);
	assert_true(strlen("References: ") + out.len <= 998);
	assert_int_equal(msgid_list_parse(&list, buffer_span(&out),
			     MSGID_LIST_MAX),
	    0);
	assert_true(list.count >= 4);
	assert_int_equal(list.ids[0].bytes[100], '0');
	assert_memory_equal(list.ids[list.count - 2].bytes + 98, "299", 3);
	assert_memory_equal(list.ids[list.count - 3].bytes + 98, "298", 3);
	msgid_list_fini(&list);
	buffer_fini(&raw);
	buffer_fini(&out);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict_ids_are_those_of_rfc_5536),
		cmocka_unit_test(an_id_that_the_wire_can_carry_is_valid),
		cmocka_unit_test(ids_are_found_in_what_mail_really_holds),
		cmocka_unit_test(
		    of_too_many_ids_the_first_and_the_newest_are_kept),
		cmocka_unit_test(a_follow_up_refers_to_root_and_parent),
		cmocka_unit_test(
		    long_references_keep_the_root_and_the_last_three),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
