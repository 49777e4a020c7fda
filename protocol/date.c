/* date.c - dates in headers and commands <-> seconds since 1970, UTC.
 *
 * A date is read as a row of words, numbers and signs; each finds its place by
 * what it looks like and what was seen before. So the usual order, asctime's and
 * ISO 8601's are read by the same code.
 */
#include "protocol/date.h"

#include <errno.h>
#include <stdio.h>

#define DATE_INPUT_MAX 256u
#define DATE_UNSET     (-1)

struct date_parts {
	int year, month, day;
	int hour, minute, second;
	int zone; /* minutes east */
	bool has_zone;
	bool iso; /* year came first: month is a number */
};

struct date_cursor {
	const char *at;
	const char *end;
};

static const char date_months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
static const char date_days_of_week[] = "sunmontuewedthufrisat";

static const struct date_zone {
	const char *name;
	int minutes;
} date_zones[] = {
	{ "GMT", 0 }, { "UTC", 0 }, { "UT", 0 }, { "Z", 0 }, { "EST", -300 },
	{ "EDT", -240 }, { "CST", -360 }, { "CDT", -300 }, { "MST", -420 },
	{ "MDT", -360 }, { "PST", -480 }, { "PDT", -420 }, { "CET", 60 },
	{ "CEST", 120 }, { "MET", 60 }, { "MEST", 120 }, { "BST", 60 },
	{ "JST", 540 },
};

static bool
date_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What may stand between words, and says nothing. */
static bool
date_is_gap(char c)
{
	return c == ' ' || c == ',' || c == '\t' || c == '\r' || c == '\n' ||
	    c == '.' || c == '"';
}

static bool
date_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The index of the three-letter name that a word begins with, or -1. */
static int
date_name(const char *names, struct span word)
{
	char small[3];

	if (word.len < 3)
		return -1;
	for (int i = 0; i < 3; i++)
		small[i] = (char)(word.bytes[i] | 0x20);
	for (int i = 0; names[i * 3] != '\0'; i++)
		if (memcmp(small, names + i * 3, 3) == 0)
			return i;
	return -1;
}

/* A run of at most 9 digits; its length, 0 if there is none or it is longer. */
static unsigned
date_number(struct date_cursor *cursor, int *number_r)
{
	unsigned len = 0;
	int number = 0;

	for (; cursor->at < cursor->end && date_is_digit(*cursor->at);
	     cursor->at++) {
		if (++len > 9)
			return 0;
		number = number * 10 + (*cursor->at - '0');
	}
	*number_r = number;
	return len;
}

static bool
date_comes(const struct date_cursor *cursor, char c)
{
	return cursor->at < cursor->end && *cursor->at == c;
}

/* True if c is next and a digit after it. */
static bool
date_comes_number(const struct date_cursor *cursor, char c)
{
	return date_comes(cursor, c) && cursor->end - cursor->at > 1 &&
	    date_is_digit(cursor->at[1]);
}

/* RFC 5322 4.3 for short years. */
static int
date_year(int number, unsigned len)
{
	if (len == 2)
		return number < 50 ? number + 2000 : number + 1900;
	return len == 3 ? number + 1900 : number;
}

/* A comment; nested ones are counted, quoted pairs passed over. */
static void
date_skip_comment(struct date_cursor *cursor)
{
	unsigned depth = 0;

	for (; cursor->at < cursor->end; cursor->at++) {
		if (*cursor->at == '\\' && cursor->end - cursor->at > 1)
			cursor->at++;
		else if (*cursor->at == '(')
			depth++;
		else if (*cursor->at == ')' && --depth == 0)
			break;
	}
	if (cursor->at < cursor->end)
		cursor->at++;
}

/* "hh" was read; the rest of hh:mm[:ss[.fraction]]. */
static int
date_read_time(
    struct date_cursor *cursor, struct date_parts *parts, int hour, char mark)
{
	int fraction;

	if (parts->hour != DATE_UNSET)
		return -EINVAL;
	parts->hour = hour;
	parts->second = 0;
	cursor->at++;
	if (date_number(cursor, &parts->minute) == 0)
		return -EINVAL;
	if (date_comes_number(cursor, mark)) {
		cursor->at++;
		if (date_number(cursor, &parts->second) == 0)
			return -EINVAL;
	}
	if (date_comes_number(cursor, '.')) {
		cursor->at++;
		(void)date_number(cursor, &fraction);
	}
	return 0;
}

/* hhmm, hh:mm or hh after its sign. */
static int
date_read_zone(struct date_cursor *cursor, struct date_parts *parts, int sign)
{
	int number, minutes = 0;
	unsigned len = date_number(cursor, &number);

	if (len == 0)
		return -EINVAL;
	if (len > 2) {
		minutes = number % 100;
		number /= 100;
	} else if (date_comes_number(cursor, ':')) {
		cursor->at++;
		if (date_number(cursor, &minutes) == 0)
			return -EINVAL;
	}
	if (number > 24 || minutes > 59)
		return -ERANGE;
	parts->zone = sign * (number * 60 + minutes);
	parts->has_zone = true;
	return 0;
}

