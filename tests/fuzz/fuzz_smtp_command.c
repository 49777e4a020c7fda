/* fuzz_smtp_command.c - a command line, as the SMTP and LMTP listeners read it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "protocol/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A path that was taken fits its room and holds nothing that breaks a line. */
static void
check_path(const struct smtp_path *path)
{
	size_t i;

	if (path->len > SMTP_ADDRESS_MAX || path->address[path->len] != '\0')
		abort();
	for (i = 0; i < path->len; i++)
		if ((unsigned char)path->address[i] < ' ' ||
		    path->address[i] == 127)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const void *input = bytes;
	struct smtp_mail_params params;
	struct smtp_path path;
	struct span args, rest;

	(void)smtp_verb_find(span_make(input, len), &args);
	(void)smtp_is_hello_name(args);
	if (smtp_path_parse(args, "FROM:", &path, &rest) == SMTP_PATH_OK) {
		check_path(&path);
		(void)smtp_mail_params_parse(rest, &params);
	}
	if (smtp_path_parse(args, "TO:", &path, &rest) == SMTP_PATH_OK) {
		check_path(&path);
		(void)smtp_rcpt_params_parse(rest);
	}
	return 0;
}
