/* jobs_chunk.c - the next recipients of a job, each with an envelope and header
 * lines of his own.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/jobs_private.h"
#include "daemon/community/members.h"
#include "daemon/community/meta.h"
#include "daemon/community/spaces.h"
#include "daemon/community/subscriptions.h"
#include "daemon/community/token.h"

#define SCAN_MAX 1000u /* subscriptions looked at in one step */

/* What composing needs. */
struct composer {
	struct job *job;
	struct community *community;
	struct store_reader *reader;
	struct space *space; /* counted; NULL for mails of no space */
	Kith__Job *row;      /* JOB_MAIL: its recipients */
	struct chunk *chunk;
	bool unverified; /* of a ticket: not from one who takes part in it */
	size_t bytes;    /* so far */
	/* of a walk */
	uint32_t ids[OUTGOING_MAX];
	size_t id_count;
	uint32_t scanned;
	uint32_t next; /* where the walk goes on */
	bool ended;
};

void
chunk_free(struct chunk **chunk_p)
{
	struct chunk *chunk = *chunk_p;

	*chunk_p = NULL;
	if (chunk == NULL)
		return;
	for (size_t i = 0; i < chunk->count + chunk->dropped; i++) {
		free(chunk->recipients[i].envelope_from);
		free(chunk->recipients[i].text);
		free(chunk->recipients[i].head);
	}
	free(chunk);
}

static void
recipient_clear(struct chunk_recipient *recipient)
{
	free(recipient->envelope_from);
	free(recipient->text);
	free(recipient->head);
	recipient->envelope_from = recipient->text = recipient->head = NULL;
}

/* ---- whom */

static bool
wants_copy(const struct job *job, const Kith__Subscription *subscription)
{
	Kith__Mode mode = job->kind == KITH__JOB_KIND__JOB_DIGEST
	    ? job->mode
	    : KITH__MODE__MODE_EACH;

	return subscription->state == KITH__SUBSCRIPTION_STATE__SUB_ACTIVE &&
	    subscription->mode == mode;
}

static int
walk_visit(void *arg, uint32_t address, const Kith__Subscription *subscription)
{
	struct composer *composer = arg;

	if (address > composer->job->upper) {
		composer->ended = true;
		return 1;
	}
	if (composer->id_count == OUTGOING_MAX ||
	    composer->scanned == SCAN_MAX) {
		composer->next = address;
		return 1;
	}
	composer->scanned++;
	if (wants_copy(composer->job, subscription))
		composer->ids[composer->id_count++] = address;
	return 0;
}

/* Does a subscriber of a space with closed doors still have its key? */
static bool
may_read(struct composer *composer, const Kith__Address *address)
{
	struct identity identity = { 0 };

	if (rights_class_of(composer->space) == READER_ANYONE)
		return true;
	return address->member != 0 &&
	    identity_of_member(composer->reader, address->member, &identity) ==
	    0 &&
	    rights_may_read(rights_reader_class(&identity), composer->space);
}

/* ---- what he gets */

static int
recipient_head(struct composer *composer, const Kith__Address *address,
    struct chunk_recipient *recipient)
{
	struct job *job = composer->job;
	const char *domain = community_config(composer->community)->domain;
	char token[TOKEN_TEXT_ROOM];
	struct buffer head;
	int rc = token_make(composer->community, TOKEN_UNSUBSCRIBE, job->space,
	    recipient->id, token);

	if (rc != 0)
		return rc;
	buffer_init(&head, 0);
	buffer_printf(&head, "List-Unsubscribe: <mailto:%s+u.%s@%s>\r\n",
	    composer->space->mail, token, domain);
	if (job->ticket != 0 && address->member != 0) {
		rc = token_make(composer->community, TOKEN_REPLY, job->ticket,
		    TOKEN_OF_MEMBER(address->member), token);
		/* says in the reader's own mail program where an answer goes */
		buffer_printf(&head,
		    "Reply-To: \"Ticket %u, to the customer%s\" "
		    "<%s+r.%s@%s>\r\nKith-Ticket: %u\r\n",
		    job->ticket,
		    composer->unverified ? ", NOT to this sender" : "",
		    composer->space->mail, token, domain, job->ticket);
	}
	recipient->head = buffer_take(&head, NULL);
	return recipient->head == NULL ? -ENOMEM : rc;
}

