/* journal.c - events of the community.
 */
#include "daemon/community/journal.h"

#include "store/sequence.h"

int
journal_append(struct store_txn *txn, const struct journal_event *event)
{
	Kith__Event row;

	kith__event__init(&row);
	row.time = event->time;
	row.verb = event->verb;
	row.actor = event->actor;
	row.space = event->space;
	row.object = event->object;
	if (event->text != NULL)
		row.text = (char *)(uintptr_t)event->text;
	return store_sequence_append(txn, &row, NULL);
}
