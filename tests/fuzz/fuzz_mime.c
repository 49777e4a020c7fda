/* fuzz_mime.c - the tree lies within the message, and masking changes nothing
 * where it finds no token.
 */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/mask.h"
#include "protocol/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static void
check_tree(const struct mime_tree *tree, size_t size)
{
	for (size_t i = 0; i < tree->count; i++) {
		const struct mime_entity *entity = &tree->items[i];

		check(entity->header <= entity->body);
		check(entity->body <= entity->end);
		check(entity->end <= size);
		check(entity->parent <= i);
		check(entity->depth <= MIME_DEPTH_MAX);
		check(entity->type.len > 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span message = span_make((const char *)data, size);
	struct buffer masked;
	struct mime_tree tree;
	unsigned count;

	if (mime_tree_parse(message, 1000, &tree) != 0)
		return 0;
	check_tree(&tree, size);
	mime_tree_fini(&tree);
	buffer_init(&masked, 0);
	check(mail_mask_tokens(&masked, message, false, &count) == 0);
	if (count == 0)
		check(span_equal(message, buffer_span(&masked)));
	buffer_fini(&masked);
	return 0;
}
