/* test_store_msgid.c - the index of Message-IDs and its hash.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/siphash.h"

static void
siphash_gives_the_published_vectors(void **state)
{
	static const uint8_t empty[16] = { 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25,
		0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93 };
	static const uint8_t one[16] = { 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99,
		0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45 };
	uint8_t key[16], hash[16];

	(void)state;
	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	store_siphash(key, "", 0, hash);
	assert_memory_equal(hash, empty, 16);
	store_siphash(key, "\0", 1, hash);
	assert_memory_equal(hash, one, 16);
}

static void
siphash_with_fewer_rounds_gives_what_openssl_gives(void **state)
{
	static const uint8_t empty[16] = { 0xe7, 0x7e, 0xbc, 0xb2, 0x27, 0x88,
		0xa5, 0xbe, 0xfd, 0x62, 0xdb, 0x6a, 0xdd, 0x30, 0x30, 0x01 };
	static const uint8_t some[16] = { 0x1d, 0x12, 0x7b, 0x84, 0x40, 0x5c,
		0xea, 0xb9, 0x9f, 0xd8, 0x77, 0x5a, 0x9b, 0xe6, 0xc5, 0x59 };
	uint8_t input[23], hash[16];

	(void)state;
	for (uint8_t i = 0; i < sizeof input; i++)
		input[i] = i;
	store_siphash_1_3(input, "", 0, hash);
	assert_memory_equal(hash, empty, 16);
	store_siphash_1_3(input, input, sizeof input, hash);
	assert_memory_equal(hash, some, 16);
}

static void
hashes_are_keyed_by_store_and_purpose(void **state)
{
	struct fixture *fixture = *state;
	uint8_t a[STORE_HASH_LEN], b[STORE_HASH_LEN], c[STORE_HASH_LEN];

	store_msgid_hash(fixture->store, "<a@b>", 5, a);
	store_hash(fixture->store, "<a@b>", 5, b);
	assert_memory_not_equal(a, b, sizeof a);
	fixture_reopen(fixture);
	store_msgid_hash(fixture->store, "<a@b>", 5, c);
	assert_memory_equal(a, c, sizeof a);
}

struct vector {
	uint8_t hash[STORE_HASH_LEN];
	struct store_msgid_entry entries[STORE_MSGID_MAX + 1];
	unsigned count;
};

static int
vector_put(struct store_txn *txn, void *arg)
{
	const struct vector *vector = arg;

	return store_msgid_put(txn, vector->hash, vector->entries,
	    vector->count);
}

static int
vector_get(struct fixture *fixture, const uint8_t *hash,
    struct store_msgid_entry entries[STORE_MSGID_MAX])
{
	struct store_view *view = store_view_begin(fixture->store);
	int rc = store_msgid_get(store_view_reader(view), hash, entries);

	store_view_end(&view);
	return rc;
}

static void
entries_are_replaced_as_a_whole(void **state)
{
	struct fixture *fixture = *state;
	struct vector vector = { .hash = "0123456789abcde", .count = 2 };
	struct store_msgid_entry entries[STORE_MSGID_MAX];

	assert_int_equal(vector_get(fixture, vector.hash, entries), 0);
	vector.entries[0] = (struct store_msgid_entry){ .artid = 1u << 30,
		.state = STORE_MSGID_STORED,
		.day = 20000,
		.content = "fedcba987654321" };
	vector.entries[1] =
	    (struct store_msgid_entry){ .about = 77, .state = STORE_MSGID_HELD };
	assert_int_equal(fixture_run(fixture, vector_put, &vector), 0);
	assert_int_equal(vector_get(fixture, vector.hash, entries), 2);
	assert_int_equal(entries[0].artid, 1u << 30);
	assert_int_equal(entries[0].state, STORE_MSGID_STORED);
	assert_int_equal(entries[0].day, 20000);
	assert_memory_equal(entries[0].content, "fedcba987654321", 16);
	assert_int_equal(entries[1].about, 77);
	assert_int_equal(entries[1].state, STORE_MSGID_HELD);
	vector.count = 1;
	assert_int_equal(fixture_run(fixture, vector_put, &vector), 0);
	assert_int_equal(vector_get(fixture, vector.hash, entries), 1);
	vector.count = 0;
	assert_int_equal(fixture_run(fixture, vector_put, &vector), 0);
	assert_int_equal(vector_get(fixture, vector.hash, entries), 0);
	assert_int_equal(fixture_run(fixture, vector_put, &vector), 0);
	vector.count = STORE_MSGID_MAX + 1;
	assert_int_equal(fixture_run(fixture, vector_put, &vector), -EINVAL);
	vector.count = 1;
	memset(&vector.entries[0].state, 9, 1);
	assert_int_equal(fixture_run(fixture, vector_put, &vector), -EINVAL);
}

static void
a_vector_that_does_not_parse_is_an_error(void **state)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	uint8_t bytes[33 * 9] = { STORE_MSGID_STORED };

	(void)state;
	assert_int_equal(store_msgid_parse(bytes, 33, entries), 1);
	assert_int_equal(store_msgid_parse(bytes, 0, entries), -EBADMSG);
	assert_int_equal(store_msgid_parse(bytes, 32, entries), -EBADMSG);
	assert_int_equal(store_msgid_parse(bytes, 66, entries), -EBADMSG);
	for (size_t i = 0; i < 9; i++)
		bytes[33 * i] = STORE_MSGID_WAITS;
	assert_int_equal(store_msgid_parse(bytes, 33 * 8, entries), 8);
	assert_int_equal(store_msgid_parse(bytes, 33 * 9, entries), -EBADMSG);
}

/* ---- what is known without an article */

