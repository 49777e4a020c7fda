/* draft_build.c - the facts of an article that is about to be stored.
 */
#include "daemon/community/draft_build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "protocol/msgid.h"
#include "protocol/utf8.h"
#include "protocol/words.h"

#define DRAFT_REFERENCES_MAX 32u
#define DRAFT_TEXT_MAX       500u /* octets of decoded Subject and From */

/* The texts of a draft, in this order behind the added block. */
enum draft_kept {
	DRAFT_OVERVIEW,
	DRAFT_SUBJECT,
	DRAFT_FROM,
	DRAFT_REFERENCES,
	DRAFT_KEPT,
};

void
draft_build_begin(struct draft_build *build, struct community *community,
    struct draft *draft, const struct draft_bytes *bytes)
{
	memset(build, 0, offsetof(struct draft_build, fields));
	build->community = community;
	build->draft = draft;
	build->wire = span_make(bytes->bytes, bytes->len);
	article_header_lend(&build->header, build->fields, DRAFT_FIELDS);
	buffer_lend(&build->added, build->text, sizeof build->text);
	draft->received = bytes->bytes;
	draft->received_len = bytes->len;
	draft->now = community_now(community);
	build->facts = bytes->facts;
	if (bytes->facts.stuffed > 0)
		draft->head.flags |= STORE_ARTICLE_STUFFED;
	if (bytes->facts.eight_bit)
		draft->head.flags |= STORE_ARTICLE_8BIT;
}

enum reason
draft_build_end(struct draft_build *build, enum reason reason)
{
	article_header_fini(&build->header);
	buffer_fini(&build->added);
	if (reason != REASON_STORED)
		draft_fini(build->draft);
	return reason;
}

enum reason
draft_refuse(struct draft_build *build, enum reason reason, const char *format,
    ...)
{
	va_list args;

	if (build->room > 0) {
		va_start(args, format);
		(void)vsnprintf(build->detail, build->room, format, args);
		va_end(args);
	}
	return reason;
}

static int
ranges_add(struct store_range *ranges, uint32_t *count, uint32_t offset,
    uint32_t len)
{
	struct store_range *last = *count == 0 ? NULL : &ranges[*count - 1];

	if (last != NULL && last->offset + last->len == offset) {
		last->len += len;
		return 0;
	}
	if (*count == STORE_HIDDEN_MAX)
		return -E2BIG;
	ranges[(*count)++] = (struct store_range){ offset, len };
	return 0;
}

int
draft_hide(struct draft_build *build, const struct article_field *field,
    bool news, bool mail)
{
	struct store_article_head *head = &build->draft->head;
	uint32_t offset = (uint32_t)field->offset, len = (uint32_t)field->len;
	int rc = 0;

	if (news)
		rc = ranges_add(head->hidden_news, &head->hidden_news_count,
		    offset, len);
	if (rc == 0 && mail)
		rc = ranges_add(head->hidden_mail, &head->hidden_mail_count,
		    offset, len);
	return rc;
}

void
draft_hash_content(struct draft_build *build)
{
	static const enum header_id fields[] = { HEADER_FROM, HEADER_DATE,
		HEADER_SUBJECT };
	struct store *store = community_store(build->community);
	struct span body = article_body(&build->header);
	uint8_t hash[STORE_HASH_LEN];
	char room[512];
	struct buffer text;

	store_hash_body(store, body.bytes, body.len, hash);
	buffer_init(&text, 0);
	buffer_lend(&text, room, sizeof room);
	buffer_append(&text, hash, sizeof hash);
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		header_unfold(&text, article_value(&build->header, fields[i]));
		buffer_append_byte(&text, '\n');
	}
	store_hash(store, text.bytes, text.len, build->draft->content);
	buffer_fini(&text);
}

