/* cmd_compress.c - COMPRESS (RFC 8054).
 */
#include "daemon/news/commands.h"

#define ALGORITHM_MAX 20u

/* RFC 8054 5.3; as a keyword, in any case. */
static bool
is_algorithm(struct span word)
{
	for (size_t i = 0; i < word.len; i++) {
		char c = word.bytes[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return word.len <= ALGORITHM_MAX;
}

void
cmd_compress(struct session *s, const struct nntp_args *args)
{
	struct buffer *line = &s->loop->line;

	if (!is_algorithm(args->args[0])) {
		session_error(s, 501);
		return;
	}
	if (stream_is_deflated(s->stream)) {
		session_reply(s, 502);
		return;
	}
	if (!span_is(args->args[0], "DEFLATE")) {
		session_reply(s, 503);
		return;
	}
	buffer_clear(line);
	nntp_respond(line, 206);
	if (buffer_failed(line) ||
	    stream_start_deflate(s->stream,
		span_make(line->bytes, line->len)) != 0)
		session_reply_text(s, 403, "compression cannot be started");
}
