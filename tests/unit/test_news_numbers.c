/* test_news_numbers.c - newsgroups, article numbers and the current article (RFC
 * 3977 6): in empty groups, with gaps, with what was removed meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/news_check.h"

static uint32_t space; /* a fresh one for each test, acme.N */

static int
setup(void **state)
{
	(void)state;
	return news_fixture_open(&fixture);
}

/* The text with acme.N in the place of each %; borrowed until the next call. */
static const char *
here(const char *format)
{
	static char text[1024];
	size_t len = 0;

	for (; *format != '\0' && len < sizeof text - 32; format++) {
		if (*format == '%')
			len += (size_t)snprintf(text + len, sizeof text - len,
			    "acme.%u", space);
		else
			text[len++] = *format;
	}
	text[len] = '\0';
	return text;
}

static void
add_articles(unsigned first, unsigned last)
{
	struct fixture_article article = { .subject = "x",
		.spaces = { space } };
	char id[64];

	for (unsigned i = first; i <= last; i++) {
		(void)snprintf(id, sizeof id, "<%u@s%u.example>", i, space);
		article.message_id = id;
		assert_int_equal(fixture_article_add(&fixture, &article), i);
	}
}

/* A new space with articles 1 ... count. */
static void
open_space(struct client *client, unsigned count)
{
	struct fixture_space made = SPACE_FOR_ANYONE(NULL);
	char name[32];

	(void)snprintf(name, sizeof name, "acme.%u", space + 1);
	made.name = name;
	space = fixture_space_add(&fixture, &made);
	assert_string_equal(here("%"), name);
	if (count > 0)
		add_articles(1, count);
	client_open_greeted(&fixture, client);
}

static void
ask(struct client *client, const char *line, const char *answer)
{
	char text[256], want[1024];
	size_t len;

	(void)snprintf(text, sizeof text, "%s", here(line));
	(void)snprintf(want, sizeof want, "%s", here(answer));
	len = strlen(want);
	if (want[len - 1] == '*') {
		want[len - 1] = '\0';
		begins(client_ask(client, text), want);
	} else {
		assert_string_equal(client_ask(client, text), want);
	}
}

static void
stat_is(struct client *client, unsigned number)
{
	char want[128];

	(void)snprintf(want, sizeof want, "223 %u <%u@s%u.example>\r\n", number,
	    number, space);
	assert_string_equal(client_ask(client, "STAT"), want);
}

static void
an_empty_group_has_no_current_article(void **state)
{
	struct client client;

	(void)state;
	open_space(&client, 0);
	ask(&client, "GROUP %", "211 0 1 0 %\r\n");
	ask(&client, "STAT", "420 *");
	ask(&client, "ARTICLE", "420 *");
	ask(&client, "HEAD", "420 *");
	ask(&client, "BODY", "420 *");
	ask(&client, "NEXT", "420 *");
	ask(&client, "LAST", "420 *");
	ask(&client, "STAT 1", "423 *");
	ask(&client, "LISTGROUP", "211 0 1 0 % list follows\r\n.\r\n");
	ask(&client, "LISTGROUP % 1-9", "211 0 1 0 % list follows\r\n.\r\n");
	ask(&client, "LIST ACTIVE %", "215 list follows\r\n% 0 1 y\r\n.\r\n");
	client_close(&client);
}

static void
an_emptied_group_never_gives_a_number_again(void **state)
{
	struct client client;

	(void)state;
	open_space(&client, 3);
	ask(&client, "GROUP %", "211 3 1 3 %\r\n");
	for (uint32_t i = 1; i <= 3; i++)
		fixture_number_remove(&fixture, space, i);
	/* high is one less than low: the way a server should show it */
	ask(&client, "GROUP %", "211 0 4 3 %\r\n");
	ask(&client, "STAT", "420 *");
	ask(&client, "LIST ACTIVE %", "215 list follows\r\n% 3 4 y\r\n.\r\n");
	ask(&client, "LISTGROUP", "211 0 4 3 % list follows\r\n.\r\n");
	add_articles(4, 5);
	ask(&client, "GROUP %", "211 2 4 5 %\r\n");
	stat_is(&client, 4);
	client_close(&client);
}

static void
the_low_mark_is_the_first_article_and_only_goes_up(void **state)
{
	struct client client;

	(void)state;
	open_space(&client, 6);
	fixture_number_remove(&fixture, space, 2);
	ask(&client, "GROUP %", "211 5 1 6 %\r\n");
	fixture_number_remove(&fixture, space, 1);
	ask(&client, "GROUP %", "211 4 3 6 %\r\n");
	stat_is(&client, 3);
	ask(&client, "LAST", "422 *");
	stat_is(&client, 3);
	client_close(&client);
}

