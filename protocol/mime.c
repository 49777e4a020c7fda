/* mime.c - header fields of an entity, and transfer encodings. libetpan decodes
 * base64; its decoder of quoted-printable reads past the end of what ends in
 * "=" CR, so that one is ours.
 */
#include "protocol/mime.h"

#include <libetpan/mailmime_content.h>

#define DECODE_CHUNK  1048576u
#define BASE64_LINE   57u /* octets that make 76 characters */
#define QP_LINE       75u
#define LINE_8BIT_MAX 990u

/* ---- fields */

static size_t
line_end(struct span text, size_t at)
{
	const char *end;

	end = at >= text.len ? NULL
			     : memchr(text.bytes + at, '\n', text.len - at);
	return end == NULL ? text.len : (size_t)(end - text.bytes) + 1;
}

static bool
line_is_empty(struct span text, size_t at)
{
	return text.bytes[at] == '\n' ||
	    (text.bytes[at] == '\r' && at + 1 < text.len &&
		text.bytes[at + 1] == '\n');
}

size_t
mime_header_len(struct span message, size_t *body_r)
{
	size_t at = 0;

	while (at < message.len && !line_is_empty(message, at))
		at = line_end(message, at);
	*body_r = at < message.len ? line_end(message, at) : message.len;
	return at;
}

static bool
name_is_valid(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.bytes[i] <= ' ' || name.bytes[i] == 0x7f)
			return false;
	}
	return name.len > 0;
}

bool
mime_field_next(struct span header, size_t *at, struct span *name,
    struct span *value)
{
	size_t start, end, colon;
	const char *mark;

	while (*at < header.len) {
		start = *at;
		end = line_end(header, start);
		while (end < header.len &&
		    (header.bytes[end] == ' ' || header.bytes[end] == '\t'))
			end = line_end(header, end);
		*at = end;
		mark = memchr(header.bytes + start, ':', end - start);
		if (mark == NULL)
			continue;
		colon = (size_t)(mark - header.bytes);
		*name =
		    span_trim(span_make(header.bytes + start, colon - start));
		if (header.bytes[start] == ' ' || header.bytes[start] == '\t' ||
		    !name_is_valid(*name))
			continue;
		*value = span_trim(span_make(mark + 1, end - colon - 1));
		return true;
	}
	return false;
}

struct span
mime_field(struct span header, const char *name)
{
	struct span found, value;
	size_t at = 0;

	while (mime_field_next(header, &at, &found, &value)) {
		if (span_is(found, name))
			return value;
	}
	return span_make(NULL, 0);
}

/* ---- decoding */

