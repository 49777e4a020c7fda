/* retention.h - articles that a space keeps no longer: by age, by count, by their
 * own Expires header. One operation after the other, in slices; rows are met in
 * the order in which they end, so that no run looks at what stays.
 */
#ifndef KITH_COMMUNITY_RETENTION_H
#define KITH_COMMUNITY_RETENTION_H

#include "daemon/community/community.h"
#include "daemon/community/spaces.h"

struct retention;

/* NULL: out of memory. */
struct retention *retention_new(struct community *community);
void retention_free(struct retention **retention);
/* A function of timers.c: expires what is due. An article that stands in
 * several spaces leaves each by that space's limits, and is gone with the last.
 * Articles of tickets that are not solved stay. */
void retention_run_due(struct retention *retention, void (*done)(void *arg),
    void *arg);

/* ---- retention_slice.c: what goes, private to retention*.c */

#define RETENTION_SLICE 16u		/* articles per operation: 1 to 6 ms */
#define RETENTION_BYTES (256u * 1024u)	/* of their sizes: large ones take long */
#define RETENTION_LOOKS 256u		/* rows looked at per operation */

enum retention_phase {
	RETENTION_BY_HEADER,
	RETENTION_BY_ORDER, /* age and count: in the order of numbers */
	RETENTION_PHASES
};

/* What is due in one space now, and when to look again. */
struct retention_slice {
	uint32_t space;
	struct space_limits limits;
	uint64_t now;
	/* where it is */
	enum retention_phase phase;
	uint64_t from_time; /* by header */
	uint32_t from;	    /* the first number not looked at */
	/* found by retention_slice_find: */
	bool more; /* of this phase */
	uint32_t numbers[RETENTION_SLICE];
	unsigned count;
	uint64_t next; /* when something else is due; UINT64_MAX: not known */
	bool kept;     /* something was due, and had to stay */
};

/* In check: fills in what goes; begins at phase and from, and moves them. */
int retention_slice_find(
    struct store_reader *reader, struct retention_slice *slice);
/* In apply: takes it out. */
int retention_slice_drop(struct store_txn *txn, struct community *community,
    const struct retention_slice *slice);

#endif
