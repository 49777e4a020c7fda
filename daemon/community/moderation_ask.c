/* moderation_ask.c - moderators are asked by a mail each, as far as the hour's
 * limit goes; of what came beyond it they get a list, when the hour is over.
 */
#include "daemon/community/moderation_ask.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/held.h"
#include "daemon/community/moderation_list.h"
#include "daemon/community/notice.h"
#include "daemon/community/roster.h"
#include "daemon/community/spaces.h"
#include "daemon/community/timers.h"
#include "daemon/community/token.h"
#include "daemon/log.h"
#include "protocol/mask.h"
#include "protocol/utf8.h"

#define HOUR           3600u
#define SPACES_MAX     50u   /* whose hour is over: in one operation */
#define MODERATORS_MAX 20u   /* who are asked, each by a mail of its own */
#define EXCERPT_MAX    1500u /* octets shown to a moderator */

static void
excerpt_append(struct buffer *text, struct span excerpt)
{
	struct span cut = utf8_cut(excerpt, EXCERPT_MAX);
	size_t start = text->len;

	for (size_t i = 0; i < cut.len; i++) {
		char byte = cut.bytes[i];

		if (byte == '\r')
			continue;
		if (i == 0 || cut.bytes[i - 1] == '\n')
			buffer_append_text(text, "| ");
		buffer_append_byte(text, byte);
	}
	if (excerpt.len > cut.len)
		buffer_append_text(text, " [...]");
	buffer_append_byte(text, '\n');
	if (!buffer_failed(text))
		(void)mail_mask_text(text->bytes + start, text->len - start);
}

static void
request_text(struct buffer *text, const struct space *space,
    const struct moderation_request *request)
{
	buffer_printf(text,
	    "A message to %s waits for a decision (%s).\n\n"
	    "From:    %s\nSubject: %s\nHeld as: %u\n\n",
	    space->name, held_cause_name(request->cause), request->from,
	    request->subject, request->held);
	excerpt_append(text, request->excerpt);
	buffer_append_text(text,
	    "\nAnswer this mail with one of these as the first line:\n\n"
	    "    approve\n"
	    "    reject\n"
	    "    reject REASON      (the author is told the reason)\n"
	    "    list               (what else waits)\n");
}

static void
last_text(struct buffer *text)
{
	buffer_append_text(text,
	    "\nThis mail is the last of its kind in this hour: too many "
	    "messages come in.\nOthers wait as well: a list of them, whose answer "
	    "decides, follows when the\nhour is over, or at once if you answer "
	    "\"list\" to this mail.\n");
}

static int
moderator_ask(struct store_txn *txn, struct community *community,
    const struct space *space, const struct roster_entry *moderator,
    struct span text, uint32_t held)
{
	struct notice notice = { .purpose = "moderation", .always = true };
	char subject[160];
	char *reply_to = token_address(community,
	    space->mail[0] != '\0' ? space->mail : "postmaster", TOKEN_MODERATE,
	    held, moderator->member);
	int rc;

	(void)snprintf(subject, sizeof subject,
	    "%s: message %u waits for approval", space->name, held);
	notice.to = moderator->text;
	notice.from_local = space->mail;
	notice.reply_to = reply_to;
	notice.subject = subject;
	notice.text = text.bytes;
	notice.space = space->id;
	rc = reply_to == NULL ? -ENOMEM
			      : notice_send(txn, community, &notice, NULL);
	free(reply_to);
	return rc;
}

/* Of a crosspost the first that is moderated (RFC 5537 3.5.1), or else the
 * first. Counted; NULL: there is none. */
static struct space *
space_to_ask(struct community *community, const struct draft *draft)
{
	struct spaces *spaces = community_spaces(community);
	struct space *space;

	for (size_t i = 0; i < draft->space_count; i++) {
		space = spaces_by_id(spaces, draft->spaces[i]);
		if (space != NULL &&
		    space->moderation != KITH__MODERATION__MODERATION_NONE)
			return space;
		space_unref(space);
	}
	return draft->space_count == 0 ? NULL
				       : spaces_by_id(spaces, draft->spaces[0]);
}

