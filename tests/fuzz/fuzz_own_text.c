/* fuzz_own_text.c - HTML, flowed text, own text and the command in it. */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/html_text.h"
#include "protocol/mail_command.h"
#include "protocol/mail_decision.h"
#include "protocol/own_text.h"
#include "protocol/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static bool
any_local(void *context, struct span local)
{
	(void)context;
	return local.len < 10;
}

static void
decide(struct span text)
{
	struct mail_decision decision;
	uint32_t first, last;

	while (mail_decision_next(&text, &decision)) {
		check(decision.line.len > 0);
		while (mail_decision_numbers(&decision.numbers, &first, &last))
			check(first <= last);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mail_recipient recipient;
	struct buffer text, html, flowed, own;

	buffer_init(&text, 0);
	buffer_init(&html, 0);
	buffer_init(&flowed, 0);
	buffer_init(&own, 0);
	utf8_append(&text, span_make((const char *)data, size));
	html_to_text(&html, buffer_span(&text));
	check(utf8_valid(buffer_span(&html)));
	flowed_to_text(&flowed, buffer_span(&text), true);
	check(utf8_valid(buffer_span(&flowed)));
	(void)own_text_extract(&own, buffer_span(&text));
	check(utf8_valid(buffer_span(&own)));
	check(own.len > 0 || span_trim(buffer_span(&text)).len == 0);
	(void)mail_command_parse(buffer_span(&own));
	decide(buffer_span(&own));
	(void)mail_recipient_parse(buffer_span(&text), any_local, NULL,
	    &recipient);
	(void)mail_local_is_usable(buffer_span(&text));
	buffer_fini(&text);
	buffer_fini(&html);
	buffer_fini(&flowed);
	buffer_fini(&own);
	return 0;
}
