/* intake_import.c - the door for what is old: no right asked, no mail sent.
 */
#include "daemon/community/intake.h"

#include <stdlib.h>

#include "daemon/community/digest.h"
#include "daemon/community/draft.h"
#include "daemon/community/intake_private.h"
#include "store/admin.h"

struct import_item {
	struct store_op op;
	struct community *community;
	struct draft draft;
	struct intake_result result;
	bool place;
	intake_done done;
	void *arg;
};

static int
import_check(struct store_txn *txn, struct store_op *op)
{
	struct import_item *item = (struct import_item *)(void *)op;
	struct intake_result *result = &item->result;

	item->place = false;
	if (store_is_full(community_store(item->community))) {
		result->reason = REASON_NO_ROOM;
		return 1;
	}
	result->reason = draft_check_id(txn, item->community, &item->draft);
	if (result->reason == REASON_DUPLICATE &&
	    draft_adds_placement(txn, &item->draft))
		item->place = true;
	return result->reason == REASON_STORED || item->place ? 0 : 1;
}

static int
import_apply(struct store_txn *txn, struct store_op *op)
{
	struct import_item *item = (struct import_item *)(void *)op;
	struct draft *draft = &item->draft;
	int rc = item->place
	    ? draft_place_more(txn, item->community, draft->duplicate, draft)
	    : draft_store(txn, item->community, draft);

	item->result.reason = REASON_STORED;
	item->result.artid = draft->artid;
	item->result.space = draft->spaces[0];
	item->result.number = draft->numbers[0];
	if (rc == 0)
		rc = digest_skip_article(txn, draft->spaces[0],
		    draft->numbers[0]);
	return rc;
}

static void
import_done(struct store_op *op, int result)
{
	struct import_item *item = (struct import_item *)(void *)op;

	if (result < 0)
		item->result.reason = intake_reason_of(result);
	community_busy(item->community, -1);
	item->done(item->arg, &item->result);
	draft_fini(&item->draft);
	free(item);
}

static int
refuse_check(struct store_txn *txn, struct store_op *op)
{
	(void)txn;
	(void)op;
	return 1;
}

void
intake_import(struct community *community, const struct intake_import *import,
    intake_done done, void *arg)
{
	static const struct intake_result busy = { .reason = REASON_BUSY };
	struct draft_bytes bytes = { import->bytes, import->len,
		import->facts };
	struct import_item *item = calloc(1, sizeof *item);

	if (item == NULL) {
		free(import->bytes);
		done(arg, &busy);
		return;
	}
	item->community = community;
	item->done = done;
	item->arg = arg;
	item->draft.channel = import->peer == 0 ? KITH__CHANNEL__CHANNEL_IMPORT
						: KITH__CHANNEL__CHANNEL_PEER;
	item->draft.author.peer = import->peer;
	item->draft.quiet = true;
	item->draft.spaces[0] = import->space;
	item->draft.space_count = 1;
	item->result.reason = draft_from_mail(community, &item->draft, &bytes,
	    item->result.detail, sizeof item->result.detail);
	if (item->result.reason == REASON_STORED)
		draft_prepare_thread(community, &item->draft);
	item->op.check =
	    item->result.reason == REASON_STORED ? import_check : refuse_check;
	item->op.apply = import_apply;
	item->op.done = import_done;
	item->op.inbox = community_inbox(community);
	item->op.bulk = true;
	community_busy(community, 1);
	store_submit(community_store(community), &item->op);
}
