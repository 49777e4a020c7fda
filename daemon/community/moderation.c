/* moderation.c - articles that wait for a moderator.
 */
#include "daemon/community/moderation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/community/held.h"
#include "daemon/community/intake_private.h"
#include "daemon/community/journal.h"
#include "daemon/community/members.h"
#include "daemon/community/moderation_ask.h"
#include "daemon/community/notice.h"
#include "daemon/community/spaces.h"
#include "daemon/community/ticket.h"
#include "protocol/dot.h"

/* ---- holding */

/* Sets the state of the entry of a held article, or adds it. */
static int
held_set_id(struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN],
    const struct store_msgid_entry *entry)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX + 1];
	int count = store_msgid_get(store_txn_reader(txn), hash, entries);
	unsigned i = 0;

	if (count < 0)
		return count;
	/* of the same held article, or of one that was rejected before */
	while (i < (unsigned)count &&
	    !(entries[i].state == STORE_MSGID_HELD &&
		entries[i].about == entry->about) &&
	    !(entries[i].state == STORE_MSGID_REFUSED &&
		memcmp(entries[i].content, entry->content, STORE_HASH_LEN) ==
		    0))
		i++;
	if (i == STORE_MSGID_MAX)
		return 0; /* held all the same; only its id is not guarded */
	entries[i] = *entry;
	return store_msgid_put(txn, hash, entries,
	    i == (unsigned)count ? i + 1 : (unsigned)count);
}

static int
held_forget_id(
    struct store_txn *txn, const uint8_t hash[STORE_HASH_LEN], uint32_t held)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	int count = store_msgid_get(store_txn_reader(txn), hash, entries);
	unsigned kept = 0;

	for (int i = 0; i < count; i++)
		if (entries[i].state != STORE_MSGID_HELD ||
		    entries[i].about != held)
			entries[kept++] = entries[i];
	return count < 0 ? count : store_msgid_put(txn, hash, entries, kept);
}

static int
held_put_record(struct store_txn *txn, const struct draft *draft,
    const struct held_note *note, uint32_t held)
{
	Kith__Held record;
	struct draft *writable = (struct draft *)(uintptr_t)draft;

	kith__held__init(&record);
	record.cause = note->cause;
	record.time = draft->now;
	record.n_spaces = draft->space_count;
	record.spaces = writable->spaces;
	record.message_id = writable->message_id;
	record.from = draft->from;
	record.subject = draft->subject;
	record.address = writable->author.compared;
	record.member = draft->author.member;
	record.channel = draft->channel;
	record.trust = draft->author.trust;
	record.ticket = draft->ticket;
	record.content.data = writable->content;
	record.content.len = sizeof draft->content;
	record.automatic = draft->automatic;
	return held_put_row(txn, held, &record);
}

int
held_put(struct store_txn *txn, struct community *community,
    const struct draft *draft, const struct held_note *note, uint32_t *held_r)
{
	struct store_msgid_entry entry = { .state = STORE_MSGID_HELD,
		.day = (uint32_t)(draft->now / 86400) };
	uint64_t id = 0;
	int rc = store_id_next(txn, STORE_ID_HELD, &id);

	*held_r = entry.about = (uint32_t)id;
	memcpy(entry.content, draft->content, sizeof entry.content);
	if (rc == 0)
		rc = held_put_record(txn, draft, note, *held_r);
	if (rc == 0)
		rc = store_body_put(txn, STORE_HELD_BODIES, id, draft->received,
		    draft->received_len);
	if (rc == 0)
		rc = held_set_id(txn, draft->message_id_hash, &entry);
	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = draft->now,
			.verb = KITH__VERB__VERB_HELD,
			.actor = draft->author.member,
			.space = draft->space_count > 0 ? draft->spaces[0] : 0,
			.object = id,
			.text = held_cause_name(note->cause) });
	if (rc == 0)
		rc = moderators_ask(txn, community, draft, note, *held_r);
	return rc;
}

/* ---- decisions */

static bool
held_is_approved(const Kith__Held *record, uint32_t space)
{
	for (size_t i = 0; i < record->n_approved; i++)
		if (record->approved[i] == space)
			return true;
	return false;
}

/* Whoever moderates all its spaces, or at least those that are moderated: the
 * others would have taken it anyway. Of several moderated ones each has its word
 * (RFC 5537 3.9): who moderates some of them lets it in there, and the next are
 * asked; who refuses it, refuses it for all. */
