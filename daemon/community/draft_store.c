/* draft_store.c - the one transaction of an article: bytes, numbers, id, meta,
 * sequence, and the jobs that carry it on.
 */
#include "daemon/community/draft.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/community/draft_build.h"
#include "daemon/community/held.h"
#include "daemon/community/jobs.h"
#include "daemon/community/meta.h"
#include "daemon/community/spaces.h"
#include "protocol/buffer.h"
#include "protocol/header.h"
#include "store/overview.h"
#include "store/sequence.h"

#define DRAFT_ARTICLE_MAX (128u * 1024u * 1024u)
#define ROW_NUMBERS_MAX	  24u /* octets and lines, with their tabs */

/* The parts of a draft as they go to disk: with another id if it was renamed. */
struct draft_form {
	const struct store_article_head *head; /* the draft's, or: */
	struct store_article_head changed;
	bool multi; /* there are, or will be, several placements */
	struct span added, overview; /* the draft's, or of those made: */
	struct buffer made_added, made_overview;
	uint32_t bytes;
};

static void
draft_form_fini(struct draft_form *form)
{
	buffer_fini(&form->made_added);
	buffer_fini(&form->made_overview);
}

static void
ranges_insert(struct store_range *ranges, uint32_t *count,
    struct store_range range)
{
	uint32_t at = *count;

	if (range.len == 0 || *count == STORE_HIDDEN_MAX)
		return;
	for (; at > 0 && ranges[at - 1].offset > range.offset; at--)
		ranges[at] = ranges[at - 1];
	ranges[at] = range;
	(*count)++;
}

/* Replaces the fourth field of the row: TAB Subject TAB From TAB Date TAB id. */
static void
overview_set_id(struct buffer *out, const struct draft *draft)
{
	struct span row = { draft->overview, draft->overview_len };
	const char *at = row.bytes, *end = row.bytes + row.len, *next;
	unsigned tabs = 0;

	while (at < end && tabs < 4)
		if (*at++ == '\t')
			tabs++;
	next = at == end ? NULL : memchr(at, '\t', (size_t)(end - at));
	buffer_append(out, row.bytes, (size_t)(at - row.bytes));
	buffer_append_text(out, draft->message_id);
	if (next != NULL)
		buffer_append(out, next, (size_t)(end - next));
}

static int
draft_form_rename(struct draft_form *form, const struct draft *draft)
{
	struct store_article_head *head = &form->changed;
	struct buffer *added = &form->made_added;

	header_append(added, "Message-ID", span_of(draft->message_id));
	header_append(added, "X-Original-Message-ID",
	    span_of(draft->original_id));
	form->bytes += (uint32_t)added->len;
	form->bytes -= draft->id_range.len;
	ranges_insert(head->hidden_news, &head->hidden_news_count,
	    draft->id_range);
	ranges_insert(head->hidden_mail, &head->hidden_mail_count,
	    draft->id_range);
	overview_set_id(&form->made_overview, draft);
	buffer_append_span(added, form->added);
	form->added = buffer_span(added);
	form->overview = buffer_span(&form->made_overview);
	head->added_len = (uint32_t)added->len;
	return buffer_failed(added) || buffer_failed(&form->made_overview)
	    ? -ENOMEM
	    : 0;
}

static int
draft_form_make(struct draft_form *form, const struct draft *draft)
{
	form->head = &draft->head;
	form->added = span_make(draft->added, draft->head.added_len);
	form->overview = span_make(draft->overview, draft->overview_len);
	buffer_init(&form->made_added, 0);
	buffer_init(&form->made_overview, 0);
	form->bytes = draft->wire_bytes;
	form->multi = draft->space_count > 1;
	if (form->multi || draft->renamed) { /* not for all: it is a KB */
		form->changed = draft->head;
		form->head = &form->changed;
	}
	if (form->multi)
		form->changed.flags |= STORE_ARTICLE_MULTI;
	return draft->renamed ? draft_form_rename(form, draft) : 0;
}

