/* fuzz_nntp_reply.c - what a news server may say to our client.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "protocol/line.h"
#include "protocol/nntp_reply.h"
#include "protocol/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void
try_line(struct span line)
{
	struct nntp_reply_group group;
	struct nntp_reply reply;
	struct span id;
	uint32_t number;
	char text[40];

	if (nntp_reply_printable(line, text, sizeof text) != text ||
	    strlen(text) >= sizeof text)
		abort();
	if (nntp_reply_number(line, &number) && number > RANGE_NUMBER_MAX)
		abort();
	if (!nntp_reply_parse(line, &reply))
		return;
	if (reply.code < 100 || reply.code > 599 || reply.text.len > line.len)
		abort();
	id = nntp_reply_id(&reply);
	if (id.len > reply.text.len || (id.len > 0 && id.bytes[0] != '<'))
		abort();
	if (nntp_reply_group(&reply, &group) &&
	    (group.low > RANGE_NUMBER_MAX || group.high > RANGE_NUMBER_MAX))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const void *input = bytes;
	struct span rest = span_make(input, len);
	struct line_reader lines;
	struct line line;
	size_t used;
	enum line_status status;

	line_reader_init(&lines, NNTP_REPLY_MAX, LINE_LF_ENDS);
	do {
		status = line_next(&lines, rest, &used, &line);
		if (status == LINE_OK)
			try_line(line.text);
		rest = span_make(rest.bytes + used, rest.len - used);
	} while (status != LINE_MORE);
	return 0;
}