static void
decode_base64(struct buffer *out, struct span body)
{
	while (body.len > 0 && !buffer_failed(out)) {
		size_t len = body.len < DECODE_CHUNK ? body.len : DECODE_CHUNK;
		size_t used = 0, decoded_len = 0;
		char *decoded = NULL;
		int rc;

		if (len < body.len)
			rc = mailmime_part_parse_partial(body.bytes, len, &used,
			    MAILMIME_MECHANISM_BASE64, &decoded, &decoded_len);
		else
			rc = mailmime_part_parse(body.bytes, len, &used,
			    MAILMIME_MECHANISM_BASE64, &decoded, &decoded_len);
		if (rc != MAILIMF_NO_ERROR) {
			out->failed = true;
			return;
		}
		buffer_append(out, decoded, decoded_len);
		mailmime_decoded_part_free(decoded);
		if (len == body.len || used == 0 || used > len)
			used = len;
		body = span_make(body.bytes + used, body.len - used);
	}
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* One line without its end. False: it ends in a soft break. */
static bool
decode_qp_line(struct buffer *out, struct span line)
{
	bool hard = true;

	/* blanks at the end were added on the way (RFC 2045 6.7 (3)) */
	while (line.len > 0 &&
	    (line.bytes[line.len - 1] == ' ' ||
		line.bytes[line.len - 1] == '\t'))
		line.len--;
	if (line.len > 0 && line.bytes[line.len - 1] == '=') {
		line.len--;
		hard = false;
	}
	for (size_t i = 0; i < line.len; i++) {
		char c = line.bytes[i];

		if (c == '=' && i + 2 < line.len &&
		    hex_value(line.bytes[i + 1]) >= 0 &&
		    hex_value(line.bytes[i + 2]) >= 0) {
			c = (char)(hex_value(line.bytes[i + 1]) * 16 +
			    hex_value(line.bytes[i + 2]));
			i += 2;
		}
		buffer_append_byte(out, c);
	}
	return hard;
}

static void
decode_qp(struct buffer *out, struct span body)
{
	size_t at = 0, end, len;

	while (at < body.len && !buffer_failed(out)) {
		end = line_end(body, at);
		len = end - at;
		if (body.bytes[end - 1] == '\n')
			len--;
		if (len < end - at && len > 0 &&
		    body.bytes[at + len - 1] == '\r')
			len--;
		if (decode_qp_line(out, span_make(body.bytes + at, len)))
			buffer_append(out, body.bytes + at + len,
			    end - at - len);
		at = end;
	}
}

void
mime_decode(struct buffer *out, struct span body, enum mime_encoding encoding)
{
	switch (encoding) {
	case MIME_BASE64:
		decode_base64(out, body);
		break;
	case MIME_QP:
		decode_qp(out, body);
		break;
	case MIME_PLAIN:
	case MIME_UNKNOWN:
		buffer_append_span(out, body);
		break;
	}
}

/* ---- encoding */

static void
base64_group(struct buffer *out, const unsigned char *in, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = (unsigned)in[0] << 16;
	char text[4];

	if (len > 1)
		bits |= (unsigned)in[1] << 8;
	if (len > 2)
		bits |= in[2];
	text[0] = digits[bits >> 18];
	text[1] = digits[(bits >> 12) & 63];
	text[2] = len > 1 ? digits[(bits >> 6) & 63] : '=';
	text[3] = len > 2 ? digits[bits & 63] : '=';
	buffer_append(out, text, sizeof text);
}

void
mime_base64_encode(struct buffer *out, struct span bytes, bool lines)
{
	const unsigned char *in = (const unsigned char *)bytes.bytes;

	for (size_t i = 0; i < bytes.len; i += 3) {
		base64_group(out, in + i,
		    bytes.len - i < 3 ? bytes.len - i : 3);
		if (lines && ((i + 3) % BASE64_LINE == 0 || i + 3 >= bytes.len))
			buffer_append_text(out, "\r\n");
	}
}

/* One line without its end. */
static void
qp_line(struct buffer *out, struct span line)
{
	size_t column = 0;

	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.bytes[i];
		bool last = i + 1 == line.len;
		/* "." and "From " at the start suffer on the way */
		bool plain = (c > 0x20 && c < 0x7f && c != '=') ||
		    ((c == ' ' || c == '\t') && !last);

		if (column == 0 && (c == '.' || c == 'F'))
			plain = false;
		if (column + (plain ? 1u : 3u) > QP_LINE) {
			buffer_append_text(out, "=\r\n");
			column = 0;
		}
		if (plain)
			buffer_append_byte(out, (char)c);
		else
			buffer_printf(out, "=%02X", (unsigned)c);
		column += plain ? 1 : 3;
	}
}

void
mime_qp_encode(struct buffer *out, struct span text)
{
	size_t at = 0, end, len;

	while (at < text.len) {
		end = line_end(text, at);
		len = end - at;
		if (len > 0 && text.bytes[end - 1] == '\n')
			len--;
		if (len > 0 && len < end - at &&
		    text.bytes[at + len - 1] == '\r')
			len--;
		qp_line(out, span_make(text.bytes + at, len));
		if (text.bytes[end - 1] == '\n')
			buffer_append_text(out, "\r\n");
		at = end;
	}
}

const char *
mime_encoding_for(struct span text)
{
	size_t line = 0;
	bool high = false;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.bytes[i];

		if (c == '\n') {
			line = 0;
			continue;
		}
		high |= c >= 0x80;
		if (++line > LINE_8BIT_MAX || c == 0 ||
		    (c == '\r' &&
			(i + 1 == text.len || text.bytes[i + 1] != '\n')))
			return "quoted-printable";
	}
	return high ? "8bit" : "7bit";
}
