/* feeds_header.c - mail is full of headers that no news server takes: no space
 * after the colon, nothing behind it, fields twice. What came by mail goes to
 * peers with its header written anew where it must be; what it says, and the
 * body, stay. An article of news never gets here: it was checked when it came.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/feeds_private.h"
#include "protocol/article.h"

#define DROPS_MAX 8u /* kinds of fields that are left out to make it pass */

struct mending {
	struct article_header old; /* as it is */
	bool *dropped;             /* by field */
	struct buffer out;
};

/* Without these it is no article (RFC 5536 3.1): better refused as it is. */
static bool
is_needed(enum header_id id)
{
	return (header_info(id)->flags & HEADER_NEEDED_NEWS) != 0;
}

static bool
is_repeated(const struct article_header *header, size_t i)
{
	enum header_id id = header->fields[i].id;

	return (header_info(id)->flags & HEADER_SINGLE) != 0 &&
	    article_field_find(header, id, 0) != &header->fields[i];
}

static void
field_append(struct mending *mending, size_t i)
{
	const struct article_field *field = &mending->old.fields[i];
	struct buffer name, value;

	/* a name that begins with a dot would have to be stuffed */
	if (mending->dropped[i] || field->id == HEADER_JUNK ||
	    !header_name_is_valid(field->name) || field->name.bytes[0] == '.' ||
	    is_repeated(&mending->old, i))
		return;
	buffer_init(&name, 0);
	buffer_init(&value, 0);
	buffer_append_span(&name, field->name);
	header_unfold(&value, field->value);
	if (value.len > 0)
		header_append(&mending->out, buffer_text(&name),
		    buffer_span(&value));
	if (buffer_failed(&name) || buffer_failed(&value))
		mending->out.failed = true;
	buffer_fini(&name);
	buffer_fini(&value);
}

static void
header_compose(struct mending *mending)
{
	buffer_clear(&mending->out);
	for (size_t i = 0; i < mending->old.count; i++)
		field_append(mending, i);
	buffer_append_text(&mending->out, "\r\n");
	buffer_append_span(&mending->out, article_body(&mending->old));
}

/* Leaves out what is at fault. False: it cannot be left out. */
static bool
fault_drop(struct mending *mending, const struct article_header *fresh)
{
	struct span name = fresh->fault_name;
	bool any = false;

	if (fresh->fault_id != HEADER_UNKNOWN) {
		if (is_needed(fresh->fault_id))
			return false;
		name = span_of(header_info(fresh->fault_id)->name);
	}
	for (size_t i = 0; i < mending->old.count; i++) {
		const struct span own = mending->old.fields[i].name;

		if (mending->dropped[i] || own.len != name.len ||
		    own.len == 0 ||
		    strncasecmp(own.bytes, name.bytes, own.len) != 0)
			continue;
		mending->dropped[i] = true;
		any = true;
	}
	return any;
}

/* 1: it can be sent; 0: it stays as it is. */
static int
header_rewrite(struct mending *mending)
{
	struct article_header fresh;
	int rc = -EBADMSG;

	article_header_init(&fresh);
	for (unsigned i = 0; i <= DROPS_MAX && rc == -EBADMSG; i++) {
		header_compose(mending);
		if (buffer_failed(&mending->out))
			break;
		rc = article_scan(&fresh, buffer_span(&mending->out),
		    ARTICLE_PEER, NULL);
		if (rc == -EBADMSG && !fault_drop(mending, &fresh))
			break;
	}
	article_header_fini(&fresh);
	return rc == 0 ? 1 : 0;
}

void
feeds_header_mend(struct buffer *wire)
{
	struct mending mending = { .dropped = NULL };
	int good = 0;

	article_header_init(&mending.old);
	buffer_init(&mending.out, 0);
	if (article_scan(&mending.old, buffer_span(wire), ARTICLE_PEER, NULL) ==
		-EBADMSG &&
	    article_scan(&mending.old, buffer_span(wire), ARTICLE_MAIL, NULL) ==
		0)
		mending.dropped =
		    calloc(mending.old.count + 1, sizeof *mending.dropped);
	if (mending.dropped != NULL)
		good = header_rewrite(&mending);
	if (good == 1) {
		buffer_fini(wire);
		*wire = mending.out;
		buffer_init(&mending.out, 0);
	}
	free(mending.dropped);
	buffer_fini(&mending.out);
	article_header_fini(&mending.old);
}
