/* moderation_list.c - the list of what waits, and the mail that it goes out in.
 */
#include "daemon/community/moderation_list.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/community/community.h"
#include "daemon/community/held.h"
#include "daemon/community/notice.h"
#include "daemon/community/token.h"
#include "protocol/mask.h"
#include "protocol/utf8.h"

#define LISTED_MAX  50u   /* in one mail */
#define COUNTED_MAX 2000u /* rows looked at */
#define FOUND_MAX   500u  /* the same, for one of them */
#define FIELD_MAX   120u  /* octets of From or Subject */

/* Whether it waits for the moderators of the space: they may have let it in
 * already, and it waits for others. */
static bool
held_waits_for(const Kith__Held *record, uint32_t space)
{
	for (size_t i = 0; i < record->n_approved; i++)
		if (record->approved[i] == space)
			return false;
	return true;
}

/* ---- what waits */

/* In one line, whatever it holds. */
static void
field_append(struct buffer *out, const char *text)
{
	struct span cut = utf8_cut(span_of(text), FIELD_MAX);

	for (size_t i = 0; i < cut.len; i++) {
		unsigned char byte = (unsigned char)cut.bytes[i];

		buffer_append_byte(out,
		    byte < ' ' || byte == 0x7f ? ' ' : (char)byte);
	}
	buffer_append_text(out, cut.len < strlen(text) ? " [...]\n" : "\n");
}

static void
row_append(struct moderation_list *list, uint32_t id, const Kith__Held *record)
{
	struct buffer *rows = &list->rows;
	size_t start = rows->len;

	if (list->listed++ == 0)
		list->first = id;
	list->last = id;
	buffer_printf(rows, "%6u  ", id);
	field_append(rows, record->from);
	buffer_append_text(rows, "        ");
	field_append(rows, record->subject);
	if (!buffer_failed(rows))
		(void)mail_mask_text(rows->bytes + start, rows->len - start);
}

static int
list_row(void *arg, uint32_t held, const Kith__Held *record)
{
	struct moderation_list *list = arg;

	if (list->looked++ == COUNTED_MAX) {
		list->more = true;
		return 1;
	}
	if (!held_waits_for(record, list->space->id))
		return 0;
	list->count++;
	if (list->listed < LISTED_MAX)
		row_append(list, held, record);
	return 0;
}

int
moderation_list_read(struct store_reader *reader, const struct space *space,
    struct moderation_list *list)
{
	int rc;

	*list = (struct moderation_list){ .space = space };
	buffer_init(&list->rows, 0);
	rc = held_walk(reader, space->id, 0, list_row, list);
	if (rc >= 0 && buffer_failed(&list->rows))
		rc = -ENOMEM;
	return rc < 0 ? rc : 0;
}

void
moderation_list_fini(struct moderation_list *list)
{
	buffer_fini(&list->rows);
}

struct search {
	uint32_t space, last, at;
	unsigned looked;
	bool found;
};

static int
search_row(void *arg, uint32_t held, const Kith__Held *record)
{
	struct search *search = arg;

	search->at = held;
	if (search->at > search->last || search->looked++ == FOUND_MAX)
		return 1;
	search->found = held_waits_for(record, search->space);
	return search->found;
}

int
moderation_list_find(struct store_reader *reader, uint32_t space,
    uint32_t *from, uint32_t last)
{
	struct search search = { .space = space, .last = last };
	int rc = held_walk(reader, space, *from, search_row, &search);

	if (rc < 0)
		return rc;
	if (!search.found && (rc == 0 || search.at > last))
		return -ENOENT;
	*from = search.at;
	return search.found ? 0 : -EAGAIN;
}

/* ---- the mail */

static void
count_append(struct buffer *text, const struct moderation_list *list)
{
	if (list->more)
		buffer_append_text(text, "many messages wait");
	else if (list->count == 0)
		buffer_append_text(text, "nothing waits");
	else
		buffer_printf(text, "%u message%s", list->count,
		    list->count == 1 ? " waits" : "s wait");
}

static void
letter_usage(struct buffer *text, const struct moderation_list *list)
{
	buffer_printf(text,
	    "Answer this mail with lines like these, before anything else:\n\n"
	    "    approve %u\n"
	    "    reject %u-%u\n"
	    "    reject %u: REASON\n"
	    "    show %u\n"
	    "    list\n\n"
	    "Several numbers may stand in one line: approve 1 2 5-9. A REASON is "
	    "told to the\nauthor; what is rejected without one goes without a "
	    "word. \"show\" sends you how\nit begins, \"list\" what waits by "
	    "then.\n",
	    list->first, list->first, list->last, list->last, list->first);
}

static void
letter_text(struct buffer *text, const struct moderation_list *list,
    const char *words)
{
	const char *name = list->space->name;

	buffer_printf(text, "%s%s%s: ", words, words[0] == '\0' ? "" : "\n",
	    name);
	count_append(text, list);
	buffer_append_text(text, " for a decision.\n");
	if (list->listed > 0) {
		buffer_printf(text, "%s\n",
		    list->more || list->count > list->listed
			? "These are the oldest:\n"
			: "");
		buffer_append_span(text, buffer_span(&list->rows));
		buffer_append_byte(text, '\n');
		letter_usage(text, list);
	}
	if (list->listed > 0 || list->more)
		buffer_printf(text,
		    "\nAn admin sees them all with \"kithctl held list %s\", "
		    "each with \"kithctl\nheld show\".\n",
		    name);
}

int
moderation_list_send(struct store_txn *txn, struct community *community,
    const struct moderation_list *list, const struct moderation_letter *letter)
{
	const struct space *space = list->space;
	struct notice notice = { .purpose = "moderation",
		.to = letter->to,
		.from_local = space->mail,
		.in_reply_to = letter->in_reply_to,
		.replied = letter->in_reply_to == NULL ? NULL : "auto-replied",
		.always = true,
		.space = space->id };
	char *reply_to = token_address(community,
	    space->mail[0] != '\0' ? space->mail : "postmaster",
	    TOKEN_MODERATE_LIST, space->id, letter->member);
	struct buffer subject, text;
	int rc = -ENOMEM;

	buffer_init(&subject, 0);
	buffer_init(&text, 0);
	buffer_printf(&subject, "%s: ", space->name);
	count_append(&subject, list);
	buffer_append_text(&subject, " for approval");
	letter_text(&text, list, letter->words);
	notice.reply_to = reply_to;
	notice.subject = buffer_text(&subject);
	notice.text = buffer_text(&text);
	if (reply_to != NULL && !buffer_failed(&subject) &&
	    !buffer_failed(&text))
		rc = notice_send(txn, community, &notice, NULL);
	buffer_fini(&subject);
	buffer_fini(&text);
	free(reply_to);
	return rc;
}
