/* mail_command.c - commands in the text of a mail.
 */
#include "protocol/mail_command.h"

enum command_argument {
	ARGUMENT_NONE,
	ARGUMENT_MODE,
	ARGUMENT_TEXT,
};

struct command_word {
	const char *word;
	enum mail_command_verb verb;
	enum command_argument argument;
	const char *usage; /* NULL: another word for the one above */
};

static const struct command_word words[] = {
	{ "approve", MAIL_COMMAND_APPROVE, ARGUMENT_NONE,
	    "approve              let the held article in" },
	{ "accept", MAIL_COMMAND_APPROVE, ARGUMENT_NONE, NULL },
	{ "reject", MAIL_COMMAND_REJECT, ARGUMENT_TEXT,
	    "reject REASON        refuse it, the author is told the reason" },
	{ "yes", MAIL_COMMAND_YES, ARGUMENT_NONE,
	    "yes                  agree to what was asked" },
	{ "no", MAIL_COMMAND_NO, ARGUMENT_NONE,
	    "no                   refuse what was asked" },
	{ "confirm", MAIL_COMMAND_CONFIRM, ARGUMENT_NONE,
	    "confirm              the same as yes" },
	{ "subscribe", MAIL_COMMAND_SUBSCRIBE, ARGUMENT_MODE,
	    "subscribe [MODE]     digest, plain, nomail, or each article" },
	{ "join", MAIL_COMMAND_SUBSCRIBE, ARGUMENT_MODE, NULL },
	{ "unsubscribe", MAIL_COMMAND_UNSUBSCRIBE, ARGUMENT_NONE,
	    "unsubscribe          no mail of this list any more" },
	{ "leave", MAIL_COMMAND_UNSUBSCRIBE, ARGUMENT_NONE, NULL },
	{ "help", MAIL_COMMAND_HELP, ARGUMENT_NONE,
	    "help                 this text" },
};

static const struct {
	const char *name;
	enum mail_command_mode mode;
} modes[] = {
	{ "each", MAIL_MODE_EACH },
	{ "digest", MAIL_MODE_DIGEST },
	{ "plain", MAIL_MODE_PLAIN },
	{ "nomail", MAIL_MODE_NOMAIL },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
mode_find(struct span name, enum mail_command_mode *mode)
{
	for (size_t i = 0; i < COUNT(modes); i++) {
		if (span_is(name, modes[i].name)) {
			*mode = modes[i].mode;
			return true;
		}
	}
	return false;
}

/* Without full stops and their like at the end. */
static struct span
without_punctuation(struct span text)
{
	text = span_trim(text);
	while (text.len > 0 && text.bytes[text.len - 1] != '\0' &&
	    strchr(".,;:!* \t", text.bytes[text.len - 1]) != NULL)
		text.len--;
	return text;
}

static struct span
first_line(struct span text)
{
	const char *end;
	struct span line;

	while (text.len > 0) {
		end = memchr(text.bytes, '\n', text.len);
		line = text;
		if (end != NULL)
			line.len = (size_t)(end - text.bytes);
		if (span_trim(line).len > 0)
			return span_trim(line);
		if (end == NULL)
			break;
		text = span_make(text.bytes + line.len + 1,
		    text.len - line.len - 1);
	}
	return span_make("", 0);
}

static bool
argument_fits(const struct command_word *word, struct mail_command *command)
{
	struct span rest = without_punctuation(command->argument);

	switch (word->argument) {
	case ARGUMENT_NONE:
		return rest.len == 0;
	case ARGUMENT_MODE:
		command->mode_given = mode_find(rest, &command->mode);
		return rest.len == 0 || command->mode_given;
	case ARGUMENT_TEXT:
		return true;
	}
	return false;
}

struct mail_command
mail_command_parse(struct span own_text)
{
	struct mail_command command = { .verb = MAIL_COMMAND_NONE,
		.argument = { "", 0 } };
	struct span line = first_line(own_text), word = line;
	size_t len = 0;

	while (
	    len < line.len && line.bytes[len] != ' ' && line.bytes[len] != '\t')
		len++;
	word.len = len;
	command.argument =
	    span_trim(span_make(line.bytes + len, line.len - len));
	word = without_punctuation(word);
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!span_is(word, words[i].word))
			continue;
		if (argument_fits(&words[i], &command))
			command.verb = words[i].verb;
		break;
	}
	return command;
}

const char *
mail_command_usage(size_t index)
{
	for (size_t i = 0; i < COUNT(words); i++) {
		if (words[i].usage != NULL && index-- == 0)
			return words[i].usage;
	}
	return NULL;
}
