/* fuzz_config.c - the flat form of a configuration, as another role reads it.
 */
#include "build.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "daemon/config.h"
#include "protocol/buffer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config;
	struct buffer again;

	if (config_decode(data, size, &config) != 0)
		return 0;
	buffer_init(&again, 0);
	/* what was read is written the same way */
	if (config_encode(config, &again) != 0 || again.len != size)
		abort();
	buffer_fini(&again);
	config_free(&config);
	return 0;
}
