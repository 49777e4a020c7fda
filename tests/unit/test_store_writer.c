/* test_store_writer.c - operations, batches, inboxes, ids, views.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Settings are named by a writable text, as an operation's argument is. */
#define NAME(text) ((char[]){ text })

/* ---- small operations ------------------------------------------------- */

static int
setting_put(struct store_txn *txn, void *arg)
{
	const char *name = arg;
	Kith__Setting setting = KITH__SETTING__INIT;
	struct store_key key = store_key_bytes(name, strlen(name));

	return store_put(txn, STORE_SETTINGS, &key, &setting.base);
}

static int
setting_put_then_fail(struct store_txn *txn, void *arg)
{
	int rc = setting_put(txn, arg);

	return rc != 0 ? rc : -EPROTO;
}

static bool
has_setting(struct fixture *fixture, const char *name)
{
	struct store_key key = store_key_bytes(name, strlen(name));
	struct store_view *view = store_view_begin(fixture->store);
	bool has = store_has(store_view_reader(view), STORE_SETTINGS, &key);

	store_view_end(&view);
	return has;
}

/* Holds the writer inside an operation, so that what is submitted meanwhile
 * becomes one batch. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool open, entered;
};

static int
gate_pass(struct store_txn *txn, void *arg)
{
	struct gate *gate = arg;

	(void)txn;
	pthread_mutex_lock(&gate->lock);
	gate->entered = true;
	pthread_cond_broadcast(&gate->cond);
	while (!gate->open)
		pthread_cond_wait(&gate->cond, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
	return 0;
}

/* Comes back when the writer stands at it. */
static void
gate_shut(struct fixture *fixture, struct gate *gate, struct call *first,
    struct store_inbox *inbox)
{
	call_init(first, gate_pass, gate);
	first->op.inbox = inbox;
	store_submit(fixture->store, &first->op);
	pthread_mutex_lock(&gate->lock);
	while (!gate->entered)
		pthread_cond_wait(&gate->cond, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

static void
gate_open(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->open = true;
	pthread_cond_broadcast(&gate->cond);
	pthread_mutex_unlock(&gate->lock);
}

#define GATE                                                          \
 {                                                                    \
  .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER \
 }

static void
inbox_await(struct store_inbox *inbox, const struct call *calls, size_t count)
{
	struct pollfd fd = { store_inbox_fd(inbox), POLLIN, 0 };

	for (size_t i = 0; i < count; i++)
		while (calls[i].done == 0) {
			assert_int_equal(poll(&fd, 1, 10000), 1);
			store_inbox_drain(inbox);
		}
}

/* ---- tests ------------------------------------------------------------ */

static void
what_an_operation_wrote_is_there_after_reopening(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_run(fixture, setting_put, NAME("a")), 0);
	assert_true(has_setting(fixture, "a"));
	fixture_reopen(fixture);
	assert_true(has_setting(fixture, "a"));
}

static int
put_and_look(struct store_txn *txn, void *arg)
{
	struct fixture *fixture = arg;
	int rc = setting_put(txn, NAME("inner"));

	/* From another reader, in the middle of the transaction. */
	return rc != 0 ? rc : (has_setting(fixture, "inner") ? -EBUSY : 0);
}

static void
a_view_does_not_see_a_running_operation(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_run(fixture, put_and_look, fixture), 0);
	assert_true(has_setting(fixture, "inner"));
}

