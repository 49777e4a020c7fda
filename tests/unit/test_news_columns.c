/* test_news_columns.c - HDR and OVER over long ranges, which are answered from
 * what is kept beside the blocks of the overview, say what is read row by row
 * (XPAT with "*", OVER of one number): to each reader his own, and never what is
 * out of date.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/news_check.h"

#define ARTICLES 300u

static const uint32_t talk = 1, staff = 2; /* spaces */

/* Each seventh in both spaces, each eleventh longer than the overview's room. */
static uint32_t
article_add(unsigned i)
{
	char id[32], subject[2100];
	struct fixture_article article = { .message_id = id,
		.subject = subject,
		.spaces = { talk, i % 7 == 0 ? staff : 0 } };

	(void)snprintf(id, sizeof id, "<%u@b.example>", i);
	(void)snprintf(subject, sizeof subject, "number %0*u",
	    i % 11 == 0 ? 2050 : 1, i);
	return fixture_article_add(&fixture, &article);
}

static int
setup(void **state)
{
	static const struct fixture_space spaces[] = {
		SPACE_FOR_ANYONE("talk"),
		SPACE_FOR_STAFF("staff"),
	};

	(void)state;
	if (news_open_with(&fixture, spaces, ARRAY_LEN(spaces)) != 0)
		return -1;
	for (unsigned i = 1; i <= ARTICLES; i++)
		if (article_add(i) != i)
			return -1;
	return fixture_member_add(&fixture, "li", "secret",
		   KITH__ROLE__ROLE_STAFF) == 0
	    ? 0
	    : -1;
}

static void
open_in_talk(struct client *client)
{
	client_open_greeted(&fixture, client);
	begins(client_ask(client, "GROUP talk"), "211 ");
}

/* The rows behind a status line, owned. */
static char *
rows_of(struct client *client, const char *line)
{
	const char *text = client_ask(client, line);
	char *rows;

	assert_true(text[0] == '2' && text[1] == '2');
	rows = strdup(strchr(text, '\n') + 1);
	assert_non_null(rows);
	return rows;
}

static void
check_range(struct client *client, const char *range)
{
	static const char *const fields[] = { "Subject", "From", "Date",
		"Message-ID", "References", ":bytes", ":lines", "Xref" };
	char line[64], *want, *have;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		(void)snprintf(line, sizeof line, "XPAT %s %s *", fields[i],
		    range);
		want = rows_of(client, line);
		/* made, and found again */
		for (unsigned turn = 0; turn < 2; turn++) {
			(void)snprintf(line, sizeof line, "HDR %s %s",
			    fields[i], range);
			have = rows_of(client, line);
			assert_string_equal(have, want);
			free(have);
		}
		free(want);
	}
}

static void
check_over(struct client *client)
{
	struct buffer want;
	char line[64], *row;

	buffer_init(&want, 0);
	for (unsigned i = 1; i <= ARTICLES; i++) {
		(void)snprintf(line, sizeof line, "OVER %u", i);
		if (client_ask(client, line)[0] != '2')
			continue;
		row = rows_of(client, line);
		buffer_append(&want, row, strlen(row) - strlen(".\r\n"));
		free(row);
	}
	buffer_append_text(&want, ".\r\n");
	(void)snprintf(line, sizeof line, "OVER 1-%u", ARTICLES);
	for (unsigned turn = 0; turn < 2; turn++) {
		row = rows_of(client, line);
		assert_string_equal(row, want.bytes);
		free(row);
	}
	buffer_fini(&want);
}

static void
check_ranges(struct client *client)
{
	static const char *const ranges[] = { "1-", "2-127", "127-128",
		"128-255", "129-", "150-160", "160-280", "300" };

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		check_range(client, ranges[i]);
	check_over(client);
}

static void
a_range_of_any_ends_is_answered_row_for_row(void **state)
{
	struct client client;

	(void)state;
	open_in_talk(&client);
	check_ranges(&client);
	client_close(&client);
}

static void
each_reader_gets_the_fields_of_his_own_copy(void **state)
{
	struct client anyone, member;

	(void)state;
	open_in_talk(&anyone);
	open_in_talk(&member);
	begins(client_ask(&member, "AUTHINFO USER li"), "381 ");
	begins(client_ask(&member, "AUTHINFO PASS secret"), "281 ");
	lacks(client_ask(&anyone, "HDR Xref 1-200"), "staff:");
	contains(client_ask(&member, "HDR Xref 1-200"), " staff:");
	check_ranges(&member);
	check_ranges(&anyone);
	lacks(client_ask(&anyone, "HDR Xref 1-200"), "staff:");
	lacks(client_ask(&anyone, "OVER 1-200"), "staff:");
	contains(client_ask(&member, "OVER 1-200"), " staff:");
	client_close(&anyone);
	client_close(&member);
}

static void
what_was_removed_or_came_is_not_out_of_date(void **state)
{
	struct client client;

	(void)state;
	open_in_talk(&client);
	contains(client_ask(&client, "HDR Subject 1-"),
	    "\r\n130 number 130\r\n");
	fixture_number_remove(&fixture, talk, 130);
	assert_int_equal(article_add(ARTICLES + 1), ARTICLES + 1);
	lacks(client_ask(&client, "HDR Subject 1-"), "\r\n130 ");
	contains(client_ask(&client, "HDR Subject 1-"),
	    "\r\n301 number 301\r\n");
	check_ranges(&client);
	client_close(&client);
}

static void
a_space_that_is_gone_is_nowhere_named(void **state)
{
	struct client member;

	(void)state;
	open_in_talk(&member);
	begins(client_ask(&member, "AUTHINFO USER li"), "381 ");
	begins(client_ask(&member, "AUTHINFO PASS secret"), "281 ");
	contains(client_ask(&member, "OVER 1-200"), " staff:");
	fixture_space_remove(&fixture, staff);
	lacks(client_ask(&member, "OVER 1-200"), " staff:");
	lacks(client_ask(&member, "HDR Xref 1-200"), " staff:");
	check_ranges(&member);
	client_close(&member);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_of_any_ends_is_answered_row_for_row),
		cmocka_unit_test(each_reader_gets_the_fields_of_his_own_copy),
		cmocka_unit_test(what_was_removed_or_came_is_not_out_of_date),
		cmocka_unit_test(a_space_that_is_gone_is_nowhere_named),
	};

	return cmocka_run_group_tests(tests, setup, news_teardown);
}
