/* date.h - dates in headers and commands <-> seconds since 1970, UTC. No clock:
 * where "now" matters it is an argument.
 */
#ifndef KITH_PROTOCOL_DATE_H
#define KITH_PROTOCOL_DATE_H

#include <stdint.h>

#include "protocol/span.h"

#define DATE_TEXT_SIZE 40u /* for date_format(), NUL included */
#define DATE_NNTP_SIZE 24u /* for date_format_nntp(), NUL included */

/* RFC 5322 3.3 and 4.3 (folded, with comments, two-digit years, old zones),
 * and what mail has besides: no weekday or a wrong one, long names, asctime
 * order, ISO 8601, missing seconds or zone, one-digit parts, GMT+0100.
 * Years 1970 ... 9999. 0, -EINVAL (unreadable), -ERANGE (not a real moment). */
int date_parse(struct span raw, int64_t *seconds_r);
/* "Sat, 21 Nov 2026 22:31:00 +0000". Returns text. Out of range: of 1970. */
const char *date_format(int64_t seconds, char text[DATE_TEXT_SIZE]);
/* "20261121223100" (RFC 3977 7.1). */
const char *date_format_nntp(int64_t seconds, char text[DATE_NNTP_SIZE]);
/* NEWGROUPS, NEWNEWS (RFC 3977 7.3): [yy]yymmdd hhmmss; two-digit years are
 * of the current century or the last, by `now`. 0 or -EINVAL. */
int date_parse_nntp(struct span date, struct span time, int64_t now,
    int64_t *seconds_r);

#endif