static int
decision_may(struct community *community, struct held_decision *decision)
{
	const Kith__Held *record = decision->record;
	bool all = record->n_spaces > 0, any = false, his = false;
	bool was_his = false, others = false;

	if (decision->actor.role == KITH__ROLE__ROLE_ADMIN &&
	    decision->actor.active)
		return 0;
	for (size_t i = 0; i < record->n_spaces; i++) {
		struct space *space = spaces_by_id(community_spaces(community),
		    record->spaces[i]);
		bool approved = held_is_approved(record, record->spaces[i]);
		bool may = space != NULL &&
		    rights_may_moderate(&decision->actor, space);

		all = all && may;
		if (space == NULL ||
		    space->moderation != KITH__MODERATION__MODERATION_NONE) {
			any = true;
			his = his || (may && !approved);
			was_his = was_his || (may && approved);
			others = others || (!may && !approved);
		}
		space_unref(space);
	}
	if (all || (any && !others))
		return 0;
	if (!decision->release)
		return his || was_his ? 0 : -EACCES;
	decision->part = his;
	return his ? 0 : was_his ? -ENOENT : -EACCES;
}

static int
decision_bytes(struct store_reader *reader, uint32_t held,
    struct draft_bytes *bytes)
{
	uint8_t *body = NULL;
	int rc =
	    store_body_get(reader, STORE_HELD_BODIES, held, &body, &bytes->len);

	if (rc != 0)
		return rc;
	bytes->bytes = (char *)body;
	dot_examine(span_make(bytes->bytes, bytes->len), &bytes->facts);
	return 0;
}

static int
decision_author(struct store_reader *reader, struct held_decision *decision)
{
	const Kith__Held *record = decision->record;
	struct identity *author = &decision->draft.author;
	int rc = 0;

	if (record->member != 0)
		rc = identity_of_member(reader, record->member, author);
	else if (record->address[0] != '\0')
		rc = identity_of_address(reader, record->address, author);
	author->trust = (enum trust)record->trust;
	return rc == -ENOENT ? 0 : rc;
}

/* The draft as it was, now with a moderator's name on it. */
static int
decision_draft(struct store_txn *txn, struct community *community,
    struct held_decision *decision)
{
	struct store_reader *reader = store_txn_reader(txn);
	const Kith__Held *record = decision->record;
	struct draft *draft = &decision->draft;
	struct draft_bytes bytes = { 0 };
	bool news = record->channel == KITH__CHANNEL__CHANNEL_POST ||
	    record->channel == KITH__CHANNEL__CHANNEL_PEER;
	int rc = decision_author(reader, decision);

	if (rc == 0)
		rc = decision_bytes(reader, decision->held, &bytes);
	if (rc != 0)
		return rc;
	draft->channel = record->channel;
	draft->released = decision->held;
	draft->held_since = record->time;
	(void)snprintf(draft->message_id, sizeof draft->message_id, "%s",
	    record->message_id);
	draft->ticket = record->ticket;
	draft->automatic = record->automatic;
	draft->approved = decision->actor.compared;
	for (size_t i = 0; i < record->n_spaces && i < DRAFT_SPACES_MAX; i++)
		draft->spaces[draft->space_count++] = record->spaces[i];
	decision->outcome = news
	    ? draft_from_news(community, draft, &bytes, decision->detail,
		  sizeof decision->detail)
	    : draft_from_mail(community, draft, &bytes, decision->detail,
		  sizeof decision->detail);
	if (decision->outcome == REASON_STORED) {
		draft_find_thread(reader, community, draft);
		decision->outcome = draft_check_id(txn, community, draft);
	}
	/* what it wants to supersede may be gone, or not be his any more: the
	 * article is one all the same */
	if (decision->outcome == REASON_STORED &&
	    cancel_check(txn, community, draft, &decision->cancel,
		decision->detail, sizeof decision->detail) != REASON_STORED)
		decision->cancel = (struct cancel){ .target = 0 };
	if (decision->outcome == REASON_DUPLICATE &&
	    draft_adds_placement(txn, draft)) {
		decision->place = true;
		return 0;
	}
	return decision->outcome == REASON_STORED ? 0 : 1;
}

int
held_decision_check(struct store_txn *txn, struct community *community,
    struct held_decision *decision)
{
	int rc;

	held_decision_fini(decision);
	decision->detail[0] = '\0';
	decision->outcome = REASON_DONE;
	decision->place = false;
	decision->part = false;
	rc = held_get(store_txn_reader(txn), decision->held, &decision->record);
	if (rc == 0)
		rc = decision_may(community, decision);
	if (rc == 0 && decision->release)
		rc = decision_draft(txn, community, decision);
	return rc;
}

