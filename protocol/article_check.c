/* article_check.c - what news asks of a scanned header as a whole.
 */
#include "protocol/article_check.h"

#include <errno.h>

#include "protocol/cancel.h"
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

/* Too many of them are said to be that, by who counts them. */
static bool
newsgroups_are_fine(struct span raw)
{
	struct span names[CHECK_GROUPS_MAX];

	return newsgroup_list_parse(raw, names, CHECK_GROUPS_MAX) != -EINVAL;
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

/* RFC 5536 3.2.2 */
static bool
archive_is_fine(struct span raw)
{
	struct span word = span_trim(raw);
	size_t len = 0;

	if (word.len > 0 && word.bytes[0] == '(') /* a comment: who cares */
		return true;
	while (len < word.len && word.bytes[len] != ';' &&
	    word.bytes[len] != '(' && !span_blank_at(word, len))
		len++;
	word.len = len;
	return span_is(word, "yes") || span_is(word, "no");
}

static bool
control_is_fine(struct span raw)
{
	return control_verb(raw).len > 0;
}

/* Whatever is in there: it is looked at when it is used. */
static bool
anything_is_fine(struct span raw)
{
	(void)raw;
	return true;
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
	{ HEADER_NEWSGROUPS, newsgroups_are_fine, NULL },
	{ HEADER_FOLLOWUP_TO, followup_is_fine, NULL },
	{ HEADER_PATH, posted_path_is_fine, path_is_valid },
	{ HEADER_DISTRIBUTION, distribution_is_valid, NULL },
	{ HEADER_INJECTION_DATE, date_is_readable, NULL },
	{ HEADER_SUPERSEDES, msgid_is_strict, msgid_is_valid },
	{ HEADER_CONTROL, control_is_fine, NULL },
	{ HEADER_APPROVED, from_is_fine, NULL },
	{ HEADER_EXPIRES, date_is_readable, anything_is_fine },
	{ HEADER_SENDER, from_is_fine, anything_is_fine },
	{ HEADER_ARCHIVE, archive_is_fine, anything_is_fine },
	{ HEADER_CANCEL_LOCK, cancel_list_is_valid, anything_is_fine },
	{ HEADER_CANCEL_KEY, cancel_list_is_valid, anything_is_fine },
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

static int
check_references(struct article_header *header)
{
	struct span raw = article_value(header, HEADER_REFERENCES);
	unsigned count = 0;

	for (size_t i = 0; i < raw.len; i++)
		count += raw.bytes[i] == '<';
	return count > ARTICLE_REFERENCES_MAX
	    ? article_fault_set(header, ARTICLE_TOO_MANY_REFERENCES,
		  HEADER_REFERENCES, span_make(NULL, 0))
	    : 0;
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
	if (rc == 0)
		rc = check_references(header);
	return rc;
}
