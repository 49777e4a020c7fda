/* maildir_transport.c - chunks cut into single mails for the writer.
 */
#include "build.h"

#include "daemon/mail/maildir_transport.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "daemon/ipc.h"
#include "daemon/loop.h"
#include "daemon/messages.h"
#include "protocol/buffer.h"

#define MAILDIR_OUTSTANDING 32u
#define MAILDIR_SECONDS     60u
/* A writer that is being restarted is waited for. */
#define MAILDIR_WAIT 10u

struct maildir_transport {
	struct mail_transport transport;
	struct loop *loop;
	struct ipc *ipc;
	bool up;
	bool ending;
	unsigned outstanding;
	unsigned waits; /* seconds without a writer */
	struct mail_chunk_list queue;
	struct event *tick;
};

struct write_request {
	struct maildir_transport *maildir;
	struct mail_chunk *chunk;
	struct mail_delivery *delivery;
};

static void maildir_pump(struct maildir_transport *maildir);

/* Wire form -> what a file holds: LF, no stuffed dots. */
static void
append_file_form(struct buffer *out, struct span wire)
{
	const char *at = wire.bytes, *end = wire.bytes + wire.len, *lf;
	size_t len;

	while (at < end) {
		if (*at == '.')
			at++;
		lf = memchr(at, '\n', (size_t)(end - at));
		len = (size_t)((lf == NULL ? end : lf) - at);
		buffer_append(out, at,
		    len > 0 && at[len - 1] == '\r' ? len - 1 : len);
		buffer_append_byte(out, '\n');
		at = lf == NULL ? end : lf + 1;
	}
}

static void
chunk_answered(struct maildir_transport *maildir, struct mail_chunk *chunk,
    struct mail_delivery *delivery, unsigned code, const char *text)
{
	mail_delivery_answer(delivery, code, text);
	if (++chunk->answered < chunk->count)
		return;
	if (chunk->queued)
		TAILQ_REMOVE(&maildir->queue, chunk, entry);
	chunk->done(chunk->arg, chunk);
}

static void
on_written(void *arg, struct ipc_reader *fields)
{
	struct write_request *request = arg;
	struct maildir_transport *maildir = request->maildir;
	uint32_t error = fields == NULL ? 0 : ipc_get_u32(fields);
	unsigned code = 250;
	const char *text = "2.0.0 Written";

	if (fields == NULL || ipc_reader_bad(fields)) {
		code = 0;
		text = "the Maildir writer was lost";
	} else if (error != 0) {
		code = error == ENOSPC || error == EDQUOT ? 452 : 451;
		text = code == 452 ? "4.3.1 No room for the Maildir"
				   : "4.3.0 The Maildir cannot be written";
	}
	maildir->outstanding--;
	chunk_answered(maildir, request->chunk, request->delivery, code, text);
	free(request);
	if (maildir->up && !maildir->ending)
		maildir_pump(maildir);
}

/* False: not now. */
static bool
write_begin(struct maildir_transport *maildir, struct mail_chunk *chunk,
    struct mail_delivery *delivery)
{
	struct write_request *request = malloc(sizeof *request);
	struct ipc_writer *writer;
	struct buffer file;
	int rc;

	if (request == NULL)
		return false;
	*request = (struct write_request){ maildir, chunk, delivery };
	buffer_init(&file, 0);
	append_file_form(&file, span_make(delivery->head, delivery->head_len));
	append_file_form(&file, chunk->body->bytes);
	writer = ipc_writer_new(MESSAGE_MAILDIR);
	ipc_put_text(writer, delivery->envelope_from);
	ipc_put_text(writer, delivery->recipient);
	ipc_put_payload(writer, buffer_span(&file));
	rc = buffer_failed(&file) ? -ENOMEM
				  : ipc_call(maildir->ipc, writer, IPC_BULK,
					MAILDIR_SECONDS, on_written, request);
	buffer_fini(&file);
	if (rc < 0) {
		free(request);
		return false;
	}
	delivery->state = MAIL_DELIVERY_OPEN;
	maildir->outstanding++;
	return true;
}

