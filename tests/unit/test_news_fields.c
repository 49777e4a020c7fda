/* test_news_fields.c - overview, header fields and metadata (RFC 3977 8), and the
 * lists of what there is (7): of articles as clients posted them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/news_check.h"

static const struct fixture_space spaces[] = {
	SPACE_FOR_ANYONE("acme.open"),
	SPACE_FOR_ANYONE("acme.other"),
	/* older than the fixture's clock, newer than 2026-01-01 */
	{ "local.news", "What is new", KITH__AUDIENCE__AUDIENCE_ANYONE,
	    KITH__AUDIENCE__AUDIENCE_STAFF, KITH__MODERATION__MODERATION_NONE,
	    1790000000 },
	{ "local.\xe4\xb8\xad\xe6\x96\x87", "\xe9\x97\xb2\xe8\x81\x8a",
	    KITH__AUDIENCE__AUDIENCE_ANYONE, KITH__AUDIENCE__AUDIENCE_ANYONE,
	    KITH__MODERATION__MODERATION_NONE, 1780000000 },
};

#define FROM "From: An <an@members.example>\r\nDate: " DATE "\r\n"
#define DATE "Wed, 18 Nov 2026 10:00:00 +0000"

static const char *const articles[] = {
	FROM "Newsgroups: acme.open\r\nSubject: one\r\n"
	     "Message-ID: <1@b.example>\r\nLines: 77\r\nBytes: 5\r\n"
	     "X-Twice: first\r\nX-Twice: second\r\n\r\n"
	     "one line\r\n..dot\r\n\r\nlast\r\n.\r\n",
	FROM "Newsgroups: acme.open,acme.other\r\n"
	     "Subject: Re:\r\n\ttwo\tand \xc3\xbc\r\n  more\r\n"
	     "References: <1@b.example>\r\n <0@b.example>\r\n"
	     "Message-ID: <2@b.example>\r\n\r\nx\r\n.\r\n",
	FROM "Newsgroups: acme.open\r\nSubject: three\r\n"
	     "Message-ID: <3@b.example>\r\n\r\n.\r\n",
};

static int
setup(void **state)
{
	struct client client;

	(void)state;
	if (news_open_with(&fixture, spaces, ARRAY_LEN(spaces)) != 0)
		return -1;
	client_open_greeted(&fixture, &client);
	for (size_t i = 0; i < ARRAY_LEN(articles); i++)
		begins(client_post(&client, articles[i]), "240 ");
	client_close(&client);
	return 0;
}

static void
open_in_group(struct client *client)
{
	client_open_greeted(&fixture, client);
	begins(client_ask(client, "GROUP acme.open"), "211 3 1 3 ");
}

/* Octets of an article as ARTICLE sent it, without stuffing and without the last
 * line; *lines_r those of its body. */
static size_t
measure(const char *answer, unsigned *lines_r)
{
	const char *at = strstr(answer, "\r\n") + 2, *end;
	bool body = false;
	size_t octets = 0;

	*lines_r = 0;
	while (strcmp(at, ".\r\n") != 0) {
		end = strstr(at, "\r\n") + 2;
		octets += (size_t)(end - at) - (at[0] == '.' ? 1 : 0);
		*lines_r += body ? 1 : 0;
		body = body || end == at + 2;
		at = end;
	}
	return octets;
}

static void
bytes_and_lines_are_those_of_the_article_as_it_is_sent(void **state)
{
	struct client client;
	char line[64], want[64];
	unsigned lines;
	size_t octets;

	(void)state;
	open_in_group(&client);
	for (unsigned i = 1; i <= 3; i++) {
		(void)snprintf(line, sizeof line, "ARTICLE %u", i);
		octets = measure(client_ask(&client, line), &lines);
		(void)snprintf(want, sizeof want, "\r\n%u %zu\r\n.\r\n", i,
		    octets);
		(void)snprintf(line, sizeof line, "HDR :bytes %u", i);
		contains(client_ask(&client, line), want);
		(void)snprintf(want, sizeof want, "\r\n%u %u\r\n.\r\n", i,
		    lines);
		(void)snprintf(line, sizeof line, "HDR :lines %u", i);
		contains(client_ask(&client, line), want);
		(void)snprintf(want, sizeof want, "\t%zu\t%u\tXref: ", octets,
		    lines);
		(void)snprintf(line, sizeof line, "OVER %u", i);
		contains(client_ask(&client, line), want);
	}
	client_close(&client);
}

