/* test_nntp.c - command lines and responses. */
#include "protocol/nntp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
a_command_line_is_split_at_blanks(void **state)
{
	struct nntp_args args;
	char word[NNTP_KEYWORD_MAX];

	(void)state;
	assert_int_equal(nntp_args_parse(span_of("list  active\tcomp.* "),
			     &args),
	    NNTP_ARGS_OK);
	assert_string_equal(args.keyword, "LIST");
	assert_int_equal(args.count, 2);
	assert_string_equal(nntp_args_word(&args, 0, word), "ACTIVE");
	assert_string_equal(nntp_args_word(&args, 2, word), "");
	assert_true(span_equal(args.args[1], span_of("comp.*")));
	assert_true(span_equal(args.rest, span_of("active\tcomp.*")));
	assert_true(nntp_args_fit(&args, 1, 2));
	assert_false(nntp_args_fit(&args, 0, 1));
}

static void
what_is_no_command_is_told_apart(void **state)
{
	struct nntp_args args;

	(void)state;
	assert_int_equal(nntp_args_parse(span_of(""), &args), NNTP_ARGS_EMPTY);
	assert_int_equal(nntp_args_parse(span_of("  \t"), &args),
	    NNTP_ARGS_EMPTY);
	assert_int_equal(nntp_args_parse(span_of("1ABC"), &args),
	    NNTP_ARGS_UNKNOWN);
	assert_int_equal(nntp_args_parse(span_of("ABCDEFGHIJKLM"), &args),
	    NNTP_ARGS_UNKNOWN);
	assert_int_equal(nntp_args_parse(span_make("GROUP a\0b", 9), &args),
	    NNTP_ARGS_SYNTAX);
	assert_int_equal(nntp_args_parse(span_of("GROUP \xff"), &args),
	    NNTP_ARGS_SYNTAX);
}

static void
too_many_arguments_are_counted_not_kept(void **state)
{
	struct nntp_args args;

	(void)state;
	assert_int_equal(nntp_args_parse(span_of("ABC 1 2 3 4 5 6 7 8 9 10"),
			     &args),
	    NNTP_ARGS_OK);
	assert_int_equal(args.count, 10);
}

static void
every_code_has_a_text(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 0);
	nntp_respond(&out, 411);
	nntp_respond(&out, 299);
	assert_string_equal(buffer_text(&out),
	    "411 no such newsgroup\r\n299 done\r\n");
	assert_string_equal(nntp_response_text(100), "help text follows");
	assert_string_equal(nntp_response_text(580), "TLS cannot be started");
	assert_string_equal(nntp_response_text(-1), "unknown");
	buffer_fini(&out);
}

__attribute__((format(printf, 3, 4))) static void
respond(struct buffer *out, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	nntp_respond_vtext(out, code, format, args);
	va_end(args);
}

static void
a_text_of_the_callers_stays_one_line(void **state)
{
	struct buffer out;
	char longer[700];

	(void)state;
	buffer_init(&out, 0);
	respond(&out, 441, "bad %s", "a\r\nb");
	assert_string_equal(buffer_text(&out), "441 bad a  b\r\n");
	buffer_clear(&out);
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	respond(&out, 441, "%s", longer);
	assert_int_equal(out.len, 512);
	buffer_fini(&out);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_line_is_split_at_blanks),
		cmocka_unit_test(what_is_no_command_is_told_apart),
		cmocka_unit_test(too_many_arguments_are_counted_not_kept),
		cmocka_unit_test(every_code_has_a_text),
		cmocka_unit_test(a_text_of_the_callers_stays_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
