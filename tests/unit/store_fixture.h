/* store_fixture.h - what the store's tests share: a store in a folder of its
 * own, and operations that are written as plain functions.
 */
#ifndef KITH_TESTS_STORE_FIXTURE_H
#define KITH_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/private.h"

struct fixture {
	char directory[64];
	struct store *store;
	struct store_options options;
};

/* An operation that calls a function with an argument. */
struct call {
	struct store_op op;
	int (*fn)(struct store_txn *txn, void *arg);
	void *arg;
	int result; /* what done was given */
	unsigned done;
	unsigned ran;
};

void call_init(struct call *call, int (*fn)(struct store_txn *txn, void *arg),
    void *arg);
int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_reopen(struct fixture *fixture);
void fixture_remove(const char *directory);
/* Whether the path behind a descriptor has that in it. */
bool fixture_fd_has(int fd, const char *part);
/* store_run of fn as apply. */
int fixture_run(struct fixture *fixture,
    int (*fn)(struct store_txn *txn, void *arg), void *arg);
/* store_check() finds nothing. */
void fixture_is_sound(struct fixture *fixture);
unsigned fixture_rows(struct fixture *fixture, enum store_file file);
/* A space with numbers from 1 on. */
void fixture_space(struct fixture *fixture, uint32_t space);

/* One plain article in all its six rows, whose bytes follow from its id. */
struct sample {
	uint32_t space;
	uint64_t time;
	size_t body_len; /* 0: some */
	uint64_t artid;  /* set */
	uint32_t number; /* set */
	uint64_t seq;    /* set */
};
int sample_put(struct store_txn *txn, void *arg);
void sample_message_id(char id[64], uint64_t artid);
/* Removes all that sample_put made, but for its event. */
int sample_delete(struct store_txn *txn, void *arg);

#endif
