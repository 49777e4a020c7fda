/* admin.h - the verbs of kithctl, a table and a file per noun.
 */
#ifndef KITH_COMMUNITY_ADMIN_H
#define KITH_COMMUNITY_ADMIN_H

#include "daemon/control.h"

struct community;

/* All of them; they act on the community, which must live as long. 0 or
 * -ENOMEM. */
int admin_add_verbs(struct control *control, struct community *community);

/* For admin.c, and for nobody else. Each ends with a row whose noun is NULL; the
 * context of a request is the struct community. */
extern const struct control_verb admin_article_verbs[]; /* import too */
extern const struct control_verb admin_digest_verbs[];
extern const struct control_verb admin_held_verbs[];
extern const struct control_verb admin_member_verbs[];
extern const struct control_verb admin_peer_verbs[];
extern const struct control_verb admin_peer_show_verbs[];
extern const struct control_verb admin_pull_verbs[]; /* of peers too */
extern const struct control_verb admin_queue_verbs[];
extern const struct control_verb admin_space_verbs[];
extern const struct control_verb admin_subscription_verbs[];
extern const struct control_verb
    admin_system_verbs[]; /* those without a noun */
extern const struct control_verb admin_text_verbs[];
extern const struct control_verb admin_ticket_verbs[];

#endif
