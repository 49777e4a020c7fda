/* mail_summary.c - builds the summary: header, parts, text, report.
 */
#include "build.h"

#include "protocol/mail_summary.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol/date.h"
#include "protocol/mail_class.h"
#include "protocol/mail_text.h"
#include "protocol/mime.h"
#include "protocol/msgid.h"
#include "protocol/own_text.h"
#include "protocol/utf8.h"
#include "protocol/words.h"

#define BYTES_MAX        0x7fffffffu
#define HEADER_LOOK_MAX  1048576u
#define FROM_MAX         20u
#define VALUE_MAX        200u
#define FILENAME_MAX_LEN 200u
#define REPORT_MAX       1048576u

struct summary_build {
	struct span message;
	struct span header;
	struct mime_tree tree;
	const struct mail_summary_options *options;
	struct mail_summary *summary;
};

/* ---- strings */

static char *
owned_cut(struct buffer *decoded, size_t max)
{
	struct buffer cut;

	buffer_init(&cut, 0);
	buffer_append_span(&cut,
	    utf8_cut(span_trim(buffer_span(decoded)), max));
	cut.failed |= decoded->failed;
	buffer_fini(decoded);
	return buffer_take(&cut, NULL);
}

/* A header value as decoded text, "" if it is not there. */
static char *
decoded_text(struct span value, size_t max)
{
	struct buffer out;

	buffer_init(&out, 0);
	words_decode(&out, value);
	return owned_cut(&out, max);
}

static char *
lower(char *text)
{
	for (char *at = text; at != NULL && *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + ('a' - 'A'));
	}
	return text;
}

static char *
param_text(struct span value, const char *name, size_t max)
{
	struct buffer out;

	buffer_init(&out, 0);
	(void)words_param(&out, value, name);
	return owned_cut(&out, max);
}

/* ---- header */

static int
read_addresses(struct summary_build *build)
{
	const struct {
		const char *name;
		size_t max;
		struct address_list *list;
	} rows[] = {
		{ "From", FROM_MAX, &build->summary->from },
		{ "Sender", 1, &build->summary->sender },
		{ "Reply-To", FROM_MAX, &build->summary->reply_to },
		{ "To", MAIL_ADDRESSES_MAX, &build->summary->to },
		{ "Cc", MAIL_ADDRESSES_MAX, &build->summary->cc },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof rows / sizeof rows[0]; i++)
		rc = address_list_parse(mime_field(build->header, rows[i].name),
		    rows[i].max, rows[i].list);
	return rc;
}

static int
read_ids(struct span value, size_t max, struct mail_ids *ids)
{
	struct msgid_list list;
	int rc;

	msgid_list_init(&list);
	rc = msgid_list_parse(&list, value, max);
	if (rc == 0 && list.count > 0) {
		ids->items = calloc(list.count, sizeof *ids->items);
		if (ids->items == NULL)
			rc = -ENOMEM;
	}
	for (size_t i = 0; rc == 0 && i < list.count; i++) {
		struct buffer id;

		buffer_init(&id, 0);
		utf8_append(&id, list.ids[i]);
		ids->items[i] = buffer_take(&id, NULL);
		if (ids->items[i] == NULL)
			rc = -ENOMEM;
		else
			ids->count++;
	}
	msgid_list_fini(&list);
	return rc;
}

static int
read_references(struct summary_build *build)
{
	struct mail_summary *summary = build->summary;
	struct span id =
	    msgid_of_value(mime_field(build->header, "Message-ID"));
	struct buffer text;
	int rc;

	buffer_init(&text, 0);
	utf8_append(&text, id);
	summary->message_id = buffer_take(&text, NULL);
	rc = summary->message_id == NULL ? -ENOMEM : 0;
	if (rc == 0)
		rc = read_ids(mime_field(build->header, "In-Reply-To"),
		    MAIL_REFERENCES_MAX, &summary->in_reply_to);
	if (rc == 0)
		rc = read_ids(mime_field(build->header, "References"),
		    MAIL_REFERENCES_MAX, &summary->references);
	return rc;
}

