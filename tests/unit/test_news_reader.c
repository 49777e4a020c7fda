/* test_news_reader.c - what a reader is answered in every state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "store/msgid.h"
#include "tests/unit/news_check.h"

/* ids of some of the spaces below */
static const uint32_t both = 1, staff = 3, talk = 4;

static const struct fixture_space spaces[] = {
	{ "acme.announce", "What is new", KITH__AUDIENCE__AUDIENCE_ANYONE,
	    KITH__AUDIENCE__AUDIENCE_STAFF, KITH__MODERATION__MODERATION_NONE,
	    1600000000 },
	{ "acme.empty", "", KITH__AUDIENCE__AUDIENCE_ANYONE,
	    KITH__AUDIENCE__AUDIENCE_MEMBERS, KITH__MODERATION__MODERATION_NONE,
	    1700000000 },
	{ "acme.staff", "Hidden", KITH__AUDIENCE__AUDIENCE_STAFF,
	    KITH__AUDIENCE__AUDIENCE_STAFF, KITH__MODERATION__MODERATION_NONE,
	    1700000000 },
	{ "acme.talk", "Talk, ngoài lề, 闲聊", KITH__AUDIENCE__AUDIENCE_ANYONE,
	    KITH__AUDIENCE__AUDIENCE_MEMBERS, KITH__MODERATION__MODERATION_NONE,
	    1790000000 },
};

static void
fill_talk(void)
{
	char id[64], subject[64];

	/* 1 ... 5, of which 3 is removed */
	for (unsigned i = 1; i <= 5; i++) {
		struct fixture_article article = { .message_id = id,
			.subject = subject,
			.spaces = { talk },
			.time = 1790000000 + i };

		(void)snprintf(id, sizeof id, "<talk.%u@b.example>", i);
		(void)snprintf(subject, sizeof subject, "number %u", i);
		assert_int_equal(fixture_article_add(&fixture, &article), i);
	}
	fixture_number_remove(&fixture, talk, 3);
}

static int
setup(void **state)
{
	struct fixture_article in_two = { .message_id = "<two@b.example>",
		.subject = "in two spaces",
		.added = "Path: news.example!.MAIL!not-for-mail\r\n"
			 "Newsgroups: acme.staff,acme.announce\r\n",
		.received =
		    "From: a@b.example\r\nReturn-Path: <a@b.example>\r\n"
		    "Subject: in two spaces\r\nX-Note: folded\r\n"
		    " header\r\nMessage-ID: <two@b.example>\r\n\r\n"
		    "..dot\r\nlast\r\n",
		.hidden = "Return-Path: <a@b.example>\r\n" };
	struct fixture_article secret = { .message_id = "<secret@b.example>",
		.subject = "secret" };

	(void)state;
	if (news_open_with(&fixture, spaces, ARRAY_LEN(spaces)) != 0)
		return -1;
	fill_talk();
	secret.spaces[0] = staff;
	in_two.spaces[0] = staff;
	in_two.spaces[1] = both;
	if (fixture_article_add(&fixture, &secret) != 1 ||
	    fixture_article_add(&fixture, &in_two) != 2)
		return -1;
	return fixture_member_add(&fixture, "an", "pass word",
		   KITH__ROLE__ROLE_MEMBER) != 0 ||
	    fixture_member_add(&fixture, "li", "secret",
		KITH__ROLE__ROLE_STAFF) != 0;
}

static void
the_greeting_says_that_a_login_may_post(void **state)
{
	struct client client;

	(void)state;
	client_open(&fixture, &client);
	contains(client_wait(&client, "\r\n"), "200 news.example");
	begins(client_ask(&client, "MODE READER"), "200 ");
	begins(client_ask(&client, "POST"), "480 ");
	client_close(&client);
}