static int
decision_tell_author(struct store_txn *txn, struct community *community,
    const struct held_decision *decision)
{
	const Kith__Held *record = decision->record;
	struct notice notice = { .purpose = "rejected",
		.replied = "auto-replied" };
	struct space *space;
	struct buffer text;
	int rc;

	if (decision->reason == NULL || decision->reason[0] == '\0' ||
	    record->automatic || record->address[0] == '\0' ||
	    record->n_spaces == 0)
		return 0;
	space = spaces_by_id(community_spaces(community), record->spaces[0]);
	if (space == NULL)
		return 0;
	buffer_init(&text, 0);
	buffer_printf(&text,
	    "Your message \"%s\" to %s%s%s was not accepted.\n\n"
	    "The moderator says:\n\n    %s\n",
	    record->subject,
	    space->mail[0] != '\0' ? space->mail : space->name,
	    space->mail[0] != '\0' ? "@" : "",
	    space->mail[0] != '\0' ? community_config(community)->domain : "",
	    decision->reason);
	notice.to = record->address;
	notice.from_local = space->mail;
	notice.subject = "Your message was not accepted";
	notice.in_reply_to = record->message_id;
	notice.text = buffer_text(&text);
	notice.space = space->id;
	rc = buffer_failed(&text) ? -ENOMEM
				  : notice_send(txn, community, &notice, NULL);
	buffer_fini(&text);
	space_unref(space);
	return rc;
}

static int
decision_reject(struct store_txn *txn, struct community *community,
    struct held_decision *decision)
{
	const Kith__Held *record = decision->record;
	struct store_msgid_entry entry = { .state = STORE_MSGID_REFUSED,
		.about = decision->held };
	uint8_t hash[STORE_HASH_LEN];
	int rc;

	entry.day = (uint32_t)(community_now(community) / 86400);
	if (record->content.len == sizeof entry.content)
		memcpy(entry.content, record->content.data,
		    sizeof entry.content);
	store_msgid_hash(community_store(community), record->message_id,
	    strlen(record->message_id), hash);
	rc = held_set_id(txn, hash, &entry);
	if (rc == 0)
		rc = held_delete(txn, decision->held);
	if (rc == 0)
		rc = decision_tell_author(txn, community, decision);
	return rc;
}

static int
decision_place(struct store_txn *txn, struct community *community,
    struct held_decision *decision)
{
	struct draft *draft = &decision->draft;
	int rc = ticket_store(txn, community, draft);

	if (rc == 0)
		rc = held_forget_id(txn, draft->message_id_hash, decision->held);
	return rc == 0 ? held_delete(txn, decision->held) : rc;
}

/* He let it in where he moderates; it waits on for the others. */
static int
decision_hand_on(struct store_txn *txn, struct community *community,
    struct held_decision *decision)
{
	Kith__Held record = *decision->record;
	struct draft rest = decision->draft; /* borrowed: it is asked about */
	struct held_note note = { .cause = record.cause };
	uint32_t approved[DRAFT_SPACES_MAX];
	char excerpt[INTAKE_EXCERPT_ROOM];
	int rc;

	record.n_approved = rest.space_count = 0;
	record.approved = approved;
	for (size_t i = 0; i < record.n_spaces && i < DRAFT_SPACES_MAX; i++) {
		uint32_t id = record.spaces[i];
		struct space *space =
		    spaces_by_id(community_spaces(community), id);

		if (space == NULL ||
		    space->moderation == KITH__MODERATION__MODERATION_NONE)
			;
		else if (held_is_approved(decision->record, id) ||
		    rights_may_moderate(&decision->actor, space))
			approved[record.n_approved++] = id;
		else
			rest.spaces[rest.space_count++] = id;
		space_unref(space);
	}
	rc = held_put_row(txn, decision->held, &record);
	intake_excerpt(span_make(rest.received, rest.received_len), excerpt,
	    sizeof excerpt);
	note.excerpt = span_of(excerpt);
	return rc == 0
	    ? moderators_ask(txn, community, &rest, &note, decision->held)
	    : rc;
}

int
held_decision_apply(struct store_txn *txn, struct community *community,
    struct held_decision *decision)
{
	const Kith__Held *record = decision->record;
	int rc;

	if (!decision->release)
		rc = decision_reject(txn, community, decision);
	else if (decision->part)
		rc = decision_hand_on(txn, community, decision);
	else if (decision->place)
		rc = decision_place(txn, community, decision);
	else
		rc = cancel_store(txn, community, &decision->draft,
		    &decision->cancel);

	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = community_now(community),
			.verb = decision->part ? KITH__VERB__VERB_HELD
			    : decision->release ? KITH__VERB__VERB_RELEASED
						: KITH__VERB__VERB_REJECTED,
			.actor = decision->actor.member,
			.space = record->n_spaces > 0 ? record->spaces[0] : 0,
			.object = decision->held,
			.text = decision->reason });
	return rc;
}

void
held_decision_fini(struct held_decision *decision)
{
	if (decision->record != NULL)
		kith__held__free_unpacked(decision->record, NULL);
	decision->record = NULL;
	draft_fini(&decision->draft);
	memset(&decision->draft, 0, sizeof decision->draft);
}
