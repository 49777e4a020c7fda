/* retention_slice.c - which articles of a space go now.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/community/meta.h"
#include "daemon/community/removal.h"
#include "daemon/community/retention.h"
#include "daemon/community/ticket.h"
#include "store/overview.h"

#define DAY 86400u

struct finding {
	struct store_reader *reader;
	struct retention_slice *slice;
	uint64_t excess; /* articles above the space's count */
	uint64_t bytes;
	unsigned looks;
};

/* 1: it belongs to a ticket that somebody still works on. */
static int
article_is_needed(struct store_reader *reader, uint64_t artid)
{
	Kith__ArticleMeta *meta;
	Kith__Ticket *ticket;
	uint32_t number;
	int rc = meta_get(reader, artid, &meta);

	if (rc != 0)
		return rc == -ENOENT ? -EBADMSG : rc;
	number = meta->ticket;
	kith__article_meta__free_unpacked(meta, NULL);
	if (number == 0)
		return 0;
	rc = ticket_get(reader, number, &ticket);
	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	rc = ticket->status == KITH__TICKET_STATUS__TICKET_SOLVED ? 0 : 1;
	kith__ticket__free_unpacked(ticket, NULL);
	return rc;
}

/* Adds a row that is due, unless it is needed. 1: the slice is full. */
static int
finding_add(struct finding *finding, const struct store_overview_row *row)
{
	struct retention_slice *slice = finding->slice;
	int needed = article_is_needed(finding->reader, row->artid);

	if (needed < 0)
		return needed;
	finding->looks++;
	if (needed == 1) {
		slice->kept = true;
	} else {
		slice->numbers[slice->count++] = row->number;
		finding->bytes += row->bytes;
		finding->excess -= finding->excess > 0;
	}
	slice->more = slice->count == RETENTION_SLICE ||
	    finding->bytes >= RETENTION_BYTES ||
	    finding->looks == RETENTION_LOOKS;
	return slice->more ? 1 : 0;
}

static void
slice_look_again(struct retention_slice *slice, uint64_t when)
{
	if (when < slice->next)
		slice->next = when;
}

/* ---- by the Expires header */

static int
header_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct finding *finding = arg;
	struct retention_slice *slice = finding->slice;
	uint64_t time = store_key_get_u64(key, 4);
	struct store_overview_row row;
	char *copy;
	int rc;

	(void)message;
	if (time > slice->now) {
		slice_look_again(slice, time);
		return 1;
	}
	slice->from_time = time;
	slice->from = store_key_get_u32(key, 12) + 1;
	rc = store_overview_get(finding->reader, slice->space, slice->from - 1,
	    &row, &copy);
	if (rc != 0)
		return rc == -ENOENT ? -EBADMSG : rc;
	rc = finding_add(finding, &row);
	free(copy);
	return rc;
}

static int
find_by_header(struct finding *finding)
{
	struct retention_slice *slice = finding->slice;
	struct store_key prefix = store_key_u32(slice->space);
	struct store_key from = store_key_u32_u64_u32(slice->space,
	    slice->from_time, slice->from);

	if (!slice->limits.expire_header)
		return 0;
	return store_walk(finding->reader, STORE_EXPIRES, &prefix, &from,
	    header_row, finding);
}

/* ---- by number: the oldest first */

static int
order_row(void *arg, const struct store_overview_row *row)
{
	struct finding *finding = arg;
	struct retention_slice *slice = finding->slice;
	uint64_t life = (uint64_t)slice->limits.expire_days * DAY;
	bool old = life != 0 && row->time + life <= slice->now;

	/* a clock that stepped back makes a younger one come first: the older
	 * ones behind it wait for it */
	if (!old && finding->excess == 0) {
		if (life != 0)
			slice_look_again(slice, row->time + life);
		return 1;
	}
	slice->from = row->number + 1;
	return finding_add(finding, row);
}

static int
find_by_order(struct finding *finding)
{
	struct retention_slice *slice = finding->slice;
	uint32_t limit = slice->limits.expire_count;
	struct store_space_state state;
	int rc;

	if (slice->limits.expire_days == 0 && limit == 0)
		return 0;
	rc = store_space_state_get(finding->reader, slice->space, &state);
	if (rc != 0)
		return rc == -ENOENT ? 0 : rc;
	if (limit != 0 && state.count > limit)
		finding->excess = state.count - limit;
	return store_rows_walk(finding->reader, slice->space, slice->from,
	    order_row, finding);
}

int
retention_slice_find(struct store_reader *reader, struct retention_slice *slice)
{
	struct finding finding = { .reader = reader, .slice = slice };
	int rc;

	slice->count = 0;
	slice->more = false;
	rc = slice->phase == RETENTION_BY_HEADER ? find_by_header(&finding)
						 : find_by_order(&finding);
	return rc < 0 ? rc : 0;
}

int
retention_slice_drop(struct store_txn *txn, struct community *community,
    const struct retention_slice *slice)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < slice->count; i++)
		rc = removal_placement(txn, community, slice->space,
		    slice->numbers[i], KITH__VERB__VERB_EXPIRED, 0);
	return rc;
}
