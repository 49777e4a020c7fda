/* test_store_records.c - schema-described records, walks, bodies, sequence.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BODY_LEN 40000u

static int
fill(struct store_txn *txn, void *arg)
{
	Kith__Subscription subscription = KITH__SUBSCRIPTION__INIT;
	Kith__Nothing nothing = KITH__NOTHING__INIT;
	struct store_key key;
	int rc = 0;

	(void)arg;
	for (uint32_t space = 1; rc == 0 && space <= 3; space++)
		for (uint32_t i = 5; rc == 0 && i > 0; i--) {
			subscription.since = space * 1000 + i;
			key = store_key_u32_u32(space, i * 300);
			rc = store_put(txn, STORE_SUBSCRIPTIONS, &key,
			    &subscription.base);
			key = store_key_u32_u32(i * 300, space);
			if (rc == 0)
				rc = store_put(txn, STORE_SUBSCRIPTIONS_OF,
				    &key, &nothing.base);
		}
	return rc;
}

struct seen {
	uint32_t first[32];
	uint32_t second[32];
	size_t count;
	size_t stop_at;
};

static int
see(void *arg, const struct store_key *key, const ProtobufCMessage *message)
{
	struct seen *seen = arg;

	(void)message;
	seen->first[seen->count] = store_key_get_u32(key, 0);
	seen->second[seen->count] = store_key_get_u32(key, 4);
	seen->count++;
	return seen->count == seen->stop_at ? 1 : 0;
}

static void
a_walk_is_in_key_order_and_within_its_prefix(void **state)
{
	struct fixture *fixture = *state;
	struct store_key prefix = store_key_u32(2);
	struct store_key from = store_key_u32_u32(2, 700);
	struct seen all = { .count = 0 }, some = { .count = 0 };
	struct seen rest = { .count = 0 }, none = { .count = 0 };
	struct store_view *view;
	struct store_reader *reader;

	assert_int_equal(fixture_run(fixture, fill, NULL), 0);
	view = store_view_begin(fixture->store);
	reader = store_view_reader(view);
	assert_int_equal(store_walk(reader, STORE_SUBSCRIPTIONS, NULL, NULL,
			     see, &all),
	    0);
	assert_int_equal(all.count, 15);
	for (size_t i = 0; i < 15; i++) {
		assert_int_equal(all.first[i], 1 + i / 5);
		assert_int_equal(all.second[i], (1 + i % 5) * 300);
	}
	assert_int_equal(store_walk(reader, STORE_SUBSCRIPTIONS, &prefix, NULL,
			     see, &some),
	    0);
	assert_int_equal(some.count, 5);
	assert_int_equal(some.first[0], 2);
	assert_int_equal(some.first[4], 2);
	assert_int_equal(store_walk(reader, STORE_SUBSCRIPTIONS, &prefix, &from,
			     see, &rest),
	    0);
	assert_int_equal(rest.count, 3);
	assert_int_equal(rest.second[0], 900);
	prefix = store_key_u32(9);
	assert_int_equal(store_walk(reader, STORE_SUBSCRIPTIONS, &prefix, NULL,
			     see, &none),
	    0);
	assert_int_equal(none.count, 0);
	store_view_end(&view);
}

static void
the_last_key_of_a_prefix_is_found_and_none_beyond(void **state)
{
	struct fixture *fixture = *state;
	struct store_key prefix, last;
	struct store_view *view;
	struct store_reader *reader;

	assert_int_equal(fixture_run(fixture, fill, NULL), 0);
	view = store_view_begin(fixture->store);
	reader = store_view_reader(view);
	for (uint32_t space = 1; space <= 3; space++) {
		prefix = store_key_u32(space);
		assert_int_equal(
		    store_last(reader, STORE_SUBSCRIPTIONS, &prefix, &last), 0);
		assert_int_equal(store_key_get_u32(&last, 0), space);
		assert_int_equal(store_key_get_u32(&last, 4), 1500);
	}
	/* the file's last row, and a prefix that nothing is above */
	prefix = store_key_u32(4);
	assert_int_equal(
	    store_last(reader, STORE_SUBSCRIPTIONS, &prefix, &last), -ENOENT);
	prefix = store_key_u32(UINT32_MAX);
	assert_int_equal(
	    store_last(reader, STORE_SUBSCRIPTIONS, &prefix, &last), -ENOENT);
	store_view_end(&view);
}

