/* feeds_copy.c - the news copy of an article as a peer gets it: what kith added,
 * and what was received less what news does not show. No Xref (RFC 5537 3.6).
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/feeds_private.h"
#include "daemon/community/meta.h"
#include "daemon/community/spaces.h"
#include "protocol/article.h"
#include "protocol/newsgroup.h"
#include "store/article.h"

#define COPY_MAX ((size_t)128 << 20)

/* ---- may it go? */

/* The raw value of the first field of that name among header lines; empty:
 * there is none. Lines alone: no field has to be well formed for it. */
static struct span
line_value(struct span header, const char *name)
{
	size_t len = strlen(name);
	const char *at = header.bytes, *end = header.bytes + header.len, *next;
	struct span value;

	for (; at < end; at = next) {
		next = memchr(at, '\n', (size_t)(end - at));
		next = next == NULL ? end : next + 1;
		if ((size_t)(next - at) <= len || at[len] != ':' ||
		    strncasecmp(at, name, len) != 0)
			continue;
		while (next < end && (*next == ' ' || *next == '\t')) {
			const char *fold =
			    memchr(next, '\n', (size_t)(end - next));

			next = fold == NULL ? end : fold + 1;
		}
		value = span_make(at + len + 1, (size_t)(next - at) - len - 1);
		return span_trim(value);
	}
	return span_make("", 0);
}

/* "local" among the distributions (RFC 5536 3.2.4). */
static bool
is_local(struct span distribution)
{
	size_t at = 0, from = 0;

	for (; at <= distribution.len; at++) {
		if (at < distribution.len && distribution.bytes[at] != ',')
			continue;
		if (span_is(span_trim(span_make(distribution.bytes + from,
				at - from)),
			"local"))
			return true;
		from = at + 1;
	}
	return false;
}

static bool
header_must_stay(const struct fed_peer *fed, struct span added,
    struct span received)
{
	if (fed->path[0] != '\0' &&
	    path_has(line_value(added, "Path"), span_of(fed->path)))
		return true;
	return is_local(line_value(received, "Distribution"));
}

static int
whole_must_stay(const struct fed_peer *fed, struct store_reader *reader,
    uint64_t artid, bool *r)
{
	struct store_article_head head;
	uint8_t *bytes;
	size_t len;
	int rc =
	    store_article_get(reader, artid, COPY_MAX, &head, &bytes, &len);

	if (rc != 0)
		return rc;
	*r = header_must_stay(fed,
	    span_make((const char *)bytes, head.added_len),
	    span_make((const char *)bytes + head.added_len, head.header_len));
	free(bytes);
	return 0;
}

int
fed_must_not_have(const struct fed_peer *fed, struct store_reader *reader,
    uint64_t artid, bool *r)
{
	struct store_article_head head;
	struct store_blob *part = NULL;
	const char *bytes;
	size_t len;
	int rc = store_article_part_get(reader, artid, 0, &part);

	if (rc != 0)
		return rc;
	rc = store_article_head_parse(part, &head);
	if (rc == 0) {
		bytes = (const char *)store_blob_bytes(part) + head.data_offset;
		len = store_blob_len(part) - head.data_offset;
		if (len >= (size_t)head.added_len + head.header_len)
			*r = header_must_stay(fed,
			    span_make(bytes, head.added_len),
			    span_make(bytes + head.added_len, head.header_len));
		else
			rc = whole_must_stay(fed, reader, artid, r);
	}
	store_blob_unref(part);
	return rc;
}

/* ---- the copy */

/* The spaces of the article that the peer may know of. */
static void
append_groups(const struct fed_peer *fed, const Kith__ArticleMeta *meta,
    struct buffer *out)
{
	bool any = false;

	for (size_t i = 0; i < meta->n_placements; i++) {
		struct space *space =
		    spaces_by_id(community_spaces(fed->feeds->community),
			meta->placements[i]->space);

		if (space != NULL && fed_may_have(fed, space)) {
			if (any)
				buffer_append_byte(out, ',');
			buffer_append_text(out, space->name);
			any = true;
		}
		space_unref(space);
	}
}

/* kith's own block; Newsgroups in it (a mail's) names what the peer may know. */
static void
append_added(const struct fed_peer *fed, const Kith__ArticleMeta *meta,
    struct span added, struct buffer *out)
{
	struct article_header header;

	article_header_init(&header);
	if (article_scan(&header, added, ARTICLE_MAIL, NULL) != 0)
		out->failed = true;
	for (size_t i = 0; i < header.count && !out->failed; i++) {
		const struct article_field *field = &header.fields[i];

		if (field->id != HEADER_NEWSGROUPS) {
			buffer_append(out, added.bytes + field->offset,
			    field->len);
			continue;
		}
		buffer_append_text(out, "Newsgroups: ");
		append_groups(fed, meta, out);
		buffer_append_text(out, "\r\n");
	}
	article_header_fini(&header);
}

static void
append_received(const struct store_article_head *head, const char *received,
    struct buffer *out)
{
	size_t at = 0;

	for (uint32_t i = 0; i < head->hidden_news_count; i++) {
		const struct store_range *range = &head->hidden_news[i];

		buffer_append(out, received + at, range->offset - at);
		at = (size_t)range->offset + range->len;
	}
	buffer_append(out, received + at, head->received_len - at);
	/* a mail may lack the line that ends the header */
	if (head->received_len == head->header_len)
		buffer_append_text(out, "\r\n");
}

int
fed_copy(const struct fed_peer *fed, struct store_reader *reader,
    uint64_t artid, struct buffer *out)
{
	struct store_article_head head;
	Kith__ArticleMeta *meta;
	uint8_t *bytes = NULL;
	size_t len;
	int rc = meta_get(reader, artid, &meta);

	if (rc != 0)
		return rc;
	/* between the offer and now */
	if (!fed_may_have_article(fed, meta))
		rc = -ENOENT;
	if (rc == 0)
		rc = store_article_get(reader, artid, COPY_MAX, &head, &bytes,
		    &len);
	if (rc == 0) {
		append_added(fed, meta,
		    span_make((const char *)bytes, head.added_len), out);
		append_received(&head, (const char *)bytes + head.added_len,
		    out);
		feeds_header_mend(out);
		rc = buffer_failed(out) ? -ENOMEM : 0;
	}
	free(bytes);
	kith__article_meta__free_unpacked(meta, NULL);
	return rc;
}
