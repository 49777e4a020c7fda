/* test_store_segment.c - the files that hold articles: what a crash takes from
 * them the log brings back, and waste is swept away.
 *
 * Calls of the store into the system are replaced for the whole program;
 * Berkeley DB's are not.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARTICLES 200u
#define BODY	 5000u

/* Replaced functions get no argument of ours. */
static struct {
	_Atomic int fail_writes; /* errno; 0: none */
	_Atomic int fail_syncs;
	_Atomic unsigned synced; /* segments */
} faults;

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	int error = atomic_load(&faults.fail_writes);

	if (error != 0 && fixture_fd_has(fd, "/articles.")) {
		errno = error;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, bytes, len, offset);
}

int
fdatasync(int fd)
{
	int error = atomic_load(&faults.fail_syncs);

	if (fixture_fd_has(fd, "/articles.")) {
		atomic_fetch_add(&faults.synced, 1);
		errno = error;
		if (error != 0)
			return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static void
put(struct fixture *fixture, unsigned count, size_t body_len)
{
	struct sample sample = { .space = 1, .body_len = body_len };

	for (unsigned i = 0; i < count; i++)
		assert_int_equal(fixture_run(fixture, sample_put, &sample), 0);
}

static void
delete_but(struct fixture *fixture, uint64_t first, uint64_t last,
    unsigned every)
{
	struct sample sample = { .space = 1 };

	for (uint64_t artid = first; artid <= last; artid++) {
		sample.artid = artid;
		sample.number = (uint32_t)artid;
		if (artid % every != 0)
			assert_int_equal(fixture_run(fixture, sample_delete,
					     &sample),
			    0);
	}
}

static bool
reads(struct store_view *view, uint64_t artid)
{
	struct store_article_head head;
	uint8_t *bytes;
	size_t len;
	int rc;

	view->reader.uncached = true;
	rc = store_article_get(store_view_reader(view), artid, SIZE_MAX, &head,
	    &bytes, &len);
	if (rc != 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != (uint8_t)('a' + (artid + i) % 26))
			rc = 1;
	free(bytes);
	return rc == 0;
}

static bool
stored(struct fixture *fixture, uint64_t artid)
{
	struct store_view *view = store_view_begin(fixture->store);
	bool found = reads(view, artid);

	store_view_end(&view);
	return found;
}

static void
path_of(char path[128], const struct fixture *fixture, uint32_t segment)
{
	char name[STORE_SEGMENT_NAME];

	store_segment_name(name, segment);
	(void)snprintf(path, 128, "%s/%s", fixture->directory, name);
}

static bool
there(const struct fixture *fixture, uint32_t segment)
{
	char path[128];

	path_of(path, fixture, segment);
	return access(path, F_OK) == 0;
}

static void
sweep(struct fixture *fixture, enum store_sweep_what what)
{
	assert_int_equal(store_sweep(fixture->store, what, NULL, NULL), 0);
	store_sweep_remove(fixture->store, true);
}

/* ---- recovery --------------------------------------------------------- */

/* In a child, which dies without closing anything. */
static void
put_and_die(struct fixture *fixture, unsigned count, size_t body_len)
{
	pid_t pid;
	int status;

	store_close(&fixture->store);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sample sample = { .space = 1, .body_len = body_len };
		char *error;
		int rc = store_open(&fixture->store, &fixture->options, &error);

		for (unsigned i = 0; rc == 0 && i < count; i++) {
			struct call call;

			call_init(&call, sample_put, &sample);
			rc = store_run(fixture->store, &call.op);
		}
		_exit(rc == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
reopen(struct fixture *fixture)
{
	char *error;

	assert_int_equal(store_open(&fixture->store, &fixture->options, &error),
	    0);
}

static int
file_cut(void *arg, uint32_t segment)
{
	char path[128];

	path_of(path, arg, segment);
	return truncate(path, 0);
}

static int
file_remove(void *arg, uint32_t segment)
{
	char path[128];

	path_of(path, arg, segment);
	return unlink(path);
}

/* As after a loss of power: nothing of the files had reached the disk. */
static void
what_was_acknowledged_comes_back_from_the_log_alone(void **state)
{
	struct fixture *fixture = *state;

	fixture_space(fixture, 1);
	put_and_die(fixture, 100, BODY);
	assert_int_equal(store_segments_each(fixture->directory, file_cut,
			     fixture),
	    0);
	reopen(fixture);
	for (uint64_t artid = 1; artid <= 100; artid++)
		assert_true(stored(fixture, artid));
	fixture_is_sound(fixture);
	put(fixture, 10, BODY);
	fixture_is_sound(fixture);
	put_and_die(fixture, 2, 400000);
	assert_int_equal(store_segments_each(fixture->directory, file_remove,
			     fixture),
	    0);
	reopen(fixture);
	assert_true(stored(fixture, 111) && stored(fixture, 112));
}

static void
a_checkpoint_syncs_the_segments_that_were_written(void **state)
{
	struct fixture *fixture = *state;
	unsigned before;

	fixture_space(fixture, 1);
	assert_int_equal(store_keeper_checkpoint(fixture->store, true), 0);
	before = atomic_load(&faults.synced);
	assert_int_equal(store_keeper_checkpoint(fixture->store, true), 0);
	assert_int_equal(atomic_load(&faults.synced), before);
	put(fixture, ARTICLES, BODY);
	assert_int_equal(store_keeper_checkpoint(fixture->store, true), 0);
	/* 1 MB in files of 256 KB */
	assert_true(atomic_load(&faults.synced) >= before + 4);
}

/* The system may have dropped what it could not write: a checkpoint that went on
 * would let the only copy go with the log. */
static void
a_sync_that_fails_is_fatal_and_loses_nothing(void **state)
{
	struct fixture *fixture = *state;
	pid_t pid;
	int status;

	fixture_space(fixture, 1);
	store_close(&fixture->store);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		reopen(fixture);
		put(fixture, 20, BODY);
		atomic_store(&faults.fail_syncs, ENOSPC);
		(void)store_keeper_checkpoint(fixture->store, true);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3); /* the fixture's: fatal */
	assert_int_equal(store_segments_each(fixture->directory, file_cut,
			     fixture),
	    0);
	reopen(fixture);
	for (uint64_t artid = 1; artid <= 20; artid++)
		assert_true(stored(fixture, artid));
	fixture_is_sound(fixture);
}

/* What was settled of Message-IDs in the same transaction is to be settled again. */
static void
a_batch_for_which_there_is_no_room_is_undone_whole(void **state)
{
	struct fixture *fixture = *state;
	struct sample sample = { .space = 1, .body_len = BODY };

	fixture_space(fixture, 1);
	for (unsigned i = 0; i < 60; i++) {
		/* the first of them was tried, and goes to the table */
		put(fixture, 2, BODY);
		atomic_store(&faults.fail_writes, ENOSPC);
		assert_int_equal(fixture_run(fixture, sample_put, &sample),
		    -ENOSPC);
		atomic_store(&faults.fail_writes, 0);
	}
	fixture_is_sound(fixture);
}

static void
an_article_for_which_there_is_no_room_is_refused_whole(void **state)
{
	struct fixture *fixture = *state;
	struct sample sample = { .space = 1, .body_len = BODY };

	fixture_space(fixture, 1);
	put(fixture, 3, BODY);
	atomic_store(&faults.fail_writes, ENOSPC);
	assert_int_equal(fixture_run(fixture, sample_put, &sample), -ENOSPC);
	sample.body_len = 600000;
	assert_int_equal(fixture_run(fixture, sample_put, &sample), -ENOSPC);
	atomic_store(&faults.fail_writes, 0);
	assert_true(store_is_full(fixture->store));
	put(fixture, 3, BODY);
	for (uint64_t artid = 1; artid <= 6; artid++)
		assert_true(stored(fixture, artid));
	assert_false(stored(fixture, 7));
	fixture_is_sound(fixture);
}

static void
a_file_that_no_row_knows_goes_at_the_start(void **state)
{
	struct fixture *fixture = *state;
	char path[128];
	FILE *file;

	fixture_space(fixture, 1);
	put(fixture, 3, BODY);
	store_close(&fixture->store);
	path_of(path, fixture, 77);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	reopen(fixture);
	assert_false(there(fixture, 77));
	assert_true(there(fixture, 1));
	assert_true(stored(fixture, 3));
}

/* ---- sweeping --------------------------------------------------------- */

static void
what_is_left_of_a_wasted_segment_is_moved_on(void **state)
{
	struct fixture *fixture = *state;

	fixture_space(fixture, 1);
	put(fixture, ARTICLES, BODY);
	delete_but(fixture, 1, ARTICLES, 10);
	sweep(fixture, STORE_SWEEP_WASTE);
	assert_false(there(fixture, 1));
	assert_false(there(fixture, 2));
	fixture_is_sound(fixture);
	for (uint64_t artid = 1; artid <= ARTICLES; artid++)
		assert_int_equal(stored(fixture, artid), artid % 10 == 0);
	fixture_reopen(fixture);
	for (uint64_t artid = 1; artid <= ARTICLES; artid++)
		assert_int_equal(stored(fixture, artid), artid % 10 == 0);
	fixture_is_sound(fixture);
}

static void
a_segment_that_is_mostly_in_use_stays(void **state)
{
	struct fixture *fixture = *state;

	fixture_space(fixture, 1);
	put(fixture, ARTICLES, BODY);
	delete_but(fixture, 1, 10, 20);
	sweep(fixture, STORE_SWEEP_WASTE);
	assert_true(there(fixture, 1));
	sweep(fixture, STORE_SWEEP_ALL);
	assert_false(there(fixture, 1));
	assert_true(stored(fixture, 11));
	fixture_is_sound(fixture);
}

static void
a_view_finds_its_articles_where_they_were(void **state)
{
	struct fixture *fixture = *state;
	struct store_view *view;

	fixture_space(fixture, 1);
	put(fixture, ARTICLES, BODY);
	/* before there is waste that the keeper might find first */
	view = store_view_begin(fixture->store);
	delete_but(fixture, 1, ARTICLES, 10);
	sweep(fixture, STORE_SWEEP_ALL);
	assert_true(there(fixture, 1));
	for (uint64_t artid = 1; artid <= ARTICLES; artid++)
		assert_true(reads(view, artid));
	store_view_end(&view);
	store_sweep_remove(fixture->store, true);
	assert_false(there(fixture, 1));
	fixture_is_sound(fixture);
}

static void
a_full_disk_has_room_to_sweep_what_is_nearly_empty(void **state)
{
	struct fixture *fixture = *state;

	/* the keeper might find the waste first */
	store_keeper_stop(fixture->store);
	fixture->store->keeper.started = false;
	fixture_space(fixture, 1);
	put(fixture, ARTICLES, BODY);
	delete_but(fixture, 1, 50, 4);
	delete_but(fixture, 51, 100, 50);
	sweep(fixture, STORE_SWEEP_CHEAP);
	assert_true(there(fixture, 1));
	assert_false(there(fixture, 2)); /* articles 52 to 100 */
	assert_true(stored(fixture, 4) && stored(fixture, 100));
	fixture_is_sound(fixture);
}

struct churning {
	struct fixture *fixture;
	unsigned slices;
};

/* Between two slices: a segment of waste more. */
static bool
waste_more(void *arg)
{
	struct churning *churning = arg;
	struct sample sample = { .space = 1, .body_len = 260000 };

	assert_int_equal(fixture_run(churning->fixture, sample_put, &sample),
	    0);
	assert_int_equal(fixture_run(churning->fixture, sample_delete, &sample),
	    0);
	return ++churning->slices > 100;
}

static void
a_sweep_ends_though_waste_is_made_as_fast(void **state)
{
	struct fixture *fixture = *state;
	struct churning churning = { fixture, 0 };

	/* the keeper might find the waste first */
	store_keeper_stop(fixture->store);
	fixture->store->keeper.started = false;
	fixture_space(fixture, 1);
	put(fixture, ARTICLES, BODY);
	delete_but(fixture, 1, ARTICLES, 10);
	assert_int_equal(store_sweep(fixture->store, STORE_SWEEP_WASTE,
			     waste_more, &churning),
	    0);
	assert_true(churning.slices > 0);
	fixture_is_sound(fixture);
}

static void
a_damaged_segment_stays_as_it_is(void **state)
{
	struct fixture *fixture = *state;
	const uint8_t bad[STORE_FRAME_HEAD] = "not a frame";
	unsigned kept = 0;

	fixture_space(fixture, 1);
	put(fixture, ARTICLES, BODY);
	assert_int_equal(store_segment_write(fixture->store->segments, 1, 0,
			     bad, sizeof bad),
	    0);
	delete_but(fixture, 1, ARTICLES, 10);
	sweep(fixture, STORE_SWEEP_WASTE);
	sweep(fixture, STORE_SWEEP_WASTE);
	assert_true(there(fixture, 1));
	assert_false(there(fixture, 2));
	for (uint64_t artid = 10; artid <= ARTICLES; artid += 10)
		kept += stored(fixture, artid);
	assert_int_equal(kept, ARTICLES / 10);
}

#define KILL_ROUNDS 6u
#define AT_ONCE	    40u

/* In a child until it is killed: articles come, nine of ten go, and what is left
 * is moved about. */
static void
churn(struct fixture *fixture, _Atomic uint64_t *acknowledged)
{
	struct sample sample = { .space = 1, .body_len = BODY };
	struct call call;
	char *error;
	int rc = store_open(&fixture->store, &fixture->options, &error);

	while (rc == 0) {
		for (unsigned i = 0; rc == 0 && i < AT_ONCE; i++) {
			call_init(&call, sample_put, &sample);
			rc = store_run(fixture->store, &call.op);
			atomic_store(acknowledged, sample.artid);
		}
		for (unsigned i = 0; rc == 0 && i < AT_ONCE; i++) {
			struct sample old = sample;

			old.artid -= i;
			old.number -= i;
			call_init(&call, sample_delete, &old);
			if (old.artid % 10 != 0)
				rc = store_run(fixture->store, &call.op);
		}
		if (rc == 0)
			rc = store_sweep(fixture->store, STORE_SWEEP_ALL, NULL,
			    NULL);
		store_sweep_remove(fixture->store, true);
	}
	_exit(1);
}

static void
a_kill_while_segments_are_swept_loses_nothing(void **state)
{
	struct fixture *fixture = *state;
	_Atomic uint64_t *acknowledged = mmap(NULL, sizeof *acknowledged,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t want = 0;
	int status;
	pid_t pid;

	assert_true(acknowledged != MAP_FAILED);
	fixture_space(fixture, 1);
	for (unsigned round = 0; round < KILL_ROUNDS; round++) {
		store_close(&fixture->store);
		want = atomic_load(acknowledged) + 300 + 17 * round;
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			churn(fixture, acknowledged);
		while (atomic_load(acknowledged) < want &&
		    waitpid(pid, &status, WNOHANG) == 0)
			(void)poll(NULL, 0, 1);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		reopen(fixture);
		for (uint64_t id = 10; id <= atomic_load(acknowledged); id += 10)
			assert_true(stored(fixture, id));
		fixture_is_sound(fixture);
	}
	munmap(acknowledged, sizeof *acknowledged);
}

/* ---- names and frames ------------------------------------------------- */

static void
only_its_own_names_are_segments(void **state)
{
	static const char *const others[] = { "articles.db", "articles.",
		"articles.1", "articles.0000000000", "articles.9999999999",
		"articles.00000000001", "articles.000000001x",
		"log.0000000001" };
	char name[STORE_SEGMENT_NAME];
	uint32_t segment;

	(void)state;
	store_segment_name(name, UINT32_MAX);
	assert_true(store_segment_is_name(name, &segment));
	assert_true(segment == UINT32_MAX);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_false(store_segment_is_name(others[i], &segment));
}

static void
a_damaged_frame_is_known_as_such(void **state)
{
	uint8_t head[STORE_FRAME_HEAD];
	uint64_t artid;
	uint32_t len;

	(void)state;
	store_frame_head(head, 0x0102030405060708u, 70000);
	assert_int_equal(store_frame_parse(head, &artid, &len), 0);
	assert_int_equal(len, 70000);
	assert_true(artid == 0x0102030405060708u);
	for (size_t at = 0; at < sizeof head; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			head[at] ^= (uint8_t)(1u << bit);
			assert_int_equal(store_frame_parse(head, &artid, &len),
			    -EBADMSG);
			head[at] ^= (uint8_t)(1u << bit);
		}
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_acknowledged_comes_back_from_the_log_alone),
		TEST(a_checkpoint_syncs_the_segments_that_were_written),
		TEST(a_sync_that_fails_is_fatal_and_loses_nothing),
		TEST(a_batch_for_which_there_is_no_room_is_undone_whole),
		TEST(an_article_for_which_there_is_no_room_is_refused_whole),
		TEST(a_file_that_no_row_knows_goes_at_the_start),
		TEST(what_is_left_of_a_wasted_segment_is_moved_on),
		TEST(a_segment_that_is_mostly_in_use_stays),
		TEST(a_view_finds_its_articles_where_they_were),
		TEST(a_full_disk_has_room_to_sweep_what_is_nearly_empty),
		TEST(a_kill_while_segments_are_swept_loses_nothing),
		TEST(a_sweep_ends_though_waste_is_made_as_fast),
		TEST(a_damaged_segment_stays_as_it_is),
		cmocka_unit_test(only_its_own_names_are_segments),
		cmocka_unit_test(a_damaged_frame_is_known_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
