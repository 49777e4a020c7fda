/* fuzz_numbers.c - which numbers a group has, from a server that says what the
 * input wants: lines, each a status line or one of a list as it is its turn. The
 * first octet says where the window begins.
 */
#include "build.h"

#include <stdint.h>
#include <stdlib.h>

#include "daemon/feed/numbers.h"
#include "protocol/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_window(const struct numbers *numbers, uint32_t from)
{
	if (numbers->count > NUMBERS_WINDOW || numbers->next <= from ||
	    numbers->next > numbers->high + 1)
		abort();
	for (size_t i = 0; i < numbers->count; i++)
		if (numbers->at[i] < from || numbers->at[i] >= numbers->next ||
		    (i > 0 && numbers->at[i] <= numbers->at[i - 1]))
			abort();
}

static enum numbers_step
take_line(struct numbers *numbers, struct span line, bool *listing)
{
	enum numbers_step step;
	struct nntp_reply reply;

	if (*listing) {
		if (line.len == 1 && line.bytes[0] == '.')
			line = span_make(NULL, 0);
		step = numbers_line(numbers, line);
		*listing = step == NUMBERS_LINES;
		return step;
	}
	if (!nntp_reply_parse(line, &reply))
		return NUMBERS_FAILED;
	step = numbers_reply(numbers, &reply);
	*listing = step == NUMBERS_LINES;
	return step;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char command[NNTP_REPLY_MAX];
	enum numbers_step step = NUMBERS_ASK;
	struct numbers numbers;
	struct line_reader lines;
	struct line line;
	struct span rest;
	bool listing = false;
	size_t used;

	if (size == 0 || numbers_init(&numbers) != 0)
		return 0;
	memcpy(numbers.group, "a.b", 4);
	numbers.next = data[0] + 1u;
	numbers.high = numbers.next + 20000;
	rest = span_make((const void *)(data + 1), size - 1);
	line_reader_init(&lines, NNTP_REPLY_MAX, LINE_LF_ENDS);
	for (;;) {
		uint32_t from = numbers.next;

		if (step == NUMBERS_ASK || step == NUMBERS_READY)
			step = numbers.next > numbers.high
			    ? NUMBERS_FAILED
			    : numbers_ask(&numbers, command);
		if (step == NUMBERS_READY) {
			check_window(&numbers, from);
			continue;
		}
		if (step == NUMBERS_FAILED ||
		    line_next(&lines, rest, &used, &line) != LINE_OK)
			break;
		rest = span_make(rest.bytes + used, rest.len - used);
		step = take_line(&numbers, line.text, &listing);
		if (step == NUMBERS_READY)
			check_window(&numbers, from);
	}
	numbers_fini(&numbers);
	return 0;
}
