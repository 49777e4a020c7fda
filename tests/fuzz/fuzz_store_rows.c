/* fuzz_store_rows.c - every row that the store reads back: article heads,
 * overview rows, Message-ID vectors, states of spaces, counters, extents, use of
 * segments; their frames and log records. The first octet chooses the parser.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define FIRST_OF_SEGMENTS 248u

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

static void
extents_try(const uint8_t *bytes, size_t len)
{
	struct store_extent_row row;

	if (len < 8 || store_extent_row_parse(bytes, 8, bytes + 8, len - 8,
			   &row) != 0)
		return;
	for (unsigned i = 0; i < row.count; i++)
		if (row.artids[i] > row.last || row.extents[i].len == 0 ||
		    (i > 0 && row.artids[i] <= row.artids[i - 1]))
			abort();
}

static void
metas_try(const uint8_t *bytes, size_t len)
{
	struct store_meta_walk walk;
	struct store_meta_bytes one;
	uint64_t before = 0;

	if (len < 8 ||
	    store_meta_walk_begin(&walk, bytes, 8, bytes + 8, len - 8) != 0)
		return;
	while (store_meta_walk_next(&walk, &one) == 1) {
		if (one.artid <= before || one.bytes + one.len > bytes + len)
			abort();
		before = one.artid;
	}
}

static void
frame_try(const uint8_t *bytes, size_t len)
{
	uint8_t again[STORE_FRAME_HEAD];
	uint64_t artid;
	uint32_t octets;

	if (len < STORE_FRAME_HEAD ||
	    store_frame_parse(bytes, &artid, &octets) != 0)
		return;
	store_frame_head(again, artid, octets);
	if (memcmp(again, bytes, sizeof again) != 0)
		abort();
}

static void
segment_try(const uint8_t *bytes, size_t len)
{
	struct store_segment_record record;
	struct store_use use;

	switch (bytes[0] % 4) {
	case 0:
		extents_try(bytes + 1, len - 1);
		metas_try(bytes + 1, len - 1);
		break;
	case 1:
		frame_try(bytes + 1, len - 1);
		break;
	case 2:
		if (store_use_parse(bytes + 1, len - 1, &use) == 0 &&
		    use.live > use.tail)
			abort();
		break;
	default:
		if (store_segment_record_parse(bytes + 1, len - 1, &record) ==
			0 &&
		    record.bytes + record.len > bytes + len)
			abort();
		break;
	}
}

static void
events_try(const uint8_t *bytes, size_t len)
{
	static const uint8_t key[8] = { 0, 0, 0, 0, 0, 0, 0, 1 };
	struct store_event_bytes one;
	struct store_events events;
	uint64_t seq = 1;

	if (store_events_begin(&events, key, sizeof key, bytes, len) != 0)
		return;
	while (store_events_next(&events, &one) == 1)
		if (one.seq != seq++ || one.bytes + one.len > bytes + len)
			abort();
}

static void
young_try(const uint8_t *bytes, size_t len)
{
	struct store_young_id ids[STORE_YOUNG_ROW];
	const size_t key_len = 8;
	int count;

	if (len < key_len)
		return;
	count = store_young_row_parse(
	    bytes, key_len, bytes + key_len, len - key_len, ids);
	if (count == 0 || count > (int)STORE_YOUNG_ROW)
		abort();
	for (int i = 1; i < count; i++)
		if (ids[i].serial != ids[i - 1].serial + 1)
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
	if (bytes[0] >= FIRST_OF_SEGMENTS) {
		segment_try(bytes, len);
		return 0;
	}
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
		young_try(bytes + 1, len - 1);
		break;
	case 3:
		if (store_state_parse(bytes + 1, len - 1, &state) == 0 &&
		    state.low > state.high + 1)
			abort();
		break;
	default:
		(void)store_system_parse(bytes + 1, len - 1, &system);
		events_try(bytes + 1, len - 1);
		break;
	}
	return 0;
}
