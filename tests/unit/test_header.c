/* test_header.c - the header table, folding and unfolding. */
#include "protocol/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
every_row_of_the_table_is_found_by_name_and_id(void **state)
{
	(void)state;
	for (unsigned id = HEADER_UNKNOWN + 1; id < HEADER_JUNK; id++) {
		const struct header_info *info =
		    header_info((enum header_id)id);

		assert_int_equal(info->id, id);
		assert_ptr_equal(header_find(span_of(info->name)), info);
		assert_true(header_name_is_valid(span_of(info->name)));
	}
	assert_null(header_find(span_of("X-Nothing")));
	assert_null(header_find(span_of("")));
	assert_string_equal(header_info(HEADER_JUNK)->name, "");
}

static void
names_are_found_whatever_their_case(void **state)
{
	(void)state;
	assert_int_equal(header_find(span_of("message-id"))->id,
	    HEADER_MESSAGE_ID);
	assert_int_equal(header_find(span_of("SUBJECT"))->id, HEADER_SUBJECT);
}

static void
long_values_are_folded_and_unfold_to_themselves(void **state)
{
	struct buffer text, back, line;
	size_t start = 0;

	(void)state;
	buffer_init(&text, 0);
	buffer_init(&line, 0);
	buffer_init(&back, 0);
	for (int i = 0; i < 40; i++)
		buffer_printf(&text, "%s word%d", i % 7 == 0 ? " " : "", i);
	header_append(&line, "Subject", buffer_span(&text));
	for (size_t i = 0; i + 1 < line.len; i++) {
		if (line.bytes[i] != '\r')
			continue;
		assert_true(i - start <= 78);
		start = i + 2;
		assert_true(start == line.len || line.bytes[start] == ' ');
	}
	header_unfold(&back,
	    span_make(line.bytes + strlen("Subject:"),
		line.len - strlen("Subject:")));
	assert_true(
	    span_equal(buffer_span(&back), span_trim(buffer_span(&text))));
	buffer_fini(&text);
	buffer_fini(&line);
	buffer_fini(&back);
}

static void
a_line_break_in_a_value_begins_no_header(void **state)
{
	struct buffer line;

	(void)state;
	buffer_init(&line, 0);
	header_append(&line, "Subject", span_make("a\r\nBcc: x\n\nb\0c\r", 15));
	assert_string_equal(buffer_text(&line), "Subject: a Bcc: x b c\r\n");
	buffer_fini(&line);
}

static void
no_line_is_longer_than_998_octets(void **state)
{
	char word[3000];
	struct buffer line;
	size_t start = 0;

	(void)state;
	memset(word, 'x', sizeof word);
	buffer_init(&line, 0);
	header_append(&line, "X-Long", span_make(word, sizeof word));
	for (size_t i = 0; i < line.len; i++) {
		if (line.bytes[i] != '\n')
			continue;
		assert_true(i - 1 - start <= 998);
		start = i + 1;
	}
	assert_int_equal(start, line.len);
	buffer_fini(&line);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_row_of_the_table_is_found_by_name_and_id),
		cmocka_unit_test(names_are_found_whatever_their_case),
		cmocka_unit_test(
		    long_values_are_folded_and_unfold_to_themselves),
		cmocka_unit_test(a_line_break_in_a_value_begins_no_header),
		cmocka_unit_test(no_line_is_longer_than_998_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
