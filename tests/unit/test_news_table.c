/* test_news_table.c - the table of commands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/news/commands.h"

static int
row_compare(const struct command *a, const struct command *b)
{
	int order = strcmp(a->keyword, b->keyword);

	if (order != 0)
		return order;
	return strcmp(a->variant == NULL ? "" : a->variant,
	    b->variant == NULL ? "" : b->variant);
}

static void
the_table_is_sorted_by_keyword_and_variant(void **state)
{
	(void)state;
	for (size_t i = 1; i < command_count; i++)
		assert_true(
		    row_compare(&command_table[i - 1], &command_table[i]) < 0);
}

static int
find(const char *text)
{
	const struct command *command = NULL;
	struct nntp_args args;

	assert_int_equal(nntp_args_parse(span_of(text), &args), NNTP_ARGS_OK);
	return command_find(&args, &command);
}

static void
every_row_is_found_by_its_keyword(void **state)
{
	char line[128];

	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		const struct command *row = &command_table[i];
		const struct command *found = NULL;
		struct nntp_args args;
		size_t words = row->args_min;

		(void)snprintf(line, sizeof line, "%s %s%s", row->keyword,
		    row->variant == NULL ? "" : row->variant,
		    words == 0       ? ""
			: words == 1 ? " x"
			: words == 2 ? " x y"
				     : " x y z");
		assert_int_equal(nntp_args_parse(span_of(line), &args),
		    NNTP_ARGS_OK);
		assert_int_equal(command_find(&args, &found), 0);
		assert_ptr_equal(found, row);
	}
}

static void
an_unknown_command_is_500_and_an_unknown_variant_501(void **state)
{
	(void)state;
	assert_int_equal(find("FLY"), 500);
	assert_int_equal(find("LIST TREES"), 501);
	assert_int_equal(find("MODE POSTER"), 501);
	assert_int_equal(find("MODE"), 501);
	assert_int_equal(find("AUTHINFO"), 501);
}

static void
too_few_or_too_many_arguments_are_501(void **state)
{
	(void)state;
	assert_int_equal(find("GROUP"), 501);
	assert_int_equal(find("GROUP a b"), 501);
	assert_int_equal(find("HEAD 53 54 55"), 501);
	assert_int_equal(find("LIST ACTIVE a b"), 501);
	assert_int_equal(find("NEWNEWS * 20261118"), 501);
	assert_int_equal(find("AUTHINFO PASS with some blanks"), 0);
	assert_int_equal(find("list Active"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_sorted_by_keyword_and_variant),
		cmocka_unit_test(every_row_is_found_by_its_keyword),
		cmocka_unit_test(
		    an_unknown_command_is_500_and_an_unknown_variant_501),
		cmocka_unit_test(too_few_or_too_many_arguments_are_501),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