/* "Name <id>" -> id. */
static char *
list_id_text(struct span value)
{
	const char *open, *close;

	open = value.len == 0 ? NULL : memrchr(value.bytes, '<', value.len);
	if (open != NULL) {
		value.len -= (size_t)(open + 1 - value.bytes);
		value.bytes = open + 1;
		close =
		    value.len == 0 ? NULL : memchr(value.bytes, '>', value.len);
		if (close != NULL)
			value.len = (size_t)(close - value.bytes);
	}
	return lower(decoded_text(value, VALUE_MAX));
}

static int
read_values(struct summary_build *build)
{
	struct mail_summary *summary = build->summary;
	struct span header = build->header;

	summary->subject =
	    decoded_text(mime_field(header, "Subject"), MAIL_SUBJECT_MAX);
	summary->list_id = list_id_text(mime_field(header, "List-Id"));
	summary->precedence =
	    lower(decoded_text(mime_field(header, "Precedence"), VALUE_MAX));
	summary->auto_submitted = lower(
	    decoded_text(mime_field(header, "Auto-Submitted"), VALUE_MAX));
	summary->kith_loop =
	    decoded_text(mime_field(header, "Kith-Loop"), VALUE_MAX);
	summary->thread_index =
	    decoded_text(mime_field(header, "Thread-Index"), 100);
	summary->content_type =
	    lower(decoded_text(build->tree.items[0].type, VALUE_MAX));
	if (summary->subject == NULL || summary->list_id == NULL ||
	    summary->precedence == NULL || summary->auto_submitted == NULL ||
	    summary->kith_loop == NULL || summary->thread_index == NULL ||
	    summary->content_type == NULL)
		return -ENOMEM;
	if (date_parse(mime_field(header, "Date"), &summary->date) != 0)
		summary->date = 0;
	return 0;
}

static void
count_fields(struct summary_build *build)
{
	struct mail_summary *summary = build->summary;
	struct span name, value;
	size_t at = 0, from = 0;

	while (mime_field_next(build->header, &at, &name, &value)) {
		summary->received_count += span_is(name, "Received");
		summary->list_mail |= span_starts(name, "List-");
		from += span_is(name, "From");
	}
	summary->several_from =
	    from > 1 || summary->from.count > 1 || summary->from.truncated;
}

static void
read_auth(struct summary_build *build)
{
	const struct mail_summary *summary = build->summary;
	struct span domain = span_make("", 0);
	size_t at;

	if (summary->from.count == 1 && !summary->several_from) {
		domain = span_of(summary->from.items[0].compared);
		at = address_local_len(domain);
		domain = span_make(domain.bytes + at + 1, domain.len - at - 1);
	}
	mail_auth_read(build->header, span_of(build->options->authserv_id),
	    domain, &build->summary->auth);
}

/* ---- parts */

/* The last component, without what a file system or a terminal may obey. */
static char *
base_name(char *name)
{
	char *base = name, *to;

	if (name == NULL)
		return NULL;
	for (char *at = name; *at != '\0'; at++) {
		if (*at == '/' || *at == '\\')
			base = at + 1;
	}
	for (to = name; *base != '\0'; base++) {
		if ((unsigned char)*base >= 0x20 && *base != 0x7f)
			*to++ = *base;
	}
	*to = '\0';
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		name[0] = '\0';
	return name;
}

static int
part_fill(struct mail_part *part, const struct mime_entity *entity)
{
	part->type = lower(decoded_text(entity->type, VALUE_MAX));
	part->charset = param_text(entity->type_value, "charset", VALUE_MAX);
	part->filename = base_name(
	    param_text(entity->disposition, "filename", FILENAME_MAX_LEN * 4));
	if (part->filename != NULL && part->filename[0] == '\0') {
		free(part->filename);
		part->filename = base_name(param_text(entity->type_value,
		    "name", FILENAME_MAX_LEN * 4));
	}
	if (part->filename != NULL)
		part->filename
		    [utf8_cut(span_of(part->filename), FILENAME_MAX_LEN).len] =
		    '\0';
	part->encoding = (uint8_t)entity->encoding;
	part->attachment = !mail_text_is_body(entity);
	part->offset = (uint32_t)entity->body;
	part->len = (uint32_t)(entity->end - entity->body);
	part->depth = entity->depth;
	return part->type == NULL || part->charset == NULL ||
		part->filename == NULL
	    ? -ENOMEM
	    : 0;
}

