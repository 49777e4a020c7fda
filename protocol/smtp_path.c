/* smtp_path.c - the addresses of MAIL and RCPT (RFC 5321 4.1.2, 4.1.3), read
 * leniently where the wild is wilder than the grammar: dots anywhere in a local
 * part, underscores in a domain. What is read is never longer than its room and
 * holds no blank outside quotes, no control and no malformed UTF-8.
 */
#include "protocol/smtp.h"

struct scan {
	struct span in; /* what is left */
	struct smtp_path *path;
	enum smtp_path_error error;
};

static bool
scan_peek(const struct scan *scan, char byte)
{
	return scan->in.len > 0 && scan->in.bytes[0] == byte;
}

static void
scan_skip(struct scan *scan, size_t len)
{
	scan->in = span_make(scan->in.bytes + len, scan->in.len - len);
}

static bool
scan_fail(struct scan *scan, enum smtp_path_error error)
{
	scan->error = error;
	return false;
}

static bool
path_put(struct scan *scan, const char *bytes, size_t len)
{
	struct smtp_path *path = scan->path;

	if (len > SMTP_ADDRESS_MAX - path->len)
		return scan_fail(scan, SMTP_PATH_TOO_LONG);
	if (len > 0)
		memcpy(path->address + path->len, bytes, len);
	path->len += len;
	path->address[path->len] = '\0';
	return true;
}

/* Octets of the UTF-8 sequence at bytes (RFC 3629 4), 0 if it is none. */
static size_t
utf8_len(const unsigned char *bytes, size_t len)
{
	size_t want, i;

	if (bytes[0] < 0x80)
		return 1;
	want = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
	if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || len < want)
		return 0;
	for (i = 1; i < want; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) ||
	    (bytes[0] == 0xed && bytes[1] > 0x9f) ||
	    (bytes[0] == 0xf0 && bytes[1] < 0x90) ||
	    (bytes[0] == 0xf4 && bytes[1] > 0x8f))
		return 0;
	/* C1 controls */
	return bytes[0] == 0xc2 && bytes[1] < 0xa0 ? 0 : want;
}

/* An octet above 127 at the start of what is left: takes its character. */
static bool
scan_utf8(struct scan *scan)
{
	/* through void: the octets are looked at unsigned */
	const void *at = scan->in.bytes;
	size_t len = utf8_len(at, scan->in.len);

	if (len == 0)
		return scan_fail(scan, SMTP_PATH_SYNTAX);
	if (!path_put(scan, scan->in.bytes, len))
		return false;
	scan->path->eight_bit = true;
	scan_skip(scan, len);
	return true;
}

static bool
is_local_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= '0' && byte <= '9') ||
	    (byte != '\0' && strchr(".!#$%&'*+-/=?^_`{|}~", byte) != NULL);
}

static bool
is_domain_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
	    byte == '_';
}

/* A run of what `takes` allows, and of UTF-8. */
static bool
scan_run(struct scan *scan, bool (*takes)(char byte))
{
	size_t before = scan->path->len;

	while (scan->in.len > 0) {
		char byte = scan->in.bytes[0];

		if ((unsigned char)byte >= 0x80) {
			if (!scan_utf8(scan))
				return false;
		} else if (takes(byte)) {
			if (!path_put(scan, &byte, 1))
				return false;
			scan_skip(scan, 1);
		} else {
			break;
		}
	}
	return scan->path->len > before || scan_fail(scan, SMTP_PATH_SYNTAX);
}

/* Is the quoted string at address + start one that needs its quotes? */
static bool
quotes_needed(const struct smtp_path *path, size_t start)
{
	size_t i, last = path->len - 1;

	if (last - start < 2)
		return true;
	for (i = start + 1; i < last; i++) {
		char byte = path->address[i];

		if ((unsigned char)byte < 0x80 && !is_local_byte(byte))
			return true;
		if (byte == '.' &&
		    (i == start + 1 || i == last - 1 ||
			path->address[i + 1] == '.'))
			return true;
	}
	return false;
}