static int
moderators_ask_each(struct store_txn *txn, struct community *community,
    const struct space *space, struct span text, uint32_t held)
{
	struct roster moderators = { .count = 0 };
	int rc = roster_moderators(store_txn_reader(txn), space, &moderators);

	for (size_t i = 0;
	     i < moderators.count && i < MODERATORS_MAX && rc == 0; i++)
		rc = moderator_ask(txn, community, space,
		    &moderators.entries[i], text, held);
	roster_fini(&moderators);
	return rc;
}

/* ---- the summary of an hour */

static void
summary_words(struct buffer *words, const struct moderation_list *list,
    const Kith__Asked *asked)
{
	buffer_printf(words,
	    "%u message%s to %s that came in one hour %s too "
	    "many for a mail each.\n",
	    asked->unasked, asked->unasked == 1 ? "" : "s", list->space->name,
	    asked->unasked == 1 ? "was" : "were");
}

static int
summary_send_each(struct store_txn *txn, struct community *community,
    const struct moderation_list *list, const char *words)
{
	struct moderation_letter letter = { .words = words };
	struct roster moderators = { .count = 0 };
	int rc =
	    roster_moderators(store_txn_reader(txn), list->space, &moderators);

	for (size_t i = 0;
	     i < moderators.count && i < MODERATORS_MAX && rc == 0; i++) {
		letter.member = moderators.entries[i].member;
		letter.to = moderators.entries[i].text;
		rc = moderation_list_send(txn, community, list, &letter);
	}
	roster_fini(&moderators);
	return rc;
}

static int
summary_send(struct store_txn *txn, struct community *community,
    const struct space *space, const Kith__Asked *asked)
{
	struct moderation_list list;
	struct buffer words;
	int rc = moderation_list_read(store_txn_reader(txn), space, &list);

	buffer_init(&words, 0);
	summary_words(&words, &list, asked);
	if (rc == 0 && buffer_failed(&words))
		rc = -ENOMEM;
	/* all may be decided by now */
	if (rc == 0 && (list.count > 0 || list.more))
		rc = summary_send_each(txn, community, &list,
		    buffer_text(&words));
	buffer_fini(&words);
	moderation_list_fini(&list);
	return rc;
}

/* The hour of the row is over. */
static int
asked_close(struct store_txn *txn, struct community *community, uint32_t id,
    const Kith__Asked *asked)
{
	struct space *space = spaces_by_id(community_spaces(community), id);
	int rc = 0;

	if (space != NULL && asked->unasked > 0)
		rc = summary_send(txn, community, space, asked);
	space_unref(space);
	return rc;
}

/* ---- asking */

/* Counts one more to be asked about; left_r: how many mails there are for it
 * and those after it. */
static int
asked_count(struct store_txn *txn, struct community *community, uint32_t space,
    unsigned *left_r)
{
	unsigned most = community_config(community)->moderation_per_hour;
	uint64_t hour = community_now(community) / HOUR;
	struct store_key key = store_key_u32(space);
	ProtobufCMessage *message = NULL;
	Kith__Asked asked;
	int rc;

	rc = store_get(store_txn_reader(txn), STORE_ASKED, &key, &message);
	if (rc != 0 && rc != -ENOENT)
		return rc;
	kith__asked__init(&asked);
	if (rc == 0)
		asked = *(const Kith__Asked *)(const void *)message;
	rc = 0;
	if (asked.hour != hour) {
		rc = asked_close(txn, community, space, &asked);
		kith__asked__init(&asked);
		asked.hour = hour;
	}
	*left_r = most == 0      ? UINT_MAX
	    : asked.asked < most ? most - asked.asked
				 : 0;
	if (*left_r > 0)
		asked.asked++;
	else
		asked.unasked++;
	if (rc == 0)
		rc = store_put(txn, STORE_ASKED, &key, &asked.base);
	if (message != NULL)
		protobuf_c_message_free_unpacked(message, NULL);
	return rc;
}

