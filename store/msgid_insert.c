/* msgid_insert.c - which entries an id keeps when there is no room for all. No
 * storage is touched here.
 *
 * What anybody can add without a right, and without proof, is weak: it makes room
 * for the rest, and must not push out what came from others.
 */
#include "store/msgid.h"

#include <errno.h>
#include <string.h>

#define UNWANTED_MAX   2u
#define WAITS_MAX      5u
#define WAITS_SAME_MAX 2u /* of one source: the first and the newest */

static bool
entry_is_weak(const struct store_msgid_entry *entry)
{
	return entry->state == STORE_MSGID_UNWANTED ||
	    entry->state == STORE_MSGID_WAITS;
}

static bool
entries_are_alike(
    const struct store_msgid_entry *a, const struct store_msgid_entry *b)
{
	return a->state == b->state && a->about == b->about &&
	    a->content[0] == b->content[0];
}

bool
store_msgid_has_room(const struct store_msgid_entry *entries, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (entry_is_weak(&entries[i]))
			return true;
	return count < STORE_MSGID_MAX;
}

static unsigned
count_of(const struct store_msgid_entry *entries, unsigned count,
    enum store_msgid_state state)
{
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++)
		found += entries[i].state == state;
	return found;
}

/* The places that follow are STORE_MSGID_MAX if there is no such entry. */

static unsigned
oldest_unwanted(const struct store_msgid_entry *entries, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (entries[i].state == STORE_MSGID_UNWANTED)
			return i;
	return STORE_MSGID_MAX;
}

static unsigned
newest_waiting(const struct store_msgid_entry *entries, unsigned count)
{
	for (unsigned i = count; i > 0; i--)
		if (entries[i - 1].state == STORE_MSGID_WAITS)
			return i - 1;
	return STORE_MSGID_MAX;
}

/* The newest one whose source has as many as it may; of `source`, unless that is
 * NULL. */
static unsigned
newest_of_full_source(const struct store_msgid_entry *entries, unsigned count,
    const struct store_msgid_entry *source)
{
	for (unsigned i = count; i > 0; i--) {
		const struct store_msgid_entry *one = &entries[i - 1];
		unsigned alike = 0;

		if (one->state != STORE_MSGID_WAITS ||
		    (source != NULL && !entries_are_alike(one, source)))
			continue;
		for (unsigned j = 0; j < i; j++)
			alike += entries_are_alike(&entries[j], one);
		if (alike == WAITS_SAME_MAX)
			return i - 1;
	}
	return STORE_MSGID_MAX;
}

/* The entry whose place a new one takes; `count`: a place of its own. */

static unsigned
place_for_unwanted(const struct store_msgid_entry *entries, unsigned count,
    const struct store_msgid_entry *entry)
{
	for (unsigned i = 0; i < count; i++)
		if (entries_are_alike(&entries[i], entry))
			return i;
	return count < STORE_MSGID_MAX &&
		count_of(entries, count, entry->state) < UNWANTED_MAX
	    ? count
	    : oldest_unwanted(entries, count);
}

static unsigned
place_for_waiting(const struct store_msgid_entry *entries, unsigned count,
    const struct store_msgid_entry *entry)
{
	unsigned place = newest_of_full_source(entries, count, entry);

	if (place != STORE_MSGID_MAX)
		return place;
	if (count_of(entries, count, entry->state) == WAITS_MAX)
		return newest_of_full_source(entries, count, NULL);
	return count < STORE_MSGID_MAX ? count
				       : oldest_unwanted(entries, count);
}

static unsigned
place_for_strong(const struct store_msgid_entry *entries, unsigned count)
{
	unsigned place = count;

	if (place == STORE_MSGID_MAX)
		place = oldest_unwanted(entries, count);
	if (place == STORE_MSGID_MAX)
		place = newest_of_full_source(entries, count, NULL);
	if (place == STORE_MSGID_MAX)
		place = newest_waiting(entries, count);
	return place;
}

int
store_msgid_insert(struct store_msgid_entry entries[STORE_MSGID_MAX],
    unsigned count, const struct store_msgid_entry *entry)
{
	unsigned place;

	if (entry->state == STORE_MSGID_UNWANTED)
		place = place_for_unwanted(entries, count, entry);
	else if (entry->state == STORE_MSGID_WAITS)
		place = place_for_waiting(entries, count, entry);
	else
		place = place_for_strong(entries, count);
	if (place == STORE_MSGID_MAX)
		return -ENOSPC;
	if (place < count) {
		count--;
		memmove(&entries[place], &entries[place + 1],
		    (count - place) * sizeof entries[0]);
	}
	entries[count] = *entry;
	return (int)count + 1;
}
