/* test_store_fault.c - writes and flushes that fail, kill -9, and what can be
 * seen while a flush is under way. Each store that is to die lives in a child.
 *
 * Berkeley DB's calls into the system are replaced for the whole program.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_ROUNDS 10u
#define UNDER_WAY   8u
#define DIED_FATAL  3 /* the fixture's exit status */

/* Replaced functions get no argument of ours. */
static struct {
	_Atomic int fail_writes;  /* errno, for log files; 0: none */
	_Atomic int fail_flushes; /* the same, for every file */
	_Atomic bool hold_flushes;
	_Atomic bool holding;
} faults;

static ssize_t
faulty_write(int fd, const void *bytes, size_t len)
{
	int error = atomic_load(&faults.fail_writes);

	if (error != 0 && fixture_fd_has(fd, "/log.")) {
		errno = error;
		return -1;
	}
	return write(fd, bytes, len);
}

static ssize_t
faulty_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	int error = atomic_load(&faults.fail_writes);

	if (error != 0 && fixture_fd_has(fd, "/log.")) {
		errno = error;
		return -1;
	}
	return pwrite(fd, bytes, len, offset);
}

static int
faulty_fsync(int fd)
{
	int error = atomic_load(&faults.fail_flushes);

	while (atomic_load(&faults.hold_flushes)) {
		atomic_store(&faults.holding, true);
		(void)poll(NULL, 0, 1);
	}
	/* Unlike write: the error itself. */
	return error != 0 ? error : fdatasync(fd) != 0 ? errno : 0;
}

static void
faults_install(void)
{
	memset(&faults, 0, sizeof faults);
	assert_int_equal(db_env_set_func_write(faulty_write), 0);
	assert_int_equal(db_env_set_func_pwrite(faulty_pwrite), 0);
	assert_int_equal(db_env_set_func_fsync(faulty_fsync), 0);
}

/* ---- while a flush is under way --------------------------------------- */

static void
flush_await(void)
{
	while (!atomic_load(&faults.holding))
		(void)poll(NULL, 0, 1);
}

static void
a_view_begun_during_the_flush_neither_waits_nor_sees(void **state)
{
	struct fixture *fixture = *state;
	struct store_inbox *inbox = store_inbox_new();
	struct pollfd fd = { store_inbox_fd(inbox), POLLIN, 0 };
	struct sample sample = { .space = 1 };
	struct store_space_state space;
	struct store_view *view;
	struct call call;

	fixture_space(fixture, 1);
	call_init(&call, sample_put, &sample);
	call.op.inbox = inbox;
	atomic_store(&faults.hold_flushes, true);
	store_submit(fixture->store, &call.op);
	flush_await();
	/* The commit record is in the log, but not on the disk. */
	for (unsigned i = 0; i < 3; i++) {
		view = store_view_begin(fixture->store);
		assert_int_equal(store_space_state_get(store_view_reader(view),
				     1, &space),
		    0);
		assert_int_equal(space.high, 0);
		store_view_end(&view);
	}
	assert_true(store_space_state_published(fixture->store, 1, &space));
	assert_int_equal(space.high, 0);
	assert_int_equal(poll(&fd, 1, 0), 0);
	atomic_store(&faults.hold_flushes, false);
	assert_int_equal(poll(&fd, 1, 10000), 1);
	store_inbox_drain(inbox);
	assert_int_equal(call.result, 0);
	view = store_view_begin(fixture->store);
	assert_int_equal(store_space_state_get(store_view_reader(view), 1,
			     &space),
	    0);
	assert_int_equal(space.high, 1);
	store_view_end(&view);
	store_inbox_free(&inbox);
}

#define FOLLOWERS 16u
/* Fewer than eight that wait do not wake the writer in a flush. */
#define FOLLOWERS_RUN (FOLLOWERS - 7)

/* Comes while another's commit is flushed; every second one is refused because
 * of what that one wrote. */
struct follower {
	struct store_op op;
	struct sample sample;
	_Atomic unsigned *run;
	unsigned *answered;
	unsigned place;
	int result;
};

static int
follower_check(struct store_txn *txn, struct store_op *op)
{
	struct follower *follower = (struct follower *)op;
	struct store_space_state space;
	int rc = store_space_state_get(store_txn_reader(txn), 1, &space);

	if (rc == 0 && space.high == 0)
		rc = -EPROTO; /* the first one is not there */
	if (rc == 0 && follower->sample.body_len == 1)
		rc = 7;
	if (rc != 0)
		atomic_fetch_add(follower->run, 1);
	return rc;
}

static int
follower_apply(struct store_txn *txn, struct store_op *op)
{
	struct follower *follower = (struct follower *)op;

	atomic_fetch_add(follower->run, 1);
	return sample_put(txn, &follower->sample);
}

