/* digest_compose.c - issues of digests.
 */
#include "build.h"

#include "protocol/digest_compose.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>

#include "protocol/address.h"
#include "protocol/date.h"
#include "protocol/mime.h"
#include "protocol/msgid.h"

#define DASHES_70 \
 "----------------------------------------------------------------------"
#define DASHES_30     "------------------------------"
#define BOUNDARY_SIZE 48u
#define TITLE_SIZE    256u

/* "help Digest, Vol 2026, Issue 3" */
static void
write_title(struct buffer *out, const struct digest_issue *issue)
{
	buffer_printf(out, "%s Digest", issue->list_name);
	if (issue->volume != 0)
		buffer_printf(out, ", Vol %u", issue->volume);
	buffer_printf(out, ", Issue %u", issue->number);
}

/* One line of text: what an item says must not begin another. */
static void
write_line(struct buffer *out, const char *text)
{
	for (; text != NULL && *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x20 && *text != 0x7f)
			buffer_append_byte(out, *text);
		else
			buffer_append_byte(out, ' ');
	}
}

static const char *
subject_or_none(const struct digest_item *item)
{
	return item->subject == NULL || item->subject[0] == '\0'
	    ? "(no subject)"
	    : item->subject;
}

static void
write_contents(struct buffer *out, const struct digest_issue *issue)
{
	buffer_append_text(out, "Today's Topics:\n\n");
	for (size_t i = 0; i < issue->item_count; i++) {
		const struct digest_item *item = &issue->items[i];

		buffer_printf(out, "  %2zu. ", i + 1);
		write_line(out, subject_or_none(item));
		if (item->from != NULL && item->from[0] != '\0') {
			buffer_append_text(out, " (");
			write_line(out, item->from);
			buffer_append_byte(out, ')');
		}
		buffer_append_byte(out, '\n');
	}
}

/* The title, what the list says, the table of contents. */
static void
write_preamble(struct buffer *out, const struct digest_issue *issue)
{
	char date[DATE_TEXT_SIZE];

	write_title(out, issue);
	buffer_printf(out, "\n%s\n\n", date_format(issue->date, date));
	if (issue->intro != NULL && issue->intro[0] != '\0') {
		buffer_append_text(out, issue->intro);
		buffer_append_text(out, "\n\n");
	}
	write_contents(out, issue);
}

static void
write_header(struct buffer *out, const struct digest_issue *issue)
{
	struct mail_field subject = { "Subject", issue->subject,
		MAIL_FIELD_TEXT };
	struct mail_field id = { "Message-ID", issue->message_id,
		MAIL_FIELD_RAW };
	struct buffer title;

	buffer_init(&title, TITLE_SIZE);
	write_title(&title, issue);
	if (subject.value == NULL)
		subject.value = buffer_text(&title);
	mail_field_write_date(out, "Date", issue->date);
	mail_field_write_address(out, "From", issue->from_name, issue->from);
	mail_field_write_address(out, "To", NULL, issue->to);
	mail_field_write(out, &subject);
	mail_field_write(out, &id);
	for (size_t i = 0; i < issue->field_count; i++)
		mail_field_write(out, &issue->fields[i]);
	out->failed |= title.failed;
	buffer_fini(&title);
}

/* ---- multipart/digest */

/* FNV-1a; over all messages, so that no single author knows what comes out. */
static uint64_t
hash_more(uint64_t hash, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (unsigned char)bytes.bytes[i]) *
		    1099511628211u;
	return hash;
}

static uint64_t
hash_of_issue(const struct digest_issue *issue)
{
	uint64_t hash = hash_more(
	    14695981039346656037u, span_of(issue->message_id));

	for (size_t i = 0; i < issue->item_count; i++)
		hash = hash_more(hash, issue->items[i].raw);
	return hash;
}

static bool
within_items(const struct digest_issue *issue, const char *boundary)
{
	for (size_t i = 0; i < issue->item_count; i++) {
		struct span raw = issue->items[i].raw;

		if (raw.len > 0 &&
		    memmem(raw.bytes, raw.len, boundary, strlen(boundary)) !=
			NULL)
			return true;
	}
	return false;
}

/* A string that stands in none of the messages. */
static void
choose_boundary(char boundary[BOUNDARY_SIZE], const struct digest_issue *issue)
{
	uint64_t hash = hash_of_issue(issue);

	for (unsigned attempt = 0; attempt < 1000; attempt++) {
		struct buffer text;

		buffer_init(&text, BOUNDARY_SIZE - 1);
		buffer_printf(&text, "=_kith_%016" PRIx64 "_%u_", hash,
		    attempt);
		memcpy(boundary, buffer_text(&text), text.len + 1);
		buffer_fini(&text);
		if (!within_items(issue, boundary))
			break;
	}
}

static bool
has_8bit_items(const struct digest_issue *issue)
{
	for (size_t i = 0; i < issue->item_count; i++) {
		if (span_has_high(issue->items[i].raw))
			return true;
	}
	return false;
}

static void
write_text_part(struct buffer *out, const char *boundary, struct span text)
{
	struct buffer part;
	size_t version = strlen("MIME-Version: 1.0\r\n");

	buffer_init(&part, 0);
	mail_body_write(&part, text, true);
	buffer_printf(out, "--%s1\r\nContent-Disposition: inline\r\n",
	    boundary);
	if (part.len > version)
		buffer_append(out, part.bytes + version, part.len - version);
	out->failed |= part.failed;
	buffer_fini(&part);
}

