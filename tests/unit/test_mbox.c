/* test_mbox.c - the mbox splitter. */
#include "protocol/mbox.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int
note_message(void *arg, const struct mbox_message *message)
{
	struct buffer *notes = arg;

	buffer_append_span(notes, message->bytes);
	buffer_append_text(notes, message->too_large ? "#" : "|");
	return 0;
}

/* Feeds text in chunks of `step`; the notes hold the messages. */
static int
split(const char *text, size_t step, size_t limit, unsigned flags,
    struct buffer *notes)
{
	struct mbox *mbox = mbox_new(limit, flags, note_message, notes);
	size_t len = strlen(text), part;
	int rc = 0;

	assert_non_null(mbox);
	buffer_clear(notes);
	for (size_t at = 0; rc == 0 && at < len; at += part) {
		part = len - at < step ? len - at : step;
		rc = mbox_feed(mbox, span_make(text + at, part));
	}
	if (rc == 0)
		rc = mbox_finish(mbox);
	mbox_free(&mbox);
	return rc;
}

static void
check_split(const char *text, unsigned flags, const char *expected)
{
	struct buffer notes;

	buffer_init(&notes, 0);
	for (size_t step = 1; step <= strlen(text) + 1; step++) {
		assert_int_equal(split(text, step, 0, flags, &notes), 0);
		assert_string_equal(buffer_text(&notes), expected);
	}
	buffer_fini(&notes);
}

#define SEP "From a@b Thu Jan  1 00:00:00 1970\n"

static void
messages_are_split_at_dated_separators(void **state)
{
	(void)state;
	check_split(SEP "A: 1\n\nbody\n\n" SEP "B: 2\n\nmore\n", 0,
	    "A: 1\n\nbody\n|B: 2\n\nmore\n|");
	check_split("From Sat Nov 21 22:31:00 2026 +0100\r\nA: 1\r\n\r\nb\r\n",
	    0, "A: 1\r\n\r\nb\r\n|");
	check_split("", 0, "");
}

static void
a_from_line_in_a_body_stays_body(void **state)
{
	(void)state;
	check_split(SEP "A: 1\n\n\nFrom here on: no\n\n" SEP "B: 2\n", 0,
	    "A: 1\n\n\nFrom here on: no\n|B: 2\n|");
	check_split(SEP "A: 1\n\nnot after blank\n" SEP "B: 2\n", 0,
	    "A: 1\n\nnot after blank\n" SEP "B: 2\n|");
	check_split(SEP "A: 1\n\n" SEP "no header here\n", 0,
	    "A: 1\n\n" SEP "no header here\n|");
}

#define GIT                                       \
 "From 0123456789abcdef0123456789abcdef01234567 " \
 "Mon Sep 17 00:00:00 2001\n"

static void
a_patch_in_a_body_is_no_message(void **state)
{
	(void)state;
	check_split(SEP "A: 1\n\n" GIT "From: x\n\n", 0,
	    "A: 1\n\n" GIT "From: x\n|");
	check_split(GIT "A: 1\n\n\n" GIT "B: 2\n", 0, "A: 1\n\n|B: 2\n|");
}

static void
quoting_of_mboxrd_is_undone_on_request(void **state)
{
	static const char text[] = SEP "A: 1\n\n>From x\n>>From y\n> From z\n";

	(void)state;
	check_split(text, 0, "A: 1\n\n>From x\n>>From y\n> From z\n|");
	check_split(text, MBOX_UNQUOTE, "A: 1\n\nFrom x\n>From y\n> From z\n|");
}

static void
a_message_over_the_limit_is_cut_and_the_next_one_found(void **state)
{
	struct buffer notes;

	(void)state;
	buffer_init(&notes, 0);
	assert_int_equal(split(SEP "A: 1\n\n0123456789\n\n" SEP "B: 2\n", 7, 10,
			     0, &notes),
	    0);
	assert_string_equal(buffer_text(&notes), "A: 1\n\n0123#B: 2\n|");
	buffer_fini(&notes);
}

static void
a_file_that_is_no_mbox_is_refused(void **state)
{
	struct buffer notes;

	(void)state;
	buffer_init(&notes, 0);
	assert_int_equal(split("Subject: x\n\nbody\n", 5, 0, 0, &notes),
	    -EBADMSG);
	buffer_fini(&notes);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_split_at_dated_separators),
		cmocka_unit_test(a_from_line_in_a_body_stays_body),
		cmocka_unit_test(a_patch_in_a_body_is_no_message),
		cmocka_unit_test(quoting_of_mboxrd_is_undone_on_request),
		cmocka_unit_test(
		    a_message_over_the_limit_is_cut_and_the_next_one_found),
		cmocka_unit_test(a_file_that_is_no_mbox_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
