/* draft_trace.c - what kith says of the way of an article: Path, Injection-Info
 * and Injection-Date, and the lock by which it can be cancelled.
 */
#include <errno.h>

#include "daemon/community/draft_build.h"
#include "daemon/community/locks.h"
#include "daemon/community/peers.h"
#include "protocol/newsgroup.h"

#define TRACE_ROOM 512u /* what is longer is allocated */

static const char *
own_identity(const struct draft_build *build)
{
	return community_config(build->community)->hostname;
}

/* What follows our identity, then what stood there before. */
static void
add_path(struct draft_build *build, const char *diagnostic,
    const char *identity)
{
	struct span own = article_value(&build->header, HEADER_PATH);
	char room[TRACE_ROOM];
	struct buffer path;

	buffer_init(&path, 0);
	buffer_lend(&path, room, sizeof room);
	buffer_append_text(&path, own_identity(build));
	buffer_append_text(&path, diagnostic);
	buffer_append_text(&path, identity);
	buffer_append_byte(&path, '!');
	if (own.len > 0)
		header_unfold(&path, own);
	else
		buffer_append_text(&path, "not-for-mail");
	header_append(&build->added, "Path", buffer_span(&path));
	buffer_fini(&path);
}

/* RFC 5537 3.2.1: has the peer said who it is? */
enum reason
draft_add_relay(struct draft_build *build)
{
	const struct draft *draft = build->draft;
	struct span first =
	    path_first(article_value(&build->header, HEADER_PATH));
	char expected[PEER_PATH_ROOM];

	if (peers_path(community_peers(build->community), draft->author.peer,
		expected)) {
		if (span_is(first, expected))
			add_path(build, "!", "");
		else
			add_path(build, "!.MISMATCH.", expected);
	} else if (draft->source != NULL && draft->source[0] != '\0') {
		add_path(build, "!.SEEN.", draft->source);
	} else {
		add_path(build, "", "");
	}
	return REASON_STORED;
}

enum reason
draft_add_lock(struct draft_build *build, struct span own)
{
	const struct draft *draft = build->draft;
	char room[TRACE_ROOM];
	struct buffer list;
	int rc;

	buffer_init(&list, 0);
	buffer_lend(&list, room, sizeof room);
	header_unfold(&list, own);
	if (list.len > 0)
		buffer_append_byte(&list, ' ');
	rc = locks_append_lock(community_locks(build->community),
	    draft->author.member, draft->message_id, &list);
	if (rc == 0)
		header_append(&build->added, "Cancel-Lock", buffer_span(&list));
	if (rc == 0 && buffer_failed(&list))
		rc = -ENOMEM;
	buffer_fini(&list);
	return rc == 0 ? REASON_STORED : REASON_BUSY;
}

/* RFC 8315 3.3: only what the author himself locked opens by his name, so this
 * says nothing about the target. */
static enum reason
add_key(struct draft_build *build)
{
	const struct draft *draft = build->draft;
	char room[TRACE_ROOM];
	struct buffer list;
	int rc = 0;

	buffer_init(&list, 0);
	buffer_lend(&list, room, sizeof room);
	header_unfold(&list, article_value(&build->header, HEADER_CANCEL_KEY));
	if (draft->author.member != 0) {
		if (list.len > 0)
			buffer_append_byte(&list, ' ');
		rc = locks_append_keys(community_locks(build->community),
		    draft->author.member, draft->target_id, &list);
	}
	if (list.len > 0)
		header_append(&build->added, "Cancel-Key", buffer_span(&list));
	if (rc == 0 && buffer_failed(&list))
		rc = -ENOMEM;
	buffer_fini(&list);
	return rc == 0 ? REASON_STORED : REASON_BUSY;
}

/* The client's address is nobody's business: there is no posting-host, and
 * nothing behind POSTED. */
enum reason
draft_add_injection(struct draft_build *build)
{
	const struct article_header *header = &build->header;
	const struct draft *draft = build->draft;
	char date[DATE_TEXT_SIZE];
	char room[TRACE_ROOM];
	enum reason reason = REASON_STORED;
	struct buffer info;

	add_path(build, "!.POSTED", "");
	if (article_value(header, HEADER_MESSAGE_ID).len == 0 ||
	    article_value(header, HEADER_DATE).len == 0)
		header_append(&build->added, "Injection-Date",
		    span_of(date_format((int64_t)draft->now, date)));
	buffer_init(&info, 0);
	buffer_lend(&info, room, sizeof room);
	buffer_append_text(&info, own_identity(build));
	buffer_append_text(&info, "; mail-complaints-to=\"abuse@");
	buffer_append_text(&info, community_config(build->community)->domain);
	buffer_append_byte(&info, '"');
	header_append(&build->added, "Injection-Info", buffer_span(&info));
	buffer_fini(&info);
	if (draft->control == DRAFT_SUPERSEDES)
		reason = add_key(build);
	/* what is no article in a space cannot be taken away */
	if (reason == REASON_STORED && draft->control != DRAFT_CANCELS)
		reason = draft_add_lock(build,
		    article_value(header, HEADER_CANCEL_LOCK));
	return reason;
}