static void
the_estimate_lies_between_the_articles_and_the_marks(void **state)
{
	struct client client;

	(void)state;
	open_space(&client, 9);
	for (uint32_t i = 3; i <= 9; i += 2)
		fixture_number_remove(&fixture, space, i);
	/* 5 articles: 1 2 4 6 8; the last that was given out is gone */
	begins(client_ask(&client, here("GROUP %")), "211 5 1 ");
	assert_string_equal(strstr(client_ask(&client, "LISTGROUP"), "\r\n"),
	    "\r\n1\r\n2\r\n4\r\n6\r\n8\r\n.\r\n");
	ask(&client, "STAT 8", "223 *");
	ask(&client, "NEXT", "421 *");
	stat_is(&client, 8);
	add_articles(10, 10);
	ask(&client, "NEXT", "223 10 *");
	client_close(&client);
}

static void
last_and_next_step_over_gaps(void **state)
{
	struct client client;

	(void)state;
	open_space(&client, 400);
	/* more than a block of rows wide */
	for (uint32_t i = 5; i <= 390; i++)
		fixture_number_remove(&fixture, space, i);
	ask(&client, "GROUP %", "211 14 1 400 %\r\n");
	ask(&client, "STAT 4", "223 *");
	ask(&client, "NEXT", "223 391 *");
	ask(&client, "LAST", "223 4 *");
	stat_is(&client, 4);
	client_close(&client);
}

static void
the_current_article_can_go_away(void **state)
{
	struct client client;

	(void)state;
	open_space(&client, 5);
	ask(&client, "GROUP %", "211 *");
	ask(&client, "STAT 3", "223 *");
	fixture_number_remove(&fixture, space, 3);
	ask(&client, "STAT", "420 *");
	ask(&client, "OVER", "420 *");
	ask(&client, "HDR Subject", "420 *");
	ask(&client, "STAT 3", "423 *");
	ask(&client, "NEXT", "223 4 *");
	client_close(&client);
}

static void
what_fails_leaves_group_and_article_as_they_were(void **state)
{
	static const char *const failing[] = { "GROUP acme.none",
		"LISTGROUP acme.none", "LISTGROUP acme.none 1-2", "ARTICLE 99",
		"HEAD 99", "BODY 99", "STAT 99", "STAT 0", "STAT 99999999999",
		"ARTICLE <none@b.example>", "OVER 90-", "HDR Subject 90-" };
	struct client client;

	(void)state;
	open_space(&client, 4);
	ask(&client, "GROUP %", "211 *");
	ask(&client, "STAT 2", "223 *");
	for (size_t i = 0; i < ARRAY_LEN(failing); i++) {
		begins(client_ask(&client, failing[i]), "4");
		stat_is(&client, 2);
	}
	ask(&client, "STAT x", "501 *");
	stat_is(&client, 2);
	client_close(&client);
}

static void
a_number_makes_its_article_the_current_one(void **state)
{
	static const struct {
		const char *line;
		unsigned now;
	} steps[] = {
		{ "ARTICLE 2", 2 },
		{ "HEAD 3", 3 },
		{ "BODY 4", 4 },
		{ "STAT 1", 1 },
		/* what is named otherwise does not */
		{ "ARTICLE <4@s%.example>", 1 },
		{ "STAT <2@s%.example>", 1 },
		{ "OVER 1-4", 1 },
		{ "OVER 3", 1 },
		{ "HDR Subject 2-4", 1 },
		{ "XOVER 3-", 1 },
		{ "LIST ACTIVE", 1 },
		{ "NEXT", 2 },
		{ "LISTGROUP", 1 },
	};
	struct client client;

	(void)state;
	open_space(&client, 4);
	ask(&client, "GROUP %", "211 *");
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		begins(client_ask(&client, here(steps[i].line)),
		    strchr(steps[i].line, '<') == NULL ? "2" : "");
		stat_is(&client, steps[i].now);
	}
	client_close(&client);
}

