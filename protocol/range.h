/* range.h - article numbers and ranges in commands (RFC 3977 6.1.2, 8.3, 9.8).
 */
#ifndef KITH_PROTOCOL_RANGE_H
#define KITH_PROTOCOL_RANGE_H

#include <stdint.h>

#include "protocol/span.h"

#define RANGE_NUMBER_MAX 2147483647u

struct range {
	uint32_t first;
	uint32_t
	    last; /* RANGE_NUMBER_MAX if open; below first: an empty range */
};

/* 1 to 16 digits as RFC 3977 9.8 has it, at most RANGE_NUMBER_MAX; above that, the
 * maximum plus one is stored: a number that no article has. -EINVAL. */
int range_parse_number(struct span text, uint32_t *number_r);
/* "n", "n-", "n-m". 0 or -EINVAL. */
int range_parse(struct span text, struct range *range_r);

#endif
