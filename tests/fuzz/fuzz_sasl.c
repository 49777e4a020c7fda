/* fuzz_sasl.c - SASL exchanges: the first octet names the mechanism, the rest
 * are messages of the client, each ended by an octet of 255 and packed in
 * base64 here; some are handed over as they are.
 */
#include "build.h"

#include <stdint.h>
#include <stdlib.h>

#include <event2/event.h>
#include <gsasl.h>

#include "daemon/community/sasl.h"
#include "tests/unit/news_fixture.h"

#define MESSAGES_MAX 8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct news_fixture fixture;

struct outcome {
	bool over;
	enum sasl_answer answer;
};

static void
fixture_end(void)
{
	news_fixture_close(&fixture);
}

static void
fixture_begin(void)
{
	if (news_fixture_open(&fixture) != 0 ||
	    fixture_member_add(&fixture, "ann", "pw",
		KITH__ROLE__ROLE_MEMBER) != 0 ||
	    atexit(fixture_end) != 0)
		abort();
}

static void
on_answer(void *arg, enum sasl_answer answer, const char *text,
    const struct identity *identity)
{
	struct outcome *outcome = arg;

	if (text == NULL || (identity != NULL) != (answer == SASL_ACCEPTED))
		abort();
	outcome->over = true;
	outcome->answer = answer;
}

/* One step to its end, whoever works on it. */
static enum sasl_answer
step(struct sasl *sasl, struct span message)
{
	struct outcome outcome = { 0 };

	if (sasl_step(sasl, message, true, on_answer, &outcome) != 0)
		return SASL_BUSY;
	while (!outcome.over) {
		/* nobody waits for a turn: an hour goes by */
		clock_advance(fixture.clock, 3600);
		(void)event_base_loop(loop_base(fixture.loop), EVLOOP_ONCE);
	}
	return outcome.answer;
}

static void
exchange(struct sasl *sasl, const char *bytes, size_t len)
{
	enum sasl_answer answer = SASL_CONTINUE;
	const char *end;
	char *text;
	size_t text_len, used;

	for (unsigned i = 0; i < MESSAGES_MAX && answer == SASL_CONTINUE; i++) {
		end = len == 0 ? NULL : memchr(bytes, 0xff, len);
		used = end == NULL ? len : (size_t)(end - bytes);
		if (used > 0 && bytes[0] == (char)0xfe) {
			answer = step(sasl, span_make(bytes + 1, used - 1));
		} else if (gsasl_base64_to(bytes, used, &text, &text_len) ==
		    GSASL_OK) {
			answer = step(sasl,
			    text_len == 0 ? span_of("=")
					  : span_make(text, text_len));
			gsasl_free(text);
		}
		used += end != NULL;
		bytes += used;
		len -= used;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "SCRAM-SHA-256",
		"SCRAM-SHA-256-PLUS", "PLAIN", "EXTERNAL" };
	static const char addresses[] = "x@b.example\0ann@members.example";
	struct sasl_channel channel = { .tls = true,
		.private = true,
		.unique = span_of("0123456789ab"),
		.exporter = span_of("0123456789abcdef0123456789abcdef"),
		.certificate = span_make(addresses, sizeof addresses),
		.client = "192.0.2.1" };
	struct sasl *sasl;

	if (fixture.server == NULL)
		fixture_begin();
	if (size == 0)
		return 0;
	if ((data[0] & 4) != 0)
		channel.unique = channel.exporter = span_make("", 0);
	if (sasl_new(&sasl, fixture.community, fixture.loop, &channel,
		span_of(names[data[0] % 4])) != 0)
		return 0;
	exchange(sasl, (const char *)data + 1, size - 1);
	sasl_free(&sasl);
	return 0;
}