static void
metadata_is_counted_and_headers_are_copied(void **state)
{
	struct client client;

	(void)state;
	open_in_group(&client);
	contains(client_ask(&client, "HDR Lines 1"), "\r\n1 77\r\n.\r\n");
	contains(client_ask(&client, "HDR Bytes 1"), "\r\n1 5\r\n.\r\n");
	contains(client_ask(&client, "HDR :LINES 1"), "\r\n1 4\r\n.\r\n");
	begins(client_ask(&client, "HDR :other 1"), "503 ");
	begins(client_ask(&client, "HDR Subject: 1"), "501 ");
	begins(client_ask(&client, "HDR : 1"), "503 ");
	client_close(&client);
}

static void
folds_vanish_and_tabs_become_blanks(void **state)
{
	struct client client;

	(void)state;
	open_in_group(&client);
	contains(client_ask(&client, "OVER 2"),
	    "\r\n2\tRe: two and \xc3\xbc  more\tAn <an@members.example>\t" DATE
	    "\t<2@b.example>\t<1@b.example> <0@b.example>\t");
	contains(client_ask(&client, "HDR subject 2"),
	    "\r\n2 Re: two and \xc3\xbc  more\r\n.\r\n");
	contains(client_ask(&client, "HDR References <2@b.example>"),
	    "\r\n0 <1@b.example> <0@b.example>\r\n.\r\n");
	client_close(&client);
}

static void
a_field_that_is_missing_is_an_empty_one(void **state)
{
	struct client client;

	(void)state;
	open_in_group(&client);
	/* References of 1 */
	contains(client_ask(&client, "OVER 1"), "\t<1@b.example>\t\t");
	contains(client_ask(&client, "HDR References 1-2"),
	    "\r\n1 \r\n2 <1@b.example> <0@b.example>\r\n.\r\n");
	contains(client_ask(&client, "HDR X-None 1-2"),
	    "\r\n1 \r\n2 \r\n.\r\n");
	client_close(&client);
}

static void
of_a_header_that_stands_twice_the_first_is_shown(void **state)
{
	struct client client;

	(void)state;
	open_in_group(&client);
	contains(client_ask(&client, "HDR x-twice 1"), "\r\n1 first\r\n.\r\n");
	client_close(&client);
}

static void
over_has_as_many_fields_as_overview_fmt_has_lines(void **state)
{
	struct client client;
	unsigned lines = 0, tabs = 0;

	(void)state;
	open_in_group(&client);
	for (const char *at = client_ask(&client, "LIST OVERVIEW.FMT");
	     *at != '\0'; at++)
		lines += *at == '\n';
	for (const char *at = client_ask(&client, "OVER 1"); *at != '\0'; at++)
		tabs += *at == '\t';
	/* without the status line and the dot; a tab comes before each */
	assert_int_equal(lines - 2, tabs);
	contains(client_ask(&client, "OVER 2"),
	    "\tXref: news.example acme.open:2 acme.other:1\r\n.\r\n");
	client_close(&client);
}

static void
over_and_hdr_know_id_range_and_current_article(void **state)
{
	static const struct answer answers[] = {
		{ "OVER <1@b.example>", "224 *" },
		{ "HDR From <1@b.example>", "225 *" },
		{ "OVER", "412 *" },
		{ "OVER 1", "412 *" },
		{ "HDR From", "412 *" },
		{ "HDR From 1-", "412 *" },
		{ "OVER <none@b.example>", "430 *" },
		{ "HDR From <none@b.example>", "430 *" },
		{ "GROUP acme.open", "211 *" },
		{ "OVER", "224 *" },
		{ "HDR From", "225 *" },
		{ "OVER 4-", "423 *" },
		{ "HDR From 4-9", "423 *" },
		{ "OVER 3-1", "423 *" },
		{ "HDR From 3-1", "423 *" },
	};
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	check_answers(&client, answers, ARRAY_LEN(answers));
	contains(client_ask(&client, "OVER 2-"), "\r\n3\tthree\t");
	contains(client_ask(&client, "HDR Subject 2-3"),
	    "\r\n3 three\r\n.\r\n");
	contains(client_ask(&client, "OVER <3@b.example>"), "\r\n0\tthree\t");
	contains(client_ask(&client, "HDR Subject"), "\r\n1 one\r\n.\r\n");
	client_close(&client);
}

static void
list_headers_says_that_any_header_can_be_asked_for(void **state)
{
	static const char list[] = "\r\n:\r\n:bytes\r\n:lines\r\n.\r\n";
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	contains(client_ask(&client, "LIST HEADERS"), list);
	contains(client_ask(&client, "LIST HEADERS MSGID"), list);
	contains(client_ask(&client, "LIST HEADERS RANGE"), list);
	begins(client_ask(&client, "LIST HEADERS NUMBER"), "501 ");
	client_close(&client);
}

