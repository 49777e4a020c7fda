/* mail_report.c - message/delivery-status (RFC 3464) and message/feedback-report
 * (RFC 5965), field by field: libetpan hands such a part over as it is.
 */
#include "protocol/mail_report.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol/mime.h"
#include "protocol/utf8.h"
#include "protocol/words.h"

#define REPORT_TEXT_MAX 500u

/* A value as owned text on one line; past "type;" where there is one. */
static char *
value_text(struct span value, bool typed)
{
	struct buffer out, cut;
	const char *mark;

	mark = !typed || value.len == 0 ? NULL
					: memchr(value.bytes, ';', value.len);
	if (mark != NULL)
		value = span_make(mark + 1,
		    value.len - (size_t)(mark + 1 - value.bytes));
	value = span_trim(value);
	if (typed && value.len > 2 && value.bytes[0] == '<' &&
	    value.bytes[value.len - 1] == '>')
		value = span_make(value.bytes + 1, value.len - 2);
	buffer_init(&out, 0);
	buffer_init(&cut, 0);
	words_decode(&out, value);
	buffer_append_span(&cut, utf8_cut(buffer_span(&out), REPORT_TEXT_MAX));
	cut.failed |= out.failed;
	buffer_fini(&out);
	return buffer_take(&cut, NULL);
}

static char *
word_text(struct span value)
{
	char *text = value_text(words_main(value), false);

	for (char *at = text; at != NULL && *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + ('a' - 'A'));
	}
	return text;
}

static void
recipient_fini(struct mail_report_recipient *recipient)
{
	free(recipient->final_recipient);
	free(recipient->original_recipient);
	free(recipient->action);
	free(recipient->status);
	free(recipient->diagnostic);
}

static int
recipient_add(struct mail_report *report, struct span group)
{
	struct mail_report_recipient *items, one;

	if (report->count >= MAIL_REPORT_RECIPIENTS_MAX) {
		report->truncated = true;
		return 0;
	}
	items =
	    realloc(report->recipients, (report->count + 1) * sizeof *items);
	if (items == NULL)
		return -ENOMEM;
	report->recipients = items;
	one.final_recipient =
	    value_text(mime_field(group, "Final-Recipient"), true);
	one.original_recipient =
	    value_text(mime_field(group, "Original-Recipient"), true);
	one.action = word_text(mime_field(group, "Action"));
	one.status = word_text(mime_field(group, "Status"));
	one.diagnostic = value_text(mime_field(group, "Diagnostic-Code"), true);
	if (one.final_recipient == NULL || one.original_recipient == NULL ||
	    one.action == NULL || one.status == NULL ||
	    one.diagnostic == NULL) {
		recipient_fini(&one);
		return -ENOMEM;
	}
	one.bounce = mail_bounce_judge(span_of(one.action), span_of(one.status),
	    span_of(one.diagnostic));
	items[report->count++] = one;
	return 0;
}

static int
report_group(struct mail_report *report, struct span group)
{
	struct span id;

	if (mime_field(group, "Final-Recipient").bytes != NULL ||
	    mime_field(group, "Original-Recipient").bytes != NULL)
		return recipient_add(report, group);
	id = mime_field(group, "Original-Envelope-Id");
	if (id.bytes != NULL && report->envelope_id == NULL)
		report->envelope_id = value_text(id, false);
	return 0;
}

int
mail_report_parse(struct span body, struct mail_report *report)
{
	int rc = 0;

	while (rc == 0 && body.len > 0) {
		size_t next, len = mime_header_len(body, &next);

		rc = report_group(report, span_make(body.bytes, len));
		body = span_make(body.bytes + next, body.len - next);
	}
	if (report->envelope_id == NULL)
		report->envelope_id = calloc(1, 1);
	if (report->original_message_id == NULL)
		report->original_message_id = calloc(1, 1);
	if (report->feedback_type == NULL)
		report->feedback_type = calloc(1, 1);
	if (report->original_mail_from == NULL)
		report->original_mail_from = calloc(1, 1);
	if (report->envelope_id == NULL ||
	    report->original_message_id == NULL ||
	    report->feedback_type == NULL || report->original_mail_from == NULL)
		rc = -ENOMEM;
	return rc;
}

