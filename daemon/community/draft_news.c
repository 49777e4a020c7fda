/* draft_news.c - an article that comes by POST or from a peer (RFC 5537 3.4,
 * 3.5, 3.6).
 */
#include <errno.h>

#include "daemon/community/auth.h"
#include "daemon/community/draft_build.h"
#include "daemon/community/spaces.h"
#include "protocol/address.h"
#include "protocol/msgid.h"
#include "protocol/newsgroup.h"

#define NEWS_FUTURE_MAX 86400 /* RFC 5537 3.5: a day ahead is too far */

static enum reason
news_scan(struct draft_build *build, bool post)
{
	uint64_t limit = community_config(build->community)->article_size;
	int rc;

	if (limit != 0 && build->wire.len > limit)
		return draft_refuse(build, REASON_TOO_LARGE,
		    "the limit is %llu octets", (unsigned long long)limit);
	if (build->wire.len > UINT32_MAX / 2)
		return REASON_TOO_LARGE;
	rc = article_scan(&build->header, build->wire,
	    post ? ARTICLE_POST : ARTICLE_PEER, NULL);
	if (rc == -EBADMSG) {
		(void)article_fault_text(&build->header, build->detail,
		    build->room);
		return REASON_BAD_ARTICLE;
	}
	return rc == 0 ? REASON_STORED : REASON_BUSY;
}

static enum reason
news_refuse_fields(struct draft_build *build, bool post)
{
	static const enum header_id refused[] = { HEADER_CONTROL,
		HEADER_ALSO_CONTROL, HEADER_SUPERSEDES, HEADER_INJECTION_DATE };
	size_t count = post ? sizeof refused / sizeof refused[0] : 1;

	for (size_t i = 0; i < count; i++)
		if (article_field_find(&build->header, refused[i], 0) != NULL)
			return draft_refuse(build, REASON_BAD_ARTICLE,
			    "%s header is not taken here",
			    header_info(refused[i])->name);
	if (path_has(article_value(&build->header, HEADER_PATH),
		span_of(community_config(build->community)->hostname)) &&
	    !post)
		return REASON_LOOP;
	return REASON_STORED;
}

static enum reason
news_author(struct draft_build *build)
{
	struct address_list from;
	bool fine;

	if (address_list_parse(article_value(&build->header, HEADER_FROM), 20,
		&from) != 0)
		return REASON_BUSY;
	fine = from.count > 0 && !from.malformed;
	address_list_fini(&from);
	if (!fine)
		return draft_refuse(build, REASON_BAD_ARTICLE,
		    "From header holds no address");
	return REASON_STORED;
}

/* A name that the poster may not see answers as one that does not exist. */
static bool
news_may_name(const struct draft_build *build, const struct space *space)
{
	const struct identity *author = &build->draft->author;

	if (space == NULL)
		return false;
	if (author->peer != 0)
		return auth_peer_may_feed(build->community, author->peer,
		    space->name);
	return rights_may_read(rights_reader_class(author), space);
}

static enum reason
news_add_space(struct draft_build *build, struct span name,
    enum reader_class *class, bool *approver)
{
	struct draft *draft = build->draft;
	struct space *space =
	    spaces_by_name(community_spaces(build->community), name);
	enum reason reason = REASON_STORED;

	if (!news_may_name(build, space)) {
		if (draft->author.peer == 0)
			reason = draft_refuse(build, REASON_NO_SUCH_SPACE,
			    "no such newsgroup: %.*s", SPAN_ARG(name));
	} else if (draft->space_count > 0 && rights_class_of(space) != *class) {
		reason = REASON_MIXED_READERS;
	} else {
		*class = rights_class_of(space);
		*approver =
		    *approver && rights_may_moderate(&draft->author, space);
		draft->spaces[draft->space_count++] = space->id;
	}
	space_unref(space);
	return reason;
}

static enum reason
news_spaces(struct draft_build *build)
{
	struct draft *draft = build->draft;
	struct span names[DRAFT_SPACES_MAX];
	enum reader_class class = READER_ANYONE;
	bool approver = true;
	int count = newsgroup_list_parse(article_value(&build->header,
					     HEADER_NEWSGROUPS),
	    names, DRAFT_SPACES_MAX);
	enum reason reason = REASON_STORED;

	if (count == -E2BIG)
		return draft_refuse(build, REASON_TOO_MANY_SPACES,
		    "at most %u newsgroups", DRAFT_SPACES_MAX);
	for (int i = 0; i < count && reason == REASON_STORED; i++)
		reason = news_add_space(build, names[i], &class, &approver);
	if (reason != REASON_STORED)
		return reason;
	if (draft->space_count == 0)
		return REASON_NO_SUCH_SPACE;
	draft->has_approved =
	    article_field_find(&build->header, HEADER_APPROVED, 0) != NULL;
	if (draft->has_approved && draft->author.peer == 0 && !approver)
		return draft_refuse(build, REASON_BAD_ARTICLE,
		    "Approved header is for moderators");
	return REASON_STORED;
}