/* ---- rows */

/* The row: what the draft has of it, octets, lines, and the Xref field, whose
 * octets are counted. Returns how many they are. */
static uint32_t
row_text(struct buffer *out, const struct draft_form *form, uint32_t lines,
    const char *hostname, const struct space *space, uint32_t number)
{
	struct buffer xref;
	uint32_t len;

	buffer_init(&xref, 0);
	buffer_append_text(&xref, "Xref: ");
	buffer_append_text(&xref, hostname);
	buffer_append_byte(&xref, ' ');
	buffer_append_text(&xref, space->name);
	buffer_append_byte(&xref, ':');
	buffer_append_number(&xref, number);
	buffer_append_text(&xref, "\r\n");
	len = (uint32_t)xref.len;
	(void)buffer_reserve(out, form->overview.len + len + ROW_NUMBERS_MAX);
	buffer_append_span(out, form->overview);
	buffer_append_number(out, form->bytes + len);
	buffer_append_byte(out, '\t');
	buffer_append_number(out, lines);
	buffer_append_byte(out, '\t');
	buffer_append_span(out, buffer_span(&xref));
	if (buffer_failed(&xref))
		out->failed = true;
	buffer_fini(&xref);
	return len;
}

/* Gives the draft a number in one space. */
static int
draft_number(struct store_txn *txn, struct community *community,
    struct draft *draft, const struct draft_form *form,
    const struct space *space, size_t i)
{
	const char *hostname = community_config(community)->hostname;
	struct store_space_state state = { 0 };
	struct store_overview_row row = { 0 };
	struct buffer text;
	int rc = store_space_state_get(store_txn_reader(txn), draft->spaces[i],
	    &state);

	buffer_init(&text, 0);
	row.lines = draft->wire_lines;
	row.bytes = form->bytes +
	    row_text(&text, form, row.lines, hostname, space, state.high + 1);
	row.artid = draft->artid;
	row.time = draft->now;
	row.flags = form->multi ? (uint32_t)STORE_ROW_MULTI : 0;
	row.text = buffer_text(&text);
	row.text_len = text.len;
	if (rc == 0 && buffer_failed(&text))
		rc = -ENOMEM;
	if (rc == 0)
		rc = store_overview_append(txn, draft->spaces[i], &row);
	if (rc == 0 && row.number != state.high + 1)
		rc = -EIO;
	draft->numbers[i] = row.number;
	buffer_fini(&text);
	return rc;
}

/* The draft in the index of Message-IDs. */
static struct store_msgid_entry
draft_entry(const struct draft *draft)
{
	struct store_msgid_entry entry = { .artid = draft->artid,
		.state = STORE_MSGID_STORED,
		.day = (uint32_t)(draft->now / 86400) };

	memcpy(entry.content, draft->content, sizeof entry.content);
	return entry;
}

/* Adds the entry, unless it is there; that of the held article it was goes. */
static int
draft_put_id(struct store_txn *txn, const struct draft *draft)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	struct store_msgid_entry entry = draft_entry(draft);
	/* the check of this operation looked, a moment ago */
	int count = draft->id_is_new ? 0
				     : store_msgid_get(store_txn_reader(txn),
					   draft->message_id_hash, entries);
	unsigned kept = 0;

	if (count < 0)
		return count;
	for (int i = 0; i < count; i++)
		if (draft->released == 0 ||
		    entries[i].state != STORE_MSGID_HELD ||
		    entries[i].about != draft->released)
			entries[kept++] = entries[i];
	count = store_msgid_insert(entries, kept, &entry);
	return count < 0 ? count
			 : store_msgid_put(txn, draft->message_id_hash, entries,
			       (unsigned)count);
}

