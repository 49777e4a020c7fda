/* community_fixture.h - a community in a folder of its own: a real store, a
 * clock that stands still, one loop that the test turns, and a mail port that
 * keeps what it is given.
 */
#ifndef KITH_TESTS_COMMUNITY_FIXTURE_H
#define KITH_TESTS_COMMUNITY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/community/community.h"
#include "daemon/community/spaces.h"
#include "protocol/buffer.h"

#define FIXTURE_NOW 1800000000u

struct fixture_mail {
	char *envelope_from;
	char *recipient;
	char *head; /* the personal lines */
	char *body; /* of the chunk, wire form */
	struct fixture_mail *next;
};

struct fixture {
	char directory[64];
	struct store *store;
	struct config *config;
	struct clock *clock;
	struct loop *loop;
	struct store_inbox *inbox;
	struct worker_pool *workers;
	struct event *inbox_event;
	struct community *community;
	struct mail_port mail;
	struct parse_port parse;
	struct feed_port feed; /* nobody is there, unless a test says so */
	struct admin_port admin;
	/* what was sent, oldest first */
	struct fixture_mail *mails;
	size_t mail_count;
	unsigned reply_code; /* for each recipient; 250 at first */
	const char *reply_text;
	struct fixture_body *bodies;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Closes everything and opens it again, as after a restart. */
void fixture_reopen(struct fixture *fixture);
/* Turns the loop until *flag, ten seconds at most. */
void fixture_wait(struct fixture *fixture, const bool *flag);
/* Turns the loop until the community is idle. */
void fixture_settle(struct fixture *fixture);
/* Runs fn as the apply of one operation and gives its result. */
int fixture_run(struct fixture *fixture,
    int (*fn)(struct store_txn *txn, void *arg), void *arg);
void fixture_forget_mail(struct fixture *fixture);

/* One command of kithctl, as words. Its exit status is 0 for ok; the whole
 * answer, a JSON value a line, is owned (free). */
int fixture_kithctl(struct fixture *fixture, const char *const *words,
    const char *input, char **answer_r);

#endif
