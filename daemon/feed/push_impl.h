/* push_impl.h - for push*.c: a connection to a peer that is fed, and the batches
 * that are on offer over it.
 */
#ifndef KITH_DAEMON_FEED_PUSH_IMPL_H
#define KITH_DAEMON_FEED_PUSH_IMPL_H

#include "daemon/feed/feed.h"
#include "daemon/messages.h"

enum item_step {
	ITEM_WAITING,
	ITEM_CHECKED, /* CHECK, or IHAVE, is not answered */
	ITEM_WANTED,
	ITEM_FETCHING,
	ITEM_FETCHED,
	ITEM_SENT, /* TAKETHIS, or the article after IHAVE, is not answered */
	ITEM_SETTLED,
};

struct item {
	TAILQ_ENTRY(item) entry;
	struct batch *batch;
	uint64_t artid;
	char *id;
	enum item_step step;
	enum feed_outcome outcome;
	struct ipc_reader *frame; /* that holds: */
	struct span wire;
};
TAILQ_HEAD(items, item);

/* One MESSAGE_OFFER. It outlives its push while core owes bytes. */
struct batch {
	LIST_ENTRY(batch) entry;
	struct push *push; /* NULL: nobody wants the answer */
	uint32_t request;
	size_t count;
	size_t left;    /* not settled */
	size_t fetches; /* core owes an answer */
	struct item items[];
};

struct push {
	LIST_ENTRY(push) entry;
	struct feed *feed;
	struct endpoint endpoint;
	struct feed_client_options options;
	struct feed_client *client;
	bool dialing;
	bool dropped; /* freed by the end of its dialling */
	bool up;      /* this connection has been ready */
	bool ending;  /* and what it ends over is known, if it is an article */
	bool streaming;
	bool starved;     /* core took no more questions */
	unsigned barred;  /* s that it is not tried again */
	unsigned idle;    /* s without anything to do */
	unsigned checks;  /* in the row */
	unsigned sent;    /* in the row */
	unsigned at_hand; /* fetching or fetched */
	size_t bytes;     /* fetched */
	LIST_HEAD(, batch) batches;
	struct items waiting, wanted, fetched, row;
};

/* push.c */
void batch_free(struct batch *batch);
/* Everything that is open goes back. */
void push_give_up(struct push *push, const char *why);
/* Goes on with what there is to do. */
void push_pump(struct push *push);

/* All that core took no question of. */
void push_pump_starved(struct feed *feed);

/* push_offer.c: of a connection that never was ready. Its batches go over another
 * one of the peer, and it is not tried again for a while. False: there is none. */
bool push_hand_on(struct push *push, const char *why);

#endif
