/* fuzz_feed_login.c - logins at a server that says what the input wants: lines,
 * whose first octet says what they are. c: a capability; s: a challenge whose
 * nonce begins with ours; others: the octet modulo 8 chooses a code.
 */
#include "build.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gsasl.h>

#include "daemon/feed/login.h"
#include "protocol/buffer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct Gsasl *library;

struct talk {
	struct feed_login *login;
	enum feed_login_step step;
	bool begun;
	char nonce[128]; /* ours */
};

static void
library_end(void)
{
	feed_login_close(&library);
}

/* r=... at the end of the first message. */
static void
keep_nonce(struct talk *talk, struct span line)
{
	const char *last = memrchr(line.bytes, ' ', line.len);
	char *text = NULL;
	const char *at;
	size_t len;

	if (last == NULL || talk->nonce[0] != '\0' ||
	    gsasl_base64_from(last + 1,
		line.len - (size_t)(last + 1 - line.bytes), &text,
		&len) != GSASL_OK)
		return;
	at = memmem(text, len, "r=", 2);
	if (at != NULL && len - (size_t)(at - text) < sizeof talk->nonce)
		memcpy(talk->nonce, at, len - (size_t)(at - text));
	gsasl_free(text);
}

static void
answer(struct talk *talk, unsigned code, struct span text)
{
	const struct nntp_reply reply = { code, text };
	struct span line = { 0 };

	talk->step = feed_login_answer(talk->login, &reply, &line);
	if (talk->step == LOGIN_SAY && (line.len == 0 || line.len > 2048))
		abort();
	if (talk->step == LOGIN_FAILED &&
	    feed_login_why(talk->login)[0] == '\0')
		abort();
}

static void
challenge(struct talk *talk, struct span rest)
{
	struct buffer text;
	char *packed = NULL;

	buffer_init(&text, 0);
	buffer_append_text(&text, talk->nonce);
	buffer_append_span(&text, rest);
	if (gsasl_base64_to(text.bytes, text.len, &packed, NULL) == GSASL_OK)
		answer(talk, 383, span_of(packed));
	gsasl_free(packed);
	buffer_fini(&text);
}

static void
take_line(struct talk *talk, struct span line)
{
	static const unsigned codes[8] = { 281, 283, 381, 383, 481, 482, 400,
		502 };
	struct span rest = span_make(line.bytes + 1, line.len - 1);
	struct span said = { 0 };

	if (!talk->begun && line.bytes[0] == 'c') {
		feed_login_capability(talk->login, rest);
		return;
	}
	if (!talk->begun) {
		talk->begun = true;
		talk->step = feed_login_begin(talk->login, &said);
		if (talk->step == LOGIN_SAY)
			keep_nonce(talk, said);
	}
	if (talk->step != LOGIN_SAY)
		return;
	if (line.bytes[0] == 's')
		challenge(talk, rest);
	else
		answer(talk, codes[(unsigned char)line.bytes[0] % 8], rest);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed_login_options options = { .user = "us",
		.secret = span_of("secret word") };
	struct span rest = span_make((const void *)data, size);
	struct talk talk = { 0 };

	if (library == NULL &&
	    (feed_login_open(&library) != 0 || atexit(library_end) != 0))
		abort();
	if (size < 1)
		return 0;
	options.clear = (data[0] & 1) != 0;
	if ((data[0] & 2) != 0)
		options.exporter = span_of("exported");
	talk.login = feed_login_new(library, &options);
	if (talk.login == NULL)
		abort();
	for (size_t at = 1, end; at < rest.len; at = end + 1) {
		const char *lf = memchr(rest.bytes + at, '\n', rest.len - at);

		end = lf == NULL ? rest.len : (size_t)(lf - rest.bytes);
		if (end > at && end - at < NNTP_REPLY_MAX)
			take_line(&talk, span_make(rest.bytes + at, end - at));
	}
	feed_login_free(&talk.login);
	return 0;
}