static int
draft_put_meta(struct store_txn *txn, struct draft *draft)
{
	Kith__ArticleMeta meta;
	Kith__Placement placements[DRAFT_SPACES_MAX];
	Kith__Placement *pointers[DRAFT_SPACES_MAX];
	struct store_key key = store_key_u64(draft->artid);

	meta_of_draft(&meta, draft);
	for (size_t i = 0; i < draft->space_count; i++) {
		kith__placement__init(&placements[i]);
		placements[i].space = draft->spaces[i];
		placements[i].number = draft->numbers[i];
		pointers[i] = &placements[i];
	}
	meta.n_placements = draft->space_count;
	meta.placements = pointers;
	meta.thread = draft->thread;
	meta.ticket = draft->ticket;
	meta.automatic = draft->automatic;
	meta.unverified = draft->unverified;
	meta.expires = draft->expires;
	return store_put(txn, STORE_ARTICLE_META, &key, &meta.base);
}

static int
draft_note(struct store_txn *txn, const struct draft *draft, size_t i,
    Kith__Verb verb)
{
	Kith__Event event;

	kith__event__init(&event);
	event.time = draft->now;
	event.verb = verb;
	event.artid = draft->artid;
	event.space = draft->spaces[i];
	event.number = draft->numbers[i];
	event.actor = draft->author.member;
	event.trust = draft->author.trust;
	event.channel = draft->channel;
	event.object = draft->ticket;
	event.peer = draft->author.peer;
	return store_sequence_append(txn, &event, NULL);
}

/* So that expiry finds it without a walk through the space. */
static int
draft_put_expires(struct store_txn *txn, const struct draft *draft, size_t i)
{
	const Kith__Nothing nothing = KITH__NOTHING__INIT;
	struct store_key key;

	if (draft->expires == 0)
		return 0;
	key = store_key_u32_u64_u32(draft->spaces[i], draft->expires,
	    draft->numbers[i]);
	return store_put(txn, STORE_EXPIRES, &key, &nothing.base);
}

/* One placement: number, event, and the copies that follow. */
static int
draft_place(struct store_txn *txn, struct community *community,
    struct draft *draft, const struct draft_form *form, size_t i)
{
	bool first = draft->duplicate == 0 && i == 0;
	struct space *space =
	    spaces_by_id(community_spaces(community), draft->spaces[i]);
	int rc = space == NULL
	    ? -ENOENT
	    : draft_number(txn, community, draft, form, space, i);

	if (rc == 0)
		rc = draft_put_expires(txn, draft, i);
	if (rc == 0)
		rc = draft_note(txn, draft, i,
		    first ? KITH__VERB__VERB_STORED : KITH__VERB__VERB_PLACED);
	/* a newsgroup only has no readers by mail */
	if (rc == 0 && !draft->quiet && space->mail[0] != '\0')
		rc = job_add_list(txn, community, draft->spaces[i],
		    draft->artid, draft->except_member, draft->ticket);
	space_unref(space);
	return rc;
}

int
draft_store(struct store_txn *txn, struct community *community,
    struct draft *draft)
{
	struct draft_form form;
	int rc = draft_form_make(&form, draft);

	draft->duplicate = 0;
	if (rc == 0)
		rc = store_id_next(txn, STORE_ID_ARTICLE, &draft->artid);
	if (rc == 0)
		draft_join_thread(store_txn_reader(txn), community, draft);
	if (rc == 0)
		rc = store_article_put(txn, draft->artid, form.head,
		    (const uint8_t *)form.added.bytes,
		    (const uint8_t *)draft->received);
	for (size_t i = 0; i < draft->space_count && rc == 0; i++)
		rc = draft_place(txn, community, draft, &form, i);
	if (rc == 0)
		rc = draft_put_id(txn, draft);
	if (rc == 0)
		rc = draft_put_meta(txn, draft);
	if (rc == 0 && draft->released != 0)
		rc = held_delete(txn, draft->released);
	draft_form_fini(&form);
	return rc;
}

/* ---- further placements */