char *
mail_report_address(struct span value)
{
	value = span_trim(value);
	if (value.len > 2 && value.bytes[0] == '<' &&
	    value.bytes[value.len - 1] == '>')
		value = span_make(value.bytes + 1, value.len - 2);
	return value_text(value, false);
}

int
mail_report_parse_feedback(struct span body, struct mail_report *report)
{
	size_t next;
	struct span fields = span_make(body.bytes, mime_header_len(body, &next));

	free(report->feedback_type);
	free(report->original_mail_from);
	report->feedback_type = word_text(mime_field(fields, "Feedback-Type"));
	report->original_mail_from =
	    mail_report_address(mime_field(fields, "Original-Mail-From"));
	return report->feedback_type == NULL ||
		report->original_mail_from == NULL ?
		  -ENOMEM :
		  0;
}

void
mail_report_fini(struct mail_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		recipient_fini(&report->recipients[i]);
	free(report->recipients);
	free(report->envelope_id);
	free(report->original_message_id);
	free(report->feedback_type);
	free(report->original_mail_from);
	memset(report, 0, sizeof *report);
}

/* ---- judgement */

/* What is not about the reader although it is permanent. A shorter prefix
 * covers its class. */
static const char *const soft_status[] = {
	"5.1.7",          /* the sender's address */
	"5.1.8", "5.2.2", /* mailbox full */
	"5.2.3",          /* message too large */
	"5.3.",           /* their mail system */
	"5.4.6",          /* a loop */
	"5.4.7",          /* gave up in time */
	"5.5.",           /* protocol */
	"5.6.",           /* content */
	"5.7.",           /* policy, DMARC, spam */
};

/* "5.1.1" wherever it stands in a diagnostic; else the class of "550". */
static struct span
status_within(struct span text)
{
	struct span basic = span_make("", 0);

	for (size_t i = 0; i + 2 < text.len; i++) {
		const char *at = text.bytes + i;

		if ((at[0] != '4' && at[0] != '5') ||
		    (i > 0 && strchr(" -(#", at[-1]) == NULL))
			continue;
		if (at[1] == '.' && at[2] >= '0' && at[2] <= '9' &&
		    i + 4 < text.len && at[3] == '.')
			return span_make(at, text.len - i);
		if (basic.len == 0 && at[1] >= '0' && at[1] <= '9' &&
		    at[2] >= '0' && at[2] <= '9')
			basic = span_make(at, 3);
	}
	if (span_is(basic, "552"))
		return span_of("5.2.2");
	if (span_is(basic, "550") || span_is(basic, "551") ||
	    span_is(basic, "553"))
		return span_of("5.1.1");
	if (basic.len > 0)
		return span_of(basic.bytes[0] == '4' ? "4.0.0" : "5.7.0");
	return basic;
}

enum mail_bounce
mail_bounce_judge(struct span action, struct span status,
    struct span diagnostic)
{
	action = span_trim(action);
	status = span_trim(status);
	if (span_is(action, "delayed"))
		return MAIL_BOUNCE_DELAYED;
	if (action.len > 0 && !span_is(action, "failed") &&
	    !span_is(action, "failure"))
		return MAIL_BOUNCE_NONE;
	/* 5.0.0 says nothing; the other side's words may */
	if (status.len == 0 || span_is(status, "5.0.0")) {
		struct span better = status_within(diagnostic);

		status = better.len > 0 ? better : status;
	}
	if (status.len == 0)
		return action.len > 0 ? MAIL_BOUNCE_SOFT : MAIL_BOUNCE_NONE;
	if (status.bytes[0] == '4')
		return MAIL_BOUNCE_SOFT;
	if (status.bytes[0] != '5')
		return MAIL_BOUNCE_NONE;
	for (size_t i = 0; i < sizeof soft_status / sizeof soft_status[0];
	     i++) {
		const char *prefix = soft_status[i];
		size_t len = strlen(prefix);

		if (span_starts(status, prefix) &&
		    (prefix[len - 1] == '.' || status.len == len ||
			strchr("0123456789", status.bytes[len]) == NULL))
			return MAIL_BOUNCE_SOFT;
	}
	return MAIL_BOUNCE_HARD;
}
