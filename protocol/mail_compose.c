/* mail_compose.c - kith's own mails.
 */
#include "protocol/mail_compose.h"

#include <errno.h>

#include "protocol/address.h"
#include "protocol/date.h"
#include "protocol/header.h"
#include "protocol/mime.h"
#include "protocol/msgid.h"
#include "protocol/utf8.h"
#include "protocol/words.h"

void
mail_field_write(struct buffer *out, const struct mail_field *field)
{
	if (field->value == NULL)
		return;
	if (!header_name_is_valid(span_of(field->name))) {
		out->failed = true;
		return;
	}
	if (field->kind != MAIL_FIELD_TEXT) {
		header_append(out, field->name, span_of(field->value));
		return;
	}
	buffer_append_text(out, field->name);
	buffer_append_text(out, ": ");
	words_encode(out, span_of(field->value), strlen(field->name) + 2);
	buffer_append_text(out, "\r\n");
}

void
mail_field_write_address(struct buffer *out, const char *field,
    const char *name, const char *address)
{
	buffer_append_text(out, field);
	buffer_append_text(out, ": ");
	if (!address_is_valid(span_of(address)))
		out->failed = true;
	address_format(out, span_of(name == NULL ? "" : name), span_of(address),
	    strlen(field) + 2);
	buffer_append_text(out, "\r\n");
}

void
mail_field_write_date(struct buffer *out, const char *field, int64_t time)
{
	char text[DATE_TEXT_SIZE];

	buffer_printf(out, "%s: %s\r\n", field, date_format(time, text));
}

/* Valid UTF-8 with CRLF at each line end, the last one too. */
static void
canonical_text(struct buffer *out, struct span text)
{
	struct buffer valid;
	struct span all;

	buffer_init(&valid, 0);
	utf8_append(&valid, text);
	all = buffer_span(&valid);
	for (size_t i = 0; i < all.len; i++) {
		char c = all.bytes[i];

		if (c == '\r' && i + 1 < all.len && all.bytes[i + 1] == '\n')
			continue;
		if (c == '\r' || c == '\n')
			buffer_append_text(out, "\r\n");
		else
			buffer_append_byte(out, c);
	}
	if (out->len > 0 && out->bytes[out->len - 1] != '\n')
		buffer_append_text(out, "\r\n");
	out->failed |= valid.failed;
	buffer_fini(&valid);
}

void
mail_body_write(struct buffer *out, struct span text, bool allow_8bit)
{
	struct buffer body;
	const char *encoding;

	buffer_init(&body, 0);
	canonical_text(&body, text);
	encoding = mime_encoding_for(buffer_span(&body));
	if (!allow_8bit && strcmp(encoding, "8bit") == 0)
		encoding = "quoted-printable";
	buffer_printf(out,
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n",
	    encoding);
	if (strcmp(encoding, "quoted-printable") == 0)
		mime_qp_encode(out, buffer_span(&body));
	else
		buffer_append_span(out, buffer_span(&body));
	out->failed |= body.failed;
	buffer_fini(&body);
}

int
mail_notice_compose(struct buffer *out, const struct mail_notice *notice)
{
	struct mail_field own[] = {
		{ "Subject", notice->subject, MAIL_FIELD_TEXT },
		{ "Message-ID", notice->message_id, MAIL_FIELD_RAW },
		{ "Auto-Submitted", notice->auto_submitted, MAIL_FIELD_RAW },
	};

	if (notice->from == NULL || notice->to == NULL ||
	    notice->message_id == NULL ||
	    !address_is_valid(span_of(notice->from)) ||
	    !address_is_valid(span_of(notice->to)) ||
	    !msgid_is_valid(span_of(notice->message_id)))
		return -EINVAL;
	mail_field_write_date(out, "Date", notice->date);
	mail_field_write_address(out, "From", notice->from_name, notice->from);
	mail_field_write_address(out, "To", notice->to_name, notice->to);
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		mail_field_write(out, &own[i]);
	for (size_t i = 0; i < notice->field_count; i++)
		mail_field_write(out, &notice->fields[i]);
	mail_body_write(out, notice->text, true);
	return buffer_failed(out) ? -ENOMEM : 0;
}
