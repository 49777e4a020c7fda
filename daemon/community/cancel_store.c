/* cancel_store.c - what a cancel does: the target away, and the control message
 * kept for peers, in one transaction.
 */
#include "daemon/community/cancel_private.h"

#include <errno.h>

#include "daemon/community/held.h"
#include "daemon/community/journal.h"
#include "daemon/community/meta.h"
#include "daemon/community/removal.h"
#include "daemon/community/spaces.h"
#include "daemon/community/ticket.h"
#include "store/sequence.h"

static uint32_t
today(const struct draft *draft)
{
	return (uint32_t)(draft->now / 86400);
}

/* ---- the target */

static void
target_hash(struct community *community, const struct draft *draft,
    uint8_t hash[STORE_HASH_LEN])
{
	store_msgid_hash(community_store(community), draft->target_id,
	    strlen(draft->target_id), hash);
}

/* A moderator's word counts in his own spaces. */
static int
take_stored(struct store_txn *txn, struct community *community,
    const struct draft *draft, const struct cancel *cancel, uint64_t control)
{
	const struct removal_by by = { .actor = draft->author.member,
		.peer = draft->author.peer,
		.control = control };
	Kith__ArticleMeta *meta;
	int rc = meta_get(store_txn_reader(txn), cancel->target, &meta);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < meta->n_placements && rc == 0; i++) {
		const Kith__Placement *placement = meta->placements[i];

		if (cancel->by == CANCEL_BY_MODERATOR &&
		    !cancel_may_moderate(community, &draft->author,
			placement->space))
			continue;
		rc = removal_cancel(txn, community, placement->space,
		    placement->number, &by);
	}
	kith__article_meta__free_unpacked(meta, NULL);
	return rc;
}

static int
take_held(struct store_txn *txn, struct community *community,
    const struct draft *draft, uint32_t held)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	uint8_t hash[STORE_HASH_LEN];
	uint32_t space = draft->spaces[0];
	int count, rc;

	target_hash(community, draft, hash);
	count = store_msgid_get(store_txn_reader(txn), hash, entries);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++)
		if (entries[i].state == STORE_MSGID_HELD &&
		    entries[i].about == held) {
			entries[i].state = STORE_MSGID_CANCELLED;
			entries[i].about = space;
			entries[i].day = today(draft);
		}
	rc = store_msgid_put(txn, hash, entries, (unsigned)count);
	if (rc == 0)
		rc = held_delete(txn, held);
	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = draft->now,
			.verb = KITH__VERB__VERB_REJECTED,
			.actor = draft->author.member,
			.space = space,
			.object = held,
			.text = "cancelled by its author" });
	return rc;
}

/* ---- the control message */

/* RFC 8315 3.3: what kith locked, it opens for whom it let in. */
static int
add_keys(struct store_txn *txn, struct community *community,
    const struct draft *draft, const struct cancel *cancel, struct buffer *out)
{
	struct span own = cancel_value(draft, &draft->key_range);
	Kith__ArticleMeta *meta = NULL;
	struct buffer keys;
	int rc = 0;

	buffer_init(&keys, 0);
	header_unfold(&keys, own);
	if (cancel->target != 0 && cancel->by != CANCEL_BY_KEY)
		rc = meta_get(store_txn_reader(txn), cancel->target, &meta);
	if (rc == 0 && meta != NULL) {
		if (keys.len > 0)
			buffer_append_byte(&keys, ' ');
		rc = cancel_own_keys(store_txn_reader(txn), community,
		    cancel->target, meta, &keys);
	}
	if (keys.len > 0)
		header_append(out, "Cancel-Key", buffer_span(&keys));
	if (rc == 0 && buffer_failed(&keys))
		rc = -ENOMEM;
	if (meta != NULL)
		kith__article_meta__free_unpacked(meta, NULL);
	buffer_fini(&keys);
	return rc;
}

/* RFC 5537 5.3: a cancel to a moderated newsgroup is approved like an article.
 * That authors may withdraw is what the moderators say here. */
