/* line.c - cuts command lines out of a window of unread bytes.
 */
#include "protocol/line.h"

void
line_reader_init(struct line_reader *reader, size_t limit, unsigned flags)
{
	memset(reader, 0, sizeof *reader);
	reader->limit = limit;
	reader->flags = flags;
}

/* The LF that ends the line, NULL if there is none within [from, len). */
static const char *
line_find_end(const struct line_reader *reader, struct span window, size_t from)
{
	const char *at = window.bytes + from, *end = window.bytes + window.len;
	const char *lf;

	while (at < end &&
	    (lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if ((lf > window.bytes && lf[-1] == '\r') ||
		    (reader->flags & LINE_LF_ENDS) != 0)
			return lf;
		at = lf + 1;
	}
	return NULL;
}

/* How much of the window belongs to the line that was too long. */
static size_t
line_skip(struct line_reader *reader, struct span window)
{
	const char *lf;
	size_t len = window.len;

	if (len == 0)
		return 0;
	if (window.bytes[0] == '\n' && reader->after_cr)
		lf = window.bytes;
	else
		lf = line_find_end(reader, window, 0);
	if (lf != NULL) {
		len = (size_t)(lf - window.bytes) + 1;
		reader->skipping = false;
	}
	reader->after_cr = window.bytes[len - 1] == '\r';
	return len;
}

static void
line_set(struct line *line_r, const char *text, const char *lf)
{
	size_t len = (size_t)(lf - text);

	if (len > 0 && text[len - 1] == '\r')
		len--;
	line_r->text = span_make(text, len);
	line_r->has_nul = memchr(text, '\0', len) != NULL;
	line_r->has_bare = memchr(text, '\r', len) != NULL ||
	    memchr(text, '\n', len) != NULL;
}

enum line_status
line_next(struct line_reader *reader, struct span window, size_t *used_r,
    struct line *line_r)
{
	struct span part;
	const char *lf;

	*used_r = 0;
	if (reader->skipping) {
		*used_r = line_skip(reader, window);
		if (reader->skipping)
			return LINE_MORE;
		window.bytes += *used_r;
		window.len -= *used_r;
		reader->seen = 0;
	}
	if (window.len == 0)
		return LINE_MORE;
	part = window;
	if (part.len > reader->limit)
		part.len = reader->limit;
	if (reader->seen > part.len)
		reader->seen = part.len;
	lf = line_find_end(reader, part, reader->seen);
	if (lf != NULL) {
		line_set(line_r, window.bytes, lf);
		*used_r += (size_t)(lf - window.bytes) + 1;
		reader->seen = 0;
		return LINE_OK;
	}
	reader->seen = part.len;
	if (window.len <= reader->limit)
		return LINE_MORE;
	*used_r += part.len;
	reader->skipping = true;
	reader->after_cr = part.len > 0 && part.bytes[part.len - 1] == '\r';
	reader->seen = 0;
	return LINE_TOO_LONG;
}
