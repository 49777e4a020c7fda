/* admin_space_compact.c - kithctl space compact: on a worker, for it takes as
 * long as reading the store; and with kithd down, for writers wait for it.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/admin_space.h"
#include "store/admin.h"

struct compact {
	struct control_request *request;
	struct community *community;
	uint64_t before, after;
	int rc;
};

static bool
compact_must_stop(void *arg)
{
	const struct compact *compact = arg;

	return worker_pool_is_ending(community_workers(compact->community));
}

static void
compact_work(void *arg)
{
	struct compact *compact = arg;

	compact->rc = store_compact(community_store(compact->community),
	    compact_must_stop, compact, &compact->before, &compact->after);
}

static void
compact_answer(const struct compact *compact)
{
	uint64_t freed = compact->before > compact->after
	    ? compact->before - compact->after
	    : 0;

	control_result(compact->request,
	    json_pack("{s:I, s:I, s:I}", "freed_bytes", (json_int_t)freed,
		"before_bytes", (json_int_t)compact->before, "after_bytes",
		(json_int_t)compact->after));
	control_text(compact->request, "%llu bytes given back, %llu left",
	    (unsigned long long)freed, (unsigned long long)compact->after);
	control_done(compact->request);
}

static void
compact_done(void *arg)
{
	struct compact *compact = arg;

	community_busy(compact->community, -1);
	if (compact->rc == 0)
		compact_answer(compact);
	else if (compact->rc == -EBUSY)
		control_fail(compact->request, "refused",
		    "the store is being compacted already");
	else if (compact->rc == -ECANCELED)
		control_fail(compact->request, "refused",
		    "kithd stops: ask again when it runs, the rest is done then");
	else
		admin_fail_errno(compact->request, compact->rc);
	free(compact);
}

void
admin_space_compact(struct control_request *request)
{
	const struct admin_port *port =
	    community_admin(control_context(request));
	struct compact *compact;
	int rc;

	if (port == NULL || !port->offline) {
		control_fail(request, "running",
		    "kithd is running: kithctl stop first; what is free inside "
		    "the files is used again without this");
		return;
	}
	compact = calloc(1, sizeof *compact);
	if (compact == NULL) {
		admin_fail_errno(request, -ENOMEM);
		return;
	}
	compact->request = request;
	compact->community = control_context(request);
	community_busy(compact->community, 1);
	/* compact->rc is the worker's as soon as it has the work */
	rc = worker_submit(community_workers(compact->community),
	    community_loop(compact->community), compact_work, compact_done,
	    compact);
	if (rc != 0) {
		compact->rc = rc;
		compact_done(compact);
	}
}