static void
every_state_has_its_codes(void **state)
{
	static const struct answer answers[] = {
		{ "DATE x", "501 *" },
		{ "FLY", "500 *" },
		{ "", "500 *" },
		{ "article", "412 *" },
		{ "ARTICLE 1", "412 *" },
		{ "STAT talk.1@b.example", "501 *" },
		{ "STAT <unknown@b.example>", "430 *" },
		{ "STAT <talk.1@b.example>", "223 0 <talk.1@b.example>\r\n" },
		{ "NEXT", "412 *" },
		{ "LAST", "412 *" },
		{ "OVER", "412 *" },
		{ "OVER 1-", "412 *" },
		{ "XOVER 1-", "412 *" },
		{ "HDR Subject 1-", "412 *" },
		{ "LISTGROUP", "412 *" },
		{ "GROUP acme.none", "411 *" },
		{ "GROUP acme.empty", "211 0 1 0 acme.empty\r\n" },
		{ "STAT", "420 *" },
		{ "NEXT", "420 *" },
		{ "LAST", "420 *" },
		{ "OVER", "420 *" },
		{ "OVER 1-", "423 *" },
		{ "HDR Subject", "420 *" },
		{ "ARTICLE 1", "423 *" },
		{ "LISTGROUP", "211 0 1 0 acme.empty*" },
		{ "group acme.talk", "211 4 1 5 acme.talk\r\n" },
		{ "GROUP acme.none", "411 *" },
		{ "STAT", "223 1 <talk.1@b.example>\r\n" },
		{ "LAST", "422 *" },
		{ "NEXT", "223 2 <talk.2@b.example>\r\n" },
		{ "next", "223 4 <talk.4@b.example>\r\n" },
		{ "NEXT", "223 5 <talk.5@b.example>\r\n" },
		{ "NEXT", "421 *" },
		{ "STAT", "223 5 <talk.5@b.example>\r\n" },
		{ "LAST", "223 4 <talk.4@b.example>\r\n" },
		{ "LAST", "223 2 <talk.2@b.example>\r\n" },
		{ "STAT 3", "423 *" },
		{ "STAT 99999999999", "423 *" },
		{ "STAT 0", "423 *" },
		{ "STAT 1x", "501 *" },
		{ "STAT", "223 2 <talk.2@b.example>\r\n" },
		{ "STAT <talk.5@b.example>", "223 0 <talk.5@b.example>\r\n" },
		{ "STAT", "223 2 <talk.2@b.example>\r\n" },
		{ "OVER 3", "423 *" },
		{ "XOVER 3", "420 *" },
		{ "OVER 5-1", "423 *" },
		{ "OVER x", "501 *" },
		{ "OVER <unknown@b.example>", "430 *" },
		{ "HDR", "501 *" },
		{ "HDR :nothing 1", "503 *" },
		{ "LIST TREES", "501 *" },
		{ "LIST ACTIVE u[ks].*", "501 *" },
		{ "LIST HEADERS OTHER", "501 *" },
		{ "NEWGROUPS 20261301 000000", "501 *" },
		{ "NEWGROUPS 20261101 000000 UTC", "501 *" },
		{ "STARTTLS", "580 *" },
		{ "IHAVE <x@b.example>", "480 *" },
		{ "IHAVE x", "501 *" },
		{ "AUTHINFO PASS x", "482 *" },
		{ "AUTHINFO SASL", "501 *" },
		{ "AUTHINFO SASL EXAMPLE", "503 *" },
	};

	(void)state;
	check_session(answers, ARRAY_LEN(answers));
}

static void
listgroup_takes_a_group_and_a_range(void **state)
{
	static const struct answer answers[] = {
		{ "LISTGROUP acme.talk",
		    "211 4 1 5 acme.talk list follows\r\n1\r\n2\r\n4\r\n5\r\n"
		    ".\r\n" },
		{ "LISTGROUP acme.talk 2-4",
		    "211 4 1 5 acme.talk list follows\r\n2\r\n4\r\n.\r\n" },
		{ "LISTGROUP acme.talk 3",
		    "211 4 1 5 acme.talk list follows\r\n.\r\n" },
		{ "LISTGROUP acme.talk 5-1",
		    "211 4 1 5 acme.talk list follows\r\n.\r\n" },
		{ "LISTGROUP",
		    "211 4 1 5 acme.talk list follows\r\n1\r\n2\r\n4\r\n5\r\n"
		    ".\r\n" },
		{ "LISTGROUP acme.talk x", "501 *" },
		{ "LISTGROUP acme.staff", "411 *" },
	};

	(void)state;
	check_session(answers, ARRAY_LEN(answers));
}

