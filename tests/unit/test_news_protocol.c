/* test_news_protocol.c - what holds for every command (RFC 3977 3 and 5): lines,
 * keywords, generic answers, greetings, pipelines, blocks of lines.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/news_check.h"

static int
setup(void **state)
{
	static const struct fixture_space spaces[] = {
		SPACE_FOR_ANYONE("acme.open"),
	};
	struct fixture_article article = { .message_id = "<1@b.example>",
		.subject = "one",
		.spaces = { 1 } };

	(void)state;
	return news_open_with(&fixture, spaces, ARRAY_LEN(spaces)) != 0 ||
	    fixture_article_add(&fixture, &article) != 1;
}

/* 3.1 */

static void
keywords_are_read_in_any_case_and_names_exactly(void **state)
{
	static const struct answer answers[] = {
		{ "gRoUp acme.open", "211 1 1 1 acme.open\r\n" },
		{ "lIsT aCtIvE acme.open", "215 *" },
		{ "list overview.fmt", "215 *" },
		{ "List Headers Msgid", "215 *" },
		{ "mode reader", "200 *" },
		{ "hdr SUBJECT 1", "225 *" },
		{ "HDR subject 1", "225 *" },
		{ "NEWGROUPS 20260101 000000 gmt", "231 *" },
		{ "GROUP Acme.Open", "411 *" },
		{ "capabilities AutoUpdate", "101 *" },
	};

	(void)state;
	check_session(answers, ARRAY_LEN(answers));
}

static void
words_are_parted_by_any_number_of_blanks_and_tabs(void **state)
{
	static const struct answer answers[] = {
		{ "GROUP \t  acme.open", "211 1 1 1 acme.open\r\n" },
		{ "LIST\tACTIVE\tacme.open", "215 *" },
		{ "STAT 1   ", "223 1 <1@b.example>\r\n" },
		{ "HDR   :lines \t 1", "225 *" },
	};

	(void)state;
	check_session(answers, ARRAY_LEN(answers));
}

/* GROUP and a name, `octets` long with CRLF. */
static const char *
ask_line_of(struct client *client, size_t octets)
{
	char line[600];

	memset(line, ' ', sizeof line);
	memcpy(line, "GROUP", 5);
	memcpy(line + octets - 11, "acme.open", 9);
	line[octets - 2] = '\0';
	return client_ask(client, line);
}

static void
a_line_of_512_octets_is_read_and_one_more_is_501(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	begins(ask_line_of(&client, 512), "211 1 1 1 acme.open\r\n");
	begins(ask_line_of(&client, 513), "501 ");
	/* nothing of it was carried out, and nothing of it is left */
	begins(client_ask(&client, "STAT"), "223 1 ");
	client_close(&client);
}

static void
an_argument_of_497_octets_is_read(void **state)
{
	char line[520];
	struct client client;

	(void)state;
	memset(line, 'a', sizeof line);
	memcpy(line, "GROUP ", 6);
	line[6 + 497] = '\0';
	client_open_greeted(&fixture, &client);
	begins(client_ask(&client, line), "411 ");
	client_close(&client);
}

static void
commands_and_names_are_utf_8(void **state)
{
	static const struct answer answers[] = {
		{ "GROUP acme.\xc3\xb6", "411 *" },
		{ "LIST ACTIVE *\xe4\xb8\xad*", "215 *" },
		{ "GROUP acme.\xff", "501 *" },
		{ "LIST ACTIVE *\xc3", "501 *" },
		{ "GROUP acme.\xed\xa0\x80", "501 *" },
		{ "GROUP acme.\x01", "501 *" },
	};

	(void)state;
	check_session(answers, ARRAY_LEN(answers));
}

/* 3.2.1 */

