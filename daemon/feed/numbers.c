/* numbers.c - see numbers.h.
 */
#include "build.h"

#include "daemon/feed/numbers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LINES_MAX ((size_t)100000000)

int
numbers_init(struct numbers *numbers)
{
	memset(numbers, 0, sizeof *numbers);
	numbers->next = 1;
	numbers->at = calloc(NUMBERS_WINDOW, sizeof *numbers->at);
	return numbers->at == NULL ? -ENOMEM : 0;
}

void
numbers_fini(struct numbers *numbers)
{
	free(numbers->at);
	numbers->at = NULL;
}

/* ---- the window */

static uint32_t
window_last(const struct numbers *numbers)
{
	return numbers->high - numbers->next < NUMBERS_WINDOW
	    ? numbers->high
	    : numbers->next + (NUMBERS_WINDOW - 1);
}

static int
number_compare(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

	return one < other ? -1 : one > other;
}

/* RFC 3977 6.1.2.2 has them in order. Who believes that loses articles. */
static void
window_sort(struct numbers *numbers)
{
	size_t count = 0;

	qsort(numbers->at, numbers->count, sizeof *numbers->at, number_compare);
	for (size_t i = 0; i < numbers->count; i++)
		if (count == 0 || numbers->at[i] != numbers->at[count - 1])
			numbers->at[count++] = numbers->at[i];
	numbers->count = count;
}

static enum numbers_step
window_ready(struct numbers *numbers)
{
	window_sort(numbers);
	numbers->next = window_last(numbers) + 1;
	return NUMBERS_READY;
}

static enum numbers_step
window_each(struct numbers *numbers)
{
	uint32_t last = window_last(numbers);

	for (uint32_t n = numbers->next; n <= last; n++)
		numbers->at[numbers->count++] = n;
	return window_ready(numbers);
}

/* ---- commands and answers */

enum numbers_step
numbers_ask(struct numbers *numbers, char *line)
{
	uint32_t last = window_last(numbers);

	numbers->count = 0;
	numbers->unsound = false;
	switch (numbers->way) {
	case NUMBERS_LISTGROUP:
		(void)snprintf(line, NNTP_REPLY_MAX, "LISTGROUP %s %u-%u",
		    numbers->group, numbers->next, last);
		return NUMBERS_LINES;
	case NUMBERS_HDR:
	case NUMBERS_XHDR:
		(void)snprintf(line, NNTP_REPLY_MAX, "%s Message-ID %u-%u",
		    numbers->way == NUMBERS_HDR ? "HDR" : "XHDR", numbers->next,
		    last);
		return NUMBERS_LINES;
	case NUMBERS_EACH:
	default:
		return window_each(numbers);
	}
}

static enum numbers_step
numbers_other_way(struct numbers *numbers)
{
	numbers->way++;
	return NUMBERS_ASK;
}

enum numbers_step
numbers_reply(struct numbers *numbers, const struct nntp_reply *reply)
{
	/* leafnode takes HDR for XHDR, 221 and all */
	if (numbers->way == NUMBERS_LISTGROUP
		? reply->code == 211
		: reply->code == 225 || reply->code == 221)
		return NUMBERS_LINES;
	/* "no articles in that range" (RFC 3977 8.5.2) */
	if (reply->code == 423 && numbers->way != NUMBERS_LISTGROUP)
		return window_ready(numbers);
	if (reply->code / 100 == 5 || reply->code / 100 == 4)
		return numbers_other_way(numbers);
	return NUMBERS_FAILED;
}

enum numbers_step
numbers_line(struct numbers *numbers, struct span line)
{
	uint32_t number;

	if (++numbers->lines > LINES_MAX)
		return NUMBERS_FAILED;
	/* public-inbox 1.9 answers a range with ARRAY(0x...) for each number */
	if (line.bytes == NULL)
		return numbers->unsound ? numbers_other_way(numbers)
					: window_ready(numbers);
	if (!nntp_reply_number(line, &number))
		numbers->unsound = true;
	/* there are servers that do not mind the range */
	else if (numbers->count < NUMBERS_WINDOW && number >= numbers->next &&
	    number <= window_last(numbers))
		numbers->at[numbers->count++] = number;
	return NUMBERS_LINES;
}