/* RFC 5536 3.1.5, RFC 5537 3.2: our identity, what was done here, and what the
 * poster or peer said before. The client's address is nobody's business. */
static void
news_add_path(struct draft_build *build, bool post)
{
	const char *hostname = community_config(build->community)->hostname;
	struct span own = article_value(&build->header, HEADER_PATH);
	struct buffer path;

	buffer_init(&path, 0);
	buffer_append_text(&path, hostname);
	buffer_append_text(&path, post ? "!.POSTED!" : "!");
	if (own.len > 0)
		header_unfold(&path, own);
	else
		buffer_append_text(&path, "not-for-mail");
	header_append(&build->added, "Path", buffer_span(&path));
	buffer_fini(&path);
}

/* RFC 5537 3.5: Injection-Date only for what lacks an id or a date of its
 * own. */
static void
news_add_injection(struct draft_build *build)
{
	const struct config *config = community_config(build->community);
	const struct article_header *header = &build->header;
	char date[DATE_TEXT_SIZE];
	struct buffer info;

	if (article_value(header, HEADER_MESSAGE_ID).len == 0 ||
	    article_value(header, HEADER_DATE).len == 0)
		header_append(&build->added, "Injection-Date",
		    span_of(date_format((int64_t)build->draft->now, date)));
	buffer_init(&info, 0);
	buffer_printf(&info, "%s; mail-complaints-to=\"abuse@%s\"",
	    config->hostname, config->domain);
	header_append(&build->added, "Injection-Info", buffer_span(&info));
	buffer_fini(&info);
}

static enum reason
news_hide(struct draft_build *build)
{
	const struct article_header *header = &build->header;
	int rc = 0;

	for (size_t i = 0; i < header->count && rc == 0; i++) {
		const struct article_field *field = &header->fields[i];
		unsigned flags = header_info(field->id)->flags;

		rc = draft_hide(build, field,
		    field->id == HEADER_PATH || field->id == HEADER_XREF,
		    (flags & HEADER_HIDDEN_IN_LIST) != 0);
		if (field->id == HEADER_MESSAGE_ID)
			build->draft->id_range =
			    (struct store_range){ (uint32_t)field->offset,
				    (uint32_t)field->len };
	}
	return rc == 0
	    ? REASON_STORED
	    : draft_refuse(build, REASON_BAD_ARTICLE, "too many header fields");
}

static enum reason
news_complete(struct draft_build *build, bool post)
{
	struct draft *draft = build->draft;
	enum reason fit;

	news_add_path(build, post);
	draft_hash_content(build);
	draft_set_id(build,
	    msgid_of_value(article_value(&build->header, HEADER_MESSAGE_ID)),
	    false);
	draft_set_dates(build);
	if (post && draft->date > draft->now + NEWS_FUTURE_MAX)
		return draft_refuse(build, REASON_BAD_ARTICLE,
		    "Date header is in the future");
	fit = draft_fit(build);
	if (fit != REASON_STORED)
		return fit;
	if (post)
		news_add_injection(build);
	if (draft->approved != NULL && !draft->has_approved)
		header_append(&build->added, "Approved",
		    span_of(draft->approved));
	return draft_build_finish(build);
}

enum reason
draft_from_news(struct community *community, struct draft *draft,
    const struct draft_bytes *bytes, char *detail, size_t room)
{
	bool post = draft->author.peer == 0;
	struct draft_build build;
	enum reason reason;

	draft_build_begin(&build, community, draft, bytes);
	build.detail = detail;
	build.room = room;
	if (room > 0)
		detail[0] = '\0';
	draft->space_count = 0;
	reason = news_scan(&build, post);
	if (reason == REASON_STORED)
		reason = news_refuse_fields(&build, post);
	if (reason == REASON_STORED)
		reason = news_author(&build);
	if (reason == REASON_STORED)
		reason = news_spaces(&build);
	if (reason == REASON_STORED)
		reason = news_hide(&build);
	if (reason == REASON_STORED)
		reason = news_complete(&build, post);
	return draft_build_end(&build, reason);
}