static void
what_is_no_command_is_500_and_what_is_wrong_with_one_501(void **state)
{
	static const struct answer answers[] = {
		{ "MAIL", "500 *" },
		{ "X", "500 *" },
		{ "1GROUP acme.open", "500 *" },
		{ "XINDEX acme.open", "500 *" },
		{ "GROUP", "501 *" },
		{ "MODE READER", "200 *" },
		{ "GROUP acme.open 1-", "501 *" },
		{ "LISTGROUP acme.open 1- more", "501 *" },
		{ "ARTICLE 1 2", "501 *" },
		{ "POST now", "501 *" },
		{ "QUIT now", "501 *" },
		{ "LIST", "215 *" },
		{ "LIST DISTRIB", "501 *" },
		{ "LIST OVERVIEW.FMT *", "501 *" },
		{ "MODE", "501 *" },
		{ "MODE POSTER", "501 *" },
		{ "MODE READER now", "501 *" },
		{ "AUTHINFO", "501 *" },
		{ "AUTHINFO GENERIC x", "501 *" },
		{ "HDR Subject 1 2", "501 *" },
	};

	(void)state;
	check_session(answers, ARRAY_LEN(answers));
}

/* 500 is not for these, whatever their arguments (3.2.1, 3.4). */
static void
no_command_of_rfc_3977_is_unknown(void **state)
{
	static const char *const commands[] = { "ARTICLE", "BODY",
		"CAPABILITIES", "DATE", "GROUP", "HDR", "HEAD", "HELP", "LAST",
		"LIST", "LISTGROUP", "MODE READER", "NEWGROUPS", "NEWNEWS",
		"NEXT", "OVER", "STAT", "LIST ACTIVE", "LIST ACTIVE.TIMES",
		"LIST HEADERS", "LIST NEWSGROUPS", "LIST OVERVIEW.FMT",
		"IHAVE" };
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		lacks(client_ask(&client, commands[i]), "500 ");
		(void)client_ask(&client, "MODE READER");
	}
	client_close(&client);
}

/* 3.1.1 */

static void
lines_that_begin_with_dots_come_back_as_they_were(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	begins(client_post(&client,
		   "From: an@members.example\r\nNewsgroups: acme.open\r\n"
		   "Subject: dots\r\nMessage-ID: <dots@b.example>\r\n\r\n"
		   "..\r\n...\r\n.. x\r\nx.\r\n\r\n....\r\n.\r\n"),
	    "240 ");
	text = client_ask(&client, "BODY <dots@b.example>");
	assert_string_equal(text,
	    "222 0 <dots@b.example>\r\n"
	    "..\r\n...\r\n.. x\r\nx.\r\n\r\n....\r\n.\r\n");
	/* 1, 2, 3, 2, 0 and 3 dots less, of six lines */
	text = client_ask(&client, "HDR :lines <dots@b.example>");
	contains(text, "\r\n0 6\r\n.\r\n");
	client_close(&client);
}

static void
an_article_without_a_body_is_sent_as_one(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	begins(client_post(&client,
		   "From: an@members.example\r\nNewsgroups: acme.open\r\n"
		   "Subject: empty\r\nMessage-ID: <empty@b.example>\r\n\r\n"
		   ".\r\n"),
	    "240 ");
	begins(client_ask(&client, "BODY <empty@b.example>"),
	    "222 0 <empty@b.example>\r\n.\r\n");
	contains(client_ask(&client, "ARTICLE <empty@b.example>"),
	    "\r\n\r\n.\r\n");
	lacks(client_ask(&client, "HEAD <empty@b.example>"), "\r\n\r\n");
	contains(client_ask(&client, "HDR :lines <empty@b.example>"),
	    "\r\n0 0\r\n.\r\n");
	client_close(&client);
}

/* 3.5 */