/* 0; -ENOENT: needs no copy. */
static int
subscriber_compose(struct composer *composer, struct chunk_recipient *recipient)
{
	struct job *job = composer->job;
	Kith__Address *address;
	int rc = address_get(composer->reader, recipient->id, &address);

	if (rc != 0)
		return rc;
	recipient->address = recipient->id;
	if ((job->except_member != 0 &&
		address->member == job->except_member) ||
	    !may_read(composer, address))
		rc = -ENOENT;
	if (rc == 0) {
		recipient->text = strdup(address->text);
		recipient->envelope_from = token_address(composer->community,
		    composer->space->mail, TOKEN_BOUNCE,
		    TOKEN_REPORT(job->space, job->id), recipient->id);
		rc = recipient->text == NULL || recipient->envelope_from == NULL
		    ? -ENOMEM
		    : recipient_head(composer, address, recipient);
	}
	kith__address__free_unpacked(address, NULL);
	return rc;
}

static int
named_compose(struct composer *composer, struct chunk_recipient *recipient)
{
	const Kith__Recipient *named;
	const struct job *job = composer->job;
	struct buffer head;

	if (recipient->id >= composer->row->n_recipients)
		return -ENOENT;
	named = composer->row->recipients[recipient->id];
	recipient->address = named->address;
	recipient->text = strdup(named->text);
	if (strcmp(job->envelope_from, "+") != 0 || composer->space == NULL)
		recipient->envelope_from = strdup(
		    job->envelope_from[0] == '+' ? "" : job->envelope_from);
	else
		recipient->envelope_from = token_address(composer->community,
		    composer->space->mail[0] != '\0' ? composer->space->mail
						     : "postmaster",
		    TOKEN_BOUNCE, TOKEN_REPORT(job->space, job->id),
		    named->address);
	buffer_init(&head, 0);
	if (named->reply_to[0] != '\0')
		buffer_printf(&head, "Reply-To: <%s>\r\n", named->reply_to);
	recipient->head = strdup(buffer_text(&head));
	buffer_fini(&head);
	return recipient->text == NULL || recipient->envelope_from == NULL ||
		recipient->head == NULL
	    ? -ENOMEM
	    : 0;
}

static int
recipient_compose(struct composer *composer, struct chunk_recipient *recipient)
{
	int rc;

	if (composer->job->kind == KITH__JOB_KIND__JOB_MAIL)
		rc = named_compose(composer, recipient);
	else
		rc = subscriber_compose(composer, recipient);
	if (rc != 0)
		recipient_clear(recipient);
	else
		composer->bytes += strlen(recipient->text) +
		    strlen(recipient->envelope_from) + strlen(recipient->head) +
		    32;
	return rc;
}

/* A stranger's mail in a ticket: who answers it answers somebody else. */
static bool
article_is_unverified(struct composer *composer)
{
	Kith__ArticleMeta *meta;
	bool unverified;

	if (composer->job->ticket == 0 || composer->job->artid == 0 ||
	    meta_get(composer->reader, composer->job->artid, &meta) != 0)
		return false;
	unverified = meta->unverified;
	kith__article_meta__free_unpacked(meta, NULL);
	return unverified;
}

static int
composer_begin(struct composer *composer, struct job *job)
{
	struct store_key key = store_key_u64(job->id);
	ProtobufCMessage *message = NULL;
	int rc;

	composer->job = job;
	composer->community = job->jobs->community;
	if (job->space != 0)
		composer->space =
		    spaces_by_id(community_spaces(composer->community),
			job->space);
	if (job->kind != KITH__JOB_KIND__JOB_MAIL) {
		composer->unverified = article_is_unverified(composer);
		return composer->space == NULL ? -ENOENT : 0;
	}
	rc = store_get(composer->reader, STORE_JOBS, &key, &message);
	composer->row = (Kith__Job *)message;
	return rc;
}

static void
composer_end(struct composer *composer)
{
	space_unref(composer->space);
	if (composer->row != NULL)
		kith__job__free_unpacked(composer->row, NULL);
}

/* ---- a chunk of the walk */

