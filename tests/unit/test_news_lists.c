/* test_news_lists.c - the lists that an admin writes (RFC 6048, RFC 3977 7.6.5),
 * and the status of a newsgroup.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/community/texts.h"
#include "tests/unit/news_check.h"

static int
setup(void **state)
{
	static const struct fixture_space spaces[] = {
		SPACE_FOR_ANYONE("acme.closed"),
		SPACE_FOR_ANYONE("acme.help"),
		SPACE_FOR_ANYONE("acme.start"),
		SPACE_FOR_STAFF("acme.staff"),
		SPACE_FOR_ANYONE("acme.talk"),
		SPACE_FOR_ANYONE("acme.test"),
	};

	(void)state;
	return news_open_with(&fixture, spaces, ARRAY_LEN(spaces)) != 0 ||
	    fixture_space_set(&fixture, 1, true, 0) != 0 ||
	    fixture_space_set(&fixture, 2, false, 2) != 0 ||
	    fixture_space_set(&fixture, 3, false, 1) != 0 ||
	    fixture_space_set(&fixture, 4, false, 1) != 0 ||
	    fixture_space_set(&fixture, 6, false, 2) != 0;
}

struct text_op {
	struct store_op op;
	enum text text;
	struct buffer wire;
};

static int
text_apply(struct store_txn *txn, struct store_op *op)
{
	struct text_op *text = (struct text_op *)(void *)op;

	return text_put(txn, text->text, buffer_span(&text->wire));
}

static void
write_text(enum text text, const char *file)
{
	struct text_op op = { .op = { .apply = text_apply }, .text = text };
	struct text_fault fault;

	buffer_init(&op.wire, 0);
	assert_int_equal(text_compose(text, span_of(file), &op.wire, &fault),
	    0);
	assert_int_equal(store_run(fixture.store, &op.op), 0);
	buffer_fini(&op.wire);
}

static unsigned
faulty_line(enum text text, const char *file)
{
	struct text_fault fault;
	struct buffer wire;

	buffer_init(&wire, 0);
	assert_int_equal(text_compose(text, span_of(file), &wire, &fault), 1);
	assert_non_null(fault.why);
	buffer_fini(&wire);
	return fault.line;
}

static void
what_was_not_written_is_503(void **state)
{
	static const struct answer answers[] = {
		{ "LIST MOTD", "503 *" },
		{ "LIST DISTRIBUTIONS", "503 *" },
		{ "LIST DISTRIB.PATS", "503 *" },
		{ "LIST MOTD x", "501 *" },
		{ "LIST DISTRIBUTIONS x", "501 *" },
		{ "LIST DISTRIB.PATS x", "501 *" },
	};

	(void)state;
	check_session(answers, ARRAY_LEN(answers));
}

static void
the_message_of_the_day_is_shown_as_it_was_written(void **state)
{
	struct client client;

	(void)state;
	write_text(TEXT_MOTD, "Welcome, \xe6\xac\xa2\xe8\xbf\x8e.\n\n.dot");
	client_open_greeted(&fixture, &client);
	assert_string_equal(client_ask(&client, "LIST MOTD"),
	    "215 list follows\r\nWelcome, \xe6\xac\xa2\xe8\xbf\x8e.\r\n\r\n"
	    "..dot\r\n.\r\n");
	/* it may be empty, which is not the same as none */
	write_text(TEXT_MOTD, "");
	assert_string_equal(client_ask(&client, "LIST MOTD"),
	    "215 list follows\r\n.\r\n");
	client_close(&client);
}

static void
distributions_and_their_patterns_are_listed(void **state)
{
	struct client client;

	(void)state;
	write_text(TEXT_DISTRIBUTIONS,
	    "local\tOf this house\nworld Everywhere\n");
	write_text(TEXT_DISTRIB_PATS, "10:local.*:local\n5:*,!x.*:world\n");
	client_open_greeted(&fixture, &client);
	assert_string_equal(client_ask(&client, "LIST DISTRIBUTIONS"),
	    "215 list follows\r\nlocal\tOf this house\r\nworld Everywhere\r\n"
	    ".\r\n");
	assert_string_equal(client_ask(&client, "LIST DISTRIB.PATS"),
	    "215 list follows\r\n10:local.*:local\r\n5:*,!x.*:world\r\n.\r\n");
	client_close(&client);
}

