/* fuzz_msgid.c - Message-IDs in a header value, and References made of them. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/header.h"
#include "protocol/msgid.h"
#include "protocol/references.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_references(struct span raw, struct span parent)
{
	struct buffer out;

	buffer_init(&out, 0);
	assert(references_append(&out, raw, raw, parent) == 0);
	assert(strlen("References: ") + out.len <= 998);
	assert(header_value_is_clean(buffer_span(&out)));
	buffer_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span raw = span_make((const char *)data, size), id;
	struct msgid_list *list = malloc(sizeof *list);

	if (list == NULL)
		return 0;
	msgid_list_init(list);
	assert(msgid_list_parse(list, raw, 1 + size % 5) == 0);
	for (size_t i = 0; i < list->count; i++)
		assert(msgid_is_valid(list->ids[i]));
	msgid_list_fini(list);
	free(list);
	assert(!msgid_is_strict(raw) || msgid_is_valid(raw));
	id = msgid_of_value(raw);
	check_references(raw, id.len > 0 ? id : span_of("<a@b>"));
	return 0;
}