static void
an_article_is_sent_whole_by_number_and_by_id(void **state)
{
	static const char header[] =
	    "Xref: news.example acme.talk:2\r\nFrom: a@b.example\r\n"
	    "Subject: number 2\r\nDate: Mon, 16 Nov 2026 10:00:00 +0000\r\n"
	    "Message-ID: <talk.2@b.example>\r\n";
	static char by_number[512], by_id[512], head[512];
	struct answer answers[] = {
		{ "GROUP acme.talk", "211 *" },
		{ "ARTICLE 2", by_number },
		{ "ARTICLE", by_number },
		{ "ARTICLE <talk.2@b.example>", by_id },
		{ "HEAD 2", head },
		{ "BODY 2", "222 2 <talk.2@b.example>\r\nHello.\r\n.\r\n" },
	};
	struct client client;

	(void)state;
	(void)snprintf(by_number, sizeof by_number,
	    "220 2 <talk.2@b.example>\r\n%s\r\nHello.\r\n.\r\n", header);
	(void)snprintf(by_id, sizeof by_id,
	    "220 0 <talk.2@b.example>\r\n%s\r\nHello.\r\n.\r\n", header);
	(void)snprintf(head, sizeof head, "221 2 <talk.2@b.example>\r\n%s.\r\n",
	    header);
	client_open_greeted(&fixture, &client);
	check_answers(&client, answers, ARRAY_LEN(answers));
	client_close(&client);
}

static void
hidden_headers_and_hidden_spaces_are_not_sent(void **state)
{
	static const struct answer answers[] = {
		{ "GROUP acme.announce", "211 1 1 1 acme.announce\r\n" },
		{ "ARTICLE 1",
		    "220 1 <two@b.example>\r\n"
		    "Path: news.example!.MAIL!not-for-mail\r\n"
		    "Newsgroups: acme.announce\r\n"
		    "Xref: news.example acme.announce:1\r\n"
		    "From: a@b.example\r\nSubject: in two spaces\r\n"
		    "X-Note: folded\r\n header\r\n"
		    "Message-ID: <two@b.example>\r\n\r\n"
		    "..dot\r\nlast\r\n.\r\n" },
		{ "HDR Xref 1", "225 Header information follows\r\n*" },
		{ "HDR X-Note 1-", "225 *" },
		{ "HDR Return-Path 1-", "225 *" },
	};
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	check_answers(&client, answers, 2);
	text = client_ask(&client, "OVER 1-");
	contains(text, "\tXref: news.example acme.announce:1\r\n");
	lacks(text, "staff");
	text = client_ask(&client, "HDR Xref 1-");
	contains(text, "\r\n1 news.example acme.announce:1\r\n.\r\n");
	text = client_ask(&client, "HDR x-note 1");
	contains(text, "\r\n1 folded header\r\n.\r\n");
	text = client_ask(&client, "HDR Return-Path 1");
	contains(text, "\r\n1 \r\n.\r\n");
	client_close(&client);
}

