/* fuzz_words.c - encoded words and parameters: the result is valid UTF-8, and
 * survives being encoded.
 */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/utf8.h"
#include "protocol/words.h"

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
	struct span value = span_make((const char *)data, size);
	struct buffer text, encoded, again;

	buffer_init(&text, 0);
	buffer_init(&encoded, 0);
	buffer_init(&again, 0);
	words_decode(&text, value);
	check(utf8_valid(buffer_span(&text)));
	if (text.len < 10000) {
		words_encode(&encoded, buffer_span(&text), 9);
		check(!span_has_high(buffer_span(&encoded)));
		words_decode(&again, buffer_span(&encoded));
		check(span_equal(span_trim(buffer_span(&again)),
		    span_trim(buffer_span(&text))));
	}
	buffer_clear(&text);
	(void)words_param(&text, value, "filename");
	check(utf8_valid(buffer_span(&text)));
	buffer_fini(&text);
	buffer_fini(&encoded);
	buffer_fini(&again);
	return 0;
}
