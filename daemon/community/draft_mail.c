/* draft_mail.c - a mail as an article: scanned leniently, its bytes untouched;
 * what news lacks is added, what news must not obey is hidden.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/draft_build.h"
#include "daemon/community/spaces.h"
#include "protocol/mask.h"
#include "protocol/msgid.h"
#include "protocol/newsgroup.h"

/* Is this the result of a check by the MTA in front of us? Then it is for us
 * alone. */
static bool
field_is_own_result(const struct draft_build *build,
    const struct article_field *field)
{
	const char *id = community_config(build->community)->authserv_id;
	struct span value = field->value;
	size_t len = 0;

	if (field->id != HEADER_AUTHENTICATION_RESULTS || id[0] == '\0')
		return false;
	while (len < value.len && strchr("; \t\r\n", value.bytes[len]) == NULL)
		len++;
	return span_is(span_make(value.bytes, len), id);
}

static bool
span_has(struct span text, struct span part)
{
	const char *at = text.bytes, *end = text.bytes + text.len;

	while (part.len <= (size_t)(end - at)) {
		at = memchr(at, part.bytes[0], (size_t)(end - at) - part.len + 1);
		if (at == NULL)
			return false;
		if (memcmp(at, part.bytes, part.len) == 0)
			return true;
		at++;
	}
	return false;
}

/* Does the field name an address of ours with somebody's token in it? */
static bool
field_has_token(const struct draft_build *build,
    const struct article_field *field)
{
	struct span domain =
	    span_of(community_config(build->community)->domain);
	const char *at = build->wire.bytes + field->offset;
	char *copy;
	bool found;

	if (!span_has(span_make(at, field->len), domain))
		return false;
	copy = malloc(field->len);
	if (copy == NULL)
		return true; /* better hidden than told */
	memcpy(copy, at, field->len);
	found = mail_mask_text(copy, field->len) > 0;
	free(copy);
	return found;
}

static bool
field_hidden_in_list(const struct draft_build *build,
    const struct article_field *field)
{
	return (header_info(field->id)->flags & HEADER_HIDDEN_IN_LIST) != 0 ||
	    span_is(field->name, "X-Original-To") ||
	    field_is_own_result(build, field);
}

/* It was an article of news before it came here: another server's. */
static bool
is_pulled(const struct draft_build *build)
{
	return build->draft->channel == KITH__CHANNEL__CHANNEL_PEER;
}

/* What kith says itself, and what would be obeyed elsewhere. */
static bool
field_hidden_of_pulled(const struct article_field *field)
{
	return field->id == HEADER_PATH || field->id == HEADER_XREF ||
	    field->id == HEADER_NEWSGROUPS || field->id == HEADER_CONTROL ||
	    field->id == HEADER_ALSO_CONTROL ||
	    field->id == HEADER_SUPERSEDES || field->id == HEADER_JUNK;
}

static bool
field_hidden_from_news(const struct draft_build *build,
    const struct article_field *field)
{
	if (is_pulled(build))
		return field_hidden_of_pulled(field);
	/* what is moved here may be of a newsgroup, and keeps its locks */
	if (field->id == HEADER_CANCEL_LOCK &&
	    build->draft->channel == KITH__CHANNEL__CHANNEL_IMPORT)
		return false;
	return (header_info(field->id)->flags & HEADER_HIDDEN_OF_MAIL) != 0 ||
	    field->id == HEADER_JUNK || field_is_own_result(build, field);
}

/* News knows one Message-ID, and one that it can carry. */
static bool
field_is_useless_id(struct draft_build *build,
    const struct article_field *field)
{
	struct store_range *range = &build->draft->id_range;

	if (field->id != HEADER_MESSAGE_ID)
		return false;
	if (range->len != 0 || msgid_of_value(field->value).len == 0)
		return true;
	*range = (struct store_range){ (uint32_t)field->offset,
		(uint32_t)field->len };
	return false;
}

static enum reason
mail_hide(struct draft_build *build)
{
	int rc = 0;

	for (size_t i = 0; i < build->header.count && rc == 0; i++) {
		const struct article_field *field = &build->header.fields[i];
		bool both = field_has_token(build, field) ||
		    field_is_useless_id(build, field) ||
		    (field->id == HEADER_DATE && field->value.len == 0);

		rc = draft_hide(build, field,
		    both || field_hidden_from_news(build, field),
		    both || field_hidden_in_list(build, field));
	}
	return rc == 0
	    ? REASON_STORED
	    : draft_refuse(build, REASON_BAD_ARTICLE, "too many header fields");
}