struct forgotten {
	uint32_t day;
	unsigned count;
	bool more;
};

static int
forget_before(struct store_txn *txn, void *arg)
{
	struct forgotten *forgotten = arg;
	int rc = store_msgid_forget(txn, forgotten->day, &forgotten->count);

	forgotten->more = rc == 1;
	return rc < 0 ? rc : 0;
}

static void
put_state(struct fixture *fixture, const char *hash,
    enum store_msgid_state state, uint32_t day)
{
	struct vector vector = { .count = 1 };

	memcpy(vector.hash, hash, sizeof vector.hash);
	vector.entries[0] =
	    (struct store_msgid_entry){ .state = state, .day = day };
	assert_int_equal(fixture_run(fixture, vector_put, &vector), 0);
}

static void
memories_are_forgotten_by_their_day(void **state)
{
	struct fixture *fixture = *state;
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	struct forgotten forgotten = { .day = 12 };
	struct vector two = { .hash = "both............", .count = 2 };

	put_state(fixture, "stored..........", STORE_MSGID_STORED, 1);
	put_state(fixture, "held............", STORE_MSGID_HELD, 1);
	put_state(fixture, "refused.........", STORE_MSGID_REFUSED, 10);
	put_state(fixture, "cancelled.......", STORE_MSGID_CANCELLED, 11);
	put_state(fixture, "expired.........", STORE_MSGID_EXPIRED, 12);
	two.entries[0] = (struct store_msgid_entry){
		.state = STORE_MSGID_EXPIRED, .day = 11 };
	two.entries[1] = (struct store_msgid_entry){
		.state = STORE_MSGID_STORED, .day = 11, .artid = 7 };
	assert_int_equal(fixture_run(fixture, vector_put, &two), 0);
	assert_int_equal(fixture_run(fixture, forget_before, &forgotten), 0);
	assert_int_equal(forgotten.count, 3);
	assert_int_equal(vector_get(fixture,
	    (const uint8_t *)"refused.........", entries), 0);
	assert_int_equal(vector_get(fixture,
	    (const uint8_t *)"cancelled.......", entries), 0);
	assert_int_equal(vector_get(fixture,
	    (const uint8_t *)"expired.........", entries), 1);
	assert_int_equal(vector_get(fixture,
	    (const uint8_t *)"held............", entries), 1);
	assert_int_equal(vector_get(fixture,
	    (const uint8_t *)"stored..........", entries), 1);
	assert_int_equal(vector_get(fixture, two.hash, entries), 1);
	assert_int_equal(entries[0].state, STORE_MSGID_STORED);
	assert_int_equal(fixture_run(fixture, forget_before, &forgotten), 0);
	assert_int_equal(forgotten.count, 0);
}

