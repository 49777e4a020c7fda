/* draft_news.c - an article that comes by POST or from a peer (RFC 5537 3.4,
 * 3.5, 3.6).
 */
#include <errno.h>

#include "daemon/community/auth.h"
#include "daemon/community/draft_build.h"
#include "daemon/community/spaces.h"
#include "protocol/address.h"
#include "protocol/cancel.h"
#include "protocol/msgid.h"
#include "protocol/newsgroup.h"

#define NEWS_FUTURE_MAX 86400u
#define NEWS_CONTROL_MAX (2u * ARTICLE_HEADER_MAX)
#define NEWS_PAST_MIN   3u   /* days */
#define NEWS_LINE_MAX   998u /* RFC 5322 2.1.1 */
#define NEWS_NAMES_MAX  64u /* in Newsgroups, those of other servers too */

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
	if (rc == 0 && post &&
	    dot_has_long_line(article_body(&build->header), NEWS_LINE_MAX))
		return draft_refuse(build, REASON_BAD_ARTICLE,
		    "line above %u octets in the body", NEWS_LINE_MAX);
	return rc == 0 ? REASON_STORED : REASON_BUSY;
}

/* RFC 5537 5: what it asks for, besides being an article. Group control messages
 * and whatever else there is are refused, and so told in the log. */
static enum reason
news_control(struct draft_build *build)
{
	const struct article_header *header = &build->header;
	struct span control = article_value(header, HEADER_CONTROL);
	struct span supersedes = article_value(header, HEADER_SUPERSEDES);
	struct draft *draft = build->draft;
	struct span target = { NULL, 0 };

	if (control.len > 0 && supersedes.len > 0)
		return draft_refuse(build, REASON_BAD_ARTICLE,
		    "Control and Supersedes headers exclude each other");
	/* nobody sees them, so nobody would see what is kept in them */
	if (control.len > 0 && build->wire.len > NEWS_CONTROL_MAX)
		return draft_refuse(build, REASON_TOO_LARGE,
		    "a control message has at most %u octets",
		    NEWS_CONTROL_MAX);
	if (control.len > 0) {
		draft->control = DRAFT_CANCELS;
		target = control_cancel_target(control);
		if (target.len == 0)
			return draft_refuse(build, REASON_BAD_ARTICLE,
			    "no control message but cancel <message-id> is "
			    "obeyed here");
	} else if (supersedes.len > 0) {
		draft->control = DRAFT_SUPERSEDES;
		target = msgid_of_value(supersedes);
	}
	if (draft->control == DRAFT_ARTICLE)
		return REASON_STORED;
	if (target.len == 0 || target.len >= sizeof draft->target_id ||
	    span_equal(target,
		msgid_of_value(article_value(header, HEADER_MESSAGE_ID))))
		return draft_refuse(build, REASON_BAD_ARTICLE,
		    "an article cannot take that Message-ID away");
	memcpy(draft->target_id, target.bytes, target.len);
	draft->target_id[target.len] = '\0';
	return REASON_STORED;
}

/* RFC 5537 3.5: who injects in several places says so with all three. */
static enum reason
news_judge_trace(struct draft_build *build, bool post)
{
	const struct article_header *header = &build->header;

	if (post && article_value(header, HEADER_INJECTION_DATE).len > 0 &&
	    (article_value(header, HEADER_MESSAGE_ID).len == 0 ||
		article_value(header, HEADER_DATE).len == 0))
		return draft_refuse(build, REASON_BAD_ARTICLE,
		    "Injection-Date header without Message-ID and Date");
	if (!post &&
	    path_has(article_value(header, HEADER_PATH),
		span_of(community_config(build->community)->hostname)))
		return REASON_LOOP;
	return REASON_STORED;
}

