/* admin_system.c - kithctl status, check, backup, stop, run-timers, clock.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_op.h"
#include "daemon/community/admin_words.h"
#include "daemon/community/spaces.h"
#include "protocol/buffer.h"
#include "store/admin.h"

#define CLOCK_STEP_MAX (50L * 365L * 86400L)
#define FAULTS_MAX     1000u

/* ---- status */

struct counting {
	json_int_t rows;
};

static int
count_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	(void)key;
	(void)message;
	((struct counting *)arg)->rows++;
	return 0;
}

struct status {
	struct control_request *request;
	struct community *community;
	json_int_t members, jobs, held, deferred;
};

static json_int_t
rows_of(struct store_reader *reader, enum store_table table)
{
	struct counting counting = { 0 };

	(void)store_walk(reader, table, NULL, NULL, count_row, &counting);
	return counting.rows;
}

/* Counting takes as long as there are members: on a worker. */
static void
status_work(void *arg)
{
	struct status *status = arg;
	struct store_view *view =
	    store_view_begin(community_store(status->community));
	struct store_reader *reader;

	if (view == NULL)
		return;
	reader = store_view_reader(view);
	status->members = rows_of(reader, STORE_MEMBERS);
	status->jobs = rows_of(reader, STORE_JOBS);
	status->held = rows_of(reader, STORE_HELD);
	status->deferred = rows_of(reader, STORE_DEFERRED);
	store_view_end(&view);
}

static void
status_done(void *arg)
{
	struct status *status = arg;
	struct community *community = status->community;
	const struct admin_port *port = community_admin(community);
	struct store_stats stats;

	community_busy(community, -1);
	store_stats_get(community_store(community), &stats);
	control_result(status->request,
	    json_pack(
		"{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I, "
		"s:I, s:I, s:I, s:I, s:i}",
		"version",
		port == NULL || port->version == NULL ? "" : port->version,
		"time", (json_int_t)community_now(community), "uptime",
		(json_int_t)community_uptime(community), "articles",
		(json_int_t)stats.articles, "spaces",
		(json_int_t)spaces_count(community_spaces(community)),
		"members", status->members, "jobs", status->jobs, "deferred",
		status->deferred, "held", status->held, "free_bytes",
		(json_int_t)stats.free_bytes, "full",
		store_is_full(community_store(community)) ? 1 : 0,
		"reserve_bytes", (json_int_t)stats.reserve_bytes, "commits",
		(json_int_t)stats.commits, "operations",
		(json_int_t)stats.operations, "cache_hits",
		(json_int_t)stats.cache_hits, "cache_misses",
		(json_int_t)stats.cache_misses, "schema", (int)stats.schema));
	control_done(status->request);
	free(status);
}

static void
run_status(struct control_request *request)
{
	struct status *status = calloc(1, sizeof *status);

	if (status == NULL) {
		admin_fail_errno(request, -ENOMEM);
		return;
	}
	status->request = request;
	status->community = control_context(request);
	community_busy(status->community, 1);
	if (worker_submit(community_workers(status->community),
		community_loop(status->community), status_work, status_done,
		status) != 0)
		status_done(status);
}

/* ---- check and backup */

struct admin_work {
	struct control_request *request;
	struct community *community;
	const char *directory;
	char *error;
	struct buffer faults;
	unsigned shown;
	uint64_t rows;
	int rc;
};

static struct admin_work *
work_new(struct control_request *request)
{
	struct admin_work *work = calloc(1, sizeof *work);

	if (work == NULL) {
		admin_fail_errno(request, -ENOMEM);
		return NULL;
	}
	work->request = request;
	work->community = control_context(request);
	work->directory = control_arg(request, 0);
	buffer_init(&work->faults, 0);
	community_busy(work->community, 1);
	return work;
}

static void
work_free(struct admin_work *work)
{
	community_busy(work->community, -1);
	buffer_fini(&work->faults);
	free(work->error);
	free(work);
}

