/* Message-IDs that are not in their table yet (store/young.h), and the filter of
 * those that could be known (store/known.h). The fixture settles 16 at a time.
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

static void
put(struct fixture *fixture, unsigned count)
{
	struct sample sample = { .space = 1 };

	for (unsigned i = 0; i < count; i++)
		assert_int_equal(fixture_run(fixture, sample_put, &sample), 0);
}

static void
hash_of(struct fixture *fixture, uint64_t artid, uint8_t hash[STORE_HASH_LEN])
{
	char id[64];

	sample_message_id(id, artid);
	store_msgid_hash(fixture->store, id, strlen(id), hash);
}

/* What an article's id is known for; 0: nothing. */
static enum store_msgid_state
state_in(struct fixture *fixture, struct store_view *view, uint64_t artid)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	uint8_t hash[STORE_HASH_LEN];
	int count;

	hash_of(fixture, artid, hash);
	count = store_msgid_get(store_view_reader(view), hash, entries);
	assert_in_range(count, 0, 1);
	if (count == 0)
		return (enum store_msgid_state)0;
	assert_int_equal(entries[0].artid, artid);
	return entries[0].state;
}

static enum store_msgid_state
state_of(struct fixture *fixture, uint64_t artid)
{
	struct store_view *view = store_view_begin(fixture->store);
	enum store_msgid_state state = state_in(fixture, view, artid);

	store_view_end(&view);
	return state;
}

static bool
is_in_table(struct fixture *fixture, uint64_t artid)
{
	struct store_view *view = store_view_begin(fixture->store);
	uint8_t hash[STORE_HASH_LEN];
	int rc;

	hash_of(fixture, artid, hash);
	rc = store_row_has(store_view_reader(view), STORE_FILE_MSGID, hash,
	    sizeof hash);
	store_view_end(&view);
	return rc == 0;
}

static unsigned
in_table(struct fixture *fixture, uint64_t articles)
{
	unsigned count = 0;

	for (uint64_t artid = 1; artid <= articles; artid++)
		count += is_in_table(fixture, artid);
	return count;
}

/* All of the first articles are known as that, and the check finds no fault. */
static void
assert_stored(struct fixture *fixture, uint64_t articles)
{
	for (uint64_t artid = 1; artid <= articles; artid++)
		assert_int_equal(state_of(fixture, artid), STORE_MSGID_STORED);
	fixture_is_sound(fixture);
}

static void
reopen(struct fixture *fixture)
{
	char *error;

	assert_int_equal(store_open(&fixture->store, &fixture->options, &error),
	    0);
}

/* ---- settling ------------------------------------------------------------- */

static void
new_ids_are_gathered_and_settled_when_there_are_enough(void **state)
{
	struct fixture *fixture = *state;

	fixture_space(fixture, 1);
	put(fixture, 16);
	assert_int_equal(in_table(fixture, 16), 0);
	put(fixture, 7);
	/* two for each one that came */
	assert_int_equal(in_table(fixture, 23), 14);
	put(fixture, 2);
	assert_int_equal(in_table(fixture, 25), 16);
	assert_stored(fixture, 25);
	put(fixture, 175);
	assert_int_equal(in_table(fixture, 200) % 16, 0);
	assert_in_range(in_table(fixture, 200), 160, 192);
	assert_stored(fixture, 200);
}

static void
they_are_settled_in_the_order_of_the_table(void **state)
{
	struct fixture *fixture = *state;
	uint8_t hash[STORE_HASH_LEN], most[STORE_HASH_LEN] = { 0 };

	fixture_space(fixture, 1);
	put(fixture, 16 + 3);
	for (uint64_t artid = 1; artid <= 16; artid++) {
		hash_of(fixture, artid, hash);
		if (is_in_table(fixture, artid) &&
		    memcmp(hash, most, sizeof hash) > 0)
			memcpy(most, hash, sizeof most);
	}
	for (uint64_t artid = 1; artid <= 16; artid++) {
		hash_of(fixture, artid, hash);
		assert_int_equal(is_in_table(fixture, artid),
		    memcmp(hash, most, sizeof hash) <= 0);
	}
}