static void
maildir_pump(struct maildir_transport *maildir)
{
	struct mail_delivery *delivery;
	struct mail_chunk *chunk;

	while (maildir->up && maildir->outstanding < MAILDIR_OUTSTANDING &&
	    ipc_has_credit(maildir->ipc, IPC_BULK) &&
	    (chunk = TAILQ_FIRST(&maildir->queue)) != NULL) {
		TAILQ_REMOVE(&maildir->queue, chunk, entry);
		chunk->queued = false;
		delivery = mail_chunk_waiting(chunk);
		if (delivery == NULL)
			continue;
		if (write_begin(maildir, chunk, delivery))
			chunk->next++;
		if (chunk->next == chunk->count)
			continue;
		/* in turn, so that a large chunk does not hold up the others */
		TAILQ_INSERT_TAIL(&maildir->queue, chunk, entry);
		chunk->queued = true;
	}
}

static void
give_back(struct maildir_transport *maildir, const char *why)
{
	struct mail_chunk *chunk;
	size_t i, count;
	bool tried;

	while ((chunk = TAILQ_FIRST(&maildir->queue)) != NULL) {
		TAILQ_REMOVE(&maildir->queue, chunk, entry);
		chunk->queued = false;
		tried = false;
		for (i = 0; i < chunk->count; i++)
			if (chunk->deliveries[i].state != MAIL_DELIVERY_WAITING)
				tried = true;
		if (!tried)
			mail_chunk_fail(chunk, why);
		/* the last answer frees the chunk */
		for (i = 0, count = chunk->count; i < count; i++) {
			struct mail_delivery *one = &chunk->deliveries[i];
			bool last;

			if (one->state != MAIL_DELIVERY_WAITING)
				continue;
			last = chunk->answered + 1 == count;
			chunk_answered(maildir, chunk, one, 0, why);
			if (last)
				break;
		}
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct maildir_transport *maildir = arg;

	(void)fd;
	(void)what;
	if (maildir->up) {
		maildir_pump(maildir);
	} else if (TAILQ_EMPTY(&maildir->queue)) {
		maildir->waits = 0;
	} else if (++maildir->waits > MAILDIR_WAIT) {
		maildir->waits = 0;
		give_back(maildir, "the Maildir writer does not run");
	}
}

static void
on_credit(void *arg, enum ipc_class class)
{
	if (class == IPC_BULK)
		maildir_pump(arg);
}

static void
on_closed(void *arg, struct ipc *ipc)
{
	struct maildir_transport *maildir = arg;

	if (ipc == maildir->ipc)
		maildir->up = false;
}

static const struct ipc_handler writer_handler = { NULL, on_closed };

int
maildir_transport_connect(struct mail_transport *transport, int fd)
{
	struct maildir_transport *maildir = (void *)transport;

	maildir->up = false;
	ipc_free(&maildir->ipc);
	maildir->ipc =
	    ipc_new(loop_base(maildir->loop), fd, &writer_handler, maildir);
	if (maildir->ipc == NULL)
		return -ENOMEM;
	maildir->up = true;
	maildir->waits = 0;
	ipc_set_credit_cb(maildir->ipc, on_credit, maildir);
	maildir_pump(maildir);
	return 0;
}

static void
maildir_send(struct mail_transport *transport, struct mail_chunk *chunk)
{
	struct maildir_transport *maildir = (void *)transport;

	TAILQ_INSERT_TAIL(&maildir->queue, chunk, entry);
	chunk->queued = true;
	maildir_pump(maildir);
}

static void
maildir_free(struct mail_transport *transport)
{
	struct maildir_transport *maildir = (void *)transport;

	maildir->ending = true;
	maildir->up = false;
	ipc_free(&maildir->ipc);
	give_back(maildir, "the mail process ends");
	if (maildir->tick != NULL)
		event_free(maildir->tick);
	free(maildir);
}

static const struct mail_transport_methods maildir_methods = {
	.send = maildir_send,
	.flush = NULL,
	.free = maildir_free,
};

struct mail_transport *
maildir_transport_new(struct loop *loop)
{
	struct maildir_transport *maildir = calloc(1, sizeof *maildir);
	struct timeval second = { 1, 0 };

	if (maildir == NULL)
		return NULL;
	maildir->transport.methods = &maildir_methods;
	maildir->loop = loop;
	TAILQ_INIT(&maildir->queue);
	maildir->tick =
	    event_new(loop_base(loop), -1, EV_PERSIST, on_tick, maildir);
	if (maildir->tick == NULL || event_add(maildir->tick, &second) < 0) {
		maildir_free(&maildir->transport);
		return NULL;
	}
	return &maildir->transport;
}