static bool
scan_quoted(struct scan *scan)
{
	struct smtp_path *path = scan->path;
	size_t start = path->len;

	if (!path_put(scan, "\"", 1))
		return false;
	scan_skip(scan, 1);
	while (scan->in.len > 0 && !scan_peek(scan, '"')) {
		char byte = scan->in.bytes[0];

		if ((unsigned char)byte >= 0x80) {
			if (!scan_utf8(scan))
				return false;
			continue;
		}
		if (byte == '\\' && scan->in.len > 1) {
			scan_skip(scan, 1);
			byte = scan->in.bytes[0];
		}
		if (byte < ' ' || byte > '~')
			return scan_fail(scan, SMTP_PATH_SYNTAX);
		if ((byte == '"' || byte == '\\') && !path_put(scan, "\\", 1))
			return false;
		if (!path_put(scan, &byte, 1))
			return false;
		scan_skip(scan, 1);
	}
	if (scan->in.len == 0)
		return scan_fail(scan, SMTP_PATH_SYNTAX);
	scan_skip(scan, 1);
	if (!path_put(scan, "\"", 1))
		return false;
	if (!quotes_needed(path, start)) {
		memmove(path->address + start, path->address + start + 1,
		    path->len - start - 2);
		path->len -= 2;
		path->address[path->len] = '\0';
	}
	return true;
}

/* "[" dtext "]" */
static bool
scan_literal(struct scan *scan)
{
	size_t len = 1;

	while (len < scan->in.len && scan->in.bytes[len] > ' ' &&
	    scan->in.bytes[len] <= '~' &&
	    strchr("[]\\", scan->in.bytes[len]) == NULL)
		len++;
	if (len == 1 || len >= scan->in.len || scan->in.bytes[len] != ']')
		return scan_fail(scan, SMTP_PATH_SYNTAX);
	if (!path_put(scan, scan->in.bytes, len + 1))
		return false;
	scan_skip(scan, len + 1);
	return true;
}

/* "@a.example,@b.example:" is read and forgotten. */
static bool
scan_route(struct scan *scan)
{
	size_t len = 0;

	while (len < scan->in.len && scan->in.bytes[len] != ':') {
		char byte = scan->in.bytes[len++];

		if (!is_domain_byte(byte) &&
		    (byte == '\0' || strchr("@,[]", byte) == NULL))
			return scan_fail(scan, SMTP_PATH_SYNTAX);
	}
	if (len == scan->in.len)
		return scan_fail(scan, SMTP_PATH_SYNTAX);
	scan_skip(scan, len + 1);
	return true;
}

static bool
scan_mailbox(struct scan *scan)
{
	if (scan_peek(scan, '@') && !scan_route(scan))
		return false;
	if (scan_peek(scan, '"') ? !scan_quoted(scan)
				 : !scan_run(scan, is_local_byte))
		return false;
	if (!scan_peek(scan, '@'))
		return true;
	scan_skip(scan, 1);
	scan->path->has_domain = true;
	if (!path_put(scan, "@", 1))
		return false;
	return scan_peek(scan, '[') ? scan_literal(scan)
				    : scan_run(scan, is_domain_byte);
}

enum smtp_path_error
smtp_path_parse(struct span args, const char *keyword, struct smtp_path *path_r,
    struct span *rest_r)
{
	struct scan scan = { args, path_r, SMTP_PATH_OK };

	path_r->address[0] = '\0';
	path_r->len = 0;
	path_r->has_domain = path_r->eight_bit = false;
	*rest_r = span_make(args.bytes, 0);
	if (!span_starts(args, keyword))
		return SMTP_PATH_SYNTAX;
	scan_skip(&scan, strlen(keyword));
	/* "FROM: <a@b>" is wrong and frequent */
	while (scan_peek(&scan, ' '))
		scan_skip(&scan, 1);
	if (!scan_peek(&scan, '<'))
		return SMTP_PATH_SYNTAX;
	scan_skip(&scan, 1);
	if (!scan_peek(&scan, '>') && !scan_mailbox(&scan))
		return scan.error;
	if (!scan_peek(&scan, '>'))
		return SMTP_PATH_SYNTAX;
	scan_skip(&scan, 1);
	if (scan.in.len > 0 && scan.in.bytes[0] != ' ')
		return SMTP_PATH_SYNTAX;
	*rest_r = scan.in;
	return SMTP_PATH_OK;
}
