/* rights.h - who somebody is to the community, and what that allows.
 *
 * A reader class is the interned set of spaces a session may read; caches are
 * per class, never per member.
 */
#ifndef KITH_COMMUNITY_RIGHTS_H
#define KITH_COMMUNITY_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/records.pb-c.h"

struct space;

enum reader_class {
	READER_ANYONE,
	READER_MEMBERS,
	READER_STAFF,
	READER_CLASSES
};

/* How far it is proved that the author is who From says: by a token of his, by
 * the MTA's pass aligned with From, by both, by a login. */
enum trust { TRUST_NONE, TRUST_TOKEN, TRUST_ALIGNED, TRUST_BOTH, TRUST_SESSION };

/* Who is there, computed once at the door. Plain data. */
struct identity {
	uint32_t member; /* 0: nobody known */
	Kith__Role role;
	bool active;	   /* an active member */
	enum trust trust;
	uint32_t address;  /* address id, 0: unknown */
	char compared[256]; /* compared form of the address, "" if none */
	uint32_t peer;	   /* a news peer's id, 0: none */
};

enum reader_class rights_reader_class(const struct identity *identity);
bool rights_may_read(enum reader_class class, const struct space *space);
/* The lowest class that may read the space. */
enum reader_class rights_class_of(const struct space *space);

enum rights_post {
	POST_ALLOWED,
	POST_MODERATED, /* held for a moderator */
	POST_REFUSED,
	POST_LOGIN,  /* refused, but a login could change that (news: 480) */
	POST_CLOSED, /* the space takes nothing new */
};
/* Identities with the same key may post alike, but in spaces that name one of
 * them as a moderator. */
uint32_t rights_post_key(const struct identity *identity);
enum rights_post rights_post(
    const struct identity *identity, const struct space *space);
bool rights_may_moderate(
    const struct identity *identity, const struct space *space);

#endif