static void
work_start(struct admin_work *work, void (*run)(void *arg),
    void (*done)(void *arg))
{
	/* work->rc is the worker's as soon as it has the work */
	int rc = worker_submit(community_workers(work->community),
	    community_loop(work->community), run, done, work);

	if (rc != 0) {
		work->rc = rc;
		done(work);
	}
}

static void
check_report(void *arg, const char *fault)
{
	struct admin_work *work = arg;

	if (work->shown++ < FAULTS_MAX)
		buffer_printf(&work->faults, "%s\n", fault);
}

static void
check_work(void *arg)
{
	struct admin_work *work = arg;

	work->rc = store_check(community_store(work->community), check_report,
	    work, &work->rows);
}

static void
check_done(void *arg)
{
	struct admin_work *work = arg;
	int faults = work->rc;

	if (faults < 0)
		admin_fail_errno(work->request, faults);
	else if (faults > 0)
		control_fail(work->request, "faults",
		    "%s%d faults in %llu rows; restore a backup, or ask for help with "
		    "this list",
		    buffer_text(&work->faults), faults,
		    (unsigned long long)work->rows);
	else {
		control_result(work->request,
		    json_pack("{s:i, s:I}", "faults", 0, "rows",
			(json_int_t)work->rows));
		control_text(work->request, "no fault in %llu rows",
		    (unsigned long long)work->rows);
		control_done(work->request);
	}
	work_free(work);
}

static void
run_check(struct control_request *request)
{
	struct admin_work *work = work_new(request);

	if (work != NULL)
		work_start(work, check_work, check_done);
}

static void
backup_work(void *arg)
{
	struct admin_work *work = arg;

	work->rc = store_backup(community_store(work->community),
	    work->directory, &work->error);
}

static void
backup_done(void *arg)
{
	struct admin_work *work = arg;

	if (work->rc == 0)
		control_done(work->request);
	else if (work->error != NULL)
		control_fail(work->request, "refused", "%s", work->error);
	else
		admin_fail_errno(work->request, work->rc);
	work_free(work);
}

static void
run_backup(struct control_request *request)
{
	struct admin_work *work;

	/* kithd's folder is not the caller's: a relative name would surprise */
	if (control_arg(request, 0)[0] != '/') {
		control_fail(request, CONTROL_USAGE,
		    "give the folder of the backup as an absolute path");
		return;
	}
	work = work_new(request);
	if (work != NULL)
		work_start(work, backup_work, backup_done);
}

/* ---- stop, timers, clock */

static void
run_stop(struct control_request *request)
{
	struct community *community = control_context(request);
	const struct admin_port *port = community_admin(community);

	if (port == NULL || port->stop == NULL) {
		control_fail(request, "refused",
		    "stop kithd by a signal: TERM");
		return;
	}
	control_done(request);
	port->stop(port->arg);
}

static void
timers_done(void *arg)
{
	control_done(arg);
}

static void
run_timers(struct control_request *request)
{
	community_run_timers(control_context(request), timers_done, request);
}

static void
run_clock(struct control_request *request)
{
	struct community *community = control_context(request);
	const struct admin_port *port = community_admin(community);
	long seconds = admin_number(control_arg(request, 0), CLOCK_STEP_MAX);

	if (port == NULL || !port->clock_allowed) {
		control_fail(request, "refused",
		    "the clock moves only when kithd was started with -T (tests)");
		return;
	}
	if (seconds < 0) {
		control_fail(request, CONTROL_USAGE,
		    "SECONDS is a number from 0 to %ld", CLOCK_STEP_MAX);
		return;
	}
	clock_advance(community_clock(community), (uint64_t)seconds);
	community_run_timers(community, timers_done, request);
}

const struct control_verb admin_system_verbs[] = {
	{ "status", NULL, "", 0, 0, run_status, 0 },
	{ "check", NULL, "", 0, 0, run_check, 0 },
	{ "backup", NULL, "DIR", 1, 1, run_backup, 0 },
	{ "stop", NULL, "", 0, 0, run_stop, 0 },
	{ "run-timers", NULL, "", 0, 0, run_timers, 0 },
	{ "clock", "advance", "SECONDS", 1, 1, run_clock, 0 },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
