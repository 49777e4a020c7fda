/* roster.h - who has to be told: the moderators of a space, the admins.
 */
#ifndef KITH_COMMUNITY_ROSTER_H
#define KITH_COMMUNITY_ROSTER_H

#include <stddef.h>

#include "store/store.h"

struct space;

#define ROSTER_MAX 50u /* more people than that are not told one by one */

struct roster_entry {
	uint32_t member;
	char *text; /* the primary address as written; owned */
};
struct roster {
	struct roster_entry entries[ROSTER_MAX];
	size_t count;
};

/* Each fills a new roster with active members that have an address: 0 or a
 * negative errno, and then the roster is empty. roster_fini() in both cases. */
int roster_admins(struct store_reader *reader, struct roster *roster);
/* Those who are named for the space; if there are none, all who may moderate it
 * by their role. */
int roster_moderators(struct store_reader *reader, const struct space *space,
    struct roster *roster);
void roster_fini(struct roster *roster);

#endif
