/* test_dot.c - dot-terminated blocks. */
#include "protocol/dot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const char block[] = "a line\r\n..stuffed\r\n.x\r\n\r\n.\rodd\r\n"
			    "bare\rcr\r\nbare\n.\nlf\r\n.\n.\r\r\nlast\r\n"
			    ".\r\nQUIT\r\n";
#define BLOCK_LEN (sizeof block - 1 - 9)

static void
check_block(const struct dot_receiver *dot, const struct buffer *out)
{
	assert_int_equal(out->len, BLOCK_LEN);
	assert_memory_equal(out->bytes, block, BLOCK_LEN);
	assert_int_equal(dot->facts.bytes, BLOCK_LEN);
	assert_int_equal(dot->facts.lines, 9);
	assert_int_equal(dot->facts.stuffed, 4);
	assert_true(dot->facts.bare_cr && dot->facts.bare_lf);
	assert_false(dot->facts.nul || dot->facts.eight_bit);
}

static void
every_pair_of_splits_gives_the_same_block(void **state)
{
	struct span all = span_make(block, sizeof block - 1);
	struct dot_receiver dot;
	struct buffer out;
	size_t used, at, cuts[3];
	bool ended;

	(void)state;
	for (size_t i = 0; i <= all.len; i++) {
		for (size_t j = i; j <= all.len; j++) {
			buffer_init(&out, 0);
			dot_receiver_init(&dot, &out, 0);
			cuts[0] = i;
			cuts[1] = j;
			cuts[2] = all.len;
			at = 0;
			ended = false;
			for (unsigned c = 0; c < 3 && !ended; c++) {
				ended = dot_receive(&dot,
				    span_make(all.bytes + at, cuts[c] - at),
				    &used);
				at += used;
			}
			assert_true(ended);
			assert_int_equal(at, BLOCK_LEN + 3);
			check_block(&dot, &out);
			buffer_fini(&out);
		}
	}
}

static void
receive_by(struct dot_receiver *dot, struct span text, size_t step)
{
	size_t used;

	dot_receiver_init(dot, NULL, 0);
	for (size_t at = 0; at < text.len; at += step)
		(void)dot_receive(dot,
		    span_make(text.bytes + at,
			step < text.len - at ? step : text.len - at),
		    &used);
}

static void
what_stands_where_in_a_long_text_makes_no_difference(void **state)
{
	static const char *const pieces[] = { "\r\n", "\r\n.x", "\n.", "\r",
		"\n", "\r\n\r\n", "\r\r\n.", "\xc3\xa9" };
	struct dot_receiver whole, single;
	char text[6000];
	size_t len;

	(void)state;
	for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
		len = strlen(pieces[p]);
		for (size_t at = 0; at < sizeof text - len; at += 1 + at / 40) {
			memset(text, 'x', sizeof text);
			memcpy(text + at, pieces[p], len);
			memcpy(text + sizeof text - len, pieces[p], len);
			receive_by(&whole, span_make(text, sizeof text), sizeof text);
			receive_by(&single, span_make(text, sizeof text), 1);
			assert_int_equal(whole.facts.lines, single.facts.lines);
			assert_int_equal(whole.facts.stuffed,
			    single.facts.stuffed);
			assert_int_equal(whole.facts.bare_cr,
			    single.facts.bare_cr);
			assert_int_equal(whole.facts.bare_lf,
			    single.facts.bare_lf);
			assert_int_equal(whole.facts.eight_bit,
			    single.facts.eight_bit);
			assert_int_equal(whole.state, single.state);
		}
	}
}

static void
a_lone_dot_first_is_an_empty_block(void **state)
{
	struct dot_receiver dot;
	struct buffer out;
	size_t used;

	(void)state;
	buffer_init(&out, 0);
	dot_receiver_init(&dot, &out, 0);
	assert_true(dot_receive(&dot, span_of(".\r\n"), &used));
	assert_int_equal(used, 3);
	assert_int_equal(out.len, 0);
	assert_int_equal(dot.facts.lines, 0);
	buffer_fini(&out);
}

static void
a_dot_after_a_bare_lf_ends_nothing(void **state)
{
	struct dot_receiver dot;
	size_t used;

	(void)state;
	dot_receiver_init(&dot, NULL, 0);
	assert_false(dot_receive(&dot, span_of("a\n.\r\nb\r.\r\n"), &used));
	assert_false(dot_receive(&dot, span_of("c\r\n.\n"), &used));
	assert_true(dot_receive(&dot, span_of("\r\n.\r\n"), &used));
}

static void
above_the_limit_the_rest_is_consumed_but_not_kept(void **state)
{
	struct dot_receiver dot;
	struct buffer out;
	size_t used;

	(void)state;
	buffer_init(&out, 0);
	dot_receiver_init(&dot, &out, 10);
	assert_false(dot_receive(&dot, span_of("12345678\r\n"), &used));
	assert_false(dot.too_large);
	assert_false(dot_receive(&dot, span_of("x\r\n"), &used));
	assert_true(dot.too_large);
	assert_null(out.bytes);
	assert_true(dot_receive(&dot, span_of("y\r\n.\r\nDATE"), &used));
	assert_int_equal(used, 6);
	assert_null(out.bytes);
	buffer_fini(&out);
}

