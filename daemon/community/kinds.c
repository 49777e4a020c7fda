/* kinds.c - the table of kinds.
 */
#include "daemon/community/kinds.h"

#include <stddef.h>
#include <string.h>

#define ANYONE	KITH__AUDIENCE__AUDIENCE_ANYONE
#define MEMBERS KITH__AUDIENCE__AUDIENCE_MEMBERS
#define STAFF	KITH__AUDIENCE__AUDIENCE_STAFF
#define NONE	KITH__MODERATION__MODERATION_NONE

#define SUPPORT_NOTE "a follow-up here is mailed to the customer"

/* clang-format off */
static const struct kind kinds[] = {
	{ KITH__KIND__KIND_TALK, "talk", true, ANYONE, MEMBERS, NONE, false, NULL },
	{ KITH__KIND__KIND_QA, "qa", true, ANYONE, MEMBERS, NONE, false, NULL },
	{ KITH__KIND__KIND_ANNOUNCE, "announce", true, ANYONE, STAFF, NONE, false, NULL },
	{ KITH__KIND__KIND_KB, "kb", true, ANYONE, STAFF, NONE, false, NULL },
	{ KITH__KIND__KIND_IDEAS, "ideas", true, ANYONE, MEMBERS, NONE, false, NULL },
	{ KITH__KIND__KIND_COURSE, "course", false, MEMBERS, STAFF, NONE, false, NULL },
	{ KITH__KIND__KIND_EVENTS, "events", false, ANYONE, STAFF, NONE, false, NULL },
	{ KITH__KIND__KIND_PANEL, "panel", false, MEMBERS, STAFF, NONE, false, NULL },
	{ KITH__KIND__KIND_SUPPORT, "support", true, STAFF, ANYONE, NONE, true, SUPPORT_NOTE },
	{ KITH__KIND__KIND_INTERNAL, "internal", true, STAFF, STAFF, NONE, false, NULL },
};
/* clang-format on */

const struct kind *
kind_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

const struct kind *
kind_of(Kith__Kind kind)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].kind == kind)
			return &kinds[i];
	return NULL;
}
