/* compose.c - mail as people's programs write it.
 */
#include "build.h"

#include "tests/replay/compose.h"

#include <stdlib.h>
#include <string.h>

/* A header of a mail, unfolded; "" if it is not there. Owned. */
static char *
header_of(const struct world_mail *mail, const char *name)
{
	const char *at = mail->text;
	struct buffer value;
	size_t len = strlen(name);

	buffer_init(&value, 0);
	while (*at != '\n' && *at != '\0') {
		const char *end = at + strcspn(at, "\n");
		bool mine = strncasecmp(at, name, len) == 0 && at[len] == ':';

		if (mine)
			buffer_append_span(&value,
			    span_trim(span_make(at + len + 1,
				(size_t)(end - at) - len - 1)));
		for (at = end; at[0] == '\n' && (at[1] == ' ' || at[1] == '\t');
		     at = end) {
			end = at + 1 + strcspn(at + 1, "\n");
			if (mine)
				buffer_append(&value, at + 1,
				    (size_t)(end - at - 1));
		}
		if (mine)
			break;
		at += *at == '\n';
	}
	return buffer_take(&value, NULL);
}

/* As Outlook and its like put the other's mail below one's own words, with the
 * fields that show a reader's own addresses. */
static void
quote(struct buffer *out, const struct world_mail *mail)
{
	static const char *const names[] = { "From", "Reply-To", "Date", "To",
		"Subject", "List-Unsubscribe" };
	const char *body = strstr(mail->text, "\n\n");

	buffer_append_text(out, "\n-----Original Message-----\n");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *value = header_of(mail, names[i]);

		if (*value != '\0')
			buffer_printf(out, "%s: %s\n", names[i], value);
		free(value);
	}
	buffer_append_text(out, "\n");
	for (body = body == NULL ? "" : body + 2; *body != '\0';
	     body += *body == '\n') {
		size_t len = strcspn(body, "\n");

		buffer_printf(out, "> %.*s\n", (int)len, body);
		body += len;
	}
}

char *
compose_reply(struct buffer *out, const struct world_mail *mail,
    const struct compose_reply *reply)
{
	char *to = header_of(mail, "Reply-To");
	char *subject = reply->subject != NULL ? strdup(reply->subject)
					       : header_of(mail, "Subject");
	char *id = header_of(mail, "Message-ID");
	char *references = header_of(mail, "References");
	const char *addr;
	char *address;

	if (*to == '\0') {
		free(to);
		to = header_of(mail, "From");
	}
	addr = strrchr(to, '<');
	address = strdup(addr == NULL ? to : addr + 1);
	address[strcspn(address, ">")] = '\0';
	buffer_printf(out,
	    "From: %s\nTo: %s\nSubject: %s%s\n"
	    "Message-ID: <reply%u@client.example>\n"
	    "Date: Fri, 15 Jan 2027 09:00:00 +0000\n"
	    "In-Reply-To: %s\nReferences: %s%s%s\n\n%s",
	    reply->from, address,
	    strncasecmp(subject, "re:", 3) == 0 ? "" : "Re: ", subject,
	    reply->number, id, references, *references == '\0' ? "" : " ", id,
	    reply->text);
	if (reply->quoted)
		quote(out, mail);
	free(to);
	free(subject);
	free(id);
	free(references);
	return address;
}

void
compose_forward(struct buffer *out, const struct world_mail *mail,
    const char *from, const char *to, const char *text, unsigned number)
{
	char *subject = header_of(mail, "Subject");

	buffer_printf(out,
	    "From: %s\nTo: %s\nSubject: Fwd: %s\n"
	    "Message-ID: <forward%u@client.example>\n"
	    "Date: Fri, 15 Jan 2027 09:00:00 +0000\n\n%s",
	    from, to, subject, number, text);
	quote(out, mail);
	free(subject);
}

void
compose_bounce(struct buffer *out, const struct world_mail *mail,
    const char *status, unsigned number)
{
	char *id = header_of(mail, "Message-ID");

	buffer_printf(out,
	    "From: MAILER-DAEMON@mx.example\nTo: %s\n"
	    "Subject: Undelivered Mail\nMessage-ID: <bounce%u@mx.example>\n"
	    "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\n"
	    "\tboundary=\"=b=\"\n\n--=b=\nContent-Type: text/plain\n\n"
	    "It could not be delivered.\n--=b=\n"
	    "Content-Type: message/delivery-status\n\n"
	    "Reporting-MTA: dns; mx.example\n\n"
	    "Final-Recipient: rfc822; %s\nAction: %s\nStatus: %s\n\n--=b=\n"
	    "Content-Type: text/rfc822-headers\n\n"
	    "To: %s\nMessage-ID: %s\n\n--=b=--\n",
	    mail->envelope_from, number, mail->recipient,
	    status[0] == '4' ? "delayed" : "failed", status, mail->recipient,
	    id);
	free(id);
}

void
compose_complaint(struct buffer *out, const struct world_mail *mail,
    const char *type, unsigned number)
{
	char *id = header_of(mail, "Message-ID");

	buffer_printf(out,
	    "From: <feedback@provider.example>\nTo: %s\n"
	    "Subject: FW: complaint\nMessage-ID: <arf%u@provider.example>\n"
	    "Date: Fri, 15 Jan 2027 09:00:00 +0000\nMIME-Version: 1.0\n"
	    "Content-Type: multipart/report; report-type=feedback-report;\n"
	    "\tboundary=\"=b=\"\n\n--=b=\nContent-Type: text/plain\n\n"
	    "This is an email abuse report.\n--=b=\n"
	    "Content-Type: message/feedback-report\n\n"
	    "Feedback-Type: %s\nUser-Agent: Provider/1.0\nVersion: 1\n"
	    "Original-Mail-From: <%s>\n\n--=b=\n"
	    "Content-Type: message/rfc822\nContent-Disposition: inline\n\n"
	    "To: redacted@provider.example\nMessage-ID: %s\n\nx\n--=b=--\n",
	    mail->envelope_from, number, type, mail->envelope_from, id);
	free(id);
}