static void
a_pipeline_is_answered_in_order_however_it_is_cut(void **state)
{
	static const char pipeline[] =
	    "GROUP acme.open\r\nHEAD 1\r\nSTAT 99\r\nLISTGROUP\r\nBODY 1\r\n"
	    "OVER 1-\r\nFLY\r\nLIST\r\nMODE READER\r\nQUIT\r\n";
	struct client client;
	char *whole;

	(void)state;
	client_open_greeted(&fixture, &client);
	client_send(&client, pipeline);
	whole = strdup(client_wait_end(&client));
	assert_non_null(whole);
	client_close(&client);
	begins(whole, "211 ");
	for (size_t step = 1; step <= 7; step += 3) {
		client_open_greeted(&fixture, &client);
		for (size_t at = 0; at < sizeof pipeline - 1; at += step) {
			size_t rest = sizeof pipeline - 1 - at;

			client_send_bytes(&client, pipeline + at,
			    rest < step ? rest : step);
			fixture_turn(&fixture);
		}
		assert_string_equal(client_wait_end(&client), whole);
		client_close(&client);
	}
	free(whole);
}

static void
lines_of_an_article_are_no_commands(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	begins(client_post(&client,
		   "From: an@members.example\r\nNewsgroups: acme.open\r\n"
		   "Subject: quit\r\nMessage-ID: <quit@b.example>\r\n\r\n"
		   "QUIT\r\nGROUP acme.open\r\n.\r\n"),
	    "240 ");
	text = client_ask(&client, "BODY <quit@b.example>");
	contains(text, "\r\nQUIT\r\nGROUP acme.open\r\n.\r\n");
	client_close(&client);
}

/* 5.1, 5.3 */

static void
the_greeting_is_200_201_or_400(void **state)
{
	static struct news_fixture other; /* without a space to post to */
	struct client client;

	(void)state;
	assert_int_equal(news_fixture_open(&other), 0);
	client_open(&other, &client);
	begins(client_wait(&client, "\r\n"), "201 news.example ");
	begins(client_ask(&client, "MODE READER"), "201 ");
	begins(client_ask(&client, "POST"), "440 ");
	lacks(client_ask(&client, "CAPABILITIES"), "\r\nPOST\r\n");
	contains(client_ask(&client, "LIST"), "\r\n.\r\n");
	client_close(&client);
	news_server_stop(other.server);
	client_open(&other, &client);
	begins(client_wait_end(&client), "400 ");
	assert_null(client.stream);
	client_close(&client);
	news_fixture_close(&other);
	client_open(&fixture, &client);
	begins(client_wait(&client, "\r\n"), "200 news.example ");
	client_close(&client);
}

static void
mode_reader_changes_nothing(void **state)
{
	static const struct answer answers[] = {
		{ "GROUP acme.open", "211 *" },
		{ "MODE READER", "200 *" },
		{ "STAT", "223 1 <1@b.example>\r\n" },
		{ "MODE READER", "200 *" },
		{ "STAT", "223 1 <1@b.example>\r\n" },
	};

	(void)state;
	check_session(answers, ARRAY_LEN(answers));
}

/* 3.3, 5.2, 9.5 */

static void
check_capability(const char *line, size_t len)
{
	size_t label = strcspn(line, " \r");

	assert_true(label >= 3 && label <= len);
	for (size_t i = 0; i < label; i++)
		assert_true((line[i] >= 'A' && line[i] <= 'Z') ||
		    (i > 0 && (line[i] == '-' || line[i] == '.')));
	/* tokens are printable, parted by one blank, with none at the end */
	for (size_t i = 0; i < len; i++)
		assert_true((unsigned char)line[i] >= ' ');
	assert_null(memmem(line, len, "  ", 2));
	assert_true(line[len - 1] != ' ');
}

static void
capabilities_are_lines_of_a_label_and_its_arguments(void **state)
{
	struct client client;
	const char *text, *line, *end;
	char label[64];

	(void)state;
	client_open_greeted(&fixture, &client);
	text = client_ask(&client, "CAPABILITIES");
	line = strstr(text, "\r\n");
	assert_non_null(line);
	begins(line += 2, "VERSION 2\r\n");
	for (; strcmp(line, ".\r\n") != 0; line = end + 2) {
		end = strstr(line, "\r\n");
		assert_non_null(end);
		check_capability(line, (size_t)(end - line));
		/* none is listed twice */
		(void)snprintf(label, sizeof label, "\r\n%.*s",
		    (int)strcspn(line, " \r"), line);
		for (const char *again = strstr(end, label); again != NULL;
		     again = strstr(again + 1, label))
			assert_true(again[strlen(label)] != ' ' &&
			    again[strlen(label)] != '\r');
	}
	client_close(&client);
}

