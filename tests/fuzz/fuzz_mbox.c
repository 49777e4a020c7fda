/* fuzz_mbox.c - the mbox splitter: the same messages however the file comes. */
#include <assert.h>
#include <stdint.h>

#include "protocol/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
	uint64_t value;
	uint64_t bytes;
	uint64_t last;
};

static int
add_message(void *arg, const struct mbox_message *message)
{
	struct sum *sum = arg;

	assert(message->index == 0 || message->offset > sum->last);
	sum->last = message->offset;
	sum->bytes += message->bytes.len;
	sum->value = sum->value * 31 + message->bytes.len;
	for (size_t i = 0; i < message->bytes.len; i++)
		sum->value =
		    sum->value * 31 + (unsigned char)message->bytes.bytes[i];
	return 0;
}

static uint64_t
split_in_steps(struct span all, size_t step, unsigned flags)
{
	struct sum sum = { 0 };
	struct mbox *mbox = mbox_new(200, flags, add_message, &sum);
	size_t at = 0, part;
	int rc = 0;

	assert(mbox != NULL);
	for (; rc == 0 && at < all.len; at += part) {
		part = all.len - at < step ? all.len - at : step;
		rc = mbox_feed(mbox, span_make(all.bytes + at, part));
	}
	if (rc == 0)
		rc = mbox_finish(mbox);
	mbox_free(&mbox);
	assert(sum.bytes <= all.len);
	return sum.value + (rc != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = span_make((const char *)data, size);

	for (unsigned flags = 0; flags <= MBOX_UNQUOTE; flags++) {
		uint64_t sum = split_in_steps(all, size + 1, flags);

		assert(split_in_steps(all, 1, flags) == sum);
		assert(split_in_steps(all, 5, flags) == sum);
	}
	return 0;
}
