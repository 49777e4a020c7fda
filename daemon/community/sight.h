/* sight.h - who may know that there is an article: whoever may read one of its
 * spaces, and a peer that may feed one. To all others a Message-ID that is known
 * here must answer like one that nobody ever used, at every door.
 */
#ifndef KITH_COMMUNITY_SIGHT_H
#define KITH_COMMUNITY_SIGHT_H

#include "daemon/community/community.h"
#include "daemon/community/rights.h"

struct sight {
	enum reader_class class;
	uint32_t peer; /* 0: none */
};

/* What somebody may see as he is; a draft's author sees more: draft_sight(). */
struct sight sight_of(const struct identity *identity);
bool sight_has_space(struct community *community, const struct sight *sight,
    uint32_t space);
/* By one of its placements. False too if there is no such article. If true,
 * also its thread, unless thread_r is NULL. */
bool sight_has_article(struct store_reader *reader,
    struct community *community, const struct sight *sight, uint64_t artid,
    uint64_t *thread_r);

#endif
