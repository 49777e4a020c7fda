/* overview.h - the numbers of a space: state, overview rows, and their cache.
 */
#ifndef KITH_STORE_OVERVIEW_H
#define KITH_STORE_OVERVIEW_H

#include "store/article.h"

/* Water marks as RFC 3977 6.1.1 wants them: an empty space has low = high + 1.
 * Numbers are never reused. */
struct store_space_state {
	uint32_t low;
	uint32_t high;
	uint32_t count;
	uint64_t bytes;
};
/* -ENOENT: the space was never given a state. */
int store_space_state_get(struct store_reader *reader, uint32_t space,
    struct store_space_state *state_r);
int store_space_state_put(struct store_txn *txn, uint32_t space,
    const struct store_space_state *state);
/* What is visible now, without a view: published after each commit. False if
 * the space has no state. Any thread. */
bool store_space_state_published(
    struct store *store, uint32_t space, struct store_space_state *state_r);

/* How many changes of published states there were, and the space of change n
 * (from 0): false if that is forgotten. For who keeps something made of many
 * states. A change is visible before it is counted. Any thread. */
uint64_t store_space_changes(struct store *store);
bool store_space_changed(struct store *store, uint64_t n, uint32_t *space_r);

enum store_row_flag {
	STORE_ROW_MULTI = 1, /* Xref must be composed per reader class */
};

struct store_overview_row {
	uint32_t number;
	uint32_t flags;
	uint64_t artid;
	uint32_t bytes; /* octets of the news copy on the wire, unstuffed */
	uint32_t lines;
	uint64_t time;	/* of arrival, seconds */
	/* "\tSubject\tFrom\tDate\tMessage-ID\tReferences\tbytes\tlines\t" and
	 * "Xref: ..." then CRLF, ready to send after the number (RFC 3977 8.3) */
	const char *text;
	size_t text_len;
};

/* Appends at the next number (row->number is set) and moves the state. */
int store_overview_append(
    struct store_txn *txn, uint32_t space, struct store_overview_row *row);
/* Rewrites a row in place (a placement was added). */
int store_overview_replace(struct store_txn *txn, uint32_t space,
    const struct store_overview_row *row);
/* Removes a number; low, count and bytes follow. -ENOENT. */
int store_overview_delete(
    struct store_txn *txn, uint32_t space, uint32_t number);
/* One row; text points into an owned copy (*copy_r, free). */
int store_overview_get(struct store_reader *reader, uint32_t space,
    uint32_t number, struct store_overview_row *row_r, char **copy_r);

/* A block of rows whose numbers share number / STORE_BLOCK_NUMBERS: immutable,
 * counted, with the lines "NUMBER\tSubject...CRLF" contiguous, so that any
 * run of rows is one piece of memory. */
#define STORE_BLOCK_NUMBERS 128u
struct store_block;
/* From the cache or the reader; *block_r carries a reference. A block without
 * rows is not an error (count 0). */
int store_block_get(struct store_reader *reader, uint32_t space,
    uint32_t block, struct store_block **block_r);
/* Cache alone, without a view; -ENOENT if not cached or out of date. */
int store_block_cached(struct store *store, uint32_t space, uint32_t block,
    struct store_block **block_r);
void store_block_ref(struct store_block *block);
void store_block_unref(struct store_block *block);
size_t store_block_count(const struct store_block *block);
/* No other block of this process has the same: what was made of this one notes
 * it. */
uint64_t store_block_serial(const struct store_block *block);
/* Row i in [0, count); text borrowed from the block, text without number. */
void store_block_row(const struct store_block *block, size_t i,
    struct store_overview_row *row_r);
/* The first i in [first, last) with STORE_ROW_MULTI; last if none. */
size_t store_block_next_multi(const struct store_block *block, size_t first,
    size_t last);
/* The first i whose number is >= number; count if none. */
size_t store_block_find(const struct store_block *block, uint32_t number);
/* The lines of rows [first, last) as one piece, borrowed from the block. */
const char *store_block_lines(const struct store_block *block, size_t first,
    size_t last, size_t *len_r);

/* Rows of a space from number `from` on, ascending; fn as in store_walk_fn, its
 * row's text is borrowed. Reads the rows, not the blocks: for the writer. */
int store_rows_walk(struct store_reader *reader, uint32_t space, uint32_t from,
    int (*fn)(void *arg, const struct store_overview_row *row), void *arg);

#endif
