/* admin_article.c - kithctl article: show, remove; and import, which
 * kith-import speaks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_op.h"
#include "daemon/community/cancel.h"
#include "daemon/community/intake.h"
#include "daemon/community/removal.h"
#include "daemon/community/spaces.h"
#include "protocol/dot.h"
#include "protocol/range.h"
#include "store/article.h"
#include "store/msgid.h"
#include "store/overview.h"

#define SHOW_MAX (128u * 1024u * 1024u)

/* ---- which article */

static int
article_by_id(struct store_reader *reader, struct community *community,
    const char *id, uint64_t *artid_r)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	uint8_t hash[STORE_HASH_LEN];
	int count;

	store_msgid_hash(community_store(community), id, strlen(id), hash);
	count = store_msgid_get(reader, hash, entries);
	for (int i = 0; i < count; i++)
		if (entries[i].state == STORE_MSGID_STORED) {
			*artid_r = entries[i].artid;
			return 0;
		}
	return count < 0 ? count : -ENOENT;
}

static int
article_by_number(struct store_reader *reader, struct community *community,
    const char *id, uint64_t *artid_r)
{
	const char *colon = strrchr(id, ':');
	struct store_overview_row row;
	struct space *space;
	uint32_t number;
	char *copy = NULL;
	int rc;

	if (colon == NULL ||
	    range_parse_number(span_of(colon + 1), &number) != 0)
		return -EINVAL;
	space = spaces_by_name(community_spaces(community),
	    span_make(id, (size_t)(colon - id)));
	if (space == NULL)
		return -ENOENT;
	rc = store_overview_get(reader, space->id, number, &row, &copy);
	if (rc == 0)
		*artid_r = row.artid;
	free(copy);
	space_unref(space);
	return rc;
}

/* -EINVAL: it is neither a Message-ID nor SPACE:NUMBER. */
static int
article_find(struct store_reader *reader, struct community *community,
    const char *id, uint64_t *artid_r)
{
	if (id[0] == '<')
		return article_by_id(reader, community, id, artid_r);
	return article_by_number(reader, community, id, artid_r);
}

static const char find_error[] =
    "no such article: give its Message-ID in angle brackets, or SPACE:NUMBER";

/* ---- show */

static void
show_output(struct control_request *request,
    const struct store_article_head *head, struct span article)
{
	const char *received = article.bytes + head->added_len;
	struct buffer wire, plain;
	size_t at = 0;

	buffer_init(&wire, 0);
	buffer_init(&plain, 0);
	buffer_append(&wire, article.bytes, head->added_len);
	for (uint32_t i = 0; i < head->hidden_news_count; i++) {
		const struct store_range *range = &head->hidden_news[i];

		buffer_append(&wire, received + at, range->offset - at);
		at = (size_t)range->offset + range->len;
	}
	buffer_append(&wire, received + at, head->received_len - at);
	dot_unstuff(&plain, buffer_span(&wire));
	if (buffer_failed(&wire) || buffer_failed(&plain)) {
		admin_fail_errno(request, -ENOMEM);
	} else {
		control_output(request, plain.bytes, plain.len);
		control_done(request);
	}
	buffer_fini(&wire);
	buffer_fini(&plain);
}

static void
run_show(struct control_request *request)
{
	struct community *community = control_context(request);
	struct store_view *view = store_view_begin(community_store(community));
	struct store_article_head head;
	uint8_t *bytes = NULL;
	uint64_t artid;
	size_t len;
	int rc = -ENOMEM;

	if (view != NULL)
		rc = article_find(store_view_reader(view), community,
		    control_arg(request, 0), &artid);
	if (rc == 0)
		rc = store_article_get(store_view_reader(view), artid, SHOW_MAX,
		    &head, &bytes, &len);
	store_view_end(&view);
	if (rc == -ENOENT || rc == -EINVAL)
		control_fail(request, "not-found", "%s", find_error);
	else if (rc != 0)
		admin_fail_errno(request, rc);
	else
		show_output(request, &head,
		    span_make((const char *)bytes, len));
	free(bytes);
}

/* ---- remove */

struct remove_op {
	struct admin_op admin;
	uint64_t artid;
};

static int
remove_check(struct store_txn *txn, struct admin_op *admin)
{
	struct remove_op *op = (struct remove_op *)(void *)admin;
	int rc = article_find(store_txn_reader(txn), admin->community,
	    control_arg(admin->request, 0), &op->artid);

	if (rc == -ENOENT || rc == -EINVAL)
		return admin_refuse(admin, "not-found", "%s", find_error);
	return rc;
}

static int
remove_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct remove_op *op = (struct remove_op *)(void *)admin;

	return removal_article(txn, admin->community, op->artid,
	    KITH__VERB__VERB_REMOVED, 0);
}

/* A Message-ID that only mail knows cannot be told to peers, and need not be. */
static int
cancel_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct remove_op *op = (struct remove_op *)(void *)admin;
	int rc = cancel_by_admin(txn, admin->community, op->artid);

	return rc == -EINVAL ? remove_apply(txn, admin) : rc;
}

static void
run_removal(struct control_request *request,
    int (*apply)(struct store_txn *txn, struct admin_op *admin))
{
	struct remove_op *op = admin_op_new(request, sizeof *op);

	if (op == NULL)
		return;
	op->admin.check = remove_check;
	op->admin.apply = apply;
	admin_op_run(&op->admin);
}

static void
run_remove(struct control_request *request)
{
	run_removal(request, remove_apply);
}

static void
run_cancel(struct control_request *request)
{
	run_removal(request, cancel_apply);
}

/* ---- import */

static void
import_done(void *arg, const struct intake_result *result)
{
	struct control_request *request = arg;
	const char *outcome = result->reason == REASON_STORED ? "stored"
	    : result->reason == REASON_DUPLICATE              ? "duplicate"
							      : "refused";

	if (result->reason == REASON_NO_ROOM || result->reason == REASON_BUSY) {
		control_fail(request, reason_name(result->reason), "%s",
		    reason_reply(result->reason)->text);
		return;
	}
	control_result(request,
	    json_pack("{s:s, s:s, s:s}", "outcome", outcome, "reason",
		reason_name(result->reason), "detail", result->detail));
	control_done(request);
}

static void
run_import(struct control_request *request)
{
	struct community *community = control_context(request);
	struct span input = control_input(request);
	struct space *space =
	    admin_space_named(request, control_arg(request, 0));
	struct intake_import import = { 0 };
	struct buffer wire;

	if (space == NULL)
		return;
	import.space = space->id;
	space_unref(space);
	if (input.len == 0) {
		control_fail(request, CONTROL_USAGE,
		    "import takes one message as raw bytes; use kith-import");
		return;
	}
	buffer_init(&wire, 0);
	dot_from_file(&wire, input, &import.facts);
	import.bytes = buffer_take(&wire, &import.len);
	if (import.bytes == NULL)
		admin_fail_errno(request, -ENOMEM);
	else
		intake_import(community, &import, import_done, request);
}

const struct control_verb admin_article_verbs[] = {
	{ "article", "show", "ID", 1, 1, run_show, 0 },
	{ "article", "remove", "ID", 1, 1, run_remove, 0 },
	{ "article", "cancel", "ID", 1, 1, run_cancel, 0 },
	{ "import", NULL, "SPACE", 1, 1, run_import, CONTROL_TAKES_BYTES },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
