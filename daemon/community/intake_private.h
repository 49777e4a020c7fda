/* intake_private.h - what the doors share. Private to intake*.c, the actions in
 * mail_*.c, and moderation.c.
 */
#ifndef KITH_COMMUNITY_INTAKE_PRIVATE_H
#define KITH_COMMUNITY_INTAKE_PRIVATE_H

#include "daemon/community/draft.h"
#include "daemon/community/mail_item.h"
#include "daemon/community/moderation.h"

/* May the author post to each of the draft's spaces? *moderated_r: a moderator
 * decides. */
enum reason intake_judge_spaces(struct community *community,
    const struct draft *draft, bool *moderated_r);
/* What a failed operation means to the submitter. */
enum reason intake_reason_of(int rc);
/* The beginning of the text of an article in wire form, as far as it can be
 * read without a full parse, as UTF-8. */
#define INTAKE_EXCERPT_ROOM 1600u
void intake_excerpt(struct span wire, char *text, size_t room);

/* ---- mail_action.c: what an address does */
struct mail_route {
	const struct mail_action *action;
	struct space *space; /* counted; NULL: postmaster, abuse */
	struct span token_text; /* borrowed from the recipient */
	struct token token;
	int token_state;
	unsigned step; /* MAIL_COMMAND_STEP of the address */
};
/* REASON_STORED, or why there is no such address. */
enum reason mail_route(struct community *community, const char *recipient,
    struct mail_route *route_r);
void mail_route_fini(struct mail_route *route);

extern const struct mail_action mail_action_postmaster; /* mail_postmaster.c */
extern const struct mail_action mail_action_unreadable; /* intake_post.c */

/* An item as one operation. */
struct delivery;
struct delivery_item {
	struct store_op op;
	struct mail_item item;
	struct delivery *delivery;
	struct draft draft;
	struct held_decision decision; /* of mail_action_moderate */
	char reason[200];	       /* a moderator's words */
	struct decisions *decisions;   /* of mail_action_moderate_list; owned */
};
struct delivery_item *delivery_item_of(struct mail_item *item);

/* ---- mail_moderate.c: DESIGN section 4: the token is bound to the moderator,
 * From must be one of his addresses, and where the MTA's word counts, it must be
 * true. For mail that was no machine's: 0, or 1 and the item's reason. */
int mail_moderator_check(struct mail_item *item);
/* ---- mail_moderate_list.c. In apply: what waits, to the moderator whose mail the
 * item is. */
int mail_moderator_list(struct store_txn *txn, struct mail_item *item,
    const char *words);
void decisions_free(struct decisions **decisions); /* accepts NULL */

#endif
