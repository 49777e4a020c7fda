/* core_mail.c - core's end of the channel to the mail process.
 */
#include "build.h"

#include "daemon/core_mail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/intake.h"
#include "daemon/community/jobs.h"
#include "daemon/ipc.h"
#include "daemon/log.h"
#include "daemon/messages.h"
#include "protocol/mail_summary.h"

#define RECIPIENTS_MAX	100u
#define SEND_SECONDS	600u /* a chunk: the smarthost may be slow */
#define BODY_SECONDS	60u
#define BODIES_MAX	64u

struct core_mail {
	struct event_base *base;
	struct community *community;
	struct ipc *ipc; /* NULL while the mail process is away */
	struct mail_port port;
	/* what the mail process at the other end holds */
	uint64_t bodies[BODIES_MAX];
	size_t body_count;
	unsigned requests; /* intakes under way, for core_mail_free */
	struct intake_request *open;
};

/* One MESSAGE_INTAKE or MESSAGE_PARSE_FAILED under way. It outlives the
 * channel: what was stored is stored, only the answer finds nobody. */
struct intake_request {
	struct core_mail *mail; /* NULL once core_mail is gone */
	struct ipc *ipc;	/* as it was; compared, not followed */
	uint32_t request;
	struct ipc_reader *fields; /* kept: the message is borrowed from it */
	struct mail_summary summary;
	struct intake_request *next, *previous;
};

struct send_request {
	struct core_mail *mail;
	outgoing_done done;
	void *done_arg;
	size_t count;
	uint64_t body;
};

/* ---- what is open */

static struct intake_request *
intake_request_new(struct core_mail *mail, struct ipc *ipc, uint32_t request)
{
	struct intake_request *intake = calloc(1, sizeof *intake);

	if (intake == NULL)
		return NULL;
	intake->mail = mail;
	intake->ipc = ipc;
	intake->request = request;
	intake->next = mail->open;
	if (mail->open != NULL)
		mail->open->previous = intake;
	mail->open = intake;
	return intake;
}

static void
intake_request_free(struct intake_request *intake)
{
	if (intake->mail != NULL) {
		if (intake->previous != NULL)
			intake->previous->next = intake->next;
		else
			intake->mail->open = intake->next;
		if (intake->next != NULL)
			intake->next->previous = intake->previous;
	}
	ipc_reader_release(&intake->fields);
	mail_summary_fini(&intake->summary);
	free(intake);
}

/* Where the answer goes; NULL if nobody waits any more. */
static struct ipc *
intake_request_ipc(const struct intake_request *intake)
{
	if (intake->mail == NULL || intake->mail->ipc != intake->ipc)
		return NULL;
	return intake->ipc;
}

/* ---- mail -> core */

static char *
span_text(struct span span)
{
	return strndup(span.bytes == NULL ? "" : span.bytes, span.len);
}

static void
handle_recipient(struct core_mail *mail, struct ipc *ipc, uint32_t request,
    struct ipc_reader *fields)
{
	char *envelope_from = span_text(ipc_get_bytes(fields));
	char *recipient = span_text(ipc_get_bytes(fields));
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_RECIPIENT);
	char text[256] = "4.3.0 try again later";
	unsigned code = 451;

	if (!ipc_reader_bad(fields) && envelope_from != NULL && recipient != NULL)
		intake_recipient(mail->community, envelope_from, recipient, &code,
		    text, sizeof text);
	ipc_put_u32(writer, code);
	ipc_put_text(writer, text);
	(void)ipc_answer(ipc, request, writer);
	free(envelope_from);
	free(recipient);
}