static void
a_failing_apply_does_not_harm_the_rest_of_its_batch(void **state)
{
	struct fixture *fixture = *state;
	char names[][3] = { "n0", "n1", "n2", "n3", "n4" };
	struct gate gate = GATE;
	struct store_inbox *inbox = store_inbox_new();
	struct call first, calls[5];

	gate_shut(fixture, &gate, &first, inbox);
	for (size_t i = 0; i < 5; i++) {
		call_init(&calls[i],
		    i == 4 ? setting_put_then_fail : setting_put, names[i]);
		calls[i].op.inbox = inbox;
		store_submit(fixture->store, &calls[i].op);
	}
	gate_open(&gate);
	inbox_await(inbox, calls, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(calls[i].result, i == 4 ? -EPROTO : 0);
		assert_int_equal(calls[i].done, 1);
		assert_int_equal(has_setting(fixture, names[i]), i != 4);
	}
	assert_int_equal(calls[3].ran, 2); /* in the batch, then alone */
	store_inbox_free(&inbox);
}

static int
refuse(struct store_txn *txn, struct store_op *op)
{
	(void)txn;
	(void)op;
	return 7;
}

static void
a_check_refuses_without_an_apply(void **state)
{
	struct fixture *fixture = *state;
	struct call call;

	call_init(&call, setting_put, NAME("refused"));
	call.op.check = refuse;
	assert_int_equal(store_run(fixture->store, &call.op), 7);
	assert_int_equal(call.ran, 0);
	assert_false(has_setting(fixture, "refused"));
}

static int
ignores_its_errors(struct store_txn *txn, void *arg)
{
	(void)setting_put(txn, arg);
	txn->broken = -EIO; /* what row.c notes when Berkeley DB fails */
	return 0;
}

static void
an_error_that_apply_ignores_still_undoes_it(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_run(fixture, ignores_its_errors, NAME("half")),
	    -EIO);
	assert_false(has_setting(fixture, "half"));
}

static int
deadlock_twice(struct store_txn *txn, void *arg)
{
	unsigned *times = arg;
	int rc = setting_put(txn, NAME("retried"));

	if (++*times <= 2)
		txn->deadlocked = true;
	return rc;
}

static void
a_deadlock_is_retried_inside(void **state)
{
	struct fixture *fixture = *state;
	unsigned times = 0;

	assert_int_equal(fixture_run(fixture, deadlock_twice, &times), 0);
	assert_int_equal(times, 3);
	assert_true(has_setting(fixture, "retried"));
}

static int
take_id(struct store_txn *txn, void *arg)
{
	return store_id_next(txn, STORE_ID_MEMBER, arg);
}

static int
take_id_then_fail(struct store_txn *txn, void *arg)
{
	int rc = store_id_next(txn, STORE_ID_MEMBER, arg);

	return rc != 0 ? rc : -EPROTO;
}

static void
ids_count_from_1_and_are_never_reused(void **state)
{
	struct fixture *fixture = *state;
	uint64_t id = 0;

	assert_int_equal(fixture_run(fixture, take_id, &id), 0);
	assert_int_equal(id, 1);
	fixture_reopen(fixture);
	assert_int_equal(fixture_run(fixture, take_id, &id), 0);
	assert_int_equal(id, 2);
	/* Given to nobody, so it may be given again. */
	assert_int_equal(fixture_run(fixture, take_id_then_fail, &id), -EPROTO);
	assert_int_equal(fixture_run(fixture, take_id, &id), 0);
	assert_int_equal(id, 3);
}

static void
a_view_keeps_what_it_saw_at_its_beginning(void **state)
{
	struct fixture *fixture = *state;
	struct store_view *view = store_view_begin(fixture->store);
	struct store_key key = store_key_bytes("later", 5);

	assert_int_equal(fixture_run(fixture, setting_put, NAME("later")), 0);
	assert_false(store_has(store_view_reader(view), STORE_SETTINGS, &key));
	store_view_end(&view);
	assert_true(has_setting(fixture, "later"));
}

struct order {
	struct call call;
	unsigned *next;
	unsigned place;
};

static int
nothing(struct store_txn *txn, void *arg)
{
	(void)arg;
	txn->wrote = true;
	return 0;
}

static void
order_done(struct store_op *op, int result)
{
	struct order *order = (struct order *)op;

	assert_int_equal(result, 0);
	order->call.done++;
	order->place = ++*order->next;
}