static void
add_approved(struct community *community, const struct draft *draft,
    const struct cancel *cancel, struct buffer *out)
{
	const char *domain = community_config(community)->domain;
	struct buffer address;
	struct space *space;
	bool moderated = false;

	buffer_init(&address, 0);
	for (size_t i = 0; i < draft->space_count && !moderated; i++) {
		space =
		    spaces_by_id(community_spaces(community), draft->spaces[i]);
		moderated = space != NULL &&
		    space->moderation == KITH__MODERATION__MODERATION_ALL;
		if (!moderated)
			;
		else if (cancel->by == CANCEL_BY_MODERATOR)
			buffer_append_text(&address, draft->author.compared);
		else if (space->mail[0] != '\0')
			buffer_printf(&address, "%s+owner@%s", space->mail,
			    domain);
		else
			buffer_printf(&address, "postmaster@%s", domain);
		space_unref(space);
	}
	if (address.len > 0)
		header_append(out, "Approved", buffer_span(&address));
	buffer_fini(&address);
}

static int
put_bytes(struct store_txn *txn, struct community *community,
    const struct draft *draft, const struct cancel *cancel)
{
	bool peer = draft->channel == KITH__CHANNEL__CHANNEL_PEER;
	struct store_article_head head = draft->head;
	struct buffer added;
	int rc = 0;

	buffer_init(&added, 0);
	buffer_append(&added, draft->added, draft->head.added_len);
	if (!peer)
		rc = add_keys(txn, community, draft, cancel, &added);
	if (!peer && !draft->has_approved)
		add_approved(community, draft, cancel, &added);
	head.added_len = (uint32_t)added.len;
	if (rc == 0 && buffer_failed(&added))
		rc = -ENOMEM;
	if (rc == 0)
		rc = store_article_put(txn, draft->artid, &head,
		    (const uint8_t *)buffer_text(&added),
		    (const uint8_t *)draft->received);
	buffer_fini(&added);
	return rc;
}

static int
put_meta(struct store_txn *txn, struct draft *draft)
{
	struct store_key key = store_key_u64(draft->artid);
	Kith__ArticleMeta meta;

	meta_of_draft(&meta, draft);
	meta.about = draft->spaces;
	meta.n_about = draft->space_count;
	return store_put(txn, STORE_ARTICLE_META, &key, &meta.base);
}

/* The article without a number; with `waits` its events too, which are those of
 * the removal otherwise. */
static int
control_store(struct store_txn *txn, struct community *community,
    struct draft *draft, const struct cancel *cancel)
{
	struct store_msgid_entry entry = { .state = STORE_MSGID_CONTROL,
		.about = draft->spaces[0],
		.day = today(draft) };
	Kith__Event event;
	int rc = store_id_next(txn, STORE_ID_ARTICLE, &draft->artid);

	entry.artid = draft->artid;
	memcpy(entry.content, draft->content, sizeof entry.content);
	if (rc == 0)
		rc = put_bytes(txn, community, draft, cancel);
	if (rc == 0)
		rc = put_meta(txn, draft);
	if (rc == 0)
		rc = store_msgid_add(txn, draft->message_id_hash, &entry);
	for (size_t i = 0; cancel->waits && i < draft->space_count && rc == 0;
	     i++) {
		kith__event__init(&event);
		event.time = draft->now;
		event.verb = KITH__VERB__VERB_CANCELLED;
		event.space = draft->spaces[i];
		event.actor = draft->author.member;
		event.trust = draft->author.trust;
		event.channel = draft->channel;
		event.object = draft->artid;
		event.peer = draft->author.peer;
		rc = store_sequence_append(txn, &event, NULL);
	}
	return rc;
}

int
cancel_store(struct store_txn *txn, struct community *community,
    struct draft *draft, const struct cancel *cancel)
{
	bool control = draft->control == DRAFT_CANCELS;
	int rc = 0;

	/* the keys are read off the target: before it goes. Who never saw an
	 * article need not hear that it was cancelled. */
	if (control && cancel->held == 0)
		rc = control_store(txn, community, draft, cancel);
	if (rc == 0 && cancel->target != 0)
		rc = take_stored(txn, community, draft, cancel,
		    control ? draft->artid : 0);
	if (rc == 0 && cancel->held != 0)
		rc = take_held(txn, community, draft, cancel->held);
	if (rc == 0 && !control)
		rc = ticket_store(txn, community, draft);
	if (rc == 0 && cancel->waits)
		rc = cancel_wait(txn, community, draft);
	return rc;
}
