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
	uint32_t address; /* the primary one's id */
	char *text;	  /* the primary address as written; owned */
};
struct roster {
	struct roster_entry entries[ROSTER_MAX];
	size_t count;
};

/* Active members with at least that role; for a space (may be NULL) those who
 * are named as its moderators too. Starts from an empty roster. */
int roster_load(struct store_reader *reader, Kith__Role role,
    const struct space *space, struct roster *roster);
/* Moderators of the space; if there are none, the admins. */
int roster_moderators(struct store_reader *reader, const struct space *space,
    struct roster *roster);
void roster_fini(struct roster *roster);

#endif
