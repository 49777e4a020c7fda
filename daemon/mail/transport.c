/* transport.c - bodies, chunks and what became of each delivery.
 */
#include "build.h"

#include "daemon/mail/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/dot.h"

struct mail_body *
mail_body_new(struct span bytes, void *keeper, void (*release)(void *keeper))
{
	struct mail_body *body = calloc(1, sizeof *body);
	struct dot_facts facts;

	if (body == NULL)
		return NULL;
	dot_examine(bytes, &facts);
	body->references = 1;
	body->eight_bit = facts.eight_bit;
	body->bytes = bytes;
	body->keeper = keeper;
	body->release = release;
	return body;
}

struct mail_body *
mail_body_ref(struct mail_body *body)
{
	body->references++;
	return body;
}

void
mail_body_unref(struct mail_body **body_p)
{
	struct mail_body *body = *body_p;

	*body_p = NULL;
	if (body == NULL || --body->references > 0)
		return;
	if (body->release != NULL)
		body->release(body->keeper);
	free(body);
}

struct mail_chunk *
mail_chunk_new(struct mail_body *body)
{
	struct mail_chunk *chunk = calloc(1, sizeof *chunk);

	if (chunk != NULL)
		chunk->body = mail_body_ref(body);
	return chunk;
}

void
mail_chunk_free(struct mail_chunk **chunk_p)
{
	struct mail_chunk *chunk = *chunk_p;
	size_t i;

	*chunk_p = NULL;
	if (chunk == NULL)
		return;
	for (i = 0; i < chunk->count; i++) {
		free(chunk->deliveries[i].envelope_from);
		free(chunk->deliveries[i].recipient);
		free(chunk->deliveries[i].head);
		free(chunk->deliveries[i].text);
	}
	mail_body_unref(&chunk->body);
	free(chunk);
}

/* NULL as well for what would break a command line. */
static char *
address_copy(struct span address)
{
	size_t i;

	for (i = 0; i < address.len; i++)
		if ((unsigned char)address.bytes[i] < ' ' ||
		    address.bytes[i] == 127 || address.bytes[i] == '<' ||
		    address.bytes[i] == '>')
			return NULL;
	return strndup(address.len == 0 ? "" : address.bytes, address.len);
}

bool
mail_chunk_add(struct mail_chunk *chunk, struct span envelope_from,
    struct span recipient, struct span head)
{
	struct mail_delivery *delivery;

	if (chunk->count == MAIL_CHUNK_MAX)
		return false;
	delivery = &chunk->deliveries[chunk->count++];
	delivery->envelope_from = address_copy(envelope_from);
	delivery->recipient = address_copy(recipient);
	delivery->head = malloc(head.len + 1);
	delivery->head_len = head.len;
	if (delivery->head != NULL && head.len > 0)
		memcpy(delivery->head, head.bytes, head.len);
	if (delivery->envelope_from == NULL || delivery->recipient == NULL ||
	    recipient.len == 0) {
		mail_delivery_answer(delivery, 553, "5.1.3 Malformed address");
		chunk->answered++;
	}
	return delivery->head != NULL;
}

struct mail_delivery *
mail_chunk_waiting(struct mail_chunk *chunk)
{
	while (chunk->next < chunk->count &&
	    chunk->deliveries[chunk->next].state != MAIL_DELIVERY_WAITING)
		chunk->next++;
	return chunk->next < chunk->count ? &chunk->deliveries[chunk->next]
					  : NULL;
}

void
mail_delivery_answer(struct mail_delivery *delivery, unsigned code,
    const char *text)
{
	delivery->code = code;
	free(delivery->text);
	delivery->text = strdup(text);
	delivery->state = MAIL_DELIVERY_ANSWERED;
}

void
mail_chunk_fail(struct mail_chunk *chunk, const char *why)
{
	chunk->unreachable = true;
	(void)snprintf(chunk->why, sizeof chunk->why, "%s", why);
}
