/* admin.h - the tables of kithctl's verbs, a file per noun, and what is due.
 */
#ifndef KITH_COMMUNITY_ADMIN_H
#define KITH_COMMUNITY_ADMIN_H

#include "daemon/control.h"

/* Each ends with a row whose noun is NULL. The context of a request is the
 * struct community. */
extern const struct control_verb admin_space_verbs[];	     /* admin_space.c */
extern const struct control_verb admin_member_verbs[];	     /* admin_member.c */
extern const struct control_verb admin_subscription_verbs[]; /* ..._subscription.c */
extern const struct control_verb admin_peer_verbs[];
extern const struct control_verb admin_peer_show_verbs[];
extern const struct control_verb admin_pull_verbs[];	     /* admin_peer.c */
extern const struct control_verb admin_article_verbs[];	     /* admin_article.c; import too */
extern const struct control_verb admin_held_verbs[];	     /* admin_held.c */
extern const struct control_verb admin_queue_verbs[];	     /* admin_queue.c */
extern const struct control_verb admin_ticket_verbs[];	     /* admin_ticket.c */
extern const struct control_verb admin_digest_verbs[];	     /* admin_digest.c */
extern const struct control_verb admin_text_verbs[];	     /* admin_text.c */
extern const struct control_verb admin_system_verbs[];	     /* admin_system.c: status check
							      * backup stop run-timers clock */

#endif