static void
what_may_not_be_read_does_not_exist(void **state)
{
	static const struct answer answers[] = {
		{ "GROUP acme.staff", "411 *" },
		{ "LIST ACTIVE acme.staff", "215 *" },
		{ "ARTICLE <secret@b.example>", "430 *" },
		{ "OVER <secret@b.example>", "430 *" },
		{ "HDR Subject <secret@b.example>", "430 *" },
	};
	static const char *const lists[] = { "LIST", "LIST ACTIVE *",
		"LIST ACTIVE acme.staff", "LIST NEWSGROUPS",
		"LIST ACTIVE.TIMES", "NEWGROUPS 19990101 000000 GMT",
		"NEWNEWS * 19990101 000000 GMT" };
	char hidden[128], unknown[128];
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	check_answers(&client, answers, ARRAY_LEN(answers));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		text = client_ask(&client, lists[i]);
		lacks(text, "\r\nacme.staff");
		lacks(text, "secret");
		contains(text, "\r\n.\r\n");
	}
	(void)snprintf(hidden, sizeof hidden, "%s",
	    client_ask(&client, "STAT <secret@b.example>"));
	(void)snprintf(unknown, sizeof unknown, "%s",
	    client_ask(&client, "STAT <unknown@b.example>"));
	assert_string_equal(hidden, unknown);
	client_close(&client);
}

static void
lists_show_marks_status_and_descriptions(void **state)
{
	static const struct answer answers[] = {
		{ "LIST", "215 *" },
		{ "LIST OVERVIEW.FMT",
		    "215 order of fields in overview\r\nSubject:\r\nFrom:\r\n"
		    "Date:\r\nMessage-ID:\r\nReferences:\r\nBytes:\r\n"
		    "Lines:\r\nXref:full\r\n.\r\n" },
		{ "LIST HEADERS", "215 *" },
		{ "LIST HEADERS msgid", "215 *" },
	};
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	check_answers(&client, answers, ARRAY_LEN(answers));
	text = client_ask(&client, "LIST ACTIVE acme.*");
	contains(text,
	    "\r\nacme.announce 1 1 y\r\n"
	    "acme.empty 0 1 y\r\n"
	    "acme.talk 5 1 y\r\n.\r\n");
	text = client_ask(&client, "LIST ACTIVE *,!acme.*,acme.talk");
	contains(text, "follows\r\nacme.talk 5 1 y\r\n.\r\n");
	text = client_ask(&client, "LIST NEWSGROUPS acme.talk");
	contains(text, "\r\nacme.talk\tTalk, ngoài lề, 闲聊\r\n.\r\n");
	text = client_ask(&client, "LIST ACTIVE.TIMES acme.talk");
	contains(text, "\r\nacme.talk 1790000000 news@news.example\r\n.\r\n");
	client_close(&client);
}

static void
overview_and_headers_come_in_three_forms(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	(void)client_ask(&client, "GROUP acme.talk");
	text = client_ask(&client, "OVER 2-4");
	contains(text, "\r\n2\tnumber 2\ta@b.example\t");
	contains(text, "\r\n4\tnumber 4\t");
	lacks(text, "\r\n5\t");
	text = client_ask(&client, "OVER <talk.4@b.example>");
	contains(text, "\r\n0\tnumber 4\t");
	text = client_ask(&client, "OVER");
	contains(text, "\r\n1\tnumber 1\t");
	text = client_ask(&client, "HDR Subject 4-");
	contains(text, "\r\n4 number 4\r\n5 number 5\r\n.\r\n");
	text = client_ask(&client, "HDR :lines <talk.4@b.example>");
	contains(text, "\r\n0 1\r\n.\r\n");
	text = client_ask(&client, "XHDR message-id");
	begins(text, "221 ");
	contains(text, "\r\n1 <talk.1@b.example>\r\n.\r\n");
	client_close(&client);
}

static void
newnews_and_newgroups_know_what_is_new(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	/* 1790000003 */
	text = client_ask(&client, "NEWNEWS acme.talk 20260921 141323 GMT");
	contains(text, "\r\n<talk.4@b.example>\r\n<talk.5@b.example>\r\n.\r\n");
	lacks(text, "talk.2");
	text = client_ask(&client, "NEWNEWS *,!acme.talk 260101 000000");
	contains(text, "\r\n<two@b.example>\r\n.\r\n");
	text = client_ask(&client, "NEWNEWS * 20990101 000000 GMT");
	contains(text, "\r\n.\r\n");
	text = client_ask(&client, "NEWGROUPS 20250101 000000 GMT");
	begins(text, "231 ");
	contains(text, "\r\nacme.talk 5 1 y\r\n.\r\n");
	lacks(text, "acme.empty");
	client_close(&client);
}