static void
a_walk_stops_when_it_is_told_to(void **state)
{
	struct fixture *fixture = *state;
	struct seen seen = { .stop_at = 4 };
	struct store_view *view;

	assert_int_equal(fixture_run(fixture, fill, NULL), 0);
	view = store_view_begin(fixture->store);
	assert_int_equal(store_walk(store_view_reader(view),
			     STORE_SUBSCRIPTIONS, NULL, NULL, see, &seen),
	    1);
	assert_int_equal(seen.count, 4);
	store_view_end(&view);
}

static int
member_put(struct store_txn *txn, void *arg)
{
	Kith__Member member = KITH__MEMBER__INIT;
	uint32_t addresses[] = { 4, 9 };
	struct store_key key = store_key_u32(7);

	member.name = arg;
	member.role = KITH__ROLE__ROLE_STAFF;
	member.addresses = addresses;
	member.n_addresses = 2;
	return store_put(txn, STORE_MEMBERS, &key, &member.base);
}

static int
member_delete(struct store_txn *txn, void *arg)
{
	struct store_key key = store_key_u32(7);

	(void)arg;
	return store_delete(txn, STORE_MEMBERS, &key);
}

static void
a_record_comes_back_as_it_was_put(void **state)
{
	struct fixture *fixture = *state;
	struct store_key key = store_key_u32(7);
	char name[] = "Nguyễn";
	struct store_view *view;
	ProtobufCMessage *message;
	const Kith__Member *member;

	assert_int_equal(fixture_run(fixture, member_delete, NULL), -ENOENT);
	assert_int_equal(fixture_run(fixture, member_put, name), 0);
	view = store_view_begin(fixture->store);
	assert_int_equal(store_get(store_view_reader(view), STORE_MEMBERS, &key,
			     &message),
	    0);
	member = (const Kith__Member *)(const void *)message;
	assert_string_equal(member->name, name);
	assert_int_equal(member->n_addresses, 2);
	assert_int_equal(member->addresses[1], 9);
	protobuf_c_message_free_unpacked(message, NULL);
	store_view_end(&view);
	assert_int_equal(fixture_run(fixture, member_delete, NULL), 0);
	view = store_view_begin(fixture->store);
	assert_int_equal(store_get(store_view_reader(view), STORE_MEMBERS, &key,
			     &message),
	    -ENOENT);
	assert_null(message);
	store_view_end(&view);
}

static int
wrong_message(struct store_txn *txn, void *arg)
{
	Kith__IdRef ref = KITH__ID_REF__INIT;
	struct store_key key = store_key_u32(7);

	(void)arg;
	return store_put(txn, STORE_MEMBERS, &key, &ref.base);
}

static int
wrong_key(struct store_txn *txn, void *arg)
{
	Kith__Member member = KITH__MEMBER__INIT;
	struct store_key key = store_key_u64(7);

	(void)arg;
	return store_put(txn, STORE_MEMBERS, &key, &member.base);
}

static void
a_message_or_key_of_another_table_is_refused(void **state)
{
	assert_int_equal(fixture_run(*state, wrong_message, NULL), -EINVAL);
	assert_int_equal(fixture_run(*state, wrong_key, NULL), -EINVAL);
}

static int
garbage_put(struct store_txn *txn, void *arg)
{
	uint8_t key[5] = { store_table_info(STORE_MEMBERS)->number, 0, 0, 0,
		7 };

	(void)arg;
	return store_row_put(txn, STORE_FILE_RECORDS, key, sizeof key,
	    "\xff\xff\xff", 3);
}

