/* roster.c - who has to be told.
 */
#include "daemon/community/roster.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/members.h"
#include "daemon/community/rights.h"
#include "daemon/community/spaces.h"

struct roster_walk {
	struct store_reader *reader;
	struct roster *roster;
	const struct space *space; /* NULL: admins */
};

static int
roster_add(struct roster_walk *walk, uint32_t id, const Kith__Member *member)
{
	struct roster_entry *entry = &walk->roster->entries[walk->roster->count];
	Kith__Address *address;
	int error;

	if (member->state != KITH__MEMBER_STATE__MEMBER_ACTIVE ||
	    member->n_addresses == 0)
		return 0;
	error = address_get(walk->reader, member->addresses[0], &address);
	if (error != 0)
		return error == -ENOENT ? 0 : error;
	entry->member = id;
	entry->text = strdup(address->text);
	kith__address__free_unpacked(address, NULL);
	if (entry->text == NULL)
		return -ENOMEM;
	walk->roster->count++;
	return 0;
}

static bool
member_is_wanted(const struct roster_walk *walk, uint32_t id,
    const Kith__Member *member)
{
	struct identity identity = { .member = id,
		.role = member->role,
		.active = member->state == KITH__MEMBER_STATE__MEMBER_ACTIVE };

	return walk->space == NULL
	    ? member->role >= KITH__ROLE__ROLE_ADMIN
	    : rights_may_moderate(&identity, walk->space);
}

static int
roster_visit(
    void *arg, const struct store_key *key, const ProtobufCMessage *message)
{
	struct roster_walk *walk = arg;
	uint32_t id = store_key_get_u32(key, 0);
	Kith__Member *member;
	int error;

	(void)message;
	if (walk->roster->count == ROSTER_MAX)
		return 1;
	error = member_get(walk->reader, id, &member);
	if (error != 0)
		return error == -ENOENT ? 0 : error;
	if (member_is_wanted(walk, id, member))
		error = roster_add(walk, id, member);
	kith__member__free_unpacked(member, NULL);
	return error;
}

/* Anybody's mail asks for it, and members are many. */
static int
roster_by_role(struct roster_walk *walk)
{
	int error = store_walk(
	    walk->reader, STORE_ROLES, NULL, NULL, roster_visit, walk);

	return error < 0 ? error : 0;
}

static int
roster_by_name(struct roster_walk *walk)
{
	const struct space *space = walk->space;
	Kith__Member *member;
	int error = 0;

	for (size_t i = 0; i < space->moderator_count && error == 0 &&
	     walk->roster->count < ROSTER_MAX;
	     i++) {
		error = member_get(walk->reader, space->moderators[i], &member);
		if (error == 0) {
			error = roster_add(walk, space->moderators[i], member);
			kith__member__free_unpacked(member, NULL);
		} else if (error == -ENOENT) {
			error = 0;
		}
	}
	return error;
}

int
roster_admins(struct store_reader *reader, struct roster *roster)
{
	struct roster_walk walk = { .reader = reader, .roster = roster };
	int error;

	memset(roster, 0, sizeof *roster);
	error = roster_by_role(&walk);
	if (error != 0)
		roster_fini(roster);
	return error;
}

int
roster_moderators(struct store_reader *reader, const struct space *space,
    struct roster *roster)
{
	struct roster_walk walk = {
		.reader = reader, .roster = roster, .space = space
	};
	int error;

	memset(roster, 0, sizeof *roster);
	error = roster_by_name(&walk);
	if (error == 0 && roster->count == 0)
		error = roster_by_role(&walk);
	if (error != 0)
		roster_fini(roster);
	return error;
}

void
roster_fini(struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		free(roster->entries[i].text);
	roster->count = 0;
}