static void
follower_done(struct store_op *op, int result)
{
	struct follower *follower = (struct follower *)op;

	follower->result = result;
	follower->place = ++*follower->answered;
}

static void
followers_submit(struct fixture *fixture, struct store_inbox *inbox,
    struct follower followers[FOLLOWERS], _Atomic unsigned *run,
    unsigned *answered)
{
	for (unsigned i = 0; i < FOLLOWERS; i++) {
		followers[i] = (struct follower){
			.op = { .check = follower_check,
			    .apply = follower_apply,
			    .done = follower_done,
			    .inbox = inbox },
			.sample = { .space = 1, .body_len = i % 2 },
			.run = run,
			.answered = answered,
		};
		store_submit(fixture->store, &followers[i].op);
	}
}

static void
the_next_batch_is_run_during_the_flush_and_answered_after_it(void **state)
{
	struct fixture *fixture = *state;
	struct store_inbox *inbox = store_inbox_new();
	struct pollfd fd = { store_inbox_fd(inbox), POLLIN, 0 };
	struct follower followers[FOLLOWERS];
	struct sample sample = { .space = 1 };
	struct store_space_state space;
	_Atomic unsigned run = 0;
	unsigned answered = 0;
	struct call first;

	fixture_space(fixture, 1);
	call_init(&first, sample_put, &sample);
	first.op.inbox = inbox;
	atomic_store(&faults.hold_flushes, true);
	store_submit(fixture->store, &first.op);
	flush_await();
	followers_submit(fixture, inbox, followers, &run, &answered);
	while (atomic_load(&run) < FOLLOWERS_RUN)
		(void)poll(NULL, 0, 1);
	/* They were run, but nothing is told, the refusals included. */
	assert_int_equal(poll(&fd, 1, 50), 0);
	assert_true(store_space_state_published(fixture->store, 1, &space));
	assert_int_equal(space.high, 0);
	atomic_store(&faults.hold_flushes, false);
	while (answered < FOLLOWERS) {
		assert_int_equal(poll(&fd, 1, 10000), 1);
		store_inbox_drain(inbox);
		assert_int_equal(first.done, 1);
	}
	assert_int_equal(first.result, 0);
	for (unsigned i = 0; i < FOLLOWERS; i++) {
		assert_int_equal(followers[i].place, i + 1);
		assert_int_equal(followers[i].result, i % 2 == 0 ? 0 : 7);
	}
	assert_true(store_space_state_published(fixture->store, 1, &space));
	assert_int_equal(space.high, 1 + FOLLOWERS / 2);
	store_inbox_free(&inbox);
}

static void
a_store_that_is_closed_finishes_what_was_submitted(void **state)
{
	struct fixture *fixture = *state;
	struct store_inbox *inbox = store_inbox_new();
	struct follower followers[FOLLOWERS];
	struct sample sample = { .space = 1 };
	struct store_space_state space;
	_Atomic unsigned run = 0;
	unsigned answered = 0;

	fixture_space(fixture, 1);
	assert_int_equal(fixture_run(fixture, sample_put, &sample), 0);
	followers_submit(fixture, inbox, followers, &run, &answered);
	fixture_reopen(fixture);
	store_inbox_drain(inbox);
	assert_int_equal(answered, FOLLOWERS);
	assert_true(store_space_state_published(fixture->store, 1, &space));
	assert_int_equal(space.high, 1 + FOLLOWERS / 2);
	store_inbox_free(&inbox);
}

/* ---- a store in a child ------------------------------------------------ */

struct poster {
	struct call call;
	struct sample sample;
	struct store *store;
	int pipe;
};

static void
poster_submit(struct poster *poster)
{
	poster->sample = (struct sample){ .space = 1 };
	poster->call.fn = sample_put;
	poster->call.arg = &poster->sample;
	store_submit(poster->store, &poster->call.op);
}

/* The ledger of what was acknowledged is kept by the parent. */
static void
poster_done(struct store_op *op, int result)
{
	struct poster *poster = (struct poster *)op;

	if (result != 0 ||
	    write(poster->pipe, &poster->sample.number,
		sizeof poster->sample.number) != sizeof poster->sample.number)
		_exit(4);
	poster_submit(poster);
}