/* Far more than a row of the overview holds: it is cut there and only there. */
static void
a_header_beyond_the_overviews_room_is_whole_in_hdr(void **state)
{
	static char article[9000], want[6000];
	size_t at;
	struct client client;

	(void)state;
	at = (size_t)snprintf(article, sizeof article,
	    FROM "Newsgroups: acme.other\r\nMessage-ID: <long@b.example>\r\n"
		 "Subject: begin");
	for (unsigned i = 0; i < 50; i++)
		at += (size_t)snprintf(article + at, sizeof article - at,
		    "\r\n %068u", i);
	at += (size_t)snprintf(article + at, sizeof article - at, " end");
	at += (size_t)snprintf(article + at, sizeof article - at,
	    "\r\nReferences:");
	for (unsigned i = 0; i < 60; i++)
		at += (size_t)snprintf(article + at, sizeof article - at,
		    " <%060u@r.example>%s", i, i % 10 == 9 ? "\r\n" : "");
	(void)snprintf(article + at, sizeof article - at, "\r\nx\r\n.\r\n");
	client_open_greeted(&fixture, &client);
	begins(client_post(&client, article), "240 ");
	(void)snprintf(want, sizeof want, "%s",
	    client_ask(&client, "HDR Subject <long@b.example>"));
	contains(want, "\r\n0 begin ");
	contains(want, " end\r\n.\r\n");
	(void)snprintf(want, sizeof want, "%s",
	    client_ask(&client, "HDR References <long@b.example>"));
	for (unsigned i = 0; i < 60; i++) {
		char id[96];

		(void)snprintf(id, sizeof id, "<%060u@r.example>", i);
		contains(want, id);
	}
	/* and the row is still one line of eight fields and Xref */
	contains(client_ask(&client, "OVER <long@b.example>"),
	    "\tXref: news.example acme.other:");
	client_close(&client);
}

/* ---- RFC 3977 7 */

static void
wildmats_choose_newsgroups_in_every_list(void **state)
{
	static const struct {
		const char *wildmat;
		const char *names[5];
	} rows[] = {
		{ "acme.*", { "acme.open", "acme.other" } },
		{ "*.o*,!*en", { "acme.other" } },
		{ "*,!acme.*,acme.open",
		    { "acme.open", "local.news",
			"local.\xe4\xb8\xad\xe6\x96\x87" } },
		{ "local.??", { "local.\xe4\xb8\xad\xe6\x96\x87" } },
		{ "local.\xe4\xb8\xad*", { "local.\xe4\xb8\xad\xe6\x96\x87" } },
		{ "local.???", { NULL } },
		{ "ACME.*", { NULL } },
		{ "!acme.*", { NULL } },
	};
	static const char *const lists[] = { "LIST ACTIVE", "LIST COUNTS",
		"LIST ACTIVE.TIMES", "LIST NEWSGROUPS" };
	struct client client;
	const char *text;
	char line[128], start[64];

	(void)state;
	client_open_greeted(&fixture, &client);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
			unsigned found = 0, wanted = 0;

			(void)snprintf(line, sizeof line, "%s %s", lists[l],
			    rows[i].wildmat);
			text = client_ask(&client, line);
			begins(text, "215 ");
			for (; rows[i].names[wanted] != NULL; wanted++) {
				(void)snprintf(start, sizeof start, "\r\n%s%c",
				    rows[i].names[wanted], l < 3 ? ' ' : '\t');
				contains(text, start);
			}
			for (; *text != '\0'; text++)
				found += *text == '\n';
			assert_int_equal(found - 2, wanted);
		}
	}
	client_close(&client);
}

static void
what_is_no_wildmat_is_501(void **state)
{
	static const char *const wrong[] = { "LIST ACTIVE a[bc]",
		"LIST ACTIVE a\\*", "LIST NEWSGROUPS ]", "LIST ACTIVE a,,b",
		"LIST ACTIVE ,a", "LIST ACTIVE a,", "LIST ACTIVE a!b",
		"NEWNEWS [ 20260101 000000", "LIST COUNTS a,!" };
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		begins(client_ask(&client, wrong[i]), "501 ");
		(void)client_ask(&client, "MODE READER");
	}
	client_close(&client);
}

static void
list_alone_is_list_active(void **state)
{
	struct client client;
	char *alone;

	(void)state;
	client_open_greeted(&fixture, &client);
	alone = strdup(client_ask(&client, "LIST"));
	assert_string_equal(client_ask(&client, "LIST ACTIVE"), alone);
	contains(alone, "\r\nacme.open 3 1 y\r\n");
	contains(alone, "\r\nlocal.news 0 1 y\r\n");
	free(alone);
	client_close(&client);
}

