/* fuzz_line.c - a window of commands: cut into lines the same way however it comes. */
#include <assert.h>
#include <stdint.h>

#include "protocol/line.h"
#include "protocol/nntp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sum over the results; step: octets that arrive at a time. */
static uint64_t
read_in_steps(struct span all, size_t step, unsigned flags)
{
	struct line_reader reader;
	struct nntp_args args;
	enum nntp_args_check check;
	struct line line;
	enum line_status status;
	uint64_t sum = 17;
	size_t start = 0, end = 0, used;

	line_reader_init(&reader, 40, flags);
	while (end < all.len) {
		end = all.len - end < step ? all.len : end + step;
		do {
			status = line_next(&reader,
			    span_make(all.bytes + start, end - start), &used,
			    &line);
			assert(used <= end - start);
			start += used;
			if (status == LINE_OK) {
				sum = sum * 31 + line.text.len;
				check = nntp_args_parse(line.text, &args);
				sum = sum * 31 + (unsigned)check;
			} else if (status == LINE_TOO_LONG) {
				sum = sum * 31 + 7;
			}
		} while (status != LINE_MORE);
		assert(end - start <= 40);
	}
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = span_make((const char *)data, size);

	for (unsigned flags = 0; flags <= LINE_LF_ENDS; flags++) {
		uint64_t sum = read_in_steps(all, size + 1, flags);

		assert(read_in_steps(all, 1, flags) == sum);
		assert(read_in_steps(all, 7, flags) == sum);
	}
	return 0;
}
