/* smtp_command.c - SMTP's verbs and the parameters of MAIL and RCPT.
 */
#include "protocol/smtp.h"

#include <ctype.h>

/* clang-format off */
static const struct smtp_verb verbs[] = {
	{ "DATA", SMTP_DATA, SMTP_IN_BOTH | SMTP_NEEDS_HELLO | SMTP_NEEDS_MAIL |
	    SMTP_NO_ARGUMENT, "DATA" },
	{ "EHLO", SMTP_EHLO, SMTP_IN_SMTP, "EHLO name" },
	{ "HELO", SMTP_HELO, SMTP_IN_SMTP, "HELO name" },
	{ "HELP", SMTP_HELP, SMTP_IN_BOTH, "HELP" },
	{ "LHLO", SMTP_LHLO, SMTP_IN_LMTP, "LHLO name" },
	{ "MAIL", SMTP_MAIL, SMTP_IN_BOTH | SMTP_NEEDS_HELLO,
	    "MAIL FROM:<address> [SIZE=octets] [BODY=8BITMIME] [SMTPUTF8]" },
	{ "NOOP", SMTP_NOOP, SMTP_IN_BOTH, "NOOP" },
	{ "QUIT", SMTP_QUIT, SMTP_IN_BOTH | SMTP_NO_ARGUMENT, "QUIT" },
	{ "RCPT", SMTP_RCPT, SMTP_IN_BOTH | SMTP_NEEDS_HELLO | SMTP_NEEDS_MAIL,
	    "RCPT TO:<address>" },
	{ "RSET", SMTP_RSET, SMTP_IN_BOTH | SMTP_NO_ARGUMENT, "RSET" },
	{ "STARTTLS", SMTP_STARTTLS, SMTP_IN_BOTH | SMTP_NO_ARGUMENT |
	    SMTP_NEEDS_TLS, "STARTTLS" },
	{ "VRFY", SMTP_VRFY, SMTP_IN_BOTH, "VRFY text" },
};
/* clang-format on */

const struct smtp_verb *
smtp_verb_at(unsigned i)
{
	return i < sizeof verbs / sizeof *verbs ? &verbs[i] : NULL;
}

const struct smtp_verb *
smtp_verb_find(struct span line, struct span *args_r)
{
	size_t len = 0, i;

	while (
	    len < line.len && line.bytes[len] != ' ' && line.bytes[len] != '\t')
		len++;
	*args_r = span_trim(span_make(line.bytes + len, line.len - len));
	for (i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (span_is(span_make(line.bytes, len), verbs[i].name))
			return &verbs[i];
	return NULL;
}

bool
smtp_is_hello_name(struct span name)
{
	size_t i;

	if (name.len == 0 || name.len > 255)
		return false;
	for (i = 0; i < name.len; i++)
		if ((unsigned char)name.bytes[i] <= ' ' || name.bytes[i] == 127)
			return false;
	return true;
}

/* The next esmtp-param (RFC 5321 4.1.2) of *rest. 1: there is one; 0: the end;
 * -1: malformed. */
static int
param_next(struct span *rest, struct span *keyword_r, struct span *value_r)
{
	size_t len = 0, mark;

	*rest = span_trim(*rest);
	if (rest->len == 0)
		return 0;
	while (len < rest->len &&
	    (isalnum((unsigned char)rest->bytes[len]) ||
		(len > 0 && rest->bytes[len] == '-')))
		len++;
	*keyword_r = span_make(rest->bytes, len);
	*value_r = span_make(NULL, 0);
	if (len == 0)
		return -1;
	if (len < rest->len && rest->bytes[len] == '=') {
		mark = ++len;
		while (len < rest->len &&
		    (unsigned char)rest->bytes[len] > ' ' &&
		    rest->bytes[len] != '=' && rest->bytes[len] != 127)
			len++;
		*value_r = span_make(rest->bytes + mark, len - mark);
		if (len == mark)
			return -1;
	}
	if (len < rest->len && rest->bytes[len] != ' ')
		return -1;
	*rest = span_make(rest->bytes + len, rest->len - len);
	return 1;
}

/* Up to 20 digits (RFC 1870 3); what does not fit is as large as can be. */
static bool
size_parse(struct span value, uint64_t *size_r)
{
	uint64_t size = 0;
	size_t i;

	if (value.len == 0 || value.len > 20)
		return false;
	for (i = 0; i < value.len; i++) {
		unsigned digit = (unsigned char)value.bytes[i] - (unsigned)'0';

		if (digit > 9)
			return false;
		size = size > (UINT64_MAX - digit) / 10 ? UINT64_MAX
							: size * 10 + digit;
	}
	*size_r = size;
	return true;
}

static enum smtp_params_error
mail_param_take(struct span keyword, struct span value,
    struct smtp_mail_params *params)
{
	if (span_is(keyword, "SIZE"))
		return size_parse(value, &params->size) ? SMTP_PARAMS_OK
							: SMTP_PARAMS_SYNTAX;
	if (span_is(keyword, "BODY")) {
		params->eight_bit = span_is(value, "8BITMIME");
		return params->eight_bit || span_is(value, "7BIT")
		    ? SMTP_PARAMS_OK
		    : SMTP_PARAMS_SYNTAX;
	}
	if (span_is(keyword, "SMTPUTF8")) {
		params->utf8 = true;
		return value.len == 0 ? SMTP_PARAMS_OK : SMTP_PARAMS_SYNTAX;
	}
	return SMTP_PARAMS_UNKNOWN;
}

enum smtp_params_error
smtp_mail_params_parse(struct span params, struct smtp_mail_params *params_r)
{
	struct span keyword, value;
	enum smtp_params_error error;
	int more;

	memset(params_r, 0, sizeof *params_r);
	while ((more = param_next(&params, &keyword, &value)) > 0) {
		error = mail_param_take(keyword, value, params_r);
		if (error != SMTP_PARAMS_OK)
			return error;
	}
	return more == 0 ? SMTP_PARAMS_OK : SMTP_PARAMS_SYNTAX;
}

enum smtp_params_error
smtp_rcpt_params_parse(struct span params)
{
	struct span keyword, value;
	int more = param_next(&params, &keyword, &value);

	if (more == 0)
		return SMTP_PARAMS_OK;
	return more > 0 ? SMTP_PARAMS_UNKNOWN : SMTP_PARAMS_SYNTAX;
}