/* A plain number: day, year, month of an ISO date, or a zone without sign. */
static int
date_place(struct date_parts *parts, int number, unsigned len)
{
	if (parts->iso && parts->month == DATE_UNSET) {
		parts->month = number;
	} else if (len >= 3 && parts->year == DATE_UNSET) {
		parts->year = date_year(number, len);
		parts->iso = parts->day == DATE_UNSET &&
		    parts->month == DATE_UNSET && len == 4;
	} else if (parts->day == DATE_UNSET) {
		parts->day = number;
	} else if (parts->year == DATE_UNSET) {
		parts->year = date_year(number, len);
	} else if (len == 4 && parts->hour != DATE_UNSET && !parts->has_zone) {
		parts->zone = number / 100 * 60 + number % 100;
		parts->has_zone = true;
	} else {
		return -EINVAL;
	}
	return 0;
}

static int
date_read_number(struct date_cursor *cursor, struct date_parts *parts)
{
	int number;
	unsigned len = date_number(cursor, &number);

	if (len == 0)
		return -EINVAL;
	if (len <= 2 && date_comes_number(cursor, ':'))
		return date_read_time(cursor, parts, number, ':');
	/* 10.20.30 is a time once the day is known, 21.11.2026 no date here */
	if (len <= 2 && date_comes_number(cursor, '.') &&
	    parts->day != DATE_UNSET && parts->hour == DATE_UNSET)
		return date_read_time(cursor, parts, number, '.');
	return date_place(parts, number, len);
}

static void
date_set_zone_named(struct date_parts *parts, struct span word)
{
	if (parts->has_zone)
		return;
	/* unknown and military ones count as UTC (RFC 5322 4.3) */
	for (size_t i = 0; i < sizeof date_zones / sizeof date_zones[0]; i++)
		if (span_is(word, date_zones[i].name))
			parts->zone = date_zones[i].minutes;
	parts->has_zone = true;
}

static int
date_read_word(struct date_cursor *cursor, struct date_parts *parts)
{
	struct span word = span_make(cursor->at, 0);
	int month;

	for (; cursor->at < cursor->end && date_is_alpha(*cursor->at);
	     cursor->at++)
		word.len++;
	if (word.len == 2 && (span_is(word, "am") || span_is(word, "pm"))) {
		if (parts->hour < 1 || parts->hour > 12)
			return -EINVAL;
		parts->hour = parts->hour % 12 + (span_is(word, "pm") ? 12 : 0);
		return 0;
	}
	month = date_name(date_months, word);
	if (month >= 0 && parts->month == DATE_UNSET) {
		parts->month = month + 1;
		return 0;
	}
	if (parts->hour != DATE_UNSET) {
		date_set_zone_named(parts, word);
		return 0;
	}
	if (date_name(date_days_of_week, word) >= 0 ||
	    (parts->iso && span_is(word, "T")))
		return 0;
	return -EINVAL;
}

static int
date_read_sign(struct date_cursor *cursor, struct date_parts *parts)
{
	int sign = *cursor->at == '-' ? -1 : 1;

	cursor->at++;
	/* before the time a dash only separates: 21-Nov-2026, 2026-11-21 */
	if (parts->hour == DATE_UNSET)
		return sign < 0 ? 0 : -EINVAL;
	if (cursor->at == cursor->end || !date_is_digit(*cursor->at))
		return 0;
	return date_read_zone(cursor, parts, sign);
}

static int
date_read(struct date_cursor *cursor, struct date_parts *parts)
{
	int rc = 0;

	while (rc == 0 && cursor->at < cursor->end) {
		char c = *cursor->at;

		if (date_is_digit(c))
			rc = date_read_number(cursor, parts);
		else if (date_is_alpha(c))
			rc = date_read_word(cursor, parts);
		else if (c == '+' || c == '-')
			rc = date_read_sign(cursor, parts);
		else if (c == '(')
			date_skip_comment(cursor);
		else if (date_is_gap(c))
			cursor->at++;
		else
			rc = -EINVAL;
	}
	return rc;
}

/* Proleptic Gregorian; month 1 ... 12, day 1 ... 31. */
static int64_t
date_days(int64_t year, unsigned month, unsigned day)
{
	static const unsigned before[] = { 0, 31, 59, 90, 120, 151, 181, 212,
		243, 273, 304, 334 };
	int64_t full = month > 2 ? year : year - 1; /* leap days up to here */

	return (year - 1970) * 365 + (full / 4 - 1969 / 4) -
	    (full / 100 - 1969 / 100) + (full / 400 - 1969 / 400) +
	    before[(month - 1) % 12] + day - 1;
}

static bool
date_is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
date_days_in(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };

	return month == 2 && date_is_leap(year) ? 29 : days[month - 1];
}