static void
note_kind(struct mail_summary *summary, const struct mime_entity *entity)
{
	struct span type = entity->type;

	if (span_is(type, "multipart/encrypted"))
		summary->encrypted = true;
	else if (span_is(type, "multipart/signed"))
		summary->is_signed = true;
	else if (span_is(type, "text/calendar"))
		summary->calendar = true;
	else if (span_is(type, "application/pkcs7-mime") ||
	    span_is(type, "application/x-pkcs7-mime")) {
		struct buffer kind;

		buffer_init(&kind, 0);
		(void)words_param(&kind, entity->type_value, "smime-type");
		if (span_is(buffer_span(&kind), "signed-data"))
			summary->is_signed = true;
		else
			summary->encrypted = true;
		buffer_fini(&kind);
	}
}

static bool
is_signature_part(const struct mail_part *part)
{
	return strcmp(part->type, "application/pgp-signature") == 0 ||
	    strcmp(part->type, "application/pkcs7-signature") == 0 ||
	    strcmp(part->type, "application/x-pkcs7-signature") == 0;
}

static int
read_parts(struct summary_build *build)
{
	struct mail_summary *summary = build->summary;
	const struct mime_tree *tree = &build->tree;
	int rc = 0;

	summary->parts_truncated = tree->truncated;
	summary->parts = calloc(tree->count, sizeof *summary->parts);
	if (summary->parts == NULL)
		return -ENOMEM;
	for (size_t i = 0; rc == 0 && i < tree->count; i++) {
		struct mail_part *part;

		note_kind(summary, &tree->items[i]);
		if (!tree->items[i].leaf)
			continue;
		part = &summary->parts[summary->part_count++];
		rc = part_fill(part, &tree->items[i]);
		if (rc == 0)
			summary->has_attachments |=
			    part->attachment && !is_signature_part(part);
	}
	return rc;
}

/* ---- text and report */

static int
read_text(struct summary_build *build)
{
	struct mail_summary *summary = build->summary;
	size_t max = build->options->text_max == 0 ? MAIL_TEXT_DEFAULT
						   : build->options->text_max;
	struct mail_text_flags flags = { false, false, false, false };
	struct buffer text, own;

	buffer_init(&text, 0);
	buffer_init(&own, 0);
	mail_text_build(&text, build->message, &build->tree, max, &flags);
	summary->stripper_empty = own_text_extract(&own, buffer_span(&text));
	summary->text = buffer_take(&text, NULL);
	summary->own_text = buffer_take(&own, NULL);
	buffer_fini(&text);
	buffer_fini(&own);
	summary->text_truncated = flags.truncated;
	summary->text_from_html = flags.from_html;
	summary->encrypted |= flags.encrypted;
	summary->is_signed |= flags.is_signed;
	return summary->text == NULL || summary->own_text == NULL ? -ENOMEM : 0;
}

static int
empty_report(struct mail_report *report)
{
	return mail_report_parse(span_make("", 0), report);
}

/* Hands the decoded body of a part to one of the parsers of mail_report.h. */
static int
read_status(struct summary_build *build, const struct mime_entity *entity,
    int (*parse)(struct span body, struct mail_report *report))
{
	struct span body = span_make(build->message.bytes + entity->body,
	    entity->end - entity->body);
	struct buffer decoded;
	int rc;

	if (body.len > REPORT_MAX)
		body.len = REPORT_MAX;
	buffer_init(&decoded, 0);
	mime_decode(&decoded, body, entity->encoding);
	rc = decoded.failed
	    ? -ENOMEM
	    : parse(buffer_span(&decoded), &build->summary->report);
	buffer_fini(&decoded);
	return rc;
}

/* The header of what came back: an embedded message or its header alone. */
static int
read_original(struct summary_build *build, const struct mime_entity *entity)
{
	struct mail_report *report = &build->summary->report;
	struct buffer decoded, text;
	struct span body = span_make(build->message.bytes + entity->body,
	    entity->end - entity->body);

	if (report->original_message_id[0] != '\0')
		return 0;
	if (body.len > REPORT_MAX)
		body.len = REPORT_MAX;
	buffer_init(&decoded, 0);
	buffer_init(&text, 0);
	mime_decode(&decoded, body, entity->encoding);
	utf8_append(&text,
	    msgid_of_value(mime_field(buffer_span(&decoded), "Message-ID")));
	free(report->original_message_id);
	report->original_message_id = buffer_take(&text, NULL);
	if (report->original_mail_from[0] == '\0') {
		free(report->original_mail_from);
		report->original_mail_from = mail_report_address(
		    mime_field(buffer_span(&decoded), "Return-Path"));
	}
	buffer_fini(&decoded);
	return report->original_message_id == NULL ||
		report->original_mail_from == NULL ?
		  -ENOMEM :
		  0;
}

