/* rights.c - who may read, post and moderate.
 */
#include "daemon/community/rights.h"

#include "daemon/community/kinds.h"
#include "daemon/community/spaces.h"

static bool
is_staff(const struct identity *identity)
{
	return identity->active && identity->role >= KITH__ROLE__ROLE_STAFF;
}

static bool
is_suspended(const struct identity *identity)
{
	return identity->member != 0 && !identity->active;
}

enum reader_class
rights_reader_class(const struct identity *identity)
{
	if (is_staff(identity))
		return READER_STAFF;
	return identity->active ? READER_MEMBERS : READER_ANYONE;
}

enum reader_class
rights_class_of(const struct space *space)
{
	switch (space->read) {
	case KITH__AUDIENCE__AUDIENCE_ANYONE:
		return READER_ANYONE;
	case KITH__AUDIENCE__AUDIENCE_MEMBERS:
		return READER_MEMBERS;
	case KITH__AUDIENCE__AUDIENCE_STAFF:
	case _KITH__AUDIENCE_IS_INT_SIZE:
	default:
		return READER_STAFF;
	}
}

bool
rights_may_read(enum reader_class class, const struct space *space)
{
	return class >= rights_class_of(space);
}

bool
rights_may_moderate(const struct identity *identity, const struct space *space)
{
	if (!identity->active)
		return false;
	/* staff spaces are not for moderators of the community at large */
	if (identity->role >= KITH__ROLE__ROLE_MODERATOR &&
	    rights_may_read(rights_reader_class(identity), space))
		return true;
	for (size_t i = 0; i < space->moderator_count; i++)
		if (space->moderators[i] == identity->member)
			return true;
	return false;
}

/* In a support space "anyone" means by mail; what is said there by news or by a
 * member is for staff alone, because it goes to the customer. */
static bool
may_post(const struct identity *identity, const struct space *space)
{
	const struct kind *kind = kind_of(space->kind);

	if (is_staff(identity))
		return true;
	if (kind != NULL && kind->tickets &&
	    (identity->trust == TRUST_SESSION || identity->compared[0] == '\0'))
		return false;
	if (is_suspended(identity) && (kind == NULL || !kind->tickets))
		return false;
	switch (space->post) {
	case KITH__AUDIENCE__AUDIENCE_ANYONE:
		return true;
	case KITH__AUDIENCE__AUDIENCE_MEMBERS:
		return identity->active;
	case KITH__AUDIENCE__AUDIENCE_STAFF:
	case _KITH__AUDIENCE_IS_INT_SIZE:
	default:
		return false;
	}
}

uint32_t
rights_post_key(const struct identity *identity)
{
	return (uint32_t)identity->active |
	    (uint32_t)(identity->member != 0) << 1 |
	    (uint32_t)(identity->peer != 0) << 2 |
	    (uint32_t)(identity->compared[0] != '\0') << 3 |
	    (uint32_t)(identity->trust == TRUST_SESSION) << 4 |
	    (uint32_t)identity->role << 5;
}

enum rights_post
rights_post(const struct identity *identity, const struct space *space)
{
	if (space->closed)
		return POST_CLOSED;
	if (!may_post(identity, space)) {
		/* outsiders are let through to a moderator if he wants them */
		if (space->post == KITH__AUDIENCE__AUDIENCE_MEMBERS &&
		    space->moderation != KITH__MODERATION__MODERATION_NONE &&
		    identity->member == 0 && identity->compared[0] != '\0')
			return POST_MODERATED;
		return identity->member == 0 && identity->peer == 0
		    ? POST_LOGIN
		    : POST_REFUSED;
	}
	if (rights_may_moderate(identity, space))
		return POST_ALLOWED;
	switch (space->moderation) {
	case KITH__MODERATION__MODERATION_ALL:
		return POST_MODERATED;
	case KITH__MODERATION__MODERATION_NON_MEMBERS:
		return identity->active ? POST_ALLOWED : POST_MODERATED;
	case KITH__MODERATION__MODERATION_NONE:
	case _KITH__MODERATION_IS_INT_SIZE:
	default:
		return POST_ALLOWED;
	}
}