/* Posts until it dies; after `good` commits the faults begin. */
static void
child_main(struct fixture *fixture, int out, unsigned good, int fail_write,
    int fail_flush)
{
	struct store_inbox *inbox = store_inbox_new();
	struct pollfd fd = { store_inbox_fd(inbox), POLLIN, 0 };
	struct poster posters[UNDER_WAY];
	struct store_stats stats;
	char *error;

	if (store_open(&fixture->store, &fixture->options, &error) != 0)
		_exit(5);
	for (unsigned i = 0; i < UNDER_WAY; i++) {
		call_init(&posters[i].call, NULL, NULL);
		posters[i].call.op.done = poster_done;
		posters[i].call.op.inbox = inbox;
		posters[i].store = fixture->store;
		posters[i].pipe = out;
		poster_submit(&posters[i]);
	}
	for (unsigned turn = 0;; turn++) {
		(void)poll(&fd, 1, -1);
		store_inbox_drain(inbox);
		store_stats_get(fixture->store, &stats);
		if (good != 0 && turn == good) {
			atomic_store(&faults.fail_writes, fail_write);
			atomic_store(&faults.fail_flushes, fail_flush);
		}
	}
}

struct ledger {
	uint32_t count;
	uint32_t last;
};

/* Reads what the child acknowledges, until it is dead or enough came. */
static int
child_follow(pid_t child, int in, struct ledger *ledger, uint32_t enough)
{
	uint32_t number;
	int status;

	while (read(in, &number, sizeof number) == sizeof number) {
		/* In order and never twice. */
		assert_true(number > ledger->last);
		ledger->last = number;
		if (++ledger->count == enough)
			assert_int_equal(kill(child, SIGKILL), 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int
child_run(struct fixture *fixture, struct ledger *ledger, uint32_t enough,
    int fail_write, int fail_flush)
{
	int ends[2];
	pid_t child;
	int status;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		child_main(fixture, ends[1], enough == 0 ? 20 : 0, fail_write,
		    fail_flush);
	}
	close(ends[1]);
	status = child_follow(child, ends[0], ledger, enough);
	close(ends[0]);
	return status;
}

static void
report(void *arg, const char *fault)
{
	(void)arg;
	fprintf(stderr, "%s\n", fault);
}

/* Everything acknowledged is there, nothing is half there. */
static void
ledger_compare(struct fixture *fixture, struct ledger *ledger)
{
	struct store_space_state space;
	uint64_t rows;
	char *error;

	assert_int_equal(store_open(&fixture->store, &fixture->options, &error),
	    0);
	assert_true(store_space_state_published(fixture->store, 1, &space));
	assert_true(space.high >= ledger->last);
	assert_int_equal(space.count, space.high);
	assert_int_equal(store_check(fixture->store, report, NULL, &rows), 0);
	/* Numbers that nobody was told are used as well. */
	ledger->last = space.high;
	store_close(&fixture->store);
}

static void
nothing_acknowledged_is_lost_by_kill_9(void **state)
{
	struct fixture *fixture = *state;
	struct ledger ledger = { .count = 0 };
	int status;

	fixture_space(fixture, 1);
	store_close(&fixture->store);
	for (unsigned round = 0; round < KILL_ROUNDS; round++) {
		ledger.count = 0;
		status =
		    child_run(fixture, &ledger, 50 + 37 * (round % 5), 0, 0);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGKILL);
		ledger_compare(fixture, &ledger);
	}
}

static void
fault_is_fatal_and_loses_nothing(struct fixture *fixture, int fail_write,
    int fail_flush)
{
	struct ledger ledger = { .count = 0 };
	int status;

	fixture_space(fixture, 1);
	store_close(&fixture->store);
	status = child_run(fixture, &ledger, 0, fail_write, fail_flush);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), DIED_FATAL);
	assert_true(ledger.count > 0);
	ledger_compare(fixture, &ledger);
}

static void
a_failing_flush_is_fatal_and_loses_nothing(void **state)
{
	fault_is_fatal_and_loses_nothing(*state, 0, EIO);
}

static void
a_failing_log_write_is_fatal_and_loses_nothing(void **state)
{
	fault_is_fatal_and_loses_nothing(*state, EIO, 0);
}

static void
a_full_disk_at_commit_gives_up_the_reserve(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	(void)snprintf(path, sizeof path, "%s/reserve", fixture->directory);
	assert_int_equal(access(path, F_OK), 0);
	fixture_space(fixture, 1);
	store_close(&fixture->store);
	{
		struct ledger ledger = { .count = 0 };
		int status = child_run(fixture, &ledger, 0, ENOSPC, 0);

		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), DIED_FATAL);
		assert_int_equal(access(path, F_OK), -1);
		ledger_compare(fixture, &ledger);
	}
}

static int
setup(void **state)
{
	faults_install();
	return fixture_setup(state);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_view_begun_during_the_flush_neither_waits_nor_sees),
		TEST(the_next_batch_is_run_during_the_flush_and_answered_after_it),
		TEST(a_store_that_is_closed_finishes_what_was_submitted),
		TEST(nothing_acknowledged_is_lost_by_kill_9),
		TEST(a_failing_flush_is_fatal_and_loses_nothing),
		TEST(a_failing_log_write_is_fatal_and_loses_nothing),
		TEST(a_full_disk_at_commit_gives_up_the_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
