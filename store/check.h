/* check.h - what the parts of store_check() share; for check*.c only.
 */
#ifndef KITH_STORE_CHECK_H
#define KITH_STORE_CHECK_H

#include "store/private.h"

#define CHECK_SLICE 512u /* rows in one view */

struct check {
	struct store *store;
	struct store_view *view;
	struct store_reader *reader;
	void (*report)(void *arg, const char *fault);
	void *arg;
	uint64_t rows;
	unsigned faults;
	uint64_t event; /* of the sequence, the last that was met */
};

void check_fault(struct check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A new view, so that the one before keeps nothing. 0 or -ENOMEM. */
int check_view(struct check *check);

bool check_has_meta(struct check *check, uint64_t artid);

/* check_msgids.c: rows of the table and of the young ones, as check.c walks them,
 * and whether an article is found by its Message-ID. */
int check_msgid_row(struct check *check, const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len);
int check_young_row(struct check *check, const uint8_t *key, size_t key_len,
    const uint8_t *bytes, size_t len);
void check_msgid_of(
    struct check *check, uint64_t artid, const char *message_id);
/* check_readers.c: the readers of digests. 0 or negative. */
int check_readers(struct check *check);
/* check_segments.c: what extents and segments say of each other. */
int check_segments(struct check *check);

#endif