static void
pipelined_commands_are_answered_in_order(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	buffer_clear(&client.text);
	client_send(&client,
	    "GROUP acme.talk\r\nSTAT 5\r\nLAST\r\nSTAT 3\r\n"
	    "BODY 1\r\nHELP\r\nQUIT\r\nDATE\r\n");
	text = client_wait_end(&client);
	contains(text,
	    "211 4 1 5 acme.talk\r\n223 5 <talk.5@b.example>\r\n"
	    "223 4 <talk.4@b.example>\r\n423 ");
	contains(text,
	    "222 1 <talk.1@b.example>\r\nHello.\r\n"
	    ".\r\n100 ");
	contains(text, "\r\n.\r\n205 ");
	lacks(text, "\r\n111 ");
	client_close(&client);
}

static void
an_overlong_line_is_501_and_the_connection_lives(void **state)
{
	struct client client;
	char line[2000];
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	memset(line, 'x', sizeof line);
	buffer_clear(&client.text);
	client_send_bytes(&client, line, sizeof line);
	client_send_bytes(&client, line, sizeof line);
	text = client_wait(&client, "\r\n");
	begins(text, "501 ");
	client_send(&client, "\r\n");
	text = client_ask(&client, "GROUP acme.talk");
	assert_string_equal(text, "211 4 1 5 acme.talk\r\n");
	client_close(&client);
}

static void
ten_errors_in_a_row_end_the_connection(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	for (int i = 0; i < 9; i++)
		client_send(&client, "FLY\r\n");
	begins(client_ask(&client, "DATE"), "500 ");
	for (int i = 0; i < 10; i++)
		client_send(&client, "FLY\r\n");
	buffer_clear(&client.text);
	contains(client_wait_end(&client), "\r\n400 ");
	assert_null(client.stream);
	client_close(&client);
}

static void
control_octets_in_a_command_are_refused(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	buffer_clear(&client.text);
	client_send_bytes(&client, "GROUP a\0b\r\n", 11);
	begins(client_wait(&client, "\r\n"), "501 ");
	buffer_clear(&client.text);
	client_send(&client, "GROUP a\rDATE\r\n");
	begins(client_wait(&client, "\r\n"), "501 ");
	client_close(&client);
}

static void
counts_and_moderators_are_listed(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	text = client_ask(&client, "LIST COUNTS");
	begins(text, "215 ");
	contains(text, "\r\nacme.empty 0 1 0 ");
	contains(text, "\r\nacme.talk 5 1 4 ");
	lacks(text, "acme.staff");
	text = client_ask(&client, "LIST COUNTS acme.staff");
	lacks(text, "acme.staff");
	text = client_ask(&client, "LIST MODERATORS");
	begins(text, "215 ");
	text = client_ask(&client, "LIST MODERATORS *");
	begins(text, "501 ");
	client_close(&client);
}

static void
xpat_shows_what_matches(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	text = client_ask(&client, "XPAT Subject 1-5 *");
	begins(text, "412 ");
	(void)client_ask(&client, "GROUP acme.talk");
	text = client_ask(&client, "XPAT Subject 1-9 number [2-4]");
	begins(text, "221 ");
	contains(text, "\r\n2 number 2\r\n4 number 4\r\n.\r\n");
	text = client_ask(&client, "XPAT Subject 1- nothing*");
	begins(text, "221 ");
	contains(text, "\r\n.\r\n");
	text = client_ask(&client, "XPAT Subject 90-91 *");
	begins(text, "221 ");
	contains(text, "\r\n.\r\n");
	text = client_ask(&client, "XPAT subject <talk.2@b.example> *2");
	contains(text, "\r\n<talk.2@b.example> number 2\r\n.\r\n");
	text = client_ask(&client, "XHDR subject <talk.2@b.example>");
	contains(text, "\r\n<talk.2@b.example> number 2\r\n.\r\n");
	/* not so in RFC 3977 8.5.2 */
	text = client_ask(&client, "HDR subject <talk.2@b.example>");
	contains(text, "\r\n0 number 2\r\n.\r\n");
	text = client_ask(&client, "XPAT subject <secret@b.example> *");
	begins(text, "430 ");
	begins(client_ask(&client, "XPAT subject 1-2"), "501 ");
	client_close(&client);
}