static void
a_start_goes_on_where_the_last_one_ended(void **state)
{
	struct fixture *fixture = *state;

	fixture_space(fixture, 1);
	for (unsigned round = 1; round <= 60; round++) {
		put(fixture, 1 + round % 5);
		fixture_reopen(fixture);
		fixture_is_sound(fixture);
	}
	assert_stored(fixture, 180);
	assert_in_range(in_table(fixture, 180), 140, 180);
}

static int
rows_count(void *arg, const struct store_young_id *id)
{
	unsigned *count = arg;

	(void)id;
	(*count)++;
	return 0;
}

static void
rows_of_settled_ids_are_deleted(void **state)
{
	struct fixture *fixture = *state;
	struct store_view *view;
	unsigned count = 0;

	fixture_space(fixture, 1);
	put(fixture, 500);
	view = store_view_begin(fixture->store);
	assert_int_equal(store_young_rows_walk(store_view_reader(view),
			     rows_count, &count),
	    0);
	store_view_end(&view);
	assert_in_range(count, 1, 3 * 16 + STORE_YOUNG_ROW);
}

/* ---- views ---------------------------------------------------------------- */

static void
a_view_sees_the_ids_of_its_time_wherever_they_are_now(void **state)
{
	struct fixture *fixture = *state;
	struct store_view *view;

	fixture_space(fixture, 1);
	put(fixture, 20);
	view = store_view_begin(fixture->store);
	put(fixture, 100);
	for (uint64_t artid = 1; artid <= 120; artid++)
		assert_int_equal(state_in(fixture, view, artid),
		    artid <= 20 ? STORE_MSGID_STORED : 0);
	/* What was settled since stays in memory for it, so that the next
	 * generation has to wait, and the rest goes to the table. */
	assert_int_equal(in_table(fixture, 120), 120 - 32);
	assert_stored(fixture, 120);
	store_view_end(&view);
	put(fixture, 40);
	assert_stored(fixture, 160);
}

/* ---- what is changed while it is young ---------------------------------- */

static int
expire(struct store_txn *txn, void *arg)
{
	struct sample sample = { .space = 1,
		.artid = *(const uint64_t *)arg,
		.number = (uint32_t) * (const uint64_t *)arg };
	struct store_msgid_entry entry = { .artid = sample.artid,
		.state = STORE_MSGID_EXPIRED,
		.day = 5 };
	uint8_t hash[STORE_HASH_LEN];
	char id[64];
	int rc = sample_delete(txn, &sample);

	sample_message_id(id, sample.artid);
	store_msgid_hash(txn->reader.store, id, strlen(id), hash);
	return rc != 0 ? rc : store_msgid_put(txn, hash, &entry, 1);
}

static int
forget(struct store_txn *txn, void *arg)
{
	struct sample sample = { .space = 1,
		.artid = *(const uint64_t *)arg,
		.number = (uint32_t) * (const uint64_t *)arg };

	return sample_delete(txn, &sample);
}

/* Each third expires, each third is forgotten whole. */
static enum store_msgid_state
fate_of(uint64_t artid)
{
	return artid % 3 == 0 ? STORE_MSGID_STORED
	    : artid % 3 == 1  ? STORE_MSGID_EXPIRED
			      : (enum store_msgid_state)0;
}

static void
assert_fates(struct fixture *fixture, uint64_t articles)
{
	for (uint64_t artid = 1; artid <= articles; artid++)
		assert_int_equal(state_of(fixture, artid), fate_of(artid));
	fixture_is_sound(fixture);
}

static void
what_becomes_of_an_id_while_it_is_young_stays(void **state)
{
	struct fixture *fixture = *state;

	fixture_space(fixture, 1);
	put(fixture, 22); /* of which some are in the table */
	for (uint64_t artid = 1; artid <= 22; artid++)
		if (fate_of(artid) != STORE_MSGID_STORED)
			assert_int_equal(
			    fixture_run(fixture,
				fate_of(artid) == STORE_MSGID_EXPIRED ? expire
								      : forget,
				&artid),
			    0);
	assert_fates(fixture, 22);
	fixture_reopen(fixture);
	assert_fates(fixture, 22);
	put(fixture, 60);
	assert_fates(fixture, 22);
	fixture_reopen(fixture);
	assert_fates(fixture, 22);
}