static void
a_row_that_does_not_parse_is_an_error_not_a_crash(void **state)
{
	struct fixture *fixture = *state;
	struct store_key key = store_key_u32(7);
	struct seen seen = { .count = 0 };
	struct store_view *view;
	ProtobufCMessage *message;

	assert_int_equal(fixture_run(fixture, garbage_put, NULL), 0);
	view = store_view_begin(fixture->store);
	assert_int_equal(store_get(store_view_reader(view), STORE_MEMBERS, &key,
			     &message),
	    -EBADMSG);
	assert_int_equal(store_walk(store_view_reader(view), STORE_MEMBERS,
			     NULL, NULL, see, &seen),
	    -EBADMSG);
	store_view_end(&view);
}

static void
numbers_of_tables_differ(void **state)
{
	const struct store_table_info *a, *b;

	(void)state;
	for (unsigned i = 0; i < STORE_RECORD_TABLES; i++) {
		a = store_table_info((enum store_table)i);
		assert_non_null(a->message);
		for (unsigned j = 0; j < i; j++) {
			b = store_table_info((enum store_table)j);
			assert_int_not_equal(a->number, b->number);
		}
	}
}

static void
keys_sort_as_their_numbers(void **state)
{
	struct store_key a = store_key_u32_u64(1, 0xffffffffffffffff);
	struct store_key b = store_key_u32_u64(2, 0);
	char text[600];

	(void)state;
	assert_true(memcmp(a.bytes, b.bytes, a.len) < 0);
	assert_int_equal(store_key_get_u32(&b, 0), 2);
	assert_true(store_key_get_u64(&a, 4) == UINT64_MAX);
	assert_int_equal(store_key_get_u32(&a, 9), 0); /* past the end */
	memset(text, 'x', sizeof text);
	assert_int_equal(store_key_bytes(text, sizeof text).len, 512);
}

/* ---- bodies ----------------------------------------------------------- */

struct body {
	enum store_table table;
	uint64_t id;
	uint8_t *bytes;
	size_t len;
};

static int
body_put(struct store_txn *txn, void *arg)
{
	const struct body *body = arg;

	return store_body_put(txn, body->table, body->id, body->bytes,
	    body->len);
}

static int
body_delete(struct store_txn *txn, void *arg)
{
	const struct body *body = arg;

	return store_body_delete(txn, body->table, body->id);
}

static int
body_compare(struct fixture *fixture, const struct body *body)
{
	struct store_view *view = store_view_begin(fixture->store);
	uint8_t *bytes;
	size_t len;
	int rc = store_body_get(store_view_reader(view), body->table, body->id,
	    &bytes, &len);

	store_view_end(&view);
	if (rc != 0)
		return rc;
	assert_int_equal(len, body->len);
	assert_memory_equal(bytes, body->bytes, len);
	free(bytes);
	return 0;
}

static void
a_long_body_comes_back_and_a_shorter_one_replaces_it(void **state)
{
	struct fixture *fixture = *state;
	uint8_t *bytes = malloc(BODY_LEN);
	struct body body = { STORE_JOB_BODIES, 1, bytes, BODY_LEN };
	struct body next = { STORE_JOB_BODIES, 2, bytes, 3 };

	assert_non_null(bytes);
	for (size_t i = 0; i < BODY_LEN; i++)
		bytes[i] = (uint8_t)(i * 7);
	assert_int_equal(body_compare(fixture, &body), -ENOENT);
	assert_int_equal(fixture_run(fixture, body_put, &next), 0);
	assert_int_equal(fixture_run(fixture, body_put, &body), 0);
	assert_int_equal(body_compare(fixture, &body), 0);
	body.len = STORE_PART_MAX;
	assert_int_equal(fixture_run(fixture, body_put, &body), 0);
	assert_int_equal(body_compare(fixture, &body), 0);
	body.len = 0;
	assert_int_equal(fixture_run(fixture, body_put, &body), 0);
	assert_int_equal(body_compare(fixture, &body), 0);
	assert_int_equal(fixture_run(fixture, body_delete, &body), 0);
	assert_int_equal(body_compare(fixture, &body), -ENOENT);
	assert_int_equal(body_compare(fixture, &next), 0);
	body.table = STORE_HELD_BODIES;
	body.len = 100;
	assert_int_equal(fixture_run(fixture, body_put, &body), 0);
	assert_int_equal(body_compare(fixture, &body), 0);
	body.table = STORE_MEMBERS;
	assert_int_equal(fixture_run(fixture, body_put, &body), -EINVAL);
	free(bytes);
}