void
draft_id_of_hash(const struct community *community, const char *tag,
    const uint8_t hash[STORE_HASH_LEN], char id[256])
{
	char hex[2 * STORE_HASH_LEN + 1];

	for (size_t i = 0; i < STORE_HASH_LEN; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	(void)snprintf(id, 250, "<%s.%s@%s>", tag, hex,
	    community_config(community)->hostname);
}

void
draft_set_id(struct draft_build *build, struct span own, bool from_content)
{
	struct draft *draft = build->draft;
	uint8_t random[STORE_HASH_LEN];

	if (own.len > 0 && own.len < sizeof draft->message_id) {
		memcpy(draft->message_id, own.bytes, own.len);
		draft->message_id[own.len] = '\0';
	} else if (draft->held_since != 0 && draft->message_id[0] != '\0') {
		header_append(&build->added, "Message-ID",
		    span_of(draft->message_id));
	} else {
		if (from_content)
			memcpy(random, draft->content, sizeof random);
		else if (getrandom(random, sizeof random, 0) !=
		    (ssize_t)sizeof random)
			store_hash(community_store(build->community), draft,
			    sizeof *draft, random);
		draft_id_of_hash(build->community, "kith", random,
		    draft->message_id);
		header_append(&build->added, "Message-ID",
		    span_of(draft->message_id));
	}
	build->said.message_id = span_of(draft->message_id);
	store_msgid_hash(community_store(build->community), draft->message_id,
	    strlen(draft->message_id), draft->message_id_hash);
}

void
draft_set_dates(struct draft_build *build)
{
	struct span own = article_value(&build->header, HEADER_DATE);
	struct span expires = article_value(&build->header, HEADER_EXPIRES);
	int64_t seconds = 0;

	if (own.len == 0) {
		seconds = (int64_t)(build->draft->held_since != 0
			? build->draft->held_since
			: build->draft->now);
		build->said.date = span_of(date_format(seconds, build->date));
		header_append(&build->added, "Date", build->said.date);
	} else if (date_parse(own, &seconds) != 0) {
		seconds = 0;
	}
	build->draft->date = seconds > 0 ? (uint64_t)seconds : 0;
	/* what cannot be read says nothing */
	seconds = 0;
	if (expires.len > 0 && date_parse(expires, &seconds) != 0)
		seconds = 0;
	build->draft->expires = seconds > 0 ? (uint64_t)seconds : 0;
}

uint64_t
draft_injected(const struct draft_build *build)
{
	struct span own = article_value(&build->header, HEADER_INJECTION_DATE);
	int64_t seconds;

	return own.len > 0 && date_parse(own, &seconds) == 0 && seconds > 0
	    ? (uint64_t)seconds
	    : build->draft->date;
}

int
draft_find_reply_to_id(struct draft_build *build)
{
	struct msgid_list list;
	int rc;

	build->reply_to_id[0] = '\0';
	msgid_list_init(&list);
	rc = msgid_list_parse(&list,
	    article_value(&build->header, HEADER_IN_REPLY_TO), 2);
	if (rc == 0 && list.count == 1 && msgid_is_valid(list.ids[0]) &&
	    list.ids[0].len < sizeof build->reply_to_id)
		(void)snprintf(build->reply_to_id, sizeof build->reply_to_id,
		    "%.*s", SPAN_ARG(list.ids[0]));
	msgid_list_fini(&list);
	return rc;
}

/* ---- what the draft keeps: texts behind the added block, each with a NUL,
 * until all of them move to memory of the draft's own. */

static void
keep_decoded(struct buffer *out, struct span raw)
{
	size_t from = out->len;
	struct span text;

	words_decode(out, raw);
	if (buffer_failed(out))
		return;
	text = span_make(out->bytes + from, out->len - from);
	out->len = from + utf8_cut(text, DRAFT_TEXT_MAX).len;
	buffer_append_byte(out, '\0');
}

static void
keep_reference(struct buffer *out, struct draft *draft, struct span id)
{
	buffer_append_span(out, id);
	buffer_append_byte(out, '\0');
	draft->reference_count++;
}

/* Newest ids of References and that of In-Reply-To. */
static int
keep_references(struct draft_build *build, struct buffer *out)
{
	struct draft *draft = build->draft;
	struct span raw = article_value(&build->header, HEADER_REFERENCES);
	struct span parent = span_of(build->reply_to_id);
	struct msgid_list list;
	int rc = 0;

	msgid_list_init(&list);
	if (raw.len > 0)
		rc = msgid_list_parse(&list, raw, DRAFT_REFERENCES_MAX);
	if (rc == 0 && list.count == 0)
		rc = msgid_list_parse(&list,
		    article_value(&build->header, HEADER_IN_REPLY_TO),
		    DRAFT_REFERENCES_MAX);
	for (size_t i = 0; rc == 0 && i < list.count; i++) {
		keep_reference(out, draft, list.ids[i]);
		if (span_equal(list.ids[i], parent))
			parent.len = 0;
	}
	/* some clients leave the parent out of References */
	if (rc == 0 && parent.len > 0)
		keep_reference(out, draft, parent);
	msgid_list_fini(&list);
	return rc;
}

/* The row less its last two fields, which are known once there is a number. */
static void
keep_overview(struct draft_build *build, struct buffer *out)
{
	static const char tail[] = "0\t0\t";
	size_t from = out->len;

	overview_append(out, &build->header, &build->said);
	if (buffer_failed(out))
		return;
	out->len -= sizeof tail - 1;
	build->draft->overview_len = out->len - from;
	buffer_append_byte(out, '\0');
}

/* Octets and lines of the news copy as it is read (RFC 3977 8.1). */
static void
draft_measure(struct draft_build *build)
{
	struct draft *draft = build->draft;
	uint64_t bytes = build->added.len + draft->received_len;

	bytes -= build->facts.stuffed;
	for (uint32_t i = 0; i < draft->head.hidden_news_count; i++)
		bytes -= draft->head.hidden_news[i].len;
	draft->wire_bytes = (uint32_t)bytes;
	/* stored bytes that were tampered with end where nothing should */
	draft->wire_lines = build->facts.lines < build->header.lines
	    ? 0
	    : (uint32_t)(build->facts.lines - build->header.lines);
}

/* Who looks for a reference, which is the writer, finds its hash made. */
static char *
draft_set_reference(struct draft_build *build, size_t i, char *id)
{
	struct draft_reference *reference = &build->draft->references[i];
	size_t len = strlen(id);

	reference->id = id;
	store_msgid_hash(community_store(build->community), id, len,
	    reference->hash);
	return id + len + 1;
}

/* The texts lie behind the references, which must be aligned. */
static int
draft_take_kept(struct draft_build *build, const struct buffer *kept,
    const size_t at[DRAFT_KEPT])
{
	struct draft *draft = build->draft;
	size_t before = draft->reference_count * sizeof *draft->references;
	char *text, *id;

	draft->made = malloc(before + kept->len);
	if (draft->made == NULL)
		return -ENOMEM;
	text = memcpy(draft->made + before, kept->bytes, kept->len);
	draft->added = text;
	draft->overview = text + at[DRAFT_OVERVIEW];
	draft->subject = text + at[DRAFT_SUBJECT];
	draft->from = text + at[DRAFT_FROM];
	draft->references = (struct draft_reference *)(void *)draft->made;
	id = text + at[DRAFT_REFERENCES];
	for (size_t i = 0; i < draft->reference_count; i++)
		id = draft_set_reference(build, i, id);
	return 0;
}

enum reason
draft_build_finish(struct draft_build *build)
{
	const struct article_header *header = &build->header;
	struct draft *draft = build->draft;
	struct buffer *kept = &build->added;
	size_t at[DRAFT_KEPT];

	draft_measure(build);
	draft->head.header_len = (uint32_t)header->header_len;
	draft->head.received_len = (uint32_t)draft->received_len;
	draft->head.added_len = (uint32_t)kept->len;
	buffer_append_byte(kept, '\0');
	at[DRAFT_OVERVIEW] = kept->len;
	keep_overview(build, kept);
	at[DRAFT_SUBJECT] = kept->len;
	keep_decoded(kept, build->said.subject.len > 0
		? build->said.subject
		: article_value(header, HEADER_SUBJECT));
	at[DRAFT_FROM] = kept->len;
	keep_decoded(kept, build->said.from.len > 0
		? build->said.from
		: article_value(header, HEADER_FROM));
	at[DRAFT_REFERENCES] = kept->len;
	if (keep_references(build, kept) != 0 || buffer_failed(kept) ||
	    draft_take_kept(build, kept, at) != 0)
		return REASON_BUSY;
	return REASON_STORED;
}
