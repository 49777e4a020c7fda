/* fuzz_smtp_reply.c - what a server may say to our client.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "protocol/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const void *input = bytes;
	struct span rest = span_make(input, len), args;
	struct smtp_reply reply;
	size_t used;
	int rc;

	smtp_reply_init(&reply);
	for (;;) {
		rc = smtp_reply_read(&reply, rest, &used);
		if (used > rest.len || reply.text_len > SMTP_REPLY_TEXT_MAX ||
		    reply.lines > SMTP_REPLY_LINES_MAX + 1)
			abort();
		if (rc < 0 || used == 0)
			return 0;
		rest = span_make(rest.bytes + used, rest.len - used);
		if (rc == 0)
			continue;
		if (reply.code < 200 || reply.code > 599)
			abort();
		(void)smtp_reply_offers(&reply, "AUTH", &args);
		smtp_reply_init(&reply);
	}
}