/* ---- the writer's memory ---------------------------------------------- */

static void
rows_of_ids_that_count_up_are_remembered_together(void **state)
{
	struct store_memo *memo = store_memo_new();
	const uint8_t *bytes;
	uint8_t key[8];
	unsigned known = 0;
	size_t len;

	(void)state;
	assert_non_null(memo);
	for (uint64_t id = 1000; id < 1256; id++) {
		store_write_u64(key, id);
		store_memo_set(memo, key, sizeof key, key, sizeof key);
	}
	for (uint64_t id = 1000; id < 1256; id++) {
		store_write_u64(key, id);
		if (store_memo_get(memo, key, sizeof key, &bytes, &len) != 0)
			continue;
		assert_int_equal(store_read_u64(bytes), id);
		known++;
	}
	assert_in_range(known, 200, 256);
	store_memo_free(&memo);
}

/* ---- the sequence ----------------------------------------------------- */

static int
event_put(struct store_txn *txn, void *arg)
{
	Kith__Event event = KITH__EVENT__INIT;
	uint64_t seq;
	int rc = store_sequence_append(txn, &event, &seq);

	*(uint64_t *)arg = seq;
	return rc;
}

static int
event_put_then_fail(struct store_txn *txn, void *arg)
{
	int rc = event_put(txn, arg);

	return rc != 0 ? rc : -EPROTO;
}

static int
event_see(void *arg, uint64_t seq, const Kith__Event *event)
{
	uint64_t *sum = arg;

	(void)event;
	*sum = *sum * 10 + seq;
	return 0;
}

static void
the_sequence_has_no_gaps_even_after_a_failure(void **state)
{
	struct fixture *fixture = *state;
	struct store_view *view;
	uint64_t seq = 0, sum = 0, last = 9;

	assert_int_equal(fixture_run(fixture, event_put, &seq), 0);
	assert_int_equal(fixture_run(fixture, event_put, &seq), 0);
	assert_int_equal(fixture_run(fixture, event_put_then_fail, &seq),
	    -EPROTO);
	fixture_reopen(fixture);
	assert_int_equal(fixture_run(fixture, event_put, &seq), 0);
	assert_int_equal(seq, 3);
	view = store_view_begin(fixture->store);
	assert_int_equal(store_sequence_walk(store_view_reader(view), 0,
			     event_see, &sum),
	    0);
	assert_int_equal(sum, 123);
	sum = 0;
	assert_int_equal(store_sequence_walk(store_view_reader(view), 3,
			     event_see, &sum),
	    0);
	assert_int_equal(sum, 3);
	assert_int_equal(store_sequence_last(store_view_reader(view), &last),
	    0);
	assert_int_equal(last, 3);
	store_view_end(&view);
}

struct events {
	unsigned count;	   /* to be put */
	unsigned text_len; /* of each third */
	uint64_t from, next;
};

static int
events_put(struct store_txn *txn, void *arg)
{
	const struct events *events = arg;
	char *text = calloc(1, events->text_len + 1u);
	Kith__Event event = KITH__EVENT__INIT;
	char *none = event.text;
	uint64_t seq;
	int rc = 0;

	memset(text, 'x', events->text_len);
	for (unsigned i = 0; i < events->count && rc == 0; i++) {
		rc = store_sequence_last(store_txn_reader(txn), &seq);
		event.object = seq + 1;
		event.text = seq % 3 == 0 ? text : none;
		if (rc == 0)
			rc = store_sequence_append(txn, &event, &seq);
		if (rc == 0 && seq != event.object)
			rc = -EPROTO;
	}
	free(text);
	return rc;
}

