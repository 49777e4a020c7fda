/* admin_words.c - tables of words, and texts of records.
 */
#include "daemon/community/admin_words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum admin_words words;
	const char *choice;
	const char *names[5]; /* by value, ends with NULL */
} tables[] = {
	{ ADMIN_WORDS_AUDIENCE, "anyone, members or staff",
	    { "anyone", "members", "staff", NULL } },
	{ ADMIN_WORDS_MODERATION, "none, non-members or all",
	    { "none", "non-members", "all", NULL } },
	{ ADMIN_WORDS_ROLE, "member, moderator, staff or admin",
	    { "member", "moderator", "staff", "admin", NULL } },
	{ ADMIN_WORDS_MEMBER_STATE, "active or suspended",
	    { "active", "suspended", "removed", NULL } },
	{ ADMIN_WORDS_MODE, "each, digest, plain or nomail",
	    { "each", "digest", "plain", "nomail", NULL } },
	{ ADMIN_WORDS_SUBSCRIPTION_STATE, "active or suspended",
	    { "active", "suspended", "unconfirmed", NULL } },
};

int
admin_word_value(enum admin_words words, const char *word)
{
	for (int i = 0; tables[words].names[i] != NULL; i++)
		if (strcmp(tables[words].names[i], word) == 0)
			return i;
	return -EINVAL;
}

const char *
admin_word(enum admin_words words, int value)
{
	for (int i = 0; tables[words].names[i] != NULL; i++)
		if (i == value)
			return tables[words].names[i];
	return "?";
}

const char *
admin_word_choice(enum admin_words words)
{
	return tables[words].choice;
}

bool
admin_text_is_line(const char *text, unsigned max)
{
	const unsigned char *c = (const unsigned char *)text;

	for (; *c != '\0'; c++)
		if (*c < ' ' || *c == 0x7f)
			return false;
	return strlen(text) <= max;
}

bool
admin_text_is_login(const char *text)
{
	return strpbrk(text, "@ ") == NULL &&
	    admin_text_is_line(text, ADMIN_LOGIN_MAX);
}

/* Protobuf's own texts are constants: a text is replaced, never changed. */
int
admin_text_put(char **field, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return -ENOMEM;
	if (*field != protobuf_c_empty_string)
		free(*field);
	*field = copy;
	return 0;
}

long
admin_number(const char *text, long max)
{
	char *end;
	long value;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	value = strtol(text, &end, 10);
	return errno != 0 || *end != '\0' || value > max ? -EINVAL : value;
}
