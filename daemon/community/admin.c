/* admin.c - see admin.h.
 */
#include "daemon/community/admin.h"

int
admin_add_verbs(struct control *control, struct community *community)
{
	/* in the order in which kithctl lists them */
	static const struct control_verb *const tables[] = {
		admin_space_verbs,
		admin_member_verbs,
		admin_subscription_verbs,
		admin_peer_verbs,
		admin_peer_show_verbs,
		admin_pull_verbs,
		admin_article_verbs,
		admin_held_verbs,
		admin_queue_verbs,
		admin_ticket_verbs,
		admin_digest_verbs,
		admin_text_verbs,
		admin_system_verbs,
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof tables / sizeof tables[0];
	     i++) {
		size_t count = 0;

		while (tables[i][count].noun != NULL)
			count++;
		rc = control_add(control, tables[i], count, community);
	}
	return rc;
}
