/* journal.c - events of the community.
 */
#include "daemon/community/journal.h"

#include "store/sequence.h"

int
journal_append(struct store_txn *txn, uint64_t now, Kith__Verb verb,
    uint32_t actor, uint32_t space, uint64_t object, const char *text)
{
	Kith__Event event;

	kith__event__init(&event);
	event.time = now;
	event.verb = verb;
	event.actor = actor;
	event.space = space;
	event.object = object;
	if (text != NULL)
		event.text = (char *)(uintptr_t)text;
	return store_sequence_append(txn, &event, NULL);
}