static int
walk_ids(struct composer *composer)
{
	struct job *job = composer->job;
	int rc;

	if (job->kind == KITH__JOB_KIND__JOB_MAIL) {
		uint32_t id = job->cursor;

		while (id < composer->row->n_recipients &&
		    composer->id_count < OUTGOING_MAX)
			composer->ids[composer->id_count++] = id++;
		composer->next = id;
		composer->ended = id >= composer->row->n_recipients;
		return 0;
	}
	rc = subscriptions_walk(composer->reader, job->space, job->cursor,
	    walk_visit, composer);
	if (rc == 0)
		composer->ended = true;
	return rc < 0 ? rc : 0;
}

/* Recipients until the frame is full; the rest is left for the next chunk. */
static int
walk_fill(struct composer *composer)
{
	struct chunk *chunk = composer->chunk;

	for (size_t i = 0; i < composer->id_count; i++) {
		struct chunk_recipient *recipient =
		    &chunk->recipients[chunk->count];
		int rc;

		if (composer->bytes >= CHUNK_BYTES) {
			composer->next = composer->ids[i];
			composer->ended = false;
			break;
		}
		recipient->id = composer->ids[i];
		rc = recipient_compose(composer, recipient);
		if (rc == 0)
			chunk->count++;
		else if (rc != -ENOENT)
			return rc;
	}
	return 0;
}

struct chunk *
chunk_next(struct job *job, int *error_r)
{
	struct store_view *view =
	    store_view_begin(community_store(job->jobs->community));
	struct chunk *chunk = calloc(1, sizeof *chunk);
	struct composer composer = { .chunk = chunk };
	int rc = view == NULL || chunk == NULL ? -ENOMEM : 0;

	if (rc == 0) {
		chunk->job = job;
		chunk->composed = true;
		chunk->first = job->cursor;
		composer.reader = store_view_reader(view);
		rc = composer_begin(&composer, job);
	}
	if (rc == 0)
		rc = walk_ids(&composer);
	if (rc == 0)
		rc = walk_fill(&composer);
	if (rc == -ENOENT) { /* the space or the job went away */
		composer.ended = true;
		rc = 0;
	}
	if (rc == 0 && composer.ended)
		job->walked = true;
	else if (rc == 0)
		job->cursor = composer.next;
	if (rc != 0 || (chunk->count == 0 && job->walked))
		chunk_free(&chunk);
	composer_end(&composer);
	store_view_end(&view);
	*error_r = rc;
	return chunk;
}

/* ---- a chunk of those who are tried again */

static bool
still_subscribed(struct composer *composer, uint32_t address)
{
	Kith__Subscription *subscription;
	bool wanted;

	if (composer->job->kind == KITH__JOB_KIND__JOB_MAIL)
		return true;
	if (subscription_get(composer->reader, composer->job->space, address,
		&subscription) != 0)
		return false;
	wanted = wants_copy(composer->job, subscription);
	kith__subscription__free_unpacked(subscription, NULL);
	return wanted;
}

static int
retry_fill(struct composer *composer)
{
	struct chunk *chunk = composer->chunk;
	size_t total = chunk->count;

	chunk->count = 0;
	chunk->dropped = total;
	for (size_t i = 0; i < total; i++) {
		struct chunk_recipient recipient = chunk->recipients[i];
		int rc = still_subscribed(composer, recipient.id)
		    ? recipient_compose(composer, &recipient)
		    : -ENOENT;

		if (rc == -ENOENT)
			continue;
		if (rc != 0)
			return rc;
		/* those who need no copy any more gather behind */
		chunk->recipients[i] = chunk->recipients[chunk->count];
		chunk->recipients[chunk->count++] = recipient;
		chunk->dropped--;
	}
	return 0;
}

int
chunk_compose(struct chunk *chunk)
{
	struct job *job = chunk->job;
	struct store_view *view =
	    store_view_begin(community_store(job->jobs->community));
	struct composer composer = { .chunk = chunk };
	int rc = -ENOMEM;

	if (view != NULL) {
		composer.reader = store_view_reader(view);
		rc = composer_begin(&composer, job);
		if (rc == 0)
			rc = retry_fill(&composer);
		if (rc == -ENOENT) {
			chunk->dropped += chunk->count;
			chunk->count = 0;
			rc = 0;
		}
	}
	composer_end(&composer);
	store_view_end(&view);
	chunk->composed = rc == 0;
	return rc;
}