static void
xgtitle_describes_what_may_be_seen(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	begins(client_ask(&client, "XGTITLE"), "412 ");
	text = client_ask(&client, "XGTITLE acme.*");
	begins(text, "282 ");
	contains(text, "\r\nacme.talk\tTalk, ");
	lacks(text, "Hidden");
	(void)client_ask(&client, "GROUP acme.talk");
	text = client_ask(&client, "XGTITLE");
	contains(text, "\r\nacme.talk\tTalk, ");
	lacks(text, "acme.empty");
	client_close(&client);
}

static void
capabilities_follow_the_state(void **state)
{
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	text = client_ask(&client, "CAPABILITIES");
	begins(text, "101 ");
	contains(text, "\r\nVERSION 2\r\nIMPLEMENTATION ");
	contains(text, "\r\nREADER\r\n");
	contains(text, "\r\nOVER MSGID\r\n");
	contains(text, "\r\nHDR\r\n");
	contains(text,
	    "\r\nLIST ACTIVE ACTIVE.TIMES COUNTS DISTRIB.PATS DISTRIBUTIONS "
	    "HEADERS MODERATORS MOTD NEWSGROUPS OVERVIEW.FMT SUBSCRIPTIONS"
	    "\r\n");
	contains(text, "\r\nAUTHINFO SASL USER\r\n");
	contains(text, "\r\nPOST\r\n");
	lacks(text, "IHAVE");
	lacks(text, "STARTTLS");
	begins(client_ask(&client, "CAPABILITIES 1"), "501 ");
	buffer_clear(&client.text);
	client_send(&client, "AUTHINFO USER an\r\nAUTHINFO PASS pass word\r\n");
	contains(client_wait(&client, "281 "), "281 ");
	text = client_ask(&client, "CAPABILITIES AUTHINFO");
	lacks(text, "AUTHINFO");
	contains(text, "\r\nSASL SCRAM-SHA-256 PLAIN\r\n");
	client_close(&client);
}

static void
a_login_opens_what_it_may_read(void **state)
{
	static const struct answer after[] = {
		{ "GROUP acme.staff", "211 2 1 2 acme.staff\r\n" },
		{ "STAT <secret@b.example>", "223 0 <secret@b.example>\r\n" },
		{ "AUTHINFO USER li", "502 *" },
	};
	struct client client;
	const char *text;

	(void)state;
	client_open_greeted(&fixture, &client);
	(void)client_ask(&client, "GROUP acme.talk");
	begins(client_ask(&client, "AUTHINFO USER li"), "381 ");
	begins(client_ask(&client, "AUTHINFO PASS wrong"), "481 ");
	begins(client_ask(&client, "AUTHINFO PASS secret"), "482 ");
	buffer_clear(&client.text);
	client_send(&client,
	    "AUTHINFO USER li\r\nAUTHINFO PASS secret\r\n"
	    "STAT\r\n");
	text = client_wait(&client, "223 1");
	/* later commands waited for the login; the group stays selected */
	contains(text, "\r\n281 ");
	contains(text, "\r\n223 1 <talk.1@b.example>\r\n");
	check_answers(&client, after, ARRAY_LEN(after));
	text = client_ask(&client, "HDR Xref <two@b.example>");
	contains(text, "0 news.example acme.staff:2 acme.announce:1\r\n");
	text = client_ask(&client, "LIST ACTIVE acme.staff");
	contains(text, "\r\nacme.staff 2 1 y\r\n.\r\n");
	client_close(&client);
}

