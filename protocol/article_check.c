/* article_check.c - what news asks of a scanned header as a whole.
 */
#include "protocol/article_check.h"

#include "protocol/date.h"
#include "protocol/msgid.h"
#include "protocol/newsgroup.h"

#define CHECK_GROUPS_MAX 64u

static bool
groups_are_fine(struct span raw)
{
	struct span names[CHECK_GROUPS_MAX];

	return newsgroup_list_parse(raw, names, CHECK_GROUPS_MAX) > 0;
}

static bool
followup_is_fine(struct span raw)
{
	return newsgroup_is_poster(raw) || groups_are_fine(raw);
}

static bool
date_is_readable(struct span raw)
{
	int64_t seconds;

	return date_parse(raw, &seconds) == 0;
}

static bool
posted_path_is_fine(struct span raw)
{
	return path_is_valid(raw) && !path_is_posted(raw);
}

static bool
from_is_fine(struct span raw)
{
	return raw.len > 0 && memchr(raw.bytes, '@', raw.len) != NULL;
}

/* peer is NULL where one check serves both. */
static const struct check_row {
	enum header_id id;
	bool (*post)(struct span raw);
	bool (*peer)(struct span raw);
} check_table[] = {
	{ HEADER_FROM, from_is_fine, NULL },
	{ HEADER_DATE, date_is_readable, NULL },
	{ HEADER_MESSAGE_ID, msgid_is_strict, msgid_is_valid },
	{ HEADER_NEWSGROUPS, groups_are_fine, NULL },
	{ HEADER_FOLLOWUP_TO, followup_is_fine, NULL },
	{ HEADER_PATH, posted_path_is_fine, path_is_valid },
	{ HEADER_DISTRIBUTION, distribution_is_valid, NULL },
	{ HEADER_INJECTION_DATE, date_is_readable, NULL },
	{ HEADER_SUPERSEDES, msgid_is_strict, msgid_is_valid },
};

static int
check_fields(struct article_header *header, bool from_poster)
{
	for (size_t i = 0; i < header->count; i++) {
		const struct article_field *field = &header->fields[i];
		unsigned flags = header_info(field->id)->flags;

		if ((flags & HEADER_SINGLE) != 0 &&
		    header->first[field->id] != i + 1)
			return article_fault_set(header, ARTICLE_REPEATED,
			    field->id, field->name);
		if (from_poster && (flags & HEADER_NOT_FROM_POSTER) != 0)
			return article_fault_set(header, ARTICLE_FORBIDDEN,
			    field->id, field->name);
	}
	return 0;
}

static int
check_needed(struct article_header *header, unsigned flag)
{
	for (unsigned id = HEADER_UNKNOWN + 1; id < HEADER_JUNK; id++)
		if ((header_info((enum header_id)id)->flags & flag) != 0 &&
		    header->first[id] == 0)
			return article_fault_set(header, ARTICLE_MISSING,
			    (enum header_id)id, span_make(NULL, 0));
	return 0;
}

static int
check_values(struct article_header *header, bool from_poster)
{
	for (size_t i = 0; i < sizeof check_table / sizeof check_table[0]; i++) {
		const struct check_row *row = &check_table[i];
		const struct article_field *field =
		    article_field_find(header, row->id, 0);
		bool fine;

		if (field == NULL)
			continue;
		fine = from_poster || row->peer == NULL ?
		    row->post(field->value) :
		    row->peer(field->value);
		if (!fine)
			return article_fault_set(header, ARTICLE_BAD_VALUE,
			    row->id, field->name);
	}
	return 0;
}

int
article_check(struct article_header *header, enum article_mode mode)
{
	bool from_poster = mode == ARTICLE_POST;
	int rc = check_fields(header, from_poster);

	if (rc == 0)
		rc = check_needed(header,
		    from_poster ? HEADER_NEEDED_POST : HEADER_NEEDED_NEWS);
	if (rc == 0)
		rc = check_values(header, from_poster);
	return rc;
}
