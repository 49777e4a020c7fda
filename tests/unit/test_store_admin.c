/* test_store_admin.c - check, backup, restore, room on the disk, figures.
 */
#include "tests/unit/store_fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct faults {
	unsigned count;
	char text[4096];
};

static void
report(void *arg, const char *fault)
{
	struct faults *faults = arg;
	size_t len = strlen(faults->text);

	faults->count++;
	(void)snprintf(faults->text + len, sizeof faults->text - len, "%s\n",
	    fault);
}

static int
check(struct fixture *fixture, struct faults *faults, uint64_t *rows)
{
	memset(faults, 0, sizeof *faults);
	return store_check(fixture->store, report, faults, rows);
}

static void
fill(struct fixture *fixture, unsigned count)
{
	struct sample sample = { .space = 1 };

	fixture_space(fixture, 1);
	fixture_space(fixture, 2);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(fixture_run(fixture, sample_put, &sample), 0);
	sample.number = sample.number / 2;
	sample.artid = sample.artid / 2;
	assert_int_equal(fixture_run(fixture, sample_delete, &sample), 0);
}

static void
a_sound_store_has_no_faults(void **state)
{
	struct fixture *fixture = *state;
	struct faults faults;
	uint64_t rows;

	fill(fixture, 20);
	assert_int_equal(check(fixture, &faults, &rows), 0);
	assert_string_equal(faults.text, "");
	assert_int_equal(rows, 19 * 4 + 20);
}

/* ---- one fault each ---------------------------------------------------- */

static int
lose_meta(struct store_txn *txn, void *arg)
{
	struct store_key key = store_key_u64(1);

	(void)arg;
	return store_delete(txn, STORE_ARTICLE_META, &key);
}

static int
lose_article(struct store_txn *txn, void *arg)
{
	(void)arg;
	return store_article_delete(txn, 2);
}

static int
lose_number(struct store_txn *txn, void *arg)
{
	struct store_key key = store_key_u32_u32(1, 3);

	(void)arg;
	return store_row_delete(txn, STORE_FILE_NUMBERS, key.bytes, key.len);
}

static int
lose_event(struct store_txn *txn, void *arg)
{
	struct store_key key = store_key_u64(4);

	(void)arg;
	return store_row_delete(txn, STORE_FILE_SEQUENCE, key.bytes, key.len);
}

static int
half_subscribe(struct store_txn *txn, void *arg)
{
	Kith__Subscription subscription = KITH__SUBSCRIPTION__INIT;
	struct store_key key = store_key_u32_u32(1, 9);

	(void)arg;
	return store_put(txn, STORE_SUBSCRIPTIONS, &key, &subscription.base);
}

static int
lose_history(struct store_txn *txn, void *arg)
{
	const struct store_msgid_entry entry = { .state = STORE_MSGID_EXPIRED,
		.day = 3 };
	const uint8_t hash[STORE_HASH_LEN] = "0123456789abcde";
	struct store_key key = store_key_u32_hash(3, hash);
	int rc = store_msgid_put(txn, hash, &entry, 1);

	(void)arg;
	return rc == 0 ? store_delete(txn, STORE_HISTORY, &key) : rc;
}

static int
odd_expires(struct store_txn *txn, void *arg)
{
	const Kith__Nothing nothing = KITH__NOTHING__INIT;
	struct store_key key = store_key_u32_u64_u32(1, 5000, 77);

	(void)arg;
	return store_put(txn, STORE_EXPIRES, &key, &nothing.base);
}

static int
lose_expires(struct store_txn *txn, void *arg)
{
	struct store_key key = store_key_u64(1);
	ProtobufCMessage *message;
	int rc = store_get(&txn->reader, STORE_ARTICLE_META, &key, &message);

	(void)arg;
	if (rc != 0)
		return rc;
	((Kith__ArticleMeta *)(void *)message)->expires = 5000;
	rc = store_put(txn, STORE_ARTICLE_META, &key, message);
	protobuf_c_message_free_unpacked(message, NULL);
	return rc;
}

/* Space 5 has two who read digests and one who would. */
static int
put_readers(struct store_txn *txn, uint32_t digest, uint32_t plain)
{
	Kith__Space space = KITH__SPACE__INIT;
	Kith__DigestState state = KITH__DIGEST_STATE__INIT;
	struct store_key key = store_key_u32(5);
	int rc = store_put(txn, STORE_SPACES, &key, &space.base);

	state.digest_readers = digest;
	state.plain_readers = plain;
	if (rc == 0)
		rc = store_put(txn, STORE_DIGESTS, &key, &state.base);
	for (uint32_t i = 0; rc == 0 && i < 3; i++) {
		Kith__Subscription subscription = KITH__SUBSCRIPTION__INIT;

		key = store_key_u32_u32(5, i + 1);
		subscription.mode = i == 0 ? KITH__MODE__MODE_DIGEST
					   : KITH__MODE__MODE_PLAIN;
		if (i == 2)
			subscription.state =
			    KITH__SUBSCRIPTION_STATE__SUB_SUSPENDED;
		rc = store_put(txn, STORE_SUBSCRIPTIONS, &key,
		    &subscription.base);
	}
	return rc;
}