static void
capabilities_take_a_keyword_and_nothing_else(void **state)
{
	static const struct answer answers[] = {
		{ "CAPABILITIES XYZ", "101 *" },
		{ "CAPABILITIES a.b-2", "101 *" },
		{ "CAPABILITIES ab", "501 *" },
		{ "CAPABILITIES 1ab", "501 *" },
		{ "CAPABILITIES a_b", "501 *" },
		{ "CAPABILITIES abc abc", "501 *" },
	};

	(void)state;
	check_session(answers, ARRAY_LEN(answers));
}

static void
every_list_that_is_offered_is_answered(void **state)
{
	char offered[512], command[64];
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	text = strstr(client_ask(&client, "CAPABILITIES"), "\r\nLIST ");
	assert_non_null(text);
	(void)snprintf(offered, sizeof offered, "%.*s",
	    (int)strcspn(text + 7, "\r"), text + 7);
	for (char *save, *word = strtok_r(offered, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		(void)snprintf(command, sizeof command, "LIST %s", word);
		text = client_ask(&client, command);
		if (strncmp(text, "503 ", 4) != 0)
			begins(text, "215 ");
	}
	client_close(&client);
}

/* 5.4 */

static void
quit_is_answered_and_ends_the_connection(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	client_send(&client, "QUIT\r\nDATE\r\n");
	begins(client_wait_end(&client), "205 ");
	lacks(buffer_text(&client.text), "111 ");
	assert_null(client.stream);
	client_close(&client);
}

/* 7.1, 7.2 */

static void
date_is_that_of_the_clock_in_utc(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	client_send(&client, "DATE\r\n");
	assert_string_equal(client_wait(&client, "\r\n"),
	    "111 20261118110640\r\n");
	client_close(&client);
}

static void
help_names_every_command(void **state)
{
	static const char *const commands[] = { "ARTICLE", "CAPABILITIES",
		"LIST ACTIVE.TIMES [wildmat]", "NEWNEWS", "POST", "XOVER" };
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	text = client_ask(&client, "HELP");
	begins(text, "100 ");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		contains(text, commands[i]);
	client_close(&client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    keywords_are_read_in_any_case_and_names_exactly),
		cmocka_unit_test(
		    words_are_parted_by_any_number_of_blanks_and_tabs),
		cmocka_unit_test(
		    a_line_of_512_octets_is_read_and_one_more_is_501),
		cmocka_unit_test(an_argument_of_497_octets_is_read),
		cmocka_unit_test(commands_and_names_are_utf_8),
		cmocka_unit_test(
		    what_is_no_command_is_500_and_what_is_wrong_with_one_501),
		cmocka_unit_test(no_command_of_rfc_3977_is_unknown),
		cmocka_unit_test(
		    lines_that_begin_with_dots_come_back_as_they_were),
		cmocka_unit_test(an_article_without_a_body_is_sent_as_one),
		cmocka_unit_test(
		    a_pipeline_is_answered_in_order_however_it_is_cut),
		cmocka_unit_test(lines_of_an_article_are_no_commands),
		cmocka_unit_test(the_greeting_is_200_201_or_400),
		cmocka_unit_test(mode_reader_changes_nothing),
		cmocka_unit_test(
		    capabilities_are_lines_of_a_label_and_its_arguments),
		cmocka_unit_test(capabilities_take_a_keyword_and_nothing_else),
		cmocka_unit_test(every_list_that_is_offered_is_answered),
		cmocka_unit_test(quit_is_answered_and_ends_the_connection),
		cmocka_unit_test(date_is_that_of_the_clock_in_utc),
		cmocka_unit_test(help_names_every_command),
	};

	return cmocka_run_group_tests(tests, setup, news_teardown);
}