static int
events_see(void *arg, uint64_t seq, const Kith__Event *event)
{
	struct events *events = arg;

	if (seq != events->next || event->object != seq)
		return -EPROTO;
	events->next++;
	return 0;
}

static int
events_put_and_see(struct store_txn *txn, void *arg)
{
	struct events *events = arg;
	int rc = events_put(txn, arg);

	return rc == 0 ? store_sequence_walk(store_txn_reader(txn),
			     events->from, events_see, arg)
		       : rc;
}

static void
events_share_rows_and_are_found_from_any_number(void **state)
{
	static const unsigned text_lens[] = { 5, 300, 890, 5000 };
	struct fixture *fixture = *state;
	struct events events = { .from = 1 };
	struct store_view *view;
	DB_BTREE_STAT *stat;

	for (size_t i = 0; i < 4; i++) {
		events.count = 100;
		events.text_len = text_lens[i];
		events.next = events.from;
		/* the operation sees its own */
		assert_int_equal(fixture_run(fixture, events_put_and_see,
				     &events),
		    0);
		assert_int_equal(events.next, 100 * i + 101);
		events.from = events.next;
	}
	view = store_view_begin(fixture->store);
	for (events.from = 0; events.from <= 401; events.from++) {
		events.next = events.from == 0 ? 1 : events.from;
		assert_int_equal(store_sequence_walk(store_view_reader(view),
				     events.from, events_see, &events),
		    0);
		assert_int_equal(events.next, 401);
	}
	store_view_end(&view);
	assert_int_equal(fixture->store->files[STORE_FILE_SEQUENCE]->stat(
			     fixture->store->files[STORE_FILE_SEQUENCE], NULL,
			     &stat, 0),
	    0);
	assert_in_range(stat->bt_nkeys, 100, 200);
	free(stat);
}

static void
a_row_of_events_that_does_not_parse_is_an_error(void **state)
{
	static const uint8_t key[8] = { 0, 0, 0, 0, 0, 0, 0, 7 };
	static const uint8_t row[] = { 0, 0, 0, 1, 'x', 0, 0, 0, 2, 'y' };
	struct store_event_bytes one;
	struct store_events events;

	(void)state;
	assert_int_equal(store_events_begin(&events, key, 7, row, 5),
	    -EBADMSG);
	assert_int_equal(store_events_begin(&events, key, 8, row, 0),
	    -EBADMSG);
	assert_int_equal(store_events_begin(&events, key, 8, row, sizeof row),
	    0);
	assert_int_equal(store_events_next(&events, &one), 1);
	assert_int_equal(one.seq, 7);
	assert_int_equal(one.len, 1);
	assert_int_equal(store_events_next(&events, &one), -EBADMSG);
	assert_int_equal(store_events_begin(&events, key, 8, row, 8), 0);
	assert_int_equal(store_events_next(&events, &one), 1);
	assert_int_equal(store_events_next(&events, &one), -EBADMSG);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_walk_is_in_key_order_and_within_its_prefix),
		TEST(the_last_key_of_a_prefix_is_found_and_none_beyond),
		TEST(a_walk_stops_when_it_is_told_to),
		TEST(a_record_comes_back_as_it_was_put),
		TEST(a_message_or_key_of_another_table_is_refused),
		TEST(a_row_that_does_not_parse_is_an_error_not_a_crash),
		cmocka_unit_test(numbers_of_tables_differ),
		cmocka_unit_test(
		    rows_of_ids_that_count_up_are_remembered_together),
		cmocka_unit_test(keys_sort_as_their_numbers),
		TEST(a_long_body_comes_back_and_a_shorter_one_replaces_it),
		TEST(the_sequence_has_no_gaps_even_after_a_failure),
		TEST(events_share_rows_and_are_found_from_any_number),
		cmocka_unit_test(
		    a_row_of_events_that_does_not_parse_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
