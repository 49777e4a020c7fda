/* draft_thread.c - the thread that an article joins: that of the newest of its
 * references that is here. Whoever sends it chooses how many are looked for, so
 * they are looked for before, and the writer looks at two.
 */
#include "daemon/community/draft.h"

#include "daemon/community/draft_build.h"
#include "daemon/community/spaces.h"

#define DRAFT_PARENTS_MAX 20u /* ids looked up, newest first */
#define DRAFT_JOIN_MAX	  2u  /* by the writer, who mostly remembers them */

/* Everybody who reads the article may know its parent. */
static enum reader_class
readers_of(struct community *community, const struct draft *draft)
{
	enum reader_class class = READER_STAFF;

	for (size_t i = 0; i < draft->space_count; i++) {
		struct space *space =
		    spaces_by_id(community_spaces(community), draft->spaces[i]);

		if (space != NULL && rights_class_of(space) < class)
			class = rights_class_of(space);
		space_unref(space);
	}
	return class;
}

void
draft_find_thread(struct store_reader *reader, struct community *community,
    struct draft *draft)
{
	enum reader_class class = readers_of(community, draft);
	unsigned tried = 0;

	draft->ancestor = 0;
	for (size_t i = draft->reference_count;
	     i > 0 && tried < DRAFT_PARENTS_MAX && draft->ancestor == 0;
	     i--, tried++)
		if (draft_find_article(reader, community,
			draft->references[i - 1].hash, class,
			&draft->ancestor_thread) != 0)
			draft->ancestor = i;
}

void
draft_prepare_thread(struct community *community, struct draft *draft)
{
	struct store_view *view;

	if (draft->reference_count <= DRAFT_JOIN_MAX)
		return;
	view = store_view_begin(community_store(community));
	if (view != NULL)
		draft_find_thread(store_view_reader(view), community, draft);
	store_view_end(&view);
}

void
draft_join_thread(struct store_reader *reader, struct community *community,
    struct draft *draft)
{
	enum reader_class class;
	uint64_t found = 0;

	draft->thread =
	    draft->ancestor == 0 ? draft->artid : draft->ancestor_thread;
	if (draft->ancestor == draft->reference_count)
		return;
	class = readers_of(community, draft);
	/* the parent may have come with it; or only what began the thread */
	found = draft_find_article(reader, community,
	    draft->references[draft->reference_count - 1].hash, class,
	    &draft->thread);
	if (found == 0 && draft->ancestor == 0 && draft->reference_count > 1)
		(void)draft_find_article(reader, community,
		    draft->references[0].hash, class, &draft->thread);
	if (draft->thread == 0)
		draft->thread = draft->artid;
}