static int
put_and_expire(struct store_txn *txn, void *arg)
{
	struct sample sample = { .space = 1 };
	int rc = sample_put(txn, &sample);

	(void)arg;
	return rc != 0 ? rc : expire(txn, &sample.artid);
}

static void
an_id_may_come_and_go_in_one_batch(void **state)
{
	struct fixture *fixture = *state;

	fixture_space(fixture, 1);
	assert_int_equal(fixture_run(fixture, put_and_expire, NULL), 0);
	assert_int_equal(state_of(fixture, 1), STORE_MSGID_EXPIRED);
	fixture_reopen(fixture);
	assert_int_equal(state_of(fixture, 1), STORE_MSGID_EXPIRED);
	put(fixture, 60);
	assert_int_equal(state_of(fixture, 1), STORE_MSGID_EXPIRED);
	fixture_is_sound(fixture);
}

/* ---- what is undone ------------------------------------------------------- */

static int
change_and_fail(struct store_txn *txn, void *arg)
{
	struct sample sample = { .space = 1 };
	uint64_t artid = *(const uint64_t *)arg;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < 5; i++)
		rc = sample_put(txn, &sample);
	if (rc == 0)
		rc = expire(txn, &artid);
	return rc != 0 ? rc : -EPROTO;
}

static void
what_an_operation_did_that_failed_is_undone(void **state)
{
	struct fixture *fixture = *state;

	fixture_space(fixture, 1);
	for (uint64_t had = 0; had < 60; had += 4) {
		put(fixture, 4);
		for (uint64_t artid = had + 1; artid <= had + 4; artid++)
			assert_int_equal(fixture_run(fixture, change_and_fail,
					     &artid),
			    -EPROTO);
		assert_int_equal(state_of(fixture, had + 5), 0);
		assert_stored(fixture, had + 4);
	}
	fixture_reopen(fixture);
	assert_stored(fixture, 60);
	put(fixture, 60);
	assert_stored(fixture, 120);
}

/* ---- a process that dies -------------------------------------------------- */

