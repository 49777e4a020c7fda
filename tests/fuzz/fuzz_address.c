/* fuzz_address.c - address lists: what is read is valid, and reads back. */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/address.h"
#include "protocol/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static void
check_again(const struct address *address)
{
	struct address_list again;
	struct buffer out;

	buffer_init(&out, 0);
	address_format(&out, span_of(address->name), span_of(address->text), 6);
	check(address_list_parse(buffer_span(&out), 5, &again) == 0);
	check(again.count == 1);
	check(strcmp(again.items[0].compared, address->compared) == 0);
	address_list_fini(&again);
	buffer_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span value = span_make((const char *)data, size);
	struct address_list list;

	if (address_list_parse(value, 50, &list) != 0)
		return 0;
	check(list.count <= 50);
	check(!address_is_plain_mailbox(value) ||
	    (list.count == 1 && !list.malformed));
	for (size_t i = 0; i < list.count; i++) {
		check(address_is_valid(span_of(list.items[i].text)));
		check(utf8_valid(span_of(list.items[i].name)));
		check(utf8_valid(span_of(list.items[i].compared)));
		check_again(&list.items[i]);
	}
	address_list_fini(&list);
	return 0;
}
