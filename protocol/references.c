/* references.c - what a follow-up refers to.
 */
#include "protocol/references.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol/msgid.h"

#define REFERENCES_NAME	   "References"
#define REFERENCES_IDS_MAX 21u
#define REFERENCES_LEN_MAX 998u /* unfolded, with the name (RFC 5537 3.4.4) */
#define REFERENCES_KEEP	   4u	/* the root and the last three */

/* The first of each, in order; never the parent, which comes last. */
static void
references_drop_repeated(struct msgid_list *list, struct span parent_id)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		bool repeated = span_equal(list->ids[i], parent_id);

		for (size_t j = 0; j < kept && !repeated; j++)
			repeated = span_equal(list->ids[i], list->ids[j]);
		if (!repeated)
			list->ids[kept++] = list->ids[i];
	}
	list->count = kept;
}

static size_t
references_len(const struct msgid_list *list, struct span parent_id)
{
	size_t len = strlen(REFERENCES_NAME) + 1 + 1 + parent_id.len;

	for (size_t i = 0; i < list->count; i++)
		len += 1 + list->ids[i].len;
	return len;
}

/* How many ids after the root to leave out. */
static size_t
references_trim(const struct msgid_list *list, struct span parent_id)
{
	size_t len = references_len(list, parent_id);
	size_t count = list->count + 1, cut = 0;

	while (count - cut > 3 &&
	    (len > REFERENCES_LEN_MAX ||
		(count - cut > REFERENCES_IDS_MAX &&
		    count - cut > REFERENCES_KEEP))) {
		cut++;
		len -= 1 + list->ids[cut].len;
	}
	return cut;
}

static int
references_gather(struct msgid_list *list, struct span references,
    struct span in_reply_to)
{
	int rc = msgid_list_parse(list, references, MSGID_LIST_MAX);

	if (rc != 0 || list->count > 0)
		return rc;
	rc = msgid_list_parse(list, in_reply_to, MSGID_LIST_MAX);
	if (list->count > 1)
		list->count = 0;
	return rc;
}

static void
references_write(struct buffer *out, const struct msgid_list *list,
    struct span parent_id)
{
	size_t cut = references_trim(list, parent_id);

	for (size_t i = 0; i < list->count; i++) {
		if (i >= 1 && i <= cut)
			continue;
		buffer_append_span(out, list->ids[i]);
		buffer_append_byte(out, ' ');
	}
	buffer_append_span(out, parent_id);
}

int
references_append(struct buffer *out, struct span parent_references,
    struct span parent_in_reply_to, struct span parent_id)
{
	struct msgid_list *list;
	int rc;

	if (!msgid_is_valid(parent_id))
		return -EINVAL;
	list = malloc(sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	msgid_list_init(list);
	rc = references_gather(list, parent_references, parent_in_reply_to);
	if (rc == 0) {
		references_drop_repeated(list, parent_id);
		references_write(out, list, parent_id);
		rc = buffer_failed(out) ? -ENOMEM : 0;
	}
	msgid_list_fini(list);
	free(list);
	return rc;
}