static int
miscount_readers(struct store_txn *txn, void *arg)
{
	(void)arg;
	return put_readers(txn, 1, 2);
}

static int
lose_readers(struct store_txn *txn, void *arg)
{
	struct store_key key = store_key_u32(5);
	int rc = put_readers(txn, 1, 1);

	(void)arg;
	return rc == 0 ? store_delete(txn, STORE_DIGESTS, &key) : rc;
}

static int
keep_readers(struct store_txn *txn, void *arg)
{
	struct store_key key = store_key_u32(5);
	int rc = put_readers(txn, 1, 1);

	(void)arg;
	return rc == 0 ? store_delete(txn, STORE_SPACES, &key) : rc;
}

static int
garbage(struct store_txn *txn, void *arg)
{
	(void)arg;
	return store_row_put(txn, STORE_FILE_RECORDS, "\xf0what", 5, "\xff\xff",
	    2);
}

static void
every_kind_of_damage_is_reported(void **state)
{
	static const struct {
		int (*fn)(struct store_txn *txn, void *arg);
		const char *says;
	} damages[] = {
		{ lose_meta, "article 1: no record of it" },
		{ lose_meta, "article 1 does not know it" },
		{ lose_meta, "young message ids: article 1 is missing" },
		{ lose_article, "article 2 is missing" },
		{ lose_number, "number 3 does not lead to it" },
		{ lose_number, "space 1: 9 articles counted, 8 stored" },
		{ lose_event, "sequence: 4 is missing" },
		{ half_subscribe, "subscriptions: 1, 9 has no counterpart" },
		{ half_subscribe, "subscriptions: 9 is not in addresses" },
		{ lose_history, "a memory of day 3 is not in the history" },
		{ odd_expires, "expires: space 1 has no number 77" },
		{ lose_expires, "article 1: would not expire in space 1" },
		{ miscount_readers, "space 5 has 1 and 1 readers, counted as "
				    "1 and 2" },
		{ lose_readers, "space 5 has 1 and 1 readers, counted as "
				"0 and 0" },
		{ keep_readers, "digests: 5 is not in spaces" },
		{ garbage, "records: a row of no known table" },
	};
	struct faults faults;
	uint64_t rows;

	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
		assert_int_equal(fixture_setup(state), 0);
		fill(*state, 10);
		assert_int_equal(fixture_run(*state, damages[i].fn, NULL), 0);
		assert_true(check(*state, &faults, &rows) > 0);
		if (strstr(faults.text, damages[i].says) == NULL)
			fail_msg("not told \"%s\" in:\n%s", damages[i].says,
			    faults.text);
		assert_int_equal(fixture_teardown(state), 0);
	}
}

static int
right_readers(struct store_txn *txn, void *arg)
{
	(void)arg;
	return put_readers(txn, 1, 1);
}

static void
readers_of_digests_are_counted(void **state)
{
	struct faults faults;
	uint64_t rows;

	assert_int_equal(fixture_run(*state, right_readers, NULL), 0);
	(void)check(*state, &faults, &rows);
	assert_null(strstr(faults.text, "readers"));
}

/* ---- backup ----------------------------------------------------------- */

struct posts {
	struct fixture *fixture;
	atomic_bool stop;
	_Atomic unsigned failed;
};

static void *
post_meanwhile(void *arg)
{
	struct posts *posts = arg;
	struct sample sample = { .space = 2 };

	while (!atomic_load(&posts->stop))
		if (fixture_run(posts->fixture, sample_put, &sample) != 0)
			atomic_fetch_add(&posts->failed, 1);
	return NULL;
}

static void
beside(char path[128], const struct fixture *fixture, const char *name)
{
	(void)snprintf(path, 128, "%s-%s", fixture->directory, name);
}

