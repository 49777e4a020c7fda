/* roster.c - who has to be told.
 */
#include "daemon/community/roster.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/members.h"
#include "daemon/community/spaces.h"

struct roster_walk {
	struct store_reader *reader;
	struct roster *roster;
	const struct space *space;
	Kith__Role role;
};

static bool
is_named(const struct space *space, uint32_t member)
{
	if (space == NULL)
		return false;
	for (size_t i = 0; i < space->moderator_count; i++) {
		if (space->moderators[i] == member)
			return true;
	}
	return false;
}

static int
roster_add(struct roster_walk *walk, uint32_t id, const Kith__Member *member)
{
	struct roster_entry *entry = &walk->roster->entries[walk->roster->count];
	Kith__Address *address;
	int error;

	error = address_get(walk->reader, member->addresses[0], &address);
	if (error == -ENOENT)
		return 0;
	if (error != 0)
		return error;
	entry->member = id;
	entry->address = member->addresses[0];
	entry->text = strdup(address->text);
	kith__address__free_unpacked(address, NULL);
	if (entry->text == NULL)
		return -ENOMEM;
	walk->roster->count++;
	return 0;
}

static int
roster_member(
    void *arg, const struct store_key *key, const ProtobufCMessage *message)
{
	struct roster_walk *walk = arg;
	const Kith__Member *member = (const void *)message;
	uint32_t id = store_key_get_u32(key, 0);

	if (walk->roster->count == ROSTER_MAX)
		return 1;
	if (member->state != KITH__MEMBER_STATE__MEMBER_ACTIVE ||
	    member->n_addresses == 0 ||
	    (member->role < walk->role && !is_named(walk->space, id)))
		return 0;
	return roster_add(walk, id, member);
}

int
roster_load(struct store_reader *reader, Kith__Role role,
    const struct space *space, struct roster *roster)
{
	struct roster_walk walk = {
		.reader = reader, .roster = roster, .space = space, .role = role
	};
	int error;

	memset(roster, 0, sizeof *roster);
	error = store_walk(
	    reader, STORE_MEMBERS, NULL, NULL, roster_member, &walk);
	if (error >= 0)
		return 0;
	roster_fini(roster);
	return error;
}

int
roster_moderators(struct store_reader *reader, const struct space *space,
    struct roster *roster)
{
	int error = roster_load(
	    reader, KITH__ROLE__ROLE_MODERATOR, space, roster);

	if (error == 0 && roster->count == 0)
		error = roster_load(reader, KITH__ROLE__ROLE_ADMIN, NULL, roster);
	return error;
}

void
roster_fini(struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		free(roster->entries[i].text);
	roster->count = 0;
}