static void
newgroups_agrees_with_active_times(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	contains(client_ask(&client, "LIST ACTIVE.TIMES local.news"),
	    "\r\nlocal.news 1790000000 news@news.example\r\n.\r\n");
	/* 1790000000 is 2026-09-21 14:13:20 */
	text = client_ask(&client, "NEWGROUPS 20260921 141320 GMT");
	contains(text, "\r\nlocal.news 0 1 y\r\n.\r\n");
	text = client_ask(&client, "NEWGROUPS 20260921 141321 GMT");
	lacks(text, "local.news");
	contains(text, "\r\n.\r\n");
	client_close(&client);
}

static void
years_of_two_digits_are_of_this_century_or_the_last(void **state)
{
	static const char before[] = "\r\nlocal.news ";
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	/* it is 2026 */
	contains(client_ask(&client, "NEWGROUPS 260101 000000"), before);
	lacks(client_ask(&client, "NEWGROUPS 261101 000000"), before);
	contains(client_ask(&client, "NEWGROUPS 270101 000000"), before);
	contains(client_ask(&client, "NEWGROUPS 991231 235959 GMT"), before);
	contains(client_ask(&client, "NEWGROUPS 000101 000000"), before);
	lacks(client_ask(&client, "NEWGROUPS 20990101 000000"), before);
	contains(client_ask(&client, "NEWGROUPS 19000101 000000"), before);
	client_close(&client);
}

static void
what_is_no_date_or_time_is_501(void **state)
{
	static const struct answer answers[] = {
		{ "NEWGROUPS 20260230 000000", "501 *" },
		{ "NEWGROUPS 20261301 000000", "501 *" },
		{ "NEWGROUPS 20260001 000000", "501 *" },
		{ "NEWGROUPS 20260100 000000", "501 *" },
		{ "NEWGROUPS 2026010 000000", "501 *" },
		{ "NEWGROUPS 20260101 240000", "501 *" },
		{ "NEWGROUPS 20260101 006000", "501 *" },
		{ "NEWGROUPS 20260101 000061", "501 *" },
		{ "NEWGROUPS 20260101 000060", "231 *" },
		{ "NEWGROUPS 20240229 000000", "231 *" },
		{ "NEWGROUPS 20260101 0000", "501 *" },
		{ "NEWGROUPS 20260101", "501 *" },
		{ "NEWGROUPS", "501 *" },
		{ "NEWGROUPS 20260101 000000 CET", "501 *" },
		{ "NEWNEWS * 20260101 000000 GMT", "230 *" },
		{ "NEWNEWS * 20260101 000000 GMT more", "501 *" },
		{ "NEWNEWS *", "501 *" },
	};

	(void)state;
	check_session(answers, ARRAY_LEN(answers));
}

static void
newnews_names_what_arrived_since(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	/* they arrived at 2026-11-18 11:06:40, whatever their Date says */
	text = client_ask(&client, "NEWNEWS acme.open 20261118 110640 GMT");
	begins(text, "230 ");
	contains(text,
	    "\r\n<1@b.example>\r\n<2@b.example>\r\n<3@b.example>\r\n.\r\n");
	lacks(client_ask(&client, "NEWNEWS acme.open 20261118 110641 GMT"),
	    "<1@b.example>");
	text = client_ask(&client, "NEWNEWS *,!acme.open 261118 110640");
	contains(text, "\r\n<2@b.example>\r\n");
	lacks(text, "<1@b.example>");
	contains(client_ask(&client, "NEWNEWS none.* 261118 110640"),
	    "\r\n.\r\n");
	client_close(&client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    bytes_and_lines_are_those_of_the_article_as_it_is_sent),
		cmocka_unit_test(metadata_is_counted_and_headers_are_copied),
		cmocka_unit_test(folds_vanish_and_tabs_become_blanks),
		cmocka_unit_test(a_field_that_is_missing_is_an_empty_one),
		cmocka_unit_test(
		    of_a_header_that_stands_twice_the_first_is_shown),
		cmocka_unit_test(
		    over_has_as_many_fields_as_overview_fmt_has_lines),
		cmocka_unit_test(
		    over_and_hdr_know_id_range_and_current_article),
		cmocka_unit_test(
		    list_headers_says_that_any_header_can_be_asked_for),
		cmocka_unit_test(wildmats_choose_newsgroups_in_every_list),
		cmocka_unit_test(what_is_no_wildmat_is_501),
		cmocka_unit_test(list_alone_is_list_active),
		cmocka_unit_test(newgroups_agrees_with_active_times),
		cmocka_unit_test(
		    years_of_two_digits_are_of_this_century_or_the_last),
		cmocka_unit_test(what_is_no_date_or_time_is_501),
		cmocka_unit_test(newnews_names_what_arrived_since),
		cmocka_unit_test(
		    a_header_beyond_the_overviews_room_is_whole_in_hdr),
	};

	return cmocka_run_group_tests(tests, setup, news_teardown);
}
