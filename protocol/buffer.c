/* buffer.c - a growing run of bytes with a limit.
 */
#include "protocol/buffer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BUFFER_FIRST_ROOM 256u

void
buffer_init(struct buffer *buffer, size_t limit)
{
	memset(buffer, 0, sizeof *buffer);
	buffer->limit = limit;
}

void
buffer_fini(struct buffer *buffer)
{
	if (!buffer->lent)
		free(buffer->bytes);
	buffer_init(buffer, buffer->limit);
}

void
buffer_lend(struct buffer *buffer, char *bytes, size_t room)
{
	bytes[0] = '\0';
	buffer->bytes = bytes;
	buffer->room = room;
	buffer->lent = true;
}

void
buffer_clear(struct buffer *buffer)
{
	buffer->len = 0;
	buffer->failed = false;
	if (buffer->bytes != NULL)
		buffer->bytes[0] = '\0';
}

/* Memory of its own, of another size. */
static bool
buffer_move(struct buffer *buffer, size_t room)
{
	char *bytes = realloc(buffer->lent ? NULL : buffer->bytes, room);

	if (bytes == NULL) {
		buffer->failed = true;
		return false;
	}
	if (buffer->lent)
		memcpy(bytes, buffer->bytes, buffer->len);
	buffer->bytes = bytes;
	buffer->room = room;
	buffer->lent = false;
	return true;
}

char *
buffer_reserve(struct buffer *buffer, size_t len)
{
	size_t room = buffer->room == 0 ? BUFFER_FIRST_ROOM : buffer->room;

	if (buffer->failed)
		return NULL;
	if (len >= SIZE_MAX / 4 - buffer->len ||
	    (buffer->limit != 0 && buffer->len + len > buffer->limit)) {
		buffer->failed = true;
		return NULL;
	}
	while (room < buffer->len + len + 1)
		room *= 2;
	if (room != buffer->room && !buffer_move(buffer, room))
		return NULL;
	return buffer->bytes + buffer->len;
}

void
buffer_grown(struct buffer *buffer, size_t len)
{
	buffer->len += len;
	buffer->bytes[buffer->len] = '\0';
}

void
buffer_append(struct buffer *buffer, const void *bytes, size_t len)
{
	char *end = buffer_reserve(buffer, len);

	if (end == NULL)
		return;
	if (len > 0)
		memcpy(end, bytes, len);
	buffer_grown(buffer, len);
}

void
buffer_append_text(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

void
buffer_append_span(struct buffer *buffer, struct span span)
{
	buffer_append(buffer, span.bytes, span.len);
}

void
buffer_append_byte(struct buffer *buffer, char byte)
{
	/* most octets that are appended one by one need no room */
	if (buffer->len + 1 >= buffer->room || buffer->failed ||
	    (buffer->limit != 0 && buffer->len >= buffer->limit)) {
		buffer_append(buffer, &byte, 1);
		return;
	}
	buffer->bytes[buffer->len++] = byte;
	buffer->bytes[buffer->len] = '\0';
}

/* Into the room that there is, if it is enough; what it needs, or negative. */
static int
buffer_try_vprintf(struct buffer *buffer, const char *format, va_list args)
{
	size_t room = buffer->room == 0 ? 0 : buffer->room - buffer->len;
	char *end = room == 0 ? NULL : buffer->bytes + buffer->len;
	int len;

	if (buffer->limit != 0 && buffer->limit - buffer->len < room)
		room = buffer->limit - buffer->len;
	len = vsnprintf(end, room, format, args);
	if (len >= 0 && (size_t)len < room)
		buffer->len += (size_t)len;
	else if (end != NULL)
		*end = '\0';
	return len;
}

void
buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
{
	size_t before = buffer->len;
	va_list again;
	char *end;
	int len;

	if (buffer->failed)
		return;
	va_copy(again, args);
	len = buffer_try_vprintf(buffer, format, again);
	va_end(again);
	if (len < 0)
		buffer->failed = true;
	if (len <= 0 || buffer->len > before)
		return;
	end = buffer_reserve(buffer, (size_t)len);
	if (end == NULL)
		return;
	(void)vsnprintf(end, (size_t)len + 1, format, args);
	buffer_grown(buffer, (size_t)len);
}

void
buffer_append_number(struct buffer *buffer, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	buffer_append(buffer, digits + at, sizeof digits - at);
}

void
buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buffer_vprintf(buffer, format, args);
	va_end(args);
}

void
buffer_consume(struct buffer *buffer, size_t len)
{
	if (len >= buffer->len) {
		buffer->len = 0;
	} else {
		memmove(buffer->bytes, buffer->bytes + len, buffer->len - len);
		buffer->len -= len;
	}
	if (buffer->bytes != NULL)
		buffer->bytes[buffer->len] = '\0';
}

bool
buffer_failed(const struct buffer *buffer)
{
	return buffer->failed;
}

const char *
buffer_text(const struct buffer *buffer)
{
	return buffer->bytes == NULL ? "" : buffer->bytes;
}

struct span
buffer_span(const struct buffer *buffer)
{
	return span_make(buffer_text(buffer), buffer->len);
}

char *
buffer_take(struct buffer *buffer, size_t *len_r)
{
	char *bytes;

	if (buffer_reserve(buffer, 0) == NULL ||
	    (buffer->lent && !buffer_move(buffer, buffer->len + 1)))
		return NULL;
	buffer->bytes[buffer->len] = '\0';
	bytes = buffer->bytes;
	if (len_r != NULL)
		*len_r = buffer->len;
	buffer->bytes = NULL;
	buffer->len = buffer->room = 0;
	return bytes;
}