static int
read_report(struct summary_build *build)
{
	const struct mime_tree *tree = &build->tree;
	bool is_report = span_is(tree->items[0].type, "multipart/report");
	/* OpenSMTPD's reports are of this type, with the same parts */
	bool is_mixed = span_is(tree->items[0].type, "multipart/mixed");
	const struct mime_entity *status = NULL, *original = NULL;
	const struct mime_entity *feedback = NULL;
	int rc;

	for (size_t i = 0; i < tree->count; i++) {
		const struct mime_entity *entity = &tree->items[i];

		if (!is_report && !(is_mixed && i > 0 && entity->parent == 0))
			continue;
		if (status == NULL &&
		    (span_is(entity->type, "message/delivery-status") ||
			span_is(entity->type,
			    "message/global-delivery-status")))
			status = entity;
		if (feedback == NULL && is_report &&
		    span_is(entity->type, "message/feedback-report"))
			feedback = entity;
		if (original == NULL &&
		    (span_is(entity->type, "message/rfc822") ||
			span_is(entity->type, "message/global") ||
			span_is(entity->type, "message/global-headers") ||
			span_is(entity->type, "text/rfc822-headers")))
			original = entity;
	}
	rc = status == NULL ? empty_report(&build->summary->report)
			    : read_status(build, status, mail_report_parse);
	if (rc == 0 && feedback != NULL)
		rc = read_status(build, feedback, mail_report_parse_feedback);
	if (rc == 0 && original != NULL)
		rc = read_original(build, original);
	return rc;
}

/* ---- the whole */

int
mail_summary_build(const char *bytes, size_t len,
    const struct mail_summary_options *options, struct mail_summary *summary)
{
	struct summary_build build = { .message = span_make(bytes, len),
		.options = options,
		.summary = summary };
	static int (*const steps[])(struct summary_build *) = { read_addresses,
		read_references, read_values, read_parts, read_text,
		read_report };
	size_t body;
	int rc;

	memset(summary, 0, sizeof *summary);
	if (len > BYTES_MAX)
		return -EFBIG;
	if (len == 0)
		build.message = span_make("", 0);
	rc = mime_tree_parse(build.message, MAIL_PARTS_MAX, &build.tree);
	if (rc != 0)
		return rc;
	build.header = span_make(build.message.bytes,
	    mime_header_len(build.message, &body));
	if (build.header.len > HEADER_LOOK_MAX)
		build.header.len = HEADER_LOOK_MAX;
	for (size_t i = 0; rc == 0 && i < sizeof steps / sizeof steps[0]; i++)
		rc = steps[i](&build);
	if (rc == 0) {
		count_fields(&build);
		read_auth(&build);
		rc = mail_classify(summary, build.header, options);
	}
	mime_tree_fini(&build.tree);
	if (rc != 0)
		mail_summary_fini(summary);
	return rc;
}

static void
ids_fini(struct mail_ids *ids)
{
	for (size_t i = 0; i < ids->count; i++)
		free(ids->items[i]);
	free(ids->items);
}

void
mail_summary_fini(struct mail_summary *summary)
{
	char *texts[] = { summary->subject, summary->message_id,
		summary->list_id, summary->precedence, summary->auto_submitted,
		summary->kith_loop, summary->content_type,
		summary->thread_index, summary->text, summary->own_text,
		summary->class_reason };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		free(texts[i]);
	address_list_fini(&summary->from);
	address_list_fini(&summary->sender);
	address_list_fini(&summary->reply_to);
	address_list_fini(&summary->to);
	address_list_fini(&summary->cc);
	ids_fini(&summary->in_reply_to);
	ids_fini(&summary->references);
	for (size_t i = 0; i < summary->part_count; i++) {
		free(summary->parts[i].type);
		free(summary->parts[i].charset);
		free(summary->parts[i].filename);
	}
	free(summary->parts);
	mail_report_fini(&summary->report);
	memset(summary, 0, sizeof *summary);
}
