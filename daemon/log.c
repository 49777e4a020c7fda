/* log.c - one line per event, to stderr.
 *
 * Lines are composed first and written whole, so that lines of several threads
 * and processes do not mix.
 */
#include "build.h"

#include "daemon/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "protocol/span.h"

#define LINE_ROOM 2048
#define HOLD_ROOM 4096 /* PIPE_BUF: a pipe takes so much in one piece */

/* Set once by log_start in each process; the level again at reload. */
static struct {
	_Atomic int level;
	char name[32]; /* "ROLE[PID]", for the journal "ROLE" */
	bool journal;  /* systemd reads it: priority in front, no time */
} log_state = { LOG_LEVEL_INFO, "kithd", false };

/* Of each thread: its clock face, and the lines that wait for log_release(). */
static _Thread_local struct {
	time_t second; /* that the stamp is of */
	char stamp[40];
	unsigned holds;
	size_t len;
	char text[HOLD_ROOM];
} log_thread;

void
log_start(const char *role, enum log_level level)
{
	log_state.journal = getenv("JOURNAL_STREAM") != NULL;
	if (log_state.journal)
		(void)snprintf(log_state.name, sizeof(log_state.name), "%s",
		    role);
	else
		(void)snprintf(log_state.name, sizeof(log_state.name),
		    "%.15s[%ld]", role, (long)getpid());
	log_set_level(level);
}

void
log_set_level(enum log_level level)
{
	atomic_store(&log_state.level, (int)level);
}

/* "2026-11-22T01:30:00Z ", composed once a second. */
static const char *
log_stamp(void)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now == log_thread.second)
		return log_thread.stamp;
	if (gmtime_r(&now, &tm) == NULL)
		return "";
	(void)snprintf(log_thread.stamp, sizeof(log_thread.stamp),
	    "%04d-%02d-%02dT%02d:%02d:%02dZ ", tm.tm_year + 1900, tm.tm_mon + 1,
	    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	log_thread.second = now;
	return log_thread.stamp;
}

/* Puts text, which is short, at line + len; the length then. */
static size_t
log_add(char *line, size_t len, const char *text)
{
	size_t more = strlen(text);

	memcpy(line + len, text, more);
	return len + more;
}

static size_t
log_prefix(char *line, enum log_level level)
{
	static const char *const names[] = { " err: ", " warning: ", " info: ",
		" debug: " };
	static const char *const priorities[] = { "<3>", "<4>", "<6>", "<7>" };
	size_t len;

	len =
	    log_add(line, 0, log_state.journal ? priorities[level] : log_stamp());
	len = log_add(line, len, log_state.name);
	return log_add(line, len, log_state.journal ? ": " : names[level]);
}

static void
log_write(const char *bytes, size_t len)
{
	ssize_t written;

	do
		written = write(STDERR_FILENO, bytes, len);
	while (written < 0 && errno == EINTR);
}

static void
log_write_held(void)
{
	if (log_thread.len > 0)
		log_write(log_thread.text, log_thread.len);
	log_thread.len = 0;
}

void
log_hold(void)
{
	log_thread.holds++;
}

void
log_release(void)
{
	int saved = errno;

	if (--log_thread.holds == 0)
		log_write_held();
	errno = saved;
}

/* A line is one line. */
static void
log_blank(char *line, size_t len, char c)
{
	char *at = line, *end = line + len;

	while ((at = memchr(at, c, (size_t)(end - at))) != NULL)
		*at++ = ' ';
}

__attribute__((format(printf, 2, 0))) static void
log_line(enum log_level level, const char *format, va_list args)
{
	char line[LINE_ROOM];
	size_t len;
	int saved = errno, more;

	if ((int)level >
	    atomic_load_explicit(&log_state.level, memory_order_relaxed))
		return;
	len = log_prefix(line, level);
	more = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	if (more > 0) {
		size_t room = sizeof(line) - len - 2;

		len += (size_t)more < room ? (size_t)more : room;
	}
	log_blank(line, len, '\n');
	log_blank(line, len, '\r');
	line[len++] = '\n';
	/* what an admin has to see does not wait */
	if (log_thread.len + len > HOLD_ROOM || level <= LOG_LEVEL_WARNING)
		log_write_held();
	if (log_thread.holds == 0 || level <= LOG_LEVEL_WARNING) {
		log_write(line, len);
	} else {
		memcpy(log_thread.text + log_thread.len, line, len);
		log_thread.len += len;
	}
	errno = saved;
}

#define LOG_FUNCTION(name, level)   \
 void name(const char *format, ...) \
 {                                  \
  va_list args;                     \
                                    \
  va_start(args, format);           \
  log_line(level, format, args);    \
  va_end(args);                     \
 }

LOG_FUNCTION(log_err, LOG_LEVEL_ERR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

/* Length of the well-formed UTF-8 sequence at bytes, 0 if there is none or it
 * is a C1 control. */
static size_t
utf8_length(const unsigned char *bytes, size_t len)
{
	size_t need, i;

	if (bytes[0] < 0x80)
		return bytes[0] >= 0x20 && bytes[0] != 0x7f ? 1 : 0;
	if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf)
		need = 2;
	else if (bytes[0] >= 0xe0 && bytes[0] <= 0xef)
		need = 3;
	else if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4)
		need = 4;
	else
		return 0;
	if (need > len)
		return 0;
	for (i = 1; i < need; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) ||
	    (bytes[0] == 0xf0 && bytes[1] < 0x90) ||
	    (bytes[0] == 0xed && bytes[1] > 0x9f) ||
	    (bytes[0] == 0xf4 && bytes[1] > 0x8f) ||
	    (bytes[0] == 0xc2 && bytes[1] < 0xa0))
		return 0;
	return need;
}

/* No octet of UTF-8, and nothing to escape. */
static bool
is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

const char *
log_text(char *out, size_t room, const char *bytes, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0, i = 0;

	while (i < len && at + 5 <= room) {
		unsigned char byte = (unsigned char)bytes[i];
		size_t whole;

		if (is_plain(byte)) {
			out[at++] = (char)byte;
			i++;
			continue;
		}
		whole =
		    utf8_length((const unsigned char *)bytes + i, len - i);
		if (whole > 0 && byte != '"' && byte != '\\') {
			memcpy(out + at, bytes + i, whole);
			at += whole;
			i += whole;
			continue;
		}
		out[at++] = '\\';
		if (byte == '"' || byte == '\\') {
			out[at++] = (char)byte;
		} else {
			out[at++] = 'x';
			out[at++] = hex[byte >> 4];
			out[at++] = hex[byte & 15];
		}
		i++;
	}
	if (room > 0)
		out[at] = '\0';
	return out;
}