static void
a_backup_made_while_serving_restores_sound(void **state)
{
	struct fixture *fixture = *state;
	struct posts posts = { .fixture = fixture };
	struct store_options options = fixture->options;
	struct store *restored;
	struct store_space_state space;
	struct faults faults = { .count = 0 };
	char backup[128], copy[128];
	pthread_t thread;
	uint64_t rows;
	struct stat st;
	char *error;

	beside(backup, fixture, "backup");
	beside(copy, fixture, "copy");
	fill(fixture, 30);
	assert_int_equal(pthread_create(&thread, NULL, post_meanwhile, &posts),
	    0);
	assert_int_equal(store_backup(fixture->store, backup, &error), 0);
	atomic_store(&posts.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(posts.failed, 0);
	assert_int_equal(stat(backup, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);

	assert_int_equal(store_restore(backup, copy, &error), 0);
	options.directory = copy;
	assert_int_equal(store_open(&restored, &options, &error), 0);
	assert_int_equal(store_check(restored, report, &faults, &rows), 0);
	assert_string_equal(faults.text, "");
	assert_true(store_space_state_published(restored, 1, &space));
	assert_int_equal(space.count, 29);
	store_close(&restored);

	/* Neither goes into a folder with something in it. */
	assert_int_equal(store_backup(fixture->store, backup, &error),
	    -ENOTEMPTY);
	assert_non_null(strstr(error, "is not empty"));
	free(error);
	assert_int_equal(store_restore(backup, copy, &error), -ENOTEMPTY);
	free(error);
	fixture_remove(backup);
	fixture_remove(copy);
}

static void
half_a_backup_is_not_restored_and_half_a_restore_not_opened(void **state)
{
	struct fixture *fixture = *state;
	struct store *store;
	char backup[128], copy[128], path[256];
	char *error;
	FILE *file;

	beside(backup, fixture, "backup");
	beside(copy, fixture, "copy");
	assert_int_equal(store_backup(fixture->store, backup, &error), 0);
	(void)snprintf(path, sizeof path, "%s/complete", backup);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_restore(backup, copy, &error), -EINVAL);
	assert_non_null(strstr(error, "no complete backup"));
	free(error);
	store_close(&fixture->store);
	(void)snprintf(path, sizeof path, "%s/restoring", fixture->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(store_open(&store, &fixture->options, &error),
	    -EINVAL);
	assert_non_null(strstr(error, "half of a restore"));
	free(error);
	fixture_remove(backup);
	fixture_remove(copy);
}

/* ---- room ------------------------------------------------------------- */

static void
the_store_is_full_well_before_the_end_and_recovers(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	uint64_t file = store->log_file_bytes;
	struct store_stats stats;
	char path[128];

	store_stats_get(store, &stats);
	assert_int_equal(stats.reserve_bytes, 4 * file);
	assert_false(store_is_full(store));
	store_room_judge(store, 5 * file);
	assert_false(store_is_full(store));
	store_room_judge(store, 4 * file - 1);
	assert_true(store_is_full(store));
	store_room_judge(store, 5 * file); /* not at once */
	assert_true(store_is_full(store));
	store_room_judge(store, 6 * file);
	assert_false(store_is_full(store));
	/* as a store that ended on a full disk */
	(void)snprintf(path, sizeof path, "%s/reserve", fixture->directory);
	assert_int_equal(unlink(path), 0);
	atomic_store(&store->room.reserve_bytes, 0);
	/* The reserve is missing: that much more must be free. */
	store_room_judge(store, 7 * file);
	assert_true(store_is_full(store));
	store_room_judge(store, 20 * file);
	assert_false(store_is_full(store));
	assert_int_equal(access(path, F_OK), 0);
}

static void
figures_count_what_was_done(void **state)
{
	struct fixture *fixture = *state;
	struct store_stats before, after;

	store_stats_get(fixture->store, &before);
	fill(fixture, 10);
	store_stats_get(fixture->store, &after);
	assert_int_equal(after.articles, 9);
	assert_int_equal(after.operations - before.operations, 13);
	assert_int_equal(after.commits - before.commits, 13);
	assert_int_equal(after.schema, STORE_SCHEMA);
	assert_true(after.free_bytes > 0);
}

static uint32_t
sum_by_octets(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = sum * 33 + bytes[i];
	return sum;
}

static void
checksums_are_those_of_the_library(void **state)
{
	typedef uint32_t (*library_sum)(DB * db, const void *bytes, uint32_t n);
	void *library = dlopen("libdb-5.3.so", RTLD_LAZY | RTLD_NOLOAD);
	void *symbol = library == NULL ? NULL : dlsym(library, "__ham_func4");
	library_sum its_own = NULL;
	uint8_t bytes[5000];

	(void)state;
	memcpy(&its_own, &symbol, sizeof its_own);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * i ^ i >> 3);
	memset(bytes, 0xff, 64);
	for (size_t from = 0; from < 8; from++) {
		for (size_t len = 0; len < 100; len++)
			assert_int_equal(store_checksum(bytes + from, len),
			    sum_by_octets(bytes + from, len));
		assert_int_equal(store_checksum(bytes + from, 4900),
		    sum_by_octets(bytes + from, 4900));
		if (its_own != NULL)
			assert_int_equal(store_checksum(bytes + from, 4900),
			    its_own(NULL, bytes + from, 4900));
	}
	if (library != NULL)
		dlclose(library);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_sound_store_has_no_faults),
		cmocka_unit_test(every_kind_of_damage_is_reported),
		TEST(readers_of_digests_are_counted),
		TEST(a_backup_made_while_serving_restores_sound),
		TEST(
		    half_a_backup_is_not_restored_and_half_a_restore_not_opened),
		TEST(the_store_is_full_well_before_the_end_and_recovers),
		cmocka_unit_test(checksums_are_those_of_the_library),
		TEST(figures_count_what_was_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
