/* fuzz_summary_wire.c - a hostile frame instead of a summary. */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/mail_summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mail_summary summary;
	struct buffer out;

	if (mail_summary_decode((const char *)data, size, &summary) != 0)
		return 0;
	buffer_init(&out, 0);
	mail_summary_encode(&out, &summary);
	if (out.len != size || memcmp(out.bytes, data, size) != 0)
		abort();
	buffer_fini(&out);
	mail_summary_fini(&summary);
	return 0;
}
