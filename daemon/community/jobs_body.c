/* jobs_body.c - the part of a mail that all its recipients share.
 *
 * An article goes out as it came in, but for what a list must add; a mail of
 * ours has a header that is wholly ours. Where somebody else's tokens may stand
 * in quotes, the parse worker masks them first.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/digest.h"
#include "daemon/community/jobs_private.h"
#include "daemon/community/list_copy.h"
#include "daemon/community/meta.h"
#include "daemon/community/spaces.h"
#include "daemon/log.h"
#include "protocol/article.h"
#include "protocol/dot.h"

#define BODY_ARTICLE_MAX (128u * 1024u * 1024u)

/* An article as the store has it. */
struct stored {
	struct store_article_head head;
	uint8_t *bytes;
	size_t len;
	Kith__ArticleMeta *meta;
};

static void
stored_fini(struct stored *stored)
{
	free(stored->bytes);
	if (stored->meta != NULL)
		kith__article_meta__free_unpacked(stored->meta, NULL);
}

static int
stored_get(struct store_reader *reader, uint64_t artid, struct stored *stored)
{
	int rc = meta_get(reader, artid, &stored->meta);

	if (rc == 0)
		rc = store_article_get(reader, artid, BODY_ARTICLE_MAX,
		    &stored->head, &stored->bytes, &stored->len);
	return rc;
}

static struct span
stored_span(const struct stored *stored)
{
	return span_make((const char *)stored->bytes, stored->len);
}

/* ---- handing over */

static void
body_hand_over(struct job *job, struct span wire)
{
	const struct mail_port *port = community_mail(job->jobs->community);

	job_body_done(job, port->body(port->arg, job->id, wire));
}

/* Unstuffed to wire form, and over. */
static void
body_hand_over_plain(struct job *job, struct span plain)
{
	struct buffer wire;

	buffer_init(&wire, 0);
	dot_stuff(&wire, plain);
	if (buffer_failed(&wire))
		job_body_done(job, -ENOMEM);
	else
		body_hand_over(job, buffer_span(&wire));
	buffer_fini(&wire);
}

/* ---- masked copies */

struct masking {
	struct job *job;
	struct buffer plain;
};

/* What cannot be masked does not go out: somebody's token could be in it. */
static void
body_substitute(struct masking *masking)
{
	static const char text[] =
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
	    "This message could not be prepared for mail.\r\n"
	    "Please read it in the newsgroup.\r\n";
	struct article_header header;
	struct buffer out;

	buffer_init(&out, 0);
	article_header_init(&header);
	if (article_scan(&header, buffer_span(&masking->plain), ARTICLE_MAIL,
		NULL) == 0)
		for (size_t i = 0; i < header.count; i++) {
			const struct article_field *field = &header.fields[i];

			if (field->id != HEADER_CONTENT_TYPE &&
			    field->id != HEADER_MIME_VERSION &&
			    field->id != HEADER_CONTENT_TRANSFER_ENCODING)
				buffer_append(&out,
				    masking->plain.bytes + field->offset,
				    field->len);
		}
	buffer_append(&out, text, sizeof text - 1);
	article_header_fini(&header);
	body_hand_over_plain(masking->job, buffer_span(&out));
	buffer_fini(&out);
}

static void
body_masked(void *arg, struct span masked)
{
	struct masking *masking = arg;

	if (masked.len > 0) {
		body_hand_over_plain(masking->job, masked);
	} else {
		log_warning("job %llu: tokens could not be masked",
		    (unsigned long long)masking->job->id);
		body_substitute(masking);
	}
	buffer_fini(&masking->plain);
	free(masking);
}

/* Takes the content of plain. */
static void
body_mask(struct job *job, struct buffer *plain)
{
	const struct parse_port *port = community_parse(job->jobs->community);
	struct masking *masking = calloc(1, sizeof *masking);
	int rc = -ENOMEM;

	if (masking != NULL && !buffer_failed(plain)) {
		masking->job = job;
		masking->plain = *plain;
		buffer_init(plain, 0);
		rc = port->mask(port->arg, buffer_span(&masking->plain),
		    body_masked, masking);
		if (rc == 0)
			return;
		buffer_fini(&masking->plain);
	}
	free(masking);
	job_body_done(job, rc);
}

/* ---- an article to a list */

/* Fields that stand in a personal head, or that news lacks. */
static void
append_without_reply_to(struct buffer *out, struct span plain)
{
	struct article_header header;
	size_t at = 0;

	article_header_init(&header);
	if (article_scan(&header, plain, ARTICLE_MAIL, NULL) == 0)
		for (size_t i = 0; i < header.count; i++) {
			const struct article_field *field = &header.fields[i];

			if (field->id != HEADER_REPLY_TO)
				continue;
			buffer_append(out, plain.bytes + at,
			    field->offset - at);
			at = field->offset + field->len;
		}
	buffer_append(out, plain.bytes + at, plain.len - at);
	article_header_fini(&header);
}

static bool
article_says_to(const struct stored *stored)
{
	struct article_header header;
	bool says = true;

	article_header_init(&header);
	if (article_scan(&header,
		span_make((const char *)stored->bytes + stored->head.added_len,
		    stored->head.received_len),
		ARTICLE_MAIL, NULL) == 0)
		says = article_field_find(&header, HEADER_TO, 0) != NULL;
	article_header_fini(&header);
	return says;
}

