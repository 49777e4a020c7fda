/* draft_fit.c - does a space take an article of this size and age?
 */
#include "daemon/community/draft_build.h"
#include "daemon/community/spaces.h"

#define DAY 86400u

/* What would have expired here already must not come in again from a peer that
 * kept it longer than the history here remembers it. */
static bool
is_too_old(const struct draft_build *build, const struct space_limits *limits)
{
	const struct draft *draft = build->draft;
	uint64_t date = draft_injected(build);

	if (limits->expire_header && draft->expires != 0 &&
	    draft->expires <= draft->now)
		return true;
	return limits->expire_days != 0 && date != 0 &&
	    date + (uint64_t)limits->expire_days * DAY <= draft->now;
}

static enum reason
space_judge(struct draft_build *build, uint32_t id)
{
	struct space *space =
	    spaces_by_id(community_spaces(build->community), id);
	struct space_limits limits = { 0 };

	if (space != NULL)
		limits = space->limits;
	space_unref(space);
	if (limits.max_size != 0 && build->wire.len > limits.max_size)
		return draft_refuse(build, REASON_TOO_LARGE,
		    "the limit here is %llu octets",
		    (unsigned long long)limits.max_size);
	if (build->draft->channel == KITH__CHANNEL__CHANNEL_PEER &&
	    is_too_old(build, &limits))
		return draft_refuse(build, REASON_TOO_OLD,
		    "it would have expired here");
	return REASON_STORED;
}

enum reason
draft_fit(struct draft_build *build)
{
	struct draft *draft = build->draft;
	bool drops = draft->channel == KITH__CHANNEL__CHANNEL_PEER;
	enum reason reason = REASON_STORED, one;
	size_t kept = 0;

	if (draft->released != 0) /* somebody decided that it is to be here */
		return REASON_STORED;
	for (size_t i = 0; i < draft->space_count; i++) {
		one = space_judge(build, draft->spaces[i]);
		if (one == REASON_STORED)
			draft->spaces[kept++] = draft->spaces[i];
		else if (!drops)
			return one;
		else
			reason = one;
	}
	draft->space_count = kept;
	if (kept == 0 && reason != REASON_STORED)
		return reason;
	if (build->room > 0)
		build->detail[0] = '\0';
	return REASON_STORED;
}
