/* buffer.h - a growing run of bytes with a limit, always NUL-terminated.
 *
 * An append that fails (no memory, over the limit) marks the buffer failed and
 * changes nothing; later appends do nothing. So a long composition is checked
 * once, at its end, with buffer_failed().
 */
#ifndef KITH_PROTOCOL_BUFFER_H
#define KITH_PROTOCOL_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/span.h"

struct buffer {
	char *bytes; /* NULL while empty and never grown */
	size_t len;
	size_t room;
	size_t limit; /* 0: none */
	bool failed;
	bool lent; /* bytes are somebody else's */
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_fini(struct buffer *buffer);
/* Room to begin with, which the caller keeps, and which lives as long as the
 * buffer: what does not fit moves to memory of the buffer's own. room > 0; for a
 * buffer that is new. */
void buffer_lend(struct buffer *buffer, char *bytes, size_t room);
/* Empties and forgets a failure; keeps the memory. */
void buffer_clear(struct buffer *buffer);
void buffer_append(struct buffer *buffer, const void *bytes, size_t len);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_span(struct buffer *buffer, struct span span);
void buffer_append_byte(struct buffer *buffer, char byte);
/* In decimal digits. */
void buffer_append_number(struct buffer *buffer, uint64_t number);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Room for len more bytes at the end, NULL on failure; then buffer_grown(). */
char *buffer_reserve(struct buffer *buffer, size_t len);
void buffer_grown(struct buffer *buffer, size_t len);
/* Drops the first len bytes. */
void buffer_consume(struct buffer *buffer, size_t len);
bool buffer_failed(const struct buffer *buffer);
/* Never NULL: "" while empty. Borrowed until the next change. */
const char *buffer_text(const struct buffer *buffer);
struct span buffer_span(const struct buffer *buffer);
/* Owned bytes (free), NUL-terminated; the buffer is empty after. NULL if it
 * failed. */
char *buffer_take(struct buffer *buffer, size_t *len_r);

#endif
