/* test_line.c - command lines out of a window. */
#include "protocol/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
a_line_ends_at_crlf(void **state)
{
	struct line_reader reader;
	struct line line;
	size_t used;

	(void)state;
	line_reader_init(&reader, 512, 0);
	assert_int_equal(line_next(&reader, span_of("DATE\r\nHELP\r\n"), &used,
			     &line),
	    LINE_OK);
	assert_int_equal(used, 6);
	assert_true(span_equal(line.text, span_of("DATE")));
	assert_false(line.has_nul || line.has_bare);
}

static void
a_bare_lf_ends_a_line_only_if_allowed(void **state)
{
	struct line_reader reader;
	struct line line;
	size_t used;

	(void)state;
	line_reader_init(&reader, 512, LINE_LF_ENDS);
	assert_int_equal(line_next(&reader, span_of("DATE\nX"), &used, &line),
	    LINE_OK);
	assert_int_equal(used, 5);
	line_reader_init(&reader, 512, 0);
	assert_int_equal(line_next(&reader, span_of("DATE\nX"), &used, &line),
	    LINE_MORE);
	assert_int_equal(used, 0);
	assert_int_equal(line_next(&reader, span_of("DATE\nX\r\n"), &used,
			     &line),
	    LINE_OK);
	assert_int_equal(line.text.len, 6);
	assert_true(line.has_bare);
}

static void
a_line_of_exactly_the_limit_is_taken(void **state)
{
	struct line_reader reader;
	struct line line;
	size_t used;

	(void)state;
	line_reader_init(&reader, 6, 0);
	assert_int_equal(line_next(&reader, span_of("DATE\r\n"), &used, &line),
	    LINE_OK);
	line_reader_init(&reader, 5, 0);
	assert_int_equal(line_next(&reader, span_of("DATE\r\n"), &used, &line),
	    LINE_TOO_LONG);
}

static void
a_nul_is_flagged(void **state)
{
	struct line_reader reader;
	struct line line;
	size_t used;

	(void)state;
	line_reader_init(&reader, 512, 0);
	assert_int_equal(line_next(&reader, span_make("A\0B\r\n", 5), &used,
			     &line),
	    LINE_OK);
	assert_true(line.has_nul);
}

/* Feeds text in windows that grow by `step` octets; notes each result. */
static void
read_in_steps(const char *text, size_t step, char *notes)
{
	struct line_reader reader;
	struct line line;
	size_t len = strlen(text), start = 0, end = 0, used;
	enum line_status status;

	line_reader_init(&reader, 10, 0);
	do {
		end = end + step > len ? len : end + step;
		do {
			status = line_next(&reader,
			    span_make(text + start, end - start), &used, &line);
			if (status == LINE_OK) {
				memcpy(notes, line.text.bytes, line.text.len);
				notes += line.text.len;
				*notes++ = '|';
			} else if (status == LINE_TOO_LONG) {
				*notes++ = '#';
			}
			start += used;
		} while (status != LINE_MORE);
	} while (end < len);
	*notes = '\0';
}

static void
every_chunking_gives_the_same_lines(void **state)
{
	static const char text[] =
	    "one\r\nthis is far too long\n\r yes\r\r\n"
	    "\r\nfour\r\n12345678\r\n123456789\r\nend\r\n";
	char notes[256];

	(void)state;
	for (size_t step = 1; step <= sizeof text; step++) {
		read_in_steps(text, step, notes);
		assert_string_equal(notes, "one|#|four|12345678|#end|");
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_ends_at_crlf),
		cmocka_unit_test(a_bare_lf_ends_a_line_only_if_allowed),
		cmocka_unit_test(a_line_of_exactly_the_limit_is_taken),
		cmocka_unit_test(a_nul_is_flagged),
		cmocka_unit_test(every_chunking_gives_the_same_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
