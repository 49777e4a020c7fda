/* intake_private.h - what the doors share. Private to intake*.c and
 * mail_action.c.
 */
#ifndef KITH_COMMUNITY_INTAKE_PRIVATE_H
#define KITH_COMMUNITY_INTAKE_PRIVATE_H

#include "daemon/community/draft.h"

/* May the author post to each of the draft's spaces? *moderated_r: a moderator
 * decides. */
enum reason intake_judge_spaces(struct community *community,
    const struct draft *draft, bool *moderated_r);
/* What a failed operation means to the submitter. */
enum reason intake_reason_of(int rc);
/* The beginning of the text of an article in wire form, as far as it can be
 * read without a full parse, as UTF-8. */
void intake_excerpt(struct span wire, char *text, size_t room);

#endif