static int
forget_id(struct store_txn *txn, struct store_op *op)
{
	static const char id[] = "<kept@b.example>";
	uint8_t hash[STORE_HASH_LEN];

	(void)op;
	store_msgid_hash(fixture.store, id, strlen(id), hash);
	return store_msgid_put(txn, hash, NULL, 0);
}

/* The third time it is found by the id alone. */
static void
an_article_kept_by_its_id_is_so_for_who_may_read_it_as_long_as_it_is_there(
    void **state)
{
	static const char ask[] = "ARTICLE <kept@b.example>";
	struct fixture_article kept = { .message_id = "<kept@b.example>",
		.subject = "kept",
		.spaces = { staff } };
	struct store_op forget = { .apply = forget_id };
	struct client anyone, member;

	(void)state;
	assert_true(fixture_article_add(&fixture, &kept) > 0);
	client_open_greeted(&fixture, &anyone);
	client_open_greeted(&fixture, &member);
	begins(client_ask(&member, "AUTHINFO USER li"), "381 ");
	begins(client_ask(&member, "AUTHINFO PASS secret"), "281 ");
	for (unsigned i = 0; i < 4; i++) {
		begins(client_ask(&anyone, ask), "430 ");
		begins(client_ask(&member, ask), "220 0 <kept@b.example>\r\n");
		contains(client_ask(&member, ask), "\r\nSubject: kept\r\n");
	}
	assert_int_equal(store_run(fixture.store, &forget), 0);
	begins(client_ask(&member, ask), "430 ");
	begins(client_ask(&anyone, ask), "430 ");
	client_close(&anyone);
	client_close(&member);
}

static void
a_space_that_goes_away_is_no_longer_selected(void **state)
{
	static const struct fixture_space brief = { "acme.brief", "",
		KITH__AUDIENCE__AUDIENCE_ANYONE,
		KITH__AUDIENCE__AUDIENCE_ANYONE,
		KITH__MODERATION__MODERATION_ALL, 1 };
	uint32_t id = fixture_space_add(&fixture, &brief);
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	contains(client_ask(&client, "LIST ACTIVE acme.brief"),
	    "\r\nacme.brief 0 1 m\r\n");
	begins(client_ask(&client, "GROUP acme.brief"), "211 ");
	fixture_space_remove(&fixture, id);
	begins(client_ask(&client, "STAT"), "412 ");
	lacks(client_ask(&client, "LIST"), "acme.brief");
	client_close(&client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_greeting_says_that_a_login_may_post),
		cmocka_unit_test(every_state_has_its_codes),
		cmocka_unit_test(listgroup_takes_a_group_and_a_range),
		cmocka_unit_test(an_article_is_sent_whole_by_number_and_by_id),
		cmocka_unit_test(hidden_headers_and_hidden_spaces_are_not_sent),
		cmocka_unit_test(what_may_not_be_read_does_not_exist),
		cmocka_unit_test(lists_show_marks_status_and_descriptions),
		cmocka_unit_test(overview_and_headers_come_in_three_forms),
		cmocka_unit_test(newnews_and_newgroups_know_what_is_new),
		cmocka_unit_test(pipelined_commands_are_answered_in_order),
		cmocka_unit_test(
		    an_overlong_line_is_501_and_the_connection_lives),
		cmocka_unit_test(ten_errors_in_a_row_end_the_connection),
		cmocka_unit_test(control_octets_in_a_command_are_refused),
		cmocka_unit_test(counts_and_moderators_are_listed),
		cmocka_unit_test(xpat_shows_what_matches),
		cmocka_unit_test(xgtitle_describes_what_may_be_seen),
		cmocka_unit_test(capabilities_follow_the_state),
		cmocka_unit_test(a_login_opens_what_it_may_read),
		cmocka_unit_test(
		    an_article_kept_by_its_id_is_so_for_who_may_read_it_as_long_as_it_is_there),
		cmocka_unit_test(a_space_that_goes_away_is_no_longer_selected),
	};

	return cmocka_run_group_tests(tests, setup, news_teardown);
}
