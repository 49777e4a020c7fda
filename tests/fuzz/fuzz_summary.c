/* fuzz_summary.c - any mail gives a summary that survives the wire. */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/mail_summary.h"
#include "protocol/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mail_summary_options options = {
		.envelope_from = "",
		.authserv_id = "mx.example",
		.domain = "lists.example",
		.hostname = "news.example",
		.text_max = 4096,
	};
	struct mail_summary summary, again;
	struct buffer out;

	if (mail_summary_build((const char *)data, size, &options, &summary) !=
	    0)
		return 0;
	check(utf8_valid(span_of(summary.text)));
	check(utf8_valid(span_of(summary.own_text)));
	buffer_init(&out, 0);
	mail_summary_encode(&out, &summary);
	check(!buffer_failed(&out));
	check(mail_summary_decode(out.bytes, out.len, &again) == 0);
	check(strcmp(again.own_text, summary.own_text) == 0);
	check(again.part_count == summary.part_count);
	mail_summary_fini(&again);
	mail_summary_fini(&summary);
	buffer_fini(&out);
	return 0;
}
