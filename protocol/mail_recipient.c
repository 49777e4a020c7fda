/* mail_recipient.c - the suffix of an address: what a mail was sent to do.
 */
#include "protocol/mail_command.h"

#define TOKEN_MIN 6u
#define TOKEN_MAX 40u
#define LOCAL_MAX 24u

struct suffix_word {
	const char *word;
	enum mail_suffix suffix;
	enum mail_command_mode mode;
};

static const struct suffix_word suffixes[] = {
	{ "subscribe", MAIL_SUFFIX_SUBSCRIBE, MAIL_MODE_EACH },
	{ "join", MAIL_SUFFIX_SUBSCRIBE, MAIL_MODE_EACH },
	{ "subscribe-digest", MAIL_SUFFIX_SUBSCRIBE, MAIL_MODE_DIGEST },
	{ "subscribe-plain", MAIL_SUFFIX_SUBSCRIBE, MAIL_MODE_PLAIN },
	{ "subscribe-nomail", MAIL_SUFFIX_SUBSCRIBE, MAIL_MODE_NOMAIL },
	{ "unsubscribe", MAIL_SUFFIX_UNSUBSCRIBE, MAIL_MODE_EACH },
	{ "leave", MAIL_SUFFIX_UNSUBSCRIBE, MAIL_MODE_EACH },
	{ "help", MAIL_SUFFIX_HELP, MAIL_MODE_EACH },
	{ "owner", MAIL_SUFFIX_OWNER, MAIL_MODE_EACH },
	{ "request", MAIL_SUFFIX_REQUEST, MAIL_MODE_EACH },
	{ "confirm", MAIL_SUFFIX_CONFIRM, MAIL_MODE_EACH },
};

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
token_read(struct span text, struct mail_recipient *recipient)
{
	if (text.len < 2 + TOKEN_MIN || text.len > 2 + TOKEN_MAX ||
	    !is_letter(text.bytes[0]) || text.bytes[1] != '.')
		return false;
	for (size_t i = 2; i < text.len; i++) {
		char c = text.bytes[i];

		if (!is_letter(c) && !(c >= '2' && c <= '7'))
			return false;
	}
	recipient->suffix = MAIL_SUFFIX_TOKEN;
	recipient->kind = (char)(text.bytes[0] | 0x20);
	recipient->token = span_make(text.bytes + 2, text.len - 2);
	return true;
}

static bool
suffix_read(struct span text, struct mail_recipient *recipient)
{
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		if (!span_is(text, suffixes[i].word))
			continue;
		recipient->suffix = suffixes[i].suffix;
		recipient->mode = suffixes[i].mode;
		return true;
	}
	return token_read(text, recipient);
}

bool
mail_recipient_parse(struct span local, mail_local_exists_fn *exists,
    void *context, struct mail_recipient *recipient_r)
{
	struct mail_recipient recipient = { .base = local, .token = { "", 0 } };

	*recipient_r = recipient;
	if (local.len == 0)
		return false;
	if (exists(context, local))
		return true;
	for (size_t i = local.len - 1; i > 0; i--) {
		if (local.bytes[i] != '+' && local.bytes[i] != '-')
			continue;
		recipient.base = span_make(local.bytes, i);
		if (!suffix_read(span_make(local.bytes + i + 1,
				     local.len - i - 1),
			&recipient) ||
		    !exists(context, recipient.base))
			continue;
		*recipient_r = recipient;
		return true;
	}
	return false;
}

bool
mail_local_is_usable(struct span local)
{
	struct mail_recipient unused;

	if (local.len == 0 || local.len > LOCAL_MAX ||
	    strchr(".-_", local.bytes[0]) != NULL ||
	    strchr(".-_", local.bytes[local.len - 1]) != NULL)
		return false;
	for (size_t i = 0; i < local.len; i++) {
		char c = local.bytes[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			(c != '\0' && strchr("._-", c) != NULL)) ||
		    (c == '.' && local.bytes[i - 1] == '.'))
			return false;
		if (c == '-' &&
		    suffix_read(span_make(local.bytes + i + 1,
				    local.len - i - 1),
			&unused))
			return false;
	}
	return true;
}
