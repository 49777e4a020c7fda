/* history.c - ids that are known without an article are forgotten after
 * history.days, in slices.
 */
#include "daemon/community/timers.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "store/msgid.h"

#define HOUR 3600u
#define DAY  86400u

struct forgetting {
	struct store_op op;
	struct community *community;
	uint32_t day;
	bool more;
	void (*done)(void *arg);
	void *arg;
};

static int
forgetting_apply(struct store_txn *txn, struct store_op *op)
{
	struct forgetting *forgetting = (struct forgetting *)(void *)op;
	unsigned count;
	int rc = store_msgid_forget(txn, forgetting->day, &count);

	forgetting->more = rc == 1;
	return rc < 0 ? rc : 0;
}

static void
forgetting_done(struct store_op *op, int result)
{
	struct forgetting *forgetting = (struct forgetting *)(void *)op;

	if (result == 0 && forgetting->more) {
		store_submit(community_store(forgetting->community), op);
		return;
	}
	if (result != 0)
		log_err("history: %s", strerror(-result));
	forgetting->done(forgetting->arg);
	free(forgetting);
}

void
history_run_due(struct community *community, void (*done)(void *arg), void *arg)
{
	unsigned days = community_config(community)->history_days;
	uint32_t today = (uint32_t)(community_now(community) / DAY);
	struct forgetting *forgetting = NULL;

	if (days != 0 && days < today &&
	    community_is_due(community, COMMUNITY_DUE_HISTORY, HOUR))
		forgetting = calloc(1, sizeof *forgetting);
	if (forgetting == NULL) { /* not due, or the next hour will do */
		done(arg);
		return;
	}
	forgetting->community = community;
	forgetting->day = today - days;
	forgetting->done = done;
	forgetting->arg = arg;
	forgetting->op.apply = forgetting_apply;
	forgetting->op.done = forgetting_done;
	forgetting->op.inbox = community_inbox(community);
	forgetting->op.bulk = true;
	store_submit(community_store(community), &forgetting->op);
}
