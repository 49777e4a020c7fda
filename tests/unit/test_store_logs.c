/* Log files that are made in advance (store/logs.h). The fixture's have 2 MB.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/store_fixture.h"

#define BODY ((size_t)60000)

static void
put(struct fixture *fixture, unsigned count)
{
	struct sample sample = { .space = 1, .body_len = BODY };

	for (unsigned i = 0; i < count; i++)
		assert_int_equal(fixture_run(fixture, sample_put, &sample), 0);
}

static void
log_path(struct fixture *fixture, uint32_t file, char path[128])
{
	(void)snprintf(path, 128, "%s/log.%010u", fixture->directory, file);
}

static bool
is_there(struct fixture *fixture, uint32_t file)
{
	char path[128];

	log_path(fixture, file, path);
	return access(path, F_OK) == 0;
}

static void
spare_path(struct fixture *fixture, char path[128])
{
	(void)snprintf(path, 128, "%s/%s", fixture->directory,
	    STORE_SPARE_FILE);
}

/* The keeper makes it. */
static void
await_file(struct fixture *fixture, uint32_t file)
{
	for (unsigned i = 0; i < 3000 && !is_there(fixture, file); i++)
		(void)poll(NULL, 0, 10);
	assert_true(is_there(fixture, file));
}

static void
assert_stored(struct fixture *fixture, uint64_t articles)
{
	struct store_view *view = store_view_begin(fixture->store);

	for (uint64_t artid = 1; artid <= articles; artid++) {
		struct store_article_head head;
		uint8_t *bytes = NULL;
		size_t len;

		assert_int_equal(store_article_get(store_view_reader(view),
				     artid, SIZE_MAX, &head, &bytes, &len),
		    0);
		free(bytes);
	}
	store_view_end(&view);
	fixture_is_sound(fixture);
}

static uint32_t
file_now(struct fixture *fixture)
{
	return store_logs_end(fixture->store).file;
}

/* ---- ahead ---------------------------------------------------------------- */

static void
the_next_files_are_there_in_time_and_hold_zeros(void **state)
{
	struct fixture *fixture = *state;
	uint8_t *bytes = malloc(fixture->options.log_file_bytes + 1);
	char path[128];
	ssize_t len;
	int fd;

	assert_non_null(bytes);
	fixture_space(fixture, 1);
	put(fixture, 3);
	/* a quiet store needs none */
	assert_false(is_there(fixture, 2));
	put(fixture, 10);
	await_file(fixture, 2);
	await_file(fixture, 3);
	assert_int_equal(file_now(fixture), 1);
	log_path(fixture, 3, path);
	fd = open(path, O_RDONLY);
	len = read(fd, bytes, fixture->options.log_file_bytes + 1);
	assert_int_equal(len, fixture->options.log_file_bytes);
	for (ssize_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], 0);
	close(fd);
	free(bytes);
}

static unsigned
files(struct fixture *fixture)
{
	uint32_t now = file_now(fixture);
	unsigned count = 0;

	for (uint32_t file = 1; file <= now + 8; file++)
		count += is_there(fixture, file);
	return count;
}

static void
old_files_become_new_ones(void **state)
{
	struct fixture *fixture = *state;
	char path[128];
	struct stat old, new;
	uint32_t file;

	fixture_space(fixture, 1);
	put(fixture, 20);
	await_file(fixture, 3);
	log_path(fixture, 1, path);
	assert_int_equal(stat(path, &old), 0);
	for (file = file_now(fixture); file_now(fixture) < file + 2;)
		put(fixture, 1);
	assert_int_equal(store_keeper_checkpoint(fixture->store, true), 0);
	assert_false(is_there(fixture, 1));
	/* the first one goes round */
	put(fixture, 20);
	file = file_now(fixture) + 2;
	await_file(fixture, file);
	for (new.st_ino = 0; new.st_ino != old.st_ino && file > 2; file--) {
		log_path(fixture, file, path);
		if (stat(path, &new) != 0)
			break;
	}
	assert_int_equal(new.st_ino, old.st_ino);
	put(fixture, 200);
	assert_int_equal(store_keeper_checkpoint(fixture->store, true), 0);
	assert_in_range(files(fixture), 1, 4);
	assert_stored(fixture, 240);
}

/* ---- what goes wrong ------------------------------------------------------- */

/* A process of its own opens the store, and does not close it. */
static void
child_puts(struct fixture *fixture, void (*fn)(struct fixture *fixture),
    uint32_t spare)
{
	char log[128], path[128];
	pid_t pid;
	int status;
	char *error;

	store_close(&fixture->store);
	log_path(fixture, spare, log);
	spare_path(fixture, path);
	if (spare != 0)
		assert_int_equal(link(log, path), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (store_open(&fixture->store, &fixture->options, &error) != 0)
			_exit(1);
		fn(fixture);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(
	    store_open(&fixture->store, &fixture->options, &error), 0);
}

static void
put_until_ahead(struct fixture *fixture)
{
	put(fixture, 14);
	while (store_logs_end(fixture->store).offset <
	    fixture->options.log_file_bytes / 4)
		put(fixture, 1);
	await_file(fixture, file_now(fixture) + 2);
}

static uint64_t
articles(struct fixture *fixture)
{
	struct store_stats stats;

	store_stats_get(fixture->store, &stats);
	return stats.articles;
}

static void
a_process_that_dies_with_files_ahead_goes_on_in_them(void **state)
{
	struct fixture *fixture = *state;

	fixture_space(fixture, 1);
	for (uint64_t i = 1; i <= 6; i++) {
		child_puts(fixture, put_until_ahead, 0);
		assert_true(articles(fixture) >= 14 * i);
		assert_stored(fixture, articles(fixture));
	}
	put(fixture, 100);
	assert_stored(fixture, articles(fixture));
}

/* It died between two names of an old file, or of a new one. */
static void
a_spare_that_is_a_log_file_is_not_touched(void **state)
{
	struct fixture *fixture = *state;

	fixture_space(fixture, 1);
	put(fixture, 3);
	child_puts(fixture, put_until_ahead, 1);
	assert_true(articles(fixture) >= 17);
	assert_stored(fixture, articles(fixture));
}

static void
a_file_that_is_there_already_stays(void **state)
{
	struct fixture *fixture = *state;
	char log[128];
	struct stat after;
	int fd;

	fixture_space(fixture, 1);
	log_path(fixture, 3, log);
	fd = open(log, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	close(fd);
	put(fixture, 14);
	await_file(fixture, 2);
	for (unsigned i = 0; i < 3000 &&
	     atomic_load(&fixture->store->logs.made) < 3;
	     i++)
		(void)poll(NULL, 0, 10);
	assert_int_equal(stat(log, &after), 0);
	assert_int_equal(after.st_size, 0);
	put(fixture, 100);
	assert_stored(fixture, 114);
}

static void
without_a_spare_the_database_makes_its_files(void **state)
{
	struct fixture *fixture = *state;
	char spare[128];

	fixture_space(fixture, 1);
	spare_path(fixture, spare);
	assert_int_equal(mkdir(spare, 0700), 0);
	put(fixture, 200);
	assert_true(atomic_load(&fixture->store->logs.off));
	assert_stored(fixture, 200);
	assert_int_equal(rmdir(spare), 0);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_next_files_are_there_in_time_and_hold_zeros),
		TEST(old_files_become_new_ones),
		TEST(a_process_that_dies_with_files_ahead_goes_on_in_them),
		TEST(a_spare_that_is_a_log_file_is_not_touched),
		TEST(a_file_that_is_there_already_stays),
		TEST(without_a_spare_the_database_makes_its_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