static int
date_join(const struct date_parts *parts, int64_t *seconds_r)
{
	int64_t seconds;

	if (parts->year < 1970 || parts->year > 9999 || parts->month < 1 ||
	    parts->month > 12 || parts->day < 1 ||
	    parts->day > date_days_in(parts->year, parts->month) ||
	    parts->hour > 23 || parts->minute > 59 || parts->second > 60)
		return -ERANGE;
	seconds = date_days(parts->year, (unsigned)parts->month,
		      (unsigned)parts->day) *
	    86400;
	seconds += parts->hour * 3600 + parts->minute * 60 + parts->second;
	seconds -= parts->zone * 60;
	if (seconds < 0)
		return -ERANGE;
	*seconds_r = seconds;
	return 0;
}

int
date_parse(struct span raw, int64_t *seconds_r)
{
	struct date_parts parts = { DATE_UNSET, DATE_UNSET, DATE_UNSET,
		DATE_UNSET, 0, 0, 0, false, false };
	struct date_cursor cursor;
	int rc;

	raw = span_trim(raw);
	if (raw.len == 0 || raw.len > DATE_INPUT_MAX)
		return -EINVAL;
	cursor = (struct date_cursor){ raw.bytes, raw.bytes + raw.len };
	rc = date_read(&cursor, &parts);
	if (rc != 0)
		return rc;
	if (parts.year == DATE_UNSET || parts.month == DATE_UNSET ||
	    parts.day == DATE_UNSET)
		return -EINVAL;
	if (parts.hour == DATE_UNSET)
		parts.hour = 0;
	return date_join(&parts, seconds_r);
}

/* Seconds -> parts; out of range becomes 1970. */
static void
date_split(int64_t seconds, struct date_parts *parts)
{
	int64_t days, year, rest;

	if (seconds < 0 || seconds >= date_days(10000, 1, 1) * 86400)
		seconds = 0;
	days = seconds / 86400;
	rest = seconds % 86400;
	year = 1970 + days / 366;
	while (date_days(year + 1, 1, 1) <= days)
		year++;
	days -= date_days(year, 1, 1);
	parts->year = (int)year;
	parts->month = 1;
	while (days >= date_days_in(year, parts->month)) {
		days -= date_days_in(year, parts->month);
		parts->month++;
	}
	parts->day = (int)days + 1;
	parts->hour = (int)(rest / 3600);
	parts->minute = (int)(rest / 60 % 60);
	parts->second = (int)(rest % 60);
}

const char *
date_format(int64_t seconds, char text[DATE_TEXT_SIZE])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct date_parts parts;
	int64_t day;

	date_split(seconds, &parts);
	day = date_days(parts.year, (unsigned)parts.month, (unsigned)parts.day);
	(void)snprintf(text, DATE_TEXT_SIZE,
	    "%.3s, %02d %.3s %04d %02d:%02d:%02d +0000",
	    days + (day + 4) % 7 * 3, parts.day % 100,
	    months + (parts.month - 1) % 12 * 3, parts.year % 10000,
	    parts.hour % 100, parts.minute % 100, parts.second % 100);
	return text;
}

const char *
date_format_nntp(int64_t seconds, char text[DATE_NNTP_SIZE])
{
	struct date_parts parts;

	date_split(seconds, &parts);
	(void)snprintf(text, DATE_NNTP_SIZE, "%04d%02d%02d%02d%02d%02d",
	    parts.year % 10000, parts.month % 100, parts.day % 100,
	    parts.hour % 100, parts.minute % 100, parts.second % 100);
	return text;
}

static int
date_two(const char *at)
{
	return (at[0] - '0') * 10 + (at[1] - '0');
}

static bool
date_all_digits(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!date_is_digit(text.bytes[i]))
			return false;
	return true;
}

int
date_parse_nntp(
    struct span date, struct span time, int64_t now, int64_t *seconds_r)
{
	struct date_parts parts = { 0 }, current;
	const char *at = date.bytes;

	if ((date.len != 6 && date.len != 8) || time.len != 6 ||
	    !date_all_digits(date) || !date_all_digits(time))
		return -EINVAL;
	if (date.len == 8) {
		parts.year = date_two(at) * 100 + date_two(at + 2);
		at += 4;
	} else {
		date_split(now, &current);
		parts.year = current.year / 100 * 100 + date_two(at);
		if (parts.year > current.year)
			parts.year -= 100;
		at += 2;
	}
	parts.month = date_two(at);
	parts.day = date_two(at + 2);
	parts.hour = date_two(time.bytes);
	parts.minute = date_two(time.bytes + 2);
	parts.second = date_two(time.bytes + 4);
	/* before 1970 is before everything that kith holds */
	if (parts.year < 1970 && parts.month >= 1 && parts.month <= 12 &&
	    parts.day >= 1 &&
	    parts.day <= date_days_in(parts.year, parts.month)) {
		*seconds_r = 0;
		return 0;
	}
	return date_join(&parts, seconds_r) == 0 ? 0 : -EINVAL;
}
