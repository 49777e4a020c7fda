/* fuzz_article.c - the header scanner in every mode, and an overview row of it. */
#include <assert.h>
#include <stdint.h>

#include "protocol/article.h"
#include "protocol/overview.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_fields(const struct article_header *header)
{
	size_t at = 0;

	for (size_t i = 0; i < header->count; i++) {
		assert(header->fields[i].offset == at);
		at += header->fields[i].len;
	}
	assert(at == header->header_len && at <= header->body_offset &&
	    header->body_offset <= header->wire.len);
}

static void
check_row(const struct article_header *header)
{
	struct overview_added added = { .bytes = header->wire.len };
	struct buffer row;
	unsigned tabs = 0;

	buffer_init(&row, 0);
	overview_append(&row, header, &added);
	assert(!buffer_failed(&row) && row.len < OVERVIEW_ROW_MAX);
	for (size_t i = 0; i < row.len; i++) {
		assert(row.bytes[i] != 13 && row.bytes[i] != 10 &&
		    row.bytes[i] != 0);
		tabs += row.bytes[i] == 9;
	}
	assert(tabs == 8);
	buffer_fini(&row);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span wire = span_make((const char *)data, size);
	struct article_header header;
	char text[100];

	article_header_init(&header);
	for (int mode = ARTICLE_MAIL; mode <= ARTICLE_PEER; mode++) {
		if (article_scan(&header, wire, (enum article_mode)mode,
			NULL) == 0) {
			check_fields(&header);
			check_row(&header);
		} else {
			assert(header.fault != ARTICLE_FINE);
			(void)article_fault_text(&header, text, sizeof text);
		}
	}
	article_header_fini(&header);
	return 0;
}
