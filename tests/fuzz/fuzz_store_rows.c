/* fuzz_store_rows.c - every row that the store reads back: article heads,
 * overview rows, Message-ID vectors, states of spaces, counters. The first
 * octet chooses the parser.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A head that parses must survive being written and read again. */
static void
head_try(const uint8_t *bytes, size_t len)
{
	struct store_article_head head, again;
	uint8_t encoded[STORE_HEAD_MAX];
	size_t encoded_len;

	if (store_head_parse(bytes, len, &head) != 0)
		return;
	if (store_head_check(&head) != 0)
		abort();
	encoded_len = store_head_encode(&head, encoded);
	if (encoded_len > sizeof encoded || encoded_len > head.data_offset)
		abort();
	/* Numbers with needless octets come back shorter, so not all do. */
	if (encoded_len == head.data_offset &&
	    (store_head_parse(bytes, len, &again) != 0 ||
		memcmp(encoded, bytes, encoded_len) != 0))
		abort();
}

static void
overview_try(const uint8_t *bytes, size_t len)
{
	struct store_overview_row row;

	if (store_overview_parse(bytes, len, &row) != 0)
		return;
	if (row.text_len < 3 || row.text[0] != '\t' ||
	    memcmp(row.text + row.text_len - 2, "\r\n", 2) != 0 ||
	    memchr(row.text, '\n', row.text_len - 1) != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	struct store_space_state state;
	struct store_system system;
	int count;

	if (len == 0)
		return 0;
	switch (bytes[0] % 5) {
	case 0:
		head_try(bytes + 1, len - 1);
		break;
	case 1:
		overview_try(bytes + 1, len - 1);
		break;
	case 2:
		count = store_msgid_parse(bytes + 1, len - 1, entries);
		if (count == 0 || count > (int)STORE_MSGID_MAX)
			abort();
		break;
	case 3:
		if (store_state_parse(bytes + 1, len - 1, &state) == 0 &&
		    state.low > state.high + 1)
			abort();
		break;
	default:
		(void)store_system_parse(bytes + 1, len - 1, &system);
		break;
	}
	return 0;
}
