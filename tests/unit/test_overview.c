/* test_overview.c - rows of the overview. */
#include "protocol/overview.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
make_row(struct buffer *row, const char *mail, struct overview_added added)
{
	struct article_header header;

	article_header_init(&header);
	assert_int_equal(article_scan(&header, span_of(mail), ARTICLE_MAIL,
			     NULL),
	    0);
	overview_append(row, &header, &added);
	assert_false(buffer_failed(row));
	article_header_fini(&header);
}

static void
a_row_holds_the_fields_in_order(void **state)
{
	struct overview_added added = { .bytes = 1234, .lines = 5 };
	struct buffer row;

	(void)state;
	buffer_init(&row, 0);
	make_row(&row,
	    "Subject: a\tb\r\n c\r\nFrom: x\r\nDate: d\r\n"
	    "References: <1>\r\n <2>\r\nMessage-ID: <m>\r\n\r\n",
	    added);
	assert_string_equal(buffer_text(&row),
	    "\ta b c\tx\td\t<m>\t<1> <2>\t1234\t5\t");
	buffer_append_text(&row, "Xref: h g:1\r\n");
	assert_true(
	    span_equal(overview_row_field(buffer_span(&row), OVERVIEW_FROM),
		span_of("x")));
	assert_true(
	    span_equal(overview_row_field(buffer_span(&row), OVERVIEW_LINES),
		span_of("5")));
	assert_true(
	    span_equal(overview_row_field(buffer_span(&row), OVERVIEW_XREF),
		span_of("h g:1")));
	buffer_fini(&row);
}

static void
what_kith_adds_comes_before_the_articles_own(void **state)
{
	struct overview_added added = { .subject = { "(no subject)", 12 },
		.message_id = { "<k@h>", 5 } };
	struct buffer row;

	(void)state;
	buffer_init(&row, 0);
	make_row(&row, "Message-ID: <m>\r\n\r\n", added);
	assert_string_equal(buffer_text(&row),
	    "\t(no subject)\t\t\t<k@h>\t\t0\t0\t");
	buffer_fini(&row);
}

static void
a_row_stays_below_its_limit(void **state)
{
	struct overview_added added = { .bytes = UINT64_MAX,
		.lines = UINT64_MAX };
	struct buffer row, mail;
	struct span references;

	(void)state;
	buffer_init(&row, 0);
	buffer_init(&mail, 0);
	buffer_append_text(&mail, "Subject: ");
	for (int i = 0; i < 3000; i++)
		buffer_append_text(&mail, "\xc3\xa4");
	buffer_append_text(&mail, "\r\nReferences: ");
	for (int i = 0; i < 300; i++)
		buffer_printf(&mail, "<%040d@x>\r\n ", i);
	buffer_append_text(&mail, "<last@x>\r\nFrom: ");
	for (int i = 0; i < 3000; i++)
		buffer_append_text(&mail, "\xe4\xb8\xad");
	buffer_append_text(&mail, "\r\n\r\n");
	make_row(&row, buffer_text(&mail), added);
	assert_true(row.len < OVERVIEW_ROW_MAX);
	references = overview_row_field(buffer_span(&row), OVERVIEW_REFERENCES);
	assert_memory_equal(references.bytes, "<0", 2);
	assert_memory_equal(references.bytes + references.len - 9, " <last@x>",
	    9);
	assert_int_equal(overview_row_field(buffer_span(&row), OVERVIEW_FROM)
			     .len,
	    1998);
	buffer_fini(&row);
	buffer_fini(&mail);
}

static void
fields_are_found_by_the_names_of_hdr(void **state)
{
	(void)state;
	assert_int_equal(overview_field_named(span_of("subject")),
	    OVERVIEW_SUBJECT);
	assert_int_equal(overview_field_named(span_of(":bytes")),
	    OVERVIEW_BYTES);
	assert_int_equal(overview_field_named(span_of("X-Mine")),
	    OVERVIEW_FIELDS);
	assert_string_equal(overview_format_line(OVERVIEW_XREF), "Xref:full");
	assert_null(overview_format_line(OVERVIEW_FIELDS));
}

static void
a_row_that_is_cut_short_has_empty_fields(void **state)
{
	(void)state;
	assert_int_equal(overview_row_field(span_of("\ta\tb"), OVERVIEW_DATE)
			     .len,
	    0);
	assert_int_equal(overview_row_field(span_of(""), OVERVIEW_XREF).len, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_holds_the_fields_in_order),
		cmocka_unit_test(what_kith_adds_comes_before_the_articles_own),
		cmocka_unit_test(a_row_stays_below_its_limit),
		cmocka_unit_test(fields_are_found_by_the_names_of_hdr),
		cmocka_unit_test(a_row_that_is_cut_short_has_empty_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