static void
group_and_listgroup_begin_at_the_first_article_again(void **state)
{
	struct client client;

	(void)state;
	open_space(&client, 5);
	fixture_number_remove(&fixture, space, 1);
	ask(&client, "GROUP %", "211 4 2 5 %\r\n");
	ask(&client, "STAT 4", "223 *");
	ask(&client, "GROUP %", "211 4 2 5 %\r\n");
	stat_is(&client, 2);
	ask(&client, "STAT 4", "223 *");
	/* even where the range does not hold it (6.1.2.2) */
	ask(&client, "LISTGROUP % 4-",
	    "211 4 2 5 % list follows\r\n4\r\n5\r\n.\r\n");
	stat_is(&client, 2);
	client_close(&client);
}

static void
numbers_have_up_to_sixteen_digits(void **state)
{
	struct client client;

	(void)state;
	open_space(&client, 3);
	ask(&client, "GROUP %", "211 *");
	ask(&client, "STAT 0000000000000002", "223 2 *");
	ask(&client, "STAT 2147483647", "423 *");
	ask(&client, "STAT 2147483648", "423 *");
	ask(&client, "STAT 4294967297", "423 *");
	ask(&client, "STAT 9999999999999999", "423 *");
	ask(&client, "STAT 00000000000000002", "501 *");
	ask(&client, "LISTGROUP % 2-9999999999999999",
	    "211 3 1 3 % list follows\r\n2\r\n3\r\n.\r\n");
	ask(&client, "OVER 4294967297-", "423 *");
	ask(&client, "OVER 0-1", "224 *");
	client_close(&client);
}

static void
ranges_have_three_forms(void **state)
{
	static const struct {
		const char *range, *numbers;
	} ranges[] = {
		{ "2", "2\r\n" },
		{ "2-", "2\r\n4\r\n5\r\n" },
		{ "1-2", "1\r\n2\r\n" },
		{ "3-4", "4\r\n" },
		{ "3", "" },
		{ "3-3", "" },
		{ "5-1", "" },
		{ "6-", "" },
		{ "0-", "1\r\n2\r\n4\r\n5\r\n" },
	};
	static const char *const wrong[] = { "-", "-5", "1-2-3", "a-b", "1,2",
		"1-x", "<1@b.example>" };
	struct client client;
	char line[64];

	(void)state;
	open_space(&client, 5);
	fixture_number_remove(&fixture, space, 3);
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		char answer[128];

		(void)snprintf(line, sizeof line, "LISTGROUP %% %s",
		    ranges[i].range);
		(void)snprintf(answer, sizeof answer,
		    "211 4 1 5 %% list follows\r\n%s.\r\n", ranges[i].numbers);
		ask(&client, line, answer);
		(void)snprintf(line, sizeof line, "OVER %s", ranges[i].range);
		ask(&client, line,
		    ranges[i].numbers[0] == '\0' ? "423 *" : "224 *");
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		(void)snprintf(line, sizeof line, "LISTGROUP %% %s", wrong[i]);
		ask(&client, line, "501 *");
		(void)client_ask(&client, "MODE READER");
	}
	client_close(&client);
}

static void
an_id_is_found_in_whatever_group_is_selected(void **state)
{
	struct client client;

	(void)state;
	open_space(&client, 1);
	/* none is */
	ask(&client, "STAT <1@s1.example>", "430 *");
	begins(client_ask(&client, "STAT <nobody@b.example>"), "430 ");
	begins(client_ask(&client, "ARTICLE <without-at>"), "430 ");
	begins(client_ask(&client, "ARTICLE <>"), "501 ");
	begins(client_ask(&client, "ARTICLE <a"), "501 ");
	begins(client_ask(&client, "ARTICLE a@b.example"), "501 ");
	client_close(&client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_group_has_no_current_article),
		cmocka_unit_test(an_emptied_group_never_gives_a_number_again),
		cmocka_unit_test(
		    the_low_mark_is_the_first_article_and_only_goes_up),
		cmocka_unit_test(
		    the_estimate_lies_between_the_articles_and_the_marks),
		cmocka_unit_test(last_and_next_step_over_gaps),
		cmocka_unit_test(the_current_article_can_go_away),
		cmocka_unit_test(
		    what_fails_leaves_group_and_article_as_they_were),
		cmocka_unit_test(a_number_makes_its_article_the_current_one),
		cmocka_unit_test(
		    group_and_listgroup_begin_at_the_first_article_again),
		cmocka_unit_test(numbers_have_up_to_sixteen_digits),
		cmocka_unit_test(ranges_have_three_forms),
		cmocka_unit_test(an_id_is_found_in_whatever_group_is_selected),
	};

	return cmocka_run_group_tests(tests, setup, news_teardown);
}