static void
operations_finish_in_order_and_people_before_bulk(void **state)
{
	struct fixture *fixture = *state;
	struct gate gate = GATE;
	struct store_inbox *inbox = store_inbox_new();
	struct pollfd fd = { store_inbox_fd(inbox), POLLIN, 0 };
	struct order orders[40];
	struct call first;
	unsigned next = 0;

	gate_shut(fixture, &gate, &first, inbox);
	for (unsigned i = 0; i < 40; i++) {
		call_init(&orders[i].call, nothing, NULL);
		orders[i].call.op.done = order_done;
		orders[i].call.op.inbox = inbox;
		orders[i].call.op.bulk = i < 20;
		orders[i].next = &next;
		store_submit(fixture->store, &orders[i].call.op);
	}
	gate_open(&gate);
	while (next < 40) {
		assert_int_equal(poll(&fd, 1, 10000), 1);
		store_inbox_drain(inbox);
	}
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(orders[i].place, i < 20 ? i + 21 : i - 19);
	store_inbox_free(&inbox);
}

struct hooks {
	unsigned fn, drop;
	bool fail;
};

static void
hook_fn(void *arg)
{
	((struct hooks *)arg)->fn++;
}

static void
hook_drop(void *arg)
{
	((struct hooks *)arg)->drop++;
}

static int
hook_apply(struct store_txn *txn, void *arg)
{
	const struct hooks *hooks = arg;
	int rc = store_txn_on_commit(txn, hook_fn, hook_drop, arg);

	txn->wrote = true;
	return rc != 0 ? rc : (hooks->fail ? -EPROTO : 0);
}

static void
hooks_run_after_a_commit_and_are_dropped_by_an_abort(void **state)
{
	struct fixture *fixture = *state;
	struct hooks good = { .fail = false }, bad = { .fail = true };

	assert_int_equal(fixture_run(fixture, hook_apply, &good), 0);
	assert_int_equal(good.fn, 1);
	assert_int_equal(good.drop, 0);
	assert_int_equal(fixture_run(fixture, hook_apply, &bad), -EPROTO);
	assert_int_equal(bad.fn, 0);
	assert_int_equal(bad.drop, 1);
}

static void
a_store_in_use_is_not_opened_twice(void **state)
{
	struct fixture *fixture = *state;
	struct store *second;
	char *error;

	assert_int_equal(store_open(&second, &fixture->options, &error),
	    -EBUSY);
	assert_non_null(strstr(error, "in use"));
	assert_null(second);
	free(error);
}

static int
schema_put(struct store_txn *txn, void *arg)
{
	(void)arg;
	return store_row_put(txn, STORE_FILE_SYSTEM, "schema", 6, "\0\0\0\x63",
	    4);
}

static void
an_unknown_schema_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct store *store;
	char *error;

	assert_int_equal(fixture_run(fixture, schema_put, NULL), 0);
	store_close(&fixture->store);
	assert_int_equal(store_open(&store, &fixture->options, &error),
	    -ENOTSUP);
	assert_non_null(strstr(error, "schema version 99"));
	free(error);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_an_operation_wrote_is_there_after_reopening),
		TEST(a_view_does_not_see_a_running_operation),
		TEST(a_failing_apply_does_not_harm_the_rest_of_its_batch),
		TEST(a_check_refuses_without_an_apply),
		TEST(an_error_that_apply_ignores_still_undoes_it),
		TEST(a_deadlock_is_retried_inside),
		TEST(ids_count_from_1_and_are_never_reused),
		TEST(a_view_keeps_what_it_saw_at_its_beginning),
		TEST(operations_finish_in_order_and_people_before_bulk),
		TEST(hooks_run_after_a_commit_and_are_dropped_by_an_abort),
		TEST(a_store_in_use_is_not_opened_twice),
		TEST(an_unknown_schema_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
