/* cmd_session.c - CAPABILITIES, MODE READER, HELP, DATE, QUIT (RFC 3977 5.2,
 * 5.3, 5.4, 7.1, 7.2), made from the table of commands.
 */
#include "build.h"

#include <ctype.h>
#include <string.h>

#include "daemon/news/commands.h"
#include "daemon/news/login.h"
#include "protocol/date.h"

/* RFC 4643 2.1: AUTHINFO without USER where it needs TLS first. */
static bool
capability_argument_counts(struct session *s, const struct command *command)
{
	return command->argument != NULL && command_is_offered(s, command) &&
	    (command->handler != cmd_authinfo_user || session_is_private(s));
}

/* True if an offered row before this one has named the capability. */
static bool
capability_is_listed(struct session *s, size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (command_table[i].capability != NULL &&
		    strcmp(command_table[i].capability,
			command_table[row].capability) == 0 &&
		    command_is_offered(s, &command_table[i]))
			return true;
	return false;
}

static void
capability_line(struct session *s, struct buffer *text, size_t row)
{
	const struct command *command = &command_table[row];

	buffer_append_text(text, command->capability);
	for (size_t i = row; i < command_count; i++)
		if (command_table[i].capability != NULL &&
		    strcmp(command_table[i].capability, command->capability) ==
			0 &&
		    capability_argument_counts(s, &command_table[i]))
			buffer_printf(text, " %s", command_table[i].argument);
	buffer_append_text(text, "\r\n");
}

/* RFC 3977 9.5: a keyword is 3 or more letters, digits, dots and minuses. */
static bool
is_keyword(struct span word)
{
	if (word.len < 3 || !isalpha((unsigned char)word.bytes[0]))
		return false;
	for (size_t i = 1; i < word.len; i++)
		if (!isalnum((unsigned char)word.bytes[i]) &&
		    word.bytes[i] != '.' && word.bytes[i] != '-')
			return false;
	return true;
}

void
cmd_capabilities(struct session *s, const struct nntp_args *args)
{
	struct buffer *text = &s->loop->text;

	if (args->count == 1 && !is_keyword(args->args[0])) {
		session_error(s, 501);
		return;
	}
	session_reply(s, 101);
	buffer_clear(text);
	buffer_append_text(text,
	    "VERSION 2\r\nIMPLEMENTATION " PACKAGE_STRING "\r\n");
	for (size_t i = 0; i < command_count; i++)
		if (command_table[i].capability != NULL &&
		    command_is_offered(s, &command_table[i]) &&
		    !capability_is_listed(s, i))
			capability_line(s, text, i);
	if (!session_must_have_tls(s))
		sasl_capability(s, text);
	session_write(s, text->bytes, text->len);
	session_end_block(s);
}

void
cmd_help(struct session *s, const struct nntp_args *args)
{
	struct buffer *text = &s->loop->text;
	const struct command *command;

	(void)args;
	session_reply(s, 100);
	buffer_clear(text);
	for (size_t i = 0; i < command_count; i++) {
		command = &command_table[i];
		buffer_printf(text, "  %s%s%s%s%s\r\n", command->keyword,
		    command->variant == NULL ? "" : " ",
		    command->variant == NULL ? "" : command->variant,
		    command->usage[0] == '\0' ? "" : " ", command->usage);
	}
	session_write(s, text->bytes, text->len);
	session_end_block(s);
}

void
cmd_mode_reader(struct session *s, const struct nntp_args *args)
{
	(void)args;
	session_greet(s);
}

void
cmd_date(struct session *s, const struct nntp_args *args)
{
	char text[DATE_NNTP_SIZE];

	(void)args;
	session_reply_text(s, 111, "%s",
	    date_format_nntp((int64_t)community_now(session_community(s)),
		text));
}

void
cmd_quit(struct session *s, const struct nntp_args *args)
{
	(void)args;
	session_reply(s, 205);
	session_close(s);
}