static void
list_head(struct job *job, const struct space *space,
    const struct stored *stored, struct buffer *out)
{
	struct community *community = job->jobs->community;

	list_headers_append(out, community, space, stored->meta->message_id);
	if (!article_says_to(stored))
		buffer_printf(out, "To: %s@%s\r\n", space->mail,
		    community_config(community)->domain);
}

static void
list_body(struct job *job, const struct space *space,
    const struct stored *stored)
{
	struct buffer out, copy;

	buffer_init(&out, 0);
	buffer_init(&copy, 0);
	list_head(job, space, stored, &out);
	if (job->ticket != 0) {
		(void)list_copy_plain(&stored->head, stored_span(stored),
		    &copy);
		append_without_reply_to(&out, buffer_span(&copy));
		if (buffer_failed(&copy))
			out.failed = true;
		body_mask(job, &out);
	} else {
		list_copy_wire(&stored->head, stored_span(stored), &out);
		if (buffer_failed(&out))
			job_body_done(job, -ENOMEM);
		else
			body_hand_over(job, buffer_span(&out));
	}
	buffer_fini(&copy);
	buffer_fini(&out);
}

/* ---- a mail of ours */

/* The header lines that say what the body is, and the body. */
static void
append_content(struct buffer *out, const struct stored *stored)
{
	struct article_header header;
	struct buffer plain;

	buffer_init(&plain, 0);
	article_header_init(&header);
	dot_unstuff(&plain,
	    span_make((const char *)stored->bytes + stored->head.added_len,
		stored->head.received_len));
	if (article_scan(&header, buffer_span(&plain), ARTICLE_MAIL, NULL) == 0)
		for (size_t i = 0; i < header.count; i++) {
			const struct article_field *field = &header.fields[i];

			if (field->id == HEADER_MIME_VERSION ||
			    field->id == HEADER_CONTENT_TYPE ||
			    field->id == HEADER_CONTENT_TRANSFER_ENCODING ||
			    span_is(field->name, "Content-Language"))
				buffer_append(out, plain.bytes + field->offset,
				    field->len);
		}
	buffer_append_text(out, "\r\n");
	buffer_append_span(out, article_body(&header));
	article_header_fini(&header);
	buffer_fini(&plain);
}

static void
mail_body(struct job *job, struct store_reader *reader, const Kith__Job *row)
{
	struct stored stored = { 0 };
	struct buffer out;
	uint8_t *body = NULL;
	size_t len = 0;
	int rc = 0;

	buffer_init(&out, 0);
	buffer_append(&out, row->head.data, row->head.len);
	if (row->artid != 0) {
		rc = stored_get(reader, row->artid, &stored);
		if (rc == 0)
			append_content(&out, &stored);
	} else {
		if (row->has_body)
			rc = store_body_get(reader, STORE_JOB_BODIES, job->id,
			    &body, &len);
		buffer_append_text(&out, "\r\n");
		buffer_append(&out, body, len);
	}
	if (rc != 0)
		job_body_done(job, rc);
	else if (row->artid != 0)
		body_mask(job, &out);
	else
		body_hand_over_plain(job, buffer_span(&out));
	free(body);
	stored_fini(&stored);
	buffer_fini(&out);
}

/* ---- which one */

/* A digest is a mail of the list as any other (RFC 2919 3, RFC 2369). */
static void
digest_rendered(void *arg, struct span message)
{
	struct job *job = arg;
	struct community *community = job->jobs->community;
	struct space *space =
	    spaces_by_id(community_spaces(community), job->space);
	struct buffer out;

	buffer_init(&out, 0);
	if (space != NULL)
		list_headers_append(&out, community, space, NULL);
	buffer_append_span(&out, message);
	if (message.len == 0 || space == NULL)
		job_body_done(job, -ENOENT);
	else if (buffer_failed(&out))
		job_body_done(job, -ENOMEM);
	else
		body_hand_over_plain(job, buffer_span(&out));
	buffer_fini(&out);
	space_unref(space);
}

static void
article_body_make(struct job *job, struct store_reader *reader)
{
	struct space *space =
	    spaces_by_id(community_spaces(job->jobs->community), job->space);
	struct stored stored = { 0 };
	int rc =
	    space == NULL ? -ENOENT : stored_get(reader, job->artid, &stored);

	if (rc != 0)
		job_body_done(job, rc);
	else
		list_body(job, space, &stored);
	stored_fini(&stored);
	space_unref(space);
}

static void
row_body_make(struct job *job, struct store_reader *reader)
{
	struct store_key key = store_key_u64(job->id);
	ProtobufCMessage *message = NULL;
	const Kith__Job *row;
	int rc = store_get(reader, STORE_JOBS, &key, &message);

	if (rc != 0) {
		job_body_done(job, rc);
		return;
	}
	row = (const Kith__Job *)message;
	if (job->kind == KITH__JOB_KIND__JOB_DIGEST)
		digest_render(job->jobs->community, row,
		    digest_rendered, job);
	else
		mail_body(job, reader, row);
	protobuf_c_message_free_unpacked(message, NULL);
}

void
job_body_make(struct job *job)
{
	struct store_view *view =
	    store_view_begin(community_store(job->jobs->community));

	if (view == NULL) {
		job_body_done(job, -ENOMEM);
		return;
	}
	if (job->kind == KITH__JOB_KIND__JOB_LIST)
		article_body_make(job, store_view_reader(view));
	else
		row_body_make(job, store_view_reader(view));
	store_view_end(&view);
}
