/* fuzz_cancel.c - Control, Cancel-Lock and Cancel-Key values. */
#include <assert.h>
#include <stdint.h>

#include "protocol/cancel.h"
#include "protocol/msgid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span raw = span_make((const char *)data, size), rest = raw;
	struct span target = control_cancel_target(raw);
	struct cancel_element element;
	size_t count = 0, left = size;

	assert(target.len == 0 || msgid_is_valid(target));
	assert(target.len == 0 || span_is(control_verb(raw), "cancel"));
	while (cancel_element_next(&rest, &element)) {
		assert(element.scheme.len > 0 && element.text.len > 0);
		assert(element.text.bytes + element.text.len <=
		    (const char *)data + size);
		assert(rest.len < left);
		left = rest.len;
		count++;
	}
	assert(rest.len == 0);
	assert(!cancel_list_is_valid(raw) || count > 0);
	return 0;
}
