/* cancel_own.c - the cancel that an admin asks for with kithctl: composed here,
 * so that peers hear of it as of any other.
 */
#include "daemon/community/cancel.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/community/meta.h"
#include "daemon/community/spaces.h"
#include "protocol/dot.h"

/* The lowest class that reads the article somewhere. */
static enum reader_class
widest_class(struct community *community, const Kith__ArticleMeta *meta)
{
	enum reader_class class = READER_STAFF;

	for (size_t i = 0; i < meta->n_placements; i++) {
		struct space *space = spaces_by_id(community_spaces(community),
		    meta->placements[i]->space);

		if (space != NULL && rights_class_of(space) < class)
			class = rights_class_of(space);
		space_unref(space);
	}
	return class;
}

/* Nobody reads here of a space that he may not see. */
static void
append_groups(struct buffer *out, struct community *community,
    const Kith__ArticleMeta *meta)
{
	enum reader_class class = widest_class(community, meta);
	bool any = false;

	for (size_t i = 0; i < meta->n_placements; i++) {
		struct space *space = spaces_by_id(community_spaces(community),
		    meta->placements[i]->space);

		if (space != NULL && rights_class_of(space) == class) {
			buffer_printf(out, "%s%s", any ? "," : "", space->name);
			any = true;
		}
		space_unref(space);
	}
}

static int
compose(struct community *community, const Kith__ArticleMeta *meta,
    struct draft_bytes *bytes)
{
	struct buffer text;

	buffer_init(&text, 0);
	buffer_printf(&text, "From: postmaster@%s\r\nNewsgroups: ",
	    community_config(community)->domain);
	append_groups(&text, community, meta);
	buffer_printf(&text,
	    "\r\nSubject: cancel %s\r\nControl: cancel %s\r\n\r\n"
	    "Cancelled by an administrator.\r\n",
	    meta->message_id, meta->message_id);
	dot_examine(buffer_span(&text), &bytes->facts);
	bytes->bytes = buffer_take(&text, &bytes->len);
	return bytes->bytes == NULL ? -ENOMEM : 0;
}

static void
admin_identity(struct community *community, struct identity *identity)
{
	*identity = (struct identity){ .role = KITH__ROLE__ROLE_ADMIN,
		.active = true,
		.trust = TRUST_SESSION };
	(void)snprintf(identity->compared, sizeof identity->compared,
	    "postmaster@%s", community_config(community)->domain);
}

int
cancel_by_admin(struct store_txn *txn, struct community *community,
    uint64_t artid)
{
	const struct cancel cancel = { .by = CANCEL_BY_MODERATOR,
		.target = artid };
	struct draft draft = { .channel = KITH__CHANNEL__CHANNEL_LOCAL };
	struct draft_bytes bytes = { 0 };
	Kith__ArticleMeta *meta;
	int rc = meta_get(store_txn_reader(txn), artid, &meta);

	if (rc != 0)
		return rc;
	rc = compose(community, meta, &bytes);
	kith__article_meta__free_unpacked(meta, NULL);
	if (rc != 0)
		return rc;
	admin_identity(community, &draft.author);
	if (draft_from_news(community, &draft, &bytes, NULL, 0) !=
	    REASON_STORED)
		return -EINVAL;
	rc = cancel_store(txn, community, &draft, &cancel);
	draft_fini(&draft);
	return rc;
}
