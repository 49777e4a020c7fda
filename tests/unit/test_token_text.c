/* test_token_text.c - base32 and the varints of tokens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "protocol/token_text.h"

static void
base32_agrees_with_the_rfc(void **state)
{
	static const struct {
		const char *bytes, *text;
	} vectors[] = { /* RFC 4648 10, lower case, no padding */
		{ "", "" }, { "f", "my" }, { "fo", "mzxq" }, { "foo", "mzxw6" },
		{ "foob", "mzxw6yq" }, { "fooba", "mzxw6ytb" },
		{ "foobar", "mzxw6ytboi" }
	};
	char text[BASE32_ROOM(6)];
	uint8_t bytes[8];
	int n;

	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		size_t len = strlen(vectors[i].bytes);

		base32_encode((const uint8_t *)vectors[i].bytes, len, text);
		assert_string_equal(text, vectors[i].text);
		n = base32_decode(span_of(text), bytes, sizeof bytes);
		assert_int_equal(n, len);
		assert_memory_equal(bytes, vectors[i].bytes, len);
	}
}

static void
a_relay_may_change_the_case(void **state)
{
	uint8_t bytes[8];

	(void)state;
	assert_int_equal(base32_decode(span_of("MZxW6YtB"), bytes,
			     sizeof bytes),
	    5);
	assert_memory_equal(bytes, "fooba", 5);
}

static void
text_that_no_encoder_makes_is_refused(void **state)
{
	static const char *const wrong[] = { "m", "mz1w", "mzx",
		"mzxw6y=", "mzxw6ytb1", "mb", "mzxw6ytbaaaaaa" };
	uint8_t bytes[6];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(base32_decode(span_of(wrong[i]), bytes,
				     sizeof bytes),
		    -EINVAL);
}

static void
fields_survive_the_round_trip(void **state)
{
	const struct token_fields cases[] = { { 0, 0, 0, 0 },
		{ 1, 127, 128, 1 },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
	uint8_t payload[TOKEN_PAYLOAD_ROOM];
	struct token_fields fields;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		len = token_payload_encode(&cases[i], payload);
		assert_true(len <= sizeof payload);
		assert_int_equal(token_payload_decode(payload, len, &fields),
		    0);
		assert_memory_equal(&fields, &cases[i], sizeof fields);
	}
}

static void
a_number_has_one_form_only(void **state)
{
	static const uint8_t longer[] = { 0x81, 0x00, 1, 1, 1 };
	static const uint8_t cut[] = { 1, 1, 1, 0x80 };
	static const uint8_t more[] = { 1, 1, 1, 1, 1 };
	struct token_fields fields;

	(void)state;
	assert_int_equal(token_payload_decode(longer, sizeof longer, &fields),
	    -EINVAL);
	assert_int_equal(token_payload_decode(cut, sizeof cut, &fields),
	    -EINVAL);
	assert_int_equal(token_payload_decode(more, sizeof more, &fields),
	    -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base32_agrees_with_the_rfc),
		cmocka_unit_test(a_relay_may_change_the_case),
		cmocka_unit_test(text_that_no_encoder_makes_is_refused),
		cmocka_unit_test(fields_survive_the_round_trip),
		cmocka_unit_test(a_number_has_one_form_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
