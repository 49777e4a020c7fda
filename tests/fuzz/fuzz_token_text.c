/* fuzz_token_text.c - the text form of tokens: what decodes must encode to the
 * same text again.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "protocol/token_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[TOKEN_PAYLOAD_ROOM], again[TOKEN_PAYLOAD_ROOM];
	char text[BASE32_ROOM(sizeof bytes)];
	struct token_fields fields;
	int n = base32_decode(span_make((const char *)data, size), bytes,
	    sizeof bytes);

	if (n < 0)
		return 0;
	base32_encode(bytes, (size_t)n, text);
	if (strlen(text) != size ||
	    (size > 0 && strncasecmp(text, (const char *)data, size) != 0))
		abort();
	if (token_payload_decode(bytes, (size_t)n, &fields) == 0 &&
	    (token_payload_encode(&fields, again) != (size_t)n ||
		memcmp(again, bytes, (size_t)n) != 0))
		abort();
	return 0;
}