int
moderators_ask(struct store_txn *txn, struct community *community,
    const struct draft *draft, const struct held_note *note, uint32_t held)
{
	struct moderation_request request = { .held = held,
		.cause = note->cause,
		.from = draft->from,
		.subject = draft->subject,
		.excerpt = note->excerpt };
	struct space *space = space_to_ask(community, draft);
	struct buffer text;
	unsigned left = 0;
	int rc;

	if (space == NULL)
		return 0;
	buffer_init(&text, 0);
	rc = asked_count(txn, community, space->id, &left);
	if (rc == 0 && left > 0) {
		request_text(&text, space, &request);
		if (left == 1)
			last_text(&text);
		rc = buffer_failed(&text)
		    ? -ENOMEM
		    : moderators_ask_each(txn, community, space,
			  buffer_span(&text), held);
	}
	buffer_fini(&text);
	space_unref(space);
	return rc;
}

int
moderator_ask_again(struct store_txn *txn, struct community *community,
    const struct space *space, const struct roster_entry *moderator,
    const struct moderation_request *request)
{
	struct buffer text;
	int rc;

	buffer_init(&text, 0);
	request_text(&text, space, request);
	rc = buffer_failed(&text)
	    ? -ENOMEM
	    : moderator_ask(txn, community, space, moderator,
		  buffer_span(&text), request->held);
	buffer_fini(&text);
	return rc;
}

/* ---- the timer */

struct closing {
	struct store_op op;
	struct community *community;
	void (*done)(void *arg);
	void *arg;
	uint64_t hour; /* this one */
	unsigned count;
	bool more;
	uint32_t spaces[SPACES_MAX];
};

static int
closing_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	const Kith__Asked *asked = (const Kith__Asked *)(const void *)message;
	struct closing *closing = arg;

	if (asked->hour == closing->hour)
		return 0;
	closing->more = closing->count == SPACES_MAX;
	if (!closing->more)
		closing->spaces[closing->count++] = store_key_get_u32(key, 0);
	return closing->more;
}

static int
closing_find(struct closing *closing, struct store_reader *reader)
{
	int rc;

	closing->count = 0;
	closing->more = false;
	rc = store_walk(reader, STORE_ASKED, NULL, NULL, closing_row, closing);
	return rc < 0 ? rc : 0;
}

static int
closing_check(struct store_txn *txn, struct store_op *op)
{
	return closing_find((struct closing *)(void *)op,
	    store_txn_reader(txn));
}

static int
closing_apply(struct store_txn *txn, struct store_op *op)
{
	struct closing *closing = (struct closing *)(void *)op;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < closing->count; i++) {
		struct store_key key = store_key_u32(closing->spaces[i]);
		ProtobufCMessage *message = NULL;

		rc = store_get(store_txn_reader(txn), STORE_ASKED, &key,
		    &message);
		if (rc == 0)
			rc = asked_close(txn, closing->community,
			    closing->spaces[i],
			    (const Kith__Asked *)(const void *)message);
		if (rc == 0)
			rc = store_delete(txn, STORE_ASKED, &key);
		if (message != NULL)
			protobuf_c_message_free_unpacked(message, NULL);
	}
	return rc;
}

static void
closing_end(struct closing *closing)
{
	closing->done(closing->arg);
	free(closing);
}

static void
closing_done(struct store_op *op, int result)
{
	struct closing *closing = (struct closing *)(void *)op;

	if (result < 0)
		log_err("moderation: %s", strerror(-result));
	if (result == 0 && closing->more)
		store_submit(community_store(closing->community), op);
	else
		closing_end(closing);
}

void
moderation_run_due(struct community *community, void (*done)(void *arg),
    void *arg)
{
	struct closing *closing = calloc(1, sizeof *closing);
	struct store_view *view;

	if (closing == NULL) { /* the next turn will do */
		done(arg);
		return;
	}
	closing->community = community;
	closing->done = done;
	closing->arg = arg;
	closing->hour = community_now(community) / HOUR;
	closing->op.check = closing_check;
	closing->op.apply = closing_apply;
	closing->op.done = closing_done;
	closing->op.inbox = community_inbox(community);
	closing->op.bulk = true;
	view = store_view_begin(community_store(community));
	if (view != NULL)
		(void)closing_find(closing, store_view_reader(view));
	store_view_end(&view);
	if (closing->count > 0)
		store_submit(community_store(community), &closing->op);
	else
		closing_end(closing);
}
