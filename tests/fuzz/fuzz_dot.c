/* fuzz_dot.c - a dot-terminated block: the same however it is cut. */
#include <assert.h>
#include <stdint.h>

#include "protocol/dot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
receive_in_steps(struct span all, size_t step, struct buffer *out,
    struct dot_receiver *dot)
{
	size_t at = 0, used, part;
	bool ended = false;

	dot_receiver_init(dot, out, 0);
	while (at < all.len && !ended) {
		part = all.len - at < step ? all.len - at : step;
		ended =
		    dot_receive(dot, span_make(all.bytes + at, part), &used);
		assert(ended || used == part);
		at += used;
	}
	return at;
}

static void
check_file(struct span file)
{
	struct buffer wire, plain, again;
	struct dot_facts facts;

	buffer_init(&wire, 0);
	buffer_init(&plain, 0);
	buffer_init(&again, 0);
	dot_from_file(&wire, file, &facts);
	assert(!facts.bare_lf && facts.bytes == wire.len);
	dot_unstuff(&plain, buffer_span(&wire));
	dot_stuff(&again, buffer_span(&plain));
	assert(span_equal(buffer_span(&wire), buffer_span(&again)));
	buffer_fini(&wire);
	buffer_fini(&plain);
	buffer_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 1, 2, 3, 5 };
	struct span all = span_make((const char *)data, size);
	struct dot_receiver dot, other;
	struct buffer out, out2;
	size_t at;

	buffer_init(&out, 0);
	buffer_init(&out2, 0);
	at = receive_in_steps(all, size + 1, &out, &dot);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		buffer_clear(&out2);
		assert(receive_in_steps(all, steps[i], &out2, &other) == at);
		assert(span_equal(buffer_span(&out), buffer_span(&out2)));
		assert(dot.facts.lines == other.facts.lines &&
		    dot.facts.stuffed == other.facts.stuffed &&
		    dot.facts.bare_cr == other.facts.bare_cr &&
		    dot.facts.bare_lf == other.facts.bare_lf &&
		    dot.facts.nul == other.facts.nul &&
		    dot.facts.eight_bit == other.facts.eight_bit &&
		    dot.state == other.state);
	}
	buffer_fini(&out);
	buffer_fini(&out2);
	check_file(all);
	return 0;
}
