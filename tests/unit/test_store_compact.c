/* test_store_compact.c - room that deletion leaves: used again, or given back.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ARTICLES 1000u
#define AT_ONCE	 50u
#define BODY	 3000u

/* Articles [first, first + AT_ONCE), put or deleted in one operation. */
struct some {
	uint64_t first;
	size_t body_len;
	bool keep_every_tenth;
};

static int
some_put(struct store_txn *txn, void *arg)
{
	const struct some *some = arg;
	struct sample sample = { .space = 1, .body_len = some->body_len };
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < AT_ONCE; i++)
		rc = sample_put(txn, &sample);
	return rc;
}

static int
some_delete(struct store_txn *txn, void *arg)
{
	const struct some *some = arg;
	struct sample sample = { .space = 1 };
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < AT_ONCE; i++) {
		sample.artid = some->first + i;
		sample.number = (uint32_t)sample.artid;
		if (!some->keep_every_tenth || sample.artid % 10 != 0)
			rc = sample_delete(txn, &sample);
	}
	return rc;
}

static void
write_articles(struct fixture *fixture, unsigned count, size_t body_len)
{
	struct some some = { .body_len = body_len };

	for (unsigned i = 0; i < count; i += AT_ONCE)
		assert_int_equal(fixture_run(fixture, some_put, &some), 0);
}

static void
delete_articles(struct fixture *fixture, uint64_t first, unsigned count,
    bool keep_every_tenth)
{
	struct some some = { .first = first,
		.keep_every_tenth = keep_every_tenth };

	for (; some.first < first + count; some.first += AT_ONCE)
		assert_int_equal(fixture_run(fixture, some_delete, &some), 0);
}

static uint64_t
size_of(struct fixture *fixture, const char *name)
{
	char path[128];
	struct stat st;

	assert_int_equal(store_keeper_checkpoint(fixture->store, true), 0);
	(void)snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

static void
sweep(struct fixture *fixture, enum store_sweep_what what)
{
	assert_int_equal(store_sweep(fixture->store, what, NULL, NULL), 0);
	store_sweep_remove(fixture->store, true);
}

/* Of what holds articles, less the sequence, which only grows. */
static uint64_t
size_of_articles(struct fixture *fixture)
{
	sweep(fixture, STORE_SWEEP_WASTE);
	return store_segments_size(fixture->directory) +
	    size_of(fixture, "numbers.db") + size_of(fixture, "msgid.db") +
	    size_of(fixture, "meta.db");
}

static void
fault(void *arg, const char *text)
{
	(void)arg;
	fail_msg("check: %s", text);
}

static void
assert_sound(struct fixture *fixture)
{
	uint64_t rows;

	assert_int_equal(store_check(fixture->store, fault, NULL, &rows), 0);
}

static void
room_of_deleted_articles_is_used_again(void **state)
{
	struct fixture *fixture = *state;
	uint64_t first = 1, full;

	fixture_space(fixture, 1);
	write_articles(fixture, ARTICLES, BODY);
	full = size_of_articles(fixture);
	for (unsigned round = 0; round < 2; round++, first += ARTICLES) {
		delete_articles(fixture, first, ARTICLES, false);
		write_articles(fixture, ARTICLES, BODY);
		assert_in_range(size_of_articles(fixture), 1, full + full / 8);
	}
	assert_sound(fixture);
}

static void
compacting_gives_room_back(void **state)
{
	struct fixture *fixture = *state;
	uint64_t before, after;

	fixture_space(fixture, 1);
	write_articles(fixture, ARTICLES, BODY);
	write_articles(fixture, AT_ONCE, 40000);
	delete_articles(fixture, 1, ARTICLES, true);
	assert_int_equal(store_compact(fixture->store, NULL, NULL, &before,
			     &after),
	    0);
	assert_in_range(after, 1, before / 2);
	assert_sound(fixture);
	fixture_reopen(fixture);
	assert_sound(fixture);
	write_articles(fixture, AT_ONCE, BODY);
	assert_sound(fixture);
}

static bool
stop_at_once(void *arg)
{
	(void)arg;
	return true;
}

static void
compacting_can_be_stopped(void **state)
{
	struct fixture *fixture = *state;
	uint64_t before, after;

	fixture_space(fixture, 1);
	write_articles(fixture, AT_ONCE, BODY);
	assert_int_equal(store_compact(fixture->store, stop_at_once, NULL,
			     &before, &after),
	    -ECANCELED);
}

/* ---- while serving ---------------------------------------------------- */

struct serving {
	struct fixture *fixture;
	atomic_bool stop;
	_Atomic unsigned failed, read, written;
};

/* Every tenth article stays and must be there, whole, all the time. */
static void *
read_meanwhile(void *arg)
{
	struct serving *serving = arg;
	struct store_article_head head;
	struct store_view *view;
	uint8_t *bytes;
	size_t len;

	for (uint64_t id = 10; !atomic_load(&serving->stop);
	     id = id >= ARTICLES ? 10 : id + 10) {
		view = store_view_begin(serving->fixture->store);
		bytes = NULL;
		view->reader.uncached = true;
		if (store_article_get(store_view_reader(view), id, SIZE_MAX,
			&head, &bytes, &len) != 0 ||
		    len != BODY + 20)
			atomic_fetch_add(&serving->failed, 1);
		for (size_t i = 0; bytes != NULL && i < len; i++)
			if (bytes[i] != (uint8_t)('a' + (id + i) % 26)) {
				atomic_fetch_add(&serving->failed, 1);
				break;
			}
		free(bytes);
		store_view_end(&view);
		atomic_fetch_add(&serving->read, 1);
	}
	return NULL;
}

static void *
write_meanwhile(void *arg)
{
	struct serving *serving = arg;
	struct some some = { .body_len = BODY };
	uint64_t next = ARTICLES + 1;

	/* some come and some go */
	while (!atomic_load(&serving->stop)) {
		if (fixture_run(serving->fixture, some_put, &some) != 0)
			atomic_fetch_add(&serving->failed, 1);
		some.first = next;
		next += AT_ONCE;
		if (fixture_run(serving->fixture, some_delete, &some) != 0)
			atomic_fetch_add(&serving->failed, 1);
		atomic_fetch_add(&serving->written, 1);
	}
	return NULL;
}

static void
compacting_harms_neither_readers_nor_the_writer(void **state)
{
	struct fixture *fixture = *state;
	struct serving serving = { .fixture = fixture };
	uint64_t before, after;
	pthread_t threads[3];

	fixture_space(fixture, 1);
	write_articles(fixture, ARTICLES, BODY);
	delete_articles(fixture, 1, ARTICLES, true);
	pthread_create(&threads[0], NULL, read_meanwhile, &serving);
	pthread_create(&threads[1], NULL, read_meanwhile, &serving);
	pthread_create(&threads[2], NULL, write_meanwhile, &serving);
	/* on a busy machine the threads may take their time to begin */
	for (unsigned i = 0;
	     i < 3 || serving.read == 0 || serving.written == 0; i++)
		assert_int_equal(store_compact(fixture->store, NULL, NULL,
				     &before, &after),
		    0);
	atomic_store(&serving.stop, true);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(serving.failed, 0);
	assert_true(serving.read > 0 && serving.written > 0);
	assert_sound(fixture);
	fixture_reopen(fixture);
	assert_sound(fixture);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(room_of_deleted_articles_is_used_again),
		TEST(compacting_gives_room_back),
		TEST(compacting_can_be_stopped),
		TEST(compacting_harms_neither_readers_nor_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