static void
write_messages(struct buffer *out, const char *boundary,
    const struct digest_issue *issue, const char *encoding)
{
	buffer_printf(out,
	    "--%s1\r\n"
	    "Content-Type: multipart/digest; boundary=\"%s2\"\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n",
	    boundary, boundary, encoding);
	for (size_t i = 0; i < issue->item_count; i++) {
		struct span raw = issue->items[i].raw;

		/* RFC 2046 5.1.5: the type is understood; 8bit must be said */
		buffer_printf(out, "--%s2\r\n", boundary);
		if (span_has_high(raw))
			buffer_append_text(out,
			    "Content-Type: message/rfc822\r\n"
			    "Content-Transfer-Encoding: 8bit\r\n");
		buffer_append_text(out, "\r\n");
		buffer_append_span(out, raw);
		if (raw.len == 0 || raw.bytes[raw.len - 1] != '\n')
			buffer_append_text(out, "\r\n");
	}
	buffer_printf(out, "--%s2--\r\n", boundary);
}

static void
compose_mime(struct buffer *out, const struct digest_issue *issue)
{
	char boundary[BOUNDARY_SIZE] = "";
	struct buffer preamble;
	const char *encoding;

	buffer_init(&preamble, 0);
	write_preamble(&preamble, issue);
	choose_boundary(boundary, issue);
	encoding = has_8bit_items(issue) ||
		span_has_high(buffer_span(&preamble)) ||
		(issue->outro != NULL && span_has_high(span_of(issue->outro)))
	    ? "8bit"
	    : "7bit";
	buffer_printf(out,
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=\"%s1\"\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n",
	    boundary, encoding);
	write_text_part(out, boundary, buffer_span(&preamble));
	write_messages(out, boundary, issue,
	    has_8bit_items(issue) ? "8bit" : "7bit");
	if (issue->outro != NULL && issue->outro[0] != '\0')
		write_text_part(out, boundary, span_of(issue->outro));
	buffer_printf(out, "--%s1--\r\n", boundary);
	out->failed |= preamble.failed;
	buffer_fini(&preamble);
}

/* ---- RFC 1153 */

static void
write_item_field(struct buffer *out, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	buffer_printf(out, "%s: ", name);
	write_line(out, value);
	buffer_append_byte(out, '\n');
}

/* A line that looks like a separator would end the message for a program that
 * bursts the digest: a blank before it. */
static void
write_item_text(struct buffer *out, struct span text)
{
	text = span_trim(text);
	while (text.len > 0) {
		const char *end = memchr(text.bytes, '\n', text.len);
		struct span line = text;

		if (end != NULL)
			line.len = (size_t)(end - text.bytes);
		if (span_starts(line, DASHES_30))
			buffer_append_byte(out, ' ');
		buffer_append_span(out, line);
		buffer_append_byte(out, '\n');
		if (end == NULL)
			break;
		text = span_make(end + 1, text.len - line.len - 1);
	}
}

static void
write_item_plain(struct buffer *out, const struct digest_item *item)
{
	char date[DATE_TEXT_SIZE];

	write_item_field(out, "Date", date_format(item->date, date));
	write_item_field(out, "From", item->from);
	write_item_field(out, "To", item->to);
	write_item_field(out, "Subject", subject_or_none(item));
	write_item_field(out, "Message-ID", item->message_id);
	buffer_append_byte(out, '\n');
	write_item_text(out, item->text);
}

static void
write_trailer(struct buffer *out, const struct digest_issue *issue)
{
	size_t start = out->len, len;

	buffer_append_text(out, "End of ");
	write_title(out, issue);
	len = out->len - start;
	buffer_append_byte(out, '\n');
	for (size_t i = 0; i < len; i++)
		buffer_append_byte(out, '*');
	buffer_append_byte(out, '\n');
}

static void
compose_plain(struct buffer *out, const struct digest_issue *issue)
{
	struct buffer text;

	buffer_init(&text, out->limit);
	write_preamble(&text, issue);
	buffer_append_text(&text, "\n" DASHES_70 "\n\n");
	for (size_t i = 0; i < issue->item_count; i++) {
		write_item_plain(&text, &issue->items[i]);
		buffer_append_text(&text, "\n" DASHES_30 "\n\n");
	}
	if (issue->outro != NULL && issue->outro[0] != '\0') {
		buffer_append_text(&text, "Subject: Digest Footer\n\n");
		write_item_text(&text, span_of(issue->outro));
		buffer_append_text(&text, "\n" DASHES_30 "\n\n");
	}
	write_trailer(&text, issue);
	mail_body_write(out, buffer_span(&text), true);
	out->failed |= text.failed;
	buffer_fini(&text);
}

int
digest_compose(struct buffer *out, const struct digest_issue *issue,
    enum digest_form form)
{
	if (issue->item_count == 0 || issue->from == NULL ||
	    issue->to == NULL || issue->message_id == NULL ||
	    !address_is_valid(span_of(issue->from)) ||
	    !address_is_valid(span_of(issue->to)) ||
	    !msgid_is_valid(span_of(issue->message_id)))
		return -EINVAL;
	write_header(out, issue);
	if (form == DIGEST_MIME)
		compose_mime(out, issue);
	else
		compose_plain(out, issue);
	return buffer_failed(out) ? -ENOMEM : 0;
}