static void
intake_answered(void *arg, const struct intake_reply *replies, size_t count)
{
	struct intake_request *intake = arg;
	struct ipc *ipc = intake_request_ipc(intake);

	if (ipc != NULL) {
		struct ipc_writer *writer = ipc_writer_new(MESSAGE_INTAKE);

		ipc_put_u32(writer, (uint32_t)count);
		for (size_t i = 0; i < count; i++) {
			ipc_put_u32(writer, replies[i].code);
			ipc_put_text(writer, replies[i].text);
		}
		(void)ipc_answer(ipc, intake->request, writer);
	}
	intake_request_free(intake);
}

/* Reads the fields of MESSAGE_INTAKE and hands them to the door. The texts are
 * copies that live for the call; the message stays in the kept frame. */
static int
intake_begin(struct core_mail *mail, struct intake_request *intake,
    struct ipc_reader *fields)
{
	struct intake_mail item = { 0 };
	const char *recipients[RECIPIENTS_MAX];
	char *texts[3 + RECIPIENTS_MAX] = { NULL };
	struct span summary;
	uint32_t count;
	int error = -EBADMSG;

	for (size_t i = 0; i < 3; i++)
		texts[i] = span_text(ipc_get_bytes(fields));
	count = ipc_get_u32(fields);
	if (count == 0 || count > RECIPIENTS_MAX)
		goto out;
	for (size_t i = 0; i < count; i++)
		texts[3 + i] = span_text(ipc_get_bytes(fields));
	(void)ipc_get_bytes(fields); /* the SHA-256 was for the parser's sake */
	item.message = ipc_get_payload(fields);
	summary = ipc_get_payload(fields);
	if (ipc_reader_bad(fields))
		goto out;
	if (summary.len > 0) {
		error = mail_summary_decode(
		    summary.bytes, summary.len, &intake->summary);
		if (error != 0)
			goto out;
		item.summary = &intake->summary;
	}
	error = -ENOMEM;
	for (size_t i = 0; i < 3 + count; i++) {
		if (texts[i] == NULL)
			goto out;
		if (i >= 3)
			recipients[i - 3] = texts[i];
	}
	item.envelope_from = texts[0];
	item.client = texts[1];
	item.protocol = texts[2];
	item.recipients = recipients;
	item.recipient_count = count;
	intake_mail(mail->community, &item, intake_answered, intake);
	error = 0;
out:
	for (size_t i = 0; i < 3 + RECIPIENTS_MAX; i++)
		free(texts[i]);
	return error;
}

static void
handle_intake(struct core_mail *mail, struct ipc *ipc, uint32_t request,
    struct ipc_reader *fields)
{
	struct intake_request *intake = intake_request_new(mail, ipc, request);
	int error = -ENOMEM;

	if (intake != NULL) {
		intake->fields = ipc_reader_keep(fields);
		if (intake->fields != NULL)
			error = intake_begin(mail, intake, intake->fields);
	}
	if (error == 0)
		return;
	log_err("mail process sent an intake that cannot be read: %s",
	    strerror(-error));
	(void)ipc_answer(ipc, request, NULL);
	if (intake != NULL)
		intake_request_free(intake);
}

static void
parse_failed_answered(void *arg, unsigned count)
{
	struct intake_request *intake = arg;
	struct ipc *ipc = intake_request_ipc(intake);

	if (ipc != NULL) {
		struct ipc_writer *writer = ipc_writer_new(MESSAGE_PARSE_FAILED);

		ipc_put_u32(writer, count);
		(void)ipc_answer(ipc, intake->request, writer);
	}
	intake_request_free(intake);
}

static void
handle_parse_failed(struct core_mail *mail, struct ipc *ipc, uint32_t request,
    struct ipc_reader *fields)
{
	struct span sha256 = ipc_get_bytes(fields);
	struct intake_request *intake;

	if (ipc_reader_bad(fields) || sha256.len != 32 ||
	    (intake = intake_request_new(mail, ipc, request)) == NULL) {
		(void)ipc_answer(ipc, request, NULL);
		return;
	}
	intake_parse_failed(mail->community, (const uint8_t *)sha256.bytes,
	    parse_failed_answered, intake);
}

