/* list_copy.c - the bytes of an article that mail shows: the author's, with what
 * they lack, and nothing that is somebody else's business.
 */
#include "daemon/community/list_copy.h"

#include <errno.h>

#include "protocol/article.h"
#include "protocol/dot.h"

static bool
mail_knows(enum header_id id)
{
	return id == HEADER_MESSAGE_ID || id == HEADER_DATE ||
	    id == HEADER_SUBJECT || id == HEADER_FROM ||
	    id == HEADER_X_ORIGINAL_MESSAGE_ID;
}

static void
append_added(struct buffer *out, struct span added)
{
	struct article_header header;

	article_header_init(&header);
	if (article_scan(&header, added, ARTICLE_MAIL, NULL) == 0)
		for (size_t i = 0; i < header.count; i++)
			if (mail_knows(header.fields[i].id))
				buffer_append(out,
				    added.bytes + header.fields[i].offset,
				    header.fields[i].len);
	article_header_fini(&header);
}

void
list_copy_wire(const struct store_article_head *head, struct span article,
    struct buffer *out)
{
	const char *received = article.bytes + head->added_len;
	size_t at = 0;

	append_added(out, span_make(article.bytes, head->added_len));
	for (uint32_t i = 0; i < head->hidden_mail_count; i++) {
		const struct store_range *range = &head->hidden_mail[i];

		buffer_append(out, received + at, range->offset - at);
		at = (size_t)range->offset + range->len;
	}
	buffer_append(out, received + at, head->received_len - at);
}

int
list_copy_plain(const struct store_article_head *head, struct span article,
    struct buffer *out)
{
	struct buffer wire;

	if ((head->flags & STORE_ARTICLE_STUFFED) == 0) {
		list_copy_wire(head, article, out);
		return buffer_failed(out) ? -ENOMEM : 0;
	}
	buffer_init(&wire, 0);
	list_copy_wire(head, article, &wire);
	dot_unstuff(out, buffer_span(&wire));
	if (buffer_failed(&wire))
		out->failed = true;
	buffer_fini(&wire);
	return buffer_failed(out) ? -ENOMEM : 0;
}
