/* fuzz_news.c - names, lists, dates, ranges, wildmats: what is made of one short text. */
#include <assert.h>
#include <stdint.h>

#include "protocol/date.h"
#include "protocol/header.h"
#include "protocol/newsgroup.h"
#include "protocol/overview.h"
#include "protocol/range.h"
#include "protocol/wildmat.h"
#include "protocol/wildmat_legacy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_date(struct span text)
{
	char written[DATE_TEXT_SIZE];
	int64_t at, again;

	(void)date_parse_nntp(text, span_of("000000"), 0, &at);
	if (date_parse(text, &at) != 0)
		return;
	/* a zone can move the last hours of 9999 out of range */
	if (at < 253402300800) {
		assert(
		    date_parse(span_of(date_format(at, written)), &again) == 0);
		assert(at == again);
	}
}

static void
check_wildmat(struct span pattern, struct span text)
{
	struct wildmat *compiled;

	if (wildmat_legacy_match(pattern, text) && text.len > 0)
		assert(pattern.len > 0);
	if (wildmat_compile(pattern, &compiled) != 0)
		return;
	(void)wildmat_matches(compiled, text);
	wildmat_free(&compiled);
}

static void
check_header(struct span text)
{
	struct buffer line;

	buffer_init(&line, 0);
	header_append(&line, "X-Any", text);
	for (size_t i = 0; i + 2 < line.len; i++)
		assert(line.bytes[i] != 10 || line.bytes[i + 1] == 32 ||
		    line.bytes[i + 1] == 9);
	header_unfold(&line, text);
	overview_append_value(&line, text);
	buffer_fini(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	struct span half = span_make(text.bytes, size / 2);
	struct span names[4];
	struct range range;
	int count = newsgroup_list_parse(text, names, 4);

	for (int i = 0; i < count; i++) {
		assert(newsgroup_is_valid(names[i]));
		(void)newsgroup_is_reserved(names[i]);
	}
	(void)newsgroup_is_poster(text);
	(void)path_is_valid(text);
	(void)path_is_posted(text);
	(void)path_has(text, half);
	(void)distribution_is_valid(text);
	(void)range_parse(text, &range);
	for (unsigned i = 0; i < OVERVIEW_FIELDS; i++)
		(void)overview_row_field(text, (enum overview_field)i);
	check_date(text);
	check_header(text);
	check_wildmat(half, text);
	check_wildmat(text, half);
	return 0;
}
