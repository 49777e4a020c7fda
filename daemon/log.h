/* log.h - one line per event, key=value, to stderr (the journal's format when
 * systemd reads it). Never a body or a secret; client text is escaped by %q
 * wrappers: log_text(). Any thread, any role.
 *
 * The level and the role's name are the only process-wide state; they are set
 * once by the role's start, the level again at reload. What a thread holds back is its own.
 */
#ifndef KITH_DAEMON_LOG_H
#define KITH_DAEMON_LOG_H

#include <stddef.h>

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Before there are other threads. */
void log_start(const char *role, enum log_level level);
void log_set_level(enum log_level level);
/* err: an admin must act; warning: might; info: one line per session, post,
 * delivery; debug: protocol trace. */
void log_err(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Around work that writes many lines: those at info and debug of this thread
 * are kept, up to 4 KB, and written together when the last hold is released.
 * Must not span a wait. */
void log_hold(void);
void log_release(void);
/* Client text made safe for a log line: control bytes, quotes and non-UTF-8
 * escaped, cut to room; returns `out`. */
const char *log_text(char *out, size_t room, const char *bytes, size_t len);
#define LOG_TEXT_ROOM 256

#endif
