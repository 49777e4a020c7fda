/* mail_auth.c - Authentication-Results (RFC 8601).
 */
#include "build.h"

#include "protocol/mail_auth.h"

#include "protocol/header.h"
#include "protocol/mime.h"

#define AUTH_VALUE_MAX 16384u

/* Reads tokens; comments are nothing, quoted strings are values. */
struct auth_reader {
	struct span value;
	size_t at;
};

static void
reader_skip(struct auth_reader *reader)
{
	reader->at = header_skip_blank(reader->value, reader->at);
}

static bool
reader_take(struct auth_reader *reader, char c)
{
	reader_skip(reader);
	if (reader->at >= reader->value.len ||
	    reader->value.bytes[reader->at] != c)
		return false;
	reader->at++;
	return true;
}

/* A word, or the inside of a quoted string. */
static struct span
reader_word(struct auth_reader *reader, const char *stop)
{
	struct span value = reader->value;
	size_t start;

	reader_skip(reader);
	start = reader->at;
	if (start < value.len && value.bytes[start] == '"') {
		for (reader->at++;
		     reader->at < value.len && value.bytes[reader->at] != '"';
		     reader->at++) {
			if (value.bytes[reader->at] == '\\')
				reader->at++;
		}
		if (reader->at >= value.len) {
			reader->at = value.len;
			return span_make("", 0);
		}
		reader->at++;
		return span_make(value.bytes + start + 1,
		    reader->at - start - 2);
	}
	while (reader->at < value.len &&
	    strchr(stop, value.bytes[reader->at]) == NULL)
		reader->at++;
	return span_make(value.bytes + start, reader->at - start);
}

/* Does mail from `domain` belong to `signer`: the same, or a parent of it? */
static bool
domain_covers(struct span signer, struct span domain)
{
	struct span tail;

	if (signer.len > 0 && signer.bytes[0] == '@')
		signer = span_make(signer.bytes + 1, signer.len - 1);
	if (signer.len == 0 || signer.len > domain.len ||
	    memchr(signer.bytes, '.', signer.len) == NULL)
		return false;
	tail = span_make(domain.bytes + domain.len - signer.len, signer.len);
	if (strncasecmp(tail.bytes, signer.bytes, signer.len) != 0)
		return false;
	return tail.bytes == domain.bytes || tail.bytes[-1] == '.';
}

static void
result_join(enum mail_auth_result *result, bool pass, bool any)
{
	enum mail_auth_result now = pass ? MAIL_AUTH_PASS : MAIL_AUTH_FAIL;

	if (*result == MAIL_AUTH_ABSENT)
		*result = now;
	else if (any && pass)
		*result = MAIL_AUTH_PASS;
	else if (!any && !pass)
		*result = MAIL_AUTH_FAIL;
}

/* One "method=result ptype.property=value ..." */
static void
read_method(struct auth_reader *reader, struct span from_domain,
    struct mail_auth *auth)
{
	struct span method, result, name, value;
	struct span signer = { "", 0 }, header_from = { "", 0 };
	const char *slash;
	bool pass;

	method = reader_word(reader, " \t\r\n(;=");
	slash = method.len == 0 ? NULL : memchr(method.bytes, '/', method.len);
	if (slash != NULL)
		method.len = (size_t)(slash - method.bytes);
	if (!reader_take(reader, '='))
		return;
	result = reader_word(reader, " \t\r\n(;");
	pass = span_is(result, "pass");
	for (;;) {
		reader_skip(reader);
		name = reader_word(reader, " \t\r\n(;=");
		if (name.len == 0 || !reader_take(reader, '='))
			break;
		value = reader_word(reader, " \t\r\n(;");
		if (span_is(name, "header.d"))
			signer = value;
		else if (span_is(name, "header.i") && signer.len == 0 &&
		    value.len > 0)
			signer = value;
		else if (span_is(name, "header.from"))
			header_from = value;
	}
	if (span_is(result, "none"))
		return; /* nothing to check: as if it were not reported */
	if (span_is(method, "spf")) {
		result_join(&auth->spf, pass, false);
	} else if (span_is(method, "dkim")) {
		const char *at = signer.len == 0
		    ? NULL
		    : memrchr(signer.bytes, '@', signer.len);

		result_join(&auth->dkim, pass, true);
		if (at != NULL)
			signer = span_make(at + 1,
			    signer.len - (size_t)(at + 1 - signer.bytes));
		auth->dkim_aligned |=
		    pass && domain_covers(signer, from_domain);
	} else if (span_is(method, "dmarc")) {
		if (header_from.len > 0 &&
		    (header_from.len != from_domain.len ||
			strncasecmp(header_from.bytes, from_domain.bytes,
			    from_domain.len) != 0))
			pass = false;
		result_join(&auth->dmarc, pass, false);
	}
}

static void
read_field(struct auth_reader *reader, struct span from_domain,
    struct mail_auth *auth)
{
	size_t before;

	(void)reader_word(reader, " \t\r\n(;"); /* a version, if any */
	while (reader->at < reader->value.len) {
		before = reader->at;
		if (reader_take(reader, ';'))
			read_method(reader, from_domain, auth);
		else if (reader->at < reader->value.len)
			(void)reader_word(reader, " \t\r\n(;");
		if (reader->at == before)
			reader->at++;
	}
}

void
mail_auth_read(struct span header, struct span authserv_id,
    struct span from_domain, struct mail_auth *auth_r)
{
	struct span name, value, id;
	size_t at = 0;

	memset(auth_r, 0, sizeof *auth_r);
	if (authserv_id.len == 0)
		return;
	while (mime_field_next(header, &at, &name, &value)) {
		struct auth_reader reader = { value, 0 };

		if (!span_is(name, "Authentication-Results") ||
		    value.len > AUTH_VALUE_MAX)
			continue;
		id = reader_word(&reader, " \t\r\n(;");
		if (id.len != authserv_id.len ||
		    strncasecmp(id.bytes, authserv_id.bytes, id.len) != 0)
			continue;
		auth_r->found = true;
		if (from_domain.len > 0)
			read_field(&reader, from_domain, auth_r);
		break;
	}
	auth_r->aligned_pass = auth_r->dmarc == MAIL_AUTH_PASS ||
	    (auth_r->dmarc == MAIL_AUTH_ABSENT &&
		auth_r->dkim == MAIL_AUTH_PASS && auth_r->dkim_aligned);
}
