/* delivery.c - MESSAGE_BODY, MESSAGE_SEND and MESSAGE_FLUSH.
 */
#include "build.h"

#include "daemon/mail/delivery.h"

#include <stdlib.h>

#include "daemon/log.h"
#include "daemon/messages.h"

#define BODY_SLOTS 64u

struct kept_body {
	struct kept_body *next;
	uint64_t id;
	struct mail_body *body;
};

struct send {
	LIST_ENTRY(send) entry;
	struct ipc *ipc; /* NULL: core has gone */
	uint32_t request;
};

struct delivery {
	struct mail_transport *transport;
	struct kept_body *bodies[BODY_SLOTS];
	LIST_HEAD(, send) sends;
};

/* ---- bodies */

static struct kept_body **
body_find(struct delivery *delivery, uint64_t id)
{
	struct kept_body **at;

	for (at = &delivery->bodies[id % BODY_SLOTS]; *at != NULL;
	     at = &(*at)->next)
		if ((*at)->id == id)
			break;
	return at;
}

static void
body_forget(struct kept_body **at)
{
	struct kept_body *kept = *at;

	*at = kept->next;
	mail_body_unref(&kept->body);
	free(kept);
}

static void
reader_release(void *keeper)
{
	struct ipc_reader *reader = keeper;

	ipc_reader_release(&reader);
}

static void
on_body(struct delivery *delivery, struct ipc *ipc, uint32_t request,
    struct ipc_reader *fields)
{
	uint64_t id = ipc_get_u64(fields);
	struct span bytes = ipc_get_payload(fields);
	struct kept_body **at = body_find(delivery, id);
	struct kept_body *kept;

	if (ipc_reader_bad(fields))
		return;
	if (*at != NULL)
		body_forget(at);
	at = &delivery->bodies[id % BODY_SLOTS];
	kept = calloc(1, sizeof *kept);
	if (kept == NULL)
		return; /* chunks will be told that the body is not known */
	fields = ipc_reader_keep(fields);
	kept->id = id;
	kept->body = mail_body_new(bytes, fields, reader_release);
	if (kept->body == NULL) {
		ipc_reader_release(&fields);
		free(kept);
		return;
	}
	kept->next = *at;
	*at = kept;
	(void)ipc_answer(ipc, request, ipc_writer_new(MESSAGE_BODY));
}

/* ---- chunks */

static void
send_answer(struct ipc *ipc, uint32_t request, const struct mail_chunk *chunk)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_SEND);
	size_t i;

	ipc_put_u32(writer, chunk->unreachable ? 1 : 0);
	ipc_put_text(writer, chunk->why);
	ipc_put_u32(writer, (uint32_t)chunk->count);
	for (i = 0; i < chunk->count; i++) {
		const struct mail_delivery *one = &chunk->deliveries[i];

		/* 100 texts must fit a frame */
		ipc_put_u32(writer, one->code);
		ipc_put_bytes(writer,
		    span_make(one->text == NULL ? "" : one->text,
			one->text == NULL ? 0 : strnlen(one->text, 480)));
	}
	(void)ipc_answer(ipc, request, writer);
}

static void
send_done(void *arg, struct mail_chunk *chunk)
{
	struct send *send = arg;

	if (send->ipc != NULL)
		send_answer(send->ipc, send->request, chunk);
	LIST_REMOVE(send, entry);
	free(send);
	mail_chunk_free(&chunk);
}

/* NULL: malformed, or no memory. */
static struct mail_chunk *
chunk_read(struct mail_body *body, struct ipc_reader *fields)
{
	struct mail_chunk *chunk = mail_chunk_new(body);
	uint32_t count = ipc_get_u32(fields), i;

	if (count > MAIL_CHUNK_MAX || chunk == NULL)
		goto fail;
	for (i = 0; i < count; i++) {
		struct span from = ipc_get_bytes(fields);
		struct span recipient = ipc_get_bytes(fields);
		struct span head = ipc_get_bytes(fields);

		if (ipc_reader_bad(fields) ||
		    !mail_chunk_add(chunk, from, recipient, head))
			goto fail;
	}
	if (ipc_reader_bad(fields))
		goto fail;
	return chunk;
fail:
	mail_chunk_free(&chunk);
	return NULL;
}

static void
refuse(struct ipc *ipc, uint32_t request, const char *why)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_SEND);

	log_warning("deliveries given back: %s", why);
	ipc_put_u32(writer, 1);
	ipc_put_text(writer, why);
	ipc_put_u32(writer, 0);
	(void)ipc_answer(ipc, request, writer);
}

static void
on_send(struct delivery *delivery, struct ipc *ipc, uint32_t request,
    struct ipc_reader *fields)
{
	struct kept_body *kept = *body_find(delivery, ipc_get_u64(fields));
	struct mail_chunk *chunk;
	struct send *send;

	if (kept == NULL || delivery->transport == NULL) {
		refuse(ipc, request,
		    kept == NULL ? "the body is not known"
				 : "there is no transport");
		return;
	}
	chunk = chunk_read(kept->body, fields);
	send = calloc(1, sizeof *send);
	if (chunk == NULL || send == NULL) {
		mail_chunk_free(&chunk);
		free(send);
		refuse(ipc, request, "the chunk is malformed");
		return;
	}
	send->ipc = ipc;
	send->request = request;
	LIST_INSERT_HEAD(&delivery->sends, send, entry);
	chunk->done = send_done;
	chunk->arg = send;
	if (chunk->answered == chunk->count)
		send_done(send, chunk);
	else
		delivery->transport->methods->send(delivery->transport, chunk);
}

void
delivery_request(struct delivery *delivery, struct ipc *ipc, uint16_t type,
    uint32_t request, struct ipc_reader *fields)
{
	struct mail_transport *transport = delivery->transport;
	struct kept_body **at;

	switch ((int)type) {
	case MESSAGE_BODY:
		on_body(delivery, ipc, request, fields);
		break;
	case MESSAGE_BODY_FREE:
		at = body_find(delivery, ipc_get_u64(fields));
		if (!ipc_reader_bad(fields) && *at != NULL)
			body_forget(at);
		break;
	case MESSAGE_SEND:
		on_send(delivery, ipc, request, fields);
		break;
	case MESSAGE_FLUSH:
		if (transport != NULL && transport->methods->flush != NULL)
			transport->methods->flush(transport);
		break;
	default:
		log_warning("core asks type=%u", type);
		break;
	}
}

void
delivery_core_lost(struct delivery *delivery)
{
	struct send *send;
	size_t i;

	LIST_FOREACH(send, &delivery->sends, entry)
		send->ipc = NULL;
	for (i = 0; i < BODY_SLOTS; i++)
		while (delivery->bodies[i] != NULL)
			body_forget(&delivery->bodies[i]);
}

/* ---- life */

struct delivery *
delivery_new(void)
{
	return calloc(1, sizeof(struct delivery));
}

void
delivery_set_transport(struct delivery *delivery,
    struct mail_transport *transport)
{
	if (delivery->transport != NULL)
		delivery->transport->methods->free(delivery->transport);
	delivery->transport = transport;
}

void
delivery_free(struct delivery **delivery_p)
{
	struct delivery *delivery = *delivery_p;

	*delivery_p = NULL;
	if (delivery == NULL)
		return;
	delivery_core_lost(delivery);
	delivery_set_transport(delivery, NULL);
	free(delivery);
}