/* Only spaces of the first one's readers are named: for others the line is
 * composed per reader class. */
static void
mail_add_newsgroups(struct draft_build *build)
{
	const struct draft *draft = build->draft;
	struct spaces *spaces = community_spaces(build->community);
	enum reader_class class = READER_STAFF;
	struct buffer names;

	buffer_init(&names, 0);
	for (size_t i = 0; i < draft->space_count; i++) {
		struct space *space = spaces_by_id(spaces, draft->spaces[i]);

		if (space == NULL)
			continue;
		if (names.len == 0)
			class = rights_class_of(space);
		if (rights_class_of(space) == class) {
			if (names.len > 0)
				buffer_append_byte(&names, ',');
			buffer_append_text(&names, space->name);
		}
		space_unref(space);
	}
	header_append(&build->added, "Newsgroups", buffer_span(&names));
	buffer_fini(&names);
}

/* Newsreaders thread by References alone. */
static void
mail_add_references(struct draft_build *build)
{
	if (article_field_find(&build->header, HEADER_REFERENCES, 0) != NULL ||
	    build->reply_to_id[0] == '\0')
		return;
	build->said.references = span_of(build->reply_to_id);
	header_append(&build->added, "References", build->said.references);
}

static void
mail_add_path(struct draft_build *build)
{
	struct span own = article_value(&build->header, HEADER_PATH);
	struct buffer text;

	buffer_init(&text, 0);
	buffer_append_text(&text, community_config(build->community)->hostname);
	if (is_pulled(build) && own.len > 0 && path_is_valid(own)) {
		buffer_append_byte(&text, '!');
		header_unfold(&text, own);
	} else {
		buffer_append_text(&text, "!.MAIL!not-for-mail");
	}
	header_append(&build->added, "Path", buffer_span(&text));
	buffer_fini(&text);
}

static void
mail_add_block(struct draft_build *build)
{
	const struct article_header *header = &build->header;
	struct draft *draft = build->draft;
	struct span id = { NULL, 0 };

	mail_add_path(build);
	mail_add_newsgroups(build);
	draft_hash_content(build);
	if (draft->id_range.len != 0) {
		for (size_t i = 0; i < header->count; i++)
			if (header->fields[i].offset == draft->id_range.offset)
				id = msgid_of_value(header->fields[i].value);
	}
	draft_set_id(build, id, true);
	draft_set_dates(build);
	if (draft->channel != KITH__CHANNEL__CHANNEL_IMPORT)
		(void)draft_add_lock(build, span_make(NULL, 0));
	mail_add_references(build);
	if (article_field_find(header, HEADER_SUBJECT, 0) == NULL) {
		build->said.subject = span_of("(no subject)");
		header_append(&build->added, "Subject", build->said.subject);
	}
	if (article_value(header, HEADER_FROM).len == 0) {
		build->said.from = span_of("unknown@unknown.invalid");
		header_append(&build->added, "From", build->said.from);
	}
	if (draft->approved != NULL)
		header_append(&build->added, "Approved",
		    span_of(draft->approved));
}

enum reason
draft_from_mail(struct community *community, struct draft *draft,
    const struct draft_bytes *bytes, char *detail, size_t room)
{
	struct draft_build build;
	enum reason reason = REASON_STORED;
	int rc;

	draft_build_begin(&build, community, draft, bytes);
	build.detail = detail;
	build.room = room;
	if (room > 0)
		detail[0] = '\0';
	rc = bytes->len > UINT32_MAX / 2
	    ? -EFBIG
	    : article_scan(&build.header, build.wire, ARTICLE_MAIL, NULL);
	if (rc == -EBADMSG) {
		(void)article_fault_text(&build.header, detail, room);
		reason = REASON_BAD_ARTICLE;
	} else if (rc != 0) {
		reason = rc == -EFBIG ? REASON_TOO_LARGE : REASON_BUSY;
	}
	if (reason == REASON_STORED && is_pulled(&build) &&
	    path_has(article_value(&build.header, HEADER_PATH),
		span_of(community_config(community)->hostname)))
		reason = REASON_LOOP;
	if (reason == REASON_STORED &&
	    draft_find_reply_to_id(&build) != 0)
		reason = REASON_BUSY;
	if (reason == REASON_STORED)
		reason = mail_hide(&build);
	if (reason == REASON_STORED) {
		mail_add_block(&build);
		reason = draft_fit(&build);
	}
	if (reason == REASON_STORED)
		reason = draft_build_finish(&build);
	return draft_build_end(&build, reason);
}
