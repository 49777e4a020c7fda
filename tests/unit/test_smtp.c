/* test_smtp.c - command lines and replies of SMTP.
 */
#include "build.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/smtp.h"

static void
verbs_are_sorted_and_found_in_any_case(void **state)
{
	struct span args;
	unsigned i;

	(void)state;
	for (i = 1; smtp_verb_at(i) != NULL; i++)
		assert_true(strcmp(smtp_verb_at(i - 1)->name,
				smtp_verb_at(i)->name) < 0);
	assert_int_equal(i, SMTP_VERBS);
	assert_int_equal(smtp_verb_find(span_of("rCpT TO:<a@b> "), &args)->id,
	    SMTP_RCPT);
	assert_true(span_is(args, "TO:<a@b>"));
	assert_null(smtp_verb_find(span_of("RCPTTO:<a@b>"), &args));
	assert_null(smtp_verb_find(span_of(""), &args));
}

static void
path_is(const char *args, const char *address, const char *rest)
{
	struct smtp_path path;
	struct span rest_found;

	assert_int_equal(smtp_path_parse(span_of(args), "TO:", &path,
			     &rest_found),
	    SMTP_PATH_OK);
	assert_string_equal(path.address, address);
	assert_true(span_equal(span_trim(rest_found), span_of(rest)));
}

static void
paths_are_read_as_the_wild_writes_them(void **state)
{
	(void)state;
	path_is("TO:<help+r.x=y@Lists.Example>", "help+r.x=y@Lists.Example",
	    "");
	path_is("to: <a@b> SIZE=3", "a@b", "SIZE=3");
	path_is("TO:<@relay.example,@b:a@c>", "a@c", "");
	path_is("TO:<\"help\"@b>", "help@b", "");
	path_is("TO:<\"a b\\\"c\"@b>", "\"a b\\\"c\"@b", "");
	path_is("TO:<\"a..b\"@b>", "\"a..b\"@b", "");
	path_is("TO:<a..b.@b_c>", "a..b.@b_c", "");
	path_is("TO:<a@[127.0.0.1]>", "a@[127.0.0.1]", "");
	path_is("TO:<postmaster>", "postmaster", "");
	path_is("TO:<>", "", "");
	path_is("TO:<h\xe1\xbb\x97@v\xc3\xad.example>",
	    "h\xe1\xbb\x97@v\xc3\xad.example", "");
}

static void
malformed_paths_are_refused(void **state)
{
	static const char *const bad[] = { "TO:", "TO:a@b", "TO:<a@b",
		"TO:<a b@c>", "TO:<a@>", "TO:<@b>", "TO:<a@b>x", "TO:<\"a@b>",
		"TO:<a\x01@b>", "TO:<\xc3@b>", "TO:<\xed\xa0\x80@b>",
		"TO:<a@[b>", "TO:<a<b@c>", "FROM:<a@b>", "TO:<@x:>" };
	struct smtp_path path;
	struct span rest;
	char longer[700] = "TO:<";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(smtp_path_parse(span_of(bad[i]), "TO:", &path,
				     &rest),
		    SMTP_PATH_SYNTAX);
	memset(longer + 4, 'a', 600);
	assert_int_equal(smtp_path_parse(span_of(longer), "TO:", &path, &rest),
	    SMTP_PATH_TOO_LONG);
}