static void
an_id_met_again_is_remembered_from_that_day(void **state)
{
	struct fixture *fixture = *state;
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	struct forgotten forgotten = { .day = 15 };

	put_state(fixture, "refused.........", STORE_MSGID_REFUSED, 10);
	put_state(fixture, "refused.........", STORE_MSGID_REFUSED, 20);
	assert_int_equal(fixture_run(fixture, forget_before, &forgotten), 0);
	assert_int_equal(vector_get(fixture,
	    (const uint8_t *)"refused.........", entries), 1);
	forgotten.day = 21;
	assert_int_equal(fixture_run(fixture, forget_before, &forgotten), 0);
	assert_int_equal(vector_get(fixture,
	    (const uint8_t *)"refused.........", entries), 0);
}

static void
a_slice_of_forgetting_is_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct forgotten forgotten = { .day = 2 };
	char hash[STORE_HASH_LEN + 1];

	for (unsigned i = 0; i <= STORE_FORGET_MAX; i++) {
		(void)snprintf(hash, sizeof hash, "%016u", i);
		put_state(fixture, hash, STORE_MSGID_EXPIRED, 1);
	}
	assert_int_equal(fixture_run(fixture, forget_before, &forgotten), 0);
	assert_int_equal(forgotten.count, STORE_FORGET_MAX);
	assert_true(forgotten.more);
	assert_int_equal(fixture_run(fixture, forget_before, &forgotten), 0);
	assert_false(forgotten.more);
	assert_int_equal(forgotten.count, 1);
}

struct remembered {
	uint8_t hash[STORE_HASH_LEN];
	unsigned put; /* entries to put */
	bool fail;    /* after that */
	int before, after;
};

static int
read_put_read(struct store_txn *txn, void *arg)
{
	const struct store_msgid_entry entry = { .state = STORE_MSGID_STORED,
		.artid = 7 };
	struct store_msgid_entry found[STORE_MSGID_MAX];
	struct remembered *it = arg;
	int rc;

	it->before = store_msgid_get(store_txn_reader(txn), it->hash, found);
	rc = store_msgid_put(txn, it->hash, &entry, it->put);
	it->after = store_msgid_get(store_txn_reader(txn), it->hash, found);
	return rc == 0 && it->fail ? -EPROTO : rc;
}

static void
what_the_writer_remembers_of_an_id_is_what_is_stored(void **state)
{
	struct fixture *fixture = *state;
	struct remembered it = { .put = 1, .fail = true };

	store_msgid_hash(fixture->store, "<a@b>", 5, it.hash);
	assert_int_equal(fixture_run(fixture, read_put_read, &it), -EPROTO);
	assert_int_equal(it.before, 0);
	assert_int_equal(it.after, 1);
	/* It was undone, and so was what was remembered of it. */
	it.fail = false;
	assert_int_equal(fixture_run(fixture, read_put_read, &it), 0);
	assert_int_equal(it.before, 0);
	assert_int_equal(it.after, 1);
	it.put = 0;
	assert_int_equal(fixture_run(fixture, read_put_read, &it), 0);
	assert_int_equal(it.before, 1);
	assert_int_equal(it.after, 0);
	it.put = 1;
	assert_int_equal(fixture_run(fixture, read_put_read, &it), 0);
	assert_int_equal(it.before, 0);
}