static void
one_bare_cr_among_thousands_of_lines_is_noted(void **state)
{
	static char text[12001];
	struct dot_facts facts;

	(void)state;
	for (size_t i = 0; i < 12000; i += 2)
		memcpy(text + i, "\r\n", 2);
	dot_examine(span_make(text, 12000), &facts);
	assert_int_equal(facts.lines, 6000);
	assert_false(facts.bare_cr || facts.bare_lf || facts.nul);
	text[11997] = '\r';
	dot_examine(span_make(text, 12000), &facts);
	assert_int_equal(facts.lines, 5999);
	assert_true(facts.bare_cr);
	assert_false(facts.bare_lf || facts.nul);
}

static void
nul_and_octets_above_127_are_noted(void **state)
{
	struct dot_receiver dot;
	size_t used;

	(void)state;
	dot_receiver_init(&dot, NULL, 0);
	(void)dot_receive(&dot, span_make("a\0b\xc3\xa4\r\n", 7), &used);
	assert_true(dot.facts.nul);
	assert_true(dot.facts.eight_bit);
}

static void
stuffing_and_unstuffing_undo_each_other(void **state)
{
	static const char plain[] = ".\r\na\r\n..b\r\n.c\n.d\r\n\r\n.";
	struct buffer wire, back;

	(void)state;
	buffer_init(&wire, 0);
	buffer_init(&back, 0);
	dot_stuff(&wire, span_of(plain));
	assert_string_equal(buffer_text(&wire),
	    "..\r\na\r\n...b\r\n..c\n.d\r\n\r\n..\r\n");
	dot_unstuff(&back, buffer_span(&wire));
	assert_string_equal(buffer_text(&back),
	    ".\r\na\r\n..b\r\n.c\n.d\r\n\r\n.\r\n");
	buffer_fini(&wire);
	buffer_fini(&back);
}

static void
a_file_becomes_wire_form(void **state)
{
	struct dot_facts facts;
	struct buffer wire;

	(void)state;
	buffer_init(&wire, 0);
	dot_from_file(&wire, span_of("a\n.b\r\n\n.\nend"), &facts);
	assert_string_equal(buffer_text(&wire),
	    "a\r\n..b\r\n\r\n..\r\nend\r\n");
	assert_int_equal(facts.stuffed, 2);
	assert_int_equal(facts.lines, 5);
	assert_false(facts.bare_lf || facts.bare_cr);
	buffer_fini(&wire);
}

/* lines of these lengths, each with CRLF; a negative one begins with a dot. */
static bool
is_long(const int *lengths, size_t count)
{
	struct buffer wire;
	bool found;

	buffer_init(&wire, 0);
	for (size_t i = 0; i < count; i++) {
		if (lengths[i] < 0)
			buffer_append_byte(&wire, '.'); /* stuffed */
		for (int n = abs(lengths[i]); n > 0; n--)
			buffer_append_byte(&wire, lengths[i] < 0 ? '.' : 'x');
		buffer_append(&wire, "\r\n", 2);
	}
	found = dot_has_long_line(buffer_span(&wire), 20);
	buffer_fini(&wire);
	return found;
}

static void
a_line_above_the_limit_is_found_wherever_it_is(void **state)
{
	int lengths[5];

	(void)state;
	assert_false(dot_has_long_line(span_of(""), 20));
	for (int before = 0; before <= 20; before++)
		for (size_t at = 0; at < 5; at++) {
			for (size_t i = 0; i < 5; i++)
				lengths[i] = before;
			lengths[at] = 20;
			assert_false(is_long(lengths, 5));
			lengths[at] = -20;
			assert_false(is_long(lengths, 5));
			lengths[at] = 21;
			assert_true(is_long(lengths, 5));
			lengths[at] = -21;
			assert_true(is_long(lengths, 5));
		}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_splits_gives_the_same_block),
		cmocka_unit_test(
		    what_stands_where_in_a_long_text_makes_no_difference),
		cmocka_unit_test(a_lone_dot_first_is_an_empty_block),
		cmocka_unit_test(a_dot_after_a_bare_lf_ends_nothing),
		cmocka_unit_test(
		    above_the_limit_the_rest_is_consumed_but_not_kept),
		cmocka_unit_test(
		    one_bare_cr_among_thousands_of_lines_is_noted),
		cmocka_unit_test(nul_and_octets_above_127_are_noted),
		cmocka_unit_test(stuffing_and_unstuffing_undo_each_other),
		cmocka_unit_test(a_file_becomes_wire_form),
		cmocka_unit_test(
		    a_line_above_the_limit_is_found_wherever_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