static void
parameters_we_do_not_offer_are_named_unknown(void **state)
{
	struct smtp_mail_params params;

	(void)state;
	assert_int_equal(
	    smtp_mail_params_parse(span_of(" SIZE=1000 BODY=8bitmime SMTPUTF8"),
		&params),
	    SMTP_PARAMS_OK);
	assert_int_equal(params.size, 1000);
	assert_true(params.eight_bit && params.utf8);
	assert_int_equal(smtp_mail_params_parse(
			     span_of("SIZE=99999999999999999999"), &params),
	    SMTP_PARAMS_OK);
	assert_true(params.size == UINT64_MAX);
	assert_int_equal(smtp_mail_params_parse(span_of("RET=HDRS"), &params),
	    SMTP_PARAMS_UNKNOWN);
	assert_int_equal(smtp_mail_params_parse(span_of("SIZE=x"), &params),
	    SMTP_PARAMS_SYNTAX);
	assert_int_equal(smtp_mail_params_parse(span_of("=x"), &params),
	    SMTP_PARAMS_SYNTAX);
	assert_int_equal(smtp_rcpt_params_parse(span_of("NOTIFY=NEVER")),
	    SMTP_PARAMS_UNKNOWN);
	assert_int_equal(smtp_rcpt_params_parse(span_of("")), SMTP_PARAMS_OK);
}

/* Feeds the octets cut at `cut` and reads one reply. */
static int
reply_of(struct smtp_reply *reply, const char *text)
{
	struct span input = span_of(text);
	size_t used;
	int rc;

	smtp_reply_init(reply);
	while ((rc = smtp_reply_read(reply, input, &used)) == 0 && used > 0)
		input = span_make(input.bytes + used, input.len - used);
	return rc;
}

static void
a_reply_of_several_lines_is_one(void **state)
{
	struct smtp_reply reply;
	struct span args;

	(void)state;
	assert_int_equal(
	    reply_of(&reply,
		"250-mx\r\n250-SIZE 1000\r\n250-AUTH=LOGIN PLAIN\r\n"
		"250 PIPELINING\r\n"),
	    1);
	assert_int_equal(reply.code, 250);
	assert_true(smtp_reply_offers(&reply, "pipelining", NULL));
	assert_true(smtp_reply_offers(&reply, "SIZE", &args));
	assert_true(span_is(args, "1000"));
	assert_true(smtp_reply_offers(&reply, "AUTH", &args));
	assert_true(span_is(args, "LOGIN PLAIN"));
	assert_false(smtp_reply_offers(&reply, "SMTPUTF8", NULL));
	assert_false(smtp_reply_offers(&reply, "MX", NULL));
	assert_int_equal(reply_of(&reply, "550 5.1.1 no such user\r\n"), 1);
	assert_int_equal(reply.status[1], 1);
	assert_string_equal(reply.text, "5.1.1 no such user");
	assert_int_equal(reply_of(&reply, "550 4.1.1 class differs\r\n"), 1);
	assert_int_equal(reply.status[0], 0);
	assert_int_equal(reply_of(&reply, "250\r\n"), 1);
	assert_int_equal(reply_of(&reply, "250-more\r\n25"), 0);
}

static void
what_is_no_reply_is_an_error(void **state)
{
	static char long_line[SMTP_REPLY_LINE_MAX + 10];
	static char many[SMTP_REPLY_LINES_MAX * 8 + 9];
	struct smtp_reply reply;
	size_t i;

	(void)state;
	assert_int_equal(reply_of(&reply, "HTTP/1.1 400\r\n"), -EPROTO);
	assert_int_equal(reply_of(&reply, "25\r\n"), -EPROTO);
	assert_int_equal(reply_of(&reply, "250-a\r\n550 b\r\n"), -EPROTO);
	assert_int_equal(reply_of(&reply, "650 b\r\n"), -EPROTO);
	memset(long_line, '2', sizeof long_line - 1);
	assert_int_equal(reply_of(&reply, long_line), -EPROTO);
	for (i = 0; i <= SMTP_REPLY_LINES_MAX; i++)
		memcpy(many + i * 8, "250-ab\r\n", 8);
	assert_int_equal(reply_of(&reply, many), -EPROTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs_are_sorted_and_found_in_any_case),
		cmocka_unit_test(paths_are_read_as_the_wild_writes_them),
		cmocka_unit_test(malformed_paths_are_refused),
		cmocka_unit_test(parameters_we_do_not_offer_are_named_unknown),
		cmocka_unit_test(a_reply_of_several_lines_is_one),
		cmocka_unit_test(what_is_no_reply_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
