/* mail_summary_wire.c - the summary as a flat run of bytes, and back. One walk
 * over the fields serves both ways, so that they cannot drift apart.
 */
#include <errno.h>
#include <stdlib.h>

#include "protocol/mail_summary.h"
#include "protocol/mime.h"
#include "protocol/utf8.h"

#define WIRE_VERSION 1u
#define STRING_MAX   16777216u

/* out set: writes; else reads from `in`. The first fault sticks. */
struct wire {
	struct buffer *out;
	struct span in;
	size_t at;
	int rc;
};

static void
wire_u64(struct wire *wire, uint64_t *value)
{
	unsigned char bytes[8];

	if (wire->rc != 0)
		return;
	if (wire->out != NULL) {
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (unsigned char)(*value >> (8 * i));
		buffer_append(wire->out, bytes, sizeof bytes);
		return;
	}
	if (wire->in.len - wire->at < sizeof bytes) {
		wire->rc = -EBADMSG;
		return;
	}
	memcpy(bytes, wire->in.bytes + wire->at, sizeof bytes);
	wire->at += sizeof bytes;
	*value = 0;
	for (size_t i = 0; i < sizeof bytes; i++)
		*value |= (uint64_t)bytes[i] << (8 * i);
}

/* A number that must not exceed max. */
static uint64_t
wire_number(struct wire *wire, uint64_t value, uint64_t max)
{
	wire_u64(wire, &value);
	if (wire->rc == 0 && value > max)
		wire->rc = -EBADMSG;
	return wire->rc == 0 ? value : 0;
}

static void
wire_bool(struct wire *wire, bool *value)
{
	*value = wire_number(wire, *value, 1) != 0;
}

static void
wire_u32(struct wire *wire, uint32_t *value)
{
	*value = (uint32_t)wire_number(wire, *value, UINT32_MAX);
}

static void
wire_string(struct wire *wire, char **text)
{
	size_t len = wire->out == NULL ? 0 : strlen(*text);
	struct span bytes;

	len = (size_t)wire_number(wire, len, STRING_MAX);
	if (wire->rc != 0)
		return;
	if (wire->out != NULL) {
		buffer_append(wire->out, *text, len);
		return;
	}
	if (wire->in.len - wire->at < len) {
		wire->rc = -EBADMSG;
		return;
	}
	bytes = span_make(wire->in.bytes + wire->at, len);
	if (!utf8_valid(bytes)) {
		wire->rc = -EBADMSG;
		return;
	}
	*text = strndup(bytes.bytes, len);
	if (*text == NULL)
		wire->rc = -ENOMEM;
	wire->at += len;
}

/* A count, and when reading room for as many zeroed items. */
static size_t
wire_array(struct wire *wire, size_t count, size_t max, void **items,
    size_t item_size)
{
	count = (size_t)wire_number(wire, count, max);
	if (wire->rc != 0 || wire->out != NULL || count == 0)
		return count;
	/* an item takes at least 8 bytes: no large array for a short frame */
	if (count > (wire->in.len - wire->at) / 8) {
		wire->rc = -EBADMSG;
		return 0;
	}
	*items = calloc(count, item_size);
	if (*items == NULL)
		wire->rc = -ENOMEM;
	return *items == NULL ? 0 : count;
}

static void
wire_addresses(struct wire *wire, struct address_list *list)
{
	void *items = list->items;

	list->count = wire_array(wire, list->count, MAIL_ADDRESSES_MAX, &items,
	    sizeof *list->items);
	list->items = items;
	for (size_t i = 0; i < list->count; i++) {
		wire_string(wire, &list->items[i].name);
		wire_string(wire, &list->items[i].text);
		wire_string(wire, &list->items[i].compared);
	}
	wire_bool(wire, &list->truncated);
	wire_bool(wire, &list->malformed);
}

static void
wire_ids(struct wire *wire, struct mail_ids *ids)
{
	void *items = ids->items;

	ids->count = wire_array(wire, ids->count, MAIL_REFERENCES_MAX, &items,
	    sizeof *ids->items);
	ids->items = items;
	for (size_t i = 0; i < ids->count; i++)
		wire_string(wire, &ids->items[i]);
}

static void
wire_parts(struct wire *wire, struct mail_summary *summary)
{
	void *items = summary->parts;

	summary->part_count = wire_array(wire, summary->part_count,
	    MAIL_PARTS_MAX, &items, sizeof *summary->parts);
	summary->parts = items;
	for (size_t i = 0; i < summary->part_count; i++) {
		struct mail_part *part = &summary->parts[i];

		wire_string(wire, &part->type);
		wire_string(wire, &part->charset);
		wire_string(wire, &part->filename);
		part->encoding =
		    (uint8_t)wire_number(wire, part->encoding, MIME_UNKNOWN);
		wire_bool(wire, &part->attachment);
		wire_u32(wire, &part->offset);
		wire_u32(wire, &part->len);
		wire_u32(wire, &part->depth);
	}
	wire_bool(wire, &summary->parts_truncated);
}

