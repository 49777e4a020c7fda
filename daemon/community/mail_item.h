/* mail_item.h - one mail for one recipient, and what that address does.
 *
 * The recipient's local part chooses an action (a row of the table in
 * mail_action.c). An action is a pair check/apply, run as one operation on the
 * writer thread; check may refuse or divert and runs again when a batch is
 * retried, so it must reset what it sets in the item.
 */
#ifndef KITH_COMMUNITY_MAIL_ITEM_H
#define KITH_COMMUNITY_MAIL_ITEM_H

#include "daemon/community/community.h"
#include "daemon/community/draft.h"
#include "daemon/community/intake.h"
#include "daemon/community/spaces.h"
#include "daemon/community/token.h"

struct mail_summary;
struct mail_action;

struct mail_item {
	struct community *community;
	const struct mail_action *action;
	/* the mail, shared by all items of one delivery; borrowed */
	const struct mail_summary *summary;
	struct span message; /* wire form as received */
	const char *envelope_from;
	const char *client;
	const char *recipient;
	struct identity author; /* by the From address; trust from the door */
	bool automatic;		/* by its class, or from the null sender */
	/* what the local part said */
	struct space *space; /* counted; NULL for postmaster and abuse */
	struct span token_text;
	struct token token;
	int token_state; /* result of token_read */
	uint32_t complained; /* space id; see complaint_find() */
	uint64_t now;
	/* for actions that store an article: prepared before the operation */
	struct draft *draft; /* NULL if the action stores none */
	/* the answer, set by check or apply */
	enum reason reason;
	char detail[200];
	/* scratch of the action between check and apply */
	uint32_t ticket;
	uint32_t member;
	uint32_t held;
	Kith__HeldCause held_cause; /* check: apply must hold it instead */
	unsigned step;
	char note[200];
};

struct mail_action {
	const char *name; /* "post", "subscribe", "confirm", ... */
	bool stores; /* wants item->draft */
	/* 0 to go on to apply; 1: item->reason says why not */
	int (*check)(struct store_txn *txn, struct mail_item *item);
	int (*apply)(struct store_txn *txn, struct mail_item *item);
	/* NULL, or asked on the community's loop when that is on disk or was
	 * refused by check: true to run both once more before the mail is
	 * answered. If the process ends before, the mail comes again. */
	bool (*more)(struct mail_item *item);
};

/* Actions, each in its own file. */
extern const struct mail_action mail_action_post;	  /* intake_post.c */
extern const struct mail_action mail_action_ticket;	  /* ticket_intake.c */
extern const struct mail_action mail_action_ticket_reply; /* ticket_intake.c */
extern const struct mail_action mail_action_subscribe;	  /* mail_command.c */
extern const struct mail_action mail_action_unsubscribe;  /* mail_command.c */
extern const struct mail_action mail_action_help;	  /* mail_command.c */
extern const struct mail_action mail_action_request;	  /* mail_command.c */
extern const struct mail_action mail_action_owner;	  /* mail_owner.c */
extern const struct mail_action mail_action_confirm;	  /* mail_command.c */
extern const struct mail_action mail_action_bounce;	  /* bounce.c */
extern const struct mail_action mail_action_complaint;	  /* complaint.c */
extern const struct mail_action mail_action_moderate;	  /* mail_moderate.c */
extern const struct mail_action mail_action_moderate_list; /* mail_moderate_list.c */

/* intake_post.c. In apply: keeps the mail as held with a cause, tells moderators or admins.
 * Sets item->held and item->reason = REASON_HELD. */
int mail_item_hold(
    struct store_txn *txn, struct mail_item *item, Kith__HeldCause cause);

#endif
