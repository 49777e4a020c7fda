/* smtp_reply.c - replies as a client reads them: hostile text from a server.
 */
#include "protocol/smtp.h"

#include <errno.h>

void
smtp_reply_init(struct smtp_reply *reply)
{
	reply->code = 0;
	memset(reply->status, 0, sizeof reply->status);
	reply->text[0] = '\0';
	reply->text_len = 0;
	reply->lines = 0;
}

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

size_t
smtp_status_parse(struct span text, unsigned code, unsigned status_r[3])
{
	unsigned status[3] = { 0, 0, 0 };
	size_t at = 0, digits;
	unsigned i;

	for (i = 0; i < 3; i++) {
		for (digits = 0; at < text.len && is_digit(text.bytes[at]);
		     at++, digits++)
			if (digits < 3)
				status[i] = status[i] * 10 +
				    (unsigned)(text.bytes[at] - '0');
		if (digits == 0 || digits > 3)
			return 0;
		if (i < 2 && (at >= text.len || text.bytes[at++] != '.'))
			return 0;
	}
	if (status[0] != code / 100 || (at < text.len && text.bytes[at] != ' '))
		return 0;
	memcpy(status_r, status, sizeof status);
	return at < text.len ? at + 1 : at;
}

static void
text_put(struct smtp_reply *reply, char byte)
{
	if (reply->text_len >= SMTP_REPLY_TEXT_MAX)
		return;
	reply->text[reply->text_len++] = byte;
	reply->text[reply->text_len] = '\0';
}

static int
reply_line(struct smtp_reply *reply, struct span line)
{
	unsigned code;
	size_t i;

	if (line.len < 3 || line.bytes[0] < '2' || line.bytes[0] > '5' ||
	    !is_digit(line.bytes[1]) || !is_digit(line.bytes[2]) ||
	    (line.len > 3 && line.bytes[3] != ' ' && line.bytes[3] != '-'))
		return -EPROTO;
	code = (unsigned)(line.bytes[0] - '0') * 100 +
	    (unsigned)(line.bytes[1] - '0') * 10 +
	    (unsigned)(line.bytes[2] - '0');
	if (reply->lines == 0)
		reply->code = code;
	else
		text_put(reply, '\n');
	/* RFC 5321 4.2.1: the same code in every line */
	if (code != reply->code || ++reply->lines > SMTP_REPLY_LINES_MAX)
		return -EPROTO;
	for (i = 4; i < line.len; i++)
		text_put(reply,
		    (unsigned char)line.bytes[i] < ' ' || line.bytes[i] == 127
			? ' '
			: line.bytes[i]);
	if (line.len > 3 && line.bytes[3] == '-')
		return 0;
	(void)smtp_status_parse(span_make(reply->text, reply->text_len),
	    reply->code, reply->status);
	return 1;
}

int
smtp_reply_read(struct smtp_reply *reply, struct span input, size_t *used_r)
{
	size_t window =
	    input.len < SMTP_REPLY_LINE_MAX ? input.len : SMTP_REPLY_LINE_MAX;
	const char *end =
	    window == 0 ? NULL : memchr(input.bytes, '\n', window);
	size_t len;

	*used_r = 0;
	if (end == NULL)
		return window == SMTP_REPLY_LINE_MAX ? -EPROTO : 0;
	len = (size_t)(end - input.bytes);
	*used_r = len + 1;
	if (len > 0 && input.bytes[len - 1] == '\r')
		len--;
	return reply_line(reply, span_make(input.bytes, len));
}

bool
smtp_reply_offers(const struct smtp_reply *reply, const char *keyword,
    struct span *args_r)
{
	struct span rest = span_make(reply->text, reply->text_len);
	size_t keyword_len = strlen(keyword);
	const char *end;

	while ((end = memchr(rest.bytes, '\n', rest.len)) != NULL) {
		struct span line;

		rest.len -= (size_t)(end + 1 - rest.bytes);
		rest.bytes = end + 1;
		end = memchr(rest.bytes, '\n', rest.len);
		line = span_trim(span_make(rest.bytes,
		    end == NULL ? rest.len : (size_t)(end - rest.bytes)));
		if (!span_starts(line, keyword) ||
		    (line.len > keyword_len && line.bytes[keyword_len] != ' ' &&
			line.bytes[keyword_len] != '='))
			continue;
		if (args_r != NULL)
			*args_r = line.len == keyword_len
			    ? span_make(line.bytes + keyword_len, 0)
			    : span_trim(span_make(line.bytes + keyword_len + 1,
				  line.len - keyword_len - 1));
		return true;
	}
	return false;
}