static const struct {
	uint16_t type;
	void (*handle)(struct core_mail *mail, struct ipc *ipc,
	    uint32_t request, struct ipc_reader *fields);
} handlers[] = {
	{ MESSAGE_RECIPIENT, handle_recipient },
	{ MESSAGE_INTAKE, handle_intake },
	{ MESSAGE_PARSE_FAILED, handle_parse_failed },
};

static void
channel_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	struct core_mail *mail = arg;

	for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
		if (handlers[i].type == type) {
			handlers[i].handle(mail, ipc, request, fields);
			return;
		}
	}
	log_warning("mail process asked what core does not know: type=%u", type);
	(void)ipc_answer(ipc, request, NULL);
}

static void
channel_closed(void *arg, struct ipc *ipc)
{
	struct core_mail *mail = arg;

	if (mail->ipc != ipc)
		return;
	/* why is the parent's to say: a stop, or the end of that process */
	log_info("the channel to the mail process ended");
	ipc_free(&mail->ipc);
	mail->body_count = 0;
}

static const struct ipc_handler channel_handler = {
	.request = channel_request,
	.closed = channel_closed,
};

/* ---- core -> mail: the port */

static bool
body_is_there(const struct core_mail *mail, uint64_t id)
{
	for (size_t i = 0; i < mail->body_count; i++) {
		if (mail->bodies[i] == id)
			return true;
	}
	return false;
}

static void
body_forget(struct core_mail *mail, uint64_t id)
{
	for (size_t i = 0; i < mail->body_count; i++) {
		if (mail->bodies[i] == id) {
			mail->bodies[i] = mail->bodies[--mail->body_count];
			return;
		}
	}
}

static void
body_answered(void *arg, struct ipc_reader *fields)
{
	/* A body that did not arrive shows when it is sent: the mail process
	 * answers that it cannot. Nothing to do here. */
	(void)arg;
	(void)fields;
}

static int
port_body(void *arg, uint64_t id, struct span bytes)
{
	struct core_mail *mail = arg;
	struct ipc_writer *writer;
	int error;

	if (mail->ipc == NULL)
		return -ENOTCONN;
	if (body_is_there(mail, id))
		return 0;
	if (mail->body_count == BODIES_MAX ||
	    !ipc_has_credit(mail->ipc, IPC_BULK))
		return -EAGAIN;
	writer = ipc_writer_new(MESSAGE_BODY);
	ipc_put_u64(writer, id);
	ipc_put_payload(writer, bytes);
	error = ipc_call(
	    mail->ipc, writer, IPC_BULK, BODY_SECONDS, body_answered, NULL);
	if (error == 0)
		mail->bodies[mail->body_count++] = id;
	return error;
}

static void
port_body_free(void *arg, uint64_t id)
{
	struct core_mail *mail = arg;
	struct ipc_writer *writer;

	if (mail->ipc == NULL || !body_is_there(mail, id))
		return;
	body_forget(mail, id);
	writer = ipc_writer_new(MESSAGE_BODY_FREE);
	ipc_put_u64(writer, id);
	(void)ipc_tell(mail->ipc, writer);
}

static void
send_answered(void *arg, struct ipc_reader *fields)
{
	struct send_request *send = arg;
	struct outgoing_result results[OUTGOING_MAX];
	char *texts[OUTGOING_MAX + 1] = { NULL };
	const char *unreachable = "the mail process gave no answer";
	size_t count = 0;

	if (fields != NULL) {
		bool failed = ipc_get_u32(fields) != 0;

		texts[OUTGOING_MAX] = span_text(ipc_get_bytes(fields));
		count = failed ? 0 : ipc_get_u32(fields);
		if (count > send->count)
			count = 0;
		for (size_t i = 0; i < count; i++) {
			results[i].code = ipc_get_u32(fields);
			texts[i] = span_text(ipc_get_bytes(fields));
			results[i].reply = texts[i] == NULL ? "" : texts[i];
		}
		if (failed && texts[OUTGOING_MAX] != NULL)
			unreachable = texts[OUTGOING_MAX];
		if (ipc_reader_bad(fields) || (!failed && count != send->count))
			count = 0;
	}
	/* without an answer the mail process may be another one next time */
	if (count == 0 && fields == NULL)
		body_forget(send->mail, send->body);
	send->done(send->done_arg, results, count,
	    count == 0 ? unreachable : NULL);
	for (size_t i = 0; i <= OUTGOING_MAX; i++)
		free(texts[i]);
	free(send);
}

