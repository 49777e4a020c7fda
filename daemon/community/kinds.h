/* kinds.h - the kinds of space: a row each, with its defaults.
 */
#ifndef KITH_COMMUNITY_KINDS_H
#define KITH_COMMUNITY_KINDS_H

#include <stdbool.h>

#include "store/records.pb-c.h"

struct kind {
	Kith__Kind kind;
	const char *name;
	bool built; /* a kind that is not built yet is refused, not pretended */
	Kith__Audience read;
	Kith__Audience post;
	Kith__Moderation moderation;
	bool tickets; /* a mail from outside opens a ticket */
	const char *note; /* added to the description shown by news; NULL */
};

/* NULL if there is no such kind. */
const struct kind *kind_by_name(const char *name);
const struct kind *kind_of(Kith__Kind kind);

#endif
