/* admin_digest.c - kithctl digest.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/community/admin.h"
#include "daemon/community/community.h"
#include "daemon/community/digest.h"
#include "daemon/community/spaces.h"

static void
sent(void *arg, int error, unsigned issue, unsigned articles)
{
	struct control_request *request = arg;

	if (error != 0) {
		control_fail(request, "failed", "the digest was not made: %s",
		    strerror(-error));
		return;
	}
	control_result(request,
	    json_pack("{s:i, s:i}", "issue", (int)issue, "articles",
		(int)articles));
	if (articles == 0)
		control_text(request, "nothing new, no digest\n");
	else
		control_text(
		    request, "issue %u, %u articles\n", issue, articles);
	control_done(request);
}

static void
run_send(struct control_request *request)
{
	struct community *community = control_context(request);
	const char *name = control_arg(request, 0);
	struct space *space =
	    spaces_by_name(community_spaces(community), span_of(name));
	uint32_t id;

	if (space == NULL) {
		control_fail(request, "not-found",
		    "there is no space %s; `kithctl space list` shows them",
		    name);
		return;
	}
	if (space->mail[0] == '\0') {
		space_unref(space);
		control_fail(request, "refused",
		    "%s is a newsgroup only: give it an address with "
		    "`kithctl space set %s --mail LOCALPART`",
		    name, name);
		return;
	}
	id = space->id;
	space_unref(space);
	digest_send(community_digests(community), id, sent, request);
}

const struct control_verb admin_digest_verbs[] = {
	{ "digest", "send", "SPACE", 1, 1, run_send, 0 },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