static enum reason
news_author(struct draft_build *build)
{
	struct span value = article_value(&build->header, HEADER_FROM);
	struct address_list from;
	bool fine;

	if (address_is_plain_mailbox(value))
		return REASON_STORED;
	if (address_list_parse(value, 20, &from) != 0)
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

/* What the newsgroups are, beside their names. */
struct news_named {
	/* of what an Approved header needs */
	bool moderates_all; /* of the spaces */
	bool moderates;	    /* those that are moderated */
	bool needed;	    /* there are such */
	bool closed;	    /* one was left out because it is closed */
};

static enum reason
news_add_space(struct draft_build *build, struct span name,
    enum reader_class *class, struct news_named *named)
{
	struct draft *draft = build->draft;
	struct space *space =
	    spaces_by_name(community_spaces(build->community), name);
	enum reason reason = REASON_STORED;
	bool moderates;

	if (!news_may_name(build, space)) {
		if (draft->author.peer == 0)
			reason = draft_refuse(build, REASON_NO_SUCH_SPACE,
			    "no such newsgroup: %.*s", SPAN_ARG(name));
	} else if (space->closed && draft->author.peer != 0 &&
	    draft->control != DRAFT_CANCELS) {
		/* the others may have it (RFC 6048 3.1) */
		named->closed = true;
	} else if (draft->space_count > 0 && rights_class_of(space) != *class) {
		reason = REASON_MIXED_READERS;
	} else if (draft->space_count == DRAFT_SPACES_MAX) {
		reason = draft_refuse(build, REASON_TOO_MANY_SPACES,
		    "at most %u newsgroups", DRAFT_SPACES_MAX);
	} else {
		moderates = rights_may_moderate(&draft->author, space);
		named->moderates_all = named->moderates_all && moderates;
		if (space->moderation == KITH__MODERATION__MODERATION_ALL) {
			named->needed = true;
			named->moderates = named->moderates && moderates;
		}
		*class = rights_class_of(space);
		draft->spaces[draft->space_count++] = space->id;
	}
	space_unref(space);
	return reason;
}

/* Approved is a moderator's word (RFC 5537 3.5, 3.9): of the moderated ones
 * among the newsgroups, or of all if none is. What he posts himself without it
 * gets it from us, for peers would refuse it. */
static enum reason
news_judge_approved(struct draft_build *build,
    const struct news_named *named)
{
	struct draft *draft = build->draft;
	bool may =
	    named->needed ? named->moderates : named->moderates_all;

	draft->has_approved =
	    article_field_find(&build->header, HEADER_APPROVED, 0) != NULL;
	if (draft->author.peer != 0)
		return REASON_STORED;
	if (draft->has_approved && !may)
		return draft_refuse(build, REASON_BAD_ARTICLE,
		    "Approved header is for moderators");
	if (named->needed && may && draft->approved == NULL &&
	    draft->control != DRAFT_CANCELS)
		draft->approved = draft->author.compared;
	return REASON_STORED;
}

static enum reason
news_spaces(struct draft_build *build)
{
	struct draft *draft = build->draft;
	struct news_named named = { .moderates_all = true,
		.moderates = true };
	struct span names[NEWS_NAMES_MAX];
	enum reader_class class = READER_ANYONE;
	int count = newsgroup_list_parse(article_value(&build->header,
					     HEADER_NEWSGROUPS),
	    names, NEWS_NAMES_MAX);
	enum reason reason = REASON_STORED;

	if (count == -E2BIG)
		return draft_refuse(build, REASON_TOO_MANY_SPACES,
		    "at most %u newsgroups", NEWS_NAMES_MAX);
	for (int i = 0; i < count && reason == REASON_STORED; i++)
		reason = news_add_space(build, names[i], &class, &named);
	if (reason != REASON_STORED)
		return reason;
	if (draft->space_count == 0)
		return named.closed ? REASON_CLOSED : REASON_NO_SUCH_SPACE;
	return news_judge_approved(build, &named);
}

static struct store_range
value_range(const struct draft_build *build, struct span value)
{
	return (struct store_range){
		(uint32_t)(value.bytes - build->wire.bytes),
		(uint32_t)value.len
	};
}

/* RFC 5537 3.5: Path is made anew, Xref is of another server, and to the lists
 * of locks and keys of a poster ours are added (RFC 8315 3.2, 3.4). */
static bool
news_says_itself(const struct draft_build *build, enum header_id id, bool post)
{
	return id == HEADER_PATH || id == HEADER_XREF ||
	    (post && id == HEADER_CANCEL_LOCK &&
		build->draft->control != DRAFT_CANCELS) ||
	    (post && id == HEADER_CANCEL_KEY &&
		build->draft->control != DRAFT_ARTICLE);
}

static enum reason
news_hide(struct draft_build *build, bool post)
{
	const struct article_header *header = &build->header;
	struct draft *draft = build->draft;
	int rc = 0;

	for (size_t i = 0; i < header->count && rc == 0; i++) {
		const struct article_field *field = &header->fields[i];
		unsigned flags = header_info(field->id)->flags;

		rc = draft_hide(build, field,
		    news_says_itself(build, field->id, post),
		    (flags & HEADER_HIDDEN_IN_LIST) != 0);
		if (field->id == HEADER_MESSAGE_ID)
			draft->id_range =
			    (struct store_range){ (uint32_t)field->offset,
				    (uint32_t)field->len };
		else if (field->id == HEADER_CANCEL_LOCK)
			draft->lock_range = value_range(build, field->value);
		else if (field->id == HEADER_CANCEL_KEY)
			draft->key_range = value_range(build, field->value);
	}
	return rc == 0
	    ? REASON_STORED
	    : draft_refuse(build, REASON_BAD_ARTICLE, "too many header fields");
}

/* RFC 5537 3.3, 3.5, 3.6: a day ahead is too far, and history.cutoff too long
 * ago. name is the header's. */
static enum reason
news_judge_date(struct draft_build *build, uint64_t date, const char *name)
{
	const struct draft *draft = build->draft;
	unsigned days = community_config(build->community)->history_cutoff;

	if (date > draft->now + NEWS_FUTURE_MAX)
		return draft_refuse(build, REASON_BAD_ARTICLE,
		    "%s header is in the future", name);
	/* a poster's clock, or his patience, may be off by more */
	if (days != 0 && draft->author.peer == 0 && days < NEWS_PAST_MIN)
		days = NEWS_PAST_MIN;
	if (days != 0 && draft->released == 0 && date != 0 &&
	    date + (uint64_t)days * 86400 < draft->now)
		return draft_refuse(build, REASON_TOO_OLD,
		    "%s header is of more than %u days ago", name, days);
	return REASON_STORED;
}

static enum reason
news_judge_dates(struct draft_build *build)
{
	bool injected =
	    article_value(&build->header, HEADER_INJECTION_DATE).len > 0;
	enum reason reason = news_judge_date(build, draft_injected(build),
	    injected ? "Injection-Date" : "Date");

	/* not every server of the world looks at Injection-Date */
	if (reason == REASON_STORED && injected &&
	    build->draft->author.peer == 0)
		reason = news_judge_date(build, build->draft->date, "Date");
	return reason;
}

static enum reason
news_complete(struct draft_build *build, bool post)
{
	struct draft *draft = build->draft;
	enum reason reason;

	draft_hash_content(build);
	draft_set_id(build,
	    msgid_of_value(article_value(&build->header, HEADER_MESSAGE_ID)),
	    false);
	draft_set_dates(build);
	reason = news_judge_dates(build);
	if (reason == REASON_STORED)
		reason = draft_fit(build);
	if (reason == REASON_STORED)
		reason = post ? draft_add_injection(build)
			      : draft_add_relay(build);
	if (reason != REASON_STORED)
		return reason;
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
	draft->control = DRAFT_ARTICLE;
	reason = news_scan(&build, post);
	if (reason == REASON_STORED)
		reason = news_control(&build);
	if (reason == REASON_STORED)
		reason = news_judge_trace(&build, post);
	if (reason == REASON_STORED)
		reason = news_author(&build);
	if (reason == REASON_STORED)
		reason = news_spaces(&build);
	if (reason == REASON_STORED)
		reason = news_hide(&build, post);
	if (reason == REASON_STORED)
		reason = news_complete(&build, post);
	return draft_build_end(&build, reason);
}