static void
a_text_that_newsreaders_could_not_read_is_refused(void **state)
{
	char *large = malloc(TEXT_OCTETS_MAX + 2);

	(void)state;
	assert_non_null(large);
	memset(large, 'x', TEXT_OCTETS_MAX + 1);
	large[TEXT_OCTETS_MAX + 1] = '\0';
	assert_int_equal(faulty_line(TEXT_MOTD, large), 0);
	free(large);
	assert_int_equal(faulty_line(TEXT_MOTD, "latin \xe9\n"), 0);
	assert_int_equal(faulty_line(TEXT_MOTD, "a\rb\n"), 0);
	assert_int_equal(faulty_line(TEXT_DISTRIBUTIONS, "local\n"), 1);
	assert_int_equal(faulty_line(TEXT_DISTRIBUTIONS, "a b\n\n"), 2);
	assert_int_equal(faulty_line(TEXT_DISTRIBUTIONS, "a b\nc,d e\n"), 2);
	assert_int_equal(faulty_line(TEXT_DISTRIBUTIONS, " a b\n"), 1);
	assert_int_equal(faulty_line(TEXT_DISTRIB_PATS, "1:a*:w\n:*:w\n"), 2);
	assert_int_equal(faulty_line(TEXT_DISTRIB_PATS, "1:[a]:w\n"), 1);
	assert_int_equal(faulty_line(TEXT_DISTRIB_PATS, "1:*:\n"), 1);
	assert_int_equal(faulty_line(TEXT_DISTRIB_PATS, "1:*\n"), 1);
}

static void
a_text_that_is_damaged_is_not_sent(void **state)
{
	static const char *const damaged[] = { "no end", "a\r\n.\r\nDATE\r\n",
		"a\nb\r\n" };
	struct text_op op = { .op = { .apply = text_apply },
		.text = TEXT_DISTRIBUTIONS };
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		buffer_init(&op.wire, 0);
		buffer_append_text(&op.wire, damaged[i]);
		assert_int_equal(store_run(fixture.store, &op.op), 0);
		buffer_fini(&op.wire);
		begins(client_ask(&client, "LIST DISTRIBUTIONS"), "403 ");
	}
	client_close(&client);
}

static void
suggested_newsgroups_come_by_importance(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	assert_string_equal(client_ask(&client, "LIST SUBSCRIPTIONS"),
	    "215 list follows\r\nacme.start\r\nacme.help\r\nacme.test\r\n"
	    ".\r\n");
	assert_string_equal(client_ask(&client, "LIST SUBSCRIPTIONS *t"),
	    "215 list follows\r\nacme.start\r\nacme.test\r\n.\r\n");
	assert_string_equal(client_ask(&client, "LIST SUBSCRIPTIONS x.*"),
	    "215 list follows\r\n.\r\n");
	begins(client_ask(&client, "LIST SUBSCRIPTIONS ["), "501 ");
	begins(client_ask(&client, "LIST SUBSCRIPTIONS * x"), "501 ");
	client_close(&client);
}

/* RFC 6048 3.1: neither posts nor what peers send */
static void
a_closed_space_has_status_x(void **state)
{
	struct client client;

	(void)state;
	client_open_greeted(&fixture, &client);
	assert_string_equal(client_ask(&client, "LIST ACTIVE acme.closed"),
	    "215 list follows\r\nacme.closed 0 1 x\r\n.\r\n");
	contains(client_ask(&client, "LIST"), "\r\nacme.closed 0 1 x\r\n");
	contains(client_ask(&client, "LIST COUNTS acme.closed"),
	    "\r\nacme.closed 0 1 0 x\r\n");
	client_close(&client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_written_is_503),
		cmocka_unit_test(
		    the_message_of_the_day_is_shown_as_it_was_written),
		cmocka_unit_test(distributions_and_their_patterns_are_listed),
		cmocka_unit_test(
		    a_text_that_newsreaders_could_not_read_is_refused),
		cmocka_unit_test(a_text_that_is_damaged_is_not_sent),
		cmocka_unit_test(suggested_newsgroups_come_by_importance),
		cmocka_unit_test(a_closed_space_has_status_x),
	};

	return cmocka_run_group_tests(tests, setup, news_teardown);
}