/* What peers offer must not fill the row of an id. */
static void
weak_entries_make_room_for_others(void **state)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	struct store_msgid_entry entry = { .state = STORE_MSGID_UNWANTED };
	int count = 0;

	(void)state;
	for (uint32_t peer = 1; peer <= 5; peer++) {
		entry.about = peer;
		count = store_msgid_insert(entries, (unsigned)count, &entry);
		assert_int_equal(count, peer < 2 ? 1 : 2);
		assert_int_equal(entries[count - 1].about, peer);
	}
	assert_int_equal(entries[0].about, 4);
	/* the same peer once more */
	entry.about = 4;
	assert_int_equal(store_msgid_insert(entries, 2, &entry), 2);
	assert_int_equal(entries[0].about, 5);
	assert_int_equal(entries[1].about, 4);
	entry.state = STORE_MSGID_STORED;
	for (int i = 3; i <= (int)STORE_MSGID_MAX + 2; i++) {
		assert_true(store_msgid_has_room(entries, (unsigned)count));
		entry.artid = (uint64_t)i;
		count = store_msgid_insert(entries, (unsigned)count, &entry);
		assert_int_equal(count,
		    i > (int)STORE_MSGID_MAX ? (int)STORE_MSGID_MAX : i);
	}
	assert_false(store_msgid_has_room(entries, (unsigned)count));
	assert_int_equal(store_msgid_insert(entries, (unsigned)count, &entry),
	    -ENOSPC);
	for (unsigned i = 0; i < STORE_MSGID_MAX; i++)
		assert_int_equal(entries[i].artid, i + 3);
}

static int
waits_from(struct store_msgid_entry entries[STORE_MSGID_MAX], int count,
    uint32_t source, uint64_t artid)
{
	const struct store_msgid_entry entry = { .state = STORE_MSGID_WAITS,
		.about = source,
		.artid = artid };

	return store_msgid_insert(entries, (unsigned)count, &entry);
}

static bool
waits(const struct store_msgid_entry *entries, int count, uint64_t artid)
{
	for (int i = 0; i < count; i++)
		if (entries[i].state == STORE_MSGID_WAITS &&
		    entries[i].artid == artid)
			return true;
	return false;
}

static void
what_waits_is_bounded_for_each_source(void **state)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	struct store_msgid_entry other = { .state = STORE_MSGID_UNWANTED };
	int count = waits_from(entries, 0, 1, 1);

	(void)state;
	/* one source: the first and the newest */
	for (uint64_t artid = 2; artid <= 9; artid++)
		count = waits_from(entries, count, 7, artid);
	assert_int_equal(count, 3);
	assert_true(waits(entries, count, 1));
	assert_true(waits(entries, count, 2));
	assert_true(waits(entries, count, 9));
	/* many of them: a second one makes room, no first one does */
	for (uint32_t source = 11; source <= 13; source++)
		count = waits_from(entries, count, source, source);
	assert_int_equal(count, 5);
	assert_false(waits(entries, count, 9));
	assert_int_equal(waits_from(entries, count, 14, 14), -ENOSPC);
	assert_int_equal(waits_from(entries, count, 7, 15), -ENOSPC);
	/* what is not wanted takes its own places alone */
	for (other.about = 1; other.about <= 5; other.about++)
		count = store_msgid_insert(entries, (unsigned)count, &other);
	assert_int_equal(count, 7);
	/* and articles take those first */
	other.state = STORE_MSGID_STORED;
	for (other.artid = 101; other.artid <= 103; other.artid++)
		count = store_msgid_insert(entries, (unsigned)count, &other);
	assert_int_equal(count, 8);
	for (uint64_t artid = 11; artid <= 13; artid++)
		assert_true(waits(entries, count, artid));
	other.state = STORE_MSGID_UNWANTED;
	assert_int_equal(store_msgid_insert(entries, (unsigned)count, &other),
	    -ENOSPC);
	other.state = STORE_MSGID_STORED;
	assert_int_equal(store_msgid_insert(entries, (unsigned)count, &other),
	    8);
	assert_false(waits(entries, 8, 13));
	assert_true(waits(entries, 8, 1));
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_gives_the_published_vectors),
		cmocka_unit_test(
		    siphash_with_fewer_rounds_gives_what_openssl_gives),
		TEST(hashes_are_keyed_by_store_and_purpose),
		TEST(entries_are_replaced_as_a_whole),
		TEST(what_the_writer_remembers_of_an_id_is_what_is_stored),
		TEST(memories_are_forgotten_by_their_day),
		TEST(an_id_met_again_is_remembered_from_that_day),
		TEST(a_slice_of_forgetting_is_bounded),
		cmocka_unit_test(a_vector_that_does_not_parse_is_an_error),
		cmocka_unit_test(weak_entries_make_room_for_others),
		cmocka_unit_test(what_waits_is_bounded_for_each_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