static void
a_process_that_dies_at_any_point_loses_no_id(void **state)
{
	struct fixture *fixture = *state;
	uint64_t had = 0;

	fixture_space(fixture, 1);
	for (unsigned round = 1; round <= 24; round++) {
		pid_t pid;
		int status;

		store_close(&fixture->store);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct sample sample = { .space = 1 };
			int rc = 0;

			reopen(fixture);
			for (unsigned i = 0; rc == 0 && i < round; i++) {
				rc = fixture_run(fixture, sample_put, &sample);
				if (rc == 0 && i % 2 == 1)
					rc = fixture_run(fixture, expire,
					    &sample.artid);
			}
			_exit(rc == 0 ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		reopen(fixture);
		for (unsigned i = 0; i < round; i++)
			assert_int_equal(state_of(fixture, had + i + 1),
			    i % 2 == 1 ? STORE_MSGID_EXPIRED
				       : STORE_MSGID_STORED);
		had += round;
		fixture_is_sound(fixture);
	}
}

/* ---- the filter ----------------------------------------------------------- */

static bool
could(struct fixture *fixture, uint64_t artid)
{
	uint8_t hash[STORE_HASH_LEN];

	hash_of(fixture, artid, hash);
	return store_known_could(fixture->store->known, hash);
}

static unsigned
could_among(struct fixture *fixture, uint64_t first, unsigned count)
{
	unsigned yes = 0;

	for (unsigned i = 0; i < count; i++)
		yes += could(fixture, first + i);
	return yes;
}

static void
the_filter_says_no_to_nearly_all_that_is_new_and_to_nothing_else(void **state)
{
	struct fixture *fixture = *state;
	uint8_t hash[STORE_HASH_LEN];

	assert_true(store_known_is_whole(fixture->store->known));
	/* several layers */
	for (uint64_t artid = 1; artid <= 400000; artid++) {
		hash_of(fixture, artid, hash);
		store_known_add(fixture->store->known, hash);
	}
	assert_int_equal(could_among(fixture, 1, 400000), 400000);
	assert_in_range(could_among(fixture, 1000000, 100000), 0, 2000);
}

static void
known_path(struct fixture *fixture, char path[128])
{
	(void)snprintf(path, 128, "%s/%s", fixture->directory,
	    STORE_KNOWN_FILE);
}

static void
the_filter_is_kept_from_a_close_to_the_next_start(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	fixture_space(fixture, 1);
	put(fixture, 100);
	known_path(fixture, path);
	store_close(&fixture->store);
	assert_int_equal(access(path, F_OK), 0);
	reopen(fixture);
	assert_int_equal(access(path, F_OK), -1);
	assert_true(store_known_is_whole(fixture->store->known));
	assert_int_equal(could_among(fixture, 1, 100), 100);
	assert_in_range(could_among(fixture, 101, 1000), 0, 20);
}

static int
put_rows(struct store_txn *txn, void *arg)
{
	struct store_msgid_entry entry = { .state = STORE_MSGID_UNWANTED };
	uint8_t hash[STORE_HASH_LEN];
	char id[64];
	int rc = 0;

	(void)arg;
	for (uint64_t i = 1; rc == 0 && i <= 3000; i++) {
		sample_message_id(id, i);
		store_msgid_hash(txn->reader.store, id, strlen(id), hash);
		entry.about = (uint32_t)i;
		rc = store_msgid_put(txn, hash, &entry, 1);
	}
	return rc;
}

static void
byte_change(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void
await_whole(struct fixture *fixture)
{
	for (unsigned i = 0; i < 3000; i++) {
		if (store_known_is_whole(fixture->store->known))
			return;
		(void)poll(NULL, 0, 10);
	}
	fail_msg("the keeper does not make the filter");
}

/* Cut, changed, of another commit, not there at all. */
static void
a_filter_that_is_not_the_newest_is_made_again_from_the_table(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	assert_int_equal(fixture_run(fixture, put_rows, NULL), 0);
	known_path(fixture, path);
	for (unsigned i = 0; i < 5; i++) {
		store_close(&fixture->store);
		if (i == 0)
			assert_int_equal(unlink(path), 0);
		else if (i == 1)
			assert_int_equal(truncate(path, 60), 0);
		else if (i == 2)
			byte_change(path, 30); /* how large a layer is */
		else if (i == 3)
			byte_change(path, 5000);
		else
			byte_change(path, 15); /* the commit */
		reopen(fixture);
		/* More than is walked through at a start: all could be known
		 * until the keeper was there. */
		assert_int_equal(could_among(fixture, 1, 3000), 3000);
		await_whole(fixture);
		assert_int_equal(could_among(fixture, 1, 3000), 3000);
		assert_in_range(could_among(fixture, 10000, 1000), 0, 20);
	}
	assert_false(store_known_fill(fixture->store, NULL, NULL));
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(new_ids_are_gathered_and_settled_when_there_are_enough),
		TEST(they_are_settled_in_the_order_of_the_table),
		TEST(a_start_goes_on_where_the_last_one_ended),
		TEST(rows_of_settled_ids_are_deleted),
		TEST(a_view_sees_the_ids_of_its_time_wherever_they_are_now),
		TEST(what_becomes_of_an_id_while_it_is_young_stays),
		TEST(an_id_may_come_and_go_in_one_batch),
		TEST(what_an_operation_did_that_failed_is_undone),
		TEST(a_process_that_dies_at_any_point_loses_no_id),
		TEST(
		    the_filter_says_no_to_nearly_all_that_is_new_and_to_nothing_else),
		TEST(the_filter_is_kept_from_a_close_to_the_next_start),
		TEST(
		    a_filter_that_is_not_the_newest_is_made_again_from_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
