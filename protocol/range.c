/* range.c - article numbers and ranges in commands.
 */
#include "protocol/range.h"

#include <errno.h>

#define RANGE_DIGITS_MAX 16u

int
range_parse_number(struct span text, uint32_t *number_r)
{
	uint64_t number = 0;

	if (text.len == 0 || text.len > RANGE_DIGITS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return -EINVAL;
		number = number * 10 + (uint64_t)(text.bytes[i] - '0');
	}
	*number_r = number > RANGE_NUMBER_MAX ? RANGE_NUMBER_MAX + 1u :
						(uint32_t)number;
	return 0;
}

int
range_parse(struct span text, struct range *range_r)
{
	const char *dash;
	struct span last;
	int rc;

	dash = text.len == 0 ? NULL : memchr(text.bytes, '-', text.len);
	if (dash == NULL) {
		rc = range_parse_number(text, &range_r->first);
		if (rc == 0)
			range_r->last = range_r->first;
		return rc;
	}
	last = span_make(dash + 1, text.len - (size_t)(dash + 1 - text.bytes));
	text.len = (size_t)(dash - text.bytes);
	range_r->last = RANGE_NUMBER_MAX;
	rc = range_parse_number(text, &range_r->first);
	if (rc == 0 && last.len > 0)
		rc = range_parse_number(last, &range_r->last);
	return rc;
}