static int
port_send(void *arg, uint64_t body, const struct outgoing *recipients,
    size_t count, outgoing_done done, void *done_arg)
{
	struct core_mail *mail = arg;
	struct send_request *send;
	struct ipc_writer *writer;
	int error;

	if (mail->ipc == NULL)
		return -ENOTCONN;
	if (!body_is_there(mail, body))
		return -ENOENT;
	if (count == 0 || count > OUTGOING_MAX)
		return -EINVAL;
	if (!ipc_has_credit(mail->ipc, IPC_BULK))
		return -EAGAIN;
	send = calloc(1, sizeof *send);
	if (send == NULL)
		return -ENOMEM;
	send->mail = mail;
	send->done = done;
	send->done_arg = done_arg;
	send->count = count;
	send->body = body;
	writer = ipc_writer_new(MESSAGE_SEND);
	ipc_put_u64(writer, body);
	ipc_put_u32(writer, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		ipc_put_text(writer, recipients[i].envelope_from);
		ipc_put_text(writer, recipients[i].recipient);
		ipc_put_bytes(writer, recipients[i].head);
	}
	error = ipc_call(
	    mail->ipc, writer, IPC_BULK, SEND_SECONDS, send_answered, send);
	if (error != 0)
		free(send);
	return error;
}

static void
port_flush(void *arg)
{
	struct core_mail *mail = arg;

	if (mail->ipc != NULL)
		(void)ipc_tell(mail->ipc, ipc_writer_new(MESSAGE_FLUSH));
}

static void
credit_back(void *arg, enum ipc_class class)
{
	struct core_mail *mail = arg;

	if (class == IPC_BULK && mail->community != NULL)
		jobs_wake(community_jobs(mail->community));
}

/* ---- life */

struct core_mail *
core_mail_new(struct event_base *base)
{
	struct core_mail *mail = calloc(1, sizeof *mail);

	if (mail == NULL)
		return NULL;
	mail->base = base;
	mail->port = (struct mail_port){ .body = port_body,
		.body_free = port_body_free,
		.send = port_send,
		.flush = port_flush,
		.arg = mail };
	return mail;
}

void
core_mail_free(struct core_mail **mail_p)
{
	struct core_mail *mail = *mail_p;

	if (mail == NULL)
		return;
	*mail_p = NULL;
	core_mail_close(mail);
	while (mail->open != NULL) {
		struct intake_request *intake = mail->open;

		mail->open = intake->next;
		intake->next = intake->previous = NULL;
		intake->mail = NULL;
	}
	free(mail);
}

const struct mail_port *
core_mail_port(struct core_mail *mail)
{
	return &mail->port;
}

void
core_mail_set_community(struct core_mail *mail, struct community *community)
{
	mail->community = community;
}

void
core_mail_connect(struct core_mail *mail, int fd)
{
	core_mail_close(mail);
	mail->ipc = ipc_new(mail->base, fd, &channel_handler, mail);
	if (mail->ipc == NULL) {
		log_err("no channel to the mail process: out of memory");
		return;
	}
	ipc_set_credit_cb(mail->ipc, credit_back, mail);
	jobs_mail_is_back(community_jobs(mail->community));
}

void
core_mail_close(struct core_mail *mail)
{
	ipc_free(&mail->ipc);
	mail->body_count = 0;
}