static void
wire_report(struct wire *wire, struct mail_report *report)
{
	void *items = report->recipients;
	uint64_t number;

	report->count = wire_array(wire, report->count,
	    MAIL_REPORT_RECIPIENTS_MAX, &items, sizeof *report->recipients);
	report->recipients = items;
	for (size_t i = 0; i < report->count; i++) {
		struct mail_report_recipient *one = &report->recipients[i];

		wire_string(wire, &one->final_recipient);
		wire_string(wire, &one->original_recipient);
		wire_string(wire, &one->action);
		wire_string(wire, &one->status);
		wire_string(wire, &one->diagnostic);
		number =
		    wire_number(wire, (uint64_t)one->bounce, MAIL_BOUNCE_HARD);
		one->bounce = (enum mail_bounce)number;
	}
	wire_bool(wire, &report->truncated);
	wire_string(wire, &report->envelope_id);
	wire_string(wire, &report->original_message_id);
	wire_string(wire, &report->feedback_type);
	wire_string(wire, &report->original_mail_from);
}

static void
wire_result(struct wire *wire, enum mail_auth_result *result)
{
	uint64_t number = wire_number(wire, (uint64_t)*result, MAIL_AUTH_FAIL);

	*result = (enum mail_auth_result)number;
}

static void
wire_auth(struct wire *wire, struct mail_auth *auth)
{
	wire_bool(wire, &auth->found);
	wire_result(wire, &auth->dmarc);
	wire_result(wire, &auth->dkim);
	wire_result(wire, &auth->spf);
	wire_bool(wire, &auth->dkim_aligned);
	wire_bool(wire, &auth->aligned_pass);
}

static void
wire_flags(struct wire *wire, struct mail_summary *summary)
{
	bool *flags[] = { &summary->list_mail, &summary->own_mark,
		&summary->encrypted, &summary->is_signed, &summary->calendar,
		&summary->several_from, &summary->stripper_empty,
		&summary->text_truncated, &summary->text_from_html,
		&summary->has_attachments, &summary->subject_hint };

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		wire_bool(wire, flags[i]);
}

static void
wire_summary(struct wire *wire, struct mail_summary *summary)
{
	char **texts[] = { &summary->subject, &summary->message_id,
		&summary->list_id, &summary->precedence,
		&summary->auto_submitted, &summary->kith_loop,
		&summary->content_type, &summary->thread_index, &summary->text,
		&summary->own_text, &summary->class_reason };
	uint64_t date = (uint64_t)summary->date, number;

	if (wire_number(wire, WIRE_VERSION, UINT64_MAX) != WIRE_VERSION &&
	    wire->rc == 0)
		wire->rc = -EBADMSG;
	wire_addresses(wire, &summary->from);
	wire_addresses(wire, &summary->sender);
	wire_addresses(wire, &summary->reply_to);
	wire_addresses(wire, &summary->to);
	wire_addresses(wire, &summary->cc);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		wire_string(wire, texts[i]);
	wire_ids(wire, &summary->in_reply_to);
	wire_ids(wire, &summary->references);
	wire_u64(wire, &date);
	summary->date = (int64_t)date;
	wire_u32(wire, &summary->received_count);
	wire_flags(wire, summary);
	wire_parts(wire, summary);
	number = wire_number(wire, (uint64_t)summary->class, MAIL_CLASS_LAST);
	summary->class = (enum mail_class)number;
	wire_auth(wire, &summary->auth);
	wire_report(wire, &summary->report);
}

void
mail_summary_encode(struct buffer *out, const struct mail_summary *summary)
{
	struct mail_summary copy = *summary; /* strings stay the caller's */
	struct wire wire = { .out = out };

	wire_summary(&wire, &copy);
	if (wire.rc != 0)
		out->failed = true;
}

int
mail_summary_decode(const char *bytes, size_t len, struct mail_summary *summary)
{
	struct wire wire = { .in = span_make(bytes, len) };

	memset(summary, 0, sizeof *summary);
	wire_summary(&wire, summary);
	if (wire.rc == 0 && wire.at != len)
		wire.rc = -EBADMSG;
	if (wire.rc != 0)
		mail_summary_fini(summary);
	return wire.rc;
}