/* The article and its rows learn that there are several of them. */
static int
article_set_multi(struct store_txn *txn, const Kith__ArticleMeta *meta,
    uint64_t artid)
{
	struct store_reader *reader = store_txn_reader(txn);
	struct store_article_head head;
	uint8_t *bytes = NULL;
	size_t len;
	int rc = store_article_get(reader, artid, DRAFT_ARTICLE_MAX, &head,
	    &bytes, &len);

	if (rc == 0 && (head.flags & STORE_ARTICLE_MULTI) == 0) {
		head.flags |= STORE_ARTICLE_MULTI;
		rc = store_article_put(txn, artid, &head, bytes,
		    bytes + head.added_len);
	}
	free(bytes);
	for (size_t i = 0; i < meta->n_placements && rc == 0; i++) {
		const Kith__Placement *placement = meta->placements[i];
		struct store_overview_row row;
		char *copy = NULL;

		rc = store_overview_get(reader, placement->space,
		    placement->number, &row, &copy);
		if (rc == 0 && (row.flags & STORE_ROW_MULTI) == 0) {
			row.flags |= STORE_ROW_MULTI;
			rc =
			    store_overview_replace(txn, placement->space, &row);
		}
		free(copy);
	}
	return rc;
}

static bool
meta_has_space(const Kith__ArticleMeta *meta, uint32_t space)
{
	for (size_t i = 0; i < meta->n_placements; i++)
		if (meta->placements[i]->space == space)
			return true;
	return false;
}

/* Puts the meta back with the placements that draft->numbers name. */
static int
meta_add_placements(struct store_txn *txn, Kith__ArticleMeta *meta,
    const struct draft *draft)
{
	struct store_key key = store_key_u64(draft->artid);
	Kith__Placement added[DRAFT_SPACES_MAX];
	Kith__Placement **old = meta->placements, **all;
	size_t old_count = meta->n_placements;
	int rc;

	all = calloc(old_count + DRAFT_SPACES_MAX, sizeof(Kith__Placement *));
	if (all == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < old_count; i++)
		all[i] = old[i];
	meta->placements = all;
	for (size_t i = 0; i < draft->space_count; i++) {
		if (draft->numbers[i] == 0)
			continue;
		kith__placement__init(&added[i]);
		added[i].space = draft->spaces[i];
		added[i].number = draft->numbers[i];
		all[meta->n_placements++] = &added[i];
	}
	/* a list's article that reached support too belongs to its ticket */
	if (meta->ticket == 0)
		meta->ticket = draft->ticket;
	rc = store_put(txn, STORE_ARTICLE_META, &key, &meta->base);
	meta->placements = old;
	meta->n_placements = old_count;
	free(all);
	return rc;
}

int
draft_place_more(struct store_txn *txn, struct community *community,
    uint64_t artid, struct draft *draft)
{
	struct draft_form form;
	Kith__ArticleMeta *meta;
	int rc = meta_get(store_txn_reader(txn), artid, &meta);

	if (rc != 0)
		return rc;
	draft->artid = artid;
	draft->duplicate = artid;
	draft->expires = meta->expires; /* what the stored copy says */
	rc = draft_form_make(&form, draft);
	form.multi = true;
	if (rc == 0)
		rc = article_set_multi(txn, meta, artid);
	for (size_t i = 0; i < draft->space_count && rc == 0; i++) {
		draft->numbers[i] = 0;
		if (!meta_has_space(meta, draft->spaces[i]))
			rc = draft_place(txn, community, draft, &form, i);
	}
	if (rc == 0)
		rc = meta_add_placements(txn, meta, draft);
	draft_form_fini(&form);
	kith__article_meta__free_unpacked(meta, NULL);
	return rc;
}

int
draft_store_or_place(struct store_txn *txn, struct community *community,
    struct draft *draft)
{
	if (draft->duplicate == 0)
		return draft_store(txn, community, draft);
	return draft_place_more(txn, community, draft->duplicate, draft);
}
